"""Where text goes: results on standard output, everything else on standard error; plain where nobody watches."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from planalign_orchestrator.report_templates import ReportTemplate
    from planalign_orchestrator.reports import MultiYearSummary


def note(text: str) -> None:
    """Say something that is not a result: on standard error."""
    typer.echo(text, err=True)


def show(text: str) -> None:
    """Print a result."""
    typer.echo(text)


def show_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document; dates and paths become text."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: Iterable[int] = ()) -> None:
    """Print aligned lines below headings. Columns in `left` hold text, all others numbers."""
    from planalign_orchestrator.reports import aligned

    show("\n".join(aligned([headings, *rows], left=left)))


def show_summary(summary: "MultiYearSummary", template: "ReportTemplate") -> None:
    """Print the tables of the years and what they amount to together."""
    from planalign_orchestrator.reports import ConsoleReporter

    reporter = ConsoleReporter(template)
    if not sys.stdout.isatty():
        show(reporter.format_summary(summary))
        return
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    for table in reporter.summary_tables(summary):
        console.print(table)
    show("\n".join(reporter.closing_lines(summary)))
