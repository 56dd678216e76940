"""`planalign compare-runs`: two databases side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign_orchestrator import api
from planalign_orchestrator.cli.options import (
    JsonOption,
    UnverifiedOption,
    VerboseOption,
    YearsOption,
    as_path,
    read_years,
)
from planalign_orchestrator.cli.output import show, show_json, show_table

if TYPE_CHECKING:
    from planalign_orchestrator.api.types import Difference, Figure, RowComparison, RunComparison


def compare_runs(
    a: Annotated[Path, typer.Argument(metavar="A.duckdb", help="A database.", parser=as_path)],
    b: Annotated[Path, typer.Argument(metavar="B.duckdb", help="The database to compare it with.", parser=as_path)],
    years: YearsOption = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Show at most so many differing rows a table.")] = 10,
    unverified: UnverifiedOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two databases: events, workforce, key figures, rows.

    The exit code is 0 when both hold the same, 1 when they differ or one differs from what its runs recorded, 2 when
    they cannot be compared. Names of scenario
    and plan design are not compared. A database may be one of another program that has the ledger and the snapshot;
    then the columns that both have are compared.
    """
    span = read_years(years)
    wanted = range(span[0], span[1] + 1) if span else None
    found = api.compare_runs(a, b, years=wanted, limit=limit, unverified=unverified)
    if as_json:
        show_json(found.to_dict())
    else:
        _show(found)
    if not found.is_identical or found.verification_a.has_failed or found.verification_b.has_failed:
        raise typer.Exit(1)


def _show(found: "RunComparison") -> None:
    span = f"{found.years[0]}-{found.years[-1]}" if len(found.years) > 1 else str(found.years[0])
    show(f"A: {found.a}\n   {found.verification_a.line}\nB: {found.b}\n   {found.verification_b.line}")
    _show_lines("Not compared", found.not_compared)
    show(f"\nYears {span}: {'the same' if found.is_identical else 'they differ'}")
    _show_lines("Made from different settings, from A to B", found.origin or ())
    if found.origin is None:
        show("\nAt least one of them does not say what it was made from.")
    _show_lines("Other names, of which event ids are made; they are not compared", found.names)
    for side, years in (("A", found.years_only_a), ("B", found.years_only_b)):
        if years:
            show(f"\nOnly {side} holds {', '.join(map(str, years))}.")
    _show_figures("Events", found.events)
    _show_figures("Workforce", found.workforce)
    if found.metrics is None:
        show("\nKey figures are not compared: at least one of them has no fct_annual_metrics.")
    elif differing := [figure for figure in found.metrics if not figure.is_equal]:
        _show_figures("Key figures that differ", differing)
    else:
        show("\nKey figures are the same.")
    for table in found.rows:
        _show_rows(table)
    show(f"\n{_verdict(found)}")


def _verdict(found: "RunComparison") -> str:
    """The last line: whether both hold the same, or in which tables they differ."""
    if found.is_identical:
        return "They hold the same."
    parts = [table.table for table in found.rows if not table.is_equal]
    parts += ["years"] if found.years_only_a or found.years_only_b else []
    return f"They differ in {', '.join(parts)}."


def _show_lines(title: str, lines: Sequence[str]) -> None:
    if lines:
        show("\n".join(["", f"{title}:", *(f"  {line}" for line in lines)]))


def _show_figures(title: str, figures: "Sequence[Figure]") -> None:
    show("")
    cells = [(str(item.simulation_year), item.name, *map(_text, (item.a, item.b, item.difference))) for item in figures]
    show_table(("Year", title, "A", "B", "B - A"), cells, left=(0, 1))


def _show_rows(table: "RowComparison") -> None:
    if table.is_equal:
        show(f"\n{table.table}: {table.rows_a:,} rows, the same in both.")
    else:
        show(
            f"\n{table.table}: {table.rows_a:,} rows in A, {table.rows_b:,} in B; {table.only_a:,} only in A, "
            f"{table.only_b:,} only in B, {table.changed:,} changed"
        )
        if table.columns:
            show("  changed in " + ", ".join(f"{column} {count:,}" for column, count in table.columns.items()))
    for side, columns in (("A", table.columns_only_a), ("B", table.columns_only_b)):
        if columns:
            show(f"  left out, because only {side} has it: {', '.join(columns)}")
    if table.first:
        headings = (*table.first[0].key, "column", "A", "B")
        show_table(
            headings,
            [_difference_cells(item) for item in table.first],
            left=range(len(headings)),
            keys=len(table.first[0].key) + 1,
        )


def _difference_cells(item: "Difference") -> tuple[str, ...]:
    key = map(str, item.key.values())
    column, nothing = (item.column, "null") if item.column else ("the whole row", "absent")
    return (*key, column, nothing if item.a is None else item.a, nothing if item.b is None else item.b)


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    whole, _, decimals = f"{value:,.6f}".rstrip("0").partition(".")
    return f"{whole}.{decimals:0<2}"
