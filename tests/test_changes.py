"""The configuration of a year: a change acts from its year on and not before, in every key that may change."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator.config.keys import known_keys, may_change
from planalign_orchestrator.config.show import json_value
from tests.companies import configure, person, read_rows
from tests.crash_child import Project, contents
from tests.knobs import Knob
from tests.laboratory import Digests, Laboratory
from tests.plan_designs import numbered_design
from tests.test_model_knobs import KNOBS
from tests.test_plan_knobs import PLAN_KNOBS, with_rare_people

pytestmark = pytest.mark.model

FIRST, SECOND, THIRD = 2025, 2026, 2027
DESIGNS = 3
LAST_DAY = f"{SECOND}-12-31"
PART_TIMERS = {"new_hires.part_time_share": 0.5, "new_hires.part_time_hours_per_week": 15}
RISING = {"plan.match.formula": "safe_harbor_enhanced", f"changes.{SECOND}.plan.match.formula": "safe_harbor_basic"}
FALLING = {"plan.match.formula": "stretch", f"changes.{SECOND}.plan.match.formula": "safe_harbor_basic"}
# keys that need another value, or other settings, to be read in the second year at all
OTHERWISE = {
    "plan.automatic_enrollment.effective_date": Knob(f"{SECOND}-07-01"),
    "plan.automatic_enrollment.hire_date_cutoff": Knob(f"{SECOND}-07-01"),
    "plan.hce.top_paid_group": Knob(True, {"irs_limits.by_year": {FIRST: {"hce_threshold": 60_000}}}),
    "plan.match_response.increase_response_rate": Knob(0.8, RISING),
    "plan.match_response.increase_full_share": Knob(0.1, RISING),
    "plan.match_response.decrease_response_rate": Knob(0.8, FALLING),
    "plan.match_response.decrease_full_share": Knob(0.1, FALLING),
}


CHANGEABLE: Mapping[str, Knob] = {
    key: knob for key, knob in {**KNOBS, **PLAN_KNOBS}.items() if may_change(tuple(key.split(".")))
}


@pytest.fixture(scope="module")
def laboratory(
    tmp_path_factory: pytest.TempPathFactory, generated: Callable[[int], Path], simulates: None
) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("changes"), with_rare_people(read_rows(generated(1000)), LAST_DAY))


@pytest.fixture(scope="module")
def unchanged(laboratory: Laboratory) -> Callable[[Mapping[str, object]], Digests]:
    """Return a function from settings to their digests, each computed once."""
    known: dict[str, Digests] = {}

    def digests(given: Mapping[str, object]) -> Digests:
        if str(given) not in known:
            known[str(given)] = laboratory.run(given).digests()
        return known[str(given)]

    return digests


def changed(values: Mapping[str, Any], year: int = SECOND) -> dict[str, object]:
    """Return the settings that give keys other values from a year on."""
    return {f"changes.{year}.{key}": value for key, value in values.items()}


@pytest.mark.parametrize("key", CHANGEABLE)
def test_a_key_acts_from_its_year_on_and_not_before(
    laboratory: Laboratory, unchanged: Callable[[Mapping[str, object]], Digests], key: str
) -> None:
    knob = OTHERWISE.get(key, CHANGEABLE[key])
    given = {"simulation.end_year": SECOND, **knob.given, **(PART_TIMERS if ".eligibility." in key else {})}
    found = laboratory.run({**given, **changed({key: knob.value, **knob.along})}).digests()
    before = unchanged(given)
    assert found[FIRST] == before[FIRST]
    assert found != before


def changeable(number: int) -> dict[str, Any]:
    """Return what may change of a design at random."""
    drawn = numbered_design(number, FIRST)
    return {
        key: value for key, value in drawn.items() if key.startswith("parameters.") or may_change(tuple(key.split(".")))
    }


def value_of(config: Any, key: str) -> object:
    """Return a key's value as a configuration file would give it."""
    for name in key.split("."):
        config = getattr(config, name)
    return json_value(config)


def test_no_changes_are_none(laboratory: Laboratory, unchanged: Callable[[Mapping[str, object]], Digests]) -> None:
    given = {"simulation.end_year": SECOND}
    assert laboratory.run({**given, "changes": {}}).digests() == unchanged(given)


def test_restating_every_value_changes_nothing(
    laboratory: Laboratory, tmp_path: Path, unchanged: Callable[[Mapping[str, object]], Digests]
) -> None:
    given = {"simulation.end_year": THIRD}
    config = configure(tmp_path, [person("P")], given)
    restated = {key: value_of(config, key) for path in known_keys() if may_change(path) for key in [".".join(path)]}
    restated["parameters"] = dict.fromkeys(("merit_by_level", "retirement_rates", "deferral_choice"), "default")
    assert len(restated) > 100
    assert laboratory.run({**given, **changed(restated)}).digests() == unchanged(given)


@pytest.mark.parametrize("number", range(DESIGNS))
def test_a_change_of_the_first_year_is_the_base(laboratory: Laboratory, number: int) -> None:
    drawn = changeable(number)
    given = {"simulation.end_year": SECOND}
    base = laboratory.run({**given, **drawn}).digests()
    assert laboratory.run({**given, **changed(drawn, FIRST)}).digests() == base


@pytest.mark.parametrize("number", range(DESIGNS))
def test_years_before_a_change_of_the_whole_plan_are_as_without(
    laboratory: Laboratory, unchanged: Callable[[Mapping[str, object]], Digests], number: int
) -> None:
    drawn = changeable(number)
    given = {"simulation.end_year": THIRD}
    found, before = laboratory.run({**given, **changed(drawn, THIRD)}).digests(), unchanged(given)
    assert {year: found[year] for year in (FIRST, SECOND)} == {year: before[year] for year in (FIRST, SECOND)}
    differing = {mart for mart in found[THIRD] if found[THIRD][mart] != before[THIRD][mart]}
    assert {"fct_yearly_events", "fct_workforce_snapshot", "fct_annual_metrics"} <= differing


@pytest.mark.dbt
def test_both_engines_give_the_same_parameters_and_marts(tmp_path: Path, runs_dbt: None) -> None:
    changes = {
        SECOND: {
            "plan": {"match": {"formula": "stretch"}, "eligibility": {"deferral": {"minimum_age": 18}}},
            "parameters": {"merit_by_level": [{"level_id": level, "merit_rate": "0.02"} for level in range(1, 6)]},
        },
        THIRD: {"plan": {"vesting": {"match": "graded_6"}, "automatic_enrollment": {"scope": "all_eligible"}}},
    }
    reductions = [{"date": f"{SECOND}-06-30", "share": "0.1"}, {"date": f"{THIRD}-06-30", "people": 5}]
    found = {}
    for engine in ("native", "dbt"):
        project = Project.create(tmp_path / engine, changes=changes, workforce={"reductions": reductions})
        result = project.run("--engine", engine, "-q")
        assert result.returncode == 0, result.stderr
        found[engine] = {
            name: value for name, value in contents(project.database).items() if name.startswith(("main.", "param"))
        }
    for year in (FIRST, SECOND, THIRD):
        assert {f"main.fct_yearly_events {year}", f"parameters.merit_by_level {year}"} <= found["dbt"].keys()
    assert found["dbt"] == found["native"]
