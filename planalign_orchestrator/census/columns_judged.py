"""What a whole column says that no row can: a unit that is left open, a date that stands for no date.

Each is a question that the configuration answers, so the load stops at it for bad rows and good ones alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.columns import COLUMNS, COLUMNS_BY_NAME
from planalign_orchestrator.census.headings import Layout
from planalign_orchestrator.census.records import CensusSource, Finding
from planalign_orchestrator.census.sql import RAW_VIEW, fetch_one
from planalign_orchestrator.census.values import read_rate, read_value
from planalign_orchestrator.problems import nearest

if TYPE_CHECKING:
    import duckdb

# Nobody announces an exit so many years ahead, least of all two people on one day.
FAR_YEARS: Final = 10
EXIT_DATE: Final = "employee_termination_date"


@dataclass(frozen=True)
class Judged:
    """What is wrong with the columns as such, and what is to be said of them."""

    problems: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def settings_problems(layout: Layout, source: CensusSource) -> list[str]:
    """Return what is wrong with `census.values` and `census.units` whatever the rows hold."""
    problems = []
    for setting, names in (("values", source.values), ("units", source.units)):
        for name in names:
            column = COLUMNS_BY_NAME.get(name)
            if column is None:
                meant = nearest(name, COLUMNS_BY_NAME)
                hint = f"; did you mean {meant!r}?" if meant else ""
                problems.append(f"census.{setting}: {name!r} is not a standard column{hint}")
            elif not (column.has_codes if setting == "values" else column.units):
                known = [c.name for c in COLUMNS if (c.has_codes if setting == "values" else c.units)]
                problems.append(f"census.{setting}: {name} has no {_NOUN[setting]}; {', '.join(known)} have")
            elif name not in layout.positions:
                problems.append(f"census.{setting} names {name}, which the file does not have")
    for name, unit in source.units.items():
        units = COLUMNS_BY_NAME[name].units if name in COLUMNS_BY_NAME else ()
        if units and unit not in units:
            problems.append(f"census.units: {unit!r} is no unit of {name}; known are {', '.join(units)}")
    if source.units.get("employee_gross_compensation") == "hourly" and source.pay_basis != "actual":
        problems.append("census.pay_basis: pay by the hour is for the hours that are worked; leave pay_basis at actual")
    return [*problems, *_impossible_meanings(source)]


def judge_columns(
    connection: "duckdb.DuckDBPyConnection",
    layout: Layout,
    source: CensusSource,
    census_date: date,
    readings: Mapping[str, str],
    tables: Mapping[str, str],
) -> Judged:
    """Return the questions that whole columns raise; `readings` is SQL by column over one of the `tables`."""
    judged = Judged()
    for name in layout.positions:
        if COLUMNS_BY_NAME[name].kind == "rate":
            _judge_rates(connection, name, source.units.get(name), judged)
    if EXIT_DATE in readings:
        _judge_exits(connection, readings[EXIT_DATE], tables[EXIT_DATE], census_date, source, judged)
    return judged


_NOUN: Final = {"values": "codes", "units": "unit"}


def _impossible_meanings(source: CensusSource) -> list[str]:
    """Return the meanings of codes that their column cannot hold."""
    import duckdb

    problems = []
    with duckdb.connect(":memory:") as connection:
        for name, codes in source.values.items():
            column = COLUMNS_BY_NAME.get(name)
            if column is None or not column.has_codes:
                continue
            for code, meaning in codes.items():
                value = read_value(column, "meaning")
                held = connection.execute(f"select {value} from (select ?::varchar as meaning)", [meaning]).fetchone()
                if meaning is not None and held == (None,):
                    problems.append(f"census.values: {name} cannot be {meaning!r}, the meaning of {code!r}")
    return problems


def _judge_rates(connection: "duckdb.DuckDBPyConnection", name: str, unit: str | None, judged: Judged) -> None:
    """Ask for the unit of rates, where 1 may be 1 % or 100 %."""
    if unit in ("fraction", "mixed"):
        return
    number = read_rate(name, None)
    unsigned = f"not ends_with({name}, '%')"
    ones, below, row_one = fetch_one(
        connection,
        f"""
        select count(*) filter (rate = 1), count(*) filter (rate > 0 and rate < 1), min(row_number) filter (rate = 1)
        from (select row_number, {number} as rate from {RAW_VIEW} where {unsigned})
        """,
    )
    if unit == "percent":
        if below:
            text = (
                f"{name}: {below:,} numbers below 1 without a sign are read as less than 1 %, as census.units says"
                " percent; where they are fractions such as 0.06, set mixed"
            )
            judged.findings.append(Finding.plain("warning", text))
        return
    if ones:
        rows = f"row {row_one}" if ones == 1 else f"{ones:,} rows, the first is row {row_one}"
        judged.problems.append(
            f"{name} is 1 without a sign ({rows}), which may be 1 % or 100 %: say with census.units whether its numbers"
            " are percent (1 is 1 %), fraction (1 is 100 %, 0.06 is 6 %) or mixed (6 and 0.06 are 6 %, 1 is 1 %), for"
            f" instance census.units: {{{name}: percent}}"
        )


def _judge_exits(
    connection: "duckdb.DuckDBPyConnection",
    reading: str,
    table: str,
    census_date: date,
    source: CensusSource,
    judged: Judged,
) -> None:
    """Ask about an exit date far in the future that several people have, and count the configured one."""
    rows = "sum(rows)" if table != RAW_VIEW else "count(*)"
    found = connection.execute(f"""
        select day, ({rows})::bigint as people
        from (select {reading} as day, * from {table})
        where day > date '{census_date}' + interval {FAR_YEARS} year group by day order by people desc, day
    """).fetchall()
    for day, people in found:
        if day == source.no_end_date:
            text = f"{EXIT_DATE} {day} means no exit (census.no_end_date): {people:,} rows"
            judged.findings.append(Finding.plain("note", text))
        elif people > 1:
            judged.problems.append(
                f"{EXIT_DATE} is {day} for {people:,} people: if it means that no exit is planned, set"
                f" census.no_end_date: {day}; else clear it, because nobody leaves otherwise before an announced exit"
            )
