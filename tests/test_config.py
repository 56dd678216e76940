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
from planalign_orchestrator.config.dbt_vars import parameter_types
from planalign_orchestrator.config.keys import known_keys, known_sections
from planalign_orchestrator.config.types import Number
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.model import load_compiled_model
from planalign_orchestrator.problems import did_you_mean, nearest

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
    """The default as a file would write it; config show tells what a preset stands for instead."""
    item = next(item for item in effective_values(minimal()) if item.key == key)
    return [] if item.origin == "preset" else item.value


def value_at(config: SimulationConfig, key: str) -> object:
    """The value of a dotted key; the last part may be an entry of a mapping."""
    value: Any = config.model_dump()
    for part in key.split("."):
        value = value[int(part) if part.isdigit() else part]
    return value


def minimal(**sections: Any) -> SimulationConfig:
    return SimulationConfig.model_validate({"census": {"path": "census.csv"}} | sections)


# --- the shipped file -------------------------------------------------------------------------------------------------


def test_default_file_names_every_key_and_holds_the_defaults() -> None:
    shipped = {item.key: item for item in effective_values(load_simulation_config(DEFAULT_FILE))}
    defaults = {item.key: item.value for item in effective_values(minimal())}
    assert shipped.keys() == defaults.keys()
    assert {key for key, item in shipped.items() if item.origin != "file"} == {"plan.match.tiers"}
    values = {key: item.value for key, item in shipped.items()}
    values["runtime.database"] = Path(str(values["runtime.database"])).name
    assert {key for key in defaults if values[key] != defaults[key]} <= SET_IN_THE_DEFAULT_FILE_ONLY


def test_default_file_states_the_default_of_every_key() -> None:
    lines = DEFAULT_FILE.read_text(encoding="utf-8").splitlines()
    config = load_simulation_config(DEFAULT_FILE)
    for item in effective_values(config):
        above = lines[config.provenance.settings[tuple(item.key.split("."))].place.line - 2]
        if item.key == "census.path":
            assert above.endswith("Required: there is no default")
        else:
            assert "Default: " in above, item.key
            assert yaml.safe_load(above.partition("Default: ")[2]) == default_of(item.key), item.key


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
    ("setting", "key", "expected"),
    [
        pytest.param(
            "simulation: {target_growth_rate: -0.05}", "simulation.target_growth_rate", Decimal("-0.05"), id="-"
        ),
        pytest.param("simulation: {random_seed: '7'}", "simulation.random_seed", 7, id="number in quotes"),
        pytest.param("scenario_id: a-b_c.1", "scenario_id", "a-b_c.1", id="identifier"),
        pytest.param("runtime: {memory_limit: 1.5 GB}", "runtime.memory_limit", "1.5 GB", id="memory"),
        pytest.param("runtime: {threads: }", "runtime.threads", None, id="blank where null is allowed"),
        pytest.param("reports:\nscenario_id: x", "scenario_id", "x", id="section without keys"),
        pytest.param("raise_timing: {fixed_date: 02-29}", "raise_timing.fixed_date", "02-29", id="leap day"),
        pytest.param(
            "workforce: {structure: rates}\nnew_hires: {level_mix: {1: 0.4, 3: 0.6}}",
            "new_hires.level_mix",
            {1: Decimal("0.4"), 3: Decimal("0.6")},
            id="level mix",
        ),
        pytest.param(
            f"workforce: {{exit_timing: [{', '.join(['0.08333333333333'] * 12)}]}}",
            "workforce.exit_timing",
            (Decimal("0.08333333333333"),) * 12,
            id="weights with a sum of 1 in 12 places",
        ),
        pytest.param(
            "parameters: {merit_by_level: [{level_id: 1, merit_rate: 0.035}]}",
            "parameters.merit_by_level",
            ({"level_id": 1, "merit_rate": Decimal("0.035")},),
            id="rows",
        ),
        pytest.param(
            "workforce: {exit_timing: &months [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}\nnew_hires: {hire_timing: *months}",
            "new_hires.hire_timing",
            (Decimal(1), *[Decimal(0)] * 11),
            id="list written once",
        ),
    ],
)
def test_accepted(load: Load, setting: str, key: str, expected: object) -> None:
    assert value_at(load(MINIMAL + setting), key) == expected


BAD_SETTINGS = [
    # what the file says below the minimal configuration, the key, and what the message says
    pytest.param("simulation: {target_growth_rate: 3}", "rates are decimals: 3 % is 0.03", id="rate of 3"),
    pytest.param("simulation: {target_growth_rate: -5}", "rates are decimals: -5 % is -0.05", id="rate of -5"),
    pytest.param("simulation: {target_growth_rate: -1}", "must be a rate above -1 and up to 1", id="everybody leaves"),
    pytest.param("workforce: {total_termination_rate: 3%}", "rates are decimals: write 0.03", id="percent sign"),
    pytest.param("workforce: {total_termination_rate: yes}", "= yes: is read as true, not as a number", id="yes"),
    pytest.param("workforce: {total_termination_rate: .nan}", "is not a finite number", id="nan"),
    pytest.param("workforce: {total_termination_rate: -.inf}", "is not a finite number", id="inf"),
    pytest.param("workforce: {total_termination_rate: nan}", "is not a number", id="nan as a word"),
    pytest.param("workforce: {total_termination_rate: '0,03'}", "use a point for decimals", id="comma"),
    pytest.param("workforce: {total_termination_rate: 0.1234567}", "more than 6 decimal places", id="7 places"),
    pytest.param(
        "workforce: {total_termination_rate: 0.03000000000000000000000000000001}", "6 decimal", id="32 places"
    ),
    pytest.param("workforce: {total_termination_rate: 1.0e+999999999}", "is not a number", id="huge"),
    pytest.param("workforce: {total_termination_rate: }", "has no value; must be a rate from 0 to 1", id="blank"),
    pytest.param("workforce: {total_termination_rate: [0.1]}", "is a list; must be a rate", id="list for a rate"),
    pytest.param("workforce: {new_hire_termination_rate: 1}", "must be a rate from 0 to below 1", id="all hires leave"),
    pytest.param("workforce: {headcount_mode: exakt}", "did you mean `exact`?", id="choice"),
    pytest.param("workforce: {headcount_mode: on}", "must be `exact` or `stochastic`", id="boolean for a choice"),
    pytest.param("workforce: {exit_timing: [0.5, 0.5]}", "has 2 weights; must be `even` or", id="two weights"),
    pytest.param("workforce: {exit_timing: evenly}", "is a text; must be `even` or", id="word for weights"),
    pytest.param(f"workforce: {{exit_timing: {[0.1] * 12}}}", "weights sum to 1.2; they must sum to 1", id="sum 1.2"),
    pytest.param(f"workforce: {{exit_timing: {[1] * 12}}}", "weights sum to 12; they must", id="not normalised"),
    pytest.param(
        f"workforce: {{exit_timing: {[1, -1, 1, *[0] * 9]}}}", "weight 2 (-1) must be a weight", id="negative weight"
    ),
    pytest.param("simulation: {start_year: soon}", "= soon: is not a number", id="word for a year"),
    pytest.param("simulation: {start_year: 2025.5}", "= 2025.5: must be a whole number", id="half a year"),
    pytest.param("simulation: {start_year: 1989}", "must be a calendar year from 1990 to 2100", id="long ago"),
    pytest.param("simulation: {random_seed: 010}", "= 010: is not a number", id="octal"),
    pytest.param("simulation: {random_seed: 1:30}", "= 1:30: is not a number", id="sexagesimal"),
    pytest.param("simulation: {random_seed: -1}", "must be a whole number from 0", id="negative seed"),
    pytest.param("scenario_id: 2025", "put it in quotes", id="number for an identifier"),
    pytest.param("scenario_id: yes", "is read as true; must be an identifier", id="boolean for an identifier"),
    pytest.param("scenario_id: a b", "letters, digits, `_`, `.` or `-`", id="blank in an identifier"),
    pytest.param("raise_timing: {fixed_date: 13-01}", "is no day of the year", id="month 13"),
    pytest.param("raise_timing: {fixed_date: 02-30}", "is no day of the year", id="30 February"),
    pytest.param("raise_timing: {fixed_date: 2025-07-01}", 'as "MM-DD", such as "07-01"', id="date with a year"),
    pytest.param(
        "compensation: {cola_rate_by_year: [0.02]}", "is a list; must be a mapping such as", id="list of rates"
    ),
    pytest.param("compensation: {cola_rate_by_year: {2026: 2}}", "2 % is 0.02", id="rate of a year"),
    pytest.param(
        "compensation: {cola_rate_by_year: {next: 0.02}}", "the key next is not a number", id="word for a key"
    ),
    pytest.param("new_hires: {level_mix: {1: 0.5}}", "the shares sum to 0.5; they must sum to 1", id="half a mix"),
    pytest.param("validation: {fail_on_validation_error: 'true'}", "must be true or false, without quotes", id="flag"),
    pytest.param("runtime: {memory_limit: 4}", "must be an amount of memory such as 4GB", id="memory without unit"),
    pytest.param("runtime: {memory_limit: 0GB}", "must be an amount of memory such as 4GB", id="no memory"),
    pytest.param("runtime: {threads: 0}", "must be a whole number from 1 to 1024", id="no thread"),
    pytest.param("runtime: {database: ''}", "must be a path", id="empty path"),
    pytest.param("runtime: {database: 7}", "is a number; must be a path; put it in quotes", id="number for a path"),
    pytest.param("reports: out", "is a section; write its keys below it", id="text for a section"),
    pytest.param("parameters: [1]", "is a list; must be a mapping of parameter tables", id="list for the tables"),
    pytest.param("parameters: {age_band: a.csv}", "did you mean `age_bands`?", id="unknown table"),
    pytest.param(
        "parameters: {age_bands: 3}",
        "must be a list of rows, the path of a CSV file",
        id="table of 3",
    ),
    pytest.param("parameters: {age_bands: []}", "has no rows", id="table without rows"),
    pytest.param("parameters: {age_bands: [3]}", "row 1 (3) is a number; must be a mapping", id="row of 3"),
    pytest.param("parameters: {age_bands: [{a: .inf}]}", "row 1 has a number in `a` that is not finite", id="cell"),
    pytest.param("parameters: {age_bands: [{a: [1]}]}", "row 1 has a list in `a`", id="list in a cell"),
    pytest.param("simulaton: {}", "unknown key; did you mean `simulation`?", id="misspelled section"),
    pytest.param("simulation: {Random-Seed: 1}", "unknown key; did you mean `random_seed`?", id="misspelled key"),
    pytest.param(
        "parameters: {retirement_hazard: r.csv}",
        "is replaced by retirement_rates with the yearly probability `retirement_rate` by age",
        id="table that another one replaced",
    ),
    pytest.param(
        "raise_timing: {minimum_service_years: 1}",
        "replaced by `raise_timing.minimum_service_months`: Completed months of service",
        id="key that another one replaced",
    ),
    pytest.param("simulation: {cola_rate: 0.02}", "it belongs under `compensation`", id="key of another section"),
    pytest.param("random_seed: 1", "it belongs under `simulation`", id="key without its section"),
    pytest.param("simulation: {xyz: 1}", "the keys here are start_year, end_year", id="unlike any key"),
    pytest.param("simulation: {random_seed: 1, random_seed: 2}", "written twice (first in line 2)", id="twice"),
    pytest.param("simulation: {<<: {random_seed: 1}}", "merge keys (<<) are not supported", id="merge key"),
    pytest.param("simulation: {[1]: 2}", "[1] is used as a key", id="list as a key"),
    pytest.param("simulation: {random_seed: !!python/name:x 1}", "has no meaning here; remove it", id="tag"),
    pytest.param("simulation: {random_seed: *seed}", "refers to &seed, which is not defined", id="alias"),
]


@pytest.mark.parametrize(("setting", "message"), BAD_SETTINGS)
def test_refused_with_place_value_and_remedy(load: Load, setting: str, message: str) -> None:
    problems = problems_of(load, MINIMAL + setting)
    assert all(problem.startswith("c.yaml:2: ") for problem in problems)
    assert message in problems[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "c.yaml: the file is empty", id="empty"),
        pytest.param("# nothing\n", "c.yaml: the file is empty", id="comment"),
        pytest.param("- a\n", "c.yaml: holds a list; a configuration is a mapping", id="list"),
        pytest.param("census\n", "c.yaml: holds a text; a configuration is a mapping", id="text"),
        pytest.param(
            "a: 1\nb: [1\nc: 2\n", "c.yaml:3: column 2: this is not valid YAML: did not find expected", id="syntax"
        ),
        pytest.param("a:\n\tb: 1\n", "indent with spaces, not with tabs", id="tab"),
        pytest.param("é: 1\nb: \x01\n", "c.yaml:2: there is a control character", id="control character"),
        pytest.param("a: 1\nb: " + "[" * 100_000, "c.yaml:2: lists or mappings are nested more than 20", id="deep"),
        pytest.param(MINIMAL + "---\na: 1\n", "c.yaml:2: a second document begins here", id="two documents"),
        pytest.param("scenario_id: x\n", "c.yaml: census.path: is required and missing; add it", id="no census"),
    ],
)
def test_file_that_is_no_configuration(load: Load, text: str, problem: str) -> None:
    problems = problems_of(load, text)
    assert len(problems) == 1
    assert problem in problems[0]


def test_missing_file_says_how_to_get_one() -> None:
    with pytest.raises(ConfigurationError, match=r"no/where\.yaml: the file does not exist; .* `planalign init`"):
        load_simulation_config("no/where.yaml")


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the file cannot be read: Is a directory"):
        load_simulation_config(tmp_path)


def test_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"scenario_id: x\ncensus: {path: caf\xe9.csv}\n")
    with pytest.raises(ConfigurationError, match=r"c\.yaml:2: the file is not UTF-8 text"):
        load_simulation_config(tmp_path / "c.yaml")


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(
        b"\xef\xbb\xbfcensus:\r\n  path: x.csv\r\n  sheet: \xc3\xa9\r\nruntime: {threads: 0}\r\n"
    )
    with pytest.raises(ConfigurationError, match=r"c\.yaml:4: runtime\.threads = 0: "):
        load_simulation_config(tmp_path / "c.yaml")


# --- between keys -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "simulation:\n  start_year: 2030\n  end_year: 2027\n",
            "c.yaml:3: simulation.start_year = 2030: simulation.start_year 2030 is after simulation.end_year 2027; "
            "change one of them (simulation.end_year: c.yaml:4)",
            id="start after end",
        ),
        pytest.param(
            "simulation: {end_year: 2020}\n",
            "c.yaml:2: simulation.end_year = 2020: simulation.start_year 2025 is after simulation.end_year 2020",
            id="end before the default start",
        ),
        pytest.param(
            "compensation:\n  cola_rate_by_year:\n    2026: 0.02\n    2024: 0.03\n",
            "c.yaml:5: compensation.cola_rate_by_year.2024 = 0.03: 2024 is before simulation.start_year 2025",
            id="COLA before the horizon",
        ),
        pytest.param(
            "compensation: {promotion: {increase_spread: 0.3}}\n",
            "increase_spread 0.3 is larger than base_increase 0.1, so that a promotion could lower the pay",
            id="promotion that lowers the pay",
        ),
        pytest.param(
            "compensation: {promotion: {base_rate: 0.03}}\n",
            "compensation.promotion.base_rate = 0.03: is not read with workforce.structure positions; people are",
            id="promotion rate with positions",
        ),
        pytest.param(
            "compensation: {promotion: {rate_multiplier: 2}}\n",
            "compensation.promotion.rate_multiplier = 2: is not read with workforce.structure positions",
            id="promotion multiplier with positions",
        ),
        pytest.param(
            "parameters: {promotion_by_level: p.csv}\n",
            "promotion_by_level = p.csv: is not read with workforce.structure positions; people are promoted",
            id="promotion by level with positions",
        ),
        pytest.param(
            "new_hires: {level_mix: {1: 1}}\n",
            "is not read with workforce.structure positions; set workforce.level_mix, the mix of the positions",
            id="mix of hires with positions",
        ),
        pytest.param(
            "workforce: {structure: rates, level_mix: {1: 1}}\n",
            "is not read with workforce.structure rates; set new_hires.level_mix, the mix of the hires",
            id="mix of positions with rates",
        ),
        pytest.param(
            "new_hires: {part_time_hours_per_week: 41}\n",
            "part_time_hours_per_week 41 is more than full_time_hours_per_week 40",
            id="part time above full time",
        ),
    ],
)
def test_checks_between_keys(load: Load, text: str, problem: str) -> None:
    problems = problems_of(load, MINIMAL + text)
    assert len(problems) == 1
    assert problem in problems[0]


def test_census_columns_that_contradict_each_other(load: Load) -> None:
    text = (
        "census:\n  path: x.csv\n  ignore_columns: [Badge]\n  columns:\n    employee_id: Badge\n    level_id: Badge\n"
    )
    assert "`employee_id` and `level_id` are read from the same heading" in problems_of(load, text)[0]
    text = text.replace("    level_id: Badge\n", "")
    assert "c.yaml:5: census.columns.employee_id = Badge: the heading Badge is also in" in problems_of(load, text)[0]


def test_everything_is_reported_at_once_in_the_order_of_the_file(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANALIGN__WORKFORCE__VOLUNTARY_SHARE", "75")
    text = (
        "census: {path: x.csv}\nsimulation: {start_year: 2030, end_year: 2027, target_growth_rate: 3}\n"
        "cenus: 1\nworkforce: {total_termination_rate: yes, extra: 1}\n"
    )
    problems = problems_of(load, text, ["runtime.threads=none"])
    assert [problem.split(" = ")[0].split(": unknown")[0] for problem in problems] == [
        "c.yaml:2: simulation.target_growth_rate",
        "c.yaml:2: simulation.start_year",
        "c.yaml:3: cenus",
        "c.yaml:4: workforce.extra",
        "c.yaml:4: workforce.total_termination_rate",
        "environment variable PLANALIGN__WORKFORCE__VOLUNTARY_SHARE: workforce.voluntary_share",
        "command line: runtime.threads",
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("census: {pth: x.csv}", id="required key"),
        pytest.param("cencus: {path: x.csv}", id="section of a required key"),
        pytest.param("census: x.csv", id="value in place of the section"),
        pytest.param(MINIMAL + "simulation: {start_year: 2031, end_yaer: 2035}", id="key of a check"),
        pytest.param(MINIMAL + "simulation: {start_year: x, end_year: 2020}", id="refused key of a check"),
    ],
)
def test_one_mistake_is_one_problem(load: Load, text: str) -> None:
    assert len(problems_of(load, text)) == 1


# --- environment and overrides ----------------------------------------------------------------------------------------


def test_precedence(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    text = MINIMAL + "simulation: {random_seed: 1}"
    assert load(MINIMAL).simulation.random_seed == 42
    assert load(text).simulation.random_seed == 1
    monkeypatch.setenv("PLANALIGN__SIMULATION__RANDOM_SEED", "2")
    assert load(text).simulation.random_seed == 2
    assert load(text, ["simulation.random_seed=3"]).simulation.random_seed == 3
    assert load(text, ["simulation.random_seed=3", "simulation.random_seed=4"]).simulation.random_seed == 4


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        pytest.param("simulation.target_growth_rate=0.035", Decimal("0.035"), id="rate"),
        pytest.param("simulation.start_year = 2026", 2026, id="blanks around the ="),
        pytest.param("scenario_id=2025", "2025", id="identifier of digits"),
        pytest.param("runtime.engine=dbt", "dbt", id="choice"),
        pytest.param("raise_timing.fixed_date=07-31", "07-31", id="month-day"),
        pytest.param("census.path=a: b #c.csv", Path("a: b #c.csv"), id="path that is odd as YAML"),
        pytest.param("census.sheet=null", None, id="null"),
        pytest.param("census.sheet=no", "no", id="sheet named no"),
        pytest.param("census.columns.employee_id=Employee: no", "Employee: no", id="heading that is odd as YAML"),
        pytest.param("census.columns={employee_id: Badge}", {"employee_id": "Badge"}, id="mapping"),
        pytest.param("census.ignore_columns=[a, 'b c']", ("a", "b c"), id="list"),
        pytest.param("compensation.cola_rate_by_year.2026=0.03", Decimal("0.03"), id="entry"),
        pytest.param("validation.fail_on_validation_error=true", True, id="flag"),
        pytest.param("parameters.age_bands=tables/a.csv", Path("tables/a.csv"), id="table"),
        pytest.param("reports.directory=out", Path("out"), id="path from the command line"),
    ],
)
def test_override_is_read_by_the_type_of_its_key(
    load: Load, monkeypatch: pytest.MonkeyPatch, override: str, expected: object
) -> None:
    key, _, value = override.partition("=")
    key = key.strip()
    assert value_at(load(MINIMAL, [override]), key) == expected
    assert value_at(load(MINIMAL, {key: value}), key) == expected
    monkeypatch.setenv("PLANALIGN__" + key.upper().replace(".", "__"), value)
    assert value_at(load(MINIMAL), key) == expected


def test_override_with_python_values(load: Load) -> None:
    overrides = {
        "simulation.target_growth_rate": 0.035,
        "runtime.threads": None,
        "runtime.database": Path("x y.duckdb"),
        "workforce": {"exit_timing": [0.5, 0.5, *[0] * 10], "voluntary_share": Decimal("0.7")},
    }
    config = load(MINIMAL, overrides)
    assert config.simulation.target_growth_rate == Decimal("0.035")
    assert config.runtime.threads is None
    assert config.runtime.database == Path("x y.duckdb")
    assert config.workforce.exit_timing[:2] == (Decimal("0.5"), Decimal("0.5"))
    assert config.workforce.voluntary_share == Decimal("0.7")


def test_override_of_a_mapping_replaces_it_and_of_an_entry_adds_to_it(load: Load) -> None:
    text = MINIMAL + "compensation: {cola_rate_by_year: {2025: 0.01}}"
    key = "compensation.cola_rate_by_year"
    assert set(load(text, [f"{key}={{2026: 0.03}}"]).compensation.cola_rate_by_year) == {2026}
    assert set(load(text, [f"{key}.2026=0.03"]).compensation.cola_rate_by_year) == {2025, 2026}
    assert load(text, [f"{key}={{}}"]).compensation.cola_rate_by_year == {}
    assert set(load(text, [f"{key}={{}}", f"{key}.2027=0.03"]).compensation.cola_rate_by_year) == {2027}


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        pytest.param(
            "simulation.random_seed", "'simulation.random_seed' is no override; write key=value", id="no value"
        ),
        pytest.param(
            "simulation.random_sed=1", "simulation.random_sed: unknown key; did you mean `random_seed`?", id="key"
        ),
        pytest.param("random_seed=1", "random_seed: unknown key; it belongs under `simulation`", id="no section"),
        pytest.param(
            "simulation.random_seed.x=1",
            "simulation.random_seed.x: `simulation.random_seed` has no keys below it",
            id="too deep",
        ),
        pytest.param("simulation=1", "simulation = 1: is a section", id="section"),
        pytest.param("simulation.random_seed=x", "simulation.random_seed = x: is not a number", id="value"),
        pytest.param(
            "workforce.exit_timing=[1", "workforce.exit_timing = [1: column 1: this is not valid", id="syntax"
        ),
        pytest.param(
            "census.columns.a.b=x",
            "census.columns.a: an entry of `census.columns` is a single name",
            id="entry of an entry",
        ),
    ],
)
def test_bad_override(load: Load, override: str, problem: str) -> None:
    problems = problems_of(load, MINIMAL, [override])
    assert len(problems) == 1
    assert problems[0].startswith(f"command line: {problem}")


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("PLANALIGN__SIMULATION__RANDOM_SED", "simulation.random_sed: unknown key; did you mean `random_seed`?"),
        ("planalign__seed", "seed: unknown key"),
        ("PLANALIGN__SIMULATION__START_YEAR", "simulation.start_year = x: is not a number"),
    ],
)
def test_bad_variable_is_named(load: Load, monkeypatch: pytest.MonkeyPatch, variable: str, problem: str) -> None:
    monkeypatch.setenv(variable, "x")
    assert problems_of(load, MINIMAL)[0].startswith(f"environment variable {variable}: {problem}")


def test_variable_in_another_encoding(load: Load) -> None:
    assert problems_of(load, MINIMAL, {"simulation.random_seed": "\udcff"})[0].endswith("this is not UTF-8 text")


def test_variable_names_ignore_case_but_not_a_contradiction(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("planalign__Simulation__random_seed", "8")
    assert load(MINIMAL).simulation.random_seed == 8
    monkeypatch.setenv("PLANALIGN__SIMULATION__RANDOM_SEED", "9")
    assert "sets the same key as PLANALIGN__SIMULATION__RANDOM_SEED" in problems_of(load, MINIMAL)[0]


def test_paths_in_the_file_are_relative_to_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "census: {path: ../data/c.csv}\nreports: {directory: ~/r}\n"
        "parameters: {age_bands: a.csv}\nruntime: {database: /x.duckdb}\n"
    )
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "c.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PLANALIGN__RUNTIME__CHECKPOINT_DIRECTORY", "../marks")
    config = load_simulation_config(tmp_path / "config" / "c.yaml")
    assert config.census.path == tmp_path / "data" / "c.csv"
    assert config.reports.directory == Path.home() / "r"
    assert config.parameters == {"age_bands": tmp_path / "config" / "a.csv"}
    assert config.runtime.database == Path("/x.duckdb")
    assert config.runtime.checkpoint_directory == Path("../marks")


# --- the model --------------------------------------------------------------------------------------------------------


def test_configuration_is_frozen_and_refuses_unknown_keys() -> None:
    config = minimal()
    with pytest.raises(ValidationError, match="frozen"):
        config.simulation.random_seed = 7
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        minimal(simulation={"seed": 7})
    with pytest.raises(ValidationError, match=r"3 % is 0\.03"):
        minimal(workforce={"total_termination_rate": 3})
    with pytest.raises(ValidationError, match=r"is after simulation\.end_year"):
        minimal(simulation={"start_year": 2031})


def test_equality_and_copies_depend_on_values_alone(load: Load) -> None:
    loaded = load(MINIMAL + "simulation: {random_seed: 7}")
    assert loaded == minimal(simulation={"random_seed": 7})
    assert loaded == load(MINIMAL, ["simulation.random_seed=7"])
    assert loaded != minimal(simulation={"random_seed": 8})
    assert copy.deepcopy(loaded) == loaded
    assert pickle.loads(pickle.dumps(loaded)) == loaded


def test_identifiers_must_be_explicit_when_required(load: Load) -> None:
    text = MINIMAL + "scenario_id: baseline\n"
    with pytest.raises(ConfigurationError, match=r"problem in c\.yaml: plan_design_id is not set") as caught:
        load(text).require_identifiers()
    assert len(caught.value.problems) == 1
    load(text, ["plan_design_id=default_plan"]).require_identifiers()
    minimal(scenario_id="baseline", plan_design_id="default_plan").require_identifiers()


def test_with_years_checks_the_whole(load: Load) -> None:
    config = load(MINIMAL + "compensation: {cola_rate_by_year: {2026: 0.03}}\nscenario_id: x")
    longer = config.with_years(2026, 2035)
    assert (longer.simulation.start_year, longer.simulation.end_year) == (2026, 2035)
    assert longer.compensation == config.compensation
    assert longer.model_fields_set == config.model_fields_set | {"simulation"}
    assert {item.where for item in effective_values(longer) if item.key == "scenario_id"} == {"c.yaml:3"}
    with pytest.raises(ConfigurationError, match=r"cola_rate_by_year\.2026: 2026 is before simulation.start_year 2027"):
        config.with_years(2027, 2028)
    with pytest.raises(ConfigurationError, match="start_year 2028 is after"):
        config.with_years(2028, 2027)


# --- what others read -------------------------------------------------------------------------------------------------


def test_origins(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANALIGN__WORKFORCE__VOLUNTARY_SHARE", "0.7")
    text = "census:\n  path: c.csv\ncompensation:\n  cola_rate_by_year:\n    2026: 0.03\n"
    config = load(text, ["simulation.random_seed=7", "compensation.cola_rate_by_year.2027=0.04"])
    origins = {item.key: (item.value, item.origin, item.where) for item in effective_values(config)}
    assert origins["simulation.start_year"] == (2025, "default", "")
    assert origins["census.path"] == ("c.csv", "file", "c.yaml:2")
    assert origins["workforce.voluntary_share"] == (0.7, "environment", "PLANALIGN__WORKFORCE__VOLUNTARY_SHARE")
    assert origins["simulation.random_seed"] == (7, "command line", "command line")
    assert origins["compensation.cola_rate_by_year.2026"] == (0.03, "file", "c.yaml:5")
    assert origins["compensation.cola_rate_by_year.2027"] == (0.04, "command line", "command line")
    json.dumps([item.value for item in effective_values(config)])


def test_dbt_vars_are_flat_json_scalars() -> None:
    rates = {"workforce": {"structure": "rates"}, "compensation": {"promotion": {"rate_multiplier": "0.000001"}}}
    variables = to_dbt_vars(minimal(**rates))
    assert {type(value) for value in variables.values()} <= {str, int, float, bool}
    assert json.loads(json.dumps(variables)) == variables
    assert Decimal(str(variables["promotion_rate_multiplier"])) == Decimal("0.000001")
    assert variables["target_growth_rate"] == 0.03
    assert variables["promotion_effective_date"] == "02-01"
    assert variables["promotion_maximum_increase_amount"] == 500_000


def test_every_parameter_has_the_sql_type_of_its_key() -> None:
    variables, types = to_dbt_vars(minimal()), parameter_types()
    assert types.keys() == variables.keys() | {"simulation_year"}
    # no parameter that no model reads, and none that the configuration does not know
    read = {parameter.name: parameter.type for parameter in load_compiled_model().parameters}
    assert {name: sql_type.upper().replace(" ", "") for name, sql_type in types.items()} == read
    kinds = {"boolean": bool, "integer": int, "bigint": int, "date": str, "varchar": str}
    for name, value in variables.items():
        assert type(value) is kinds.get(types[name], float), name
    assert (types["random_seed"], types["target_growth_rate"], types["plan_expenses"]) == (
        "bigint",
        "decimal(9, 6)",
        "decimal(18, 2)",
    )
    assert (types["deferral_minimum_age_months"], types["core_age_exception"]) == ("integer", "boolean")


def test_sql_types_hold_the_bounds_of_their_keys() -> None:
    largest = {"integer": 2**31 - 1, "bigint": 2**63 - 1}
    for path, key in known_keys().items():
        if isinstance(key.rule, Number) and key.details.becomes:
            digits = re.fullmatch(r"decimal\(([0-9]+), ([0-9]+)\)", key.sql_type)
            most = 10 ** (int(digits[1]) - int(digits[2])) - 1 if digits else largest[key.sql_type]
            assert max(abs(key.rule.lower), key.rule.upper) <= most, path
            assert digits is None or int(digits[2]) >= key.rule.places, path


def test_default_file_fits_the_width_of_a_page_and_explains_every_section() -> None:
    lines = DEFAULT_FILE.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 120
    for path in known_sections():
        if path:
            place = lines.index(f"{'  ' * (len(path) - 1)}{path[-1]}:")
            assert lines[place - 1].lstrip().startswith("# "), path


def test_an_unknown_word_is_answered_by_the_nearest_known_one() -> None:
    assert nearest("EXAKT", ["exact", "stochastic"]) == nearest("exakt", ["exact"]) == "exact"
    assert nearest("x", ["exact"]) is None
    assert nearest("departmnt", ["department"], cutoff=0.99) is None
    assert did_you_mean("exakt", ["exact"], "must be exact") == "did you mean `exact`?"
    assert did_you_mean("zzz", ["exact"], "must be exact") == "must be exact"
    # the boolean is no misspelled `fail`
    assert did_you_mean(False, ["fail"], "must be fail") == "must be fail"


def test_json_schema_describes_every_key_and_agrees_with_the_default_file() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = config_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    shipped = yaml.safe_load(DEFAULT_FILE.read_text(encoding="utf-8"))
    jsonschema.validate(shipped, schema)
    wrong: list[dict[str, object]] = [{"simulation": {"target_growth_rate": 3}}, {"simulaton": {}}, {"runtime": 3}]
    for spoilt in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(shipped | spoilt, schema)
    sections: Any = [schema, *json.loads(json.dumps(schema["$defs"])).values()]
    keys = [key for section in sections for key in section["properties"].values() if "$ref" not in key]
    # match and core have one section for their eligibility, with five keys
    assert len(keys) == len(effective_values(minimal())) - 5
    assert all(key["description"] for key in keys)
    assert next(key for key in keys if key["title"] == "Target Growth Rate")["default"] == 0.03


def test_fingerprint_does_not_depend_on_how_values_are_written(load: Load) -> None:
    one = load(MINIMAL + "compensation: {merit_budget: 0.030}", ["simulation.end_year=2026", "runtime.threads=3"])
    other = load("census: {path: other.csv}\ncompensation: {merit_budget: '3e-2'}\nreports: {directory: x}")
    assert config_fingerprint(one) == config_fingerprint(other)
    assert json.loads(json.dumps(config_fingerprint(one))) == config_fingerprint(one)


def test_fingerprint_names_every_key_that_may_change_results() -> None:
    left_out = {item.key for item in effective_values(minimal()) if item.value != {}} - config_fingerprint(
        minimal()
    ).keys()
    assert left_out == {
        "simulation.end_year",
        "census.path",
        "census.ignore_columns",
        "census.date_format",
        "census.sheet",
        "census.encoding",
        "census.header_row",
        "census.last_row",
        "census.ignore_rows",
        "census.pay_basis",
        "census.default_hours",
        "census.no_end_date",
        "census.duplicates",
        "census.most_set_aside",
        "census.hash_ids",
        "census.level_cuts",
        "census.on_invalid_rows",
        "plan.established",
        "plan.exempt_from_414a",
        "validation.custom_rules_file",
        "validation.examples",
        "validation.fail_on_validation_error",
        "reports.directory",
        "reports.template",
        "runtime.database",
        "runtime.engine",
        "runtime.threads",
        "runtime.memory_limit",
        "runtime.checkpoint_directory",
        # what is fitted to the census is compared by its rows
        "new_hires.pay_noise_sd",
        "new_hires.part_time_share",
        "new_hires.part_time_hours_per_week",
    }


def test_differences_name_key_and_values() -> None:
    old = minimal(compensation={"cola_rate_by_year": {2026: 0.03}}, simulation={"random_seed": 42})
    new = minimal(parameters={"age_bands": [{"age_from": 0}]}, simulation={"random_seed": 7, "target_growth_rate": 0})
    assert describe_differences(config_fingerprint(old), config_fingerprint(new)) == [
        "simulation.random_seed: was 42, is now 7",
        "simulation.target_growth_rate: was 0.03, is now 0",
        'parameters.age_bands: was not set, is now [{"age_from": 0}]',
        "compensation.cola_rate_by_year.2026: was 0.03, is now not set",
    ]
    assert describe_differences(config_fingerprint(old), config_fingerprint(old)) == []


def test_parameter_tables_are_known(load: Load) -> None:
    tables = {f"parameters.{table}": f"{table}.csv" for table in PARAMETER_TABLES}
    config = load(MINIMAL, {"workforce.structure": "rates", **tables})
    assert config.parameters == {table: Path(f"{table}.csv") for table in PARAMETER_TABLES}


@pytest.mark.process
def test_reading_a_configuration_imports_nothing_heavy() -> None:
    code = "import sys, planalign_orchestrator.config as c; c.load_simulation_config(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-c", code, str(DEFAULT_FILE)]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"duckdb", "dbt", "rich", "typer", "pandas", "numpy"} & set(modules)
