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

from planalign_orchestrator.census.sql import RAW_VIEW, fetch_one, text_literal

if TYPE_CHECKING:
    import duckdb

LATEST_TWO_DIGIT_YEAR: Final = {
    "employee_birth_date": -14,
    "employee_hire_date": 13,
    "employee_termination_date": 20,
    "employee_enrollment_date": 13,
}

_MIDNIGHT: Final = r"(?i)[ t]+(0{1,2}:00(:00([.]0+)?)?( ?am)?|12:00(:00([.]0+)?)? ?am)( ?z|[+]00(:?00)?)?$"
_PLAIN_ISO: Final = r"\d{4}-\d{2}-\d{2}"
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
    """How one column is read: SQL over its text, or None and the problem; `notes` say what the reader should know."""

    expression: str | None
    problem: str | None = None
    notes: tuple[str, ...] = ()


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


def day_text(column: str) -> str:
    """Return SQL for a date text without a trailing midnight; `plan_date` reads it under the name `<column>_day`."""
    return f"case when contains({column}, ':') then regexp_replace({column}, {_sql(_MIDNIGHT)}, '') else {column} end"


def plan_date(connection: "duckdb.DuckDBPyConnection", column: str, rules: DateRules) -> DatePlan:
    """Decide how a column of the raw view is read: SQL over `<column>` and `<column>_day`, any year (see `in_range`).

    The order of day and month is settled by the values that are a date in one order only. Values of both kinds, or only
    values that are a date either way, give a problem that asks for `census.date_format`.
    """
    if rules.date_format is not None:
        return _plan_formatted(connection, column, rules, rules.date_format)
    facts = _facts(connection, column)
    if facts.month_first and facts.day_first:
        problem = (
            f"{column} has dates in both orders: {facts.example_month_first} can only be month/day and"
            f" {facts.example_day_first} only day/month: correct the rows, or say with census.date_format which holds"
        )
        return DatePlan(None, problem=problem)
    if facts.either and not facts.month_first and not facts.day_first:
        problem = (
            f"{column}: day and month cannot be told apart in any of its numeric dates (rows: {facts.either};"
            f" {facts.example_either}): set census.date_format, for instance to '%m/%d/%Y' (month first) or"
            " '%d/%m/%Y' (day first), as the file writes them"
        )
        return DatePlan(None, problem=problem)
    order = "day/month" if facts.day_first else "month/day"
    decisive = facts.example_day_first if facts.day_first else facts.example_month_first
    notes = [f"{column} read as {order}/year, as {decisive} shows"] if decisive else []
    if facts.two_digit_years:
        notes.append(_two_digit_year_note(column, facts.two_digit_years, rules))
    return DatePlan(_any_format(column, rules, day_first=facts.day_first > 0), notes=tuple(notes))


def guess_date(text: str, epoch: date | None) -> str:
    """Return SQL for the date in `<text>_day` in any format and either order, NULL where there is none; for a survey
    of values only, because nothing settles the order, and two-digit years are read as hires in 2025 are.
    """
    rules = DateRules(date(2025, 12, 31), None, typed_dates=True, epoch=epoch)
    readings = (_any_format("employee_hire_date", rules, day_first=day_first) for day_first in (False, True))
    return in_range(f"coalesce({', '.join(readings)})").replace("employee_hire_date", text)


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
    example_month_first: str | None
    example_day_first: str | None
    example_either: str | None


def _facts(connection: "duckdb.DuckDBPyConnection", column: str) -> _Facts:
    """Judge the column's distinct texts, of which there are few even in a large census."""
    row = fetch_one(
        connection,
        f"""
        with texts as (
            select {day_text(column)} as text, min(row_number) as row_number, count(*) as rows
            from {RAW_VIEW}
            where {column} is not null
            group by 1
        ),
        parts as (
            select
                *,
                regexp_full_match(text, {_sql(_TWO_DIGIT_YEAR)}) as two_digit_year,
                regexp_full_match(text, {_sql(_NUMERIC)}) as numeric,
                regexp_extract(text, {_sql(_NUMERIC)}, ['a', 'b', 'y']) as part
            from texts
        ),
        readings as (
            select
                *,
                numeric and try_cast('2000-' || part.a || '-' || part.b as date) is not null as month_first,
                numeric and try_cast('2000-' || part.b || '-' || part.a as date) is not null as day_first,
                try_cast(part.a as integer) <> try_cast(part.b as integer) as differ,
                'row ' || row_number || ' ' || chr(39) || text || chr(39) as example
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
    return _Facts(*row)


def _plan_formatted(
    connection: "duckdb.DuckDBPyConnection", column: str, rules: DateRules, date_format: str
) -> DatePlan:
    notes = []
    if "%y" in date_format:
        (count,) = fetch_one(connection, f"select count({column}) from {RAW_VIEW}")
        notes = [_two_digit_year_note(column, count, rules)] if count else []
    return DatePlan(_formatted(column, rules, date_format), notes=tuple(notes))


def _two_digit_year_note(column: str, count: int, rules: DateRules) -> str:
    latest = _latest_year(column, rules)
    return f"{column}: two-digit years read as {latest - 99} to {latest} (rows: {count:,})"


def _any_format(column: str, rules: DateRules, *, day_first: bool) -> str:
    numeric_order = "dmy" if day_first else "mdy"
    branches = [
        (_PLAIN_ISO, f"try_cast({column}_day as date)"),
        (_ISO, _from_parts(column, _ISO, "ymd", rules)),
        (_COMPACT, _from_parts(column, _COMPACT, "ymd", rules)),
        (_NUMERIC, _from_parts(column, _NUMERIC, numeric_order, rules)),
        (_DAY_MONTH, _from_parts(column, _DAY_MONTH, "dmy", rules)),
        (_MONTH_DAY, _from_parts(column, _MONTH_DAY, "mdy", rules)),
    ]
    if rules.epoch is not None:
        branches.append((_SERIAL, _from_serial(column, rules.epoch)))
    cases = [f"when regexp_full_match({column}_day, {_sql(pattern)}) then {value}" for pattern, value in branches]
    return f"case {' '.join(cases)} end"


def _formatted(column: str, rules: DateRules, date_format: str) -> str:
    """Read the configured format; real dates and serial numbers of typed files need none."""
    moment = f"try_strptime({column}, {text_literal(date_format)})"
    day = f"{moment}::date"
    if "%y" in date_format:
        day = (
            f"try_cast({_full_year(f'(year({moment}) % 100)', column, rules)} || strftime({moment}, '-%m-%d') as date)"
        )
    choices = [f"case when {moment} = {moment}::date then {day} end"]
    if rules.typed_dates:
        choices.append(
            f"case when regexp_full_match({column}, {_sql(_TYPED)}) then try_cast({column}[:10] as date) end"
        )
    if rules.epoch is not None:
        choices.append(
            f"case when regexp_full_match({column}, {_sql(_SERIAL)}) then {_from_serial(column, rules.epoch)} end"
        )
    return f"coalesce({', '.join(choices)})"


def _from_parts(column: str, pattern: str, order: str, rules: DateRules) -> str:
    """Return SQL that puts the groups of a matching text, in the order y, m, d given, together to a date."""
    part = {
        name: f"regexp_extract({column}_day, {_sql(pattern)}, {group})" for group, name in enumerate(order, start=1)
    }
    month = _month_number(part["m"]) if "a-z" in pattern else part["m"]
    year = part["y"]
    if pattern.endswith(r"|\d{2})"):
        full = _full_year(f"try_cast({year} as integer)", column, rules)
        year = f"case when length({year}) = 2 then {full}::varchar else {year} end"
    return f"try_cast({year} || '-' || {month} || '-' || {part['d']} as date)"


def _month_number(name: str) -> str:
    """Return SQL for the number of a month from its English name or the first three or more letters of it."""
    short = ", ".join(f"'{month[:3]}'" for month in _MONTHS)
    full = ", ".join(f"'{month}'" for month in _MONTHS)
    number = f"list_position([{short}], lower({name})[:3])"
    return f"case when starts_with([{full}][{number}], lower({name})) then {number} end"


def _full_year(two_digits: str, column: str, rules: DateRules) -> str:
    latest = _latest_year(column, rules)
    return f"({latest} - ({latest} - {two_digits}) % 100)"


def _latest_year(column: str, rules: DateRules) -> int:
    return rules.census_date.year + LATEST_TWO_DIGIT_YEAR[column]


def _from_serial(column: str, epoch: date) -> str:
    return f"date '{epoch.isoformat()}' + try_cast({column} as integer)"


def _sql(pattern: str) -> str:
    return text_literal(pattern)
