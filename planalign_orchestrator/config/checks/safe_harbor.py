"""What the law asks of a safe-harbor plan: the whole formula for every eligible employee, and QACA's rates."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from planalign_orchestrator.config.presets import SAFE_HARBOR_MATCHES, core_kind, largest_match, match_tiers
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.sections.plan.core import CoreSection
from planalign_orchestrator.config.sections.plan.match import MatchSection
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.problems import Finding, KeyPath

# what gives a safe-harbor contribution to every eligible employee
SAFE_HARBOR_SECTIONS = {
    "safe_harbor_basic": "401(k)(12)(B)",
    "safe_harbor_enhanced": "401(k)(12)(B)",
    "safe_harbor_nonelective": "401(k)(12)(C)",
    "qaca": "401(k)(13)(D)",
}
# 401(k)(13)(C)(iii): the initial rate, the least rate in the years after the initial period, the most in any of them.
_QACA_INITIAL = (Decimal("0.03"), Decimal("0.10"))
_QACA_MINIMA = (Decimal("0.04"), Decimal("0.05"), Decimal("0.06"))
_QACA_MAXIMUM = Decimal("0.15")
_ESCALATION: KeyPath = ("plan", "escalation")
_QACA_KEYS: tuple[KeyPath, ...] = (
    ("plan", "automatic_enrollment", "default_deferral_rate"),
    ("plan", "match", "formula"),
)


def safe_harbor_findings(plan: PlanSection) -> list[Finding]:
    """Return what is wrong with a safe-harbor match or core contribution; nothing for a plan without either."""
    return [*_formula_findings(plan), *_qaca_findings(plan)]


def safe_harbor_formula(plan: PlanSection, source: Literal["match", "core"]) -> str | None:
    """Return the formula of a source if every eligible employee must get it, else None."""
    formula = plan.match.formula if source == "match" else plan.core.formula
    return formula if formula in SAFE_HARBOR_SECTIONS else None


def _formula_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(12) and (13): every eligible employee gets the whole formula."""
    match, core = plan.match, plan.core
    if match.formula in SAFE_HARBOR_MATCHES:
        section = SAFE_HARBOR_SECTIONS[match.formula]
        yield from _gate_findings("match", match, section)
        formula: KeyPath = ("plan", "match", "formula")
        if match.tiers_by != "none":
            text = (
                f"tiers_by `{match.tiers_by}` makes the match of `{match.formula}` differ between employees, which "
                f"{section} does not allow; set it to `none` or use formula `custom`"
            )
            yield Finding(text, (("plan", "match", "tiers_by"), formula))
        matched, maximum = match_tiers(match)[-1].upper, plan.deferrals.maximum_rate
        if maximum < matched:
            text = (
                f"maximum_rate {plain_number(maximum)} is below the {plain_number(matched)} of pay that earn the whole "
                f"match of `{match.formula}`, which every eligible employee must be able to defer, {section} and Reg. "
                "1.401(k)-3(c)(6); raise it or use formula `custom`"
            )
            yield Finding(text, (("plan", "deferrals", "maximum_rate"), formula))
        most = largest_match(match_tiers(match))
        if match.cap_rate is not None and match.cap_rate < most:
            text = (
                f"cap_rate {plain_number(match.cap_rate)} is below the {plain_number(most)} of pay that "
                f"`{match.formula}` must be able to pay under {section}; remove it or use formula `custom`"
            )
            yield Finding(text, (("plan", "match", "cap_rate"), formula))
    if core_kind(core) == "safe_harbor":
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
    if plan.match.formula != "qaca":
        return
    section = plan.automatic_enrollment
    at: KeyPath = ("plan", "automatic_enrollment")
    formula: KeyPath = ("plan", "match", "formula")
    if not section.enabled:
        text = "enabled false: formula `qaca` needs automatic enrollment, 401(k)(13)(C)(i); set it to true"
        yield Finding(text, ((*at, "enabled"), formula))
    if section.scope != "all_eligible":
        text = (
            f"scope `{section.scope}`: formula `qaca` needs every eligible employee enrolled, 401(k)(13)(C)(i); set it "
            "to `all_eligible`"
        )
        yield Finding(text, ((*at, "scope"), formula))
    rate = section.default_deferral_rate
    if not _QACA_INITIAL[0] <= rate <= _QACA_INITIAL[1]:
        text = (
            f"default_deferral_rate {plain_number(rate)}: formula `qaca` needs one from 0.03 to 0.1, 401(k)(13)(C)(iii)"
        )
        yield Finding(f"{text}; set it between them", ((*at, "default_deferral_rate"), formula))
        return
    if rate < _QACA_MINIMA[-1]:
        yield from _qaca_minimum_findings(plan)
    if plan.escalation.enabled:
        yield from _qaca_maximum_findings(plan)


def _qaca_law(plan: PlanSection) -> str:
    rate = plain_number(plan.automatic_enrollment.default_deferral_rate)
    return f"with formula `qaca` and default_deferral_rate {rate}, 401(k)(13)(C)(iii)"


def _qaca_minimum_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(13)(C)(iii)(II)-(IV): 4 %, 5 % and 6 % from the first day of the years after the initial period on.

    The initial period ends with the year after that of the enrollment. Whoever is enrolled in December completes the
    years of delay latest.
    """
    escalation, start = plan.escalation, plan.automatic_enrollment.default_deferral_rate
    if not escalation.enabled:
        text = f"enabled false: {_qaca_law(plan)} needs rates that rise to 0.06; set it to true or start at 0.06"
        yield Finding(text, ((*_ESCALATION, "enabled"), *_QACA_KEYS))
        return
    if escalation.cap < _QACA_MINIMA[-1]:
        text = f"cap {plain_number(escalation.cap)}: {_qaca_law(plan)} needs rates that rise to at least 0.06; raise it"
        yield Finding(text, ((*_ESCALATION, "cap"), *_QACA_KEYS))
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
            yield Finding(text, (*keys, *_QACA_KEYS))
            return


def _qaca_maximum_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(13)(C)(iii): never above 15 %, and not above 10 % in the year of the enrollment and the one after."""
    escalation, start = plan.escalation, plan.automatic_enrollment.default_deferral_rate
    if escalation.cap > _QACA_MAXIMUM:
        text = f"cap {plain_number(escalation.cap)}: {_qaca_law(plan)} allows at most 0.15; lower it"
        yield Finding(text, ((*_ESCALATION, "cap"), *_QACA_KEYS))
        return
    reached = min(escalation.cap, start + escalation.increment * max(2 - escalation.delay_years, 0))
    if reached > max(_QACA_INITIAL[1], start):
        text = (
            f"increment {plain_number(escalation.increment)} with delay_years {escalation.delay_years}: "
            f"{_qaca_law(plan)} allows at most 0.1 until the end of the year after the enrollment, and somebody could "
            f"reach {plain_number(reached)}; lower it or lengthen the delay"
        )
        yield Finding(text, ((*_ESCALATION, "increment"), (*_ESCALATION, "delay_years"), *_QACA_KEYS))
