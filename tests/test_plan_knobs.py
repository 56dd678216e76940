"""Every knob of the plan matters, and only to the plan: a key or parameter that changes moves what it is about.

What is to move is a type of event, a column of the snapshot or a metric. What is settled before it stays as it is.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator.config.sections.irs_limits import LIMITS
from tests.companies import read_rows
from tests.knobs import Knob, changed_tables, columns_with_numbers
from tests.laboratory import Laboratory

Settings = Mapping[str, object]
Traces = Mapping[str, Any]

# The order in which a year is settled: nothing of the plan acts on what comes before, least of all on careers.
CHAIN = (
    ("hire", "promotion", "raise", "bonus", "termination", "total_compensation"),
    ("eligibility_date", "is_eligible"),
    ("enrollment", "enrollment_change", "deferral_escalation", "deferral_match_response"),
    ("contribution", "catch_up_amount", "roth_amount"),
    ("employer_core",),
    ("employer_match", "plan_compensation"),
    ("employee_account_balance", "forfeiture", "forfeitures_available", "forfeitures_paid_expenses", "hce_status"),
)
# Who chooses a rate looks at the match and at the plan's maximum; the limit of section 415(c) cuts after-tax money too.
EARLIEST = {
    "plan.deferrals.maximum_rate": "enrollment",
    **{f"plan.match.{key}": "enrollment" for key in ("formula", "tiers", "tiers_by", "cap_rate", "cap_amount")},
    "plan.limit_415_order": "contribution",
    "plan.match.safe_harbor": "contribution",
}
PARTICIPATION_TABLES = (
    "participation_by_age",
    "participation_by_income",
    "participation_by_level",
    "second_chance_by_service",
    "deferral_choice",
)

# the first projected year
TO_2027: Settings = {"simulation.end_year": 2027}
SIMPLE: Settings = {"plan.match.formula": "simple"}
STRETCH: Settings = {"plan.match.formula": "stretch"}
FLAT: Settings = {"plan.core.formula": "flat", "plan.core.rate": 0.05}
GENEROUS: Settings = {**SIMPLE, **FLAT, "plan.after_tax.rate": 0.1}
ROTH_CATCH_UP: Settings = {"irs_limits.by_year": {2025: {"roth_catch_up_wage_threshold": 145_000}}}
REENROLLING: Settings = {"plan.automatic_enrollment.reenroll_non_participants": True}
ESCALATING_AT_ONCE: Settings = {"plan.escalation.delay_years": 0, "plan.escalation.effective_day": "12-01"}
FROM_ENHANCED: Settings = {"plan.previous_match.formula": "safe_harbor_enhanced"}
FROM_STRETCH: Settings = {"plan.previous_match.formula": "stretch"}
FORFEITING: Settings = {**FLAT, "plan.vesting.core": "cliff_3"}
# what is forfeited in 2025 is used in 2026
SPENDING_FORFEITURES: Settings = {**FORFEITING, "plan.forfeitures.use": "pay_expenses", "simulation.end_year": 2026}
# people of 18 contribute, so that the match has somebody to wait for
EARLY: Settings = {"plan.eligibility.deferral.minimum_age": 18, "plan.automatic_enrollment.scope": "all_eligible"}
HALF_A_YEAR: Settings = {"plan.eligibility.deferral.service": 6}
A_YEAR: Settings = {"plan.eligibility.deferral.service": 1, "plan.eligibility.deferral.service_unit": "years"}
# the match is the first to be cut, unless it is safe-harbor money
CUT_TO_415: Settings = {
    "plan.core.formula": "flat",
    "plan.core.rate": 0.2,
    "plan.limit_415_order": ["match", "after_tax", "core"],
}
BASIC_OF_ITS_OWN: Settings = {
    "plan.match.formula": "custom",
    "plan.match.tiers": [{"lower": 0, "upper": 0.03, "rate": 1}, {"lower": 0.03, "upper": 0.05, "rate": 0.5}],
}
TIER = {"lower": 0, "upper": 0.06, "rate": 0.5}
LONGER_TIER = {**TIER, "upper": 0.12}
BANDS = [{**LONGER_TIER, "from": 0, "to": 30}, {**TIER, "from": 30}]


def custom(section: str, tiers: list[dict[str, float]], by: str = "none") -> Settings:
    """Return the settings of a custom match in section `match` or `previous_match`."""
    return {f"plan.{section}.formula": "custom", f"plan.{section}.tiers": tiers, f"plan.{section}.tiers_by": by}


def integrated(level: str = "wage_base", **bound: float) -> Settings:
    """Return the settings of a flat core contribution that adds 4 % on pay above an integration level."""
    bounds = {f"plan.core.integration_{name}": value for name, value in bound.items()}
    return {**FLAT, "plan.core.integration_level": level, **bounds, "plan.core.disparity_rate": 0.04}


def own_rule(source: str, service: int = 0, unit: str = "months") -> Settings:
    """Return an eligibility rule for employer money in which no key is taken over from deferrals."""
    rule = {"minimum_age": 21, "method": "elapsed", "service": service}
    rule |= {"service_unit": unit, "entry_dates": "immediate"}
    return {f"plan.eligibility.{source}.{key}": value for key, value in rule.items()}


def own_rule_knobs(source: str) -> dict[str, Knob]:
    """Return the eligibility keys of employer money, each changed in a rule that takes over nothing from deferrals."""
    cases = {
        "minimum_age": Knob(18, {**FLAT, **EARLY, **own_rule(source)}),
        "method": Knob("hours", {**FLAT, **own_rule(source, 1, "years")}),
        "service": Knob(9, {**FLAT, **own_rule(source, 6)}),
        "service_unit": Knob("days", {**FLAT, **own_rule(source, 6)}),
        "entry_dates": Knob("quarterly", {**FLAT, **own_rule(source, 6)}),
    }
    return {f"plan.eligibility.{source}.{key}": knob for key, knob in cases.items()}


# what moves -> key -> case
MOVES: Mapping[str, Mapping[str, Knob]] = {
    "eligibility_date": {
        "plan.eligibility.deferral.minimum_age": Knob(18),
        "plan.eligibility.deferral.method": Knob("hours", A_YEAR),
        "plan.eligibility.deferral.service": Knob(6),
        "plan.eligibility.deferral.service_unit": Knob("days", HALF_A_YEAR),
        "plan.eligibility.deferral.entry_dates": Knob("quarterly"),
    },
    "is_eligible": {
        "plan.eligibility.excluded_levels": Knob([5]),
        "plan.eligibility.excluded": Knob([{"column": "department", "values": ["Sales"]}]),
    },
    "enrollment": {
        "plan.automatic_enrollment.effective_date": Knob("2025-07-01"),
        "plan.participation.automatic_enrollment_factor": Knob(1),
        "plan.participation.ceiling_share": Knob(0.9, STRETCH),
        "plan.automatic_enrollment.enabled": Knob(False),
        "plan.automatic_enrollment.scope": Knob("all_eligible"),
        "plan.automatic_enrollment.hire_date_cutoff": Knob("2025-07-01"),
        "plan.automatic_enrollment.default_deferral_rate": Knob(0.04),
        "plan.automatic_enrollment.window_days": Knob(60),
        "plan.automatic_enrollment.reenroll_non_participants": Knob(True),
        "plan.automatic_enrollment.reenrollment_date": Knob("10-01", REENROLLING),
        "plan.automatic_enrollment.reenrollment_opt_out_rate": Knob(0.5, REENROLLING),
    },
    "enrollment_change": {
        "plan.automatic_enrollment.permissible_withdrawal_days": Knob(60, EARLY),
        "plan.own_changes.raise_rate": Knob(0.3),
        "plan.own_changes.halve_rate": Knob(0.2),
        "plan.own_changes.stop_rate": Knob(0.1),
    },
    "deferral_escalation": {
        "plan.escalation.enabled": Knob(False),
        "plan.escalation.scope": Knob("all_participants"),
        "plan.escalation.effective_day": Knob("07-01"),
        "plan.escalation.delay_years": Knob(3),
        "plan.escalation.increment": Knob(0.02),
        "plan.escalation.cap": Knob(0.08),
        "plan.escalation.opt_out_rate": Knob(0.5, ESCALATING_AT_ONCE),
    },
    "deferral_match_response": {
        "plan.match_response.increase_response_rate": Knob(0.8, FROM_ENHANCED),
        "plan.match_response.increase_full_share": Knob(0.1, FROM_ENHANCED),
        "plan.match_response.decrease_response_rate": Knob(0.8, FROM_STRETCH),
        "plan.match_response.decrease_full_share": Knob(0.1, FROM_STRETCH),
        "plan.previous_match.formula": Knob("stretch"),
        "plan.previous_match.tiers": Knob([LONGER_TIER], custom("previous_match", [TIER])),
        "plan.previous_match.tiers_by": Knob("service", custom("previous_match", BANDS, "age")),
        "plan.previous_match.cap_rate": Knob(0.01, FROM_STRETCH),
        "plan.previous_match.cap_amount": Knob(500, FROM_STRETCH),
    },
    "contribution": {
        "plan.compensation": Knob(["base"], {"compensation.bonus.target_share": {1: 0.1}}),
        "plan.deferrals.maximum_rate": Knob(0.1),
        "plan.deferrals.roth_share": Knob(0.2),
        "plan.deferrals.roth_feature": Knob(False, ROTH_CATCH_UP),
        "plan.deferrals.super_catch_up": Knob(False),
        "plan.after_tax.rate": Knob(0.05),
        "plan.after_tax.spill_over": Knob(True),
        "irs_limits.inflation_rate": Knob(0.08, {**TO_2027, **integrated()}),
        "irs_limits.by_year": Knob({2025: {"elective_deferral_limit": 10_000}}),
    },
    "employer_match": {
        **own_rule_knobs("match"),
        "plan.compensation_from": Knob("plan_year", HALF_A_YEAR),
        "plan.limit_415_order": Knob(["match", "core", "after_tax"], GENEROUS),
        "plan.match.formula": Knob("simple"),
        "plan.match.tiers": Knob([LONGER_TIER], custom("match", [TIER])),
        "plan.match.tiers_by": Knob("service", custom("match", BANDS, "age")),
        "plan.match.cap_rate": Knob(0.02, SIMPLE),
        "plan.match.cap_amount": Knob(1_000, SIMPLE),
        "plan.match.computed": Knob("per_payroll"),
        "plan.match.pay_periods": Knob(12, {"plan.match.computed": "per_payroll"}),
        "plan.match.deferrals_from": Knob("match_entry", {**SIMPLE, **own_rule("match", 6)}),
        "plan.match.last_day_includes_exits_on": Knob(True, {**SIMPLE, "plan.match.last_day_gate": True}),
        "plan.match.safe_harbor": Knob(True, {**BASIC_OF_ITS_OWN, **CUT_TO_415}),
        "plan.match.hours_gate": Knob(True, SIMPLE),
        "plan.match.last_day_gate": Knob(True, SIMPLE),
        "plan.match.last_day_exceptions": Knob(
            [], {**SIMPLE, "plan.match.last_day_gate": True, "plan.match.last_day_exceptions": ["retirement"]}
        ),
    },
    "employer_core": {
        **own_rule_knobs("core"),
        "plan.core.formula": Knob("safe_harbor_nonelective"),
        "plan.core.rate": Knob(0.03, FLAT),
        "plan.core.tiers": Knob(
            [{"from": 0, "to": 10, "rate": 0.02}, {"from": 10, "rate": 0.04}],
            {"plan.core.formula": "service", "plan.core.tiers": [{"from": 0, "rate": 0.02}]},
        ),
        "plan.core.integration_level": Knob("wage_base", FLAT, {"plan.core.disparity_rate": 0.04}),
        "plan.core.integration_percent": Knob(0.4, integrated("percent_of_wage_base", percent=0.5)),
        "plan.core.integration_dollars": Knob(90_000, integrated("dollars", dollars=60_000)),
        "plan.core.disparity_rate": Knob(0.03, integrated()),
        "plan.core.last_day_includes_exits_on": Knob(True, {**FLAT, "plan.core.last_day_gate": True}),
        "plan.core.hours_gate": Knob(True, FLAT),
        "plan.core.last_day_gate": Knob(True, FLAT),
        "plan.core.last_day_exceptions": Knob(
            [], {**FLAT, "plan.core.last_day_gate": True, "plan.core.last_day_exceptions": ["age_55"]}
        ),
        "plan.forfeitures.use": Knob("reallocate", SPENDING_FORFEITURES),
        "irs_limits.wage_growth_rate": Knob(0.1, {**TO_2027, **integrated()}),
    },
    "employee_account_balance": {"plan.annual_return": Knob(0.05)},
    "forfeiture": {
        "plan.normal_retirement_age": Knob(60, FORFEITING),
        "plan.vesting.match": Knob("graded_6", SIMPLE),
        "plan.vesting.core": Knob("cliff_3", FLAT),
    },
    "forfeitures_available": {
        "plan.forfeitures.opening_balance": Knob(5_000),
    },
    "forfeitures_paid_expenses": {
        "plan.forfeitures.annual_expenses": Knob(500, SPENDING_FORFEITURES),
    },
    "hce_status": {
        "plan.hce.top_paid_group": Knob(True, {"irs_limits.by_year": {2024: {"hce_threshold": 60_000}}}),
    },
}
PLAN_KNOBS: Mapping[str, Knob] = {key: knob for knobs in MOVES.values() for key, knob in knobs.items()}

# limit -> what moves, the year, the limit's other value, and the settings under which it is read at all
LIMIT_KNOBS: Mapping[str, tuple[str, int, int, Settings]] = {
    "elective_deferral_limit": ("contribution", 2025, 10_000, {}),
    "catch_up_limit": ("catch_up_amount", 2025, 1_000, {}),
    "super_catch_up_limit": ("catch_up_amount", 2025, 1_000, {}),
    "compensation_limit": ("plan_compensation", 2025, 100_000, {}),
    "annual_additions_limit": ("contribution", 2025, 24_000, {}),
    "hce_threshold": ("hce_status", 2024, 100_000, {}),
    "social_security_wage_base": ("employer_core", 2025, 100_000, integrated()),
    "roth_catch_up_wage_threshold": ("roth_amount", 2025, 100_000, {}),
}


def with_rare_people(rows: list[dict[str, str]], last_day: str) -> list[dict[str, str]]:
    """Return a census with the rare people to whom the plan's rules apply.

    One in five earns little and does not participate; some work less than 1,000 hours a year; some are 62, earn a lot,
    were hired two years ago and save more than all limits together. One of 30 leaves on `last_day`, and some who save
    were hired in the last autumn.
    """
    for row in rows[::5]:
        row |= {"employee_gross_compensation": "40000", "level_id": "1", "employee_deferral_rate": ""}
        row |= {"employee_enrollment_date": "", "enrollment_method": ""}
    for row in rows[1::25]:
        row |= {"scheduled_hours_per_week": "15"}
    for row in rows[2::50]:
        row |= {"employee_birth_date": "1963-05-05", "employee_hire_date": "2023-05-01", "level_id": "4"}
        row |= {"employee_gross_compensation": "250000", "prior_year_compensation": "240000"}
        row |= {"employee_deferral_rate": "0.15", "employee_enrollment_date": "2023-08-01"}
        row |= {"enrollment_method": "voluntary", "employee_termination_date": "", "active": "true"}
    rows[3] |= {"employee_birth_date": "1995-05-05", "employee_hire_date": "2020-05-01", "active": "true"}
    rows[3] |= {"employee_termination_date": last_day, "employee_deferral_rate": "0.06"}
    rows[3] |= {"employee_enrollment_date": "2021-05-01", "enrollment_method": "voluntary"}
    for row in rows[4::100]:
        row |= {
            "employee_birth_date": "1995-05-05",
            "employee_hire_date": "2024-10-01",
            "employee_deferral_rate": "0.05",
        }
        row |= {"employee_enrollment_date": "2024-11-01", "enrollment_method": "voluntary"}
        row |= {"employee_termination_date": "", "active": "true"}
    return rows


@pytest.fixture(scope="module")
def laboratory(
    tmp_path_factory: pytest.TempPathFactory, generated: Callable[[int], Path], simulates: None
) -> Laboratory:
    """A thousand people in 2025, some of them rare."""
    rows = with_rare_people(read_rows(generated(1000)), "2025-12-31")
    return Laboratory(tmp_path_factory.mktemp("plan knobs"), rows)


@pytest.fixture(scope="module")
def usual(laboratory: Laboratory) -> Callable[[Settings], Traces]:
    """Return a function from settings to their traces, each computed once."""
    known: dict[str, Traces] = {}

    def traces_of(given: Settings) -> Traces:
        if str(given) not in known:
            known[str(given)] = traces(laboratory.run(given))
        return known[str(given)]

    return traces_of


def traces(laboratory: Laboratory) -> Traces:
    """Return what a run came to: a digest of each type of event and each column of the snapshot, and each metric.

    The place of an event among the others of its person is left out.
    """
    events = laboratory.query(
        """
        select event_type, sum(hash(event)) from (select * exclude (event_sequence) from fct_yearly_events) as event
        group by event_type
        """
    )
    (columns,) = laboratory.records(
        r"""
        select sum(hash(simulation_year, employee_id, columns('(.*)'))) as '\1' from fct_workforce_snapshot
        """
    )
    metrics = laboratory.query(
        "select metric, list(value order by simulation_year) from fct_annual_metrics group by all"
    )
    return {**columns, **dict(events), **dict(metrics)}


def assert_moves(what: str, before: Traces, after: Traces, *, earliest: str | None = None) -> None:
    """Check that `what` differs, and nothing that is settled before it, or before `earliest` where that is given."""
    moved = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert what in moved
    (place,) = (number for number, stage in enumerate(CHAIN) if (earliest or what) in stage)
    assert [name for stage in CHAIN[:place] for name in stage if name in moved] == []


@pytest.mark.parametrize(("what", "key"), [(what, key) for what, knobs in MOVES.items() for key in knobs])
def test_every_key_moves_what_it_is_about(
    laboratory: Laboratory, usual: Callable[[Settings], Traces], what: str, key: str
) -> None:
    knob = PLAN_KNOBS[key]
    before = usual(knob.given)
    after = traces(laboratory.run({**knob.given, **knob.along, key: knob.value}))
    assert_moves(what, before, after, earliest=EARLIEST.get(key))


@pytest.mark.parametrize("limit", LIMITS)
def test_every_limit_moves_what_it_is_about(
    laboratory: Laboratory, usual: Callable[[Settings], Traces], limit: str
) -> None:
    what, year, amount, given = LIMIT_KNOBS[limit]
    before = usual(given)
    assert_moves(what, before, traces(laboratory.run({**given, "irs_limits.by_year": {year: {limit: amount}}})))


@pytest.mark.parametrize(("table", "column"), columns_with_numbers(PARTICIPATION_TABLES))
def test_every_number_of_every_participation_table_moves_the_ledger(
    laboratory: Laboratory, usual: Callable[[Settings], Traces], table: str, column: str
) -> None:
    given = {
        **HALF_A_YEAR,
        "plan.automatic_enrollment.scope": "all_eligible",
        "plan.automatic_enrollment.window_days": 200,
    }
    before = usual(given)
    what = "enrollment_change" if column.startswith("opt_out") else "enrollment"
    assert_moves(what, before, traces(laboratory.run({**given, **changed_tables(table, column)})))
