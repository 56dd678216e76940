"""What the law asks of a safe-harbor plan: the whole formula for every eligible employee, and QACA's rates."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from planalign_orchestrator.config.presets import (
    MATCH_PRESETS,
    SAFE_HARBOR_MATCHES,
    SAFE_KINDS,
    core_kind,
    largest_match,
    match_at,
    match_kind,
    match_tiers,
    never_rises,
)
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.sections.plan.core import CoreSection
from planalign_orchestrator.config.sections.plan.match import MatchSection
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.problems import Finding, KeyPath

# what gives a safe-harbor contribution to every eligible employee
SAFE_HARBOR_SECTIONS = {
    "safe_harbor_basic": "401(k)(12)(B)",
    "safe_harbor_enhanced": "401(k)(12)(B)",
    "custom": "401(k)(12)(B)(iii)",
    "safe_harbor_nonelective": "401(k)(12)(C)",
    "safe_harbor_nonelective_late": "401(k)(12)(F)",
    "qaca": "401(k)(13)(D)",
    "qaca_nonelective": "401(k)(13)(D)",
}
# 401(k)(13)(C)(iii): the initial rate, the least rate in the years after the initial period, the most in any of them.
_QACA_INITIAL = (Decimal("0.03"), Decimal("0.10"))
_QACA_MINIMA = (Decimal("0.04"), Decimal("0.05"), Decimal("0.06"))
_QACA_MAXIMUM = Decimal("0.15")
_ESCALATION: KeyPath = ("plan", "escalation")


def safe_harbor_findings(plan: PlanSection) -> list[Finding]:
    """Return what is wrong with a safe-harbor match or core contribution; nothing for a plan without either."""
    return [*_marked_findings(plan.match), *_formula_findings(plan), *_qaca_findings(plan)]


def safe_harbor_formula(plan: PlanSection, source: Literal["match", "core"]) -> str | None:
    """Return the formula of a source if every eligible employee must get it, else None."""
    if source == "match":
        return plan.match.formula if match_kind(plan.match) in SAFE_KINDS else None
    return plan.core.formula if core_kind(plan.core) in SAFE_KINDS else None


def _marked_findings(match: MatchSection) -> Iterator[Finding]:
    """401(k)(12)(B)(iii): what a formula of the plan's own must be to be a safe harbor."""
    if not match.safe_harbor:
        return
    keys: tuple[KeyPath, ...] = (("plan", "match", "safe_harbor"), ("plan", "match", "formula"))
    if match.formula != "custom":
        known = "is one by itself" if match.formula in SAFE_HARBOR_MATCHES else "cannot be one"
        text = f"safe_harbor true marks a formula `custom`, and `{match.formula}` {known}; set it to false"
        yield Finding(text, keys)
        return
    tiers = match_tiers(match)
    if not tiers or match.tiers_by != "none":
        return
    basic = MATCH_PRESETS["safe_harbor_basic"]
    rates = sorted({rate for tier in (*tiers, *basic) for rate in (tier.lower, tier.upper)})
    short = next((rate for rate in rates if match_at(tiers, rate) < match_at(basic, rate)), None)
    if short is not None:
        paid, due = plain_number(match_at(tiers, short)), plain_number(match_at(basic, short))
        text = (
            f"safe_harbor true, but on deferrals of {plain_number(short)} of pay the tiers pay {paid} of pay and "
            f"`safe_harbor_basic` {due}, the least that 401(k)(12)(B)(iii)(II) allows; raise the tiers or set "
            "safe_harbor to false"
        )
        yield Finding(text, (*keys, ("plan", "match", "tiers")))
    if not never_rises(tiers):
        text = (
            "safe_harbor true, but a tier pays a higher rate than deferrals below it, which 401(k)(12)(B)(iii)(I) does "
            "not allow; let the rates fall from tier to tier or set safe_harbor to false"
        )
        yield Finding(text, (*keys, ("plan", "match", "tiers")))


def _formula_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(12) and (13): every eligible employee gets the whole formula."""
    match, core = plan.match, plan.core
    if match_kind(match) in SAFE_KINDS and match_tiers(match):
        section = SAFE_HARBOR_SECTIONS[match.formula]
        other = "set safe_harbor to false" if match.formula == "custom" else "use formula `custom`"
        yield from _gate_findings("match", match, section)
        formula: KeyPath = ("plan", "match", "formula")
        if match.tiers_by != "none":
            text = (
                f"tiers_by `{match.tiers_by}` makes the match of `{match.formula}` differ between employees, which "
                f"{section} does not allow; set it to `none` or {other}"
            )
            yield Finding(text, (("plan", "match", "tiers_by"), formula))
            return
        matched, maximum = match_tiers(match)[-1].upper, plan.deferrals.maximum_rate
        if maximum < matched:
            text = (
                f"maximum_rate {plain_number(maximum)} is below the {plain_number(matched)} of pay that earn the whole "
                f"match of `{match.formula}`, which every eligible employee must be able to defer, {section} and Reg. "
                f"1.401(k)-3(c)(6); raise it or {other}"
            )
            yield Finding(text, (("plan", "deferrals", "maximum_rate"), formula))
        most = largest_match(match_tiers(match))
        if match.cap_rate is not None and match.cap_rate < most:
            text = (
                f"cap_rate {plain_number(match.cap_rate)} is below the {plain_number(most)} of pay that "
                f"`{match.formula}` must be able to pay under {section}; remove it or {other}"
            )
            yield Finding(text, (("plan", "match", "cap_rate"), formula))
    if core_kind(core) in SAFE_KINDS:
        yield from _gate_findings("core", core, SAFE_HARBOR_SECTIONS[core.formula])


def _gate_findings(
    source: Literal["match", "core"], section: MatchSection | CoreSection, law: str
) -> Iterator[Finding]:
    for name, demand in section.closed_gates():
        text = (
            f"{name} true demands {demand} for `{section.formula}`, which {law} gives to every eligible employee; "
            "set it to false or choose another formula"
        )
        yield Finding(text, (("plan", source, name), ("plan", source, "formula")))


def _qaca_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(13)(C): who is enrolled automatically, at which rate, and how it rises."""
    source = _qaca_source(plan)
    if source is None:
        return
    section = plan.automatic_enrollment
    at: KeyPath = ("plan", "automatic_enrollment")
    formula: KeyPath = ("plan", source, "formula")
    name = safe_harbor_formula(plan, source)
    if not section.enabled:
        text = f"enabled false: formula `{name}` needs automatic enrollment, 401(k)(13)(C)(i); set it to true"
        yield Finding(text, ((*at, "enabled"), formula))
    if section.scope != "all_eligible":
        text = (
            f"scope `{section.scope}`: formula `{name}` needs every eligible employee enrolled, 401(k)(13)(C)(i); set "
            "it to `all_eligible`"
        )
        yield Finding(text, ((*at, "scope"), formula))
    rate = section.default_deferral_rate
    if not _QACA_INITIAL[0] <= rate <= _QACA_INITIAL[1]:
        text = (
            f"default_deferral_rate {plain_number(rate)}: formula `{name}` needs one from 0.03 to 0.1, "
            "401(k)(13)(C)(iii)"
        )
        yield Finding(f"{text}; set it between them", ((*at, "default_deferral_rate"), formula))
        return
    if rate < _QACA_MINIMA[-1]:
        yield from _qaca_minimum_findings(plan)
    if plan.escalation.enabled:
        yield from _qaca_maximum_findings(plan)


def _qaca_source(plan: PlanSection) -> Literal["match", "core"] | None:
    """Return whose money makes the plan a QACA."""
    if match_kind(plan.match) == "qaca":
        return "match"
    return "core" if core_kind(plan.core) == "qaca" else None


def _qaca_keys(plan: PlanSection) -> tuple[KeyPath, ...]:
    return ("plan", "automatic_enrollment", "default_deferral_rate"), ("plan", _qaca_source(plan) or "match", "formula")


def _qaca_law(plan: PlanSection) -> str:
    rate = plain_number(plan.automatic_enrollment.default_deferral_rate)
    name = safe_harbor_formula(plan, _qaca_source(plan) or "match")
    return f"with formula `{name}` and default_deferral_rate {rate}, 401(k)(13)(C)(iii)"


def _qaca_minimum_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(13)(C)(iii)(II)-(IV): 4 %, 5 % and 6 % from the first day of the years after the initial period on.

    The initial period ends with the year after that of the enrollment. Whoever is enrolled in December completes the
    years of delay latest.
    """
    escalation, start = plan.escalation, plan.automatic_enrollment.default_deferral_rate
    if not escalation.enabled:
        text = f"enabled false: {_qaca_law(plan)} needs rates that rise to 0.06; set it to true or start at 0.06"
        yield Finding(text, ((*_ESCALATION, "enabled"), *_qaca_keys(plan)))
        return
    if escalation.cap < _QACA_MINIMA[-1]:
        text = f"cap {plain_number(escalation.cap)}: {_qaca_law(plan)} needs rates that rise to at least 0.06; raise it"
        yield Finding(text, ((*_ESCALATION, "cap"), *_qaca_keys(plan)))
    # an increase in the course of a year is too late for that year
    on_time = escalation.effective_day in ("01-01", "12-31")
    for later, least in enumerate(_QACA_MINIMA, start=2):
        increases = max(later - escalation.delay_years - (0 if on_time else 1), 0)
        if start + escalation.increment * increases < least:
            text = (
                f"increment {plain_number(escalation.increment)} on {escalation.effective_day} with delay_years "
                f"{escalation.delay_years}: {_qaca_law(plan)} needs at least 0.04, 0.05 and 0.06 from 1 January of the "
                "three years after the initial ones on; raise it, shorten the delay or move the day to 01-01"
            )
            keys = (*_ESCALATION, "increment"), (*_ESCALATION, "effective_day"), (*_ESCALATION, "delay_years")
            yield Finding(text, (*keys, *_qaca_keys(plan)))
            return


def _qaca_maximum_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(13)(C)(iii): never above 15 %, and not above 10 % in the year of the enrollment and the one after."""
    escalation, start = plan.escalation, plan.automatic_enrollment.default_deferral_rate
    if escalation.cap > _QACA_MAXIMUM:
        text = f"cap {plain_number(escalation.cap)}: {_qaca_law(plan)} allows at most 0.15; lower it"
        yield Finding(text, ((*_ESCALATION, "cap"), *_qaca_keys(plan)))
        return
    reached = min(escalation.cap, start + escalation.increment * max(2 - escalation.delay_years, 0))
    if reached > max(_QACA_INITIAL[1], start):
        text = (
            f"increment {plain_number(escalation.increment)} with delay_years {escalation.delay_years}: "
            f"{_qaca_law(plan)} allows at most 0.1 until the end of the year after the enrollment, and somebody could "
            f"reach {plain_number(reached)}; lower it or lengthen the delay"
        )
        yield Finding(text, ((*_ESCALATION, "increment"), (*_ESCALATION, "delay_years"), *_qaca_keys(plan)))
