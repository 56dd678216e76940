"""Dates as people write them, read by column: one order of day and month for a whole column, or a question.

Read without a configured format: 2024-03-05, 2024/3/5, 20240305, 3/5/2024 and 5.3.2024 (the order is settled by the
column's other values), 5-Mar-2024, 5 March 2024, March 5, 2024, each also with a two-digit year, each also followed by
midnight. In Excel, five-digit serial numbers too. Years outside 1900 to 2199 are not read as dates.

A two-digit year means the latest year that the column allows: a birth at least 14 years before the census year; a hire
or enrollment at most 13 years after it (an earlier century would make the oldest person accepted, of 100 years, hired
before 14); an exit at most 20 years after it.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.records import Example, Finding
from planalign_orchestrator.census.sql import RAW_VIEW, days_table, fetch_one, quoted_value, text_literal

if TYPE_CHECKING:
    import duckdb

LATEST_TWO_DIGIT_YEAR: Final = {
    "employee_birth_date": -14,
    "employee_hire_date": 13,
    "employee_service_date": 13,
    "employee_termination_date": 20,
    "employee_enrollment_date": 13,
}

_MIDNIGHT: Final = r"(?i)[ t]+(0{1,2}:00(:00([.]0+)?)?( ?am)?|12:00(:00([.]0+)?)? ?am)( ?z|[+]00(:?00)?)?$"
_ISO: Final = r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
_COMPACT: Final = r"(\d{4})(\d{2})(\d{2})"
_NUMERIC: Final = r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})"
_DAY_MONTH: Final = r"(?i)(\d{1,2})(?:st|nd|rd|th)?[-/., ]*([a-z]{3,9})[-/., ]*'?(\d{4}|\d{2})"
_MONTH_DAY: Final = r"(?i)([a-z]{3,9})[-/., ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+'?(\d{4}|\d{2})"
_TYPED: Final = r"\d{4}-\d{2}-\d{2} 00:00:00"
_SERIAL: Final = r"\d{5}"
_TWO_DIGIT_YEAR: Final = r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2}|(?i).*[a-z].*[^\d]\d{2}"
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


@dataclass(frozen=True)
class DateRules:
    """What holds for every date column of one file; `epoch` is Excel's day 0 or None for other files."""

    census_date: date
    date_format: str | None
    typed_dates: bool
    epoch: date | None


@dataclass(frozen=True)
class DatePlan:
    """How one column is read: SQL over `text` and `text_day` of its table of distinct texts, or None and the problem.

    `notes` say what the reader should know.
    """

    expression: str | None
    problem: str | None = None
    notes: tuple[Finding, ...] = ()


def date_format_problem(connection: "duckdb.DuckDBPyConnection", date_format: str) -> str | None:
    """Return what is wrong with a configured strptime format: it needs a day, a month and a year."""
    import duckdb

    directives = {"day": ("%d", "%-d"), "month": ("%m", "%-m", "%b", "%B"), "year": ("%Y", "%y")}
    absent = [part for part, marks in directives.items() if not any(mark in date_format for mark in marks)]
    if absent:
        return (
            f"census.date_format {date_format!r} has no {' and no '.join(absent)}: write it like '%m/%d/%Y' or"
            " '%d-%b-%y' (%Y is a four-digit year, %y a two-digit one)"
        )
    try:
        connection.execute(f"select try_strptime('x', {text_literal(date_format)})")
    except duckdb.Error as error:
        return f"census.date_format {date_format!r} cannot be used: {error}"
    return None


def day_text(text: str) -> str:
    """Return SQL for a date text without a midnight behind it."""
    return f"case when contains({text}, ':') then regexp_replace({text}, {_sql(_MIDNIGHT)}, '') else {text} end"


def plan_date(connection: "duckdb.DuckDBPyConnection", column: str, rules: DateRules) -> DatePlan:
    """Write the table of a raw column's distinct texts, few even in a large census, and decide how they are read.

    The order of day and month is settled by the values that are a date in one order only. Values of both kinds, or only
    values that are a date either way, give a problem that asks for `census.date_format`. The dates may be of any year
    (see `in_range`).
    """
    connection.execute(f"""
        create or replace temp table {days_table(column)} as
        select {column} as text, {day_text(column)} as text_day, min(row_number) as row_number, count(*) as rows
        from {RAW_VIEW} where {column} is not null group by {column}
    """)
    latest = rules.census_date.year + LATEST_TWO_DIGIT_YEAR[column]
    if rules.date_format is not None:
        return _plan_formatted(connection, column, rules, rules.date_format, latest)
    facts = _facts(connection, column)
    if facts.month_first and facts.day_first:
        problem = (
            f"{column} has dates in both orders: {facts.example_month_first} can only be month/day and"
            f" {facts.example_day_first} only day/month: correct the rows, or say with census.date_format which holds"
        )
        return DatePlan(None, problem=problem)
    if facts.either and not facts.month_first and not facts.day_first:
        problem = (
            f"{column}: day and month cannot be told apart in any of its numeric dates (rows: {facts.either:,};"
            f" {facts.example_either}): set census.date_format, for instance to '%m/%d/%Y' (month first) or"
            " '%d/%m/%Y' (day first), as the file writes them"
        )
        return DatePlan(None, problem=problem)
    order = "day/month" if facts.day_first else "month/day"
    decisive = facts.example_day_first if facts.day_first else facts.example_month_first
    notes = (
        [Finding.with_examples("note", f"{column} read as {order}/year, as ", [decisive], " shows")] if decisive else []
    )
    if facts.two_digit_years:
        notes.append(_two_digit_year_note(column, facts.two_digit_years, latest))
    expression = _any_format(latest, rules.epoch, day_first=facts.day_first > 0)
    return DatePlan(expression, notes=tuple(notes))


def guess_date(epoch: date | None) -> str:
    """Return SQL for the date in `text_day` in any format and either order, or NULL.

    It is for a survey of values only: nothing settles the order, and two-digit years are read as 1938 to 2037.
    """
    return f"coalesce({', '.join(_any_format(2037, epoch, day_first=day_first) for day_first in (False, True))})"


def in_range(column: str) -> str:
    """Return SQL that is NULL for years nobody can have meant, such as 0085 or 9999."""
    return f"case when {column} between date '1900-01-01' and date '2199-12-31' then {column} end"


@dataclass(frozen=True)
class _Facts:
    """What a column's texts are; `month_first`, `day_first` and `either` count the rows of numeric dates."""

    two_digit_years: int
    month_first: int
    day_first: int
    either: int
    example_month_first: Example | None
    example_day_first: Example | None
    example_either: Example | None


def _facts(connection: "duckdb.DuckDBPyConnection", column: str) -> _Facts:
    *counts, month_first, day_first, either = fetch_one(
        connection,
        f"""
        with parts as (
            select
                *,
                regexp_full_match(text_day, {_sql(_TWO_DIGIT_YEAR)}) as two_digit_year,
                regexp_full_match(text_day, {_sql(_NUMERIC)}) as numeric,
                regexp_extract(text_day, {_sql(_NUMERIC)}, ['a', 'b', 'y']) as part
            from {days_table(column)}
        ),
        readings as (
            select
                *,
                numeric and try_cast('2000-' || part.a || '-' || part.b as date) is not null as month_first,
                numeric and try_cast('2000-' || part.b || '-' || part.a as date) is not null as day_first,
                try_cast(part.a as integer) <> try_cast(part.b as integer) as differ,
                {{'row': row_number, 'value': {quoted_value("text")}}} as example
            from parts
        )
        select
            coalesce(sum(rows) filter (two_digit_year), 0)::bigint,
            coalesce(sum(rows) filter (month_first and not day_first), 0)::bigint,
            coalesce(sum(rows) filter (day_first and not month_first), 0)::bigint,
            coalesce(sum(rows) filter (month_first and day_first and differ), 0)::bigint,
            arg_min(example, row_number) filter (month_first and not day_first),
            arg_min(example, row_number) filter (day_first and not month_first),
            arg_min(example, row_number) filter (month_first and day_first and differ)
        from readings
        """,
    )
    examples = [found and Example(**found) for found in (month_first, day_first, either)]
    return _Facts(*counts, *examples)


def _plan_formatted(
    connection: "duckdb.DuckDBPyConnection", column: str, rules: DateRules, date_format: str, latest: int
) -> DatePlan:
    notes = []
    if "%y" in date_format:
        (count,) = fetch_one(connection, f"select coalesce(sum(rows), 0)::bigint from {days_table(column)}")
        notes = [_two_digit_year_note(column, count, latest)] if count else []
    return DatePlan(_formatted(rules, date_format, latest), notes=tuple(notes))


def _two_digit_year_note(column: str, count: int, latest: int) -> Finding:
    return Finding.plain("note", f"{column}: two-digit years read as {latest - 99} to {latest} (rows: {count:,})")


def _any_format(latest: int, epoch: date | None, *, day_first: bool) -> str:
    """Return SQL over `text_day`; `latest` is the last year that two digits can mean."""
    branches = [
        (_ISO, _from_parts(_ISO, "ymd", latest)),
        (_COMPACT, _from_parts(_COMPACT, "ymd", latest)),
        (_NUMERIC, _from_parts(_NUMERIC, "dmy" if day_first else "mdy", latest)),
        (_DAY_MONTH, _from_parts(_DAY_MONTH, "dmy", latest)),
        (_MONTH_DAY, _from_parts(_MONTH_DAY, "mdy", latest)),
    ]
    if epoch is not None:
        branches.append((_SERIAL, _from_serial(epoch)))
    cases = [f"when regexp_full_match(text_day, {_sql(pattern)}) then {value}" for pattern, value in branches]
    return f"case {' '.join(cases)} end"


def _formatted(rules: DateRules, date_format: str, latest: int) -> str:
    """Read the configured format; real dates and serial numbers of typed files need none."""
    moment = f"try_strptime(text, {text_literal(date_format)})"
    day = f"{moment}::date"
    if "%y" in date_format:
        day = f"try_cast({_full_year(f'(year({moment}) % 100)', latest)} || strftime({moment}, '-%m-%d') as date)"
    choices = [f"case when {moment} = {moment}::date then {day} end"]
    if rules.typed_dates:
        choices.append(f"case when regexp_full_match(text, {_sql(_TYPED)}) then try_cast(text_day as date) end")
    if rules.epoch is not None:
        choices.append(f"case when regexp_full_match(text, {_sql(_SERIAL)}) then {_from_serial(rules.epoch)} end")
    return f"coalesce({', '.join(choices)})"


def _from_parts(pattern: str, order: str, latest: int) -> str:
    """Return SQL that puts the groups of a matching text, in the order y, m, d given, together to a date."""
    part = {name: f"regexp_extract(text_day, {_sql(pattern)}, {group})" for group, name in enumerate(order, start=1)}
    month = _month_number(part["m"]) if "a-z" in pattern else part["m"]
    year = part["y"]
    if pattern.endswith(r"|\d{2})"):
        full = _full_year(f"try_cast({year} as integer)", latest)
        year = f"case when length({year}) = 2 then {full}::varchar else {year} end"
    return f"try_cast({year} || '-' || {month} || '-' || {part['d']} as date)"


def _month_number(name: str) -> str:
    """Return SQL for the number of a month from its English name or the first three or more letters of it."""
    short = ", ".join(f"'{month[:3]}'" for month in _MONTHS)
    full = ", ".join(f"'{month}'" for month in _MONTHS)
    number = f"list_position([{short}], lower({name})[:3])"
    return f"case when starts_with([{full}][{number}], lower({name})) then {number} end"


def _full_year(two_digits: str, latest: int) -> str:
    return f"({latest} - ({latest} - {two_digits}) % 100)"


def _from_serial(epoch: date) -> str:
    return f"date '{epoch.isoformat()}' + try_cast(text as integer)"


def _sql(pattern: str) -> str:
    return text_literal(pattern)
