"""The key figures of the years as comma-separated values, a row for each year, or for each year and group."""

from pathlib import Path

from planalign_orchestrator.reports.formats.format import Report, ReportFormat


def csv_report(report: Report) -> str:
    """Return the table of a spreadsheet: headings, then a row for each year, or each of its groups."""
    return report.summary.to_csv(report.template, report.breakdown)


def _is_ours(path: Path) -> bool:
    from planalign_orchestrator.reports.multi_year import is_summary

    return is_summary(path)


FORMAT = ReportFormat("csv", (".csv",), "a summary of years", _is_ours, csv_report, names_people=False)
