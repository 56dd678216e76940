"""What holds for every company and every setting: small companies made up by hypothesis, two years each."""

import datetime as dt
import tempfile
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planalign_orchestrator.errors import ConfigurationError
from tests.companies import CENSUS_DATE, Row, anniversary, person
from tests.laboratory import Result, simulate

pytestmark = pytest.mark.model


def rates(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=4)


@st.composite
def employees(draw: st.DrawFn) -> Row:
    """Somebody the census may hold: 14 to 100 years old, hired at 14 or later, paid at least a cent."""
    born = draw(st.dates(dt.date(1924, 6, 1), dt.date(2010, 6, 1)))
    hired = draw(st.dates(anniversary(born, born.year + 14), CENSUS_DATE))
    announced = st.dates(dt.date(2025, 1, 1), dt.date(2027, 12, 31)).map(str)
    return person(
        "",
        born=born.isoformat(),
        hired=hired.isoformat(),
        pay=draw(st.decimals("0.01", "600000", places=2)),
        level_id=draw(st.sampled_from(["", 1, 2, 3, 4, 5])),
        scheduled_hours_per_week=draw(st.sampled_from([40, 20, Decimal("37.5")])),
        employee_termination_date=draw(st.one_of(st.just(""), st.just(""), announced)),
    )


companies = st.lists(employees(), min_size=1, max_size=12).map(
    lambda rows: [{**row, "employee_id": f"P{number}"} for number, row in enumerate(rows)]
)
every_day = st.dates(dt.date(2024, 1, 1), dt.date(2024, 12, 31)).map(lambda day: day.strftime("%m-%d"))
choices = st.fixed_dictionaries(
    {
        "simulation.target_growth_rate": rates("-0.6", "0.8"),
        "simulation.random_seed": st.integers(0, 2**63 - 1),
        "workforce.total_termination_rate": rates("0", "1"),
        "workforce.new_hire_termination_rate": rates("0", "0.9"),
        "workforce.headcount_mode": st.sampled_from(["exact", "exact", "stochastic"]),
        "compensation.cola_rate": rates("0", "0.2"),
        "compensation.merit_budget": rates("0", "0.2"),
        "compensation.promotion.effective_date": every_day,
        "compensation.promotion.fill_share": rates("0", "1"),
        "workforce.structure": st.sampled_from(["positions", "positions", "rates"]),
        "raise_timing.methodology": st.sampled_from(["realistic", "fixed", "anniversary"]),
        "raise_timing.fixed_date": every_day,
        "raise_timing.minimum_service_months": st.integers(0, 24),
    }
).filter(lambda chosen: _hires_for_each_person(chosen) <= 10)


def _hires_for_each_person(chosen: dict[str, Any]) -> Decimal:
    """A configuration that asks for more than ten is refused."""
    growth, exits = chosen["simulation.target_growth_rate"], chosen["workforce.total_termination_rate"]
    return Decimal((growth + exits) / (1 - chosen["workforce.new_hire_termination_rate"]))


def demand_headcounts(result: Result, setting: dict[str, Any]) -> None:
    """The equation ties in both modes, and in exact mode it is the specification's."""
    first = opening = result.query("select count(*) from inputs.census where is_simulated")[0][0]
    for year in (2025, 2026):
        found = result.metrics(year)
        assert found["opening_headcount"] == opening
        closing = opening - found["terminations"] + found["hires"] - found["new_hire_terminations"]
        assert found["closing_headcount"] == closing
        if setting["workforce.headcount_mode"] == "exact":
            growth, exit_rate = setting["simulation.target_growth_rate"], setting["workforce.total_termination_rate"]
            target = int((first * (1 + growth) ** (year - 2024)).quantize(Decimal(1), ROUND_HALF_UP))
            exits = int((opening * exit_rate).quantize(Decimal(1), ROUND_HALF_UP))
            exits = max(exits, found["announced_terminations"] + found["retirements"], opening - target)
            hires = ceil((target - opening + exits) / (1 - Fraction(setting["workforce.new_hire_termination_rate"])))
            assert (closing, found["terminations"], found["hires"]) == (target, exits, hires)
        opening = closing


def demand_closed_levels(result: Result, setting: dict[str, Any]) -> None:
    """Levels close with their positions; nobody is hired at a level with a surplus, and no raise passes the cap."""
    for year, level, positions, closing, surplus, given_up in result.query("""
        select simulation_year, level_id, positions, closing_headcount, surplus, given_up from fct_level_headcount
    """):
        if (setting["workforce.headcount_mode"], setting.get("workforce.structure")) == ("exact", "positions"):
            assert closing == positions + surplus - given_up, (year, level)
            assert surplus == 0 or given_up == 0
    most = result.query("""
        select max(compensation_after - compensation_before - round(compensation_before * 0.2, 2))
        from fct_yearly_events where event_type = 'promotion'
    """)[0][0]
    assert most is None or most <= 0


def demand_ordered_lives(result: Result) -> None:
    """Nobody has an event before the hire or after the exit; pay goes on where it stopped and never falls."""
    rate = dict(result.query("select employee_id, employee_gross_compensation from inputs.census"))
    last_day: dict[str, dt.date] = {}
    exits: dict[str, dt.date] = {}
    sequences: dict[tuple[int, str], list[int]] = defaultdict(list)
    for one in result.records("select * from fct_yearly_events order by simulation_year, employee_id, event_sequence"):
        who, day = one["employee_id"], one["effective_date"]
        assert who not in exits
        assert last_day.get(who, day) <= day
        assert day.year == one["simulation_year"]
        last_day[who] = day
        sequences[day.year, who].append(one["event_sequence"])
        if one["event_type"] == "termination":
            exits[who] = day
        elif one["compensation_after"] is not None:
            assert one["compensation_before"] == rate.get(who)
            assert one["compensation_after"] >= rate.get(who, Decimal("0.01"))
            rate[who] = one["compensation_after"]
    assert all(found == [*range(1, len(found) + 1)] for found in sequences.values())


def demand_sound_snapshots(result: Result) -> None:
    """Paid amounts lie between nothing and the highest rate; time passes for everybody alike."""
    rows = result.records("select * from fct_workforce_snapshot order by employee_id, simulation_year")
    assert all(0 <= row["prorated_annual_compensation"] <= row["current_compensation"] for row in rows)
    assert all(0 < row["annual_hours"] <= 40 * 53 for row in rows)
    assert all(row["termination_date"] is None or row["employee_hire_date"] <= row["termination_date"] for row in rows)
    years: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        years[row["employee_id"]].append(row)
    for first, second in (pair for pair in years.values() if len(pair) == 2):
        assert first["employment_status"] == "active"
        if second["employment_status"] == "active":
            assert second["current_age"] == first["current_age"] + 1
            assert abs(second["current_tenure"] - first["current_tenure"] - 1) < Decimal("0.003")


@settings(max_examples=14, deadline=None, derandomize=True, database=None)
@given(rows=companies, setting=choices)
@example(
    rows=[person("P0", born="1960-02-29", hired="2024-02-29", pay="79999.99", employee_termination_date="2025-02-28")],
    setting={
        "simulation.target_growth_rate": Decimal("0.5"),
        "workforce.total_termination_rate": Decimal("1"),
        "workforce.new_hire_termination_rate": Decimal("0.8"),
        "workforce.headcount_mode": "exact",
        "compensation.promotion.effective_date": "02-29",
        "raise_timing.methodology": "anniversary",
    },
)
def test_every_company_keeps_its_books(rows: list[Row], setting: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = simulate(Path(folder), rows, {**setting, "simulation.end_year": 2026})
        except ConfigurationError as error:
            # the only thing that a good configuration may not ask for
            if "people without an announced date are all there are" not in str(error):
                raise
            return
        demand_headcounts(result, setting)
        demand_closed_levels(result, setting)
        demand_ordered_lives(result)
        demand_sound_snapshots(result)
