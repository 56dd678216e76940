"""Fits the tables of levels, hire pay, ages and hours to the client's own people.

Nothing is ever drawn towards the amounts of the packaged tables: of these, a fit takes shapes only (ages, names, and
how far apart levels are where nobody is on one). Every row says in its source what it was fitted to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.records import Finding
from planalign_orchestrator.config.sections.parameters import CENSUS
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.parameters.census_statistics import RECENT_YEARS, LevelStatistics, Workforce
from planalign_orchestrator.parameters.hire_pay import HirePay, fit_hire_pay
from planalign_orchestrator.parameters.levels import nearest
from planalign_orchestrator.parameters.plausibility import hire_pay_findings, range_findings
from planalign_orchestrator.parameters.reading import packaged_table
from planalign_orchestrator.parameters.tables import CONFIGURATION, FACTOR, TABLES, ParameterTable

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig

# A level, or a client's hires of the last years, of fewer people than this say too little by themselves.
FEW: Final = 20
_FEWEST_ABOVE: Final = 3
_NARROW: Final = (Decimal("0.85"), Decimal("1.15"))
_PART_TIME_HOURS: Final = Decimal(20)
_CONTEXT: Final = Context(prec=28)
Cents = int


@dataclass(frozen=True)
class Fit:
    """The tables by name, and what is implausible about them."""

    tables: Mapping[str, ParameterTable]
    warnings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Levels:
    """The job levels: their table, the pay that each starts at, and what its people are like and are paid, in cents."""

    table: ParameterTable
    starts: Mapping[int, Cents]
    statistics: Mapping[int, LevelStatistics]
    medians: Mapping[int, Cents]


def fit_tables(config: "SimulationConfig", given: Mapping[str, ParameterTable], workforce: Workforce) -> Fit:
    """Return `given` with the tables that it lacks, fitted to a workforce. Errors: CensusError."""
    levels = _given_levels(given["job_levels"], workforce) if "job_levels" in given else _fit_levels(config, workforce)
    years = _recent_years(workforce)
    pays = fit_hire_pay(levels.medians, levels.statistics, few=FEW, years=years)
    tables = {name: given.get(name) for name in TABLES}
    tables["job_levels"] = levels.table
    tables["new_hire_pay"] = _hire_pay_table(config, given.get("new_hire_pay"), pays)
    if tables["new_hire_ages"] is None:
        tables["new_hire_ages"] = _fit_ages(workforce.ages_at_hire(), years)
    complete = {name: table for name, table in tables.items() if table is not None}
    minima = {int(row["level_id"] or 0): _cents(row["range_minimum"]) for row in levels.table.records()}
    warnings = (
        *range_findings(*workforce.below(levels.starts, minima)),
        *hire_pay_findings(levels.table, complete["new_hire_pay"], levels.medians),
    )
    return Fit(complete, tuple(warnings))


def _given_levels(table: ParameterTable, workforce: Workforce) -> _Levels:
    """The levels of a table that was given; a level without people has the pay of the middle of its range."""
    rows = table.records()
    starts = {int(row["level_id"] or 0): _cents(row["pay_from"]) for row in rows}
    statistics = workforce.levels(starts)
    middles = {
        int(row["level_id"] or 0): (_cents(row["range_minimum"]) + _cents(row["range_maximum"])) // 2 for row in rows
    }
    found = {level: statistics[level].median for level in starts if level in statistics}
    return _Levels(table, starts, statistics, middles | found)


def _fit_levels(config: "SimulationConfig", workforce: Workforce) -> _Levels:
    """Levels as the census names them, or else cut from pay. Errors: CensusError."""
    named = workforce.given_levels()
    starts = _starts_between(_filled(named)) if named else _starts_of_cuts(workforce, config.census.level_cuts)
    statistics = workforce.levels(starts)
    if not statistics:
        text = "nobody is scheduled for 10 hours a week or more, so that no level can be fitted to pay; give "
        raise CensusError([f"{text}parameters.job_levels: default"], source=str(config.census.path))
    medians = _filled({level: found.median for level, found in statistics.items()}, starts)
    how = "by its level_id" if named else "cut by pay"
    rows = [_level_row(level, starts[level], medians[level], statistics.get(level), how) for level in sorted(starts)]
    _check_rising(rows, str(config.census.path))
    return _Levels(_table("job_levels", rows), starts, statistics, medians)


def _starts_of_cuts(workforce: Workforce, shares: Sequence[Decimal]) -> dict[int, Cents]:
    """Levels that start at the lowest pay above each cut; a cut with too few people above it starts none."""
    starts = [0]
    for start, above in workforce.starts_above(shares) if shares else ():
        if above >= _FEWEST_ABOVE and start is not None and start > starts[-1]:
            starts.append(start)
    return dict(enumerate(starts, start=1))


def _starts_between(medians: Mapping[int, Cents]) -> dict[int, Cents]:
    """Levels that start in the middle between their own median and that of the level below."""
    starts: dict[int, Cents] = {}
    below: tuple[int, Cents] | None = None
    for level in sorted(medians):
        # medians that do not rise leave the census's own levels as they are; only pay without a level is placed by this
        start = 0 if below is None else max((medians[below[0]] + medians[level] + 1) // 2, below[1] + 1)
        starts[level] = start
        below = (level, start)
    return starts


def _filled(medians: Mapping[int, Cents], wanted: Mapping[int, Cents] | None = None) -> dict[int, Cents]:
    """Medians of the levels of the packaged table that lie between those with people as well.

    A level without people has the median of the nearest one with people, times how far apart the packaged table has
    the two, but no less than the median of the level below and no more than that of the level above.
    """
    packaged = {
        int(row["level_id"] or 0): Decimal(row["range_minimum"] or 0) + Decimal(row["range_maximum"] or 0)
        for row in packaged_table("job_levels").records()
    }
    between = {level for level in packaged if min(medians) < level < max(medians)}
    filled = dict(medians)
    for level in (between if wanted is None else wanted.keys()) - medians.keys():
        other = nearest(level, sorted(medians))
        median = _whole(medians[other] * packaged[level] / packaged[nearest(other, sorted(packaged))])
        below = medians[max(one for one in medians if one < level)]
        above = medians[min(one for one in medians if one > level)]
        filled[level] = min(max(median, below), above)
    return filled


def _level_row(
    level: int, start: Cents, median: Cents, found: LevelStatistics | None, how: str
) -> tuple[str | None, ...]:
    names = {row["level_id"]: row["level_name"] for row in packaged_table("job_levels").records()}
    if found is not None and found.people >= FEW:
        low, high = found.low, found.high
        source = f"census: {found.people} people {how}, 5th to 95th percentile of their pay"
    else:
        low, high = (_whole(median * share) for share in _NARROW)
        people = "nobody, by the nearest level" if found is None else f"{found.people} people {how}, fewer than {FEW}"
        source = f"census: {people}; 85 to 115 % of the median"
    return (
        str(level),
        names.get(str(level)) or f"Level {level}",
        _dollars(start),
        _dollars(low),
        _dollars(high),
        source,
    )


def _check_rising(rows: Sequence[tuple[str | None, ...]], census: str) -> None:
    problems = [
        f"the pay range fitted to job level {level} ends at {high}, below that of level {below[0]} at {below[4]}; "
        "correct the levels (census.values, census.columns) or give parameters.job_levels"
        for below, (level, _, _, _, high, _) in pairwise(rows)
        if Decimal(high or 0) < Decimal(below[4] or 0)
    ]
    if problems:
        raise CensusError(problems, source=census)


def _hire_pay_table(
    config: "SimulationConfig", given: ParameterTable | None, pays: Mapping[int, HirePay]
) -> ParameterTable:
    """The table that was given, or the fitted one; a row without a spread takes the configured or the fitted one."""
    stated = config.new_hires.pay_noise_sd
    fitted = [(str(level), None, None, _dollars(pay.target), None, pay.source) for level, pay in sorted(pays.items())]
    rows = []
    for level, *place, given_spread, source in fitted if given is None else given.rows:
        # a row of a level that does not exist is refused where the tables are judged together
        pay = pays.get(int(level or 0))
        usual = stated if isinstance(stated, Decimal) else None if pay is None else pay.log_sd
        spread = given_spread if given_spread is not None or usual is None else f"{usual:.6f}"
        rows.append((level, *place, spread, source))
    return _table("new_hire_pay", rows)


def _fit_ages(counts: Mapping[int, int], years: str) -> ParameterTable:
    """Ages of recent hires, drawn towards the packaged ages by n / (n + 20); whole millionths by largest remainder."""
    hires = sum(counts.values())
    usual = {
        int(row["age"] or 0): int(Decimal(row["weight"] or 0) * 1_000_000)
        for row in packaged_table("new_hire_ages").records()
    }
    shares = {
        age: divmod(counts.get(age, 0) * 1_000_000 + FEW * usual.get(age, 0), hires + FEW)
        for age in sorted(counts.keys() | usual.keys())
    }
    left = 1_000_000 - sum(whole for whole, _ in shares.values())
    larger = sorted(shares, key=lambda age: (-shares[age][1], age))[:left]
    source = f"census: ages of {hires} hires of {years}, with the packaged ages at the weight of {FEW} hires"
    rows = [
        (str(age), f"{Decimal(whole + (age in larger)) / 1_000_000:.6f}", source)
        for age, (whole, _) in shares.items()
        if whole + (age in larger)
    ]
    return _table("new_hire_ages", rows)


def hours_table(config: "SimulationConfig", workforce: Workforce) -> ParameterTable:
    """Return table new_hire_hours: one row, share and weekly hours of part-time hires as configured or as the census
    has them."""
    hires, years = config.new_hires, _recent_years(workforce)
    found = workforce.hours(FEW)
    whose = f"{found.people} hires of {years}" if found.are_hires else f"all {found.people} people"
    source = f"census: {found.part_time} part-time of {whose}"
    share: Decimal | str = hires.part_time_share
    if share == CENSUS:
        share = round(Decimal(found.part_time) / found.people, 6)
    hours: Decimal | str = hires.part_time_hours_per_week
    if hours == CENSUS:
        usual = min(_PART_TIME_HOURS, hires.full_time_hours_per_week)
        hours = usual if found.median is None else Decimal(found.median) / 100
    if CENSUS not in (hires.part_time_share, hires.part_time_hours_per_week):
        source = CONFIGURATION
    columns = (("part_time_share", FACTOR), ("part_time_hours_per_week", "decimal(9,2)"), ("source", "varchar"))
    return ParameterTable("new_hire_hours", columns, ((f"{share:.6f}", f"{hours:.2f}", source),))


def _recent_years(workforce: Workforce) -> str:
    return f"{workforce.first_year - RECENT_YEARS}-{workforce.first_year - 1}"


def _table(name: str, rows: Sequence[tuple[str | None, ...]]) -> ParameterTable:
    columns = ((column.name, column.type) for column in TABLES[name].columns)
    return ParameterTable(name, (*columns, ("source", "varchar")), tuple(rows))


def _cents(amount: str | None) -> Cents:
    return int(Decimal(amount or 0) * 100)


def _dollars(cents: Cents) -> str:
    return f"{Decimal(cents) / 100:.2f}"


def _whole(amount: Decimal) -> int:
    """An amount of 0 or more as a whole number, half away from zero."""
    return int(_CONTEXT.add(amount, Decimal("0.5")))
