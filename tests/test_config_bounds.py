"""Every number of a configuration at its bounds: it is refused before the run, or the run survives it."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from planalign_orchestrator.config import SimulationConfig, config_from_mapping
from planalign_orchestrator.config.keys import known_keys
from planalign_orchestrator.config.sections.base import DOLLARS
from planalign_orchestrator.config.sections.irs_limits import LIMITS
from planalign_orchestrator.config.types import Number
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.parameters import load_parameters
from planalign_orchestrator.problems import dotted
from tests.companies import PACKAGED, Row, person
from tests.laboratory import simulate
from tests.test_model_knobs import KNOBS
from tests.test_plan_knobs import PLAN_KNOBS

Settings = Mapping[str, object]
# the years and the place of the table in its file decide what else is read, and the threads change nothing but speed
LEFT_OUT = {"simulation.start_year", "simulation.end_year", "runtime.threads", "census.header_row", "census.last_row"}
YEARS: Settings = {"simulation.end_year": 2026}
# more of them would hide each other's effects
LARGEST_PACK = 16


def workforce() -> list[Row]:
    """Forty people of all ages, levels and lengths of service; every second one is in the plan."""
    return [
        person(
            f"P{number:04d}",
            born=f"{1950 + number}-06-15",
            hired=f"{2006 + number % 19}-03-01",
            pay=30_000 + 9_000 * number,
            level_id=1 + number % 5,
            employee_deferral_rate="0.06" if number % 2 else "0",
            match_account_balance=1_000 * number,
            core_account_balance=500 * number,
            employee_account_balance=2_000 * number,
        )
        for number in range(40)
    ]


def bounds(rule: Number) -> tuple[Decimal, Decimal]:
    """The smallest and the largest number that a rule accepts."""
    step = rule.step or Decimal(1).scaleb(-rule.places)
    return rule.lower + (step if rule.lower_open else 0), rule.upper - (step if rule.upper_open else 0)


def cases() -> dict[str, Settings]:
    """The settings of every bound, with those under which its key is read at all."""
    knobs = {**KNOBS, **PLAN_KNOBS}
    found: dict[str, Settings] = {}
    for path, key in known_keys().items():
        name = dotted(path)
        if isinstance(key.rule, Number) and name not in LEFT_OUT:
            given = knobs[name].given if name in knobs else {}
            for bound in bounds(key.rule):
                found[f"{name}={bound}"] = {**given, **YEARS, name: bound}
    for limit in LIMITS:
        for bound in bounds(DOLLARS):
            found[f"{limit}={bound}"] = {**YEARS, "irs_limits.by_year": {2025: {limit: bound}}}
    return found


def is_accepted(settings: Settings) -> bool:
    """Whether a run would begin: by the configuration, and by its parameter tables."""
    try:
        load_parameters(loaded(settings))
    except ConfigurationError:
        return False
    return True


def loaded(settings: Settings) -> SimulationConfig:
    return config_from_mapping({"census.path": "census.csv", **PACKAGED, **settings})


@cache
def packs() -> tuple[Settings, ...]:
    """All cases that are accepted alone, as fewer configurations: each case is in one with others that go with it."""
    packed: list[dict[str, object]] = []
    for settings in filter(is_accepted, cases().values()):
        for pack in packed:
            clash = any(pack.get(key, value) != value for key, value in settings.items())
            if len(pack) < LARGEST_PACK and not clash and is_accepted({**pack, **settings}):
                pack.update(settings)
                break
        else:
            packed.append(dict(settings))
    return tuple(packed)


@pytest.mark.model
@pytest.mark.parametrize("settings", packs(), ids=lambda settings: f"{len(settings)} settings")
def test_a_run_survives_the_bounds_that_are_accepted(tmp_path: Path, settings: Settings) -> None:
    result = simulate(tmp_path, workforce(), settings)
    assert result.verdicts().keys() == {2025, 2026}


def test_most_bounds_are_accepted() -> None:
    accepted = sum(map(is_accepted, cases().values()))
    assert accepted > len(cases()) * 3 / 4
