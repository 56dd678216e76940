"""The single values that the models read, by the name they read them by, and the SQL type of each."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter

from planalign_orchestrator.config.configuration import SimulationConfig
from planalign_orchestrator.config.keys import Key, known_keys, known_sections
from planalign_orchestrator.config.sections.base import JsonScalar, Parameter
from planalign_orchestrator.problems import KeyPath, dotted

# the simulated year, which the orchestrator adds year by year
_YEAR_PARAMETER = {"simulation_year": "integer"}


def to_dbt_vars(cfg: SimulationConfig) -> dict[str, JsonScalar]:
    """Return the parameters of the model that are single values, by the name the models read; JSON scalars, never None.

    Rates and amounts are floats whose shortest text has the configured digits; dates are ISO text, days of the year
    "MM-DD". The simulated year is added year by year; lists, formulas and limits reach the models as tables.
    """
    variables = {}
    for name, parameter, path, _ in _parameters():
        value = _value(cfg, path)
        variables[name] = _scalar(value) if parameter.to is None else parameter.to(value, cfg)
    return variables


def parameter_types() -> dict[str, str]:
    """Return the SQL type of every parameter of the model, by its name."""
    types = {
        name: parameter.sql_type or ("" if key is None else key.sql_type) for name, parameter, _, key in _parameters()
    }
    return types | _YEAR_PARAMETER


def parameters_by_key() -> dict[str, list[str]]:
    """Return the parameters that each key becomes, by itself or together with the other keys of its section."""
    becoming: dict[str, list[str]] = {dotted(path): [] for path in known_keys()}
    for name, _, path, key in _parameters():
        keys = [path] if key is not None else [below for below in known_keys() if below[:-1] == path]
        for below in keys:
            becoming[dotted(below)].append(name)
    return becoming


def _parameters() -> Iterator[tuple[str, Parameter, KeyPath, Key | None]]:
    """Yield every parameter with its name and the path of its section, or of its key and the key."""
    for path, section in known_sections().items():
        yield from ((_name(parameter, path), parameter, path, None) for parameter in section.becomes)
    for path, key in known_keys().items():
        yield from ((_name(parameter, path[:-1]), parameter, path, key) for parameter in key.details.becomes)


def _name(parameter: Parameter, section: KeyPath) -> str:
    return parameter.name.format(source=section[-1] if section else "")


def _value(cfg: SimulationConfig, path: KeyPath) -> object:
    """Return the value at a path; one that is null where that stands for another section's value is that value."""
    value: object = attrgetter(dotted(path))(cfg)
    beside = known_sections()[path[:-1]].null_is_as_in if path in known_keys() else ""
    return _value(cfg, (*path[:-2], beside, path[-1])) if value is None and beside else value


def _scalar(value: object) -> JsonScalar:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, (str, int, bool)):
        return value
    raise TypeError(f"{value!r} is no single value")
