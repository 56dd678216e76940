"""A summary as an Excel workbook; numbers are numbers. It needs the package openpyxl, which is an extra."""

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.errors import PlanAlignError
from planalign_orchestrator.escaping import visible_line
from planalign_orchestrator.files.replacing import PRODUCT
from planalign_orchestrator.reports.formats.format import Report, ReportFormat

if TYPE_CHECKING:
    from planalign_orchestrator.report_templates import ReportTemplate
    from planalign_orchestrator.reports.groups import Breakdown
    from planalign_orchestrator.reports.multi_year import MultiYearSummary


def excel_report(
    summary: "MultiYearSummary",
    template: "ReportTemplate" = "detailed",
    verified: str = "",
    breakdown: "Breakdown | None" = None,
) -> bytes:
    """The bytes of a workbook: sheet Years is the CSV summary; in detail also Events by category, and Checks.

    Sheet Groups is the CSV of a breakdown.

    `verified`, which says whether the database was verified, is the workbook's description.

    Errors: PlanAlignError without openpyxl.
    """
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise PlanAlignError(
            "an Excel report needs the package openpyxl; install `planalign-orchestrator[excel]`, or use --format csv"
        ) from error
    workbook = Workbook(write_only=True)
    workbook.properties.creator = PRODUCT
    workbook.properties.description = verified
    if summary.set_aside:
        _add_sheet(
            workbook, "Set aside", [["rows of the census that were set aside"], *([line] for line in summary.set_aside)]
        )
    _add_sheet(workbook, "Years", summary.to_rows(template))
    if breakdown is not None:
        _add_sheet(workbook, "Groups", summary.group_rows(breakdown))
    if template == "detailed":
        _add_sheet(workbook, "Events", _event_rows(summary))
        _add_sheet(workbook, "Checks", _check_rows(summary))
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def _add_sheet(workbook: Any, title: str, rows: Iterable[Sequence[str | int | Decimal | None]]) -> None:
    sheet = workbook.create_sheet(title)
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: str | int | Decimal | None) -> Any:
    """A number as a number and a text as a text, which a spreadsheet must not take for a formula."""
    from openpyxl.cell import WriteOnlyCell

    if not isinstance(value, str):
        return float(value) if isinstance(value, Decimal) else value
    cell = WriteOnlyCell(sheet, visible_line(value))
    cell.data_type = "s"
    return cell


def _event_rows(summary: "MultiYearSummary") -> list[list[str | int]]:
    rows: list[list[str | int]] = [["simulation_year", "event_type", "event_category", "events"]]
    for report in summary.years:
        for name, categories in report.event_summary.by_category.items():
            rows += [[report.simulation_year, name, category, count] for category, count in categories.items()]
    return rows


def _check_rows(summary: "MultiYearSummary") -> list[list[str | int]]:
    rows: list[list[str | int]] = [["simulation_year", "rule", "severity", "verdict", "failures", "examples"]]
    for year, verdicts in summary.validation.items():
        rows += [
            [
                year,
                verdict.rule,
                str(verdict.severity),
                verdict.word,
                verdict.failures,
                "; ".join(verdict.examples),
            ]
            for verdict in verdicts
        ]
    return rows


def _is_ours(path: Path) -> bool:
    """Return whether a file is a workbook of ours, by its author."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            return f"<dc:creator>{PRODUCT}</dc:creator>".encode() in archive.read("docProps/core.xml")
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError, NotImplementedError):
        # no archive, or one that is cut, encrypted or packed in another way: not as we write it
        return False


def _render(report: Report) -> bytes:
    return excel_report(report.summary, report.template, report.verification.line, report.breakdown)


FORMAT = ReportFormat("excel", (".xlsx",), "a workbook", _is_ours, _render, is_printable=False)
