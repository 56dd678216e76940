"""Every key figure, worked out again in exact arithmetic from the snapshots, the ledger and the census."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result, people, simulate

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

    payroll = sum((Fraction(event["compensation_before"]) for event in raises), Fraction(0))
    merit = sum((Fraction(event["amount"]) for event in raises), Fraction(0)) - payroll * Fraction(COLA[year])
    same_people = sum((opening[name] for name in continuous), Fraction(0))
    return {
        "opening_headcount": Fraction(len(opening)),
        "terminations": count("detailed_status_code", "experienced_termination"),
        "retirements": count("termination_reason", "retirement"),
        "announced_terminations": count("termination_reason", "announced"),
        "hires": count("event_type", "hire", events),
        "new_hire_terminations": count("detailed_status_code", "new_hire_termination"),
        "closing_headcount": Fraction(len(active)),
        "target_headcount": Fraction(len(active)),
        "headcount_growth_rate": growth(Fraction(len(active)), Fraction(len(opening))),
        "promotions": count("event_type", "promotion", events),
        "raises": Fraction(len(raises)),
        "realised_merit_rate": ratio(merit, payroll),
        "total_compensation": sum((Fraction(row["prorated_annual_compensation"]) for row in rows), Fraction(0)),
        "average_compensation": average(active),
        "compensation_growth_all": growth(average(active), average(opening)),
        "compensation_growth_continuous": growth(average(continuous), average(opening)),
        "compensation_growth_same_person": growth(sum(continuous.values(), Fraction(0)), same_people),
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
    usual = {"simulation.end_year": 2027, "compensation.cola_rate_by_year": {2026: "0.041"}}
    result = simulate(tmp_path, mixed_census if census == "mixed" else people(10), {**usual, **overrides})
    for year in (2025, 2026, 2027):
        found = dict(result.query(f"select metric, value from fct_annual_metrics where simulation_year = {year}"))
        assert found == {name: six_places(value) for name, value in expected_metrics(result, year).items()}
