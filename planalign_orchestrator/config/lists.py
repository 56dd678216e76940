"""Settings of the plan that are lists: words, levels, tiers of a formula, vesting schedules, limits of a year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from typing import ClassVar, NotRequired, TypedDict

from pydantic.json_schema import JsonSchemaValue

from planalign_orchestrator.config.collection_types import MappingRule, each, refuse
from planalign_orchestrator.config.findings import Finding, RefusedError
from planalign_orchestrator.config.types import Number, Rule, kind_of, plain_number

MatchTierEntry = TypedDict(
    "MatchTierEntry",
    {"from": NotRequired[int], "to": NotRequired[int], "lower": Decimal, "upper": Decimal, "rate": Decimal},
)
CoreTierEntry = TypedDict("CoreTierEntry", {"from": int, "to": NotRequired[int], "rate": Decimal})
VestingSetting = str | tuple[Decimal, ...]

LIMITS = (
    "elective_deferral_limit",
    "catch_up_limit",
    "super_catch_up_limit",
    "compensation_limit",
    "annual_additions_limit",
    "hce_threshold",
    "social_security_wage_base",
    "roth_catch_up_wage_threshold",
)
VESTING_WORDS = ("immediate", "cliff_2", "cliff_3", "graded_4", "graded_5", "graded_6")
_SHARE_OF_PAY = Number("rate", Decimal(0), Decimal(1))
_MATCH_RATE = Number("rate", Decimal(0), Decimal(2), upper_open=True)
_BAND = Number("whole number of years or points", Decimal(0), Decimal(200), places=0)


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
                close = get_close_matches(str(word), self.words, n=1)
                hint = f"did you mean `{close[0]}`?" if close else f"must be {self.allowed}"
                raise RefusedError(f"has the entry {word}; {hint}")
        if len(set(value)) < len(value):
            raise RefusedError("names an entry twice; once is enough")
        if not self.ordered:
            return tuple(word for word in self.words if word in value)
        if len(value) < len(self.words):
            raise RefusedError(f"leaves out {', '.join(word for word in self.words if word not in value)}")
        return tuple(value)

    def json_schema(self) -> JsonSchemaValue:
        fewest = len(self.words) if self.ordered else 0
        return {"type": "array", "items": {"enum": list(self.words)}, "uniqueItems": True, "minItems": fewest}


@dataclass(frozen=True)
class NumberList(Rule):
    """Numbers of one kind, each once, in rising order."""

    entry: Number
    example: str

    @property
    def allowed(self) -> str:
        return f"a list such as {self.example}"

    def parse(self, value: object) -> tuple[Decimal | int, ...]:
        if not isinstance(value, (list, tuple)):
            raise RefusedError(f"is {kind_of(value)}; must be {self.allowed}")
        numbers = each("entry", value, self.entry.parse)
        if len(set(numbers)) < len(numbers):
            raise RefusedError("names an entry twice; once is enough")
        return tuple(sorted(numbers))

    def json_schema(self) -> JsonSchemaValue:
        return {"type": "array", "items": self.entry.json_schema(), "uniqueItems": True}


class TierList(Rule):
    """Rows of a formula; subclasses name their columns. A blank `from` or `to` is the same as none."""

    columns: ClassVar[Mapping[str, Number]]
    required: ClassVar[tuple[str, ...]]
    example: ClassVar[str]

    @property
    def allowed(self) -> str:
        return f"a list of tiers such as {self.example}"

    def parse(self, value: object) -> tuple[Mapping[str, Decimal | int], ...]:
        if not isinstance(value, (list, tuple)):
            raise RefusedError(f"is {kind_of(value)}; must be {self.allowed}")
        tiers = each("tier", value, self._read)
        self.check(tiers)
        return tuple(tiers)

    def json_schema(self) -> JsonSchemaValue:
        properties = {name: rule.json_schema() for name, rule in self.columns.items()}
        for name in set(self.columns) - set(self.required):
            properties[name]["type"] = ["integer", "null"]
        tier = {"type": "object", "properties": properties, "required": list(self.required)}
        return {"type": "array", "items": {**tier, "additionalProperties": False}}

    def check(self, tiers: Sequence[Mapping[str, Decimal | int]]) -> None:
        """Raises RefusedError if the tiers, each good alone, do not fit together."""

    def _read(self, tier: object) -> Mapping[str, Decimal | int]:
        if not isinstance(tier, Mapping):
            raise RefusedError(f"is {kind_of(tier)}; must be a mapping such as {self.example[1:-1]}")
        findings = [Finding(f"has no `{name}`") for name in self.required if tier.get(name) is None]
        values: dict[str, Decimal | int] = {}
        for name, value in tier.items():
            rule = self.columns.get(str(name))
            if rule is None:
                close = get_close_matches(str(name), self.columns, n=1)
                hint = f"did you mean `{close[0]}`?" if close else f"its keys are {', '.join(self.columns)}"
                findings.append(Finding(f"has the unknown key `{name}`; {hint}"))
            elif value is not None:
                try:
                    values[str(name)] = rule.parse(value)
                except RefusedError as error:
                    findings.append(Finding(f"has `{name}` = {value}, which {error}"))
        refuse(findings)
        self._check_order(values, "from", "to")
        self._check_order(values, "lower", "upper")
        return {name: values[name] for name in self.columns if name in values}

    def _check_order(self, tier: Mapping[str, Decimal | int], low: str, high: str) -> None:
        if low in tier and high in tier and tier[low] >= tier[high]:
            raise RefusedError(
                f"has `{high}` {plain_number(tier[high])}, which is not above `{low}` {plain_number(tier[low])}"
            )


class MatchTiers(TierList):
    """Tiers of a match: `rate` on the deferrals between `lower` and `upper`, as shares of pay, in a band."""

    columns: ClassVar[Mapping[str, Number]] = {
        "from": _BAND,
        "to": _BAND,
        "lower": _SHARE_OF_PAY,
        "upper": _SHARE_OF_PAY,
        "rate": _MATCH_RATE,
    }
    required: ClassVar[tuple[str, ...]] = ("lower", "upper", "rate")
    example: ClassVar[str] = "[{lower: 0, upper: 0.06, rate: 0.5}]"

    def check(self, tiers: Sequence[Mapping[str, Decimal | int]]) -> None:
        """Raises RefusedError if two tiers of the same band overlap."""
        ordered = sorted(enumerate(tiers, start=1), key=lambda item: (item[1].get("from", 0), item[1]["lower"]))
        for (first, below), (second, above) in pairwise(ordered):
            same_band = below.get("from") == above.get("from") and below.get("to") == above.get("to")
            if same_band and above["lower"] < below["upper"]:
                raise RefusedError(
                    f"tiers {first} and {second} overlap: `lower` {plain_number(above['lower'])} is below `upper` "
                    f"{plain_number(below['upper'])}"
                )


class CoreTiers(TierList):
    """Tiers of a core contribution: `rate` of pay in a band of completed years of service, points or age."""

    columns: ClassVar[Mapping[str, Number]] = {"from": _BAND, "to": _BAND, "rate": _SHARE_OF_PAY}
    required: ClassVar[tuple[str, ...]] = ("from", "rate")
    example: ClassVar[str] = "[{from: 0, to: 5, rate: 0.02}, {from: 5, rate: 0.04}]"


class VestingSchedule(Rule):
    """A named schedule, or vested rates by completed years of service from 0, which rise to 1."""

    @property
    def allowed(self) -> str:
        named = ", ".join(f"`{word}`" for word in VESTING_WORDS)
        return f"{named} or a list of vested rates by completed year from 0, such as [0, 0.5, 1]"

    def parse(self, value: object) -> VestingSetting:
        if isinstance(value, str):
            if value in VESTING_WORDS:
                return value
            close = get_close_matches(value, VESTING_WORDS, n=1)
            raise RefusedError(f"did you mean `{close[0]}`?" if close else f"must be {self.allowed}")
        if not isinstance(value, (list, tuple)):
            raise RefusedError(f"is {kind_of(value)}; must be {self.allowed}")
        rates = [Decimal(rate) for rate in each("rate", value, _SHARE_OF_PAY.parse)]
        if any(later < earlier for earlier, later in pairwise(rates)):
            raise RefusedError("has a rate that is lower than the one before; vested rates never fall")
        if not rates or rates[-1] != 1:
            raise RefusedError("does not end at 1; everybody is fully vested in the end")
        return tuple(rates)

    def json_schema(self) -> JsonSchemaValue:
        rates = {"type": "array", "items": _SHARE_OF_PAY.json_schema(), "minItems": 1}
        return {"anyOf": [{"enum": list(VESTING_WORDS)}, rates]}


@dataclass(frozen=True)
class LimitsByYear(MappingRule):
    """Year -> limits that replace those of that year alone."""

    year: Number
    amount: Number

    @property
    def allowed(self) -> str:
        return "a mapping of years to limits, such as {2027: {catch_up_limit: 8500}}"

    def parse_entry(self, key: object, value: object) -> tuple[object, object]:
        try:
            year = self.year.parse(key)
        except RefusedError as error:
            raise RefusedError(f"the key {key} {error}") from None
        if not isinstance(value, Mapping) or not value:
            raise RefusedError(f"is {kind_of(value)}; must be a mapping such as {{catch_up_limit: 8500}}")
        return year, dict(map(self._limit, value.items()))

    def json_schema(self) -> JsonSchemaValue:
        limits = {
            "type": "object",
            "properties": dict.fromkeys(LIMITS, self.amount.json_schema()),
            "additionalProperties": False,
        }
        return {"type": "object", "propertyNames": {"pattern": "^[0-9]+$"}, "additionalProperties": limits}

    def _limit(self, item: tuple[object, object]) -> tuple[str, Decimal | int]:
        name, value = str(item[0]), item[1]
        if name not in LIMITS:
            close = get_close_matches(name, LIMITS, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"the limits are {', '.join(LIMITS)}"
            raise RefusedError(f"`{name}` is no limit; {hint}")
        try:
            return name, self.amount.parse(value)
        except RefusedError as error:
            raise RefusedError(f"has `{name}` = {value}, which {error}") from None
