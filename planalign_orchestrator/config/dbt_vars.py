"""The single values that the models read, by the name they read them by."""

import datetime as dt
from typing import Literal

from planalign_orchestrator.config.configuration import SimulationConfig
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.sections.plan.automatic_enrollment import AutomaticEnrollmentSection
from planalign_orchestrator.config.sections.plan.core import CoreSection
from planalign_orchestrator.config.sections.plan.eligibility import (
    SOURCES,
    DeferralEligibilitySection,
    EligibilitySection,
    eligibility_rule,
    own_eligibility_keys,
)
from planalign_orchestrator.config.sections.plan.escalation import EscalationSection
from planalign_orchestrator.config.sections.plan.match import MatchSection

Variables = dict[str, str | int | float | bool]


def to_dbt_vars(cfg: SimulationConfig) -> Variables:
    """The parameters of the model that are single values, by the name the models read; JSON scalars, never None.

    Rates and amounts are floats whose shortest text has the configured digits; dates are ISO text, days of the year
    "MM-DD". The simulated year is added year by year; lists, formulas and limits reach the models as tables.
    """
    promotion, raises, hires = cfg.compensation.promotion, cfg.raise_timing, cfg.new_hires
    return {
        "scenario_id": cfg.scenario_id,
        "plan_design_id": cfg.plan_design_id,
        "start_year": cfg.simulation.start_year,
        "random_seed": cfg.simulation.random_seed,
        "target_growth_rate": float(cfg.simulation.target_growth_rate),
        "headcount_mode": cfg.workforce.headcount_mode,
        "total_termination_rate": float(cfg.workforce.total_termination_rate),
        "new_hire_termination_rate": float(cfg.workforce.new_hire_termination_rate),
        "voluntary_share": float(cfg.workforce.voluntary_share),
        "merit_budget": float(cfg.compensation.merit_budget),
        "promotion_effective_date": promotion.effective_date,
        "promotion_base_rate": float(promotion.base_rate),
        "promotion_rate_multiplier": float(promotion.rate_multiplier),
        "promotion_minimum_service_years": promotion.minimum_service_years,
        "promotion_maximum_age": promotion.maximum_age,
        "promotion_base_increase": float(promotion.base_increase),
        "promotion_increase_spread": float(promotion.increase_spread),
        "promotion_maximum_increase_rate": float(promotion.maximum_increase_rate),
        "promotion_maximum_increase_amount": float(promotion.maximum_increase_amount),
        "raise_methodology": raises.methodology,
        "raise_fixed_date": raises.fixed_date,
        "raise_minimum_service_years": raises.minimum_service_years,
        "new_hire_pay_noise_sd": float(hires.pay_noise_sd),
        "new_hire_part_time_share": float(hires.part_time_share),
        "new_hire_part_time_hours_per_week": float(hires.part_time_hours_per_week),
        "new_hire_full_time_hours_per_week": float(hires.full_time_hours_per_week),
        "maximum_hire_rate": float(cfg.validation.maximum_hire_rate),
        "maximum_average_pay_growth": float(cfg.validation.maximum_average_pay_growth),
        **_plan(cfg.plan, dt.date(cfg.simulation.start_year, 1, 1)),
    }


def _plan(plan: PlanSection, first_day: dt.date) -> Variables:
    """The plan's own; `first_day` is that of the first simulated year, on which open dates fall."""
    return {
        "plan_effective_date": (plan.effective_date or first_day).isoformat(),
        "annual_return": float(plan.annual_return),
        "normal_retirement_age": plan.normal_retirement_age,
        "compensation_from": plan.compensation_from,
        "limit_415_order": ",".join(plan.limit_415_order),
        **_eligibility(plan.eligibility),
        "automatic_enrollment_factor": float(plan.participation.automatic_enrollment_factor),
        "ceiling_share": float(plan.participation.ceiling_share),
        **_automatic_enrollment(plan.automatic_enrollment, first_day),
        **_escalation(plan.escalation),
        **_behavior(plan),
        **_contributions(plan),
        **_gates("match", plan.match),
        **_gates("core", plan.core),
        "forfeiture_use": plan.forfeitures.use,
        "plan_expenses": float(plan.forfeitures.annual_expenses),
        "top_paid_group": plan.hce.top_paid_group,
    }


def _eligibility(eligibility: EligibilitySection) -> Variables:
    variables: Variables = {}
    for source in SOURCES:
        variables |= _eligibility_of(source, eligibility_rule(eligibility, source))
    return variables | {
        "match_follows_deferral": not own_eligibility_keys(eligibility, "match"),
        "core_follows_deferral": not own_eligibility_keys(eligibility, "core"),
    }


def _eligibility_of(source: str, rule: DeferralEligibilitySection) -> Variables:
    return {
        f"{source}_minimum_age_months": int(rule.minimum_age * 12),
        f"{source}_service_method": rule.method,
        f"{source}_service": rule.service,
        f"{source}_service_unit": rule.service_unit,
        f"{source}_entry_dates": rule.entry_dates,
    }


def _automatic_enrollment(section: AutomaticEnrollmentSection, first_day: dt.date) -> Variables:
    return {
        "automatic_enrollment_enabled": section.enabled,
        "automatic_enrollment_scope": section.scope,
        "automatic_enrollment_cutoff": (section.hire_date_cutoff or first_day).isoformat(),
        "default_deferral_rate": float(section.default_deferral_rate),
        "automatic_enrollment_window_days": section.window_days,
        "permissible_withdrawal_days": section.permissible_withdrawal_days,
        "reenrollment_enabled": section.reenroll_non_participants,
        "reenrollment_date": section.reenrollment_date,
        "reenrollment_opt_out_rate": float(section.reenrollment_opt_out_rate),
    }


def _escalation(section: EscalationSection) -> Variables:
    return {
        "escalation_enabled": section.enabled,
        "escalation_scope": section.scope,
        "escalation_effective_day": section.effective_day,
        "escalation_delay_years": section.delay_years,
        "escalation_increment": float(section.increment),
        "escalation_cap": float(section.cap),
        "escalation_opt_out_rate": float(section.opt_out_rate),
    }


def _behavior(plan: PlanSection) -> Variables:
    changes, response = plan.own_changes, plan.match_response
    return {
        "own_change_raise_rate": float(changes.raise_rate),
        "own_change_halve_rate": float(changes.halve_rate),
        "own_change_stop_rate": float(changes.stop_rate),
        "match_increase_response_rate": float(response.increase_response_rate),
        "match_increase_full_share": float(response.increase_full_share),
        "match_decrease_response_rate": float(response.decrease_response_rate),
        "match_decrease_full_share": float(response.decrease_full_share),
    }


def _contributions(plan: PlanSection) -> Variables:
    return {
        "maximum_deferral_rate": float(plan.deferrals.maximum_rate),
        "roth_feature": plan.deferrals.roth_feature,
        "roth_share": float(plan.deferrals.roth_share),
        "super_catch_up": plan.deferrals.super_catch_up,
        "after_tax_rate": float(plan.after_tax.rate),
        "after_tax_spill_over": plan.after_tax.spill_over,
        "match_computed": plan.match.computed,
        "pay_periods": plan.match.pay_periods,
    }


def _gates(source: Literal["match", "core"], section: MatchSection | CoreSection) -> Variables:
    return {
        f"{source}_hours_gate": section.hours_gate,
        f"{source}_last_day_gate": section.last_day_gate,
        f"{source}_retirement_exception": "retirement" in section.last_day_exceptions,
        f"{source}_age_exception": "age_55" in section.last_day_exceptions,
    }
