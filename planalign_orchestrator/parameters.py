"""The assumption tables of a run: packaged defaults, replaced table by table from the configuration.

The tables are checked here, once, as a whole: bands that cover [0, infinity), labels that exist, weights that sum to
one. They are then written, each row with its source, to schema `parameters` of the simulation's file.
"""

import csv
import difflib
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from planalign_orchestrator import project
from planalign_orchestrator.errors import ConfigurationError

if TYPE_CHECKING:
    import duckdb

    from planalign_orchestrator.config import SimulationConfig

_FACTOR = "decimal(9,6)"
_MONEY = "decimal(18,2)"
_SLICE = "decimal(18,12)"
_CONFIGURATION = "configuration"
_ANNUAL_RATES = "annual_rates"


@dataclass(frozen=True)
class ColumnSpec:
    """A column: its SQL type, the values allowed, and whether it may be blank (an open upper end)."""

    name: str
    type: str
    maximum: Decimal | None = None
    open_end: bool = False


@dataclass(frozen=True)
class TableSpec:
    """A parameter table: `key` identifies a row; `of` names the table whose keys it must cover one to one."""

    name: str
    columns: tuple[ColumnSpec, ...]
    key: str
    of: str | None = None
    bands: tuple[str, str] | None = None


@dataclass(frozen=True)
class ParameterTable:
    """A checked table: column names and types, and rows of SQL text values (None for a blank)."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str | None, ...], ...]

    def fingerprint(self) -> str:
        """Return a digest of the rows, whatever their order."""
        content = json.dumps([self.columns, sorted(self.rows, key=repr)])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


_ONE = Decimal(1)
_LEVEL = ColumnSpec("level_id", "integer")
_AGE_BAND = ColumnSpec("age_band", "varchar")
_TENURE_BAND = ColumnSpec("tenure_band", "varchar")
_MULTIPLIER = ColumnSpec("multiplier", _FACTOR)
_AGES = (ColumnSpec("age_from", "integer"), ColumnSpec("age_to", "integer", open_end=True))
_TENURES = (ColumnSpec("tenure_from", "integer"), ColumnSpec("tenure_to", "integer", open_end=True))
_RANGE = (
    ColumnSpec("pay_from", _MONEY),
    ColumnSpec("range_minimum", _MONEY),
    ColumnSpec("range_maximum", _MONEY),
)

TABLES: Mapping[str, TableSpec] = {
    spec.name: spec
    for spec in (
        TableSpec("age_bands", (_AGE_BAND, *_AGES), "age_band", bands=("age_from", "age_to")),
        TableSpec("tenure_bands", (_TENURE_BAND, *_TENURES), "tenure_band", bands=("tenure_from", "tenure_to")),
        TableSpec("job_levels", (_LEVEL, ColumnSpec("level_name", "varchar"), *_RANGE), "level_id"),
        TableSpec("termination_by_level", (_LEVEL, ColumnSpec("factor", _FACTOR)), "level_id", "job_levels"),
        TableSpec("termination_by_age", (_AGE_BAND, _MULTIPLIER), "age_band", "age_bands"),
        TableSpec("termination_by_tenure", (_TENURE_BAND, _MULTIPLIER), "tenure_band", "tenure_bands"),
        TableSpec(
            "retirement_hazard", (*_AGES, ColumnSpec("hazard", _FACTOR)), "age_from", bands=("age_from", "age_to")
        ),
        TableSpec("promotion_by_level", (_LEVEL, ColumnSpec("factor", _FACTOR)), "level_id", "job_levels"),
        TableSpec("promotion_by_age", (_AGE_BAND, _MULTIPLIER), "age_band", "age_bands"),
        TableSpec("promotion_by_tenure", (_TENURE_BAND, _MULTIPLIER), "tenure_band", "tenure_bands"),
        TableSpec("merit_by_level", (_LEVEL, ColumnSpec("merit_rate", _FACTOR, _ONE)), "level_id", "job_levels"),
        TableSpec(
            "new_hire_pay",
            (_LEVEL, ColumnSpec("percentile", _FACTOR, _ONE), ColumnSpec("market_factor", _FACTOR)),
            "level_id",
            "job_levels",
        ),
        TableSpec("new_hire_ages", (ColumnSpec("age", "integer"), ColumnSpec("weight", _FACTOR, _ONE)), "age"),
    )
}


def load_parameters(config: "SimulationConfig") -> tuple[ParameterTable, ...]:
    """Return every parameter table of the run, checked. Errors: ConfigurationError with all findings."""
    problems: list[str] = []
    tables: dict[str, ParameterTable] = {}
    for name, spec in TABLES.items():
        unreadable: list[str] = []
        table = _read_table(spec, config.parameters.get(name), unreadable)
        if not unreadable:
            # what can be read is judged further, whatever is wrong with other tables
            tables[name] = table
        problems += unreadable
    for name, table in tables.items():
        _check_keys(TABLES[name], table, problems)
        _check_bands(TABLES[name], table, problems)
    _check_references(tables, problems)
    _check_levels(tables, problems)
    _check_merit(tables, problems)
    _check_weights(tables, problems)
    derived = _derived_tables(config, tables.get("job_levels"), problems)
    if problems:
        raise ConfigurationError(problems)
    return (*tables.values(), *derived)


def level_ids(tables: Iterable[ParameterTable]) -> tuple[int, ...]:
    """Return the job levels that exist."""
    levels = next(table for table in tables if table.name == "job_levels")
    return tuple(int(row[0] or 0) for row in levels.rows)


def fingerprints(tables: Iterable[ParameterTable]) -> dict[str, str]:
    """Return a digest of each table, by name: the same for the same rows.

    The rates by year are left out: they grow with the horizon, and the configuration they come from is compared itself.
    """
    return {table.name: table.fingerprint() for table in tables if table.name != _ANNUAL_RATES}


def write_parameters(connection: "duckdb.DuckDBPyConnection", tables: Iterable[ParameterTable]) -> None:
    """Create schema `planalign.parameters` with every table, inside the caller's transaction."""
    connection.execute("create schema planalign.parameters")
    for table in tables:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in table.columns)
        connection.execute(f'create table planalign.parameters."{table.name}" ({columns})')
        _insert(connection, table.name, table.rows)


def write_rates_from(
    connection: "duckdb.DuckDBPyConnection", tables: Iterable[ParameterTable], first_year: int
) -> None:
    """Replace the rates of years that a resumed run has still to simulate, in the transaction of the first of them."""
    rates = next(table for table in tables if table.name == _ANNUAL_RATES)
    connection.execute(f"delete from planalign.parameters.{_ANNUAL_RATES} where simulation_year >= {first_year}")
    _insert(connection, rates.name, [row for row in rates.rows if int(row[0] or 0) >= first_year])


def changed_tables(
    connection: "duckdb.DuckDBPyConnection", tables: Iterable[ParameterTable], last_year: int
) -> list[str]:
    """Return the names of the tables whose rows in the database are not these; rates by year up to `last_year` only."""
    import duckdb

    changed = []
    for table in tables:
        rows = table.rows
        condition = ""
        if table.name == _ANNUAL_RATES:
            rows = tuple(row for row in rows if int(row[0] or 0) <= last_year)
            condition = f" where simulation_year <= {rows[-1][0]}"
        try:
            found = connection.execute(f'select * from planalign.parameters."{table.name}"{condition}').fetchall()
        except duckdb.CatalogException:
            found = []
        if Counter(found) != Counter(_typed(table, row) for row in rows):
            changed.append(table.name)
    return changed


def _typed(table: ParameterTable, row: tuple[str | None, ...]) -> tuple[str | Decimal | None, ...]:
    """Return a row as the database gives it back: numbers are equal however many digits they are written with."""
    kinds = [kind for _, kind in table.columns]
    return tuple(
        value if value is None or kind == "varchar" else Decimal(value) for value, kind in zip(row, kinds, strict=True)
    )


def _insert(connection: "duckdb.DuckDBPyConnection", table: str, rows: Sequence[tuple[str | None, ...]]) -> None:
    if rows:
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
        connection.execute(
            f'insert into planalign.parameters."{table}" values {marks}', [value for row in rows for value in row]
        )


def _read_table(
    spec: TableSpec, override: Sequence[Mapping[str, object]] | Path | None, problems: list[str]
) -> ParameterTable:
    """Return one table from its packaged file or its replacement, with every value checked for type and range."""
    key = f"parameters.{spec.name}"
    if override is None:
        raw, source = _read_csv(project.default_tables() / f"{spec.name}.csv", key, problems), "packaged default"
    elif isinstance(override, Path):
        raw, source = _read_csv(override, key, problems), override.name
    else:
        raw, source = [dict(row) for row in override], _CONFIGURATION
    rows = [_read_row(spec, f"{key} row {number}", row, source, problems) for number, row in enumerate(raw, start=1)]
    if not rows and not problems:
        problems.append(f"{key}: has no rows; give at least one or leave the table out")
    return ParameterTable(
        name=spec.name,
        columns=(*((column.name, column.type) for column in spec.columns), ("source", "varchar")),
        rows=tuple(rows),
    )


def _read_csv(path: Path, key: str, problems: list[str]) -> list[dict[str, object]]:
    if not path.is_file():
        problems.append(f"{key}: the file {path} does not exist")
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except UnicodeDecodeError:
        problems.append(f"{key}: {path} is not UTF-8 text; save it as CSV in UTF-8")
        return []
    except (OSError, csv.Error) as error:
        problems.append(f"{key}: {path} cannot be read as CSV: {error}")
        return []
    heading = [name.strip() for name in lines[0]] if lines else []
    for name in dict.fromkeys(heading):
        if heading.count(name) > 1:
            problems.append(f"{key}: column `{name}` appears {heading.count(name)} times in {path}; once is enough")
    for number, line in enumerate(lines[1:], start=1):
        if len(line) > len(heading):
            problems.append(f"{key} row {number}: has {len(line)} values for {len(heading)} columns")
    return [dict(zip(heading, line, strict=False)) for line in lines[1:]]


def _read_row(
    spec: TableSpec, where: str, row: Mapping[str, object], source: str, problems: list[str]
) -> tuple[str | None, ...]:
    known = [column.name for column in spec.columns] + ["source"]
    for name in row:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"; did you mean `{close[0]}`?" if close else f"; the columns are {', '.join(known)}"
            problems.append(f"{where}: unknown column `{name}`{hint}")
    values = tuple(_read_value(column, where, row.get(column.name), problems) for column in spec.columns)
    return (*values, str(row.get("source") or source))


def _read_value(column: ColumnSpec, where: str, value: object, problems: list[str]) -> str | None:
    text = "" if value is None else str(value).strip()
    if text == "":
        if not column.open_end:
            problems.append(f"{where}: `{column.name}` is missing")
        return None
    if column.type == "varchar":
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        problems.append(f"{where}: `{column.name}` is {text!r}; it must be a number")
        return None
    places = {"integer": 0, _MONEY: 2, _FACTOR: 6}[column.type]
    largest = Decimal(10) ** (3 if column.type == _FACTOR else 9) if column.maximum is None else column.maximum
    if number.is_finite() and number > largest:
        hint = "smaller" if column.maximum is None else f"at most {largest}: rates and shares are decimals"
        problems.append(f"{where}: `{column.name}` is {text}; it must be {hint}")
        return None
    if not number.is_finite() or number < 0 or number != round(number, places):
        problems.append(
            f"{where}: `{column.name}` is {text}; it must be 0 or more with at most {places} decimal places"
        )
        return None
    # equal numbers are equal texts, however they were written
    return f"{abs(round(number, places)):f}"


def _column(table: ParameterTable, name: str) -> list[str | None]:
    index = [column for column, _ in table.columns].index(name)
    return [row[index] for row in table.rows]


def _check_keys(spec: TableSpec, table: ParameterTable, problems: list[str]) -> None:
    keys = _column(table, spec.key)
    for key in sorted({key or "" for key in keys if keys.count(key) > 1}):
        problems.append(f"parameters.{spec.name}: {spec.key} {key} appears {keys.count(key)} times; once is enough")


def _check_bands(spec: TableSpec, table: ParameterTable, problems: list[str]) -> None:
    """Bands in the order of the table: from 0, each beginning where the one before ends, the last one open."""
    if spec.bands is None:
        return
    low, high = spec.bands
    where = f"parameters.{spec.name}"
    expected: str | None = "0"
    for number, (start, end) in enumerate(zip(_column(table, low), _column(table, high), strict=True), start=1):
        if expected is None:
            problems.append(f"{where} row {number}: follows a row without {high}; only the last row is open")
        elif start != expected:
            kind = "a gap" if Decimal(start or 0) > Decimal(expected) else "an overlap"
            problems.append(f"{where} row {number}: {low} is {start}, which leaves {kind}; it must be {expected}")
        elif end is not None and Decimal(end) <= Decimal(start or 0):
            problems.append(f"{where} row {number}: {high} {end} is not above {low} {start}")
        expected = end
    if expected is not None:
        problems.append(
            f"{where}: the last row ends at {expected}; leave its {high} blank, so that nobody falls outside"
        )


def _check_references(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    for spec in TABLES.values():
        if spec.of is None or spec.of not in tables or spec.name not in tables:
            continue
        known = _column(tables[spec.of], TABLES[spec.of].key)
        given = _column(tables[spec.name], spec.key)
        for label in [label for label in given if label not in known]:
            problems.append(
                f"parameters.{spec.name}: {spec.key} {label!r} is not in {spec.of}; it has {', '.join(map(str, known))}"
            )
        for label in [label for label in known if label not in given]:
            problems.append(f"parameters.{spec.name}: {spec.key} {label!r} of {spec.of} is missing")


def _check_levels(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    levels = tables.get("job_levels")
    if levels is None:
        return
    identifiers = [int(value or 0) for value in _column(levels, "level_id")]
    starts = [Decimal(value or 0) for value in _column(levels, "pay_from")]
    if identifiers != sorted(identifiers) or any(low >= high for low, high in pairwise(starts)):
        problems.append("parameters.job_levels: level_id and pay_from must both rise from row to row")
    minima, maxima = _column(levels, "range_minimum"), _column(levels, "range_maximum")
    for level, low, high in zip(identifiers, minima, maxima, strict=True):
        if Decimal(low or 0) <= 0 or Decimal(high or 0) < Decimal(low or 0):
            problems.append(
                f"parameters.job_levels: level {level} has the range {low} to {high}; 0 < minimum <= maximum"
            )


def _check_merit(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    merit = tables.get("merit_by_level")
    if merit is not None and any(Decimal(value or 0) == 0 for value in _column(merit, "merit_rate")):
        problems.append(
            "parameters.merit_by_level: a merit_rate of 0 leaves no shape to scale to the budget; set it above 0"
        )


def _check_weights(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    ages = tables.get("new_hire_ages")
    if ages is None:
        return
    total = sum((Decimal(value or 0) for value in _column(ages, "weight")), Decimal(0))
    if total != 1:
        problems.append(f"parameters.new_hire_ages: the weights sum to {total}; they must sum to 1")
    for age in _column(ages, "age"):
        if not 14 <= int(age or 0) <= 100:
            problems.append(f"parameters.new_hire_ages: age {age} is outside 14 to 100")


def _derived_tables(
    config: "SimulationConfig", levels: ParameterTable | None, problems: list[str]
) -> tuple[ParameterTable, ...]:
    """Return the tables that the configuration's own lists become."""
    if levels is not None:
        known = level_ids([levels])
        for level in config.new_hires.level_mix:
            if level not in known:
                problems.append(f"new_hires.level_mix: level {level} is not in parameters.job_levels")
    mix = tuple((str(level), f"{share:f}", _CONFIGURATION) for level, share in config.new_hires.level_mix.items())
    months = (
        ("exit", config.workforce.exit_timing, "workforce.exit_timing"),
        ("hire", config.new_hires.hire_timing, "new_hires.hire_timing"),
        ("raise", config.raise_timing.month_weights, "raise_timing.month_weights"),
    )
    slices = tuple(row for purpose, weights, source in months for row in _month_slices(purpose, weights, source))
    pay = config.compensation
    rates = []
    for year in range(config.simulation.start_year, config.simulation.end_year + 1):
        cola = pay.cola_rate_by_year.get(year, pay.cola_rate)
        structure = cola if pay.structure_increase_rate is None else pay.structure_increase_rate
        rates.append((str(year), f"{cola:f}", f"{structure:f}", _CONFIGURATION))
    return (
        ParameterTable("new_hire_level_mix", (("level_id", "integer"), ("share", _FACTOR), ("source", "varchar")), mix),
        ParameterTable(
            "month_weights",
            (
                ("purpose", "varchar"),
                ("month", "integer"),
                ("lower_bound", _SLICE),
                ("upper_bound", _SLICE),
                ("source", "varchar"),
            ),
            slices,
        ),
        ParameterTable(
            _ANNUAL_RATES,
            (
                ("simulation_year", "integer"),
                ("cola_rate", _FACTOR),
                ("structure_increase_rate", _FACTOR),
                ("source", "varchar"),
            ),
            tuple(rates),
        ),
    )


def _month_slices(purpose: str, weights: Sequence[Decimal] | str, source: str) -> list[tuple[str, ...]]:
    """Cut [0, 1) into the months' slices; `even` is a twelfth each."""
    shares = [Fraction(1, 12)] * 12 if isinstance(weights, str) else [Fraction(weight) for weight in weights]
    bounds = [sum(shares[:month], Fraction(0)) for month in range(13)]
    texts = [f"{round(Decimal(bound.numerator) / Decimal(bound.denominator), 12):f}" for bound in bounds]
    return [(purpose, str(month), texts[month - 1], texts[month], source) for month in range(1, 13)]
