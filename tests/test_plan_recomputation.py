"""Bonus, deferrals, match and core to the cent: 2,000 people at random under plan designs that hypothesis draws.

What the model wrote is held against a recomputation that reads census, ledger and published limits only. Where they
differ, hypothesis looks for the simplest design that shows it, and prints it.
"""

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st

from tests.companies import Row
from tests.conftest import Shared
from tests.laboratory import Laboratory
from tests.plan_designs import NONELECTIVE, Design, changing_design, company, design, numbered_design
from tests.plan_recomputation import Amounts, Event, Recomputation, recompute
from tests.tiers import sampled

COMPANIES, PEOPLE = 20, 100
# of each company
DESIGNS, SOAK_DESIGNS = 6, 10
# sequences of designs, another one every year
SEQUENCES, SOAK_SEQUENCES, MOST_SEQUENCES = 6, 200, 40
# among which one is looked for that uses a rule, or shows a fault
MOST_DESIGNS = 200
MONEY = ("bonus", "contribution", "employer_match", "employer_core")
DETAILS = ("pre_tax", "roth", "after_tax", "catch_up", "elected", "limit_reason")
BEFORE_ENTRY = ", deferred before its entry"
RULES = {
    *(
        "402(g)",
        "402(g) and 414(v)",
        "414(v)(7) no Roth feature",
        "plan_maximum_rate",
        "refund",
        "after-tax",
        "spill-over",
    ),
    *("catch-up", "Roth catch-up", "catch-up at 60 to 63"),
    *("override True", "override False", "exclusion", "long-term part-time"),
    *("415(c) turns into catch-up", "415(c) turns into Roth catch-up"),
    *(f"415(c) cuts {part}" for part in ("after_tax", "reallocated", "core", "match", "unmatched")),
    *(
        f"{source}: {what}"
        for source in ("match", "core")
        for what in ("paid", "hours_requirement", "last_day_requirement", "part of the pay")
    ),
    *(
        f"match {preset} by none"
        for preset in ("simple", "safe_harbor_basic", "safe_harbor_enhanced", "qaca", "stretch")
    ),
    *(f"match custom by {kind}" for kind in ("none", "service", "points", "age")),
    *(f"match {computed}{before}" for computed in ("annual", "per_payroll") for before in ("", BEFORE_ENTRY)),
    *(f"core {formula}, level none" for formula in ("flat", "service", "points", "age", *NONELECTIVE)),
    "match of a safe harbor of its own",
    *(
        "bonus of a level",
        "bonus of the person",
        "bonus drawn",
        "bonus on the exit day",
        "bonus left out",
        "bonus counted",
    ),
    *(f"bonus before entry, {counted}" for counted in ("entry_date", "plan_year")),
    *(f"bonus deferred from, match {computed}" for computed in ("annual", "per_payroll")),
    *(f"core flat, level {level}" for level in ("wage_base", "percent_of_wage_base", "dollars")),
}

# the model, a part of its compiled text and what a fault would have there
FAULTS = {
    "catch-up from 51": (
        "int_elective_deferrals",
        "(people.employee_birth_date) < 50",
        "(people.employee_birth_date) < 51",
    ),
    "cents cut off": ("int_elective_deferrals", " + days_in_year * 1000000::hugeint) //", ") //"),
    "refunded money counts": ("int_elective_deferrals", "not changes.is_refunded", "true"),
    "exclusion beats override": ("int_eligibility", "opening.plan_eligible_override is null", "true"),
    "too high a 401(a)(17) limit": (
        "int_eligibility",
        "(limits.compensation_limit * 100)",
        "(limits.compensation_limit * 101)",
    ),
    "core cut after match": (
        "int_annual_additions",
        "when match_turn < core_turn then open_match",
        "when match_turn > core_turn then open_match",
    ),
    "no dollar cap": (
        "int_employer_match",
        "coalesce(rounded.cap_amount, rounded.match_before_caps)",
        "rounded.match_before_caps",
    ),
    "pay of two periods": ("int_match_periods", "lag(pay_cents, 1, 0)", "lag(pay_cents, 2, 0)"),
    "a bonus of last year's whole pay": (
        "int_opening_workforce",
        "snapshot.prorated_annual_compensation - snapshot.bonus_amount",
        "snapshot.prorated_annual_compensation",
    ),
    "the level after the pay date": (
        "int_bonuses",
        "promotions.promotion_date <= calendar.bonus_date",
        "promotions.promotion_date >= calendar.bonus_date",
    ),
    "a bonus counts before entry": ("int_eligibility", "eligible.bonus_day between", "366 >="),
    "cents to the smallest remainder": ("int_reallocations", "remainder desc", "remainder asc"),
}

# the same for rules of changes
FAULTS_OF_CHANGES = {
    "no floor of vesting": ("int_accounts", "opening.match_vested_floor", "null"),
    "three years of service do not count": (
        "int_accounts",
        "then tenures.core_best_vested_rate",
        "then tenures.core_vested_rate",
    ),
    "who was in is out": ("int_eligibility", "and opening.core_entry_date < calendar.year_start", "and false"),
    "an increase is forgotten": ("int_workforce_year", "* 10 + ordinal", "* 10 - ordinal"),
}


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


def ledger_of(laboratory: Laboratory, plan: Design) -> list[dict[str, Any]]:
    return laboratory.run(plan).records(
        "select * from fct_yearly_events order by simulation_year, employee_id, event_sequence"
    )


def compare(rows: list[Row], plan: Design, ledger: list[dict[str, Any]]) -> tuple[Recomputation, int, list[str]]:
    """Return the recomputation, how many amounts the ledger has, and every difference between the two."""
    expected = recompute(rows, plan, ledger)
    found = {
        (event["simulation_year"], event["employee_id"], event["event_type"]): ledger_amounts(event)
        for event in ledger
        if event["event_type"] in MONEY
    }
    differences = [
        f"{key}: expected {shown(expected.amounts.get(key))}, found {shown(found.get(key))}"
        for key in sorted(expected.amounts.keys() | found.keys())
        if expected.amounts.get(key) != found.get(key)
    ]
    return expected, len(found), differences


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Laboratory:
    start, rows = company(0, PEOPLE)
    # a rate of 1 is 100 % here
    units = {"census.units": {"employee_deferral_rate": "fraction"}}
    return Laboratory(tmp_path_factory.mktemp("recomputation"), rows, {"simulation.start_year": start, **units})


def uses_of_designs(laboratory: Laboratory, number: int, designs: int) -> list[set[str]]:
    """Compare a company under designs that hypothesis draws; return by design which rules decided something."""
    start, rows = company(number, PEOPLE)
    laboratory.open_census(rows, {"simulation.start_year": start})
    uses: list[set[str]] = []

    @seed(number)
    @settings(max_examples=designs, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(random=st.randoms(use_true_random=False))
    def every_amount_is_right(random: Random) -> None:
        plan = design(random, start)
        note(f"company {number}, {plan}")
        expected, _, differences = compare(rows, plan, ledger_of(laboratory, plan))
        assert differences == []
        uses.append(set(expected.uses))

    every_amount_is_right()
    return uses


@pytest.fixture(scope="module")
def compared(laboratory: Laboratory, shared: Shared) -> Callable[[int], list[set[str]]]:
    """Return a function that compares a company, once for all workers, and returns what `uses_of_designs` does."""
    return lambda number: shared.once(
        f"recomputed_company_{number}", lambda _: uses_of_designs(laboratory, number, DESIGNS)
    )


@pytest.mark.parametrize("number", range(COMPANIES))
def test_every_amount_is_right_to_the_cent(compared: Callable[[int], list[set[str]]], number: int) -> None:
    assert len(compared(number)) >= DESIGNS


def test_every_rule_decides_something(compared: Callable[[int], list[set[str]]], laboratory: Laboratory) -> None:
    """What hypothesis draws changes with its version and with our code, so rare rules are looked for until found."""
    missing = RULES - {rule for number in range(COMPANIES) for uses in compared(number) for rule in uses}
    for number in range(MOST_DESIGNS):
        if not missing:
            break
        start, rows = company(number // 5, PEOPLE)
        laboratory.open_census(rows, {"simulation.start_year": start})
        plan = numbered_design(number, start)
        expected, _, differences = compare(rows, plan, ledger_of(laboratory, plan))
        assert differences == []
        missing -= set(expected.uses)
    assert missing == set()


@pytest.mark.soak
@pytest.mark.parametrize("number", range(COMPANIES))
def test_every_amount_is_right_under_the_designs_of_the_day(laboratory: Laboratory, number: int) -> None:
    """Other companies and designs every day; a failure names the company and prints the design."""
    day = dt.datetime.now(dt.UTC).date().toordinal()
    assert len(uses_of_designs(laboratory, COMPANIES * day + number, SOAK_DESIGNS)) >= SOAK_DESIGNS


def differences_of_vesting(laboratory: Laboratory, expected: Recomputation) -> list[str]:
    """Return every vested part of the last run that is not what was recomputed."""
    found = {
        (row["simulation_year"], row["employee_id"], source): Fraction(row[f"{source}_vested_rate"])
        for row in laboratory.records("select * from fct_workforce_snapshot")
        for source in ("match", "core")
    }
    return [
        f"{key}: expected {expected.vested.get(key)}, found {found.get(key)} vested"
        for key in sorted(expected.vested.keys() | found.keys())
        if expected.vested.get(key) != found.get(key)
    ]


def differences_of_changing(laboratory: Laboratory, number: int) -> list[str]:
    """Return every difference of a company under a design that changes from year to year."""
    # 2026 is the last year whose limits are published
    companies = (company(place, PEOPLE) for place in range(number, number + MOST_DESIGNS))
    start, rows = next((start, rows) for start, rows in companies if start < 2026)
    plan = changing_design(Random(f"changing design {number}"), start)
    laboratory.open_census(rows, {"simulation.start_year": start})
    expected, _, differences = compare(rows, plan, ledger_of(laboratory, plan))
    return differences + differences_of_vesting(laboratory, expected)


@pytest.mark.parametrize("number", sampled(range(SOAK_SEQUENCES), SEQUENCES))
def test_every_amount_and_vested_part_is_right_under_changes(laboratory: Laboratory, number: int) -> None:
    assert differences_of_changing(laboratory, number) == []


@pytest.mark.parametrize(("model", "old", "new"), FAULTS_OF_CHANGES.values(), ids=FAULTS_OF_CHANGES)
def test_a_fault_under_changes_is_noticed(laboratory: Laboratory, model: str, old: str, new: str) -> None:
    with laboratory.faulty_model(model, old, new):
        if not any(differences_of_changing(laboratory, number) for number in range(MOST_SEQUENCES)):
            pytest.fail(f"no sequence of {MOST_SEQUENCES} shows the fault")


@pytest.mark.parametrize(("model", "old", "new"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_noticed(laboratory: Laboratory, model: str, old: str, new: str) -> None:
    """Not every design shows it; which do changes with the rules, so they are tried in turn."""
    for number in range(MOST_DESIGNS):
        start, rows = company(number // 5, PEOPLE)
        plan = numbered_design(number, start)
        laboratory.open_census(rows, {"simulation.start_year": start})
        with laboratory.faulty_model(model, old, new):
            if compare(rows, plan, ledger_of(laboratory, plan))[2]:
                return
    pytest.fail(f"no design of {MOST_DESIGNS} shows the fault")


@pytest.mark.parametrize(
    ("kind", "column", "change"),
    [
        ("contribution", "amount", Decimal("0.01")),
        ("employer_match", "amount", Decimal("-0.01")),
        ("employer_core", "amount", Decimal("0.01")),
        ("raise", "compensation_after", Decimal("100")),
        ("enrollment", "deferral_rate_after", Decimal("0.01")),
    ],
    ids=str,
)
def test_a_wrong_event_is_noticed(laboratory: Laboratory, kind: str, column: str, change: Decimal) -> None:
    start, rows = company(0, PEOPLE)
    laboratory.open_census(rows, {"simulation.start_year": start})
    plan = numbered_design(0, start)
    ledger = ledger_of(laboratory, plan)
    paid = {event["employee_id"] for event in ledger if event["event_type"] == "contribution"}
    event = next(event for event in ledger if event["event_type"] == kind and event["employee_id"] in paid)
    assert compare(rows, plan, ledger)[2] == []
    event[column] += change
    assert compare(rows, plan, ledger)[2]
