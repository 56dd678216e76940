"""Every decision of a run, taken again in Python from md5 draws alone, with tables read from the packaged files."""

import datetime as dt
import json
import math
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.companies import anniversary, band, completed_years, default_table, draw, exit_hazard, factor, read_rows
from tests.laboratory import Result

SEED = 42
YEARS = range(2025, 2030)
EVEN = [Fraction(1, 12)] * 12
RAISE_SHARES = [Fraction(share, 10_000) for share in (2617, 280, 654, 1682, 374, 467, 2150, 280, 374, 748, 187, 187)]


@dataclass(frozen=True)
class Employee:
    """Somebody of the opening population."""

    employee_id: str
    born: dt.date
    hired: dt.date
    level: int
    pay: Decimal


def opening_population(run: Result, year: int) -> list[Employee]:
    """Return who is employed on 1 January: from the census file in the first year, else last year's active people."""
    if year == YEARS[0]:
        return [
            Employee(
                row["employee_id"],
                dt.date.fromisoformat(row["employee_birth_date"]),
                dt.date.fromisoformat(row["employee_hire_date"]),
                int(row["level_id"]),
                Decimal(row["employee_gross_compensation"]),
            )
            for row in read_rows(run.census)
            if not row["employee_termination_date"]
        ]
    return [
        Employee(*row)
        for row in run.query(f"""
            select employee_id, employee_birth_date, employee_hire_date, level_id, current_compensation
            from fct_workforce_snapshot where simulation_year = {year - 1} and employment_status = 'active'
        """)
    ]


def events(run: Result, event_type: str, year: int | None = None) -> list[dict[str, Any]]:
    """Return the events of a type, with their details read."""
    rows = run.records(f"""
        select * from fct_yearly_events
        where event_type = '{event_type}' and simulation_year = {year or "simulation_year"} order by event_id
    """)
    return [{**row, "event_details": json.loads(row["event_details"])} for row in rows]


def day_in(year: int, shares: Sequence[Fraction], last_december_day: int, first: float, second: float) -> dt.date:
    """Return the day that two draws pick: a month by the shares, then a day of it, December ending early."""
    bounds = [round(float(sum(shares[:month], Fraction(0))), 12) for month in range(12)]
    start = dt.date(year, bisect_right(bounds, first), 1)
    days = last_december_day if start.month == 12 else (dt.date(year, start.month + 1, 1) - start).days
    return start + dt.timedelta(math.floor(second * days))


def both_draws(stream: str, event: Mapping[str, Any]) -> tuple[float, float]:
    key = (SEED, stream, event["employee_id"], event["simulation_year"])
    return draw(*key), draw(*key, part=1)


@pytest.mark.parametrize(
    ("event_type", "population", "stream"),
    [
        ("termination", "experienced", "termination"),
        ("termination", "new_hire", "new_hire_termination"),
        ("promotion", None, "promotion"),
    ],
)
def test_the_draw_of_an_event_is_five_lines_of_python(
    sample_run: Result, event_type: str, population: str | None, stream: str
) -> None:
    found = [
        event for event in events(sample_run, event_type) if event["event_details"].get("population") == population
    ]
    assert len(found) > 100
    assert [event["random_draw"] for event in found] == [both_draws(stream, event)[0] for event in found]


def test_the_smallest_race_keys_leave_for_the_drawn_cause(sample_run: Result) -> None:
    causes: set[str] = set()
    for year in YEARS:
        expected = []
        for employee in opening_population(sample_run, year):
            new_year = dt.date(year, 1, 1)
            age, service = completed_years(employee.born, new_year), completed_years(employee.hired, new_year)
            total, retirement = exit_hazard(employee.level, age, service)
            first, second = (draw(SEED, "termination", employee.employee_id, year, part) for part in (0, 1))
            share = retirement / total
            cause = "voluntary" if second < share + (1 - share) * 0.75 else "involuntary"
            key = round(-math.log(1 - first) / total, 12)
            expected.append((key, employee.employee_id, "retirement" if second < share else cause))
        exits = int(Decimal(len(expected) * Decimal("0.12")).quantize(Decimal(1), ROUND_HALF_UP))
        found = {
            (event["employee_id"], event["event_category"])
            for event in events(sample_run, "termination", year)
            if event["event_details"]["population"] == "experienced"
        }
        assert found == {(employee_id, cause) for _, employee_id, cause in sorted(expected)[:exits]}
        causes |= {cause for _, cause in found}
    assert causes == {"retirement", "voluntary", "involuntary"}


def test_exit_days_follow_their_draws(sample_run: Result) -> None:
    for event in events(sample_run, "termination"):
        if event["event_details"]["population"] == "experienced":
            day = day_in(event["simulation_year"], EVEN, 30, *both_draws("termination_date", event))
            assert event["effective_date"] == day


def test_new_hires_leave_by_an_even_race_on_a_day_after_the_hire(sample_run: Result) -> None:
    for year in YEARS:
        hires = events(sample_run, "hire", year)
        leavers = {
            event["employee_id"]: event
            for event in events(sample_run, "termination", year)
            if event["event_details"]["population"] == "new_hire"
        }
        race = sorted((both_draws("new_hire_termination", hire)[0], hire["employee_id"]) for hire in hires)
        assert leavers.keys() == {employee_id for _, employee_id in race[: len(leavers)]}
        for hire in hires:
            if hire["employee_id"] in leavers:
                leaver = leavers[hire["employee_id"]]
                days = (dt.date(year, 12, 31) - hire["effective_date"]).days - 1
                wait = 1 + math.floor(both_draws("new_hire_termination_date", hire)[0] * days)
                assert leaver["effective_date"] == hire["effective_date"] + dt.timedelta(wait)
                cause = "voluntary" if both_draws("new_hire_termination", hire)[1] < 0.75 else "involuntary"
                assert leaver["event_category"] == cause


def test_hires_are_what_their_draws_say(sample_run: Result) -> None:
    ages = [int(row["age"]) for row in default_table("new_hire_ages")]
    weights = [Fraction(row["weight"]) for row in default_table("new_hire_ages")]
    bounds = [float(sum(weights[:place], Fraction(0))) for place in range(len(ages))]
    pay_table = {int(row["level_id"]): row for row in default_table("new_hire_pay")}
    ranges = {int(row["level_id"]): row for row in default_table("job_levels")}
    hires = events(sample_run, "hire")
    assert len(hires) > 500
    for hire in hires:
        year, level = hire["simulation_year"], hire["level_after"]
        assert hire["effective_date"] == day_in(year, EVEN, 29, *both_draws("hire_date", hire))
        first, second = both_draws("hire_age", hire)
        age = ages[bisect_right(bounds, first) - 1]
        birthday = anniversary(hire["effective_date"], hire["effective_date"].year - age)
        born = dt.date.fromisoformat(hire["event_details"]["employee_birth_date"])
        assert born == birthday - dt.timedelta(math.floor(second * 365))
        assert completed_years(born, hire["effective_date"]) == age
        structure = 1.03 ** (year - YEARS[0])
        low, high = (round(float(ranges[level][name]) * structure, 2) for name in ("range_minimum", "range_maximum"))
        first, second = both_draws("hire_pay", hire)
        deviate = math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)
        target = (low + (high - low) * float(pay_table[level]["percentile"])) * float(pay_table[level]["market_factor"])
        pay = min(max(target * math.exp(0.05 * deviate), low), high)
        assert float(hire["compensation_after"]) == pytest.approx(pay, abs=0.0051)


def six_months_after(day: dt.date) -> dt.date:
    """Return the same day of the month six months on, or the last one of a shorter month."""
    year, month = day.year + (day.month > 6), (day.month + 5) % 12 + 1
    return dt.date(year, month, min(day.day, monthrange(year, month)[1]))


def promotion_probability(employee: Employee, on: dt.date) -> float:
    """Return the probability of a promotion, 0 for whoever may not be promoted on that day."""
    age, service = completed_years(employee.born, on), completed_years(employee.hired, on)
    if employee.level == 5 or service < 1 or age >= 65:
        return 0.0
    by_age = factor("promotion_by_age", band("age_bands", age)["age_band"])
    by_tenure = factor("promotion_by_tenure", band("tenure_bands", service)["tenure_band"])
    return min(1.0, 0.04 * by_age * by_tenure * factor("promotion_by_level", employee.level))


def test_promotions_are_those_whose_draw_is_below_their_probability(sample_run: Result) -> None:
    for year in YEARS:
        promotion_day = dt.date(year, 2, 1)
        left = {event["employee_id"]: event["effective_date"] for event in events(sample_run, "termination", year)}
        expected: dict[str, tuple[Any, ...]] = {}
        for employee in opening_population(sample_run, year):
            probability = promotion_probability(employee, promotion_day)
            stays = left.get(employee.employee_id, promotion_day) >= promotion_day
            first, second = (draw(SEED, "promotion", employee.employee_id, year, part) for part in (0, 1))
            if stays and first < round(probability, 12):
                increase = round(0.10 + 0.03 * (2 * second - 1), 6)
                expected[employee.employee_id] = (
                    promotion_day,
                    employee.level,
                    employee.level + 1,
                    pytest.approx(probability, abs=1e-6),
                    pytest.approx(increase, abs=1.1e-6),
                )
        found = {
            event["employee_id"]: (
                event["effective_date"],
                event["level_before"],
                event["level_after"],
                float(event["event_probability"]),
                event["event_details"]["increase_rate"],
            )
            for event in events(sample_run, "promotion", year)
        }
        assert len(found) > 10
        assert found == expected


def test_raises_go_to_everyone_on_the_drawn_day_or_after_six_months_of_service(sample_run: Result) -> None:
    for year in YEARS:
        left = {event["employee_id"]: event["effective_date"] for event in events(sample_run, "termination", year)}
        expected = {}
        for employee in opening_population(sample_run, year):
            first, second = (draw(SEED, "raise_date", employee.employee_id, year, part) for part in (0, 1))
            day = max(day_in(year, RAISE_SHARES, 31, first, second), six_months_after(employee.hired))
            if left.get(employee.employee_id, day) >= day:
                expected[employee.employee_id] = day
        assert {
            event["employee_id"]: event["effective_date"] for event in events(sample_run, "raise", year)
        } == expected
