"""Parameter tables in the database: written, brought up to date for a longer horizon, compared."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from planalign_orchestrator.parameters.tables import YEARLY, ParameterTable

if TYPE_CHECKING:
    import duckdb


def fingerprints(tables: Iterable[ParameterTable]) -> dict[str, str]:
    """Return a digest of each table, by name: the same for the same rows.

    Tables by year are left out: they grow with the horizon, and the configuration they come from is compared itself.
    """
    return {table.name: table.fingerprint() for table in tables if table.name not in YEARLY}


def write_parameters(connection: "duckdb.DuckDBPyConnection", tables: Iterable[ParameterTable]) -> None:
    """Create schema `planalign.parameters` with every table, inside the caller's transaction."""
    connection.execute("create schema planalign.parameters")
    for table in tables:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in table.columns)
        connection.execute(f'create table planalign.parameters."{table.name}" ({columns})')
        _insert(connection, table.name, table.rows)


def write_years_from(
    connection: "duckdb.DuckDBPyConnection", tables: Iterable[ParameterTable], first_year: int
) -> None:
    """Replace the rows of years that a resumed run has still to simulate, in the transaction of the first of them."""
    for table in tables:
        if table.name in YEARLY:
            connection.execute(
                f'delete from planalign.parameters."{table.name}" where {YEARLY[table.name]} >= {first_year}'
            )
            _insert(connection, table.name, [row for row in table.rows if _year(row) >= first_year])


def changed_tables(
    connection: "duckdb.DuckDBPyConnection", tables: Iterable[ParameterTable], last_year: int
) -> list[str]:
    """Return the names of the tables whose rows in the database are not these; of tables by year up to `last_year`."""
    import duckdb

    changed = []
    for table in tables:
        rows = table.rows
        condition = ""
        if table.name in YEARLY:
            rows = tuple(row for row in rows if _year(row) <= last_year)
            condition = f" where {YEARLY[table.name]} <= {_year(rows[-1])}"
        try:
            found = connection.execute(f'select * from planalign.parameters."{table.name}"{condition}').fetchall()
        except duckdb.CatalogException:
            found = []
        if Counter(found) != Counter(_typed(table, row) for row in rows):
            changed.append(table.name)
    return changed


def _year(row: tuple[str | None, ...]) -> int:
    """Return the year of a row of a table by year, which is its first column."""
    return int(row[0] or 0)


def _typed(table: ParameterTable, row: tuple[str | None, ...]) -> tuple[str | Decimal | bool | None, ...]:
    """Return a row as the database gives it back: numbers are equal however many digits they are written with."""
    return tuple(_value(kind, text) for (_, kind), text in zip(table.columns, row, strict=True))


def _value(kind: str, text: str | None) -> str | Decimal | bool | None:
    if text is None or kind == "varchar":
        return text
    return text == "true" if kind == "boolean" else Decimal(text)


def _insert(connection: "duckdb.DuckDBPyConnection", table: str, rows: Sequence[tuple[str | None, ...]]) -> None:
    if rows:
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
        connection.execute(
            f'insert into planalign.parameters."{table}" values {marks}', [value for row in rows for value in row]
        )
