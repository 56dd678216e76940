"""Suggest the keys of the section `census` beside the columns: units, codes, the last row, what a date stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from planalign_orchestrator.census.columns import COLUMNS_BY_NAME
from planalign_orchestrator.census.dates import DateRules, plan_date
from planalign_orchestrator.census.reading import CensusFile, read_rows
from planalign_orchestrator.census.sql import MALFORMED_TABLE, RAW_VIEW, days_table, fetch_one
from planalign_orchestrator.census.values import read_rate, read_value

if TYPE_CHECKING:
    import duckdb

RATE: Final = "employee_deferral_rate"
PAY: Final = "employee_gross_compensation"
HIRE: Final = "employee_hire_date"
EXIT: Final = "employee_termination_date"
LEVEL: Final = "level_id"
HOURS: Final = "scheduled_hours_per_week"

# What codes of an employment status usually mean; people on leave are employed.
STATUS_CODES: Final = {
    "true": ("l", "loa", "leave", "on leave", "leave of absence", "p", "ft", "pt", "f", "full time", "part time"),
    "false": ("t", "trm", "termed", "r", "ret", "retired", "d", "dec", "deceased", "dead", "separated", "x", "v"),
}
# The largest median that is pay of an hour, of a week or two, of a month.
_HOURLY: Final = 200
_WEEKLY: Final = 1_500
_BIWEEKLY: Final = 3_000
_YEARLY: Final = 15_000
_FAR_YEARS: Final = 20
_MOST_CODES: Final = 50


@dataclass(frozen=True)
class SettingSuggestion:
    """A key of the section `census`, its value as JSON can write it, and why; one that is not sure is a comment.

    A key that has an entry for each column may be suggested several times, each time for one column.
    """

    key: str
    value: Any
    note: str
    is_sure: bool = True


def suggest_settings(
    connection: "duckdb.DuckDBPyConnection", file: CensusFile, positions: Mapping[str, int], epoch: date | None
) -> tuple[list[SettingSuggestion], date | None]:
    """Return the other keys that a file needs, judged by the columns at `positions`, and its last hire or exit.

    An exit after today does not count: it may be announced, or stand for none.
    """
    read_rows(connection, file, positions, mark_dates=False)
    found, last_day = _dates(connection, file, positions, epoch)
    found += _last_row(connection, positions)
    if RATE in positions and (unit := _rate_unit(connection)):
        found.append(SettingSuggestion("units", {RATE: unit}, "numbers from 1 on are percentages"))
    if PAY in positions:
        found += _pay_unit(connection)
    found += _codes(connection, positions)
    found += _duplicates(connection, positions)
    return found, last_day


def _dates(
    connection: "duckdb.DuckDBPyConnection", file: CensusFile, positions: Mapping[str, int], epoch: date | None
) -> tuple[list[SettingSuggestion], date | None]:
    """Return the order of day and month where a column leaves it open, a date that stands for no exit, the last day."""
    today = datetime.now(UTC).date()
    rules = DateRules(today, None, typed_dates=file.kind != "text", epoch=epoch)
    found: list[SettingSuggestion] = []
    last_days: list[date | None] = []
    for name in positions:
        if COLUMNS_BY_NAME[name].kind != "date":
            continue
        plan = plan_date(connection, name, rules)
        if plan.expression is None:
            note = f"or %d/%m/%Y: {name} does not say which comes first, day or month"
            found.append(SettingSuggestion("date_format", "%m/%d/%Y", note, is_sure=False))
        elif name == EXIT:
            found += _no_end(connection, plan.expression, today)
        if plan.expression is not None and name in (HIRE, EXIT):
            last_days.append(_last_day(connection, name, plan.expression, today if name == EXIT else date.max))
    kept = found[:1] + [other for other in found[1:] if other.key != found[0].key]
    return kept, max(filter(None, last_days), default=None)


def _last_day(connection: "duckdb.DuckDBPyConnection", name: str, day: str, bound: date) -> date | None:
    (last,) = fetch_one(connection, f"select max({day}) filter ({day} <= date '{bound}') from {days_table(name)}")
    return last if isinstance(last, date) else None


def _no_end(connection: "duckdb.DuckDBPyConnection", day: str, today: date) -> list[SettingSuggestion]:
    row = connection.execute(f"""
        select day, people from (select {day} as day, sum(rows)::bigint as people from {days_table(EXIT)} group by 1)
        where day > date '{today}' + interval {_FAR_YEARS} year and people > 1 order by people desc, day limit 1
    """).fetchone()
    if row is None:
        return []
    return [SettingSuggestion("no_end_date", f"{row[0]}", f"the exit date of {row[1]:,} people")]


def _last_row(connection: "duckdb.DuckDBPyConnection", positions: Mapping[str, int]) -> list[SettingSuggestion]:
    """Return the last row with a birth or hire date, if a row below it holds anything else."""
    dates = [name for name in ("employee_birth_date", HIRE) if name in positions]
    if len(dates) < 2:
        return []
    last, bottom = fetch_one(
        connection,
        f"""
        select
            max(row_number) filter (coalesce({", ".join(dates)}) is not null),
            greatest(max(row_number), (select max(row_number) from {MALFORMED_TABLE} where problem is not null))
        from {RAW_VIEW}
        """,
    )
    if last is None or bottom <= last:
        return []
    return [SettingSuggestion("last_row", last, f"rows {last + 1} to {bottom} look like totals or notes")]


def _duplicates(connection: "duckdb.DuckDBPyConnection", positions: Mapping[str, int]) -> list[SettingSuggestion]:
    """Return, as a question, that ids with several dates of hire are people hired again."""
    if not {"employee_id", "employee_hire_date"} <= positions.keys():
        return []
    (people,) = fetch_one(
        connection,
        f"""
        select count(*) from (
            select employee_id from {RAW_VIEW} where employee_id is not null
            group by employee_id having count(*) > 1 and count(distinct employee_hire_date) = count(*)
        )
        """,
    )
    if not people:
        return []
    said = "1 id stands" if people == 1 else f"{people:,} ids stand"
    note = f"{said} on several rows with different hire dates; are they people hired again?"
    return [SettingSuggestion("duplicates", "latest_spell", note, is_sure=False)]


def _rate_unit(connection: "duckdb.DuckDBPyConnection") -> str | None:
    """Return the unit of the deferral rates; None where all are fractions, or where nothing tells."""
    above, fractions = fetch_one(
        connection,
        f"""
        select count(*) filter (rate > 1), count(*) filter (rate > 0 and rate < 1)
        from (select {read_rate(RATE, None)} as rate from {RAW_VIEW} where not ends_with({RATE}, '%'))
        """,
    )
    if not above:
        return None
    return "mixed" if fractions else "percent"


def _pay_unit(connection: "duckdb.DuckDBPyConnection") -> list[SettingSuggestion]:
    """Return the unit that pay of this height has, as a question."""
    (median,) = fetch_one(connection, f"select median({read_value(COLUMNS_BY_NAME[PAY])}) from {RAW_VIEW}")
    if median is None or not 0 < median < _YEARLY:
        return []
    unit = "monthly"
    for bound, name in ((_HOURLY, "hourly"), (_WEEKLY, "weekly"), (_BIWEEKLY, "biweekly")):
        if median <= bound:
            unit = name
            break
    note = f"the median of {median:,.2f} is no annual pay; is it {unit}?"
    return [SettingSuggestion("units", {PAY: unit}, note, is_sure=False)]


def _codes(connection: "duckdb.DuckDBPyConnection", positions: Mapping[str, int]) -> list[SettingSuggestion]:
    """Return the meanings of codes that are no words for their column, sure where all of them are usual."""
    found = []
    for name in positions:
        column = COLUMNS_BY_NAME[name]
        if not column.has_codes or column.kind == "text":
            continue
        value = read_value(column)
        rows = connection.execute(f"""
            select {name}, bool_and({value} is not null), any_value({value})
            from {RAW_VIEW} where {name} is not null group by 1 order by 1 limit {_MOST_CODES}
        """).fetchall()
        if all(readable for _, readable, _ in rows):
            continue
        note = "say what each code means; null is a blank"
        meanings = {code: held if readable else _usual(name, code) for code, readable, held in rows}
        if name == LEVEL and PAY in positions and not any(readable for _, readable, _ in rows):
            found.append(_levels(connection, has_hours=HOURS in positions))
            continue
        is_sure = None not in meanings.values()
        if is_sure:
            note = "the usual meanings of these codes; check them"
        found.append(SettingSuggestion("values", {name: meanings}, note, is_sure))
    return found


def _levels(connection: "duckdb.DuckDBPyConnection", *, has_hours: bool) -> SettingSuggestion:
    """Return codes of job levels counted from the one with the lowest median pay, as a question.

    Levels whose pay does not rise, by the 95th percentile where 20 people have one, are refused by every run: such
    codes are blanks, so that the level is found from the pay.
    """
    pay, hours = read_value(COLUMNS_BY_NAME[PAY]), read_value(COLUMNS_BY_NAME[HOURS]) if has_hours else "null"
    rows = connection.execute(f"""
        select code, case when count(*) < 20 then median(pay) * 1.15 else quantile_cont(pay, 0.95) end
        from (select {LEVEL} as code, {pay} / least(1, coalesce({hours}, 40) / 40) as pay from {RAW_VIEW})
        where code is not null group by code order by median(pay) nulls last, code limit {_MOST_CODES}
    """).fetchall()
    tops = [top for _, top in rows]
    if None not in tops and all(low < high for low, high in pairwise(tops)):
        note = "numbered by the median pay of their people; is it so?"
        return SettingSuggestion(
            "values", {LEVEL: {code: number for number, (code, _) in enumerate(rows, 1)}}, note, is_sure=False
        )
    note = "pay does not rise with these codes, so the level is found from the pay; or say which code is which level"
    return SettingSuggestion("values", {LEVEL: {code: None for code, _ in rows}}, note)


def _usual(name: str, code: str) -> bool | None:
    if name != "active":
        return None
    return next((meaning == "true" for meaning, codes in STATUS_CODES.items() if code.casefold() in codes), None)
