"""What a simulated year, and a run of years, amounted to: read from the marts, never computed a second time.

The command line lists the formats of a report before it loads anything else, so a name is imported when it is asked
for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planalign_orchestrator.reports.comparison import RunComparison, compare_runs
    from planalign_orchestrator.reports.console import ConsoleReporter
    from planalign_orchestrator.reports.multi_year import MultiYearReporter, MultiYearSummary
    from planalign_orchestrator.reports.tables import aligned
    from planalign_orchestrator.reports.year import (
        EventSummary,
        Metric,
        WorkforceBreakdown,
        YearAuditor,
        YearAuditReport,
        report_schema,
    )

__all__ = [
    "ConsoleReporter",
    "EventSummary",
    "Metric",
    "MultiYearReporter",
    "MultiYearSummary",
    "RunComparison",
    "WorkforceBreakdown",
    "YearAuditReport",
    "YearAuditor",
    "aligned",
    "compare_runs",
    "report_schema",
]

if not TYPE_CHECKING:
    _MODULES = {
        "RunComparison": "comparison",
        "compare_runs": "comparison",
        "ConsoleReporter": "console",
        "MultiYearReporter": "multi_year",
        "MultiYearSummary": "multi_year",
        "aligned": "tables",
    }

    def __getattr__(name: str) -> object:
        """Import a public name from its module; those without an entry are of `year`."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'year')}"), name)
