"""The configuration of a year: the base with every change up to it, merged key by key."""

from collections.abc import Iterator, Mapping
from typing import Any

from planalign_orchestrator.config.collection_types import MappingOf
from planalign_orchestrator.config.sections.base import YEAR, Details, Section
from planalign_orchestrator.config.sections.parameters import TABLES_RULE
from planalign_orchestrator.config.types import kind_of
from planalign_orchestrator.problems import Finding, KeyPath, RefusedError, dotted

CHANGES = "changes"
_FORMULA = "formula"
_REPLACED_BY = "holds for all years; set it outside of changes"


def _read_change(year: object, values: object) -> tuple[object, object]:
    number = YEAR.parse(int(year) if isinstance(year, str) and year.isdecimal() else year)
    if not isinstance(values, Mapping):
        raise RefusedError(f"is {kind_of(values)}; must be a mapping of sections to keys, as a configuration is")
    return number, values


CHANGES_RULE = MappingOf(
    "a mapping of years to sections and their keys, such as {2027: {plan: {match: {formula: none}}}}",
    _read_change,
    {"additionalProperties": {"type": "object"}},
)


def merged(section: type[Section], values: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a section with those of a change in their place.

    Sections merge key by key, and parameter tables table by table. Every other value replaces: a list, a mix of levels.
    A change that names a formula replaces all that makes the formula.
    """
    kept = {name: value for name, value in values.items() if _FORMULA not in change or name not in section.formula_keys}
    for name, value in change.items():
        below = section_of(section, name)
        before = kept.get(name)
        if below is not None and isinstance(value, Mapping):
            kept[name] = merged(below, before if isinstance(before, Mapping) else {}, value)
        elif _merges(section, name) and isinstance(value, Mapping):
            kept[name] = {**(before or {}), **value}
        else:
            kept[name] = value
    return kept


def findings_of_change(section: type[Section], change: Mapping[str, Any], at: KeyPath) -> Iterator[Finding]:
    """Yield what a change sets that holds for all years; `at` is where the change stands."""
    for name, value in change.items():
        below = section_of(section, name)
        if below is not None and below.of_all_years:
            yield Finding(_REPLACED_BY, ((*at, name),))
        elif below is not None and isinstance(value, Mapping):
            yield from findings_of_change(below, value, (*at, name))
        elif name in section.model_fields and _details(section, name).of_all_years:
            yield Finding(_REPLACED_BY, ((*at, name),))


def in_change(finding: Finding, year: int, changes: Mapping[int, Mapping[str, Any]]) -> Finding:
    """Return a finding about the configuration of a year with the latest change of each key in the key's place."""
    latest_first = sorted((one for one in changes if one <= year), reverse=True)

    def placed(key: KeyPath) -> KeyPath:
        for one in latest_first:
            for path in (key, (*key[:-1], _FORMULA)):
                if _holds(changes[one], path):
                    return (CHANGES, str(one), *path)
        return key

    text = finding.text
    for key in finding.keys:
        # what a formula of a change needs is no use outside of the change, which replaces all that makes the formula
        text = text.replace(f"set {dotted(key)}", f"set {dotted((CHANGES, str(year), *key))}")
    return Finding(f"from {year} on: {text}", tuple(dict.fromkeys(placed(key) for key in finding.keys)))


def _holds(change: Mapping[str, Any], path: KeyPath) -> bool:
    """Whether a change gives a key, or something below it."""
    values: Any = change
    for name in path:
        if not isinstance(values, Mapping) or name not in values:
            return False
        values = values[name]
    return True


def section_of(section: type[Section], name: str) -> type[Section] | None:
    """Return the section below a section by its name, or None for a key and for what is unknown."""
    field = section.model_fields.get(name)
    kind = field.annotation if field is not None else None
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _details(section: type[Section], name: str) -> Details:
    return next(item for item in section.model_fields[name].metadata if isinstance(item, Details))


def _merges(section: type[Section], name: str) -> bool:
    field = section.model_fields.get(name)
    return field is not None and TABLES_RULE in field.metadata
