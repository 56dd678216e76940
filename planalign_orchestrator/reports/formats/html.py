"""A report as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from planalign_orchestrator.files.replacing import PRODUCT
from planalign_orchestrator.reports.formats.format import Report, ReportFormat

if TYPE_CHECKING:
    from planalign_orchestrator.report_templates import ReportTemplate
    from planalign_orchestrator.reports.console import Part
    from planalign_orchestrator.reports.groups import Breakdown
    from planalign_orchestrator.reports.multi_year import MultiYearSummary

# by it a later report knows a file that it may replace
_GENERATOR_TAG = f'<meta name="generator" content="{PRODUCT}">'
_HEAD_BYTES = 4096

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.5em 0 1.5em}"
    "th,td{padding:.25em .8em;text-align:right;border-bottom:1px solid #ddd;font-variant-numeric:tabular-nums}"
    "th{border-bottom:2px solid #888}.text{text-align:left}"
    "@media print{section{break-inside:avoid}}"
)


def html_report(
    summary: "MultiYearSummary",
    template: "ReportTemplate" = "detailed",
    verified: str = "",
    breakdown: "Breakdown | None" = None,
) -> str:
    """The summary of the years and a breakdown; in detail also each year. The tables are those of `ConsoleReporter`.

    `verified` says whether the database was verified; it stands below, with the runs.
    """
    from planalign_orchestrator.reports.console import ConsoleReporter, breakdown_part, summary_title, year_title

    reporter = ConsoleReporter(template)
    title = summary_title(summary)
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(line)}</p>" for line in summary.set_aside)]
    body += [_section(part, level=2) for part in reporter.summary_parts(summary)]
    body += [f"<p>{escape(line)}</p>" for line in reporter.closing_lines(summary)]
    if breakdown is not None:
        body.append(_section(breakdown_part(breakdown), level=2))
        body += [f"<p>{escape(breakdown.note)}</p>"] if breakdown.note else []
    if template == "detailed":
        for report in summary.years:
            body.append(f"<h2>{escape(year_title(report))}</h2>")
            body += [_section(part, level=3) for part in reporter.year_parts(report)]
    runs = ", ".join(dict.fromkeys(report.run_id for report in summary.years))
    body.append(f"<footer><p>{escape(f'{PRODUCT}, run {runs}. {verified}'.strip())}</p></footer>")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{_GENERATOR_TAG}\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _section(part: "Part", *, level: int) -> str:
    head = [f"<thead>{_row(part.headings, 'th', part.left)}</thead>"] if part.headings else []
    rows = [_row(cells, "td", part.left) for cells in part.rows]
    heading = f"<h{level}>{escape(part.title)}</h{level}>"
    return "\n".join(["<section>", heading, "<table>", *head, "<tbody>", *rows, "</tbody>", "</table>", "</section>"])


def _row(cells: Iterable[str], tag: str, left: Sequence[int]) -> str:
    shown = (
        f'<{tag} class="text">{escape(cell)}</{tag}>' if at in left else f"<{tag}>{escape(cell)}</{tag}>"
        for at, cell in enumerate(cells)
    )
    return f"<tr>{''.join(shown)}</tr>"


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return _GENERATOR_TAG.encode() in file.read(_HEAD_BYTES)


def _render(report: Report) -> str:
    return html_report(report.summary, report.template, report.verification.line, report.breakdown)


FORMAT = ReportFormat("html", (".html", ".htm"), "an HTML report", _is_ours, _render)
