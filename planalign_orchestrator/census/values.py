"""Money, rates, hours, levels and truth values as people write them: SQL that reads a text or gives NULL.

Money: 56705, 56,705.00, $56,705.00, USD 56,705, (500) and -500 and 500- for negative amounts, "$ -" for zero; rounded
half away from zero to cents. Rates: decimals (0.06) or with an explicit sign (6%); what 6 is, `census.units` says.
Truth values: true, t, yes, y, 1 and false, f, no, n, 0; for `active` (where t and f would be guesses) also active,
employed, a and inactive, terminated, term, left, i. Case does not matter.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from planalign_orchestrator.census.columns import COLUMNS_BY_NAME, ENROLLMENT_METHODS, PAY_UNITS, Column, Kind
from planalign_orchestrator.census.records import CensusSource
from planalign_orchestrator.census.sql import text_literal

# Words that stand for a blank in every column that is not free text; Excel's own does in every column.
BLANK_WORDS: Final = ("null", "none", "n/a", "#n/a", "na", "nan", "nat", "-")
NOT_AVAILABLE: Final = "#n/a"

_AMOUNT: Final = r"(\d{1,3}(,\d{3}){1,3}([.]\d*)?|\d{1,12}([.]\d*)?|[.]\d+)"
_CURRENCY: Final = r"((usd|us[$]|[$]) ?)?"
_MONEY: Final = (
    rf"(?i)([-+]? ?{_CURRENCY}{_AMOUNT}|{_CURRENCY}[-+]{_AMOUNT}|[(] ?{_CURRENCY}{_AMOUNT} ?[)]"
    rf"|{_CURRENCY}[(]{_AMOUNT}[)]|{_CURRENCY}{_AMOUNT}-|{_AMOUNT} ?(usd|[$]))"
)
_PLAIN_MONEY: Final = r"\d{1,12}([.]\d{1,2})?"
_US_MONEY: Final = r"[$]?\d{1,3}(,\d{3}){0,3}([.]\d{1,2})?"
_ZERO: Final = r"[$] *-"
_PLAIN_RATE: Final = r"[01]([.]\d{1,6})?|[.]\d{1,6}"
_RATE: Final = r"[-+]?(\d{1,6}([.]\d*)?|[.]\d+) ?%?"
_WHOLE: Final = r"\d{1,9}([.]0*)?"

TRUE_WORDS: Final = ("true", "t", "yes", "y", "1")
FALSE_WORDS: Final = ("false", "f", "no", "n", "0")
ACTIVE_WORDS: Final = ("true", "yes", "y", "1", "active", "employed", "a")
INACTIVE_WORDS: Final = ("false", "no", "n", "0", "inactive", "terminated", "term", "left", "i")

# How a value is written most simply. A column of such values only, and there are many, is read by `read_plain`.
PLAIN: Final[dict[Kind, str]] = {
    # texts of Excel's own begin with # (an error) or = (a formula)
    "text": r"[!-\"$-<>-~]([ -~]*[!-~])?",
    "date": r"\d{4}-\d{2}-\d{2}",
    "money": _PLAIN_MONEY,
    "rate": _PLAIN_RATE,
    "hours": _PLAIN_MONEY,
    "level": r"\d{1,9}",
    "boolean": "true|false",
    "method": "|".join(ENROLLMENT_METHODS),
}

READABLE: Final = {
    "date": "a date",
    "money": "an amount of money",
    "rate": "a rate",
    "hours": "a number of hours",
    "level": "a whole number",
    "boolean": "true or false",
    "method": " or ".join(ENROLLMENT_METHODS),
}


def read_column(column: Column, source: CensusSource, full_time_hours: Decimal, *, plain: bool) -> str:
    """Return SQL that reads the text column of the same name by the configured codes, units and basis of pay.

    NULL stands for what cannot be read. Where every value has the form in `PLAIN` (`plain`), reading is quicker.
    """
    codes = source.values.get(column.name)
    if codes is not None:
        return _read_codes(column, codes)
    unit = source.units.get(column.name)
    if column.kind == "rate":
        return read_plain(column) if plain and unit in (None, "fraction") else read_rate(column.name, unit)
    if column.name == "employee_gross_compensation" and (unit is not None or source.pay_basis != "actual"):
        return _yearly_pay(column, unit or "annual", source, full_time_hours)
    return read_plain(column) if plain else read_value(column)


def read_rate(name: str, unit: str | None) -> str:
    """Return SQL that reads a rate: a percentage with a sign, else as the unit says; without one, a fraction."""
    number = f"try_cast(replace(replace({name}, '%', ''), ' ', '') as decimal(16,10))"
    percent = f"{number} * 0.01::decimal(2,2)"
    unsigned = {"percent": percent, "mixed": f"case when abs({number}) >= 1 then {percent} else {number} end"}
    value = f"case when ends_with({name}, '%') then {percent} else {unsigned.get(unit or '', number)} end"
    quick = f"when {_matches(name, _PLAIN_RATE)} then try_cast({name} as decimal(16,10))"
    quick = quick if unit in (None, "fraction") else ""
    return f"case {quick} when {_matches(name, _RATE)} then {value} end"


def _read_codes(column: Column, codes: Mapping[str, str | None]) -> str:
    """Return SQL for the value of each code; NULL for a code that is not known."""
    meanings: dict[str, list[str]] = {}
    for code, meaning in codes.items():
        if meaning is not None:
            meanings.setdefault(meaning, []).append(code.casefold())
    branches = [
        f"when lower({column.name}) in ({_listed(tuple(written))}) then {read_value(column, text_literal(meaning))}"
        for meaning, written in meanings.items()
    ]
    return f"case {' '.join(branches)} end" if branches else f"null::{column.sql_type}"


def _yearly_pay(column: Column, unit: str, source: CensusSource, full_time_hours: Decimal) -> str:
    """Return SQL for pay of a year of the scheduled hours, to cents."""
    hours = COLUMNS_BY_NAME["scheduled_hours_per_week"]
    given = (
        read_value(hours) if source.default_hours is None else f"coalesce({read_value(hours)}, {source.default_hours})"
    )
    amount = f"{_money(column.name, places=6)} * {PAY_UNITS[unit]}"
    if unit == "hourly":
        return f"try_cast({amount} * ({given})::decimal(9,2) as decimal(18,2))"
    if source.pay_basis == "actual":
        return f"try_cast({amount} as decimal(18,2))"
    # in whole cents and hundredths of an hour, because a quotient of decimals is a binary fraction
    full = int(full_time_hours * 100)
    product = f"try_cast({amount} as decimal(18,2)) * 100 * least(({given}) * 100, {full})"
    return f"try_cast(((({product})::hugeint * 2 + {full}) // {2 * full}) as decimal(18,0)) * 0.01::decimal(3,2)"


def read_plain(column: Column) -> str:
    """Return SQL that reads the text column of the same name, in which every value has the form in `PLAIN`."""
    if column.kind == "boolean":
        return f"{column.name} = 'true'"
    if column.kind in ("text", "method"):
        return column.name
    sql_types = {"date": "date", "rate": "decimal(16,10)", "level": "integer"}
    return f"try_cast({column.name} as {sql_types.get(column.kind, 'decimal(18,2)')})"


def read_value(column: Column, text: str | None = None) -> str:
    """Return SQL that reads a text column (by default the one of the same name), NULL where it cannot be read.

    Rates and hours come wider than stored, so that a value out of range can still be named. Dates are read by column,
    not here.
    """
    name = text or column.name
    if column.kind == "money":
        return _money(name)
    if column.kind == "hours":
        return f"try_cast({_money(name)} as decimal(18,2))"
    if column.kind == "rate":
        return read_rate(name, None)
    if column.kind == "level":
        return f"case when {_matches(name, _WHOLE)} then try_cast({name} as decimal(12,2))::integer end"
    if column.kind == "boolean":
        true, false = (ACTIVE_WORDS, INACTIVE_WORDS) if column.name == "active" else (TRUE_WORDS, FALSE_WORDS)
        return (
            f"case when lower({name}) in ({_listed(true)}) then true"
            f" when lower({name}) in ({_listed(false)}) then false end"
        )
    if column.kind == "method":
        return f"case when lower({name}) in ({_listed(ENROLLMENT_METHODS)}) then lower({name}) end"
    return name


def rounded_values(column: Column) -> str | None:
    """Return SQL that is true where reading the text column rounds it, or None for a kind that is never rounded."""
    name = column.name
    if column.kind in ("money", "hours"):
        return _more_decimals(name, 2)
    if column.kind == "rate":
        return f"case when ends_with({name}, '%') then {_more_decimals(name, 4)} else {_more_decimals(name, 6)} end"
    return None


def _money(name: str, places: int = 2) -> str:
    kept = f"decimal(18,{places})"
    digits = f"try_cast(regexp_replace({name}, '[^0-9.]', '', 'g') as {kept})"
    return (
        f"case when {_matches(name, _PLAIN_MONEY)} then try_cast({name} as {kept})"
        f" when {_matches(name, _US_MONEY)}"
        f" then try_cast(replace(replace({name}, '$', ''), ',', '') as {kept})"
        f" when {_matches(name, _ZERO)} then 0"
        f" when {_matches(name, _MONEY)} then case when regexp_matches({name}, '[-(]') then -{digits} else {digits} end"
        " end"
    )


def _more_decimals(name: str, places: int) -> str:
    """Return SQL that is true for a text with a digit other than 0 after so many decimals; cheap for short texts."""
    long = f"strpos({name}, '.') > 0 and strlen({name}) - strpos({name}, '.') > {places}"
    return rf"case when {long} then regexp_matches({name}, '[.]\d{{{places}}}\d*[1-9]') else false end"


def _matches(name: str, pattern: str) -> str:
    return f"regexp_full_match({name}, {text_literal(pattern)})"


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(text_literal(word) for word in words)
