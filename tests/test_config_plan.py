"""The plan's configuration: what the law forbids, what its keys need of each other, and what a preset stands for."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from planalign_orchestrator import config as configuration
from planalign_orchestrator.config import (
    SimulationConfig,
    config_fingerprint,
    config_json_schema,
    effective_values,
    load_simulation_config,
    to_dbt_vars,
)
from planalign_orchestrator.config.keys import known_keys
from planalign_orchestrator.config.sections.plan.gates import GATES, GatesSection
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.project import designs

FOLDER = Path(__file__).parents[1] / "config"

Settings = Mapping[str, object]
Load = Callable[..., SimulationConfig]

BANDED = [
    {"from": 0, "to": 5, "lower": 0, "upper": 0.06, "rate": 0.5},
    {"from": 5, "lower": 0, "upper": 0.06, "rate": 1.0},
]
TIER = {"lower": 0, "upper": 0.06, "rate": 0.5}


def own_safe_harbor(*tiers: tuple[float, float, float]) -> Settings:
    """Return the settings of a custom match, tiers of lower, upper and rate, that is marked as a safe harbor."""
    rows = [{"lower": lower, "upper": upper, "rate": rate} for lower, upper, rate in tiers]
    return {"plan.match.formula": "custom", "plan.match.tiers": rows, "plan.match.safe_harbor": True}


QACA: Settings = {"plan.match.formula": "qaca", "plan.automatic_enrollment.scope": "all_eligible"}
QACA_AT_3: Settings = {**QACA, "plan.automatic_enrollment.default_deferral_rate": 0.03}
LOW_RATES: Settings = {"plan.automatic_enrollment.default_deferral_rate": 0.03, "plan.escalation.cap": 0.03}
NO_SAFE_HARBOR: Settings = {"plan.match.formula": "simple"}
FLAT: Settings = {"plan.core.formula": "flat", "plan.core.rate": 0.06}


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a minimal configuration with these settings."""

    def load_settings(settings: Settings | None = None) -> SimulationConfig:
        path = tmp_path / "c.yaml"
        path.write_text("census: {path: census.csv}\n", encoding="utf-8")
        return load_simulation_config(path, overrides=settings or {})

    return load_settings


def problems_of(load: Load, settings: Settings) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(settings)
    return caught.value.problems


def shown(config: SimulationConfig) -> dict[str, tuple[object, str, str]]:
    return {item.key: (item.value, item.origin, item.where) for item in effective_values(config)}


# --- the law ----------------------------------------------------------------------------------------------------------

E = "plan.eligibility"
AE = "plan.automatic_enrollment"
UNLAWFUL = [
    # settings, the key that is named first, its value as the message says it, the section, the remedy
    pytest.param(
        {f"{E}.deferral.minimum_age": 21.5},
        (f"{E}.deferral.minimum_age", "minimum_age 21.5", "410(a)(1)(A)", "lower it to 21"),
        id="age",
    ),
    pytest.param(
        {f"{E}.core.minimum_age": 25},
        (f"{E}.core.minimum_age", "minimum_age 25", "410(a)(1)(A)", "lower it to 21"),
        id="age for the core contribution",
    ),
    pytest.param(
        {f"{E}.deferral.service": 13},
        (f"{E}.deferral.service", "13 months", "401(k)(2)(D)", "lower it to a year"),
        id="deferrals after 13 months",
    ),
    pytest.param(
        {f"{E}.deferral.service": 366, f"{E}.deferral.service_unit": "days"},
        (f"{E}.deferral.service", "366 days", "401(k)(2)(D)", "lower it to a year"),
        id="deferrals after 366 days",
    ),
    pytest.param(
        {f"{E}.deferral.service": 2, f"{E}.deferral.service_unit": "years", f"{E}.deferral.method": "hours"},
        (f"{E}.deferral.service", "2 years", "401(k)(2)(D)", "lower it to a year"),
        id="deferrals after two years of hours",
    ),
    pytest.param(
        {**NO_SAFE_HARBOR, f"{E}.match.service": 13, "plan.vesting.match": "cliff_2"},
        (f"{E}.match.service", "13 months", "410(a)(1)(B)", "set plan.vesting.match to `immediate`"),
        id="match after 13 months without full vesting",
    ),
    pytest.param(
        {f"{E}.core.service": 25},
        (f"{E}.core.service", "25 months", "410(a)(1)(B)", "lower it"),
        id="core contribution after more than two years",
    ),
    pytest.param(
        {
            f"{E}.deferral.service": 7,
            f"{E}.deferral.entry_dates": "annual",
            f"{E}.deferral.minimum_age": 18,
        },
        (f"{E}.deferral.entry_dates", "7 months", "410(a)(4)", "offer more entry dates"),
        id="annual entry after 7 months",
    ),
    pytest.param(
        {f"{E}.match.entry_dates": "annual"},
        (f"{E}.match.entry_dates", "minimum_age 21", "410(a)(4)", "lower minimum_age to 20.5"),
        id="annual entry at 21",
    ),
    pytest.param(
        {f"{AE}.permissible_withdrawal_days": 29},
        (f"{AE}.permissible_withdrawal_days", "permissible_withdrawal_days 29", "414(w)", "set it between them"),
        id="29 days",
    ),
    pytest.param(
        {f"{AE}.permissible_withdrawal_days": 91},
        (f"{AE}.permissible_withdrawal_days", "permissible_withdrawal_days 91", "414(w)", "set it between them"),
        id="91 days",
    ),
    *(
        pytest.param(
            {"plan.match.formula": formula, f"plan.match.{gate}": True},
            (f"plan.match.{gate}", f"`{formula}`", "401(k)(12)", "set it to false"),
            id=f"{formula} with {gate}",
        )
        for formula in ("safe_harbor_basic", "safe_harbor_enhanced")
        for gate in ("hours_gate", "last_day_gate")
    ),
    pytest.param(
        {**QACA, "plan.match.hours_gate": True},
        ("plan.match.hours_gate", "`qaca`", "401(k)(13)", "set it to false"),
        id="qaca with a gate",
    ),
    pytest.param(
        {"plan.core.formula": "safe_harbor_nonelective", "plan.core.last_day_gate": True},
        ("plan.core.last_day_gate", "`safe_harbor_nonelective`", "401(k)(12)(C)", "set it to false"),
        id="nonelective with a gate",
    ),
    *(
        pytest.param(
            {"plan.match.tiers_by": by},
            ("plan.match.tiers_by", f"tiers_by `{by}`", "401(k)(12)", "use formula `custom`"),
            id=f"safe harbor by {by}",
        )
        for by in ("service", "points", "age")
    ),
    pytest.param(
        {"plan.match.cap_rate": 0.039},
        ("plan.match.cap_rate", "cap_rate 0.039 is below the 0.04", "401(k)(12)", "remove it"),
        id="cap below safe harbor",
    ),
    pytest.param(
        {**QACA, "plan.match.cap_rate": 0.034},
        ("plan.match.cap_rate", "cap_rate 0.034 is below the 0.035", "401(k)(13)", "remove it"),
        id="cap below qaca",
    ),
    pytest.param(
        {"plan.match.safe_harbor": True, "plan.match.formula": "simple"},
        ("plan.match.safe_harbor", "`simple` cannot be one", "marks a formula `custom`", "set it to false"),
        id="a preset that is marked",
    ),
    pytest.param(
        own_safe_harbor((0, 0.04, 0.99)),
        ("plan.match.safe_harbor", "on deferrals of 0.03 of pay", "pay 0.0297 of pay", "401(k)(12)(B)(iii)(II)"),
        id="less than the basic match at 3 %",
    ),
    pytest.param(
        own_safe_harbor((0, 0.02, 1.5), (0.02, 0.03, 0.5)),
        ("plan.match.safe_harbor", "on deferrals of 0.05 of pay", "`safe_harbor_basic` 0.04", "raise the tiers"),
        id="less than the basic match at 5 %",
    ),
    pytest.param(
        own_safe_harbor((0, 0.03, 1), (0.03, 0.06, 1.5)),
        ("plan.match.safe_harbor", "a higher rate", "401(k)(12)(B)(iii)(I)", "let the rates fall"),
        id="rates that rise",
    ),
    pytest.param(
        {**own_safe_harbor((0, 0.06, 1)), "plan.match.hours_gate": True},
        ("plan.match.hours_gate", "`custom`", "401(k)(12)", "set it to false"),
        id="own safe harbor with a gate",
    ),
    pytest.param(
        {**own_safe_harbor((0, 0.06, 1)), "plan.match.cap_rate": 0.05},
        ("plan.match.cap_rate", "cap_rate 0.05 is below the 0.06", "401(k)(12)", "set safe_harbor to false"),
        id="own safe harbor with a cap",
    ),
    pytest.param(
        {**own_safe_harbor((0, 0.06, 1)), "plan.vesting.match": "cliff_3"},
        ("plan.vesting.match", "cliff_3", "401(k)(12)(E)(i)", "set it to `immediate`"),
        id="own safe harbor that vests later",
    ),
    pytest.param(
        {"plan.match.formula": "simple", "plan.core.formula": "qaca_nonelective"},
        (f"{AE}.scope", "formula `qaca_nonelective`", "401(k)(13)", "set it to `all_eligible`"),
        id="qaca nonelective for new hires",
    ),
    pytest.param(
        {"plan.core.formula": "qaca_nonelective", f"{AE}.scope": "all_eligible", "plan.vesting.core": "cliff_3"},
        ("plan.vesting.core", "core money of a QACA", "401(k)(13)(D)", "set it to `cliff_2`"),
        id="qaca nonelective that vests later",
    ),
    pytest.param(
        {"plan.core.formula": "safe_harbor_nonelective_late", "plan.core.last_day_gate": True},
        ("plan.core.last_day_gate", "`safe_harbor_nonelective_late`", "401(k)(12)(F)", "set it to false"),
        id="late nonelective with a gate",
    ),
    pytest.param(
        {"plan.match.formula": "qaca"},
        (f"{AE}.scope", "scope `new_hires_only`", "401(k)(13)", "set it to `all_eligible`"),
        id="qaca for new hires",
    ),
    pytest.param(
        {**QACA, f"{AE}.enabled": False},
        (f"{AE}.enabled", "enabled false", "401(k)(13)", "set it to true"),
        id="qaca without enrollment",
    ),
    *(
        pytest.param(
            {**QACA, f"{AE}.default_deferral_rate": rate, "plan.escalation.cap": 0.15},
            (f"{AE}.default_deferral_rate", f"default_deferral_rate {rate}", "401(k)(13)", "set it between them"),
            id=f"qaca at {rate}",
        )
        for rate in (0.029, 0.101)
    ),
    pytest.param(
        {**QACA_AT_3, "plan.escalation.enabled": False},
        ("plan.escalation.enabled", "enabled false", "401(k)(13)", "start at 0.06"),
        id="qaca at 3 % for ever",
    ),
    pytest.param(
        {**QACA_AT_3, "plan.escalation.cap": 0.05},
        ("plan.escalation.cap", "cap 0.05", "401(k)(13)", "raise it"),
        id="qaca up to 5 %",
    ),
    pytest.param(
        {**QACA_AT_3, "plan.escalation.increment": 0.005},
        ("plan.escalation.increment", "increment 0.005", "401(k)(13)", "raise it"),
        id="qaca by half a percent",
    ),
    pytest.param(
        {**QACA_AT_3, "plan.escalation.delay_years": 2},
        ("plan.escalation.increment", "delay_years 2", "401(k)(13)", "shorten the delay"),
        id="qaca a year late",
    ),
    pytest.param(
        {**QACA_AT_3, "plan.escalation.effective_day": "07-01"},
        ("plan.escalation.effective_day", "on 07-01 with delay_years 1", "401(k)(13)", "move the day to 01-01"),
        id="qaca half a year late",
    ),
    pytest.param(
        {**QACA, "plan.escalation.cap": 0.151},
        ("plan.escalation.cap", "cap 0.151", "401(k)(13)(C)(iii) allows at most 0.15", "lower it"),
        id="qaca above 15 %",
    ),
    pytest.param(
        {**QACA, "plan.escalation.increment": 0.05, "plan.escalation.cap": 0.15},
        ("plan.escalation.increment", "could reach 0.11", "401(k)(13)", "lower it or lengthen the delay"),
        id="qaca above 10 % too early",
    ),
    *(
        pytest.param(
            {**formula, f"{E}.{source}.service": 13},
            (f"{E}.{source}.service", "service of 13 months", section, "lower it to a year or choose another formula"),
            id=f"safe-harbor {source} after more than a year, {section}",
        )
        for source, formula, section in (
            ("match", {}, "401(k)(12)(B)"),
            ("match", QACA, "401(k)(13)(D)"),
            ("core", {**NO_SAFE_HARBOR, "plan.core.formula": "safe_harbor_nonelective"}, "401(k)(12)(C)"),
        )
    ),
    *(
        pytest.param(
            {**formula, **LOW_RATES, "plan.deferrals.maximum_rate": rate},
            (
                "plan.deferrals.maximum_rate",
                f"maximum_rate {rate} is below the {needed}",
                "1.401(k)-3(c)(6)",
                "raise it",
            ),
            id=f"deferrals below what {name} matches",
        )
        for name, formula, rate, needed in (
            ("safe_harbor_basic", {}, 0.049, 0.05),
            ("safe_harbor_enhanced", {"plan.match.formula": "safe_harbor_enhanced"}, 0.039, 0.04),
        )
    ),
    pytest.param(
        {**NO_SAFE_HARBOR, "plan.vesting.match": "graded_6", "plan.normal_retirement_age": 66},
        ("plan.normal_retirement_age", "normal_retirement_age 66 leaves people", "411(a)(8)(B)", "lower it to 65"),
        id="retirement at 66",
    ),
    pytest.param(
        {"plan.vesting.match": "cliff_2"},
        ("plan.vesting.match", "cliff_2", "401(k)(12)(E)(i)", "set it to `immediate`"),
        id="vesting of a safe-harbor match",
    ),
    pytest.param(
        {"plan.core.formula": "safe_harbor_nonelective", "plan.vesting.core": [0.5, 1]},
        ("plan.vesting.core", "[0.5, 1]", "401(k)(12)(E)(i)", "set it to `immediate`"),
        id="vesting of nonelective money",
    ),
    pytest.param(
        {**QACA, "plan.vesting.match": "cliff_3"},
        ("plan.vesting.match", "cliff_3", "401(k)(13)(D)(iii)", "set it to `cliff_2` or faster"),
        id="vesting of a qaca match",
    ),
    *(
        pytest.param(
            {"plan.vesting.core": rates},
            ("plan.vesting.core", str(rates), "411(a)(2)(B)", "set it to `cliff_3`, `graded_6` or faster"),
            id=f"vesting {rates}",
        )
        for rates in (
            [0, 0, 0, 0, 1],  # a cliff of four years
            [0, 0, 0.2, 0.4, 0.6, 0.8, 0.9, 1],  # a seventh year
            [0, 0, 0.1, 0.9, 0.9, 1],  # ahead of graded_6 but in the second year, behind cliff_3 in the third
        )
    ),
    pytest.param(
        {**FLAT, "plan.core.integration_level": "wage_base", "plan.core.rate": 0.04, "plan.core.disparity_rate": 0.05},
        ("plan.core.disparity_rate", "disparity_rate 0.05 is above the base rate 0.04", "401(l)(2)(A)", "lower it"),
        id="disparity above the base rate",
    ),
]


@pytest.mark.parametrize(("settings", "expected"), UNLAWFUL)
def test_what_the_law_forbids_is_an_error(load: Load, settings: Settings, expected: tuple[str, str, str, str]) -> None:
    key, *parts = expected
    (problem,) = problems_of(load, settings)
    assert [part for part in parts if part not in problem] == [], problem
    assert problem.startswith("command line: ")
    # a key that stands at its default is named behind those that were set, or in the text
    assert key in problem or key.rpartition(".")[2] in problem


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({f"{E}.deferral.service": 365, f"{E}.deferral.service_unit": "days"}, id="a year in days"),
        pytest.param({f"{E}.deferral.service": 12}, id="a year in months"),
        pytest.param(
            {**NO_SAFE_HARBOR, f"{E}.match.service": 2, f"{E}.match.service_unit": "years"},
            id="two years, vested at once",
        ),
        pytest.param({f"{E}.match.service": 1, f"{E}.match.service_unit": "years"}, id="safe harbor after a year"),
        pytest.param(
            {
                "plan.deferrals.maximum_rate": 0.05,
                "plan.escalation.enabled": False,
                f"{AE}.default_deferral_rate": 0.05,
            },
            id="deferrals as far as the match goes",
        ),
        pytest.param({**QACA_AT_3, "plan.escalation.effective_day": "12-31"}, id="qaca rises before the year begins"),
        pytest.param(
            {**QACA_AT_3, "plan.escalation.effective_day": "07-01", "plan.escalation.delay_years": 0},
            id="qaca rises in the year before",
        ),
        pytest.param({**QACA, "plan.escalation.cap": 0.15}, id="qaca up to 15 %"),
        pytest.param(
            {**NO_SAFE_HARBOR, "plan.vesting.match": "graded_6", "plan.normal_retirement_age": 65},
            id="retirement at 65",
        ),
        pytest.param({"plan.normal_retirement_age": 70}, id="retirement at 70, vested at once"),
        pytest.param({"plan.escalation.cap": 0.05}, id="an end of increases below the present start"),
        pytest.param({f"{AE}.enabled": False, f"{AE}.default_deferral_rate": 0}, id="no enrollment at nothing"),
        pytest.param(
            {f"{E}.deferral.entry_dates": "annual", f"{E}.deferral.minimum_age": 20.5, f"{E}.deferral.service": 6},
            id="annual entry after half a year",
        ),
        pytest.param({f"{E}.deferral.entry_dates": "semiannual", f"{E}.deferral.service": 12}, id="semiannual entry"),
        pytest.param({f"{AE}.permissible_withdrawal_days": 90}, id="90 days"),
        pytest.param({"plan.match.cap_rate": 0.04}, id="cap at the formula"),
        pytest.param(QACA, id="qaca at 6 %"),
        pytest.param({**QACA, "plan.escalation.enabled": False}, id="qaca at 6 % for ever"),
        pytest.param({**QACA_AT_3, "plan.escalation.cap": 0.06}, id="qaca from 3 to 6 %"),
        pytest.param({**QACA_AT_3, "plan.vesting.match": "cliff_2"}, id="vesting of qaca"),
        pytest.param(
            {**QACA, f"{AE}.default_deferral_rate": 0.05, "plan.escalation.increment": 0.005}, id="qaca from 5 %"
        ),
        pytest.param({"plan.vesting.core": "cliff_3"}, id="cliff_3"),
        pytest.param({"plan.vesting.core": "graded_6"}, id="graded_6"),
        pytest.param({"plan.vesting.core": [0, 0.1, 0.2, 0.5, 0.6, 1]}, id="faster than graded_6"),
        pytest.param({"plan.vesting.core": [0, 0, 0, 1, 1]}, id="cliff_3 in rates"),
        pytest.param({**NO_SAFE_HARBOR, "plan.match.last_day_gate": True, "plan.vesting.match": "graded_5"}, id="gate"),
    ],
)
def test_what_the_law_allows_is_accepted(load: Load, settings: Settings) -> None:
    load(settings)


def test_a_rule_taken_over_from_deferrals_is_reported_once(load: Load) -> None:
    assert len(problems_of(load, {f"{E}.deferral.minimum_age": 22, f"{E}.deferral.service": 14})) == 2


# --- keys that need each other ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(
            {"plan.own_changes.raise_rate": 0.98},
            "raise_rate, halve_rate and stop_rate sum to 1.01",
            id="own changes",
        ),
        pytest.param({"plan.escalation.cap": 0.76}, "cap 0.76 is above plan.deferrals.maximum_rate 0.75", id="cap"),
        pytest.param(
            {f"{AE}.default_deferral_rate": 0.8, "plan.escalation.enabled": False},
            "default_deferral_rate 0.8 is above plan.deferrals.maximum_rate 0.75",
            id="default rate",
        ),
        pytest.param(
            {"plan.deferrals.roth_feature": False, "plan.deferrals.roth_share": 0.2},
            "roth_share 0.2 needs a plan that accepts Roth deferrals",
            id="Roth share",
        ),
        pytest.param(
            {f"{E}.deferral.method": "hours"}, "service_unit is `months`; set it to `years`", id="hours in months"
        ),
        pytest.param(
            {f"{E}.match.method": "hours"}, "service_unit is `months`; set it to `years`", id="hours of the match"
        ),
        pytest.param({"plan.match.formula": "custom"}, "formula `custom` needs tiers such as", id="custom"),
        pytest.param({"plan.match.tiers": [TIER]}, "tiers are only for formula `custom`", id="tiers of a preset"),
        pytest.param(
            {"plan.previous_match.tiers": [TIER]}, "formula is not stated; remove the tiers", id="tiers of no formula"
        ),
        pytest.param(
            {**NO_SAFE_HARBOR, "plan.match.tiers_by": "age"},
            "tiers_by `age` is only for formula `custom`, and formula is `simple`",
            id="bands of a preset",
        ),
        pytest.param(
            {"plan.match.formula": "custom", "plan.match.tiers": BANDED},
            "a tier has a band, but tiers_by is `none`",
            id="bands of nothing",
        ),
        pytest.param(
            {"plan.match.formula": "custom", "plan.match.tiers": [TIER], "plan.match.tiers_by": "points"},
            "tiers_by is `points`, but a tier has no `from`",
            id="no bands",
        ),
        pytest.param(
            {f"{AE}.reenroll_non_participants": True, f"{AE}.enabled": False},
            "reenroll_non_participants true needs automatic enrollment",
            id="sweep without automatic enrollment",
        ),
        pytest.param({"plan.escalation.increment": 0}, "increment 0 raises nobody's rate", id="no increase"),
        pytest.param(
            {f"{AE}.default_deferral_rate": 0}, "default_deferral_rate 0 is no election", id="enrollment at nothing"
        ),
        *(
            pytest.param(
                {"plan.match.formula": "none", f"plan.match.{name}": value},
                f"{name} {shown_value} caps a match, and formula is `none`",
                id=f"{name} of no match",
            )
            for name, value, shown_value in (("cap_rate", 0.03, "0.03"), ("cap_amount", 2000, "2000"))
        ),
        pytest.param(
            {"plan.previous_match.cap_rate": 0.03},
            "cap_rate 0.03 caps a match, and formula is not stated",
            id="cap of a match that is not stated",
        ),
        pytest.param(
            {"plan.match.formula": "none", "plan.match.last_day_gate": True},
            "last_day_gate true is a condition on a contribution, and formula is `none`",
            id="gate of no match",
        ),
        pytest.param(
            {"plan.core.hours_gate": True},
            "hours_gate true is a condition on a contribution, and formula is `none`",
            id="gate of no core",
        ),
        pytest.param(
            {"plan.forfeitures.annual_expenses": 500},
            "annual_expenses 500 are for use `pay_expenses` only, and use is `offset_employer`",
            id="expenses that nobody pays",
        ),
        pytest.param({"plan.core.formula": "flat"}, "formula `flat` needs a rate", id="flat"),
        pytest.param(
            {"plan.core.rate": 0.03}, "rate 0.03 is only for formula `flat`, and formula is `none`", id="rate"
        ),
        pytest.param(
            {"plan.core.formula": "safe_harbor_nonelective", "plan.core.rate": 0.04},
            "rate 0.04 is only for formula `flat`",
            id="rate of nonelective",
        ),
        pytest.param({"plan.core.formula": "age"}, "formula `age` needs tiers such as", id="core by age"),
        pytest.param(
            {**FLAT, "plan.core.tiers": [{"from": 0, "rate": 0.02}]},
            "tiers are only for formulas `service`, `points` and `age`, and formula is `flat`",
            id="flat tiers",
        ),
        pytest.param(
            {"plan.core.formula": "age", "plan.core.tiers": [{"from": 0, "rate": 0.02}, {"from": 0, "rate": 0.03}]},
            "two tiers have the same band",
            id="band twice",
        ),
        pytest.param(
            {"plan.core.integration_level": "wage_base"},
            "integration_level `wage_base` is only for formula `flat`",
            id="integration of nothing",
        ),
        pytest.param(
            {**FLAT, "plan.core.integration_level": "wage_base"},
            "integration_level `wage_base` needs disparity_rate",
            id="no disparity",
        ),
        pytest.param(
            {**FLAT, "plan.core.disparity_rate": 0.02},
            "disparity_rate 0.02 has no meaning with integration_level `none`",
            id="disparity of nothing",
        ),
        pytest.param(
            {**FLAT, "plan.core.integration_level": "dollars", "plan.core.disparity_rate": 0.02},
            "integration_level `dollars` needs integration_dollars",
            id="no dollars",
        ),
        pytest.param(
            {
                **FLAT,
                "plan.core.integration_level": "wage_base",
                "plan.core.integration_percent": 0.5,
                "plan.core.disparity_rate": 0.02,
            },
            "integration_percent 0.5 has no meaning with integration_level `wage_base`",
            id="percent of the whole wage base",
        ),
        pytest.param(
            {"irs_limits.by_year.2023": {"catch_up_limit": 8000}},
            "2023 is before the year before simulation.start_year 2025",
            id="limit long ago",
        ),
    ],
)
def test_keys_that_do_not_fit_each_other(load: Load, settings: Settings, expected: str) -> None:
    (problem,) = problems_of(load, settings)
    assert expected in problem


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ([(0, 5), (6, None)], "a band begins at 6, which leaves a gap; it must begin at 5"),
        ([(0, 5), (4, None)], "a band begins at 4, which leaves an overlap; it must begin at 5"),
        ([(1, None)], "a band begins at 1, which leaves a gap; it must begin at 0"),
        ([(0, 5), (5, 10)], "the last band ends at 10; leave its `to` out"),
        ([(0, None), (5, None)], "a band begins at 5 above one that is open"),
        ([(0, 5), (0, 6), (6, None)], "a band begins at 0, which leaves an overlap"),
    ],
)
def test_bands_of_tiers_cover_everybody_once(load: Load, bands: list[tuple[int, int | None]], expected: str) -> None:
    rows = [{"from": start, "to": end} for start, end in bands]
    match = {
        "plan.match.formula": "custom",
        "plan.match.tiers_by": "service",
        "plan.match.tiers": [row | TIER for row in rows],
    }
    core = {"plan.core.formula": "service", "plan.core.tiers": [row | {"rate": 0.02} for row in rows]}
    for settings in (match, core):
        (problem,) = problems_of(load, settings)
        assert expected in problem


# --- values -----------------------------------------------------------------------------------------------------------


def tiers(**changes: object) -> Settings:
    return {"plan.match.formula": "custom", "plan.match.tiers": [TIER | changes]}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"plan.escalation.cap": 2}, "rates are decimals: 2 % is 0.02", id="cap of 2"),
        pytest.param({f"{AE}.default_deferral_rate": 6}, "rates are decimals: 6 % is 0.06", id="default rate of 6"),
        pytest.param({"plan.match.cap_rate": 4}, "rates are decimals: 4 % is 0.04", id="cap_rate of 4"),
        pytest.param({"plan.core.rate": 3}, "rates are decimals: 3 % is 0.03", id="core rate of 3"),
        pytest.param({"plan.core.integration_percent": 80}, "rates are decimals: 80 % is 0.8", id="80 percent"),
        pytest.param({"plan.annual_return": 5}, "rates are decimals: 5 % is 0.05", id="return of 5"),
        pytest.param({"irs_limits.inflation_rate": 2}, "rates are decimals: 2 % is 0.02", id="inflation of 2"),
        pytest.param(tiers(rate=10.5), "tier 1 has `rate` = 10.5, which must be a rate from 0 to 10", id="match"),
        pytest.param(tiers(rate=50), "rates are decimals: 50 % is 0.5", id="match of 50"),
        pytest.param(
            tiers(upper=6), "tier 1 has `upper` = 6, which must be a rate from 0 to 1; rates", id="upper of 6"
        ),
        pytest.param(tiers(lower=0.06), "tier 1 has `upper` 0.06, which is not above `lower` 0.06", id="no width"),
        pytest.param(tiers(upper=None), "tier 1 has no `upper`", id="no upper"),
        pytest.param(tiers(uper=0.06), "tier 1 has the unknown key `uper`; did you mean `upper`?", id="misspelled"),
        pytest.param(
            {"plan.match.tiers": [TIER, {"lower": 0.05, "upper": 0.08, "rate": 0.2}]},
            "tiers 1 and 2 overlap: `lower` 0.05 is below `upper` 0.06",
            id="overlap",
        ),
        pytest.param({"plan.match.tiers": "none"}, "is a text; must be a list of tiers such as", id="text for tiers"),
        pytest.param({"plan.match.tiers": [0.5]}, "tier 1 (0.5) is a number; must be a mapping such as", id="number"),
        pytest.param(
            {"plan.core.tiers": [{"from": 5, "to": 5, "rate": 0.01}]}, "`to` 5, which is not above `from` 5", id="band"
        ),
        pytest.param(
            {"plan.core.tiers": [{"from": 0.5, "rate": 0.01}]}, "`from` = 0.5, which must be a whole number", id="half"
        ),
        pytest.param({"plan.core.tiers": [{"from": 0, "rate": 2}]}, "2 % is 0.02", id="core tier of 2"),
        pytest.param({"plan.vesting.match": "cliff4"}, "did you mean `cliff_", id="schedule"),
        pytest.param({"plan.vesting.match": [0, 2]}, "rate 2 (2) must be a rate from 0 to 1; rates are", id="vested 2"),
        pytest.param({"plan.vesting.match": [0, 0.5]}, "does not end at 1", id="never vested"),
        pytest.param({"plan.vesting.match": []}, "does not end at 1", id="no vesting"),
        pytest.param({"plan.vesting.match": [0.5, 0.2, 1]}, "vested rates never fall", id="falling"),
        pytest.param({"plan.vesting.match": 3}, "is a number; must be `immediate`, `cliff_2`", id="number of years"),
        pytest.param({"plan.limit_415_order": ["core", "match"]}, "leaves out after_tax", id="order without one"),
        pytest.param({"plan.limit_415_order": ["core", "match", "core"]}, "names an entry twice", id="order twice"),
        pytest.param({"plan.match.last_day_exceptions": ["age55"]}, "did you mean `age_55`?", id="exception"),
        pytest.param({"plan.match.last_day_exceptions": [["x"]]}, "has the entry ['x']; must be", id="list in a list"),
        pytest.param({f"{E}.excluded_levels": [0]}, "entry 1 (0) must be a level from 1 to 99", id="level 0"),
        pytest.param({f"{E}.excluded_levels": [2, 2]}, "names an entry twice", id="level twice"),
        pytest.param({f"{E}.excluded": "IT"}, "must be a list of groups such as", id="group"),
        pytest.param(
            {f"{E}.excluded": [{"column": "team", "values": ["A"]}]}, "must be one of department, ", id="team"
        ),
        pytest.param(
            {f"{E}.excluded": [{"column": "sex", "values": []}]}, "has no value; name at least one", id="none"
        ),
        pytest.param(
            {f"{E}.excluded": [{"column": "sex", "values": ["F", "f "]}]}, "names 'f' of sex twice", id="group twice"
        ),
        pytest.param({f"{E}.excluded_departments": ["IT"]}, "plan.eligibility.excluded", id="departments"),
        pytest.param({f"{E}.deferral.minimum_age": 20.3}, "must be a multiple of 0.5", id="third of a year"),
        pytest.param({f"{E}.deferral.entry_dates": "weekly"}, "must be `immediate`, `monthly`", id="entry dates"),
        pytest.param({f"{AE}.effective_date": "2025"}, "must be a date as YYYY-MM-DD", id="year for a date"),
        pytest.param({f"{AE}.effective_date": "2025-02-30"}, "is no day of the calendar", id="30 February"),
        pytest.param({f"{AE}.hire_date_cutoff": "01/02/2025"}, "must be a date as YYYY-MM-DD", id="slashes"),
        pytest.param(
            {"irs_limits.by_year": {2027: {"catchup_limit": 8500}}},
            "`catchup_limit` is no limit; did you mean `catch_up_limit`?",
            id="limit",
        ),
        pytest.param({"irs_limits.by_year": {2027: 8500}}, "is a number; must be a mapping such as", id="bare limit"),
        pytest.param(
            {"irs_limits.by_year": {2027: {"catch_up_limit": -1}}}, "`catch_up_limit` = -1, which must be", id="-1"
        ),
        pytest.param(
            {"irs_limits.by_year": {"next": {"catch_up_limit": 1}}}, "the key next is not a number", id="next"
        ),
    ],
)
def test_a_value_that_cannot_be(load: Load, settings: Settings, expected: str) -> None:
    found = problems_of(load, settings)
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        (f"{AE}.effective_date", "2025-03-01", "2025-03-01"),
        (f"{AE}.effective_date", "null", None),
        ("plan.limit_415_order", "[match, core, after_tax]", ["match", "core", "after_tax"]),
        ("plan.match.last_day_exceptions", "[age_55, retirement]", ["retirement", "age_55"]),
        ("plan.match.last_day_exceptions", "[]", []),
        ("plan.eligibility.excluded_levels", "[5, 4]", [4, 5]),
        (
            "plan.eligibility.excluded",
            "[{column: department, values: [Warehouse, 'R & D']}]",
            [{"column": "department", "values": ["Warehouse", "R & D"]}],
        ),
        ("plan.eligibility.match.entry_dates", "quarterly", "quarterly"),
        ("plan.vesting.core", "graded_5", "graded_5"),
        ("plan.vesting.core", "[0, .5, 1.0]", [0, 0.5, 1]),
        ("plan.automatic_enrollment.enabled", "false", False),
        ("irs_limits.by_year.2027", "{catch_up_limit: 8500}", {"catch_up_limit": 8500}),
    ],
)
def test_overrides_and_variables_are_read_like_the_file(
    load: Load, monkeypatch: pytest.MonkeyPatch, key: str, text: str, value: object
) -> None:
    assert shown(load([f"{key}={text}"]))[key][0] == value
    monkeypatch.setenv("PLANALIGN__" + key.upper().replace(".", "__"), text)
    assert shown(load())[key] == (value, "environment", "PLANALIGN__" + key.upper().replace(".", "__"))


def test_tiers_as_text_of_yaml_and_json_and_as_python_values(load: Load) -> None:
    yaml_text = "[{from: 0, to: 5, lower: 0, upper: .06, rate: 0.50}, {from: 5, to: , lower: 0, upper: 0.06, rate: 1}]"
    json_text = (
        '[{"from": 0, "to": 5, "lower": 0, "upper": 0.06, "rate": 0.5},'
        ' {"from": 5, "lower": 0, "upper": 0.06, "rate": 1.0}]'
    )
    custom: dict[str, object] = {"plan.match.formula": "custom", "plan.match.tiers_by": "service"}
    loaded = [load({**custom, "plan.match.tiers": given}) for given in (yaml_text, json_text, BANDED)]
    assert loaded[0].plan == loaded[1].plan == loaded[2].plan
    assert config_fingerprint(loaded[0]) == config_fingerprint(loaded[2])
    assert shown(loaded[0])["plan.match.tiers"] == (
        [
            {"from": 0, "to": 5, "lower": 0, "upper": 0.06, "rate": 0.5},
            {"from": 5, "lower": 0, "upper": 0.06, "rate": 1},
        ],
        "command line",
        "command line",
    )


def test_a_copy_for_other_years_keeps_the_plan(load: Load) -> None:
    settings = {
        "plan.match.formula": "custom",
        "plan.match.tiers": [TIER],
        f"{AE}.effective_date": "2025-03-01",
        "plan.vesting.core": [0, 0.5, 1],
        "irs_limits.by_year.2027": {"catch_up_limit": 8500},
    }
    config = load(settings)
    longer = config.with_years(2025, 2040)
    assert (longer.plan, longer.irs_limits) == (config.plan, config.irs_limits)
    assert longer.plan.automatic_enrollment.effective_date == dt.date(2025, 3, 1)
    assert longer.irs_limits.by_year == {2027: {"catch_up_limit": Decimal(8500)}}


# --- what a preset stands for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("simple", [(0, 0.06, 0.5)]),
        ("safe_harbor_basic", [(0, 0.03, 1), (0.03, 0.05, 0.5)]),
        ("safe_harbor_enhanced", [(0, 0.04, 1)]),
        ("qaca", [(0, 0.01, 1), (0.01, 0.06, 0.5)]),
        ("stretch", [(0, 0.12, 0.25)]),
    ],
)
def test_config_show_spells_a_match_out(load: Load, formula: str, expected: list[tuple[float, ...]]) -> None:
    values = shown(load({**QACA, "plan.match.formula": formula, "plan.previous_match.formula": formula}))
    spelled = [dict(zip(("lower", "upper", "rate"), tier, strict=True)) for tier in expected]
    assert values["plan.match.tiers"] == (spelled, "preset", formula)
    assert values["plan.previous_match.tiers"] == (spelled, "preset", formula)


def test_config_show_tells_the_nonelective_rate(load: Load) -> None:
    name = "safe_harbor_nonelective"
    assert shown(load({"plan.core.formula": name}))["plan.core.rate"] == (0.03, "preset", name)
    assert shown(load(FLAT))["plan.core.rate"] == (0.06, "command line", "command line")
    assert shown(load())["plan.core.rate"] == (None, "default", "")


def test_the_fingerprint_holds_what_was_configured(load: Load) -> None:
    fingerprint = config_fingerprint(load())
    assert fingerprint["plan.match.formula"] == "safe_harbor_basic"
    assert fingerprint["plan.match.tiers"] == []


# --- what the models read ---------------------------------------------------------------------------------------------


def test_employer_money_follows_deferrals_unless_it_is_told_otherwise(load: Load) -> None:
    follows = {
        f"{E}.deferral.minimum_age": 20.5,
        f"{E}.deferral.service": 90,
        f"{E}.deferral.service_unit": "days",
        f"{E}.match.entry_dates": "quarterly",
    }
    variables = to_dbt_vars(load(follows))
    assert (variables["match_follows_deferral"], variables["core_follows_deferral"]) == (False, True)
    for source in ("deferral", "match", "core"):
        assert variables[f"{source}_minimum_age_months"] == 246
        assert (variables[f"{source}_service"], variables[f"{source}_service_unit"]) == (90, "days")
    assert [variables[f"{source}_entry_dates"] for source in ("deferral", "match", "core")] == [
        "immediate",
        "quarterly",
        "immediate",
    ]


def test_open_dates_fall_on_the_first_simulated_day(load: Load) -> None:
    variables = to_dbt_vars(load({"simulation.start_year": 2026}))
    assert variables["automatic_enrollment_opens"] == variables["automatic_enrollment_cutoff"] == "2026-01-01"
    dates = {f"{AE}.effective_date": "2024-07-01", f"{AE}.hire_date_cutoff": "2025-04-01"}
    variables = to_dbt_vars(load(dates))
    assert (variables["automatic_enrollment_opens"], variables["automatic_enrollment_cutoff"]) == (
        "2024-07-01",
        "2025-04-01",
    )


def test_lists_become_single_values(load: Load) -> None:
    settings = {
        "plan.limit_415_order": ["match", "after_tax", "core"],
        "plan.match.last_day_exceptions": ["age_55"],
        "plan.core.last_day_exceptions": [],
    }
    variables = to_dbt_vars(load(settings))
    assert variables["limit_415_order"] == "match,after_tax,core"
    exceptions = [
        variables[f"{source}_{name}_exception"] for source in ("match", "core") for name in ("retirement", "age")
    ]
    assert exceptions == [False, True, False, False]


def test_match_and_core_have_the_same_gates_each_with_its_own_keys(load: Load) -> None:
    flags = {name for name, info in GatesSection.model_fields.items() if info.annotation is bool}
    # what the last-day gate counts is no gate
    assert flags - {"last_day_includes_exits_on"} == GATES.keys()
    for source in ("match", "core"):
        other = "core" if source == "match" else "match"
        for gate in GATES:
            variables = to_dbt_vars(load({**NO_SAFE_HARBOR, **FLAT, f"plan.{source}.{gate}": True}))
            assert (variables[f"{source}_{gate}"], variables[f"{other}_{gate}"]) == (True, False)
        keys = [path[-1] for path in known_keys() if path[:-1] == ("plan", source)]
        assert keys[-len(GatesSection.model_fields) :] == list(GatesSection.model_fields)


# --- which tests a plan needs -----------------------------------------------------------------------------------------

INTEGRATED: Settings = {
    **FLAT,
    "plan.core.integration_level": "wage_base",
    "plan.core.rate": 0.05,
    "plan.core.disparity_rate": 0.05,
}
NEEDS_BOTH = "Needs ADP and ACP testing under 401(k)(3) and 401(m)(2)."
NONELECTIVE: Settings = {"plan.core.formula": "safe_harbor_nonelective"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, ["Safe harbor under 401(k)(12) and 401(m)(11) by its match"], id="basic"),
        pytest.param(QACA, ["Safe harbor under 401(k)(13) and 401(m)(12) by its match"], id="qaca"),
        pytest.param(NO_SAFE_HARBOR, [NEEDS_BOTH], id="simple"),
        pytest.param({"plan.match.formula": "none"}, ["Needs ADP testing under 401(k)(3)."], id="no match"),
        pytest.param(
            {"plan.eligibility.match.service": 12},
            [
                "no ADP or ACP testing",
                "may defer before the match reaches them: need ADP testing of their own, 410(b)(4)(B).",
            ],
            id="safe-harbor match after a year",
        ),
        *(
            pytest.param(settings, ["Safe harbor under 401(k)(12) and 401(m)(11) by its match"], id=name)
            for name, settings in {
                "match before deferrals": {f"{E}.deferral.service": 12, f"{E}.match.service": 0},
                "as long in other words": {
                    f"{E}.deferral.service": 12,
                    f"{E}.match.service": 1,
                    f"{E}.match.service_unit": "years",
                },
                "a second safe harbor a year later": {**NONELECTIVE, f"{E}.core.service": 12},
            }.items()
        ),
        pytest.param(
            {"plan.match.formula": "none", **NONELECTIVE},
            ["Safe harbor under 401(k)(12) by its nonelective core contribution: no ADP or ACP testing."],
            id="nonelective",
        ),
        pytest.param({**NO_SAFE_HARBOR, **NONELECTIVE}, ["and under 401(m)(11)"], id="nonelective and simple"),
        pytest.param(own_safe_harbor((0, 0.06, 1)), ["Safe harbor under 401(k)(12) and 401(m)(11)"], id="own formula"),
        pytest.param(
            own_safe_harbor((0, 0.07, 1)),
            ["no ADP testing, but it matches deferrals above 6 % of pay and needs ACP testing"],
            id="own formula above 6 %",
        ),
        pytest.param(
            {"plan.match.formula": "none", "plan.core.formula": "qaca_nonelective", f"{AE}.scope": "all_eligible"},
            ["Safe harbor under 401(k)(13) by its nonelective core contribution: no ADP or ACP testing."],
            id="qaca nonelective",
        ),
        pytest.param(
            {"plan.match.formula": "stretch", **NONELECTIVE},
            ["no ADP testing, but the match needs ACP testing"],
            id="match of more than 6 %",
        ),
        pytest.param(
            {**tiers(lower=0.02), **NONELECTIVE},
            ["no ADP testing, but the match needs ACP testing"],
            id="match that begins late",
        ),
        pytest.param(
            {"plan.after_tax.rate": 0.02},
            [
                "no ADP or ACP testing",
                "After-tax contributions: need ACP testing under 401(m)(2), also in a safe-harbor",
            ],
            id="after-tax",
        ),
        pytest.param(
            {"plan.after_tax.spill_over": True},
            [
                "no ADP or ACP testing",
                "After-tax contributions: need ACP testing under 401(m)(2), also in a safe-harbor",
            ],
            id="spill-over",
        ),
        *(
            pytest.param(
                {"plan.core.formula": by, "plan.core.tiers": [{"from": 0, "rate": 0.02}]},
                ["no ADP or ACP testing", f"Core contribution by {by}: requires 401(a)(4) testing."],
                id=f"core by {by}",
            )
            for by in ("service", "points", "age")
        ),
        pytest.param(
            {"plan.match.formula": "custom", "plan.match.tiers_by": "age", "plan.match.tiers": BANDED},
            [NEEDS_BOTH, "Match by age: requires 401(a)(4) testing."],
            id="match by age",
        ),
        pytest.param(
            {"plan.compensation": ["base"]},
            ["by its match: no ADP", "leaves bonuses out, and the plan is a safe harbor only where that passes"],
            id="a safe harbor without bonuses",
        ),
        pytest.param(
            {"plan.match.formula": "simple", "plan.compensation": ["base"], **INTEGRATED},
            [NEEDS_BOTH, "the plan is integrated under 401(l) only where that passes the compensation ratio test"],
            id="an integrated plan without bonuses",
        ),
        pytest.param(
            {"plan.match.formula": "simple", "plan.compensation": ["base"]},
            [NEEDS_BOTH],
            id="a tested plan without bonuses",
        ),
    ],
)
def test_which_tests_a_plan_needs(load: Load, settings: Settings, expected: list[str]) -> None:
    sentences = configuration.testing_status(load(settings))
    assert len(sentences) == len(expected)
    assert all(part in sentence for part, sentence in zip(expected, sentences, strict=True)), sentences


NEW_PLAN: Settings = {"plan.established": "2022-12-29", f"{AE}.scope": "all_eligible"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({**NEW_PLAN, f"{AE}.enabled": False}, "plan.automatic_enrollment.enabled is false;", id="none"),
        pytest.param({"plan.established": "2023-01-01"}, "scope is `new_hires_only` and not `all_", id="new hires"),
        pytest.param({**NEW_PLAN, f"{AE}.default_deferral_rate": 0.02}, "rate is 0.02 and not 0.03 to 0.1", id="2 %"),
        pytest.param({**NEW_PLAN, "plan.escalation.enabled": False}, "plan.escalation.enabled is false", id="level"),
        pytest.param({**NEW_PLAN, "plan.escalation.increment": 0.02}, "increment is 0.02 and not 0.01", id="2 points"),
        pytest.param({**NEW_PLAN, "plan.escalation.delay_years": 2}, "delay_years is 2 and not at most 1", id="late"),
        pytest.param({**NEW_PLAN, "plan.escalation.cap": 0.08}, "cap is 0.08 and not 0.1 to 0.15", id="up to 8 %"),
    ],
)
def test_a_new_plan_without_the_enrollment_of_414a_is_warned(load: Load, settings: Settings, said: str) -> None:
    warning = configuration.testing_status(load(settings))[-1]
    assert warning.startswith("Warning: a plan established on 202")
    assert said in warning


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(NEW_PLAN, id="it complies"),
        pytest.param({**NEW_PLAN, f"{AE}.default_deferral_rate": 0.1, "plan.escalation.enabled": False}, id="at 10 %"),
        pytest.param({"plan.established": "2022-12-28"}, id="it is older"),
        pytest.param({"plan.established": "2023-01-01", "plan.exempt_from_414a": True}, id="it is exempt"),
        pytest.param(
            {"plan.established": "2023-01-01", "simulation.start_year": 2024, "simulation.end_year": 2024}, id="2024"
        ),
        pytest.param({}, id="nothing is said"),
    ],
)
def test_other_plans_are_not_warned_of_414a(load: Load, settings: Settings) -> None:
    assert not any("414A" in sentence for sentence in configuration.testing_status(load(settings)))


SHIPPED = {name: path for name, path in designs().items() if name != "default"}


@pytest.mark.parametrize("name", SHIPPED)
def test_ready_configurations_say_which_tests_they_need(name: str) -> None:
    path = SHIPPED[name]
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = " ".join(line.removeprefix("# ") for line in lines if line.startswith("#"))
    config = load_simulation_config(path)
    config.require_identifiers()
    assert ("Not a safe harbor." in comments) == (path.parent == FOLDER)
    assert (config.scenario_id, config.plan_design_id) == (name, name)
    assert [sentence for sentence in configuration.testing_status(config) if sentence not in comments] == []


def test_ready_configurations_do_not_get_in_each_others_way() -> None:
    configs = [load_simulation_config(path) for path in designs().values()]
    places = [(c.runtime.database, c.runtime.checkpoint_directory, c.reports.directory) for c in configs]
    assert len(configs) == 9
    assert all(len(set(column)) == len(configs) for column in zip(*places, strict=True))


def test_json_schema_accepts_what_the_rules_accept() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = config_json_schema()
    for path in designs().values():
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
        # JSON has no dates
        jsonschema.validate(json.loads(json.dumps(given, default=str)), schema)
    wrong: list[Any] = [
        {"match": {"tiers": [TIER | {"rate": 11}]}},
        {"match": {"tiers": [{"lower": 0}]}},
        {"vesting": {"core": "cliff_4"}},
        {"limit_415_order": ["core"]},
        {"eligibility": {"deferral": {"minimum_age": 20.3}}},
    ]
    for plan in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"census": {"path": "x"}, "plan": plan}, schema)
