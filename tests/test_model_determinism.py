"""The same inputs give the same results to the last digit, whatever the threads, the order of rows or the format."""

import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from planalign_orchestrator.database.connection import ROW_GROUP_SIZE
from planalign_orchestrator.factory import build_orchestrator
from tests.companies import Row, configure, read_rows
from tests.laboratory import Digests, Laboratory, Result, simulate
from tests.tiers import sampled

pytestmark = pytest.mark.model

SMALL = 5_000
TWO_YEARS = {"simulation.end_year": 2026}
EVENTS = "select * exclude (scenario_id, plan_design_id, event_id) from fct_yearly_events order by all"


@pytest.fixture(scope="module")
def mixed_run(tmp_path_factory: pytest.TempPathFactory, mixed_census: Path, simulates: None) -> Result:
    return simulate(tmp_path_factory.mktemp("mixed"), mixed_census, TWO_YEARS)


def test_a_second_run_gives_the_same_digests(tmp_path: Path, mixed_run: Result) -> None:
    again = simulate(tmp_path, mixed_run.census, TWO_YEARS)
    assert again.digests() == mixed_run.digests()
    years = again.digests().values()
    assert [mart for mart in next(iter(years)) if not any(marts[mart]["rows"] for marts in years)] == []


def test_a_resumed_run_gives_the_digests_of_one_run(tmp_path: Path, mixed_run: Result) -> None:
    simulate(tmp_path, mixed_run.census)
    orchestrator = build_orchestrator(configure(tmp_path, mixed_run.census, TWO_YEARS))
    orchestrator.execute_multi_year_simulation(resume_from_checkpoint=True)
    resumed = Result(mixed_run.census, orchestrator.config, orchestrator.config.runtime.database)
    assert resumed.digests() == mixed_run.digests()


def shuffled(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return random.Random(7).sample(rows, len(rows))


def american(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Dates as 12/31/2024 and money as "$56,705.00 "."""
    return [
        {
            name: f"{value[5:7]}/{value[8:]}/{value[:4]}"
            if name.endswith("_date") and value
            else f"${float(value):,.2f} "
            if name == "employee_gross_compensation"
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


@pytest.mark.parametrize("rewritten", [shuffled, american], ids=["rows in another order", "dates and money otherwise"])
def test_the_form_of_the_census_does_not_matter(
    tmp_path: Path, mixed_run: Result, rewritten: Callable[[list[dict[str, str]]], list[Row]]
) -> None:
    again = simulate(tmp_path, rewritten(read_rows(mixed_run.census)), TWO_YEARS)
    assert again.digests() == mixed_run.digests()


def test_parquet_gives_what_csv_gives(tmp_path: Path, mixed_run: Result) -> None:
    parquet = tmp_path / "census.parquet"
    duckdb.sql(f"copy (from read_csv('{mixed_run.census}')) to '{parquet}' (format parquet)")
    assert simulate(tmp_path, parquet, TWO_YEARS).digests() == mixed_run.digests()


def leavers(laboratory: Laboratory) -> set[tuple[object, ...]]:
    return set(laboratory.query("select employee_id, termination_date, termination_reason from int_exits"))


def test_two_seeds_give_different_people_and_one_seed_the_same(tmp_path: Path, mixed_census: Path) -> None:
    laboratory = Laboratory(tmp_path, mixed_census)
    found = [leavers(laboratory.run({"simulation.random_seed": seed})) for seed in (1, 2, 1, 2**63 - 1)]
    assert found[0] == found[2]
    ids = [{leaver[0] for leaver in one} for one in found]
    assert len({frozenset(one) for one in ids}) == 3
    assert max(len(ids[0] & ids[1]), len(ids[0] & ids[3])) < len(ids[0]) / 2


def test_another_scenario_shares_the_luck(tmp_path: Path, mixed_census: Path) -> None:
    laboratory = Laboratory(tmp_path, mixed_census, TWO_YEARS)
    here = laboratory.run({"scenario_id": "one", "plan_design_id": "a"}).records(EVENTS)
    digests = laboratory.digests()
    there = laboratory.run({"scenario_id": "two", "plan_design_id": "b"}).records(EVENTS)
    assert here == there
    assert laboratory.digests() != digests
    ids = laboratory.query("select distinct scenario_id, plan_design_id from fct_yearly_events")
    assert ids == [("two", "b")]


def test_two_designs_share_the_luck(tmp_path: Path, mixed_census: Path) -> None:
    """What is not decided differently comes out equal: other raises and growth leave exits and hires' ages alone."""
    laboratory = Laboratory(tmp_path, mixed_census)
    left = leavers(laboratory.run())
    hires = "select employee_id, hire_date, birth_date from int_hires"
    hired = set(laboratory.query(hires))
    other = {"compensation.merit_budget": "0.01", "simulation.target_growth_rate": "0.10", "scenario_id": "growing"}
    laboratory.run(other)
    assert leavers(laboratory) == left
    assert hired < set(laboratory.query(hires))


def test_event_ids_are_unique_over_all_years(mixed_run: Result) -> None:
    assert mixed_run.query("select count(*) > 1000, count(distinct event_id) = count(*) from fct_yearly_events") == [
        (True, True)
    ]


@pytest.mark.parametrize("size", sampled([SMALL, 60_000, 300_000], 1))
def test_threads_do_not_matter(tmp_path: Path, generated: Callable[[int], Path], size: int) -> None:
    """A sum of doubles differs from one thread to two at 5,000 people, and from run to run above a few row groups."""
    census = generated(size)
    assert size == SMALL or size > 3 * ROW_GROUP_SIZE
    found: list[Digests] = []
    for place, threads in enumerate((1, 2, 8, 8)):
        result = simulate(tmp_path / str(place), census, {**TWO_YEARS, "runtime.threads": threads})
        found.append(result.digests())
        result.database.unlink()
    assert found[0][2026]["fct_workforce_snapshot"]["rows"] > size
    assert all(digests == found[0] for digests in found)
