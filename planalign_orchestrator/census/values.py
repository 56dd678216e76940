"""Money, rates, hours, levels and truth values as people write them: SQL that reads a text or gives NULL.

Money: 56705, 56,705.00, $56,705.00, USD 56,705, (500) and -500 and 500- for negative amounts, "$ -" for zero; rounded
half away from zero to cents. Rates: decimals (0.06) or with an explicit sign (6%); 6 stays 6 and is refused by the
checks.
Truth values: true, t, yes, y, 1 and false, f, no, n, 0; for `active` (where t and f would be guesses) also active,
employed, a and inactive, terminated, term, left, i. Case does not matter.
"""

from typing import Final

from planalign_orchestrator.census.columns import ENROLLMENT_METHODS, Column, Kind
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

_TRUE: Final = ("true", "t", "yes", "y", "1")
_FALSE: Final = ("false", "f", "no", "n", "0")
_ACTIVE: Final = ("true", "yes", "y", "1", "active", "employed", "a")
_INACTIVE: Final = ("false", "no", "n", "0", "inactive", "terminated", "term", "left", "i")

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
        number = f"try_cast(replace(replace({name}, '%', ''), ' ', '') as decimal(16,10))"
        value = f"case when ends_with({name}, '%') then {number} * 0.01::decimal(2,2) else {number} end"
        plain = f"when {_matches(name, _PLAIN_RATE)} then try_cast({name} as decimal(16,10))"
        return f"case {plain} when {_matches(name, _RATE)} then {value} end"
    if column.kind == "level":
        return f"case when {_matches(name, _WHOLE)} then try_cast({name} as decimal(12,2))::integer end"
    if column.kind == "boolean":
        true, false = (_ACTIVE, _INACTIVE) if column.name == "active" else (_TRUE, _FALSE)
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


def _money(name: str) -> str:
    digits = f"try_cast(regexp_replace({name}, '[^0-9.]', '', 'g') as decimal(18,2))"
    return (
        f"case when {_matches(name, _PLAIN_MONEY)} then try_cast({name} as decimal(18,2))"
        f" when {_matches(name, _US_MONEY)}"
        f" then try_cast(replace(replace({name}, '$', ''), ',', '') as decimal(18,2))"
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
