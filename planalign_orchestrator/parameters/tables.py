"""What a parameter table is, and which ones a user can replace."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

FACTOR = "decimal(9,6)"
MONEY = "decimal(18,2)"
CONFIGURATION = "configuration"
# the column by which every other table has a set of rows for each year
YEAR = "simulation_year"
# Tables with a row for each year, and the column of the year: they grow with the horizon.
YEARLY: Mapping[str, str] = {
    "annual_rates": "simulation_year",
    "automatic_enrollment_terms": "simulation_year",
    "irs_limits": "limit_year",
    "reduction_groups": "simulation_year",
    "reductions": "simulation_year",
}


@dataclass(frozen=True)
class ColumnSpec:
    """A column: its SQL type, the values allowed, and whether it may be blank (an open upper end, say)."""

    name: str
    type: str
    maximum: Decimal | None = None
    open_end: bool = False


@dataclass(frozen=True)
class TableSpec:
    """A parameter table: the columns of `key` identify a row together.

    `of` names, for each column of the key, the table whose keys it must cover, several in every combination.
    """

    name: str
    columns: tuple[ColumnSpec, ...]
    key: tuple[str, ...]
    of: tuple[str, ...] = ()
    bands: tuple[str, str] | None = None


@dataclass(frozen=True)
class ParameterTable:
    """A checked table: column names and types, and rows of SQL text values (None for a blank)."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str | None, ...], ...]

    def column(self, name: str) -> list[str | None]:
        """Return the values of a column, row by row."""
        index = [column for column, _ in self.columns].index(name)
        return [row[index] for row in self.rows]

    def records(self) -> list[dict[str, str | None]]:
        """Return the rows by column name."""
        names = [column for column, _ in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def fingerprint(self) -> str:
        """Return a digest of the rows that does not depend on their order."""
        content = json.dumps([self.columns, sorted(self.rows, key=repr)])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class RunTables:
    """Every parameter table of a run.

    `from_year` holds the tables that hold from a year on until the next year that is named, the first simulated one
    first. `yearly` are those with a row for each year.
    """

    years: range
    from_year: Mapping[int, tuple[ParameterTable, ...]]
    yearly: tuple[ParameterTable, ...]

    def of_year(self, year: int) -> tuple[ParameterTable, ...]:
        """Return the tables that hold in a year, with those that have a row for each year.

        Before the first year they are those of the first.
        """
        start = max((first for first in self.from_year if first <= year), default=min(self.from_year))
        return (*self.from_year[start], *self.yearly)


def rate(name: str) -> ColumnSpec:
    """Return the column of a rate or share: at most 1, so that a percentage is noticed."""
    return ColumnSpec(name, FACTOR, Decimal(1))


def factor(name: str) -> ColumnSpec:
    """Return the column of a factor."""
    return ColumnSpec(name, FACTOR)


def _bands(name: str, kind: str) -> tuple[ColumnSpec, ColumnSpec]:
    return ColumnSpec(f"{name}_from", kind), ColumnSpec(f"{name}_to", kind, open_end=True)


_LEVEL = ColumnSpec("level_id", "integer")
_AGE_BAND = ColumnSpec("age_band", "varchar")
_TENURE_BAND = ColumnSpec("tenure_band", "varchar")
_AGES = _bands("age", "integer")
_TENURES = _bands("tenure", "integer")
_INCOMES = _bands("income", MONEY)
_RANGE = (ColumnSpec("pay_from", MONEY), ColumnSpec("range_minimum", MONEY), ColumnSpec("range_maximum", MONEY))


def _by_level(name: str, *columns: ColumnSpec) -> TableSpec:
    return TableSpec(name, (_LEVEL, *columns), ("level_id",), ("job_levels",))


def _by_band(name: str, band: ColumnSpec, of: str) -> TableSpec:
    return TableSpec(name, (band, factor("multiplier")), (band.name,), (of,))


def _in_bands(name: str, band: tuple[ColumnSpec, ColumnSpec], *columns: ColumnSpec) -> TableSpec:
    low, high = band
    return TableSpec(name, (low, high, *columns), (low.name,), bands=(low.name, high.name))


_WORKFORCE = (
    TableSpec("age_bands", (_AGE_BAND, *_AGES), ("age_band",), bands=("age_from", "age_to")),
    TableSpec("tenure_bands", (_TENURE_BAND, *_TENURES), ("tenure_band",), bands=("tenure_from", "tenure_to")),
    TableSpec("job_levels", (_LEVEL, ColumnSpec("level_name", "varchar"), *_RANGE), ("level_id",)),
    _by_level("termination_by_level", factor("factor")),
    _by_band("termination_by_age", _AGE_BAND, "age_bands"),
    _by_band("termination_by_tenure", _TENURE_BAND, "tenure_bands"),
    _in_bands("retirement_rates", _AGES, rate("retirement_rate")),
    _in_bands(
        "decrement_rates",
        _AGES,
        *(rate(f"{sex}_{cause}_rate") for cause in ("death", "disability") for sex in ("male", "female")),
    ),
    _by_level("promotion_by_level", factor("factor")),
    _by_band("promotion_by_age", _AGE_BAND, "age_bands"),
    _by_band("promotion_by_tenure", _TENURE_BAND, "tenure_bands"),
    _by_level("merit_by_level", rate("merit_rate")),
    _by_level(
        "new_hire_pay",
        ColumnSpec("percentile", FACTOR, Decimal(1), open_end=True),
        ColumnSpec("market_factor", FACTOR, open_end=True),
        ColumnSpec("target_pay", MONEY, open_end=True),
        ColumnSpec("log_sd", FACTOR, Decimal(1), open_end=True),
    ),
    TableSpec("new_hire_ages", (ColumnSpec("age", "integer"), rate("weight")), ("age",)),
)
_PARTICIPATION = (
    _in_bands("participation_by_age", _AGES, rate("join_rate"), rate("second_chance_rate"), rate("opt_out_rate")),
    _in_bands(
        "participation_by_income",
        _INCOMES,
        factor("join_factor"),
        factor("second_chance_factor"),
        factor("opt_out_factor"),
    ),
    _by_level("participation_by_level", factor("join_factor")),
    _in_bands("second_chance_by_service", _TENURES, factor("factor")),
    TableSpec(
        "deferral_choice",
        (_AGES[0], _INCOMES[0], rate("deferral_rate")),
        ("age_from", "income_from"),
        ("participation_by_age", "participation_by_income"),
    ),
)

TABLES: Mapping[str, TableSpec] = {spec.name: spec for spec in (*_WORKFORCE, *_PARTICIPATION)}
