"""Which nondiscrimination tests a plan needs, told from its configuration alone."""

from decimal import Decimal
from typing import Literal

from planalign_orchestrator.config.checks.mandatory_enrollment import mandatory_enrollment_warning
from planalign_orchestrator.config.checks.safe_harbor import safe_harbor_formula
from planalign_orchestrator.config.configuration import SimulationConfig
from planalign_orchestrator.config.presets import SAFE_KINDS, core_kind, match_kind, match_tiers, never_rises
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.sections.plan.eligibility import ENTRY_DATES, eligibility_rule, months_of_service

# 401(m)(11)(B)(i): the deferrals that a match of a plan without ACP test may reward, as a share of pay
_LARGEST_MATCHED_RATE = Decimal("0.06")
_EMPLOYER_SOURCES: tuple[Literal["match", "core"], ...] = ("match", "core")


def testing_status(cfg: SimulationConfig) -> tuple[str, ...]:
    """Return a sentence for each test that the plan needs or is spared, with the section of the Code it rests on, and a
    warning where 414A asks for automatic enrollment. What a change brings says from which year on."""
    simulation = cfg.simulation
    before = cfg.of_year(simulation.start_year)
    sentences = list(_status(before))
    for year in range(simulation.start_year + 1, simulation.end_year + 1):
        now = cfg.of_year(year)
        if now is not before:
            known = _status(before)
            sentences += [f"From {year} on: {sentence}" for sentence in _status(now) if sentence not in known]
            sentences += _safe_harbor_comes_or_goes(before.plan, now.plan, year)
        before = now
    sentences += [
        f"Acquisition of {entry['date']}: coverage counts as before it until the end of {entry['date'].year + 1}, if "
        "neither plan changes much, 410(b)(6)(C)."
        for entry in cfg.workforce.acquisitions
        if entry["date"].year <= simulation.end_year
    ]
    return tuple(sentences)


def _safe_harbor_comes_or_goes(before: PlanSection, now: PlanSection, year: int) -> list[str]:
    """Say what a safe harbor by the match asks for where it is taken up or dropped."""
    was, is_one = (match_kind(plan.match) in SAFE_KINDS for plan in (before, now))
    if was and not is_one:
        text = (
            f"Warning: the safe-harbor match ends in {year}: participants must be told before the year begins, and the "
        )
        return [f"{text}year needs ADP testing, Reg. 1.401(k)-3(g)."]
    if is_one and not was:
        return [f"The safe-harbor match of {year} needs a notice 30 to 90 days before the year, Reg. 1.401(k)-3(d)."]
    return []


def _status(cfg: SimulationConfig) -> tuple[str, ...]:
    plan = cfg.plan
    sentences = [_deferral_sentence(plan)]
    # a second safe-harbor contribution is one more than the law asks for
    source = next((source for source in _EMPLOYER_SOURCES if safe_harbor_formula(plan, source)), None)
    if source is not None and _comes_later(plan, source):
        sentences.append(
            f"Employees who may defer before the {source} reaches them: need ADP testing of their own, 410(b)(4)(B)."
        )
    if plan.after_tax.rate > 0 or plan.after_tax.spill_over:
        sentences.append(
            "After-tax contributions: need ACP testing under 401(m)(2), also in a safe-harbor plan, "
            "Reg. 1.401(m)-3(j)(6)."
        )
    if plan.match.formula == "custom" and plan.match.tiers_by != "none":
        sentences.append(f"Match by {plan.match.tiers_by}: requires 401(a)(4) testing.")
    if plan.core.formula in ("service", "points", "age"):
        sentences.append(f"Core contribution by {plan.core.formula}: requires 401(a)(4) testing.")
    if "bonus" not in plan.compensation and (source is not None or plan.core.integration_level != "none"):
        kept = "is a safe harbor" if source is not None else "is integrated under 401(l)"
        sentences.append(
            f"Warning: plan.compensation leaves bonuses out, and the plan {kept} only where that passes the "
            "compensation ratio test of 414(s), Reg. 1.414(s)-1(d)(3)."
        )
    warning = mandatory_enrollment_warning(cfg)
    return tuple(sentences) if warning is None else (*sentences, warning)


def _deferral_sentence(plan: PlanSection) -> str:
    kind = match_kind(plan.match)
    if kind == "safe_harbor" and match_tiers(plan.match)[-1].upper > _LARGEST_MATCHED_RATE:
        return (
            "Safe harbor under 401(k)(12) by its match: no ADP testing, but it matches deferrals above 6 % of pay and "
            "needs ACP testing under 401(m)(2), 401(m)(11)(B)(i)."
        )
    if kind == "safe_harbor":
        return "Safe harbor under 401(k)(12) and 401(m)(11) by its match: no ADP or ACP testing."
    if kind == "qaca":
        return "Safe harbor under 401(k)(13) and 401(m)(12) by its match (QACA): no ADP or ACP testing."
    if core_kind(plan.core) not in SAFE_KINDS:
        return (
            "Needs ADP testing under 401(k)(3)."
            if kind == "none"
            else "Needs ADP and ACP testing under 401(k)(3) and 401(m)(2)."
        )
    is_qaca = core_kind(plan.core) == "qaca"
    by_core = f"Safe harbor under {'401(k)(13)' if is_qaca else '401(k)(12)'} by its nonelective core contribution"
    by_limits = "401(m)(12)" if is_qaca else "401(m)(11)"
    if kind == "none":
        return f"{by_core}: no ADP or ACP testing."
    if _is_spared_acp(plan):
        return f"{by_core}, and under {by_limits} by the limits of its match: no ADP or ACP testing."
    return f"{by_core}: no ADP testing, but the match needs ACP testing under 401(m)(2)."


def _is_spared_acp(plan: PlanSection) -> bool:
    """Whether a match beside a safe-harbor core contribution stays within 401(m)(11)(B)."""
    match = plan.match
    tiers = match_tiers(match)
    gated = any(match.closed_gates())
    return match.tiers_by == "none" and not gated and never_rises(tiers) and tiers[-1].upper <= _LARGEST_MATCHED_RATE


def _comes_later(plan: PlanSection, source: Literal["match", "core"]) -> bool:
    """Whether somebody may have to wait longer for the employer's money than for deferrals."""
    rule, deferral = eligibility_rule(plan.eligibility, source), plan.eligibility.deferral
    counts_hours = rule.method == "hours" and rule.service > 0 and deferral.method != "hours"
    rarer = ENTRY_DATES.index(rule.entry_dates) > ENTRY_DATES.index(deferral.entry_dates)
    longer = months_of_service(rule) > months_of_service(deferral)
    return rule.minimum_age > deferral.minimum_age or longer or counts_hours or rarer
