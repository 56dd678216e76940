"""Where text goes: results on standard output, everything else on standard error; plain where nobody watches.

With `--json` standard output holds one JSON document, and so does each line of standard error: `{"note": ...}`, or
`{"error": ...}` in the last one. Control characters in what is printed are made visible.
"""

import logging
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer

from planalign_orchestrator.escaping import visible, visible_json

if TYPE_CHECKING:
    from planalign_orchestrator.api import Report, ReportTemplate
    from planalign_orchestrator.api.types import MultiYearSummary


class _Notes:
    """How notes are written: as JSON while a command has `--json`."""

    as_json = False


class _LogFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _note_text(super().format(record))


def write_notes_as(*, as_json: bool) -> None:
    """Decide for the command that begins whether notes, log and errors are JSON documents, one a line."""
    _Notes.as_json = as_json


def log_to_standard_error(level: int) -> None:
    """Print what the library logs from `level` on, as notes."""
    handler = logging.StreamHandler()
    handler.setFormatter(_LogFormatter("%(message)s"))
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger("planalign_orchestrator").setLevel(level)


def note(text: str) -> None:
    """Say something that is not a result: on standard error."""
    typer.echo(_wrapped(_note_text(text), sys.stderr), err=True)


def tell_failure(text: str, document: Mapping[str, Any]) -> None:
    """Say on standard error why the command ends: the text, or with `--json` the document."""
    typer.echo(visible_json(document) if _Notes.as_json else _wrapped(visible(text), sys.stderr), err=True)


def end_with_failure(message: str, kind: str, exit_code: int, problems: Sequence[str] = ()) -> NoReturn:
    """End a command whose result on standard output says what is wrong; with `--json` the last note says it too."""
    if _Notes.as_json:
        found = {"problems": list(problems)} if problems else {}
        tell_failure("", {"error": message, "type": kind, "exit_code": exit_code, **found})
    raise typer.Exit(exit_code)


def show(text: str, *, end: str = "\n", wrap: bool = True) -> None:
    """Print a result. On a terminal long lines end between words, unless they are a table or are to be copied."""
    typer.echo((_wrapped(visible(text), sys.stdout) if wrap else visible(text)) + end, nl=False)


def show_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document; dates and paths become text."""
    typer.echo(visible_json(document, indent=2))


def show_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Iterable[int] = (),
    keys: int | None = None,
) -> None:
    """Print aligned lines below headings. Columns in `left` hold words, all others numbers.

    A table that is too wide becomes blocks, each of which begins with the first `keys` columns: by default those in
    front that hold words, two at most.
    """
    from planalign_orchestrator.api.text import aligned

    show("\n".join(aligned([headings, *rows], left=left, keys=keys, width=width())), wrap=False)


def show_summary(summary: "MultiYearSummary", template: "ReportTemplate") -> None:
    """Print the tables of the years and what they amount to together."""
    from planalign_orchestrator.api.text import ConsoleReporter

    reporter = ConsoleReporter(template, width=width())
    if not sys.stdout.isatty():
        show(reporter.format_summary(summary))
        return
    from rich.console import Console

    # The tables fit already; a console as wide as any of them leaves them alone.
    console = Console(markup=False, highlight=False, width=10_000)
    console.print(reporter.title(summary), style="bold")
    if summary.set_aside:
        show("\n".join(summary.set_aside))
    for table in reporter.summary_tables(summary):
        console.print(table)
    show("\n".join(reporter.closing_lines(summary)))


def show_report(found: "Report") -> None:
    """Print a report as text: the tables of the years, or everything about a single one; then those of groups."""
    from planalign_orchestrator.api.text import ConsoleReporter

    if len(found.summary.years) > 1:
        show_summary(found.summary, found.template)
    else:
        show(ConsoleReporter(found.template).format_year_audit(found.summary.years[0]), wrap=False)
    if found.breakdown is not None:
        show("\n" + ConsoleReporter(found.template, width=width()).format_breakdown(found.breakdown), wrap=False)


def width() -> int:
    """The columns there are for a table: those of the terminal, at least 80 and in a pipe always."""
    from planalign_orchestrator.api.text import WIDTH

    return max(WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDTH


def _wrapped(text: str, stream: TextIO) -> str:
    """The text with line ends between words where a terminal would break a word; a pipe gets lines as they are."""
    columns = shutil.get_terminal_size().columns
    if _Notes.as_json or not stream.isatty() or all(len(line) <= columns for line in text.split("\n")):
        return text
    import textwrap

    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            line, columns, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
        ) or [line]
    return "\n".join(lines)


def _note_text(text: str) -> str:
    return visible_json({"note": text}) if _Notes.as_json else visible(text)
