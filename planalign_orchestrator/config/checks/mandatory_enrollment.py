"""Section 414A: plans established since SECURE 2.0 enroll everybody automatically, from plan year 2025 on."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from planalign_orchestrator.config.configuration import SimulationConfig
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.types import plain_number

# 414A(c)(2)(A) and SECURE 2.0 section 101(c)
_FIRST_DAY = dt.date(2022, 12, 29)
_FIRST_YEAR = 2025
# 414A(b)(3): the initial rate, the yearly increase, and where it ends
_INITIAL = (Decimal("0.03"), Decimal("0.10"))
_INCREMENT = Decimal("0.01")
_FINAL = (Decimal("0.10"), Decimal("0.15"))


def mandatory_enrollment_warning(cfg: SimulationConfig) -> str | None:
    """Return in which settings a plan falls short of 414A, or None where it does not or need not comply."""
    plan = cfg.plan
    if plan.established is None or plan.established < _FIRST_DAY or plan.exempt_from_414a:
        return None
    short = list(_shortcomings(plan)) if cfg.simulation.end_year >= _FIRST_YEAR else []
    if not short:
        return None
    return (
        f"Warning: a plan established on {plan.established} must enroll all eligible employees automatically from 2025 "
        f"on under 414A, but {', '.join(short)}; change that, or set plan.exempt_from_414a where 414A(c) exempts the "
        "employer."
    )


def _shortcomings(plan: PlanSection) -> Iterator[str]:
    """Yield each setting that is otherwise, with its value and what is asked for."""
    enrollment, escalation = plan.automatic_enrollment, plan.escalation
    if not enrollment.enabled:
        yield "plan.automatic_enrollment.enabled is false"
        return
    if enrollment.scope != "all_eligible":
        yield f"plan.automatic_enrollment.scope is `{enrollment.scope}` and not `all_eligible`"
    rate = enrollment.default_deferral_rate
    if not _INITIAL[0] <= rate <= _INITIAL[1]:
        yield f"plan.automatic_enrollment.default_deferral_rate is {plain_number(rate)} and not 0.03 to 0.1"
    if rate >= _FINAL[0]:
        return
    if not escalation.enabled:
        yield "plan.escalation.enabled is false"
        return
    if escalation.increment != _INCREMENT:
        yield f"plan.escalation.increment is {plain_number(escalation.increment)} and not 0.01"
    if escalation.delay_years > 1:
        yield f"plan.escalation.delay_years is {escalation.delay_years} and not at most 1"
    if not _FINAL[0] <= escalation.cap <= _FINAL[1]:
        yield f"plan.escalation.cap is {plain_number(escalation.cap)} and not 0.1 to 0.15"
