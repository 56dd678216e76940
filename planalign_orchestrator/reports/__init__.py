"""What a simulated year, and a run of years, amounted to: read from the marts, never computed a second time."""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from planalign_orchestrator.reports.comparison import RunComparison, compare_runs
else:

    def __getattr__(name: str) -> object:
        """Import the comparison when it is asked for, which no run does."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from planalign_orchestrator.reports import comparison

        return getattr(comparison, name)
