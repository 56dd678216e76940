"""Where text goes: results on standard output, everything else on standard error; tables are plain where nobody watches."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

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
    """Print a table: drawn on a terminal, aligned text elsewhere. Columns in `left` hold text, all others numbers."""
    text_columns = frozenset(left)
    if not sys.stdout.isatty():
        from planalign_orchestrator.reports import aligned

        show("\n".join(aligned([headings, *rows], left=text_columns)))
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="left" if at in text_columns else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    _draw(table)


def show_summary(summary: "MultiYearSummary") -> None:
    """Print the table of the years and what they amount to together."""
    from planalign_orchestrator.reports import ConsoleReporter

    reporter = ConsoleReporter()
    if sys.stdout.isatty():
        _draw(reporter.summary_table(summary))
        show("\n".join(reporter.closing_lines(summary)))
    else:
        show(reporter.format_summary(summary))


def _draw(table: "Table") -> None:
    from rich.console import Console

    Console(markup=False, highlight=False).print(table)
