"""What others read from a configuration: dbt variables, effective values with origin, JSON Schema, fingerprint."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema

from planalign_orchestrator.config.findings import KeyPath, dotted
from planalign_orchestrator.config.keys import known_keys
from planalign_orchestrator.config.model import Origin, Place, Setting, SimulationConfig
from planalign_orchestrator.config.values import plain_number

JsonScalar = str | int | float | bool
JsonValue = JsonScalar | None | list["JsonValue"] | dict[str, "JsonValue"]

# Results do not depend on these. The people of the census and the rows of the parameter tables are compared themselves.
_WITHOUT_EFFECT_ON_RESULTS = (
    ("simulation", "end_year"),
    ("census",),
    ("validation", "examples"),
    ("validation", "fail_on_validation_error"),
    ("reports",),
    ("runtime",),
)


@dataclass(frozen=True)
class EffectiveValue:
    """A key's value as JSON holds it, its origin, and the file:line or variable it stands in ("" for a default)."""

    key: str
    value: JsonValue
    origin: Origin
    where: str


def to_dbt_vars(cfg: SimulationConfig) -> dict[str, JsonScalar]:
    """The parameters of the model that are single values, by the name the models read; JSON scalars, never None.

    Rates and amounts are floats whose shortest text has the configured digits; days of the year are "MM-DD". The
    simulated year is added year by year; month weights, COLA by year and level mix reach the models as tables.
    """
    promotion, raises, hires = cfg.compensation.promotion, cfg.raise_timing, cfg.new_hires
    return {
        "scenario_id": cfg.scenario_id,
        "plan_design_id": cfg.plan_design_id,
        "start_year": cfg.simulation.start_year,
        "random_seed": cfg.simulation.random_seed,
        "target_growth_rate": float(cfg.simulation.target_growth_rate),
        "headcount_mode": cfg.workforce.headcount_mode,
        "total_termination_rate": float(cfg.workforce.total_termination_rate),
        "new_hire_termination_rate": float(cfg.workforce.new_hire_termination_rate),
        "voluntary_share": float(cfg.workforce.voluntary_share),
        "merit_budget": float(cfg.compensation.merit_budget),
        "promotion_effective_date": promotion.effective_date,
        "promotion_base_rate": float(promotion.base_rate),
        "promotion_rate_multiplier": float(promotion.rate_multiplier),
        "promotion_minimum_service_years": promotion.minimum_service_years,
        "promotion_maximum_age": promotion.maximum_age,
        "promotion_base_increase": float(promotion.base_increase),
        "promotion_increase_spread": float(promotion.increase_spread),
        "promotion_maximum_increase_rate": float(promotion.maximum_increase_rate),
        "promotion_maximum_increase_amount": float(promotion.maximum_increase_amount),
        "raise_methodology": raises.methodology,
        "raise_fixed_date": raises.fixed_date,
        "raise_minimum_service_years": raises.minimum_service_years,
        "new_hire_pay_noise_sd": float(hires.pay_noise_sd),
        "new_hire_part_time_share": float(hires.part_time_share),
        "new_hire_part_time_hours_per_week": float(hires.part_time_hours_per_week),
        "new_hire_full_time_hours_per_week": float(hires.full_time_hours_per_week),
        "maximum_hire_rate": float(cfg.validation.maximum_hire_rate),
        "maximum_average_pay_growth": float(cfg.validation.maximum_average_pay_growth),
    }


def effective_values(cfg: SimulationConfig) -> list[EffectiveValue]:
    """Every key with its value and origin, in the order of the model; a mapping is listed entry by entry."""
    values = []
    for path, value in _leaves(cfg):
        place = _place(path, cfg.provenance.settings)
        values.append(EffectiveValue(dotted(path), _json_value(value, exact=False), place.origin, place.where))
    return values


def config_json_schema() -> dict[str, object]:
    """The JSON Schema of a configuration file, with the description, the default and the bounds of every key."""
    schema = SimulationConfig.model_json_schema(schema_generator=_SchemaWithNumbers)
    return {"$schema": _SchemaWithNumbers.schema_dialect, **schema}


def config_fingerprint(cfg: SimulationConfig) -> dict[str, JsonValue]:
    """Dotted key -> value of everything that may change results, to be compared with that of an earlier run.

    JSON can hold it. Equal settings give equal fingerprints however they are written: a decimal is its digits without
    trailing zeros. A parameter table that is read from a file is left out; its rows are compared where they are loaded.
    """
    return {
        dotted(path): _json_value(value, exact=True)
        for path, value in _leaves(cfg)
        if not isinstance(value, Path)
        and value != {}
        and not any(path[: len(key)] == key for key in _WITHOUT_EFFECT_ON_RESULTS)
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


class _SchemaWithNumbers(GenerateJsonSchema):
    """Writes decimal defaults as numbers, as a configuration file does."""

    def encode_default(self, dft: object) -> JsonValue:
        return _json_value(dft, exact=False)


def _leaves(cfg: SimulationConfig) -> Iterator[tuple[KeyPath, object]]:
    """Every key with its value; a mapping that is not empty as its entries."""
    dumped = cfg.model_dump()
    for path in known_keys():
        value: object = dumped
        for name in path:
            value = value[name] if isinstance(value, dict) else None
        if isinstance(value, dict) and value:
            yield from (((*path, str(entry)), item) for entry, item in value.items())
        else:
            yield path, value


def _place(path: KeyPath, settings: Mapping[KeyPath, Setting]) -> Place:
    setting = settings.get(path) or settings.get(path[:-1])
    return setting.place if setting else Place("default")


def _json_value(value: object, *, exact: bool) -> JsonValue:
    """`value` as JSON; a decimal as its digits if `exact`, else as a number."""
    if isinstance(value, Decimal):
        return plain_number(value) if exact else (int(value) if value == value.to_integral_value() else float(value))
    if isinstance(value, Mapping):
        return {str(key): _json_value(item, exact=exact) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item, exact=exact) for item in value]
    if value is None or isinstance(value, (str, int, bool)):
        return value
    return str(value)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
