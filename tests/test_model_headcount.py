"""Exact mode: every year closes at opening x (1 + growth), and the equation of exits and hires behind it."""

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest

from planalign_orchestrator.database.checkpoints import read_status
from planalign_orchestrator.errors import ConfigurationError, DatabaseError
from tests.companies import Row, people, person
from tests.laboratory import Laboratory, Result, simulate

pytestmark = pytest.mark.model


def half_away_from_zero(number: Decimal) -> int:
    """Round as an actuary does; Python's `round` would take an exact half to the even neighbour."""
    return int(number.quantize(Decimal(1), ROUND_HALF_UP))


def head_counts(result: Result, year: int) -> dict[str, int]:
    """Count people in the snapshot itself, not in the metrics."""
    ((opening, hires, terminations, new_hire_terminations, closing),) = result.query(f"""
        select
            count(*) filter (detailed_status_code not like 'new_hire%'),
            count(*) filter (detailed_status_code like 'new_hire%'),
            count(*) filter (detailed_status_code = 'experienced_termination'),
            count(*) filter (detailed_status_code = 'new_hire_termination'),
            count(*) filter (employment_status = 'active')
        from fct_workforce_snapshot where simulation_year = {year}
    """)
    return {
        "opening_headcount": opening,
        "hires": hires,
        "terminations": terminations,
        "new_hire_terminations": new_hire_terminations,
        "closing_headcount": closing,
    }


def expected_counts(
    first: int, opening: int, year: int, growth: str, exit_rate: str, new_hire_exit_rate: str
) -> dict[str, int]:
    """The specification's equation in exact arithmetic; the path begins with the `first` headcount of 2025."""
    target = half_away_from_zero(first * (1 + Decimal(growth)) ** (year - 2024))
    exits = half_away_from_zero(opening * Decimal(exit_rate))
    net = target - (opening - exits)
    if net < 0:
        exits, net = exits - net, 0
    hires = ceil(net / (1 - Fraction(new_hire_exit_rate)))
    return {
        "opening_headcount": opening,
        "hires": hires,
        "terminations": exits,
        "new_hire_terminations": hires - net,
        "closing_headcount": target,
    }


@pytest.mark.parametrize(
    ("size", "growth"),
    [(5000, "0.03"), (5000, "0"), (5000, "-0.05"), (30, "0.03"), (30, "0"), (30, "-0.05"), (30, "-0.3")],
)
def test_every_year_closes_at_the_target(
    tmp_path: Path, generated: Callable[[int], Path], size: int, growth: str
) -> None:
    census: Path | list[Row] = generated(size) if size > 30 else people(size)
    result = simulate(tmp_path, census, {"simulation.target_growth_rate": growth, "simulation.end_year": 2027})
    first = opening = result.query("select count(*) from inputs.census where is_simulated")[0][0]
    for year in range(2025, 2028):
        expected = expected_counts(first, opening, year, growth, "0.12", "0.25")
        assert head_counts(result, year) == expected, year
        figures = result.metrics(year)
        assert {name: figures[name] for name in expected} == expected
        assert figures["target_headcount"] == expected["closing_headcount"]
        opening = expected["closing_headcount"]


@pytest.mark.parametrize(
    ("opening", "growth", "exit_rate", "exits", "closing"),
    [
        pytest.param(50, "0.03", "0.05", 3, 52, id="51.5 people, 2.5 exits, which round() takes to 2"),
        pytest.param(30, "0.05", "0.05", 2, 32, id="31.5 people, 1.5 exits"),
        pytest.param(10, "0.05", "0.25", 3, 11, id="10.5 people, 2.5 exits, which round() takes to 10 and 2"),
        pytest.param(30, "-0.05", "0.15", 5, 29, id="28.5 people, 4.5 exits, which round() takes to 28 and 4"),
        pytest.param(50, "-0.03", "0.01", 1, 49, id="48.5 people, 0.5 exits, which round() takes to 48 and 0"),
        pytest.param(1, "0.499999", "0.12", 0, 1, id="one person, 1.499999 people"),
        pytest.param(1, "0.5", "0.5", 1, 2, id="one person, 1.5 people, 0.5 exits"),
    ],
)
def test_a_half_is_rounded_away_from_zero(
    tmp_path: Path, opening: int, growth: str, exit_rate: str, exits: int, closing: int
) -> None:
    overrides = {"simulation.target_growth_rate": growth, "workforce.total_termination_rate": exit_rate}
    counts = head_counts(simulate(tmp_path, people(opening), overrides), 2025)
    assert (counts["terminations"], counts["closing_headcount"]) == (exits, closing)


@pytest.mark.parametrize(
    ("opening", "exit_rate", "new_hire_rate", "hires", "new_hire_exits"),
    [
        pytest.param(100, "0.21", "0.3", 30, 9, id="21 / (1 - 0.3) is 30, and 31 in doubles"),
        pytest.param(100, "0.22", "0.3", 32, 10, id="22 / (1 - 0.3) is 31.4"),
        pytest.param(100, "0.12", "0", 12, 0, id="no hire leaves"),
        pytest.param(10, "0.1", "0.9", 10, 9, id="nine in ten hires leave"),
        pytest.param(10, "0", "0.25", 0, 0, id="nobody leaves, nobody is hired"),
    ],
)
def test_hires_replace_those_who_leave_again(
    tmp_path: Path, opening: int, exit_rate: str, new_hire_rate: str, hires: int, new_hire_exits: int
) -> None:
    overrides = {
        "simulation.target_growth_rate": 0,
        "workforce.total_termination_rate": exit_rate,
        "workforce.new_hire_termination_rate": new_hire_rate,
    }
    counts = head_counts(simulate(tmp_path, people(opening), overrides), 2025)
    assert (counts["hires"], counts["new_hire_terminations"]) == (hires, new_hire_exits)
    assert counts["closing_headcount"] == opening


def test_a_small_company_grows_although_no_year_adds_a_whole_person(tmp_path: Path) -> None:
    """16 people at 3 %: 16.48, 16.97, 17.48, 18.01 and 18.55, each year rounded for itself."""
    result = simulate(tmp_path, people(16), {"simulation.end_year": 2029})
    closing = [result.metrics(year)["closing_headcount"] for year in range(2025, 2030)]
    assert closing == [16, 17, 17, 18, 19]
    assert [head_counts(result, year)["closing_headcount"] for year in range(2025, 2030)] == closing


def test_a_year_by_chance_returns_to_the_path(tmp_path: Path, generated: Callable[[int], Path]) -> None:
    laboratory = Laboratory(tmp_path, generated(500), {"workforce.headcount_mode": "stochastic"})
    laboratory.run({"simulation.end_year": 2029})
    opening, *_ = laboratory.query("select count(*) from inputs.census where is_simulated")[0]
    found = laboratory.query("""
        select simulation_year, sum(positions), sum(closing_headcount), round(sum(headcount_path), 6)
        from fct_level_headcount group by all order by all
    """)
    for year, positions, _, path in found:
        exact = opening * Decimal("1.03") ** (year - 2024)
        assert abs(path - exact) < Decimal("0.00001")
        assert positions == half_away_from_zero(exact)
    assert any(positions != closing for _, positions, closing, _ in found)


@pytest.mark.parametrize("opening", [1, 30])
def test_everybody_may_leave_and_is_replaced(tmp_path: Path, opening: int) -> None:
    overrides = {"workforce.total_termination_rate": 1, "simulation.end_year": 2026}
    result = simulate(tmp_path, people(opening), overrides)
    first = opening
    for year in (2025, 2026):
        expected = expected_counts(first, opening, year, "0.03", "1", "0.25")
        assert head_counts(result, year) == expected
        opening = expected["closing_headcount"]
    gone = result.query(
        "select count(*) from fct_workforce_snapshot where employee_id like 'P%' and simulation_year > 2025"
    )
    assert gone == [(0,)]


def test_a_company_may_shrink_to_nobody_and_stays_empty(tmp_path: Path) -> None:
    overrides = {"simulation.target_growth_rate": "-0.96", "simulation.end_year": 2027}
    result = simulate(tmp_path, people(10), overrides)
    assert head_counts(result, 2025)["closing_headcount"] == 0
    assert result.query("select count(*) from fct_workforce_snapshot where simulation_year > 2025") == [(0,)]
    figures = result.metrics(2027)
    assert (figures["opening_headcount"], figures["closing_headcount"]) == (0, 0)
    assert figures["headcount_growth_rate"] is None


def test_a_growth_of_minus_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"simulation\.target_growth_rate = -1: must be a rate above -1 and up to 1"
    ):
        simulate(tmp_path, people(10), {"simulation.target_growth_rate": -1})


def leaving(days: list[str]) -> list[Row]:
    """Forty people; one of them announces to leave on each of the days."""
    announced = [
        person(f"A{number}", employee_termination_date=day, born="1955-01-01", hired="2024-12-31")
        for number, day in enumerate(days, start=1)
    ]
    return [*announced, *people(40 - len(days))]


def test_announced_exits_happen_on_their_day_and_count_within_the_exits(tmp_path: Path) -> None:
    days = ["2025-01-01", "2025-03-15", "2025-12-31", "2026-02-28", "2031-01-01"]
    result = simulate(tmp_path, leaving(days), {"simulation.end_year": 2027})
    found = result.query("""
        select employee_id, termination_date
        from fct_workforce_snapshot where termination_reason = 'announced' order by all
    """)
    assert found == [(f"A{number}", dt.date.fromisoformat(day)) for number, day in enumerate(days[:4], start=1)]
    assert head_counts(result, 2025)["terminations"] == 5  # 40 x 0.12 = 4.8, three of them announced
    assert result.metrics(2025)["announced_terminations"] == 3
    staying = result.query("select employment_status from fct_workforce_snapshot where employee_id = 'A5'")
    assert staying == [("active",)] * 3


def test_more_announced_exits_than_the_rate_asks_for_all_happen(tmp_path: Path) -> None:
    result = simulate(
        tmp_path, leaving([f"2025-05-{day:02}" for day in range(1, 9)]), {"simulation.target_growth_rate": 0}
    )
    counts = head_counts(result, 2025)
    assert (counts["terminations"], counts["closing_headcount"]) == (8, 40)
    assert {
        reason
        for (reason,) in result.query("""
        select termination_reason from fct_workforce_snapshot where detailed_status_code = 'experienced_termination'
    """)
    } == {"announced"}


def test_nobody_is_drawn_who_announced_to_leave_later(tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path, leaving(["2026-06-30"] * 20), {"workforce.total_termination_rate": "0.5"})
    for seed in range(5):
        laboratory.run({"simulation.random_seed": seed}, until="event_generation")
        drawn = {employee_id for (employee_id,) in laboratory.query("select employee_id from int_exits")}
        assert drawn == {row["employee_id"] for row in people(20)}


@pytest.mark.parametrize(
    ("overrides", "equation"),
    [
        pytest.param(
            {"workforce.total_termination_rate": 1},
            "40 of 40 people must leave to close the year 2025 with 41, but 1 announced exits, 0 deaths and "
            "disabilities and 37 other people without an announced date are all there are: exits = "
            "max(round(opening x exit rate), announced + deaths and disabilities + retirements, opening - target)",
            id="everybody must leave, some later",
        ),
        pytest.param(
            {"simulation.target_growth_rate": "-0.99"},
            "40 of 40 people must leave to close the year 2025 with 0, but 1 announced exits, 0 deaths and ",
            id="the target leaves no room",
        ),
    ],
)
def test_exits_that_cannot_be_reached_are_a_configuration_error(
    tmp_path: Path, overrides: dict[str, object], equation: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        simulate(tmp_path, leaving(["2025-05-31", "2026-06-30", "2027-06-30"]), overrides)
    assert equation in str(caught.value)
    assert "lower the exit rate or raise simulation.target_growth_rate" in str(caught.value)
    with pytest.raises(DatabaseError, match="does not exist"):
        read_status(tmp_path / "simulation.duckdb")
