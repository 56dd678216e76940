"""The section `validation`, and what may be said of a validation rule: how much it weighs, and its thresholds.

Which rules there are is known only where they are loaded, because users bring some.
"""

from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from planalign_orchestrator.config.collection_types import MappingRule, refuse
from planalign_orchestrator.config.findings import Finding, RefusedError
from planalign_orchestrator.config.sections.base import COUNT, Location, OnOff, Section, Threshold
from planalign_orchestrator.config.types import Number, kind_of

SEVERITIES = ("error", "warning", "info", "off")
_SHARE = Number("share", Decimal(0), Decimal(1000))
_RATIO = Number("ratio", Decimal(0), Decimal(1000))
_FEWEST = Number("whole number", Decimal(0), Decimal(10**9), places=0)
THRESHOLDS: Mapping[str, Mapping[str, Number]] = {
    "row_count_drift": {"maximum_drift": _SHARE},
    "hire_termination_ratio": {"minimum_ratio": _RATIO, "maximum_ratio": _RATIO, "minimum_exits": _FEWEST},
    "event_spike": {"maximum_ratio": _RATIO, "minimum_events": _FEWEST},
}
RuleSetting = Mapping[str, str | int | Decimal]


class RuleSettings(MappingRule):
    """Rule -> severity, or severity and thresholds; `off` may be written without quotes."""

    example: ClassVar[str] = "{event_spike: {severity: error, maximum_ratio: 3}, row_count_drift: off}"

    @property
    def allowed(self) -> str:
        return f"a mapping of rules to a severity or to severity and thresholds, such as {self.example}"

    def parse_entry(self, key: object, value: object) -> tuple[object, object]:
        if not isinstance(value, Mapping):
            return key, {"severity": _severity(value)}
        thresholds = THRESHOLDS.get(str(key), {})
        setting: dict[str, str | int | Decimal] = {}
        findings = []
        for name, item in value.items():
            try:
                setting[str(name)] = _severity(item) if name == "severity" else _threshold(str(name), item, thresholds)
            except RefusedError as error:
                findings.append(Finding(f"`{name}` {error}"))
        refuse(findings)
        if Decimal(setting.get("minimum_ratio", 0)) > Decimal(setting.get("maximum_ratio", _RATIO.upper)):
            raise RefusedError("has a `minimum_ratio` above its `maximum_ratio`; change one of them")
        return key, setting

    def json_schema(self) -> JsonSchemaValue:
        severity: JsonSchemaValue = {"enum": [*SEVERITIES, False]}
        names = sorted({name for thresholds in THRESHOLDS.values() for name in thresholds})
        properties: JsonSchemaValue = {"severity": severity, **{name: {"type": "number"} for name in names}}
        setting = {"type": "object", "properties": properties, "additionalProperties": False}
        return {"type": "object", "additionalProperties": {"anyOf": [severity, setting]}}


def _severity(value: object) -> str:
    # YAML reads `off` as false
    word = "off" if value is False else value
    if word not in SEVERITIES:
        close = get_close_matches(str(word), SEVERITIES, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"must be {', '.join(SEVERITIES[:-1])} or {SEVERITIES[-1]}"
        raise RefusedError(f"is {kind_of(value)}; {hint}" if not isinstance(value, str) else f"is `{value}`; {hint}")
    return str(word)


def _threshold(name: str, value: object, thresholds: Mapping[str, Number]) -> Decimal | int:
    if name not in thresholds:
        close = get_close_matches(name, ["severity", *thresholds], n=1)
        known = ", ".join(["severity", *thresholds])
        raise RefusedError(f"is unknown here; {f'did you mean `{close[0]}`?' if close else f'the keys are {known}'}")
    return thresholds[name].parse(value)


class ValidationSection(Section):
    """What a year must look like to be plausible."""

    fail_on_validation_error: OnOff = Field(
        default=False,
        description="Whether a rule of severity error stops the run when it fails; a broken invariant always does.",
    )
    maximum_hire_rate: Threshold = Field(
        default=Decimal("0.60"),
        description="Hires of a year as a share of its opening headcount, above which the year is reported.",
    )
    maximum_average_pay_growth: Threshold = Field(
        default=Decimal("0.15"), description="Growth of average pay in a year, above which the year is reported."
    )
    examples: Annotated[int, COUNT] = Field(default=3, description="How many employees a reported violation names.")
    rules: Annotated[Mapping[str, RuleSetting], RuleSettings()] = Field(
        default={},
        description="Rule -> error, warning, info or off, or severity and thresholds; invariants stay errors.",
    )
    custom_rules_file: Location | None = Field(
        default=None,
        description="Own rules: a Python file with a list RULES, a .sql query of offending rows, or a folder of those.",
    )
