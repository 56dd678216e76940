"""Pay of generated companies: it drifts neither with hires nor with levels, and no promotion pays more than the cap."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import pytest

from tests.companies import FITTED, NOBODY_RETIRES, Row, default_table
from tests.laboratory import Laboratory
from tests.test_fitting import company, fit, rows
from tests.tiers import sampled

pytestmark = pytest.mark.model

TESTED = 3
COMPANIES = 30


def drawn(seed: int) -> tuple[int, float]:
    """Return size and median pay: three of every size in the tests, 200 to 20,000 people paid 18,000 to 250,000."""
    if seed < TESTED:
        return ((250, 18_000.0), (700, 60_000.0), (2_000, 250_000.0))[seed]
    chance = random.Random(seed)
    return int(200 * 100 ** chance.random()), 18_000 * (250 / 18) ** chance.random()


def full_time(people: Sequence[Row]) -> list[Row]:
    """Return the people with full-time hours and the pay for them."""
    return [
        {
            **row,
            "scheduled_hours_per_week": 40,
            "employee_gross_compensation": round(
                float(str(row["employee_gross_compensation"])) * 40 / float(str(row["scheduled_hours_per_week"])), 2
            ),
        }
        for row in people
    ]


def hired_at_the_mean(folder: Path, people: Sequence[Row]) -> Mapping[str, object]:
    """Return the tables under which every hire is paid the mean of the level and nobody is likelier to leave."""
    loaded = fit(folder, people)
    pay = {
        level: fmean(float(str(row["employee_gross_compensation"])) for row in people if row["level_id"] == level)
        for level in {row["level_id"] for row in people}
    }
    levels = [{key: value for key, value in row.items() if value is not None} for row in rows(loaded, "job_levels")]
    return {
        "job_levels": [{**row, "range_minimum": "1", "range_maximum": "99000000"} for row in levels],
        "new_hire_pay": [
            {"level_id": row["level_id"], "target_pay": f"{pay[int(row['level_id'])]:.2f}", "log_sd": "0"}
            for row in levels
        ],
        "termination_by_level": [{"level_id": row["level_id"], "factor": "1"} for row in levels],
        **{
            name: [{**row, "multiplier": "1"} for row in default_table(name)]
            for name in ("termination_by_age", "termination_by_tenure")
        },
        "retirement_rates": NOBODY_RETIRES["parameters.retirement_rates"],
    }


@pytest.mark.parametrize("seed", sampled(range(COMPANIES), TESTED))
def test_pay_does_not_drift_where_nothing_moves_it(tmp_path: Path, seed: int) -> None:
    """Zero raises and zero growth, hires paid the mean of their level, even exits: less than .5 % + 3 errors a year."""
    size, median = drawn(seed)
    people = full_time(company(seed, size, named=True, median=median))
    settings = {
        **FITTED,
        "parameters": hired_at_the_mean(tmp_path, people),
        "simulation.end_year": 2027,
        "simulation.target_growth_rate": 0,
        "compensation.merit_budget": 0,
        "compensation.cola_rate": 0,
        "compensation.structure_increase_rate": 0,
        "compensation.promotion.fill_share": 0,
        "new_hires.part_time_share": 0,
    }
    laboratory = Laboratory(tmp_path, people, settings).run()
    # pay moves by the pay of who leaves around the mean of their level, each level with a spread of its own
    years = laboratory.query("""
        with
        levels as (
            select
                simulation_year,
                level_id,
                sum(current_compensation) filter (employment_status = 'active') as payroll,
                count(*) filter (employment_status = 'active') as people,
                count(*) filter (detailed_status_code = 'experienced_termination') as exits,
                coalesce(var_samp(current_compensation::double), 0) as variance
            from fct_workforce_snapshot
            group by all
        )

        select sum(payroll) / sum(people), sqrt(sum(exits * variance)) / sum(people), sum(people), sum(exits)
        from levels group by simulation_year order by simulation_year
    """)
    before = fmean(float(str(row["employee_gross_compensation"])) for row in people)
    assert len(years) == 3
    for average, error, headcount, exits in years:
        assert headcount == size
        assert exits == pytest.approx(size * 0.12, abs=1)
        assert abs(float(average) / before - 1) < 0.005 + 3 * error / before
        before = float(average)
    assert laboratory.query("select count(*) from fct_yearly_events where event_type = 'promotion'") == [(0,)]


@pytest.mark.parametrize("seed", sampled(range(COMPANIES), TESTED))
def test_no_promotion_pays_more_than_the_cap(tmp_path: Path, seed: int) -> None:
    """All openings filled from below, in a company with levels, ranges and hire pay of its own."""
    size, median = drawn(seed)
    people = company(seed, size, named=seed % 2 == 0, median=median)
    settings = {**FITTED, "simulation.target_growth_rate": "0.05", "compensation.promotion.fill_share": 1}
    laboratory = Laboratory(tmp_path, people, settings).run(until="event_generation")
    ((promotions, above, at_the_cap),) = laboratory.query("""
        select
            count(*),
            count(*) filter (compensation_after - compensation_before > round(compensation_before * 0.2, 2)),
            count(*) filter (compensation_after - compensation_before = round(compensation_before * 0.2, 2))
        from int_promotions
    """)
    assert promotions > size / 100
    assert above == 0
    assert at_the_cap > 0, "the cap decides something"
