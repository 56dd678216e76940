"""Pay to the cent: promotions, raises and paid compensation worked out by hand, and the merit budget."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.companies import NOBODY_RETIRES, Row, anniversary, people, person, read_rows
from tests.laboratory import Laboratory

pytestmark = pytest.mark.model

# Nobody leaves, joins or is promoted by chance, and everybody's raise of 3.5 % + 2 % comes on one day.
QUIET = {
    "simulation.target_growth_rate": 0,
    "workforce.total_termination_rate": 0,
    **NOBODY_RETIRES,
    "workforce.structure": "rates",
    "compensation.promotion.base_rate": 0,
    "compensation.merit_budget": "0.035",
    "raise_timing.methodology": "fixed",
}
# Whoever may be promoted is, with 20 % more, and 30 % at most.
PROMOTED = {
    "compensation.promotion.base_rate": 1,
    "compensation.promotion.rate_multiplier": 100,
    "compensation.promotion.base_increase": "0.2",
    "compensation.promotion.increase_spread": 0,
    "compensation.promotion.maximum_increase_rate": "0.3",
}


@dataclass(frozen=True)
class Case:
    """One person's year: what the census says, the settings, and what must come out."""

    name: str
    row: Row
    closing: str
    paid: str
    events: tuple[str, ...]
    overrides: Mapping[str, object] = field(default_factory=dict)
    year: int = 2025


LEAP = {"simulation.start_year": 2028, "simulation.end_year": 2028}

CASES = [
    # (60,000.00 x 181 + 63,300.00 x 184) / 365 = 22,507,200.00 / 365 = 61,663.5616
    Case("a raise on 1 July", person("P"), "63300.00", "61663.56", ("raise",)),
    # (60,000.00 x 182 + 63,300.00 x 184) / 366 = 22,567,200.00 / 366 = 61,659.0164
    Case("a raise on 1 July of a leap year", person("P"), "63300.00", "61659.02", ("raise",), LEAP, 2028),
    # the rate of the whole year
    Case(
        "a raise on 1 January",
        person("P"),
        "63300.00",
        "63300.00",
        ("raise",),
        {"raise_timing.fixed_date": "01-01"},
    ),
    # (60,000.00 x 364 + 63,300.00) / 365 = 21,903,300.00 / 365 = 60,009.0411
    Case(
        "a raise on 31 December",
        person("P"),
        "63300.00",
        "60009.04",
        ("raise",),
        {"raise_timing.fixed_date": "12-31"},
    ),
    # 29 February is the 59th day of a common year, 28 February: (60,000.00 x 58 + 63,300.00 x 307) / 365 = 62,775.6164
    Case(
        "a raise on 29 February of a common year",
        person("P"),
        "63300.00",
        "62775.62",
        ("raise",),
        {"raise_timing.fixed_date": "02-29"},
    ),
    # and the 60th of a leap year: (60,000.00 x 59 + 63,300.00 x 307) / 366 = 22,973,100.00 / 366 = 62,768.0328
    Case(
        "a raise on 29 February of a leap year",
        person("P"),
        "63300.00",
        "62768.03",
        ("raise",),
        {**LEAP, "raise_timing.fixed_date": "02-29"},
        2028,
    ),
    # 364 days: 60,000.00 x (1 + 0.055 x 364 / 365) = 63,290.9589
    # (60,000.00 x 181 + 63,290.96 x 184) / 365 = 22,505,536.64 / 365 = 61,659.0045
    Case("a raise a day before a year of service", person("P", hired="2024-07-02"), "63290.96", "61659.00", ("raise",)),
    # six months are completed on 30 June, 181 days after the hire: 60,000.00 x (1 + 0.055 x 181 / 365) = 61,636.4384
    # (60,000.00 x 180 + 61,636.44 x 185) / 365 = 22,202,741.40 / 365 = 60,829.4285
    Case(
        "a raise that waits for six months of service",
        person("P", hired="2024-12-31"),
        "61636.44",
        "60829.43",
        ("raise",),
        {"raise_timing.fixed_date": "02-01"},
    ),
    Case(
        "no raise before the six months are completed",
        person("P", hired="2024-12-31", employee_termination_date="2025-06-29"),
        "60000.00",
        "29589.04",
        ("termination",),
        {"raise_timing.fixed_date": "02-01"},
    ),
    # the year ends before the thirteen months do
    Case(
        "no raise in a year before the service is completed",
        person("P", hired="2024-12-31"),
        "60000.00",
        "60000.00",
        (),
        {"raise_timing.minimum_service_months": 13},
    ),
    Case("a raise on the first anniversary", person("P", hired="2024-07-01"), "63300.00", "61663.56", ("raise",)),
    # 60,000.00 x 130 / 365 = 21,369.8630; 10 May is the 130th day, and paid
    Case(
        "an exit before the raise",
        person("P", employee_termination_date="2025-05-10"),
        "60000.00",
        "21369.86",
        ("termination",),
    ),
    # (60,000.00 x 181 + 63,300.00) / 365 = 10,923,300.00 / 365 = 29,926.8493
    Case(
        "an exit on the day of the raise",
        person("P", employee_termination_date="2025-07-01"),
        "63300.00",
        "29926.85",
        ("raise", "termination"),
    ),
    # one day: 60,000.00 / 365 = 164.3836
    Case(
        "an exit on the first day",
        person("P", employee_termination_date="2025-01-01"),
        "60000.00",
        "164.38",
        ("termination",),
    ),
    Case(
        "an exit on the last day",
        person("P", employee_termination_date="2025-12-31"),
        "63300.00",
        "61663.56",
        ("raise", "termination"),
    ),
    # 70,000.00 x 1.2 = 84,000.00, x 1.055 = 88,620.00; (70,000.00 x 31 + 88,620.00 x 334) / 365 = 87,038.5753
    Case(
        "promotion, then the raise of the same day",
        person("P", pay="70000.00"),
        "88620.00",
        "87038.58",
        ("promotion", "raise"),
        {**PROMOTED, "raise_timing.fixed_date": "02-01"},
    ),
    # (70,000.00 x 31 + 84,000.00 x 150 + 88,620.00 x 184) / 365 = 31,076,080.00 / 365 = 85,139.9452
    Case(
        "promotion, and a raise on the promoted pay in July",
        person("P", pay="70000.00"),
        "88620.00",
        "85139.95",
        ("promotion", "raise"),
        PROMOTED,
    ),
    # 70,000.00 x 1.055 = 73,850.00, x 1.2 = 88,620.00
    # (70,000.00 x 14 + 73,850.00 x 17 + 88,620.00 x 334) / 365 = 31,834,530.00 / 365 = 87,217.8904
    Case(
        "a raise before the promotion",
        person("P", pay="70000.00"),
        "88620.00",
        "87217.89",
        ("raise", "promotion"),
        {**PROMOTED, "raise_timing.fixed_date": "01-15"},
    ),
    # (70,000.00 x 31 + 84,000.00) / 365 = 2,254,000.00 / 365 = 6,175.3425
    Case(
        "an exit on the day of the promotion",
        person("P", pay="70000.00", employee_termination_date="2025-02-01"),
        "84000.00",
        "6175.34",
        ("promotion", "termination"),
        PROMOTED,
    ),
    # 66,000.00 x 1.2 = 79,200.00 is below the 80,000.00 of level 2; x 1.055 = 84,400.00
    # (66,000.00 x 31 + 80,000.00 x 150 + 84,400.00 x 184) / 365 = 29,575,600.00 / 365 = 81,029.0411
    Case(
        "a promotion lifted to the new range",
        person("P", pay="66000.00"),
        "84400.00",
        "81029.04",
        ("promotion", "raise"),
        PROMOTED,
    ),
    # 80,000.00 would be 43 % more: 56,000.00 x 1.3 = 72,800.00, x 1.055 = 76,804.00
    # (56,000.00 x 31 + 72,800.00 x 150 + 76,804.00 x 184) / 365 = 26,787,936.00 / 365 = 73,391.6055
    Case(
        "a lift to the new range within the cap",
        person("P", pay="56000.00"),
        "76804.00",
        "73391.61",
        ("promotion", "raise"),
        PROMOTED,
    ),
    # 79,000.00 + 1,500.00 = 80,500.00; no raise: (79,000.00 x 31 + 80,500.00 x 334) / 365 = 80,372.6027
    Case(
        "a promotion at most so many dollars",
        person("P", pay="79000.00"),
        "80500.00",
        "80372.60",
        ("promotion",),
        {
            **PROMOTED,
            "compensation.promotion.maximum_increase_amount": 1500,
            "raise_timing.minimum_service_months": 720,
        },
    ),
    # 70,000.00 x 1.3 = 91,000.00, not x 1.4: (70,000.00 x 31 + 91,000.00 x 334) / 365 = 89,216.4384
    Case(
        "a promotion at most 30 %",
        person("P", pay="70000.00"),
        "91000.00",
        "89216.44",
        ("promotion",),
        {**PROMOTED, "compensation.promotion.base_increase": "0.4", "raise_timing.minimum_service_months": 720},
    ),
    Case(
        "nobody of the top level is promoted", person("P", pay="400000"), "422000.00", "411090.41", ("raise",), PROMOTED
    ),
    Case(
        "nobody is promoted from the 65th birthday on",
        person("P", born="1960-02-01"),
        "63300.00",
        "61663.56",
        ("raise",),
        PROMOTED,
    ),
    # 60,000.00 x 1.2 = 72,000.00, lifted towards 80,000.00 by 30 % to 78,000.00, x 1.055 = 82,290.00
    # (60,000.00 x 31 + 78,000.00 x 150 + 82,290.00 x 184) / 365 = 28,701,360.00 / 365 = 78,633.8630
    Case(
        "somebody is the day before it",
        person("P", born="1960-02-02"),
        "82290.00",
        "78633.86",
        ("promotion", "raise"),
        PROMOTED,
    ),
    # half a cent: 30 June is the 182nd of 366 days, 1 July the 183rd, so that half the rate is paid
    *(
        Case(
            f"half of {pay} is rounded away from zero",
            person("P", pay=pay, employee_termination_date="2028-07-01"),
            pay,
            paid,
            ("termination",),
            {**LEAP, "raise_timing.fixed_date": "12-01"},
            2028,
        )
        for pay, paid in (("60000.01", "30000.01"), ("60000.05", "30000.03"), ("61234.57", "30617.29"))
    ),
    # 60,003.00 x 1.055 = 63,303.165, which half-even rounding takes to 63,303.16
    Case(
        "a raise of half a cent is rounded away from zero",
        person("P", pay="60003.00"),
        "63303.17",
        "63303.17",
        ("raise",),
        {"raise_timing.fixed_date": "01-01"},
    ),
    # 45,765,432,109.87 x 1.055 = 48,282,530,875.91285
    Case(
        "a pay of billions keeps its cents",
        person("P", pay="45765432109.87"),
        "48282530875.91",
        "48282530875.91",
        ("raise",),
        {"raise_timing.fixed_date": "01-01"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_pay_worked_out_by_hand(tmp_path: Path, case: Case) -> None:
    laboratory = Laboratory(tmp_path, [case.row], {**QUIET, **case.overrides}).run()
    found = laboratory.query(f"""
        select current_compensation, prorated_annual_compensation
        from fct_workforce_snapshot where employee_id = 'P' and simulation_year = {case.year}
    """)
    assert found == [(Decimal(case.closing), Decimal(case.paid))]
    assert laboratory.query("""
        select event_type from fct_yearly_events
        where employee_id = 'P' and event_type in ('promotion', 'raise', 'termination')
        order by event_sequence
    """) == [(name,) for name in case.events]


def test_the_next_year_opens_with_the_closing_rate(tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path, [person("P")], {**QUIET, "simulation.end_year": 2027}).run()
    found = laboratory.query("""
        select compensation_before, compensation_after from fct_yearly_events order by simulation_year
    """)
    # 66,781.50 x 1.055 = 70,454.4825
    rates = [Decimal(rate) for rate in ("60000.00", "63300.00", "66781.50", "70454.48")]
    assert found == [*pairwise(rates)]


def test_a_hire_is_paid_from_the_hire_day_and_has_no_raise_in_that_year(tmp_path: Path) -> None:
    overrides = {
        "workforce.total_termination_rate": "0.5",
        "simulation.end_year": 2026,
        "raise_timing.methodology": "anniversary",
    }
    laboratory = Laboratory(tmp_path, people(40), {**QUIET, **overrides}).run()
    for hired, rate, paid in laboratory.query("""
        select employee_hire_date, current_compensation, prorated_annual_compensation
        from fct_workforce_snapshot where detailed_status_code = 'new_hire_active'
    """):
        days = (dt.date(hired.year, 12, 31) - hired).days + 1
        assert abs(paid * 365 - rate * days) <= Decimal("0.005") * 365
    assert laboratory.query("""
        select count(*) from fct_yearly_events
        where event_type = 'raise' and employee_id like 'NH_' || simulation_year || '%'
    """) == [(0,)]
    second_year = laboratory.query("""
        select employee_id, effective_date from fct_yearly_events
        where event_type = 'raise' and simulation_year = 2026 and employee_id like 'NH_2025%'
    """)
    hired_on = dict(laboratory.query("select employee_id, employee_hire_date from dim_employee where origin = 'hire'"))
    assert len(second_year) > 5
    assert all(day == anniversary(hired_on[employee_id], 2026) for employee_id, day in second_year)


AGE_CASES = [
    # born, hired, exit -> age and tenure on the exit day, or on 31 December
    ("1980-02-29", "2020-02-29", "2025-02-27", 44, "4.9973"),  # 4 + 365 / 366
    ("1980-02-29", "2020-02-29", "2025-02-28", 45, "5.0000"),
    ("1980-02-29", "2020-02-29", "2025-03-01", 45, "5.0027"),  # 5 + 1 / 365
    ("1980-03-01", "2020-03-01", "2025-02-28", 44, "4.9973"),  # 4 + 364 / 365
    ("1985-12-31", "2015-12-31", "", 40, "10.0000"),
    ("1986-01-01", "2016-01-01", "", 39, "9.9973"),  # 9 + 364 / 365, from 1 January 2025
    ("1985-06-15", "2024-12-31", "", 40, "1.0000"),
    ("1985-06-15", "2024-12-31", "2025-01-01", 39, "0.0027"),
]


def test_age_and_tenure_are_completed_years_on_the_last_day(tmp_path: Path) -> None:
    rows = [
        person(f"A{place}", born=born, hired=hired, employee_termination_date=left)
        for place, (born, hired, left, _, _) in enumerate(AGE_CASES)
    ]
    overrides = {**QUIET, "workforce.new_hire_termination_rate": 0}
    found = (
        Laboratory(tmp_path, rows, overrides)
        .run()
        .query("""
        select employee_id, current_age, current_tenure from fct_workforce_snapshot
        where employee_id like 'A%' order by employee_id
    """)
    )
    assert found == [(f"A{place}", age, Decimal(tenure)) for place, (*_, age, tenure) in enumerate(AGE_CASES)]


def test_the_29th_of_february_has_its_anniversary_on_the_28th(tmp_path: Path) -> None:
    rows = [person("A", hired="2024-02-29"), person("B", hired="2020-02-29"), person("C", hired="2024-03-01")]
    overrides = {**QUIET, "raise_timing.methodology": "anniversary", "simulation.end_year": 2028}
    laboratory = Laboratory(tmp_path, rows, overrides).run()
    found = laboratory.query(
        "select employee_id, effective_date from fct_yearly_events where event_type = 'raise' order by all"
    )
    days = ("2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29")
    leap = [(name, dt.date.fromisoformat(day)) for name in ("A", "B") for day in days]
    assert found == [*leap, *(("C", dt.date(year, 3, 1)) for year in range(2025, 2029))]


@pytest.mark.parametrize("methodology", ["fixed", "anniversary"])
def test_everyone_with_the_service_and_still_employed_gets_a_raise(
    tmp_path: Path, mixed_census: Path, methodology: str
) -> None:
    overrides = {"raise_timing.methodology": methodology, "raise_timing.minimum_service_months": 36}
    laboratory = Laboratory(tmp_path, mixed_census, overrides).run()
    left = dict(
        laboratory.query("""
        select employee_id, termination_date from fct_workforce_snapshot where termination_date is not null
    """)
    )
    expected = {}
    for row in read_rows(mixed_census):
        if row["employee_termination_date"] and row["employee_termination_date"] < "2025":
            continue
        hired = dt.date.fromisoformat(row["employee_hire_date"])
        day = dt.date(2025, 7, 1) if methodology == "fixed" else anniversary(hired, 2025)
        day = max(day, anniversary(hired, hired.year + 3))
        if day.year == 2025 and left.get(row["employee_id"], day) >= day:
            expected[row["employee_id"]] = day
    found = dict(
        laboratory.query("select employee_id, effective_date from fct_yearly_events where event_type = 'raise'")
    )
    assert found == expected
    assert 100 < len(found) < 400


@pytest.mark.parametrize("key", ["compensation.cola_rate", "compensation.merit_budget"])
def test_a_larger_raise_never_pays_anybody_less(tmp_path: Path, mixed_census: Path, key: str) -> None:
    laboratory = Laboratory(tmp_path, mixed_census)
    paid = "select employee_id, prorated_annual_compensation from fct_workforce_snapshot"
    less, more = (dict(laboratory.run({key: rate}).query(paid)) for rate in ("0.03", "0.031"))
    assert less.keys() == more.keys()
    assert all(more[employee_id] >= amount for employee_id, amount in less.items())
    assert sum(more.values()) > sum(less.values())


def test_merit_keeps_the_shape_of_its_table(tmp_path: Path, mixed_census: Path) -> None:
    laboratory = Laboratory(
        tmp_path, mixed_census, {"workforce.structure": "rates", "compensation.promotion.rate_multiplier": 5}
    ).run()
    raises = laboratory.query("select level_after, event_details from fct_yearly_events where event_type = 'raise'")
    merits = sorted({(level, json.loads(details)["merit_rate"]) for level, details in raises})
    assert [level for level, _ in merits] == [1, 2, 3, 4, 5], "one rate for each level"
    scale = merits[0][1] / 0.035
    assert [merit for _, merit in merits] == pytest.approx([scale * s for s in (0.035, 0.04, 0.045, 0.05, 0.055)])


def test_merit_is_scaled_by_full_raises_and_by_all_where_there_is_no_other(tmp_path: Path) -> None:
    long, short = person("P1", pay="60000"), person("P2", pay="300000", level_id=5, hired="2024-12-31")
    merit = "select employee_id, event_category, event_details->>'merit_rate' from fct_yearly_events order by all"
    laboratory = Laboratory(tmp_path, [long, short], QUIET).run()
    # 0.035 x 0.055 / 0.035 for level 5, which has no full raise
    expected = [("P1", "merit_and_cola", "0.035"), ("P2", "prorated", "0.055")]
    assert laboratory.query(merit.replace(" order", " where event_type = 'raise' order")) == expected
    laboratory.open_census([short]).run()
    expected = [("P2", "prorated", "0.035")]
    assert laboratory.query(merit.replace(" order", " where event_type = 'raise' order")) == expected


def test_nobody_is_promoted_above_the_cap_and_people_below_their_range_go_on(
    tmp_path: Path, mixed_census: Path
) -> None:
    rows = [{**row, "employee_gross_compensation": "26000"} for row in read_rows(mixed_census)]
    rates = {"workforce.structure": "rates", "compensation.promotion.rate_multiplier": 10}
    laboratory = Laboratory(tmp_path, rows, rates).run()
    ((promotions, most),) = laboratory.query("""
        select count(*), max(compensation_after / compensation_before) from fct_yearly_events
        where event_type = 'promotion'
    """)
    assert promotions > 50
    assert most == pytest.approx(1.2, abs=1e-6)
    ((below,),) = laboratory.query("select value from fct_annual_metrics where metric = 'people_below_range'")
    assert (
        below
        == laboratory.query("""
        select count(*) from fct_workforce_snapshot as people
        inner join stg_pay_ranges as ranges on people.level_id = ranges.level_id
        where people.employment_status = 'active' and people.current_compensation < ranges.range_minimum
    """)[0][0]
    )
    assert below > 300


def test_a_part_timer_is_below_the_range_by_full_time_pay(tmp_path: Path) -> None:
    """Level 1 is 56,000 to 80,000: half of it is paid for 20 hours, and only who has less than that half is below."""
    half = {"scheduled_hours_per_week": "20", "level_id": "1"}
    rows = [
        {**person("IN", pay="30000"), **half},
        {**person("OUT", pay="27000"), **half},
        person("FULL", pay="55000", level_id=1),
    ]
    still = {"compensation.merit_budget": 0, "compensation.cola_rate": 0, "parameters.job_levels": "default"}
    laboratory = Laboratory(tmp_path, rows, {**QUIET, **still}).run()
    assert laboratory.query("select value from fct_annual_metrics where metric = 'people_below_range'") == [(2,)]
