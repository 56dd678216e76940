"""Settings that hold several values: month weights, lists, and mappings whose keys the author chooses."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, TypeVar

from pydantic.json_schema import JsonSchemaValue

from planalign_orchestrator.config.findings import Finding, RefusedError
from planalign_orchestrator.config.types import (
    FilePath,
    Number,
    Rule,
    Text,
    kind_of,
    plain_number,
)

Weights = Literal["even"] | tuple[Decimal, ...]
ParameterValue = str | int | Decimal | bool | None
ParameterRows = tuple[Mapping[str, ParameterValue], ...]
Value = TypeVar("Value")

PARAMETER_TABLES = (
    "age_bands",
    "tenure_bands",
    "job_levels",
    "termination_by_level",
    "termination_by_age",
    "termination_by_tenure",
    "retirement_hazard",
    "promotion_by_level",
    "promotion_by_age",
    "promotion_by_tenure",
    "merit_by_level",
    "new_hire_pay",
    "new_hire_ages",
    "participation_by_age",
    "participation_by_income",
    "participation_by_level",
    "second_chance_by_service",
    "deferral_choice",
)
_MONTHS = 12
_SHARE_STEP = Decimal("0.000000000001")
_WEIGHT = Number("weight", Decimal(0), Decimal(1), places=20)
_HEADING = Text("a column heading")
_TABLE_PATH = FilePath()


class MonthWeights(Rule):
    """Twelve shares of a year, January first, which sum to 1; or the word `even`."""

    @property
    def allowed(self) -> str:
        return "`even` or a list of 12 weights, January first, that sum to 1"

    def parse(self, value: object) -> Weights:
        if value == "even":
            return "even"
        if not isinstance(value, (list, tuple)):
            raise RefusedError(f"is {kind_of(value)}; must be {self.allowed}")
        if len(value) != _MONTHS:
            raise RefusedError(f"has {len(value)} weights; must be {self.allowed}")
        weights = each("weight", value, lambda weight: Decimal(_WEIGHT.parse(weight)))
        total = sum(weights, Decimal(0))
        if not _is_one(total):
            raise RefusedError(f"the 12 weights sum to {plain_number(total)}; they must sum to 1")
        return tuple(weights)

    def json_schema(self) -> JsonSchemaValue:
        weights = {"type": "array", "items": _WEIGHT.json_schema(), "minItems": _MONTHS, "maxItems": _MONTHS}
        return {"anyOf": [{"const": "even"}, weights]}


@dataclass(frozen=True)
class TextList(Rule):
    """A list of texts; `described` says what they are."""

    described: str
    entry: Text
    example: str

    @property
    def allowed(self) -> str:
        return f"{self.described}, such as {self.example}"

    def parse(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)):
            raise RefusedError(f"is {kind_of(value)}; must be {self.allowed}")
        return tuple(each("entry", value, self.entry.parse))

    def json_schema(self) -> JsonSchemaValue:
        return {"type": "array", "items": self.entry.json_schema()}


class MappingRule(Rule):
    """A mapping whose keys the author chooses; in an override, each entry can be set alone as `section.key.entry`."""

    entries_text_only = False

    def parse(self, value: object) -> Mapping[object, object]:
        if not isinstance(value, Mapping):
            raise RefusedError(f"is {kind_of(value)}; must be {self.allowed}")
        parsed: dict[object, object] = {}
        findings = []
        for key, item in value.items():
            try:
                name, entry = self.parse_entry(key, item)
            except RefusedError as error:
                findings += [Finding(finding.text, ((str(key),),)) for finding in error.findings]
                continue
            if name in parsed:
                findings.append(Finding("is given twice", ((str(key),),)))
            parsed[name] = entry
        refuse(findings)
        self.check(parsed)
        return parsed

    @abstractmethod
    def parse_entry(self, key: object, value: object) -> tuple[object, object]:
        """One entry as the model keeps it; raises RefusedError."""

    def check(self, entries: Mapping[object, object]) -> None:
        """Raises RefusedError if the entries, each good alone, do not fit together."""


class ColumnNames(MappingRule):
    """Standard column name -> heading in the client's file."""

    entries_text_only = True

    @property
    def allowed(self) -> str:
        return "a mapping of standard column names to headings, such as {employee_id: Badge}"

    def parse_entry(self, key: object, value: object) -> tuple[object, object]:
        return _HEADING.parse(key), _HEADING.parse(value)

    def check(self, entries: Mapping[object, object]) -> None:
        headings = list(entries.values())
        twice = [key for key, heading in entries.items() if headings.count(heading) > 1]
        if twice:
            named = " and ".join(f"`{key}`" for key in twice)
            raise RefusedError(
                [Finding(f"{named} are read from the same heading", tuple((str(key),) for key in twice))]
            )

    def json_schema(self) -> JsonSchemaValue:
        return {"type": "object", "additionalProperties": _HEADING.json_schema()}


@dataclass(frozen=True)
class NumberByNumber(MappingRule):
    """A number for each year or level; with `shares`, the numbers of a mapping that is not empty sum to 1."""

    key: Number
    value: Number
    example: str
    shares: bool = False

    @property
    def allowed(self) -> str:
        return f"a mapping such as {self.example}"

    def parse_entry(self, key: object, value: object) -> tuple[object, object]:
        try:
            name = self.key.parse(key)
        except RefusedError as error:
            raise RefusedError(f"the key {key} {error}") from None
        return name, self.value.parse(value)

    def check(self, entries: Mapping[object, object]) -> None:
        total = sum((Decimal(str(share)) for share in entries.values()), Decimal(0))
        if self.shares and entries and not _is_one(total):
            raise RefusedError(f"the shares sum to {plain_number(total)}; they must sum to 1")

    def json_schema(self) -> JsonSchemaValue:
        return {
            "type": "object",
            "propertyNames": {"pattern": "^[0-9]+$"},
            "additionalProperties": self.value.json_schema(),
        }


class ParameterTables(MappingRule):
    """Parameter table -> its rows or the path of a CSV file; what the rows hold is checked where they are loaded."""

    @property
    def allowed(self) -> str:
        return "a mapping of parameter tables to rows or to the path of a CSV file"

    def parse_entry(self, key: object, value: object) -> tuple[object, object]:
        if key not in PARAMETER_TABLES:
            close = get_close_matches(str(key), PARAMETER_TABLES, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"the tables are {', '.join(PARAMETER_TABLES)}"
            raise RefusedError(f"is no parameter table; {hint}")
        if isinstance(value, (str, Path)):
            return key, _TABLE_PATH.parse(value)
        if not isinstance(value, (list, tuple)):
            raise RefusedError(f"is {kind_of(value)}; must be a list of rows or the path of a CSV file")
        if not value:
            raise RefusedError("has no rows; remove it to use the default table")
        return key, tuple(each("row", value, _row))

    def json_schema(self) -> JsonSchemaValue:
        row = {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            "minProperties": 1,
        }
        table = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": row, "minItems": 1}]}
        return {"type": "object", "properties": dict.fromkeys(PARAMETER_TABLES, table), "additionalProperties": False}


def _row(row: object) -> Mapping[str, ParameterValue]:
    if not isinstance(row, Mapping) or not row:
        raise RefusedError(f"is {kind_of(row)}; must be a mapping of columns to values, such as {{level_id: 1}}")
    return {str(column): _cell(str(column), value) for column, value in row.items()}


def _cell(column: str, value: object) -> ParameterValue:
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and not value.is_finite():
        raise RefusedError(f"has a number in `{column}` that is not finite")
    if value is not None and not isinstance(value, (str, int, Decimal)):
        raise RefusedError(f"has {kind_of(value)} in `{column}`; must be a single value")
    return value


def each(noun: str, values: Sequence[object], read: Callable[[object], Value]) -> list[Value]:
    """Every value as `read` returns it; raises RefusedError with a finding for each one that `read` refuses."""
    results, findings = [], []
    for place, value in enumerate(values, start=1):
        try:
            results.append(read(value))
        except RefusedError as error:
            shown = f" ({value})" if isinstance(value, (str, int, Decimal)) else ""
            findings.append(Finding(f"{noun} {place}{shown} {error}"))
    refuse(findings)
    return results


def refuse(findings: list[Finding]) -> None:
    if findings:
        raise RefusedError(findings)


def _is_one(total: Decimal) -> bool:
    return total.quantize(_SHARE_STEP) == 1
