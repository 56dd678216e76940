"""Deferrals, match and core to the cent: 2,000 people at random, each under five of 200 plan designs at random.

What the model wrote is held against a recomputation that reads census, ledger and published limits only.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Laboratory
from tests.plan_designs import company, design
from tests.plan_recomputation import Amounts, Event, recompute

pytestmark = pytest.mark.xdist_group("plan recomputation")

COMPANIES, PEOPLE, DESIGNS = 40, 50, 5
MONEY = ("contribution", "employer_match", "employer_core")
DETAILS = ("pre_tax", "roth", "after_tax", "catch_up", "elected", "limit_reason")


@dataclass(frozen=True)
class Comparison:
    """How often each rule had something to decide in a company's runs, the amounts compared, and those that differ."""

    uses: Mapping[str, int]
    events: int
    differences: list[str]


def ledger_amounts(event: Event) -> Amounts:
    """Return what an event says in the terms of the recomputation."""
    found: Amounts = {"amount": Fraction(event["amount"]), "date": event["effective_date"]}
    if event["event_type"] == "contribution":
        details = json.loads(event["event_details"], parse_float=Decimal, parse_int=Decimal)
        found |= {name: number(details[name]) for name in DETAILS}
    return found


def number(value: Any) -> Any:
    return Fraction(value) if isinstance(value, Decimal) else value


def shown(amounts: Amounts | None) -> str:
    return str(
        {name: float(value) if isinstance(value, Fraction) else value for name, value in (amounts or {}).items()}
    )


@cache
def comparison(folder: Path, number: int) -> Comparison:
    start, rows = company(number, PEOPLE)
    laboratory = Laboratory(folder / str(number), rows, {"simulation.start_year": start})
    uses: Counter[str] = Counter()
    events, differences = 0, []
    for design_number in range(number * DESIGNS, (number + 1) * DESIGNS):
        plan = design(design_number, start)
        ledger = laboratory.run(plan).records(
            "select * from fct_yearly_events order by simulation_year, employee_id, event_sequence"
        )
        expected = recompute(rows, plan, ledger)
        found = {
            (event["simulation_year"], event["employee_id"], event["event_type"]): ledger_amounts(event)
            for event in ledger
            if event["event_type"] in MONEY
        }
        uses += expected.uses
        events += len(found)
        differences += [
            f"design {design_number}, {key}: expected {shown(expected.amounts.get(key))}, found {shown(found.get(key))}"
            for key in sorted(expected.amounts.keys() | found.keys())
            if expected.amounts.get(key) != found.get(key)
        ]
    return Comparison(uses, events, differences)


@pytest.fixture(scope="session")
def laboratories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recomputation")


@pytest.mark.parametrize("number", range(COMPANIES))
def test_every_amount_is_right_to_the_cent(laboratories: Path, number: int) -> None:
    found = comparison(laboratories, number)
    assert found.events > 0
    assert found.differences == []
