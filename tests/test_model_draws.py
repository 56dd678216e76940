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
    hours: Decimal

    @property
    def full_time_pay(self) -> Decimal:
        """The rate of pay for 40 hours a week, to cents."""
        return (self.pay * 40 / min(self.hours, Decimal(40))).quantize(Decimal("0.01"), ROUND_HALF_UP)


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
                Decimal(row["scheduled_hours_per_week"] or 40),
            )
            for row in read_rows(run.census)
            if not row["employee_termination_date"]
        ]
    return [
        Employee(*row)
        for row in run.query(f"""
            select
                snapshot.employee_id, snapshot.employee_birth_date, snapshot.employee_hire_date, level_id,
                current_compensation, people.scheduled_hours_per_week
            from fct_workforce_snapshot as snapshot
            inner join dim_employee as people on snapshot.employee_id = people.employee_id
            where snapshot.simulation_year = {year - 1} and employment_status = 'active'
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
        ("termination", "experienced", "retirement"),
        ("termination", "new_hire", "new_hire_termination"),
        ("promotion", None, "promotion"),
    ],
)
def test_the_draw_of_an_event_is_five_lines_of_python(
    sample_run: Result, event_type: str, population: str | None, stream: str
) -> None:
    found = [
        event
        for event in events(sample_run, event_type)
        if event["event_details"].get("population") == population
        and (event["event_category"] == "retirement") == (stream == "retirement")
    ]
    assert len(found) > 50
    assert [event["random_draw"] for event in found] == [both_draws(stream, event)[0] for event in found]


def test_the_smallest_race_keys_retire_then_leave_for_the_drawn_cause(sample_run: Result) -> None:
    causes: set[str] = set()
    for year in YEARS:
        retiring, leaving = [], []
        rates = 0.0
        for employee in opening_population(sample_run, year):
            new_year = dt.date(year, 1, 1)
            age, service = completed_years(employee.born, new_year), completed_years(employee.hired, new_year)
            total, retirement = exit_hazard(employee.level, age, service)
            first, second = (draw(SEED, "termination", employee.employee_id, year, part) for part in (0, 1))
            key = round(-math.log(1 - first) / total, 12)
            leaving.append((key, employee.employee_id, "voluntary" if second < 0.75 else "involuntary"))
            if retirement:
                key = round(
                    math.log(1 - draw(SEED, "retirement", employee.employee_id, year)) / math.log(1 - retirement), 12
                )
                retiring.append((key, employee.employee_id, "retirement"))
                rates += retirement
        retired = sorted(retiring)[: math.floor(rates + draw(SEED, "retirement_count", "", year))]
        names = {employee_id for _, employee_id, _ in retired}
        exits = int(Decimal(len(leaving) * Decimal("0.12")).quantize(Decimal(1), ROUND_HALF_UP))
        others = [one for one in sorted(leaving) if one[1] not in names][: exits - len(retired)]
        found = {
            (event["employee_id"], event["event_category"])
            for event in events(sample_run, "termination", year)
            if event["event_details"]["population"] == "experienced"
        }
        assert found == {(employee_id, cause) for _, employee_id, cause in retired + others}
        causes |= {cause for _, cause in found}
    assert causes == {"retirement", "voluntary", "involuntary"}


def test_exit_days_follow_their_draws(sample_run: Result) -> None:
    for event in events(sample_run, "termination"):
        if event["event_details"]["population"] == "experienced":
            day = day_in(event["simulation_year"], EVEN, 30, *both_draws("termination_date", event))
            assert event["effective_date"] == day


def exposure_key(hire: Mapping[str, Any]) -> tuple[float, str]:
    """Return the key of the race of a level's hires for its exits: the more days there are to leave on, the smaller."""
    days = (dt.date(hire["simulation_year"], 12, 31) - hire["effective_date"]).days - 1
    return round(-math.log(1 - both_draws("new_hire_termination", hire)[0]) / days, 12), hire["employee_id"]


def test_new_hires_leave_by_a_race_of_exposure_on_a_day_after_the_hire(sample_run: Result) -> None:
    for year in YEARS:
        hires = events(sample_run, "hire", year)
        leavers = {
            event["employee_id"]: event
            for event in events(sample_run, "termination", year)
            if event["event_details"]["population"] == "new_hire"
        }
        for level in range(1, 6):
            race = sorted(exposure_key(hire) for hire in hires if hire["level_after"] == level)
            gone = {employee_id for _, employee_id in race} & leavers.keys()
            assert gone == {employee_id for _, employee_id in race[: len(gone)]}
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


def promotion_weight(employee: Employee, on: dt.date) -> float:
    """Return the weight in the race for an opening of the next level, 0 for whoever may not be promoted on that day."""
    age, service = completed_years(employee.born, on), completed_years(employee.hired, on)
    if employee.level == 5 or service < 1 or age >= 65:
        return 0.0
    by_age = factor("promotion_by_age", band("age_bands", age)["age_band"])
    by_tenure = factor("promotion_by_tenure", band("tenure_bands", service)["tenure_band"])
    row = default_table("job_levels")[employee.level - 1]
    structure = 1.03 ** (on.year - YEARS[0])
    low, high = (round(float(row[name]) * structure, 2) for name in ("range_minimum", "range_maximum"))
    return by_age * by_tenure * (0.5 + min(max((float(employee.full_time_pay) - low) / (high - low), 0), 1))


def whole(paths: Mapping[int, Decimal]) -> dict[int, int]:
    """Return the paths of the levels in whole people, by largest remainder of their rounded sum."""
    left = int(sum(paths.values(), Decimal(0)).quantize(Decimal(1), ROUND_HALF_UP)) - sum(
        int(path) for path in paths.values()
    )
    first = sorted(paths, key=lambda level: (int(paths[level]) - paths[level], level))[:left]
    return {level: int(path) + (level in first) for level, path in paths.items()}


def test_people_are_promoted_into_openings_by_a_race_and_every_level_closes(sample_run: Result) -> None:
    paths = {
        level: Decimal(sum(one.level == level for one in opening_population(sample_run, YEARS[0])))
        for level in range(1, 6)
    }
    for year in YEARS:
        paths = {level: (path * Decimal("1.03")).quantize(Decimal("1e-12")) for level, path in paths.items()}
        positions, on = whole(paths), dt.date(year, 2, 1)
        left = {event["employee_id"] for event in events(sample_run, "termination", year)}
        staying = [one for one in opening_population(sample_run, year) if one.employee_id not in left]
        expected: dict[str, int] = {}
        leaving_level = 0
        for level in range(5, 0, -1):
            stayers = sum(one.level == level for one in staying)
            openings = positions[level] - stayers + leaving_level
            weights = {one.employee_id: promotion_weight(one, on) for one in staying if one.level == level - 1}
            race = sorted(
                (round(-math.log(1 - draw(SEED, "promotion", who, year)) / round(weight, 12), 12), who)
                for who, weight in weights.items()
                if weight
            )
            promoted = min(
                len(race), math.floor(0.5 * max(openings, 0) + draw(SEED, "promotion_fill", str(level), year))
            )
            expected |= {who: level for _, who in race[:promoted]}
            hired = [one for one in events(sample_run, "hire", year) if one["level_after"] == level]
            assert len(hired) - sum(one["employee_id"] in left for one in hired) == openings - promoted
            leaving_level = promoted
        found = {event["employee_id"]: event for event in events(sample_run, "promotion", year)}
        assert {who: event["level_after"] for who, event in found.items()} == expected
        assert len(found) > 10
        for who, event in found.items():
            increase = 0.10 + 0.03 * (2 * draw(SEED, "promotion", who, year, 1) - 1)
            assert event["effective_date"] == on
            assert event["event_details"]["increase_rate"] == pytest.approx(round(increase, 6), abs=1.1e-6)
    closed = sample_run.query("select distinct closing_headcount - positions, surplus from fct_level_headcount")
    assert closed == [(0, 0)]


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
