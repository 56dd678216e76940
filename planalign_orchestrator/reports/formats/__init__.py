"""The formats of a report: their names, the endings of their files, and which existing files are reports of ours.

It is a module without heavy imports because the command line offers the formats before it loads anything else.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from planalign_orchestrator.errors import OutputError
from planalign_orchestrator.files.replacing import OutputKind, is_our_html, is_our_json, is_our_workbook

# the first line of a report as text: of a summary, or of one year
_TITLE = re.compile(r"(Workforce \d{4}(-\d{4})?|Year \d{4}): scenario \S+, plan design \S+\s*")


class ReportFormat(StrEnum):
    """How a report is rendered."""

    CONSOLE = "console"
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    EXCEL = "excel"


ENDINGS: Mapping[str, ReportFormat] = {
    ".html": ReportFormat.HTML,
    ".htm": ReportFormat.HTML,
    ".xlsx": ReportFormat.EXCEL,
    ".json": ReportFormat.JSON,
    ".csv": ReportFormat.CSV,
    ".txt": ReportFormat.CONSOLE,
}

# no report is written under a name that the program or a user takes for a database or a configuration
_ENDINGS_OF_OTHERS = (".duckdb", ".wal", ".lock", ".yaml", ".yml", ".parquet")


def format_of(output: Path | None, wanted: ReportFormat | None) -> ReportFormat:
    """Return the format of a report: that of the file's ending, or the wanted one where no ending says a format.

    Errors: OutputError for an ending that contradicts the wanted format, and for one of another kind of file.
    """
    if output is None:
        return ReportFormat.CONSOLE if wanted is None else wanted
    ending = output.suffix.lower()
    found = ENDINGS.get(ending)
    if ending in _ENDINGS_OF_OTHERS or (found is None and wanted is None):
        raise OutputError(f"{output}: the ending says the format of a report; it is one of {', '.join(ENDINGS)}")
    if found is not None and wanted not in (None, found):
        raise OutputError(f"{output} has the ending of the format {found}, and {wanted} was asked for; leave one out")
    return found or wanted or ReportFormat.CONSOLE


def kind_of(rendering: ReportFormat) -> OutputKind:
    """Return what tells an existing report of this format from a file of somebody else."""
    return _KINDS[rendering]


def _is_our_text(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        return _TITLE.fullmatch(file.readline(1000)) is not None


def _is_our_csv(path: Path) -> bool:
    from planalign_orchestrator.reports.multi_year import is_summary

    return is_summary(path)


_KINDS: Mapping[ReportFormat, OutputKind] = {
    ReportFormat.CONSOLE: OutputKind("a report as text", _is_our_text),
    ReportFormat.JSON: OutputKind("a JSON report", is_our_json),
    ReportFormat.CSV: OutputKind("a summary of years", _is_our_csv),
    ReportFormat.HTML: OutputKind("an HTML report", is_our_html),
    ReportFormat.EXCEL: OutputKind("a workbook", is_our_workbook),
}
