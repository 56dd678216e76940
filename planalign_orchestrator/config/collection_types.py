"""Settings that hold several values: lists, mappings whose keys the author chooses, and records of named values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeVar

from pydantic.json_schema import JsonSchemaValue

from planalign_orchestrator.config.types import Number, Rule, WordedRule, kind_of, plain_number, text
from planalign_orchestrator.problems import Finding, RefusedError, did_you_mean

Weights = Literal["even"] | tuple[Decimal, ...]
Value = TypeVar("Value")

_SHARE_STEP = Decimal("0.000000000001")


@dataclass(frozen=True, eq=False)
class ListOf(WordedRule):
    """A list of entries of one kind, or the word `or_word` in its place.

    `check` returns the list as the configuration keeps it, or raises RefusedError if the entries, each good alone, do
    not fit together. `schema` is what the JSON Schema says beyond the type of the entries.
    """

    entry: Rule
    noun: str = "entry"
    check: Callable[[list[Any]], Sequence[Any]] = tuple
    length: int | None = None
    or_word: str = ""
    schema: JsonSchemaValue = field(default_factory=dict)

    def parse(self, value: object) -> Any:
        if self.or_word and value == self.or_word:
            return self.or_word
        if not isinstance(value, (list, tuple)):
            raise RefusedError(f"is {kind_of(value)}; must be {self.words}")
        if self.length is not None and len(value) != self.length:
            raise RefusedError(f"has {len(value)} {self.noun}s; must be {self.words}")
        return tuple(self.check(each(self.noun, value, self.entry.parse)))

    def json_schema(self) -> JsonSchemaValue:
        listed = {"type": "array", "items": self.entry.json_schema(), **self.schema}
        return {"anyOf": [{"const": self.or_word}, listed]} if self.or_word else listed


@dataclass(frozen=True)
class WordList(Rule):
    """Some of `words`, each once and kept in their order; with `ordered`, all of them in the author's order."""

    words: tuple[str, ...]
    ordered: bool = False

    @property
    def allowed(self) -> str:
        listed = ", ".join(self.words)
        return f"[{listed}] in any order" if self.ordered else f"a list of none or more of {listed}"

    def parse(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)):
            raise RefusedError(f"is {kind_of(value)}; must be {self.allowed}")
        for word in value:
            if word not in self.words:
                raise RefusedError(f"has the entry {word}; {did_you_mean(word, self.words, f'must be {self.allowed}')}")
        check_once(value)
        if not self.ordered:
            return tuple(word for word in self.words if word in value)
        if len(value) < len(self.words):
            raise RefusedError(f"leaves out {', '.join(word for word in self.words if word not in value)}")
        return tuple(value)

    def json_schema(self) -> JsonSchemaValue:
        fewest = len(self.words) if self.ordered else 0
        return {"type": "array", "items": {"enum": list(self.words)}, "uniqueItems": True, "minItems": fewest}


@dataclass(frozen=True, eq=False)
class MappingOf(WordedRule):
    """A mapping whose keys the author chooses; in an override, each entry can be set alone as `section.key.entry`.

    `entry` returns a key and its value as the configuration keeps them, or raises RefusedError; `check` raises it if
    the entries, each good alone, do not fit together. With `entries_text_only`, the text of an override of an entry is
    the value itself.
    """

    entry: Callable[[object, object], tuple[object, object]]
    schema: JsonSchemaValue
    check: Callable[[Mapping[Any, Any]], None] = lambda entries: None
    entries_text_only: bool = False

    def parse(self, value: object) -> Mapping[object, object]:
        if not isinstance(value, Mapping):
            raise RefusedError(f"is {kind_of(value)}; must be {self.words}")
        parsed: dict[object, object] = {}
        findings = []
        for key, item in value.items():
            try:
                name, entry = self.entry(key, item)
            except RefusedError as error:
                findings += [Finding(finding.text, ((str(key),),)) for finding in error.findings]
                continue
            if name in parsed:
                findings.append(Finding("is given twice", ((str(key),),)))
            parsed[name] = entry
        refuse(findings)
        self.check(parsed)
        return parsed

    def json_schema(self) -> JsonSchemaValue:
        return {"type": "object", **self.schema}


def mapping_by_number(
    key: Number, value: Rule, words: str, check: Callable[[Mapping[Any, Any]], None] = lambda entries: None
) -> MappingOf:
    """Return the rule of a mapping of numbers, such as years or levels, to values of one kind."""

    def entry(name: object, item: object) -> tuple[object, object]:
        try:
            number = key.parse(name)
        except RefusedError as error:
            raise RefusedError(f"the key {name} {error}") from None
        return number, value.parse(item)

    schema = {"propertyNames": {"pattern": "^[0-9]+$"}, "additionalProperties": value.json_schema()}
    return MappingOf(words, entry, schema, check)


@dataclass(frozen=True, eq=False)
class Record(WordedRule):
    """Values by name, each with its rule. Those that are not `required` may be left out, or blank with `may_be_blank`.

    `unknown` and `refused` are the words for a name that is not known and for a value that its rule refuses.
    """

    columns: Mapping[str, Rule]
    otherwise: str
    required: tuple[str, ...] = ()
    may_be_blank: bool = False
    may_be_empty: bool = True
    unknown: str = "has the unknown key `{name}`"
    refused: str = "has `{name}` = {value}, which {error}"
    check: Callable[[Mapping[str, Any]], None] = lambda values: None

    def parse(self, value: object) -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or not (value or self.may_be_empty):
            raise RefusedError(f"is {kind_of(value)}; must be {self.words}")
        findings = [Finding(f"has no `{name}`") for name in self.required if value.get(name) is None]
        values: dict[str, object] = {}
        for name, item in value.items():
            rule = self.columns.get(str(name))
            if rule is None:
                hint = did_you_mean(name, self.columns, self.otherwise)
                findings.append(Finding(f"{self.unknown.format(name=name)}; {hint}"))
            elif item is not None or not self.may_be_blank:
                try:
                    values[str(name)] = rule.parse(item)
                except RefusedError as error:
                    findings.append(Finding(self.refused.format(name=name, value=item, error=error)))
        refuse(findings)
        self.check(values)
        return {name: values[name] for name in self.columns if name in values}

    def json_schema(self) -> JsonSchemaValue:
        properties = {name: rule.json_schema() for name, rule in self.columns.items()}
        for name in properties.keys() - set(self.required) if self.may_be_blank else ():
            properties[name]["type"] = [properties[name]["type"], "null"]
        required = {"required": list(self.required)} if self.required else {}
        return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def each(noun: str, values: Sequence[object], read: Callable[[object], Value]) -> list[Value]:
    """Return every value as `read` returns it. Errors: RefusedError with a finding for each one that `read` refuses."""
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
    """Raise RefusedError with the findings, if there are any."""
    if findings:
        raise RefusedError(findings)


def check_once(entries: Sequence[object]) -> None:
    """Raise RefusedError if an entry is there twice."""
    if len(set(entries)) < len(entries):
        raise RefusedError("names an entry twice; once is enough")


def rising(entries: Sequence[Any]) -> Sequence[Any]:
    """Return entries in rising order. Errors: RefusedError if one is there twice."""
    check_once(entries)
    return sorted(entries)


def check_sum(shares: Sequence[Decimal], what: str) -> None:
    """Raise RefusedError if shares do not sum to 1, to 12 places."""
    total = sum(shares, Decimal(0))
    if total.quantize(_SHARE_STEP) != 1:
        raise RefusedError(f"the {what} sum to {plain_number(total)}; they must sum to 1")


def _whole_year(weights: list[Decimal]) -> Sequence[Decimal]:
    check_sum(weights, "12 weights")
    return weights


MONTH_WEIGHTS = ListOf(
    "`even` or a list of 12 weights, January first, that sum to 1",
    Number("weight", Decimal(0), Decimal(1), places=20),
    "weight",
    _whole_year,
    length=12,
    or_word="even",
    schema={"minItems": 12, "maxItems": 12},
)
HEADING = text("a column heading")
