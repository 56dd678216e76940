"""The section `validation`, and what may be said of a validation rule: how much it weighs, and its thresholds.

Which rules there are is known only where they are loaded, because users bring some.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic.json_schema import JsonSchemaValue

from planalign_orchestrator.config.collection_types import MappingOf, Record
from planalign_orchestrator.config.sections.base import Location, OnOff, Section, key
from planalign_orchestrator.config.types import Kind, Number, kind_of
from planalign_orchestrator.problems import RefusedError, did_you_mean

SEVERITIES = ("error", "warning", "info", "off")
_EXAMPLE = "{event_spike: {severity: error, maximum_ratio: 3}, row_count_drift: off}"
_SEVERITY_WORDS = "error, warning, info or off"
_SHARE = Number("share", Decimal(0), Decimal(1000))
_RATIO = Number("ratio", Decimal(0), Decimal(1000))
_FEWEST = Number("whole number", Decimal(0), Decimal(10**9), places=0)
THRESHOLD = Number("rate", Decimal(0), Decimal(10))
COUNT = Number("whole number", Decimal(0), Decimal(1000), places=0)

THRESHOLDS: Mapping[str, Mapping[str, Number]] = {
    "row_count_drift": {"maximum_drift": _SHARE},
    "hire_termination_ratio": {"minimum_ratio": _RATIO, "maximum_ratio": _RATIO, "minimum_exits": _FEWEST},
    "event_spike": {"maximum_ratio": _RATIO, "minimum_events": _FEWEST},
}

Threshold = Annotated[Decimal, THRESHOLD]
RuleSetting = Mapping[str, str | int | Decimal]


def _read_severity(value: object) -> str:
    # YAML reads `off` as false
    word = "off" if value is False else value
    if word not in SEVERITIES:
        shown = f"`{value}`" if isinstance(value, str) else kind_of(value)
        raise RefusedError(f"is {shown}; {did_you_mean(word, SEVERITIES, f'must be {_SEVERITY_WORDS}')}")
    return str(word)


def _check_ratios(setting: Mapping[str, Decimal]) -> None:
    if setting.get("minimum_ratio", _RATIO.lower) > setting.get("maximum_ratio", _RATIO.upper):
        raise RefusedError("has a `minimum_ratio` above its `maximum_ratio`; change one of them")


def _read_rule(name: object, value: object) -> tuple[object, object]:
    """Return a rule with its severity, or with severity and thresholds; `off` may be written without quotes."""
    if not isinstance(value, Mapping):
        return name, {"severity": _read_severity(value)}
    columns = {"severity": SEVERITY, **THRESHOLDS.get(str(name), {})}
    setting = Record(
        "a severity, or a mapping of severity and thresholds",
        columns,
        otherwise=f"the keys are {', '.join(columns)}",
        unknown="`{name}` is unknown here",
        refused="`{name}` {error}",
        check=_check_ratios,
    )
    return name, setting.parse(value)


def _rules_schema() -> JsonSchemaValue:
    names = sorted({name for thresholds in THRESHOLDS.values() for name in thresholds})
    properties = {"severity": SEVERITY.json_schema(), **{name: {"type": "number"} for name in names}}
    setting = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"additionalProperties": {"anyOf": [SEVERITY.json_schema(), setting]}}


SEVERITY = Kind(_SEVERITY_WORDS, _read_severity, {"enum": [*SEVERITIES, False]})
RULES = MappingOf(
    f"a mapping of rules to a severity or to severity and thresholds, such as {_EXAMPLE}",
    _read_rule,
    _rules_schema(),
    in_brief=f"A mapping, for example {_EXAMPLE}",
)


class ValidationSection(Section):
    """What a year must look like to be plausible."""

    of_all_years: ClassVar[bool] = True

    fail_on_validation_error: OnOff = key(
        False,
        "Whether a rule of severity error stops the run when it fails; a broken invariant of the model always does.",
        changes_results=False,
    )
    maximum_hire_rate: Threshold = key(
        Decimal("0.60"),
        "Hires of a year as a share of its opening headcount, above which the year is reported.",
        "maximum_hire_rate",
    )
    maximum_average_pay_growth: Threshold = key(
        Decimal("0.15"),
        "Growth of average pay within a year, above which the year is reported.",
        "maximum_average_pay_growth",
    )
    examples: Annotated[int, COUNT] = key(3, "How many employees a reported violation names.", changes_results=False)
    rules: Annotated[Mapping[str, RuleSetting], RULES] = key(
        {},
        "How much a validation rule weighs: error, warning, info (a note) or off; or severity and thresholds of a "
        "rule that has some: row_count_drift (maximum_drift 0.5), hire_termination_ratio (minimum_ratio 0.25, "
        "maximum_ratio 4, minimum_exits 50), event_spike (maximum_ratio 2, minimum_events 100). `planalign status "
        "--json` lists the rules of a run. An invariant of the model cannot be switched off or made a warning.",
        changes_results=False,
    )
    custom_rules_file: Location | None = key(
        None,
        "Rules of your own: a Python file with a list RULES of rules, a .sql file with a query of offending rows, "
        "or a folder of .sql files. Installed packages bring rules by planalign.validation_rules.",
        changes_results=False,
    )
