"""What a simulated year, and a run of years, amounted to: read from the marts, never computed a second time."""

from planalign_orchestrator.reports.comparison import RunComparison, compare_runs
from planalign_orchestrator.reports.console import ConsoleReporter, aligned
from planalign_orchestrator.reports.multi_year import MultiYearReporter, MultiYearSummary
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
