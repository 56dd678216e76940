"""The rows of one table in two databases, attached as `planalign` and `other`: how many differ, in what, and the first.

The years are those of the session variable `years`. Everything is one full join over the keys. Names of columns come
from the files, which may be a stranger's, so each is quoted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign_orchestrator.database.identifiers import quoted

if TYPE_CHECKING:
    import duckdb

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
# names that no column of a file has: a mark of a row that is there, and its number among rows of one key
_PRESENT, _COPY = "planalign row is present", "planalign copy of the row"
_IN_A, _IN_B = f'a."{_PRESENT}"', f'b."{_PRESENT}"'
_BOTH = f"{_IN_A} and {_IN_B}"
_NUMBERS = (*_WHOLE, "DECIMAL", "FLOAT", "DOUBLE")


@dataclass(frozen=True)
class Difference:
    """One column of one row; the values as text, None for null. `column` is "" for a row that only one database has."""

    key: dict[str, str | int]
    column: str
    a: str | None
    b: str | None


@dataclass(frozen=True)
class RowComparison:
    """How a table's rows differ: `changed` rows are in both, `columns` counts them by column; `first` shows some."""

    table: str
    rows_a: int
    rows_b: int
    only_a: int
    only_b: int
    changed: int
    columns: dict[str, int]
    columns_only_a: tuple[str, ...]
    columns_only_b: tuple[str, ...]
    columns_ignored: tuple[str, ...]
    first: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether both databases hold the same rows, in the columns that were compared."""
        return not (self.only_a or self.only_b or self.changed)


@dataclass(frozen=True)
class Table:
    """What is compared of a table: keys and columns that both have, each as an expression of one type for both."""

    name: str
    keys: Mapping[str, str]
    columns: Mapping[str, str]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    ignored: tuple[str, ...]

    @classmethod
    def of(
        cls, name: str, a: Mapping[str, str], b: Mapping[str, str], keys: tuple[str, ...], ignored: tuple[str, ...]
    ) -> "Table":
        """The table `name` with the columns `a` and `b` (name -> type); `ignored` ones are left out."""
        common = [column for column in a if column in b and column not in (*keys, *ignored)]
        return cls(
            name=name,
            keys={key: quoted(key) if is_whole(a[key], b[key]) else _common_form(key, a[key], b[key]) for key in keys},
            columns={column: _common_form(column, a[column], b[column]) for column in common},
            only_a=tuple(column for column in a if column not in b),
            only_b=tuple(column for column in b if column not in a),
            ignored=tuple(column for column in ignored if column in a and column in b),
        )

    @property
    def differs(self) -> str:
        """SQL: whether a row of the join is not the same on both sides."""
        tests = [f"a.{quoted(column)} is distinct from b.{quoted(column)}" for column in self.columns]
        return " or ".join([f"{_IN_A} is null", f"{_IN_B} is null", *tests])

    def join(self) -> str:
        """SQL: the rows of both databases side by side, each of `a` and `b` with `present`."""
        on = " and ".join(f"a.{quoted(key)} = b.{quoted(key)}" for key in (*self.keys, _COPY))
        return f"({self._rows('planalign')}) as a full join ({self._rows('other')}) as b on {on}"

    def _rows(self, source: str) -> str:
        """SQL: the rows of one side, each numbered among those of its key, which only others repeat."""
        compared = {**self.keys, **self.columns}
        columns = ", ".join(f"{expression} as {quoted(column)}" for column, expression in compared.items())
        order = ", ".join(map(quoted, self.columns)) or "1"
        return (
            f"select {columns}, true as {quoted(_PRESENT)}, "
            f"if(count(*) over same > 1, row_number() over (same order by {order}), 1) as {quoted(_COPY)} "
            f"from {source}.main.{quoted(self.name)} where list_contains(getvariable('years'), simulation_year) "
            f"window same as (partition by {', '.join(map(quoted, self.keys))})"
        )


def compare_as_sets(
    connection: "duckdb.DuckDBPyConnection",
    name: str,
    a: Mapping[str, str],
    b: Mapping[str, str],
    ignored: tuple[str, ...],
) -> RowComparison:
    """Compare a table that has no key for both: how many rows, repeated ones included, only one database has.

    A table without a year is compared as a whole.
    """
    table = Table.of(name, a, b, (), ignored)
    columns = ", ".join(table.columns.values()) or "1"
    of_years = " where list_contains(getvariable('years'), simulation_year)" if "simulation_year" in a else ""
    one, other = (f"select {columns} from {side}.main.{quoted(name)}{of_years}" for side in ("planalign", "other"))
    ((rows_a, rows_b, only_a, only_b),) = connection.execute(
        f"select (select count(*) from ({one})), (select count(*) from ({other})), "
        f"(select count(*) from ({one} except all {other})), (select count(*) from ({other} except all {one}))"
    ).fetchall()
    return RowComparison(
        name, rows_a, rows_b, only_a, only_b, 0, {}, table.only_a, table.only_b, table.ignored, first=()
    )


def compare_rows(connection: "duckdb.DuckDBPyConnection", table: Table, limit: int) -> RowComparison:
    """Compare a table's rows; `first` holds every differing column of the first `limit` rows, by year and key."""
    by_column = "".join(
        f", count_if({_BOTH} and a.{quoted(column)} is distinct from b.{quoted(column)})" for column in table.columns
    )
    rows_a, rows_b, only_a, only_b, changed, *counts = connection.execute(
        f"select count({_IN_A}), count({_IN_B}), count_if({_IN_B} is null), count_if({_IN_A} is null), "
        f"count_if({_BOTH} and ({table.differs})){by_column} from {table.join()}"
    ).fetchall()[0]
    columns = {column: count for column, count in zip(table.columns, counts, strict=True) if count}
    differ = only_a or only_b or changed
    return RowComparison(
        table=table.name,
        rows_a=rows_a,
        rows_b=rows_b,
        only_a=only_a,
        only_b=only_b,
        changed=changed,
        columns=dict(sorted(columns.items(), key=lambda item: -item[1])),
        columns_only_a=table.only_a,
        columns_only_b=table.only_b,
        columns_ignored=table.ignored,
        first=_first(connection, table, limit) if differ and limit else (),
    )


def _first(connection: "duckdb.DuckDBPyConnection", table: Table, limit: int) -> tuple[Difference, ...]:
    keys = [f"coalesce(a.{quoted(key)}, b.{quoted(key)})" for key in table.keys]
    pairs = [f"a.{quoted(column)}::varchar, b.{quoted(column)}::varchar" for column in table.columns]
    order = ", ".join(["coalesce(a.simulation_year, b.simulation_year)", *keys])
    rows = connection.execute(
        f"select {', '.join([*keys, _IN_A, _IN_B, *pairs])} from {table.join()} "
        f"where {table.differs} order by {order}, coalesce(a.{quoted(_COPY)}, b.{quoted(_COPY)}) limit {limit}"
    ).fetchall()
    found: list[Difference] = []
    for row in rows:
        key = dict(zip(table.keys, row, strict=False))
        in_a, in_b, *values = row[len(table.keys) :]
        if not (in_a and in_b):
            found.append(Difference(key, "", "present" if in_a else None, "present" if in_b else None))
            continue
        sides = zip(table.columns, values[::2], values[1::2], strict=True)
        found += [Difference(key, column, a, b) for column, a, b in sides if a != b]
    return tuple(found)


def is_whole(*kinds: str) -> bool:
    """Whether all types are whole numbers."""
    return all(kind in _WHOLE for kind in kinds)


def is_number(*kinds: str) -> bool:
    """Whether all types are numbers."""
    return all(kind.split("(")[0] in _NUMBERS for kind in kinds)


def _common_form(column: str, a: str, b: str) -> str:
    """The column as both databases can be compared: as it is, as a number, else as text."""
    if a == b:
        return quoted(column)
    if is_number(a, b):
        return f"{quoted(column)}::double"
    return f"{quoted(column)}::varchar"
