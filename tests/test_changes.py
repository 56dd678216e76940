"""The configuration of a year: a change acts from its year on and not before, in every key that may change."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator.config.keys import may_change
from tests.companies import read_rows
from tests.knobs import Knob
from tests.laboratory import Digests, Laboratory
from tests.test_model_knobs import KNOBS
from tests.test_plan_knobs import PLAN_KNOBS, with_rare_people

pytestmark = pytest.mark.model

FIRST, SECOND = 2025, 2026
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
