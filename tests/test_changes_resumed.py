"""Changes over time and `--resume`: what lies ahead may still be edited, what is finished may not."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from planalign_orchestrator.errors import ResumeError
from tests.crash_child import Contents, Project, contents, files

pytestmark = pytest.mark.model

FIRST, LAST = 2025, 2027
CHANGES: Mapping[str, object] = {
    "changes": {
        2026: {
            "plan": {"match": {"formula": "stretch"}, "eligibility": {"deferral": {"minimum_age": 18}}},
            "compensation": {"cola_rate": "0.05"},
        },
        2027: {"plan": {"vesting": {"match": "graded_6"}}, "parameters": {"retirement_rates": "default"}},
    },
    "workforce.reductions": [
        {"date": "2026-06-30", "people": 10, "levels": [1]},
        {"date": "2027-03-31", "people": 5, "by": "random"},
    ],
}
EARLIER = {"date": "2026-03-31", "people": 1}
AHEAD = {"date": "2027-09-30", "people": 7, "by": "last_in"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Contents:
    """What one run with the changes leaves."""
    project = Project.create(tmp_path_factory.mktemp("fresh"))
    project.simulate(CHANGES)
    return contents(project.database)


@pytest.fixture(scope="module")
def until_2026(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Path:
    """The folder of a project whose years up to 2026 are simulated with the changes; copied, never changed."""
    project = Project.create(tmp_path_factory.mktemp("until_2026"))
    project.simulate({**CHANGES, "simulation.end_year": 2026})
    return project.folder


@pytest.fixture
def project(until_2026: Path, tmp_path: Path) -> Project:
    shutil.copytree(until_2026, tmp_path / "project")
    return Project.create(tmp_path / "project")


def reductions(*further: Mapping[str, object], without: str = "") -> dict[str, object]:
    """Return the settings with further reductions, and without that of a date."""
    listed = CHANGES["workforce.reductions"]
    assert isinstance(listed, list)
    kept = [entry for entry in listed if entry["date"] != without]
    return {**CHANGES, "workforce.reductions": [*kept, *further]}


@pytest.mark.parametrize("finished", [[2025], [2026], [2025, 2026]], ids=str)
def test_a_run_resumed_before_and_at_a_change_is_the_run_at_once(
    tmp_path: Path, fresh: Contents, finished: list[int]
) -> None:
    project = Project.create(tmp_path)
    for end_year in finished:
        project.simulate({**CHANGES, "simulation.end_year": end_year}, resume=True)
    project.simulate(CHANGES, resume=True)
    assert contents(project.database) == fresh


@pytest.mark.parametrize(
    "settings",
    [
        {**CHANGES, "changes.2027.plan.vesting.match": "cliff_3"},
        {**CHANGES, "changes.2027.plan.match.formula": "none"},
        reductions(AHEAD),
        reductions(AHEAD, without="2027-03-31"),
        reductions(without="2027-03-31"),
    ],
    ids=["another value", "a further key", "a further reduction", "another reduction", "a reduction less"],
)
def test_a_year_ahead_may_be_edited(project: Project, tmp_path: Path, settings: Mapping[str, object]) -> None:
    project.simulate(settings, resume=True)
    once = Project.create(tmp_path / "once")
    once.simulate(settings)
    assert contents(project.database) == contents(once.database)


def test_a_first_reduction_in_a_year_ahead_may_be_added(tmp_path: Path) -> None:
    """The models of a run with reductions are not those of one without."""
    project, once = Project.create(tmp_path / "resumed"), Project.create(tmp_path / "once")
    settings = {"simulation.end_year": 2026, "workforce.reductions": [{"date": "2026-03-31", "share": "0.3"}]}
    project.simulate({"simulation.end_year": 2025})
    project.simulate(settings, resume=True)
    once.simulate(settings)
    assert contents(project.database) == contents(once.database)


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        (
            {**CHANGES, "changes.2026.compensation.cola_rate": "0.04"},
            "compensation.cola_rate: was 0.05, is now 0.04 (in 2026)",
        ),
        ({**CHANGES, "changes.2026.plan.match.formula": "simple"}, "plan.match.formula: was stretch, is now simple"),
        ({**CHANGES, "changes.2025.plan.match.formula": "simple"}, "plan.match.formula: was "),
        ({**CHANGES, "changes": {}}, "plan.match.formula: was stretch, is now"),
        (
            {**CHANGES, "changes.2026.parameters.retirement_rates": [{"age_from": 0, "retirement_rate": 0}]},
            "parameters.retirement_rates: the table has other rows (in 2026)",
        ),
        (reductions(EARLIER), "workforce.reductions: was "),
        (reductions(without="2026-06-30"), "workforce.reductions: was "),
    ],
    ids=["a value", "a formula", "the first year", "none", "a table", "a further reduction", "a reduction less"],
)
def test_a_finished_year_may_not_be_edited(project: Project, settings: Mapping[str, object], difference: str) -> None:
    before = files(project.folder)
    with pytest.raises(ResumeError) as caught:
        project.simulate(settings, resume=True)
    assert f"\n  - {difference}" in str(caught.value)
    assert files(project.folder) == before


@pytest.mark.parametrize("key", ["compensation.cola_rate", "plan.match.formula"])
def test_a_restated_value_stops_nothing(project: Project, fresh: Contents, key: str) -> None:
    value = {"compensation.cola_rate": "0.0500", "plan.match.formula": "stretch"}[key]
    project.simulate({**CHANGES, f"changes.2027.{key}": value}, resume=True)
    assert contents(project.database) == fresh
