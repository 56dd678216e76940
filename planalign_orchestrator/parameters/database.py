"""Parameter tables in the database: written, brought up to date for a longer horizon, compared."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from planalign_orchestrator.parameters.tables import YEAR, YEARLY, ParameterTable, RunTables

if TYPE_CHECKING:
    import duckdb


def fingerprints(tables: Iterable[ParameterTable]) -> dict[str, str]:
    """Return a digest of each table of a year, by name: the same for the same rows.

    Tables by year are left out: they grow with the horizon, and the configuration they come from is compared itself.
    """
    return {table.name: table.fingerprint() for table in tables if table.name not in YEARLY}


def write_parameters(connection: "duckdb.DuckDBPyConnection", tables: RunTables) -> None:
    """Create schema `planalign.parameters` with every table of every year, inside the caller's transaction."""
    connection.execute("create schema planalign.parameters")
    for table in tables.of_year(tables.years[0]):
        columns = ", ".join(f'"{name}" {kind}' for name, kind in _columns(table))
        connection.execute(f'create table planalign.parameters."{table.name}" ({columns})')
    for table in tables.yearly:
        # limits begin with the year before the first
        _insert(connection, table.name, table.rows)
    _insert_years(connection, tables, tables.years[0])


def write_years_from(connection: "duckdb.DuckDBPyConnection", tables: RunTables, first_year: int) -> None:
    """Replace the rows of years that a resumed run has still to simulate, in the transaction of the first of them."""
    for table in tables.of_year(first_year):
        year = YEARLY.get(table.name, YEAR)
        connection.execute(f'delete from planalign.parameters."{table.name}" where {year} >= {first_year}')
    for table in tables.yearly:
        _insert(connection, table.name, [row for row in table.rows if _year(row) >= first_year])
    _insert_years(connection, tables, first_year)


def changed_tables(connection: "duckdb.DuckDBPyConnection", tables: RunTables, last_year: int) -> list[str]:
    """Return the names of the tables whose rows of years up to `last_year` in the database are not these."""
    import duckdb

    last = min(last_year, tables.years[-1])
    finished = range(tables.years[0], last + 1)
    changed = []
    for table in tables.of_year(tables.years[0]):
        year = YEARLY.get(table.name, YEAR)
        try:
            found = connection.execute(
                f'select * from planalign.parameters."{table.name}" where {year} <= {last}'
            ).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException):
            found = []
        expected: Counter[tuple[object, ...]] = Counter()
        if table.name in YEARLY:
            expected.update(_typed(table, row) for row in table.rows if _year(row) <= last)
        else:
            for one in finished:
                (held,) = (other for other in tables.of_year(one) if other.name == table.name)
                expected.update((one, *_typed(held, row)) for row in held.rows)
        if Counter(found) != expected:
            changed.append(table.name)
    return changed


def _columns(table: ParameterTable) -> tuple[tuple[str, str], ...]:
    return table.columns if table.name in YEARLY else ((YEAR, "integer"), *table.columns)


def _insert_years(connection: "duckdb.DuckDBPyConnection", tables: RunTables, first_year: int) -> None:
    """Insert the rows of every year from one on; a table that holds for several years is sent once."""
    starts = sorted(tables.from_year)
    for start, end in pairwise([*starts, tables.years[-1] + 1]):
        years = range(max(start, first_year), end)
        for table in tables.from_year[start] if years else ():
            _insert(connection, table.name, table.rows, years)


def _typed(table: ParameterTable, row: tuple[str | None, ...]) -> tuple[str | Decimal | bool | dt.date | None, ...]:
    """Return a row as the database gives it back: numbers are equal however many digits they are written with."""
    return tuple(_value(kind, text) for (_, kind), text in zip(table.columns, row, strict=True))


def _value(kind: str, text: str | None) -> str | Decimal | bool | dt.date | None:
    if text is None or kind == "varchar":
        return text
    if kind == "date":
        return dt.date.fromisoformat(text)
    return text == "true" if kind == "boolean" else Decimal(text)


def _year(row: tuple[str | None, ...]) -> int:
    """Return the year of a row of a table by year, which is its first column."""
    return int(row[0] or 0)


def _insert(
    connection: "duckdb.DuckDBPyConnection",
    table: str,
    rows: Sequence[tuple[str | None, ...]],
    years: range | None = None,
) -> None:
    """Insert rows as they are, or once for each of the years, which then is their first column."""
    if not rows:
        return
    given = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
    source = f"values {given}"
    if years is not None:
        each_year = f"range({years[0]}, {years[-1] + 1}) as years (year)"
        source = f"select years.year, held.* from {each_year} cross join (values {given}) as held"
    connection.execute(f'insert into planalign.parameters."{table}" {source}', [value for row in rows for value in row])
