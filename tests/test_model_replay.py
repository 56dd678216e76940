"""The ledger is enough: a fold in Python of census file and ledger gives the career columns of every snapshot.

It shares no line with the model: dates are Python's, money is whole cents, parts of a year are fractions.
"""

import csv
import datetime as dt
import json
from calendar import isleap
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.companies import anniversary, band, completed_years, default_table, read_rows
from tests.laboratory import Result, simulate

pytestmark = pytest.mark.model

YEARS = range(2025, 2030)
# assert_replay_gives_the_elections and assert_replay_gives_the_accounts rebuild the plan's columns
CAREER = (
    "employee_birth_date",
    "employee_hire_date",
    "employment_status",
    "detailed_status_code",
    "termination_date",
    "termination_reason",
    "level_id",
    "current_age",
    "current_tenure",
    "age_band",
    "tenure_band",
    "current_compensation",
    "prorated_annual_compensation",
    "bonus_amount",
    "annual_hours",
)


@dataclass
class Life:
    """What is known of a person while their events are read."""

    born: dt.date
    hired: dt.date
    serves_from: dt.date
    hours: Decimal
    level: int
    rate: Decimal
    left: dt.date | None = None
    reason: str | None = None


def rounded(amount: Fraction, places: int = 2) -> Decimal:
    """Round a number of 0 or more half up, exactly."""
    scaled = amount * 10**places
    return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(-places)


def level_of(row: Mapping[str, str]) -> int:
    if row["level_id"]:
        return int(row["level_id"])
    pay = Decimal(row["employee_gross_compensation"])
    return max(int(level["level_id"]) for level in default_table("job_levels") if Decimal(level["pay_from"]) <= pay)


def lives_of_census(path: Path) -> dict[str, Life]:
    return {
        row["employee_id"]: Life(
            born=dt.date.fromisoformat(row["employee_birth_date"]),
            hired=dt.date.fromisoformat(row["employee_hire_date"]),
            serves_from=dt.date.fromisoformat(row["employee_service_date"] or row["employee_hire_date"]),
            hours=Decimal(row["scheduled_hours_per_week"]),
            level=level_of(row),
            rate=Decimal(row["employee_gross_compensation"]),
        )
        for row in read_rows(path)
        if not row["employee_termination_date"] or row["employee_termination_date"] > "2024-12-31"
    }


def read_ledger(result: Result, folder: Path) -> list[dict[str, str]]:
    """Return the ledger as the texts of a CSV export, in order."""
    path = folder / "ledger.csv"
    # not by a reader of ours, which writes no file
    with duckdb.connect(str(result.database), read_only=True) as connection:
        connection.execute(f"""
            copy (select * from fct_yearly_events order by simulation_year, employee_id, event_sequence)
            to '{path}' (header)
        """)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def snapshot_row(life: Life, year: int, rates: Iterable[tuple[dt.date, Decimal]], bonus: Decimal) -> dict[str, Any]:
    """Return the row that a life, the rates in force from each day and the bonus give for a year."""
    last = life.left or dt.date(year, 12, 31)
    days_in_year = 366 if isleap(year) else 365
    segments = pairwise([*rates, (last + dt.timedelta(1), Decimal(0))])
    paid = sum((Fraction(rate) * (end - start).days for (start, rate), (end, _) in segments), Fraction(0))
    is_new = life.hired.year == year
    first = life.hired if is_new else dt.date(year, 1, 1)
    age, service = completed_years(life.born, last), completed_years(life.serves_from, last)
    since = anniversary(life.serves_from, life.serves_from.year + service)
    until = anniversary(life.serves_from, life.serves_from.year + service + 1)
    return {
        "employee_birth_date": life.born,
        "employee_hire_date": life.hired,
        "employment_status": "terminated" if life.left else "active",
        "detailed_status_code": {
            (False, False): "continuous_active",
            (False, True): "experienced_termination",
            (True, False): "new_hire_active",
            (True, True): "new_hire_termination",
        }[is_new, life.left is not None],
        "termination_date": life.left,
        "termination_reason": life.reason,
        "level_id": life.level,
        "current_age": age,
        "current_tenure": rounded(service + Fraction((last - since).days, (until - since).days), 4),
        "age_band": band("age_bands", age)["age_band"],
        "tenure_band": band("tenure_bands", service)["tenure_band"],
        "current_compensation": life.rate,
        "prorated_annual_compensation": rounded(paid / days_in_year) + bonus,
        "bonus_amount": bonus,
        "annual_hours": rounded(Fraction(life.hours) * 52 * ((last - first).days + 1) / days_in_year),
    }


def replay_year(
    lives: dict[str, Life], ledger: Iterable[Mapping[str, str]], year: int
) -> dict[tuple[int, str], dict[str, Any]]:
    """Carry every life through a year's events and return its snapshot; `lives` is what 31 December leaves behind."""
    rates = {employee_id: [(dt.date(year, 1, 1), life.rate)] for employee_id, life in lives.items()}
    bonuses: dict[str, Decimal] = defaultdict(Decimal)
    for event in ledger:
        employee_id, day = event["employee_id"], dt.date.fromisoformat(event["effective_date"])
        if event["event_type"] == "hire":
            details = json.loads(event["event_details"])
            lives[employee_id] = Life(
                born=dt.date.fromisoformat(details["employee_birth_date"]),
                hired=day,
                serves_from=day,
                hours=Decimal(str(details["scheduled_hours_per_week"])),
                level=int(event["level_after"]),
                rate=Decimal(event["compensation_after"]),
            )
            rates[employee_id] = [(day, lives[employee_id].rate)]
            continue
        life = lives[employee_id]
        assert life.left is None or day <= life.left, "an event after the exit"
        if event["event_type"] == "termination":
            life.left, life.reason = day, event["event_category"]
        elif event["event_type"] == "bonus":
            bonuses[employee_id] += Decimal(event["amount"])
        elif event["event_type"] in ("promotion", "raise"):
            assert (str(life.rate), str(life.level)) == (event["compensation_before"], event["level_before"])
            assert Decimal(event["amount"]) == Decimal(event["compensation_after"]) - life.rate
            life.rate, life.level = Decimal(event["compensation_after"]), int(event["level_after"])
            rates[employee_id].append((day, life.rate))
    rows = {
        (year, employee_id): snapshot_row(life, year, rates[employee_id], bonuses[employee_id])
        for employee_id, life in lives.items()
    }
    for employee_id in [employee_id for employee_id, life in lives.items() if life.left]:
        del lives[employee_id]
    return rows


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({}, id="default"),
        pytest.param(
            {
                "raise_timing.methodology": "fixed",
                "raise_timing.fixed_date": "01-15",
                "compensation.promotion.fill_share": 1,
                "new_hires.part_time_share": "0.4",
                "workforce.headcount_mode": "stochastic",
            },
            id="raises before promotions, stochastic",
        ),
        pytest.param(
            {
                "raise_timing.methodology": "anniversary",
                "compensation.promotion.effective_date": "02-29",
                "compensation.promotion.fill_share": 1,
                "workforce.total_termination_rate": "0.4",
                "simulation.target_growth_rate": "-0.1",
            },
            id="anniversary raises, shrinking",
        ),
        pytest.param(
            {
                "compensation.bonus.target_share": {1: "0.05", 2: "0.1", 3: "0.15", 4: "0.3", 5: "0.75"},
                "compensation.bonus.standard_deviation": "0.4",
                "compensation.promotion.effective_date": "03-15",
                "plan.eligibility.deferral.service": 6,
                "plan.compensation_from": "plan_year",
                "workforce.total_termination_rate": "0.25",
            },
            id="bonuses",
        ),
    ],
)
def test_census_and_ledger_give_every_row_of_every_snapshot(
    tmp_path: Path, mixed_census: Path, overrides: dict[str, object]
) -> None:
    result = simulate(tmp_path, mixed_census, {**overrides, "simulation.end_year": YEARS[-1]})
    ledger = read_ledger(result, tmp_path)
    lives = lives_of_census(mixed_census)
    replayed: dict[tuple[int, str], dict[str, Any]] = {}
    for year in YEARS:
        replayed |= replay_year(lives, [event for event in ledger if event["simulation_year"] == str(year)], year)
    snapshot = {
        (row["simulation_year"], row["employee_id"]): {name: row[name] for name in CAREER}
        for row in result.records("select * from fct_workforce_snapshot")
    }
    assert len(snapshot) > 2000
    assert replayed.keys() == snapshot.keys()
    assert [(key, replayed[key], row) for key, row in snapshot.items() if replayed[key] != row] == []
