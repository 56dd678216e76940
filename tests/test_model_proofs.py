"""What the workforce model promises, against calculations of another kind: exact decimals, folds, perturbed keys."""

import datetime as dt
import json
import random
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from planalign_orchestrator.config import config_fingerprint
from planalign_orchestrator.parameters import TABLES
from tests.conftest import (
    CENSUS_DATE,
    Laboratory,
    Result,
    completed_years,
    configure,
    default_table,
    read_rows,
    simulate,
    write_rows,
)

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def mixed_run(mixed_census: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Four years with a leap year at the end, of a company with every oddity."""
    return simulate(tmp_path_factory.mktemp("mixed"), mixed_census, {"simulation.end_year": 2028})


def _fold(result: Result) -> Iterator[dict[str, Any]]:
    """Rebuild every snapshot from the census and the ledger alone, in exact decimals."""
    people = {
        row["employee_id"]: {**row, "entry": 2025, "level": row["level_id"] or _level(row["pay"])}
        for row in result.records("""
            select employee_id, employee_birth_date as born, employee_hire_date as hired, level_id,
                employee_gross_compensation as pay
            from inputs.census where is_simulated
        """)
    }
    events = result.records("select * from fct_yearly_events order by simulation_year, employee_id, event_sequence")
    for year in range(2025, 2029):
        start, end = dt.date(year, 1, 1), dt.date(year, 12, 31)
        days_in_year = (end - start).days + 1
        segments = {key: [(start, person["pay"])] for key, person in people.items()}
        exits: dict[str, tuple[dt.date, str]] = {}
        for event in (event for event in events if event["simulation_year"] == year):
            key = event["employee_id"]
            if event["event_type"] == "hire":
                details = json.loads(event["event_details"])
                people[key] = {
                    "born": dt.date.fromisoformat(details["employee_birth_date"]),
                    "hired": event["effective_date"],
                    "entry": year,
                    "new": True,
                }
                segments[key] = []
            if event["compensation_after"] is not None:
                segments[key].append((event["effective_date"], event["compensation_after"]))
                people[key] |= {"pay": event["compensation_after"], "level": event["level_after"]}
            if event["event_type"] == "termination":
                exits[key] = (event["effective_date"], event["event_category"])
        for key, person in people.items():
            last, reason = exits.get(key, (end, None))
            bounds = [day for day, _ in segments[key][1:]] + [last + dt.timedelta(days=1)]
            paid = sum(rate * (until - day).days for (day, rate), until in zip(segments[key], bounds, strict=True))
            hired_now = bool(person.get("new")) and person["entry"] == year
            kind = "new_hire" if hired_now else "experienced" if key in exits else "continuous"
            yield {
                "simulation_year": year,
                "employee_id": key,
                "detailed_status_code": f"{kind}_{'termination' if key in exits else 'active'}",
                "termination_date": exits[key][0] if key in exits else None,
                "termination_reason": reason,
                "level_id": person["level"],
                "current_age": completed_years(person["born"], last),
                "current_compensation": person["pay"],
                "prorated_annual_compensation": (Decimal(paid) / days_in_year).quantize(CENT, ROUND_HALF_UP),
            }
        for key in exits:
            del people[key]


def _level(pay: Decimal) -> int:
    return max(
        (int(row["level_id"]) for row in default_table("job_levels") if pay >= Decimal(row["pay_from"])), default=1
    )


def test_every_snapshot_is_the_fold_of_census_and_ledger(mixed_run: Result) -> None:
    folded = sorted(_fold(mixed_run), key=lambda row: (row["simulation_year"], row["employee_id"]))
    columns = ", ".join(folded[0])
    stored = mixed_run.records(f"select {columns} from fct_workforce_snapshot order by simulation_year, employee_id")
    assert len(stored) > 2000
    assert stored == folded


@pytest.mark.parametrize("methodology", ["realistic", "fixed", "anniversary"])
@pytest.mark.parametrize("budget", ["0", "0.035", "0.051234"])
def test_the_merit_budget_is_spent_exactly(
    tmp_path: Path, generated: Callable[[int], Path], methodology: str, budget: str
) -> None:
    overrides = {"compensation.merit_budget": budget, "raise_timing.methodology": methodology}
    laboratory = Laboratory(tmp_path, generated(1000), overrides).run()
    ((raises, payroll, increase),) = laboratory.query("""
        select count(*), sum(compensation_before), sum(compensation_after - compensation_before)
        from fct_yearly_events where event_type = 'raise'
    """)
    assert raises > 500
    assert abs(increase - payroll * (Decimal(budget) + Decimal("0.02"))) <= Decimal("0.005") * raises


def test_row_order_and_file_format_of_the_census_do_not_matter(
    tmp_path: Path, generated: Callable[[int], Path]
) -> None:
    rows = read_rows(generated(500))
    before = Laboratory(tmp_path / "a", generated(500)).run().digests()
    random.Random(1).shuffle(rows)
    shuffled = write_rows(tmp_path / "shuffled.csv", rows)
    assert Laboratory(tmp_path / "b", shuffled).run().digests() == before
    parquet = tmp_path / "census.parquet"
    duckdb.sql(f"copy (from read_csv('{shuffled}')) to '{parquet}' (format parquet)")
    assert Laboratory(tmp_path / "c", parquet).run().digests() == before


def test_two_runs_agree_two_seeds_do_not_and_scenarios_share_their_luck(
    tmp_path: Path, generated: Callable[[int], Path]
) -> None:
    laboratory = Laboratory(tmp_path, generated(500), {"simulation.end_year": 2026})
    exits = "select employee_id, effective_date from fct_yearly_events where event_type = 'termination' order by all"
    first, left = laboratory.run().digests(), laboratory.query(exits)
    assert laboratory.run().digests() == first
    assert laboratory.run({"scenario_id": "another"}).query(exits) == left
    assert laboratory.digests() != first
    assert laboratory.run({"simulation.random_seed": 43}).query(exits) != left


@pytest.mark.slow
def test_threads_do_not_matter_for_300_000_people(tmp_path: Path, generated: Callable[[int], Path]) -> None:
    census = generated(300_000)
    digests = []
    for number, threads in enumerate((1, 2, 8, 2)):
        overrides = {"simulation.end_year": 2026, "runtime.threads": threads}
        digests.append(simulate(tmp_path / str(number), census, overrides).digests())
    assert digests[0][2026]["fct_workforce_snapshot"]["rows"] > 300_000
    assert all(digest == digests[0] for digest in digests)


@pytest.mark.parametrize("size", [1_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_every_rule_passes(tmp_path: Path, generated: Callable[[int], Path], size: int) -> None:
    result = simulate(tmp_path, generated(size), {"simulation.end_year": 2029})
    verdicts = result.verdicts()
    assert sorted(verdicts) == [2025, 2026, 2027, 2028, 2029]
    assert [verdict for year in verdicts.values() for verdict in year if not verdict["passed"]] == []
    assert "assert_replay_gives_the_snapshot" in [verdict["rule"] for verdict in verdicts[2029]]


EVEN_BUT_ONE = [0.2, 0, *[0.08] * 10]
KNOBS: dict[str, dict[str, Any]] = {
    "scenario_id": {"scenario_id": "other"},
    "plan_design_id": {"plan_design_id": "other"},
    "simulation.random_seed": {"simulation.random_seed": 7},
    "simulation.target_growth_rate": {"simulation.target_growth_rate": 0.04},
    "workforce.headcount_mode": {"workforce.headcount_mode": "stochastic"},
    "workforce.total_termination_rate": {"workforce.total_termination_rate": 0.13},
    "workforce.new_hire_termination_rate": {"workforce.new_hire_termination_rate": 0.3},
    "workforce.voluntary_share": {"workforce.voluntary_share": 0.5},
    "workforce.exit_timing": {"workforce.exit_timing": EVEN_BUT_ONE},
    "compensation.cola_rate": {"compensation.cola_rate": 0.03},
    "compensation.cola_rate_by_year": {"compensation.cola_rate_by_year": {2026: 0.05}},
    "compensation.merit_budget": {"compensation.merit_budget": 0.04},
    "compensation.structure_increase_rate": {"compensation.structure_increase_rate": 0.05},
    "compensation.promotion.effective_date": {"compensation.promotion.effective_date": "03-01"},
    "compensation.promotion.base_rate": {"compensation.promotion.base_rate": 0.1},
    "compensation.promotion.rate_multiplier": {"compensation.promotion.rate_multiplier": 2},
    "compensation.promotion.minimum_service_years": {"compensation.promotion.minimum_service_years": 5},
    "compensation.promotion.maximum_age": {"compensation.promotion.maximum_age": 40},
    "compensation.promotion.base_increase": {"compensation.promotion.base_increase": 0.25},
    "compensation.promotion.increase_spread": {"compensation.promotion.increase_spread": 0.01},
    "compensation.promotion.maximum_increase_rate": {"compensation.promotion.maximum_increase_rate": 0.2},
    "compensation.promotion.maximum_increase_amount": {"compensation.promotion.maximum_increase_amount": 10000},
    "raise_timing.methodology": {"raise_timing.methodology": "anniversary"},
    "raise_timing.fixed_date": {"raise_timing.methodology": "fixed", "raise_timing.fixed_date": "04-01"},
    "raise_timing.month_weights": {"raise_timing.month_weights": EVEN_BUT_ONE},
    "raise_timing.minimum_service_years": {"raise_timing.minimum_service_years": 3},
    "new_hires.level_mix": {"new_hires.level_mix": {1: 0.5, 2: 0.5}},
    "new_hires.hire_timing": {"new_hires.hire_timing": EVEN_BUT_ONE},
    "new_hires.pay_noise_sd": {"new_hires.pay_noise_sd": 0.1},
    "new_hires.part_time_share": {"new_hires.part_time_share": 0.5},
    "new_hires.part_time_hours_per_week": {
        "new_hires.part_time_share": 0.5,
        "new_hires.part_time_hours_per_week": 10,
    },
    "new_hires.full_time_hours_per_week": {"new_hires.full_time_hours_per_week": 38},
}
# what these change is judged elsewhere: the years simulated, how a census is read, and the verdicts below
ELSEWHERE = {"simulation.start_year", "validation.maximum_hire_rate", "validation.maximum_average_pay_growth"}
BASE: dict[str, dict[str, Any]] = {"new_hires.part_time_hours_per_week": {"new_hires.part_time_share": 0.5}}
BASE["raise_timing.fixed_date"] = {"raise_timing.methodology": "fixed"}


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory, generated: Callable[[int], Path]) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("knobs"), generated(1000), {"simulation.end_year": 2026})


def test_every_key_has_a_case(tmp_path: Path, generated: Callable[[int], Path]) -> None:
    keys = {key for key in config_fingerprint(configure(tmp_path, generated(500))) if not key.startswith("census.")}
    assert keys - ELSEWHERE <= KNOBS.keys(), "a key that may change results needs a case here"


@pytest.mark.parametrize("key", KNOBS)
def test_every_key_moves_a_result(laboratory: Laboratory, key: str) -> None:
    base = laboratory.run(BASE.get(key)).digests()
    assert laboratory.run(KNOBS[key]).digests() != base


@pytest.mark.parametrize("name", TABLES)
def test_every_parameter_table_moves_a_result(laboratory: Laboratory, name: str) -> None:
    base = laboratory.run().digests()
    rows = [dict(row) for row in default_table(name)]
    if name.endswith("_bands"):
        rows[1] |= {next(key for key in rows[1] if key.endswith("_to")): "4" if name == "tenure_bands" else "33"}
        rows[2] |= {next(key for key in rows[2] if key.endswith("_from")): "4" if name == "tenure_bands" else "33"}
    elif name == "new_hire_ages":
        rows[0]["weight"], rows[1]["weight"] = rows[1]["weight"], rows[0]["weight"]
    else:
        column = {"job_levels": "range_minimum", "retirement_hazard": "hazard", "merit_by_level": "merit_rate"}
        column |= {"new_hire_pay": "percentile"}
        changed = column.get(name, "multiplier" if "multiplier" in rows[1] else "factor")
        rows[1][changed] = str(Decimal(rows[1][changed]) * Decimal("0.9") + Decimal("0.01"))
    assert laboratory.run({f"parameters.{name}": rows}).digests() != base


@pytest.mark.parametrize("key", ["validation.maximum_hire_rate", "validation.maximum_average_pay_growth"])
def test_thresholds_change_the_verdict(tmp_path: Path, generated: Callable[[int], Path], key: str) -> None:
    failed = [
        [
            verdict["rule"]
            for verdict in simulate(tmp_path / value, generated(500), {key: value}).verdicts()[2025]
            if not verdict["passed"]
        ]
        for value in ("0.9", "0.001")
    ]
    assert failed[0] == []
    assert len(failed[1]) == 1


def test_the_census_date_is_the_day_before_the_first_year(sample_run: Result) -> None:
    assert sample_run.query("select max(employee_hire_date) <= $$2024-12-31$$::date from inputs.census") == [(True,)]
    assert dt.date(sample_run.config.simulation.start_year - 1, 12, 31) == CENSUS_DATE
