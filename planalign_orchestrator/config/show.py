"""What others read from a configuration: effective values with origin, JSON Schema, fingerprint."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic.json_schema import GenerateJsonSchema

from planalign_orchestrator.config.changes import CHANGES
from planalign_orchestrator.config.configuration import Origin, Place, Setting, SimulationConfig
from planalign_orchestrator.config.keys import known_keys, known_sections, mapping_rule
from planalign_orchestrator.config.presets import MATCH_PRESETS, SAFE_KINDS, core_kind, core_rate, match_tiers
from planalign_orchestrator.config.sections.parameters import CENSUS
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.problems import KeyPath, dotted

# keys of assumption tables, and the longest list that a sentence holds
_TABLES = "parameters."
_LONGEST = 60

JsonScalar = str | int | float | bool
JsonValue = JsonScalar | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True)
class EffectiveValue:
    """A key's value as JSON holds it, its origin, and the file:line, variable or formula it is from.

    The last is "" for a default.
    """

    key: str
    value: JsonValue
    origin: Origin | Literal["preset"]
    where: str


def effective_values(cfg: SimulationConfig) -> list[EffectiveValue]:
    """Every key with its value and origin, in the order of the model; a mapping is listed entry by entry.

    What a named formula of the plan stands for is shown in place of what is not set, with origin `preset`.
    """
    presets = _presets(cfg)
    values = []
    for path, value in _leaves(cfg):
        if path in presets:
            expanded, name = presets[path]
            values.append(EffectiveValue(dotted(path), json_value(expanded), "preset", name))
            continue
        place = _place(path, cfg.provenance.settings)
        values.append(EffectiveValue(dotted(path), json_value(value), place.origin, place.where))
    return values


def config_json_schema() -> dict[str, object]:
    """The JSON Schema of a configuration file, with the description, the default and the bounds of every key."""
    schema = SimulationConfig.model_json_schema(schema_generator=_SchemaWithNumbers)
    return {"$schema": _SchemaWithNumbers.schema_dialect, **schema}


def config_fingerprint(cfg: SimulationConfig) -> dict[str, JsonValue]:
    """Dotted key -> value of everything that may change results, to be compared with that of an earlier run.

    JSON can hold it. Equal settings give equal fingerprints however they are written: a decimal is its digits without
    trailing zeros. What is read from a file or fitted to the census is left out: its rows are compared where they are
    loaded.
    """
    return {
        dotted(path): json_value(value, exact=True)
        for path, value in _leaves(cfg)
        if not isinstance(value, Path) and value not in ({}, CENSUS) and _changes_results(path)
    }


def describe_differences(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """A sentence for each key that differs between two fingerprints, in the order of `new`; empty if they are equal."""
    sentences = []
    for key in dict.fromkeys([*new, *old]):
        if key not in old:
            sentences.append(f"{key}: was not set, is now {_shown(new[key])}")
        elif key not in new:
            sentences.append(f"{key}: was {_shown(old[key])}, is now not set")
        elif old[key] != new[key]:
            sentences.append(f"{key}: was {_shown(old[key])}, is now {_shown(new[key])}")
    return sentences


def describe_change(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """What a later year of a run has otherwise than an earlier one, by their fingerprints, in the order of `new`."""
    return [
        _changed(key, new.get(key), old.get(key)) for key in dict.fromkeys([*new, *old]) if new.get(key) != old.get(key)
    ]


def changes_in_words(cfg: SimulationConfig) -> list[str]:
    """A sentence for each year of `changes` with what it sets, and what held before."""
    sentences = []
    for year in sorted(cfg.changes):
        before, now = (
            {value.key: value.value for value in effective_values(cfg.of_year(one))} for one in (year - 1, year)
        )
        given = [".".join(path) for path, _ in _values_of_changes((), cfg.changes[year]) if path]
        texts = [
            _changed(key, now[key], before.get(key))
            for key in now
            if any(key == one or key.startswith(f"{one}.") for one in given)
        ]
        waits = f", after simulation.end_year {cfg.simulation.end_year}" if year > cfg.simulation.end_year else ""
        sentences.append(f"From {year} on{waits}: {', '.join(texts) or 'nothing is changed'}.")
    return sentences


def _changed(key: str, now: object, before: object) -> str:
    if before is None and key.startswith(_TABLES):
        return f"{key} {_in_short(now)}"
    return f"{key} {_in_short(now)}" + (" as before" if now == before else f" instead of {_in_short(before)}")


def _in_short(value: object) -> str:
    """A value as a sentence holds it: rows and long mappings as their number."""
    if value in (None, {}, []):
        return "nothing"
    if isinstance(value, list) and isinstance(value[0], dict):
        return "1 row" if len(value) == 1 else f"{len(value)} rows"
    shown = _shown(value)
    return f"{len(value)} entries" if isinstance(value, list | dict) and len(shown) > _LONGEST else shown


class _SchemaWithNumbers(GenerateJsonSchema):
    """Writes decimal defaults as numbers, as a configuration file does."""

    def encode_default(self, dft: object) -> JsonValue:
        return json_value(dft)


def _changes_results(path: KeyPath) -> bool:
    """Whether results may depend on a key, or on an entry of a mapping."""
    if path[0] == CHANGES:
        # what they change is compared year by year
        return False
    key = known_keys().get(path) or known_keys()[path[:-1]]
    return key.details.changes_results and known_sections()[key.path[:-1]].changes_results


def _presets(cfg: SimulationConfig) -> dict[KeyPath, tuple[object, str]]:
    """Key -> what the plan's named formulas mean by it, and the name."""
    plan = cfg.plan
    presets: dict[KeyPath, tuple[object, str]] = {}
    for section, formula in (("match", plan.match), ("previous_match", plan.previous_match)):
        if formula.formula is not None and formula.formula in MATCH_PRESETS:
            tiers = [{"lower": tier.lower, "upper": tier.upper, "rate": tier.rate} for tier in match_tiers(formula)]
            presets["plan", section, "tiers"] = (tiers, formula.formula)
    if core_kind(plan.core) in SAFE_KINDS:
        presets["plan", "core", "rate"] = (core_rate(plan.core), plan.core.formula)
    return presets


def _leaves(cfg: SimulationConfig) -> Iterator[tuple[KeyPath, object]]:
    """Every key with its value; a mapping that is not empty as its entries."""
    dumped = cfg.model_dump()
    for path in known_keys():
        value: object = dumped
        for name in path:
            value = value[name] if isinstance(value, dict) else None
        if path == (CHANGES,):
            yield from _values_of_changes(path, value) if value else [(path, value)]
        elif isinstance(value, dict) and value:
            yield from (((*path, str(entry)), item) for entry, item in value.items())
        else:
            yield path, value


def _values_of_changes(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, object]]:
    """Every value that a change sets, by its whole path."""
    is_section = len(path) < 2 or path[2:] in known_sections()
    if isinstance(value, dict) and value and (is_section or mapping_rule(path[2:]) is not None):
        for name, item in value.items():
            yield from _values_of_changes((*path, str(name)), item)
    else:
        yield path, value


def _place(path: KeyPath, settings: Mapping[KeyPath, Setting]) -> Place:
    setting = settings.get(path) or settings.get(path[:-1])
    return setting.place if setting else Place("default")


def json_value(value: object, *, exact: bool = False) -> JsonValue:
    """Return a value as JSON holds it; a decimal as its digits if `exact`, else as a number."""
    if isinstance(value, Decimal):
        return plain_number(value) if exact else (int(value) if value == value.to_integral_value() else float(value))
    if isinstance(value, Mapping):
        return {str(key): json_value(item, exact=exact) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item, exact=exact) for item in value]
    if value is None or isinstance(value, (str, int, bool)):
        return value
    return str(value)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
