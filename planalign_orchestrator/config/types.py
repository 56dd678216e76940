"""What a single setting may be: a rule for each kind of value, which reads it exactly and refuses it legibly.

A rule is metadata of a Pydantic field (`Annotated[Decimal, Number(...)]`). It refuses with `RefusedError`; the loader
gives the findings their place in the file, and a model built in Python reports them through Pydantic's ValidationError.
"""

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from planalign_orchestrator.files.names import path_problem
from planalign_orchestrator.problems import RefusedError

_NUMBER_TEXT = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LEAST_MEMORY, _MOST_MEMORY = 64 * 2**20, 2**50


class Rule(ABC):
    """Reads one kind of value."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """The values this rule accepts, in words that complete "must be ..."."""

    @property
    def brief(self) -> str:
        """The same as a line of the default file says it."""
        return self.allowed[:1].upper() + self.allowed[1:]

    @property
    def sql_type(self) -> str:
        """The SQL type of a parameter of the model that holds such a value."""
        return "varchar"

    @property
    def text_only(self) -> bool:
        """Whether an override's text is the value itself and is not read as YAML."""
        return False

    @abstractmethod
    def parse(self, value: object) -> object:
        """Return the value as the configuration keeps it. Errors: RefusedError."""

    @abstractmethod
    def json_schema(self) -> JsonSchemaValue:
        """Return the JSON Schema of what `parse` accepts."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.json_schema()


@dataclass(frozen=True, eq=False)
class WordedRule(Rule):
    """A rule that is given its words: `words` complete "must be ...", `in_brief` is the line of the default file."""

    words: str
    in_brief: str = field(default="", kw_only=True)

    @property
    def allowed(self) -> str:
        return self.words

    @property
    def brief(self) -> str:
        return self.in_brief or super().brief


@dataclass(frozen=True, eq=False)
class Kind(WordedRule):
    """A kind of value that is told by its words, the function that reads it, and its JSON Schema."""

    reader: Callable[[object], object]
    schema: JsonSchemaValue
    sql_type: str = "varchar"
    text_only: bool = False

    def parse(self, value: object) -> object:
        return self.reader(value)

    def json_schema(self) -> JsonSchemaValue:
        return dict(self.schema)


@dataclass(frozen=True)
class Number(Rule):
    """A decimal (a whole number if `places` is 0) between two bounds, which are allowed themselves unless open.

    With `step`, it is a multiple of that.
    """

    unit: str
    lower: Decimal
    upper: Decimal
    lower_open: bool = False
    upper_open: bool = False
    places: int = 6
    step: Decimal | None = None

    @property
    def allowed(self) -> str:
        return f"a {self.unit} {'' if self.lower_open else 'from '}{self.bounds}"

    @property
    def brief(self) -> str:
        steps = "" if self.step is None else f" in steps of {plain_number(self.step)}"
        return f"{self.unit[:1].upper()}{self.unit[1:]}{steps}, {self.bounds}"

    @property
    def sql_type(self) -> str:
        """Nine digits where they hold every number within the bounds, else 18."""
        if self.places == 0:
            return "integer" if self.upper < 2**31 else "bigint"
        digits = len(str(int(self.upper))) + self.places
        return f"decimal({9 if digits <= 9 else 18}, {self.places})"

    @property
    def bounds(self) -> str:
        """The bounds in words: 0 to below 1."""
        lower, upper = plain_number(self.lower), plain_number(self.upper)
        if self.lower_open:
            return f"above {lower} and {'below' if self.upper_open else 'up to'} {upper}"
        return f"{lower} to {'below ' if self.upper_open else ''}{upper}"

    def parse(self, value: object) -> Decimal | int:
        number = self._read(value)
        if not self._inside(number):
            raise RefusedError(f"must be {self.allowed}{self._percent_hint(number)}")
        if number != number.quantize(Decimal(1).scaleb(-self.places)):
            raise RefusedError(
                "must be a whole number" if self.places == 0 else f"has more than {self.places} decimal places"
            )
        if self.step is not None and number % self.step != 0:
            raise RefusedError(f"must be a multiple of {plain_number(self.step)}")
        return int(number) if self.places == 0 else number

    def json_schema(self) -> JsonSchemaValue:
        number = int if self.places == 0 else float
        step = {} if self.step is None else {"multipleOf": float(self.step)}
        return {
            "type": "integer" if self.places == 0 else "number",
            "exclusiveMinimum" if self.lower_open else "minimum": number(self.lower),
            "exclusiveMaximum" if self.upper_open else "maximum": number(self.upper),
            **step,
        }

    def _read(self, value: object) -> Decimal:
        if value is None:
            raise RefusedError(f"has no value; must be {self.allowed}")
        if isinstance(value, bool):
            raise RefusedError(f"is read as {str(value).lower()}, not as a number; must be {self.allowed}")
        if isinstance(value, float):
            value = Decimal(repr(value))
        if isinstance(value, str):
            value = self._read_text(value.strip())
        if not isinstance(value, (int, Decimal)):
            raise RefusedError(f"is {kind_of(value)}; must be {self.allowed}")
        if not Decimal(value).is_finite():
            raise RefusedError(f"is not a finite number; must be {self.allowed}")
        return Decimal(value)

    def _read_text(self, written: str) -> Decimal:
        if _NUMBER_TEXT.fullmatch(written):
            return Decimal(written)
        if self.unit == "rate" and written.endswith("%") and _NUMBER_TEXT.fullmatch(written[:-1].strip()):
            share = plain_number(Decimal(written[:-1].strip()).scaleb(-2))
            raise RefusedError(f"has a percent sign; rates are decimals: write {share}")
        hint = "; use a point for decimals and nothing between thousands" if "," in written else ""
        raise RefusedError(f"is not a number; must be {self.allowed}{hint}")

    def _inside(self, number: Decimal) -> bool:
        above = number > self.lower if self.lower_open else number >= self.lower
        below = number < self.upper if self.upper_open else number <= self.upper
        return above and below

    def _percent_hint(self, number: Decimal) -> str:
        share = number.scaleb(-2)
        if self.unit != "rate" or not self._inside(share):
            return ""
        return f"; rates are decimals: {plain_number(number)} % is {plain_number(share)}"


def text(words: str = "a text", pattern: str = "") -> Kind:
    """Return the rule of a text that matches a pattern as a whole, without one that is not blank."""

    def read(value: object) -> str:
        matched = re.fullmatch(pattern or r"(?s)\s*\S.*", str(value))
        if not isinstance(value, str):
            would_do = matched and isinstance(value, (int, Decimal))
            raise RefusedError(f"is {kind_of(value)}; must be {words}{'; put it in quotes' if would_do else ''}")
        if not matched:
            raise RefusedError(f"must be {words}")
        return value

    beyond: JsonSchemaValue = {"pattern": f"^({pattern})$"} if pattern else {"minLength": 1}
    return Kind(words, read, {"type": "string", **beyond}, text_only=True)


def _read_memory(value: object) -> str:
    amount_text = str(_AMOUNT.parse(value))
    number = amount_text.rstrip("KkMmGgTtIiBb").strip()
    unit = amount_text[len(number) :].strip().upper()
    amount = int(Decimal(number) * (1024 if "I" in unit else 1000) ** ("KMGT".index(unit[0]) + 1))
    if amount < _LEAST_MEMORY:
        raise RefusedError(
            f"is {amount // 2**20} MiB, with which nothing can be simulated; it must be at least "
            f"{_LEAST_MEMORY // 2**20}MiB"
        )
    if amount > _MOST_MEMORY:
        raise RefusedError(f"is more than the {_MOST_MEMORY // 2**40}TiB that can be used; lower it")
    return amount_text


def _read_path(value: object) -> Path:
    """Return a path with `~` expanded; whether it exists is checked where it is used."""
    if not isinstance(value, (str, Path)):
        quotes = "; put it in quotes" if isinstance(value, (bool, int, Decimal)) else ""
        raise RefusedError(f"is {kind_of(value)}; must be a path{quotes}")
    problem = path_problem(str(value))
    if problem is not None:
        raise RefusedError(f"must be a path, but {problem}")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise RefusedError("begins with ~, but no home folder is known; write the whole path") from None


def _read_month_day(value: object) -> str:
    found = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise RefusedError(f"must be {MONTH_DAY.allowed}")
    month, day = int(found[1]), int(found[2])
    if not (1 <= month <= 12 and 1 <= day <= _LONGEST_MONTHS[month - 1]):
        raise RefusedError(f"is no day of the year; must be {MONTH_DAY.allowed} (month first)")
    return found[0]


def _read_date(value: object) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise RefusedError(f"must be {DATE.allowed}")
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise RefusedError(f"is no day of the calendar; must be {DATE.allowed} (month before day)") from None


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise RefusedError("must be true or false, without quotes")
    return value


_AMOUNT = text("an amount of memory such as 4GB or 512MiB", "(?=.*[1-9])[0-9]+([.][0-9]+)? ?[KkMmGgTt][Ii]?[Bb]")
MEMORY = Kind(_AMOUNT.allowed, _read_memory, _AMOUNT.json_schema(), text_only=True)
PATH = Kind("a path", _read_path, {"type": "string", "minLength": 1}, text_only=True)
MONTH_DAY = Kind(
    'a day of the year as "MM-DD", such as "07-01"',
    _read_month_day,
    {"type": "string", "pattern": "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
    text_only=True,
    in_brief='Month-day in quotes; "02-29" is 28 February in common years',
)
DATE = Kind(
    "a date as YYYY-MM-DD, such as 2025-01-01",
    _read_date,
    {"type": "string", "format": "date"},
    sql_type="date",
    text_only=True,
)
FLAG = Kind("true or false", _read_flag, {"type": "boolean"}, sql_type="boolean", in_brief="true or false")


def plain_number(number: Decimal | int) -> str:
    """Return the digits of a number, all of them, without exponent, trailing zeros or a negative zero."""
    digits = format(Decimal(number), "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if digits in ("-0", "") else digits


def kind_of(value: object) -> str:
    """Return what `value` is, in a configuration author's words."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"read as {str(value).lower()}"
    if isinstance(value, (int, Decimal)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else f"a {type(value).__name__}"
