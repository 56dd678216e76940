"""The configuration of a year: a change acts from its year on and not before, in every key that may change."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator.config.keys import known_keys, known_sections
from tests.knobs import Knob
from tests.laboratory import Digests, Laboratory
from tests.test_model_knobs import KNOBS
from tests.test_plan_knobs import PLAN_KNOBS

pytestmark = pytest.mark.model

FIRST, SECOND = 2025, 2026
# read in the first simulated year alone, so that no change can move anything
OF_THE_FIRST_YEAR: set[str] = set()


def may_change(key: str) -> bool:
    path = tuple(key.split("."))
    sections = [known_sections()[path[:depth]] for depth in range(1, len(path))]
    return not known_keys()[path].details.of_all_years and not any(section.of_all_years for section in sections)


CHANGEABLE: Mapping[str, Knob] = {key: knob for key, knob in {**KNOBS, **PLAN_KNOBS}.items() if may_change(key)}


@pytest.fixture(scope="module")
def laboratory(
    tmp_path_factory: pytest.TempPathFactory, generated: Callable[[int], Path], simulates: None
) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("changes"), generated(1000))


@pytest.fixture(scope="module")
def unchanged(laboratory: Laboratory) -> Callable[[Mapping[str, object]], Digests]:
    """Return a function from settings to their digests, each computed once."""
    known: dict[str, Digests] = {}

    def digests(given: Mapping[str, object]) -> Digests:
        if str(given) not in known:
            known[str(given)] = laboratory.run({**given, "simulation.end_year": SECOND}).digests()
        return known[str(given)]

    return digests


def changed(values: Mapping[str, Any], year: int = SECOND) -> dict[str, object]:
    """Return the settings that give keys other values from a year on."""
    return {f"changes.{year}.{key}": value for key, value in values.items()}


@pytest.mark.parametrize("key", CHANGEABLE)
def test_a_key_acts_from_its_year_on_and_not_before(
    laboratory: Laboratory, unchanged: Callable[[Mapping[str, object]], Digests], key: str
) -> None:
    knob = CHANGEABLE[key]
    change = changed({key: knob.value, **knob.along})
    found = laboratory.run({**knob.given, "simulation.end_year": SECOND, **change}).digests()
    before = unchanged(knob.given)
    assert found[FIRST] == before[FIRST]
    assert (found[SECOND] == before[SECOND]) is (key in OF_THE_FIRST_YEAR)
