"""Which rules a run judges its years by: those of the program as configured, then those of users."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from planalign_orchestrator.config import SimulationConfig
from planalign_orchestrator.config.sections.validation import THRESHOLDS
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.model import DataTest
from planalign_orchestrator.problems import did_you_mean
from planalign_orchestrator.validation.custom import custom_rules, rules_without_executing
from planalign_orchestrator.validation.results import ValidationRule, ValidationSeverity
from planalign_orchestrator.validation.rules import (
    EventSequenceRule,
    EventSpikeRule,
    HireTerminationRatioRule,
    PrimaryKeyUniquenessRule,
    QueryRule,
    RowCountDriftRule,
    SqlRule,
)
from planalign_orchestrator.validation.validator import DataValidator

_OFF = "off"
_KEY = "validation.rules"


def builtin_rules() -> tuple[QueryRule, ...]:
    """Return the rules that every run has beside the data tests of the compiled model."""
    return (
        RowCountDriftRule(),
        HireTerminationRatioRule(),
        EventSequenceRule(is_invariant=True),
        EventSpikeRule(),
        PrimaryKeyUniquenessRule("enrollment_registry", ("employee_id",), "from_year", is_invariant=True),
    )


def build_validator(
    db: DatabaseConnectionManager,
    config: SimulationConfig,
    tests: Sequence[DataTest],
    registered: Iterable[ValidationRule] = (),
) -> DataValidator:
    """Return the validator of a run: `tests`, built-in rules, custom rules and `registered` ones, as configured.

    A user's rule with the name of a built-in one takes its place, unless that is an invariant.
    Errors: ConfigurationError for an unknown name, a name given twice, an invariant that is switched off or lowered, or
    custom rules that cannot be loaded.
    """
    section = config.validation
    program = [*(SqlRule.of(test) for test in tests), *builtin_rules()]
    extra = [*custom_rules(section.custom_rules_file), *registered]
    problems = [*_names_twice(program, extra), *_wrong_settings(config, program, extra)]
    if problems:
        raise ConfigurationError(problems)
    replaced = {rule.name for rule in extra}
    kept = [
        _configured(rule, section.rules.get(rule.name, {}))
        for rule in program
        if rule.name not in replaced and not _is_off(section.rules, rule.name)
    ]
    severities = {
        name: ValidationSeverity(str(setting["severity"]))
        for name, setting in section.rules.items()
        if "severity" in setting and not _is_off(section.rules, name)
    }
    validator = DataValidator(db, kept, severities=severities, examples=section.examples)
    for rule in extra:
        if not _is_off(section.rules, rule.name):
            validator.register_rule(_configured(rule, section.rules.get(rule.name, {})))
    return validator


def are_as_packaged(config: SimulationConfig) -> bool:
    """Whether a run has the rules of the program and no others, unchanged."""
    section = config.validation
    return not (section.rules or section.custom_rules_file or rules_without_executing(None)[1])


def judge_without_executing(config: SimulationConfig, tests: Sequence[DataTest]) -> tuple[list[str], list[str]]:
    """Return what is wrong with the rules of a configuration, and what only executing code of users would tell.

    Nothing of theirs is executed, neither Python nor SQL.
    """
    section = config.validation
    program = [*(SqlRule.of(test) for test in tests), *builtin_rules()]
    try:
        queries, code = rules_without_executing(section.custom_rules_file)
    except ConfigurationError as error:
        return [*error.problems, *_wrong_settings(config, program, [], may_be_more=True)], []
    problems = [*_names_twice(program, queries), *_wrong_settings(config, program, queries, may_be_more=bool(code))]
    facts = [f"{where} was not executed; --execute-rules tries it" for where in code]
    unknown = section.rules.keys() - {rule.name for rule in [*program, *queries]}
    if code and unknown:
        facts.append(f"validation.rules: only --execute-rules tells whether there is {', '.join(sorted(unknown))}")
    return problems, facts


def _configured(rule: Any, setting: Mapping[str, Any]) -> Any:
    """The rule with its severity and thresholds; of rules that are no queries the validator changes the severity."""
    if not setting or not isinstance(rule, QueryRule):
        return rule
    changes = {name: value for name, value in setting.items() if name != "severity"}
    if "severity" in setting:
        changes["severity"] = ValidationSeverity(setting["severity"])
    return replace(rule, **changes)


def _is_off(settings: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    return settings.get(name, {}).get("severity") == _OFF


def _names_twice(program: Sequence[QueryRule], extra: Sequence[ValidationRule]) -> list[str]:
    invariants = {rule.name for rule in program if rule.is_invariant}
    names = [rule.name for rule in extra]
    problems = [
        f"two validation rules are called {name}; rename one" for name in sorted(set(names)) if names.count(name) > 1
    ]
    return problems + [
        f"a validation rule is called {name}, which is an invariant of the model; rename it"
        for name in sorted(invariants.intersection(names))
    ]


def _wrong_settings(
    config: SimulationConfig,
    program: Sequence[QueryRule],
    extra: Sequence[ValidationRule],
    *,
    may_be_more: bool = False,
) -> list[str]:
    """Return what is wrong with `validation.rules`; where there may be more rules, an unknown name may be right."""
    invariants = {rule.name for rule in program if rule.is_invariant}
    names = sorted({rule.name for rule in [*program, *extra]})
    others = {rule.name for rule in extra if not isinstance(rule, QueryRule)}
    problems = []
    for name, setting in config.validation.rules.items():
        given = config.provenance.settings.get(("validation", "rules", name))
        where = f"{given.place.where}: " if given else ""
        if name not in names and may_be_more:
            continue
        if name not in names:
            hint = did_you_mean(name, names, "`planalign status --json` lists the rules of a run")
            problems.append(f"{where}{_KEY}.{name}: there is no such rule; {hint}")
        elif name in invariants and setting.get("severity", "error") != "error":
            problems.append(
                f"{where}{_KEY}.{name} = {setting['severity']}: this is an invariant of the model, which always stops "
                "a run; remove the entry"
            )
        elif name in others and name in THRESHOLDS and setting.keys() - {"severity"}:
            problems.append(f"{where}{_KEY}.{name}: the rule that replaces the built-in one has its own thresholds")
    return problems
