"""Every key figure, worked out again in exact arithmetic from the snapshots, the ledger and the census."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.companies import people
from tests.laboratory import Result, simulate

pytestmark = pytest.mark.model

COLA = {2025: "0.02", 2026: "0.041", 2027: "0.02"}


def expected_metrics(result: Result, year: int) -> dict[str, Fraction | None]:
    """Return the figures of a year by name; a ratio over nothing is None."""
    opening: dict[str, Fraction] = {
        name: Fraction(pay)
        for name, pay in (
            result.query("select employee_id, employee_gross_compensation from inputs.census where is_simulated")
            if year == 2025
            else result.query(f"""
                select employee_id, current_compensation from fct_workforce_snapshot
                where simulation_year = {year - 1} and employment_status = 'active'
            """)
        )
    }
    rows = result.records(f"select * from fct_workforce_snapshot where simulation_year = {year}")
    events = result.records(f"select * from fct_yearly_events where simulation_year = {year}")
    raises = [event for event in events if event["event_type"] == "raise"]
    full_raises = [event for event in raises if event["event_category"] == "merit_and_cola"]
    minimums = {
        level: (minimum * Decimal("1.03") ** (year - 2025)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        for level, minimum in result.query("select level_id, range_minimum from parameters.job_levels")
    }
    hours = dict(result.query("select employee_id, scheduled_hours_per_week from dim_employee"))

    def least(row: dict[str, Any]) -> Decimal:
        share: Decimal = min(Decimal(1), hours[row["employee_id"]] / 40)
        minimum: Decimal = minimums[row["level_id"]]
        return (minimum * share).quantize(Decimal("0.01"), ROUND_HALF_UP)

    below = [row for row in rows if not row["termination_date"] and row["current_compensation"] < least(row)]
    surplus = result.query(f"select sum(surplus) from fct_level_headcount where simulation_year = {year}")[0][0]
    active = {row["employee_id"]: Fraction(row["current_compensation"]) for row in rows if not row["termination_date"]}
    continuous = {name: pay for name, pay in active.items() if name in opening}

    def count(column: str, value: str, among: list[dict[str, Any]] = rows) -> Fraction:
        return Fraction(sum(row[column] == value for row in among))

    def ratio(numerator: Fraction, denominator: Fraction | int) -> Fraction | None:
        return numerator / denominator if denominator else None

    def growth(new: Fraction | None, old: Fraction | None) -> Fraction | None:
        return new / old - 1 if new is not None and old else None

    def average(pays: dict[str, Fraction]) -> Fraction | None:
        return ratio(sum(pays.values(), Fraction(0)), len(pays))

    def part(new: Fraction | None, old: Fraction | None) -> Fraction | None:
        before = average(opening)
        return (new - old) / before if new is not None and old is not None and before else None

    def total(column: str, among: list[dict[str, Any]] = rows) -> Fraction:
        return sum((Fraction(row[column]) for row in among), Fraction(0))

    eligible = [row for row in rows if row["is_eligible"] and not row["termination_date"]]
    participants = [row for row in eligible if row["is_enrolled"]]
    deferring = sum(
        (Fraction(row["current_deferral_rate"]) * Fraction(row["current_compensation"]) for row in participants),
        Fraction(0),
    )
    match, core = total("employer_match_amount"), total("employer_core_amount")
    # forfeitures of the year before offset the employer's contributions, which are larger here
    available = (
        Fraction(0)
        if year == 2025
        else sum(
            (
                Fraction(amount)
                for (amount,) in result.query(f"""
                    select amount from fct_yearly_events
                    where simulation_year = {year - 1} and event_type = 'forfeiture'
                """)
            ),
            Fraction(0),
        )
    )
    assert available <= match + core
    payroll = sum((Fraction(event["compensation_before"]) for event in full_raises), Fraction(0))
    merit = sum((Fraction(event["amount"]) for event in full_raises), Fraction(0)) - payroll * Fraction(COLA[year])
    same_people = sum((opening[name] for name in continuous), Fraction(0))
    staying = ratio(same_people, len(continuous))
    paid = total("prorated_annual_compensation")
    entries = {entry["employee_id"]: entry for entry in result.records("select * from dim_employee")}

    def share_in(source: str, standing: bool) -> Fraction | None:
        """Return the share who benefit where no gate and no exclusion keeps anybody out but an override."""
        of_them = [(entries[row["employee_id"]], row) for row in rows if row["is_hce"] is standing]
        entered = sum(
            entry[f"{source}_entry_date"] is not None
            and entry[f"{source}_entry_date"] <= (row["termination_date"] or dt.date(year, 12, 31))
            for entry, row in of_them
        )
        kept_out = sum(entry["plan_eligible_override"] is False for entry, _ in of_them)
        return ratio(Fraction(entered), entered + kept_out)

    def coverage(source: str) -> Fraction | None:
        others, highly_paid = share_in(source, False), share_in(source, True)
        return others / highly_paid if others is not None and highly_paid else None

    return {
        "opening_headcount": Fraction(len(opening)),
        "terminations": count("detailed_status_code", "experienced_termination"),
        "retirements": count("termination_reason", "retirement"),
        "deaths": count("termination_reason", "death"),
        "disabilities": count("termination_reason", "disability"),
        "announced_terminations": count("termination_reason", "announced"),
        "layoffs": count("termination_reason", "layoff"),
        # of runs with acquisitions only
        "acquired": Fraction(0),
        # of years with a reduction only
        "employer_initiated_turnover": None,
        "vested_by_partial_termination": Fraction(0),
        "hires": count("event_type", "hire", events),
        "new_hire_terminations": count("detailed_status_code", "new_hire_termination"),
        "closing_headcount": Fraction(len(active)),
        "target_headcount": Fraction(len(active)),
        "headcount_growth_rate": growth(Fraction(len(active)), Fraction(len(opening))),
        "promotions": count("event_type", "promotion", events),
        "raises": Fraction(len(raises)),
        "realised_merit_rate": ratio(merit, payroll),
        "level_surplus": Fraction(surplus),
        "people_below_range": Fraction(len(below)),
        "total_compensation": sum((Fraction(row["prorated_annual_compensation"]) for row in rows), Fraction(0)),
        "bonus_total": total("bonus_amount"),
        "average_compensation": average(active),
        "compensation_growth_all": growth(average(active), average(opening)),
        "compensation_growth_continuous": growth(average(continuous), average(opening)),
        "compensation_growth_same_person": growth(sum(continuous.values(), Fraction(0)), same_people),
        "compensation_growth_from_raises": part(average(continuous), staying),
        "compensation_growth_from_exits": part(staying, average(opening)),
        "compensation_growth_from_hires": part(average(active), average(continuous)),
        "eligible_count": Fraction(len(eligible)),
        "participant_count": Fraction(len(participants)),
        "participation_rate": ratio(Fraction(len(participants)), len(eligible)),
        "average_deferral_rate": ratio(total("current_deferral_rate", participants), len(participants)),
        "average_deferral_rate_all_eligible": ratio(total("current_deferral_rate", participants), len(eligible)),
        "average_deferral_rate_payroll_weighted": ratio(deferring, total("current_compensation", eligible)),
        "employee_contribution_total": total("employee_contribution_amount"),
        "elective_deferral_total": total("pre_tax_amount") + total("roth_amount"),
        "after_tax_total": total("after_tax_amount"),
        "employer_match_total": match,
        "employer_core_total": core,
        "match_lost_to_timing": Fraction(0),
        "forfeiture_total": total("forfeiture_amount"),
        "forfeitures_available": available,
        "forfeitures_paid_expenses": Fraction(0),
        "forfeitures_offset": available,
        "forfeitures_reallocated": Fraction(0),
        "forfeitures_used": available,
        "forfeitures_carried_forward": Fraction(0),
        "net_employer_cost": match + core - available,
        "employer_paid_expenses": Fraction(0),
        "employer_cost_rate": ratio(match + core, paid),
        "net_employer_cost_rate": ratio(match + core - available, paid),
        "hce_count": count("event_type", "hce_status", events),
        "deferral_coverage_ratio": coverage("deferral"),
        "match_coverage_ratio": coverage("match"),
        "core_coverage_ratio": coverage("core"),
        # the plan counts all pay
        "compensation_ratio_hce": None,
        "compensation_ratio_others": None,
    }


def six_places(value: Fraction | None) -> Decimal | None:
    if value is None:
        return None
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.000001"), ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("census", "overrides"),
    [
        pytest.param("mixed", {}, id="a company"),
        pytest.param("equal", {"simulation.target_growth_rate": "-0.96"}, id="a company that closes"),
    ],
)
def test_every_figure_is_what_it_says(
    tmp_path: Path, mixed_census: Path, census: str, overrides: dict[str, object]
) -> None:
    usual = {
        "simulation.end_year": 2027,
        "changes": {2026: {"compensation": {"cola_rate": "0.041"}}, 2027: {"compensation": {"cola_rate": "0.02"}}},
        "plan.core.formula": "flat",
        "plan.core.rate": "0.02",
        "plan.vesting.core": "graded_6",
    }
    result = simulate(tmp_path, mixed_census if census == "mixed" else people(10), {**usual, **overrides})
    for year in (2025, 2026, 2027):
        found = dict(result.query(f"select metric, value from fct_annual_metrics where simulation_year = {year}"))
        assert found == {name: six_places(value) for name, value in expected_metrics(result, year).items()}
