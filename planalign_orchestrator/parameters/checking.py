"""Checks the parameter tables as a whole: keys, bands that leave nobody out, tables that fit each other."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise, product

from planalign_orchestrator.parameters.tables import TABLES, ParameterTable, TableSpec


def check_tables(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    """Add to `problems` what is wrong within and between the tables that could be read."""
    for name, table in tables.items():
        _check_keys(TABLES[name], table, problems)
        _check_bands(TABLES[name], table, problems)
    _check_references(tables, problems)
    _check_levels(tables, problems)
    _check_merit(tables, problems)
    _check_hire_pay(tables, problems)
    _check_weights(tables, problems)
    _check_choices(tables, problems)


def check_same_sets(
    first: Mapping[str, ParameterTable], now: Mapping[str, ParameterTable], year: int, problems: list[str]
) -> None:
    """Add to `problems` levels and bands of a year that are not those of the first year: people stand in them."""
    for name in ("job_levels", "age_bands", "tenure_bands"):
        if name not in first or name not in now:
            continue
        columns = TABLES[name].key + (TABLES[name].bands or ())
        before, after = (set(zip(*(table[name].column(one) for one in columns), strict=True)) for table in (first, now))
        if before != after:
            what = "levels" if name == "job_levels" else "bands"
            shown = ", ".join("-".join(part or "" for part in row) for row in sorted(before ^ after, key=str))
            problems.append(
                f"changes.{year}.parameters.{name}: has other {what} than the years before ({shown}); people stand in "
                f"them, so that they hold for all years: change what the {what} mean, not which there are"
            )


def _keys(spec: TableSpec, table: ParameterTable) -> list[tuple[str | None, ...]]:
    return list(zip(*(table.column(name) for name in spec.key), strict=True))


def _shown(spec: TableSpec, key: tuple[str | None, ...], quote: bool = True) -> str:
    return ", ".join(
        f"{name} {value!r}" if quote else f"{name} {value or ''}" for name, value in zip(spec.key, key, strict=True)
    )


def _check_keys(spec: TableSpec, table: ParameterTable, problems: list[str]) -> None:
    keys = _keys(spec, table)
    for key in sorted({key for key in keys if keys.count(key) > 1}, key=str):
        times = keys.count(key)
        problems.append(
            f"parameters.{spec.name}: {_shown(spec, key, quote=False)} appears {times} times; once is enough"
        )


def _check_bands(spec: TableSpec, table: ParameterTable, problems: list[str]) -> None:
    """Bands in the order of the table: from 0, each beginning where the one before ends, the last one open."""
    if spec.bands is None:
        return
    low, high = spec.bands
    where = f"parameters.{spec.name}"
    expected: str | None = "0"
    for number, (start, end) in enumerate(zip(table.column(low), table.column(high), strict=True), start=1):
        if expected is None:
            problems.append(f"{where} row {number}: follows a row without {high}; only the last row is open")
        elif Decimal(start or 0) != Decimal(expected):
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
        if not spec.of or spec.name not in tables or not tables.keys() >= set(spec.of):
            continue
        # the key of a table that others refer to is a single column
        labels = [tables[name].column(TABLES[name].key[0]) for name in spec.of]
        known = list(product(*labels))
        given = _keys(spec, tables[spec.name])
        named = " and ".join(spec.of)
        for key in [key for key in given if key not in known]:
            choices = "; ".join(", ".join(map(str, column)) for column in labels)
            problems.append(f"parameters.{spec.name}: {_shown(spec, key)} is not in {named}; it has {choices}")
        for key in [key for key in known if key not in given]:
            problems.append(f"parameters.{spec.name}: {_shown(spec, key)} of {named} is missing")


def _check_levels(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    levels = tables.get("job_levels")
    if levels is None:
        return
    identifiers = [int(value or 0) for value in levels.column("level_id")]
    starts = [Decimal(value or 0) for value in levels.column("pay_from")]
    if identifiers != sorted(identifiers) or any(low >= high for low, high in pairwise(starts)):
        problems.append("parameters.job_levels: level_id and pay_from must both rise from row to row")
    minima, maxima = levels.column("range_minimum"), levels.column("range_maximum")
    for level, low, high in zip(identifiers, minima, maxima, strict=True):
        if Decimal(low or 0) <= 0 or Decimal(high or 0) < Decimal(low or 0):
            problems.append(
                f"parameters.job_levels: level {level} has the range {low} to {high}; 0 < minimum <= maximum"
            )


def _check_merit(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    merit = tables.get("merit_by_level")
    if merit is not None and any(Decimal(value or 0) == 0 for value in merit.column("merit_rate")):
        problems.append(
            "parameters.merit_by_level: a merit_rate of 0 leaves no shape to scale to the budget; set it above 0"
        )


def _check_hire_pay(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    hire_pay = tables.get("new_hire_pay")
    for row in hire_pay.records() if hire_pay is not None else ():
        place = [row["percentile"], row["market_factor"]]
        is_amount = row["target_pay"] is not None and place == [None, None]
        if not is_amount and (row["target_pay"] is not None or None in place):
            problems.append(
                f"parameters.new_hire_pay: level {row['level_id']} needs either percentile and market_factor or "
                "target_pay"
            )
        if is_amount and Decimal(row["target_pay"] or 0) == 0:
            problems.append(f"parameters.new_hire_pay: level {row['level_id']} has a target_pay of 0; set it above 0")


def _check_weights(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    ages = tables.get("new_hire_ages")
    if ages is None:
        return
    total = sum((Decimal(value or 0) for value in ages.column("weight")), Decimal(0))
    if total != 1:
        problems.append(f"parameters.new_hire_ages: the weights sum to {total}; they must sum to 1")
    for age in ages.column("age"):
        if not 14 <= int(age or 0) <= 100:
            problems.append(f"parameters.new_hire_ages: age {age} is outside 14 to 100")


def _check_choices(tables: Mapping[str, ParameterTable], problems: list[str]) -> None:
    choices = tables.get("deferral_choice")
    if choices is not None and any(Decimal(value or 0) == 0 for value in choices.column("deferral_rate")):
        problems.append("parameters.deferral_choice: a deferral_rate of 0 is no election; set it above 0")
