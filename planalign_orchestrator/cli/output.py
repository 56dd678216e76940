"""Where text goes: results on standard output, everything else on standard error; tables are plain where nobody watches."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer


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
    """Print a table: drawn on a terminal, aligned text elsewhere. Columns numbered in `left` are text, all others numbers."""
    text_columns = frozenset(left)
    if not sys.stdout.isatty():
        from planalign_orchestrator.reports import aligned

        for line in aligned([headings, *rows], left=text_columns):
            typer.echo(line)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(header_style="bold")
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="left" if at in text_columns else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(markup=False, highlight=False).print(table)
