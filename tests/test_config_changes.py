"""The section `changes`: what is refused and in which words, and what a configuration says of its changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from planalign_orchestrator.config import changes_in_words, load_simulation_config
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.parameters import load_parameters

BASE = "census: {path: c.csv}\nsimulation: {start_year: 2025, end_year: 2027}\n"
ALL_YEARS = "holds for all years; set it outside of changes"
CUSTOM = (
    "from 2026 on: formula `custom` needs tiers such as [{lower: 0, upper: 0.06, rate: 0.5}]; add them or name a preset"
)
A_MAPPING = "must be a mapping of years to sections and their keys, such as {2027: {plan: {match: {formula: none}}}}"
BELOW_A_YEAR = "must be a mapping of sections to keys, as a configuration is"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problem(folder: Path, text: str = "", overrides: list[str] | None = None) -> str:
    """The only problem of a configuration and its tables."""
    (folder / "c.yaml").write_text(BASE + text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_parameters(load_simulation_config("c.yaml", overrides=overrides or []))
    (only,) = caught.value.problems
    return only


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            "{next: {plan: {}}}", "changes.next = {plan: {}}: is not a number; must be a calendar", id="a word"
        ),
        pytest.param("{26: {plan: {}}}", "changes.26 = {plan: {}}: must be a calendar year from 1990", id="two digits"),
        pytest.param(
            "{2024: {plan: {}}}",
            "changes.2024 = {plan: {}}: 2024 is before simulation.start_year 2025; remove this year or change that",
            id="before the start",
        ),
        pytest.param("[2026]", f"changes = [2026]: is a list; {A_MAPPING}", id="a list"),
        pytest.param("none", f"changes = none: is a text; {A_MAPPING}", id="a text"),
        pytest.param("{2026: [plan]}", f"changes.2026 = [plan]: is a list; {BELOW_A_YEAR}", id="a list below a year"),
        pytest.param("{2026: {pla: {}}}", "changes.2026.pla: unknown key; did you mean `plan`?", id="no such section"),
        pytest.param(
            "{2026: {plan: {match: {formulla: none}}}}",
            "changes.2026.plan.match.formulla: unknown key; did you mean `formula`?",
            id="no such key",
        ),
        pytest.param(
            "{2026: {whatever: 1}}",
            "changes.2026.whatever: unknown key; the keys here are simulation, workforce, compensation, raise_timing, "
            "new_hires, plan, irs_limits, parameters",
            id="nothing like a key",
        ),
        pytest.param(
            "{2026: {plan.match.formula: none}}",
            "changes.2026.plan.match.formula: a dot does not separate the levels here; write plan: {match: {",
            id="a dotted key",
        ),
        pytest.param("{2026: {census: {path: x}}}", f"changes.2026.census: {ALL_YEARS}", id="a section of all years"),
        pytest.param(
            "{2026: {simulation: {random_seed: 1}}}",
            f"changes.2026.simulation.random_seed = 1: {ALL_YEARS}",
            id="a key of all years",
        ),
        pytest.param("{2026: {changes: {}}}", f"changes.2026.changes = {{}}: {ALL_YEARS}", id="changes in changes"),
        pytest.param(
            "{2026: {plan: {match: none}}}",
            "changes.2026.plan.match = none: is a section; write its keys below it, indented",
            id="a section without keys",
        ),
        pytest.param(
            "{2026: {plan: {match: {formula: custom}}}}",
            f"changes.2026.plan.match.formula = custom: {CUSTOM}",
            id="a formula without its tiers",
        ),
        pytest.param(
            "{2026: {plan: {core: {formula: flat}}}}",
            "changes.2026.plan.core.formula = flat: from 2026 on: formula `flat` needs a rate; set changes.2026.",
            id="a formula without its rate",
        ),
        pytest.param(
            "{2026: {compensation: {merit_budget: 5}}}",
            "changes.2026.compensation.merit_budget = 5: from 2026 on: must be a rate from 0 to 1; rates are decimals",
            id="a percentage",
        ),
        pytest.param(
            "{2026: {parameters: {merit_by_levl: default}}}",
            "changes.2026.parameters.merit_by_levl = default: from 2026 on: is no parameter table; did you mean",
            id="no such table",
        ),
        pytest.param(
            "{2030: {plan: {match: {formula: nothing}}}}",
            "changes.2030.plan.match.formula = nothing: from 2030 on: must be `none`",
            id="after the end",
        ),
    ],
)
def test_a_change_is_refused_with_its_place_and_the_way_out(folder: Path, given: str, message: str) -> None:
    found = problem(folder, f"changes: {given}\n")
    assert found.startswith(f"c.yaml:3: {message}")
    assert "c.yaml:3)" not in found


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("changes.next.plan.match.formula=none", "changes.next: is not a number; must be a calendar year from 1990"),
        ("changes.2024.plan.match.formula=none", "changes.2024: 2024 is before simulation.start_year 2025"),
        ("changes.2026.plan.match.formulla=none", "changes.2026.plan.match.formulla: unknown key; did you mean"),
        ("changes.2026.census.path=x", f"changes.2026.census: {ALL_YEARS}"),
        ("changes.2026.plan.match.formula=custom", f"changes.2026.plan.match.formula = custom: {CUSTOM}"),
        ("changes=[2026]", f"changes = [2026]: is a list; {A_MAPPING}"),
        ("changes.2026=none", f"changes.2026 = none: is a text; {BELOW_A_YEAR}"),
    ],
)
def test_overrides_and_the_environment_are_refused_in_the_same_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, key: str, message: str
) -> None:
    assert problem(folder, overrides=[key]).startswith(f"command line: {message}")
    name, _, value = key.partition("=")
    variable = "PLANALIGN__" + name.upper().replace(".", "__")
    monkeypatch.setenv(variable, value)
    assert problem(folder).startswith(f"environment variable {variable}: {message}")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("merit_by_level: missing.csv", "merit_by_level: the file missing.csv does not exist"),
        ("new_hire_ages: [{age: 30, weight: 0.5}]", "new_hire_ages: the weights sum to 0.500000; they must sum to 1"),
        ("new_hire_ages: [{agee: 30, age: 30, weight: 1}]", "new_hire_ages row 1: unknown column `agee`"),
    ],
)
def test_a_table_is_refused_where_the_change_gives_it(folder: Path, table: str, message: str) -> None:
    later = "2027: {compensation: {cola_rate: 0.01}}"
    assert problem(folder, f"changes: {{2026: {{parameters: {{{table}}}}}, {later}}}\n").startswith(
        f"changes.2026.parameters.{message}"
    )


def test_a_table_of_the_base_is_refused_once(folder: Path) -> None:
    text = "parameters: {new_hire_ages: [{age: 30, weight: 0.5}]}\nchanges: {2026: {compensation: {cola_rate: 0.01}}}\n"
    assert problem(folder, text).startswith("parameters.new_hire_ages: the weights sum to 0.5")


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({2026: {}}, ["From 2026 on: nothing is changed."], id="an empty one"),
        pytest.param(
            {2026: {"compensation": {"merit_budget": 0}}, 2027: {"compensation": {"merit_budget": 0}}},
            [
                "From 2026 on: compensation.merit_budget 0 instead of 0.015.",
                "From 2027 on: compensation.merit_budget 0 as before.",
            ],
            id="restated",
        ),
        pytest.param(
            {2027: {"plan": {"match": {"formula": "none"}}}, 2026: {"plan": {"match": {"formula": "stretch"}}}},
            [
                "From 2026 on: plan.match.formula stretch instead of safe_harbor_basic.",
                "From 2027 on: plan.match.formula none instead of stretch.",
            ],
            id="in the order of the years",
        ),
        pytest.param(
            {2029: {"plan": {"match": {"formula": "none"}}}},
            ["From 2029 on, after simulation.end_year 2027: plan.match.formula none instead of safe_harbor_basic."],
            id="after the end",
        ),
        pytest.param(
            {
                2026: {
                    "plan": {"core": {"formula": "service", "tiers": [{"from": 0, "rate": 0.02}]}},
                    "parameters": {"merit_by_level": "default"},
                }
            },
            [
                (
                    "From 2026 on: plan.core.formula service instead of none, plan.core.tiers 1 row instead of "
                    "nothing, parameters.merit_by_level default."
                )
            ],
            id="tiers and tables",
        ),
    ],
)
def test_changes_in_words(folder: Path, changes: Mapping[int, Any], sentences: list[str]) -> None:
    (folder / "c.yaml").write_text(BASE + yaml.safe_dump({"changes": changes}), encoding="utf-8")
    assert changes_in_words(load_simulation_config("c.yaml")) == sentences
