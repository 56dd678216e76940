"""The configuration: what it accepts exactly, what it refuses and in which words, and what others read from it."""

import copy
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from planalign_orchestrator.config import (
    PARAMETER_TABLES,
    SimulationConfig,
    config_fingerprint,
    config_json_schema,
    describe_differences,
    effective_values,
    load_simulation_config,
    to_dbt_vars,
)
from planalign_orchestrator.errors import ConfigurationError

DEFAULT_FILE = Path(__file__).parents[1] / "config" / "simulation_config.yaml"
MINIMAL = "census: {path: census.csv}\n"
SET_IN_THE_DEFAULT_FILE_ONLY = {"scenario_id", "plan_design_id", "census.path"}

Load = Callable[..., SimulationConfig]


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.upper().startswith("PLANALIGN__")]:
        monkeypatch.delenv(variable)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a text as the file c.yaml of the working directory."""
    monkeypatch.chdir(tmp_path)

    def load_text(text: str, overrides: Mapping[str, object] | Sequence[str] | None = None) -> SimulationConfig:
        Path("c.yaml").write_text(text, encoding="utf-8")
        return load_simulation_config("c.yaml", overrides=overrides)

    return load_text


def problems_of(load: Load, text: str, overrides: Mapping[str, object] | Sequence[str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(text, overrides)
    return caught.value.problems


def default_of(key: str) -> object:
    return next(item.value for item in effective_values(minimal()) if item.key == key)


def minimal(**sections: Any) -> SimulationConfig:
    return SimulationConfig.model_validate({"census": {"path": "census.csv"}} | sections)


# --- the shipped file -------------------------------------------------------------------------------------------------


def test_default_file_names_every_key_and_holds_the_defaults() -> None:
    shipped = {item.key: item for item in effective_values(load_simulation_config(DEFAULT_FILE))}
    defaults = {item.key: item.value for item in effective_values(minimal())}
    assert shipped.keys() == defaults.keys()
    assert {key for key, item in shipped.items() if item.origin != "file"} == set()
    values = {key: item.value for key, item in shipped.items()}
    values["runtime.database"] = Path(str(values["runtime.database"])).name
    assert {key for key in defaults if values[key] != defaults[key]} <= SET_IN_THE_DEFAULT_FILE_ONLY


def test_default_file_states_the_default_of_every_key() -> None:
    lines = DEFAULT_FILE.read_text(encoding="utf-8").splitlines()
    for item in effective_values(load_simulation_config(DEFAULT_FILE)):
        above = lines[int(item.where.rpartition(":")[2]) - 2]
        if item.key == "census.path":
            assert above.endswith("Required: there is no default")
        else:
            assert ("Default: " in above) and yaml.safe_load(above.partition("Default: ")[2]) == default_of(item.key), (
                item.key
            )


def test_default_file_writes_into_the_project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "simulation_config.yaml").write_bytes(DEFAULT_FILE.read_bytes())
    monkeypatch.chdir(tmp_path)
    config = load_simulation_config()
    assert config.census.path == Path("data/sample_census.csv")
    assert config.runtime.database == Path("simulation.duckdb")
    config.require_identifiers()


# --- values -----------------------------------------------------------------------------------------------------------


@given(st.decimals(min_value=0, max_value=1, places=6))
def test_rates_are_exact(rate: Decimal) -> None:
    read = minimal(compensation={"cola_rate": format(rate, "f"), "merit_budget": float(rate)}).compensation
    assert (read.cola_rate, read.merit_budget) == (rate, rate)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.035", "0.035"),
        ("'0.035'", "0.035"),
        (".5", "0.5"),
        ("1", "1"),
        ("0.10", "0.1"),
        ("1e-2", "0.01"),
        ("0.030000000000000000", "0.03"),
    ],
)
def test_a_rate_in_the_file_is_the_decimal_that_is_written(load: Load, written: str, value: str) -> None:
    config = load(MINIMAL + f"compensation: {{merit_budget: {written}}}")
    assert config.compensation.merit_budget == Decimal(value)
    assert isinstance(config.compensation.merit_budget, Decimal)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        pytest.param("simulation: {target_growth_rate: -0.05}", Decimal("-0.05"), id="decline"),
        pytest.param("simulation: {random_seed: '7'}", 7, id="whole number in quotes"),
        pytest.param("new_hires: {level_mix: {1: 0.4, 3: 0.6}}", {1: Decimal("0.4"), 3: Decimal("0.6")}, id="mix"),
        pytest.param("compensation: {promotion: {effective_date: 02-29}}", "02-29", id="leap day"),
        pytest.param("census: {date_format: '%d.%m.%y'}", "%d.%m.%y", id="date format"),
        pytest.param("runtime: {memory_limit: 1.5 GB}", "1.5 GB", id="memory"),
        pytest.param("census: {ignore_columns: [a, b]}", ("a", "b"), id="list"),
        pytest.param("scenario_id: a-b_c.1", "a-b_c.1", id="identifier"),
        pytest.param(
            f"workforce: {{exit_timing: [{', '.join(['0.08333333333333'] * 12)}]}}",
            (Decimal("0.08333333333333"),) * 12,
            id="weights that sum to 1 in 12 places",
        ),
    ],
)
def test_accepted(load: Load, setting: str, expected: object) -> None:
    text = setting if setting.startswith("census") else MINIMAL + setting
    config = load(text, ["census.path=census.csv"])
    value: Any = config
    for name in next(path for path, its in config.provenance.settings.items() if its.place.origin == "file" or its):
        if name == "path" and not setting.startswith("census"):
            break
        value = value.get(int(name)) if isinstance(value, dict) else getattr(value, name)
    assert expected is not None
