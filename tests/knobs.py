"""What the tests of the knobs share: cases of configuration keys, and changed parameter tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from planalign_orchestrator.parameters import TABLES
from tests.companies import default_table

# a bound of the packaged band tables, moved
MOVED_BOUNDS = {
    "age_bands": "33",
    "tenure_bands": "4",
    "retirement_rates": "58",
    "decrement_rates": "40",
    "participation_by_age": "40",
    "participation_by_income": "45000",
    "second_chance_by_service": "5",
}


@dataclass(frozen=True)
class Knob:
    """A key's other value, the settings under which it is read at all, and those that can only change with it."""

    value: object
    given: Mapping[str, object] = field(default_factory=dict)
    along: Mapping[str, object] = field(default_factory=dict)


def columns_with_numbers(tables: Iterable[str]) -> list[tuple[str, str]]:
    """Return every column of the packaged tables but labels, upper bounds, and keys by which one names another's."""
    return [
        (spec.name, column.name)
        for spec in map(TABLES.__getitem__, tables)
        for column in spec.columns
        if column.type != "varchar"
        and not column.name.endswith("_to")
        and column.name in default_table(spec.name)[0]
        and not (spec.of and column.name in spec.key)
        and column.name != "level_id"
    ]


def dying() -> list[dict[str, str]]:
    """Return table decrement_rates with rates for everybody, the packaged ones being 0."""
    return [
        {name: rate if name.endswith("_rate") else value for name, value in row.items()}
        for row, rate in zip(default_table("decrement_rates"), ("0.1", "0.3"), strict=True)
    ]


DYING = {"parameters.decrement_rates": dying()}


def changed_tables(table: str, column: str) -> dict[str, list[dict[str, str]]]:
    """Return the settings that change one number of a packaged table, and the tables that name this number."""
    rows = dying() if table == "decrement_rates" else [dict(row) for row in default_table(table)]
    if table in MOVED_BOUNDS and column.endswith("_from"):
        before, moved = rows[1][column], MOVED_BOUNDS[table]
        rows[0][column.replace("_from", "_to")] = rows[1][column] = moved
        others = {
            name: [{**row, column: moved} if row[column] == before else dict(row) for row in default_table(name)]
            for name, spec in TABLES.items()
            if table in spec.of and column in spec.key
        }
        return _settings({table: rows, **others})
    if column == "weight":
        rows[0][column], rows[1][column] = rows[1][column], rows[0][column]
    elif column == "age":
        rows[0][column] = "20"
    elif table == "job_levels":
        rows[1][column] = str(Decimal(rows[1][column]) * Decimal("0.9"))
    elif table == "decrement_rates":
        rows[0][column] = "0.05"
    else:
        rows[1][column] = str(Decimal(rows[1][column]) / 2)
    return _settings({table: rows})


def _settings(tables: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    return {f"parameters.{table}": rows for table, rows in tables.items()}
