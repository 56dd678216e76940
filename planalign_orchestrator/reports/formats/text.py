"""A report as plain text, as the command line prints it."""

import re
from pathlib import Path

from planalign_orchestrator.reports.formats.format import Report, ReportFormat

# the first line of a report as text: of a summary, or of one year
_TITLE = re.compile(r"(Workforce \d{4}(-\d{4})?|Year \d{4}): scenario \S+, plan design \S+\s*")


def text_report(report: Report) -> str:
    """Return the tables of the years, or everything about a single one, and whether the database was verified."""
    from planalign_orchestrator.reports.console import ConsoleReporter

    reporter, years = ConsoleReporter(report.template), report.summary.years
    shown = reporter.format_year_audit(years[0]) if len(years) == 1 else reporter.format_summary(report.summary)
    if report.breakdown is not None:
        shown += "\n\n" + reporter.format_breakdown(report.breakdown)
    return f"{shown}\n\n{report.verification.line}\n"


def _is_ours(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        return _TITLE.fullmatch(file.readline(1000)) is not None


FORMAT = ReportFormat("console", (".txt",), "a report as text", _is_ours, text_report)
