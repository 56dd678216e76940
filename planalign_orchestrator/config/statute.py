"""What the law forbids: each finding names the keys, the value, the section of the Internal Revenue Code, the remedy.

What depends on the limits of a year is checked where these are known, with the parameter tables.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from planalign_orchestrator.config.employer import CoreSection, MatchSection
from planalign_orchestrator.config.findings import Finding, KeyPath
from planalign_orchestrator.config.formulas import (
    SAFE_HARBOR_MATCHES,
    VESTING_PRESETS,
    core_kind,
    largest_match,
    match_kind,
    match_tiers,
    vesting_rates,
)
from planalign_orchestrator.config.plan import (
    SOURCES,
    DeferralEligibilitySection,
    PlanSection,
    Source,
    eligibility_rule,
    own_eligibility_keys,
)
from planalign_orchestrator.config.values import plain_number

_ELIGIBILITY = ("plan", "eligibility")
_MONTHS = {"days": Fraction(12, 365), "months": Fraction(1), "years": Fraction(12)}


def statute_findings(plan: PlanSection) -> list[Finding]:
    """Return what the law forbids in the plan, whatever the year."""
    return [
        *(finding for source in SOURCES for finding in _eligibility_findings(plan, source)),
        *_withdrawal_findings(plan),
        *_safe_harbor_findings(plan),
        *_qaca_findings(plan),
        *_vesting_findings(plan, "match"),
        *_vesting_findings(plan, "core"),
        *_disparity_findings(plan.core),
    ]


def _eligibility_findings(plan: PlanSection, source: Source) -> Iterator[Finding]:
    """410(a) and 401(k)(2)(D), for what the source does not take over from deferrals."""
    rule, own = eligibility_rule(plan.eligibility, source), own_eligibility_keys(plan.eligibility, source)

    def keys(*names: str) -> tuple[KeyPath, ...]:
        return tuple((*_ELIGIBILITY, source if name in own else "deferral", name) for name in names)

    age = plain_number(rule.minimum_age)
    if "minimum_age" in own and rule.minimum_age > 21:
        text = f"minimum_age {age} is above 21, the highest that 410(a)(1)(A)(i) allows; lower it to 21 or less"
        yield Finding(text, keys("minimum_age"))
    if not own.isdisjoint({"service", "service_unit", "method"}):
        yield from _service_findings(plan, source, rule, keys("service", "service_unit"))
    if rule.entry_dates != "annual" or own.isdisjoint({"entry_dates", "service", "service_unit", "minimum_age"}):
        return
    if _months(rule) > 6:
        text = (
            f"entry_dates `annual` after {_service(rule)} of service can delay entry by more than 410(a)(4) allows; "
            "lower the service to 6 months or offer more entry dates"
        )
        yield Finding(text, keys("entry_dates", "service", "service_unit"))
    if Decimal("20.5") < rule.minimum_age <= 21:
        text = (
            f"entry_dates `annual` with minimum_age {age} can delay entry by more than 410(a)(4) allows; lower "
            "minimum_age to 20.5 or offer more entry dates"
        )
        yield Finding(text, keys("entry_dates", "minimum_age"))


def _service_findings(
    plan: PlanSection, source: Source, rule: DeferralEligibilitySection, keys: tuple[KeyPath, ...]
) -> Iterator[Finding]:
    months = _months(rule)
    given = f"service of {_service(rule)} is more than"
    if source == "deferral":
        if months > 12:
            yield Finding(f"{given} the one year that 401(k)(2)(D) allows for deferrals; lower it to a year", keys)
        return
    vested_at_once = vesting_rates(plan.vesting.match if source == "match" else plan.vesting.core)[0] == 1
    if months > 24:
        yield Finding(f"{given} the two years that 410(a)(1)(B)(i) allows at most; lower it", keys)
    elif months > 12 and not vested_at_once:
        text = (
            f"{given} the one year that 410(a)(1)(A)(ii) allows; 410(a)(1)(B)(i) allows two years only for money that "
            f"is fully vested at once: lower it to a year or set plan.vesting.{source} to `immediate`"
        )
        yield Finding(text, (*keys, ("plan", "vesting", source)))


def _withdrawal_findings(plan: PlanSection) -> Iterator[Finding]:
    days = plan.automatic_enrollment.permissible_withdrawal_days
    if not 30 <= days <= 90:
        text = f"permissible_withdrawal_days {days} is outside the 30 to 90 days of 414(w)(2)(B); set it between them"
        yield Finding(text, (("plan", "automatic_enrollment", "permissible_withdrawal_days"),))


def _safe_harbor_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(12) and (13): every eligible employee gets the whole formula."""
    match, core = plan.match, plan.core
    if match.formula in SAFE_HARBOR_MATCHES:
        section = "401(k)(13)(D)" if match.formula == "qaca" else "401(k)(12)(B)"
        yield from _gate_findings("match", match, section)
        formula: KeyPath = ("plan", "match", "formula")
        if match.tiers_by != "none":
            text = (
                f"tiers_by `{match.tiers_by}` makes the match of `{match.formula}` differ between employees, which "
                f"{section} does not allow; set it to `none` or use formula `custom`"
            )
            yield Finding(text, (("plan", "match", "tiers_by"), formula))
        most = largest_match(match_tiers(match))
        if match.cap_rate is not None and match.cap_rate < most:
            text = (
                f"cap_rate {plain_number(match.cap_rate)} is below the {plain_number(most)} of pay that "
                f"`{match.formula}` must be able to pay under {section}; remove it or use formula `custom`"
            )
            yield Finding(text, (("plan", "match", "cap_rate"), formula))
    if core_kind(core) == "safe_harbor":
        yield from _gate_findings("core", core, "401(k)(12)(C)")


def _gate_findings(
    source: Literal["match", "core"], section: MatchSection | CoreSection, law: str
) -> Iterator[Finding]:
    gates = {
        "hours_gate": (section.hours_gate, "1,000 hours"),
        "last_day_gate": (section.last_day_gate, "employment on 31 December"),
    }
    for name, (closed, what) in gates.items():
        if closed:
            text = (
                f"{name} true demands {what} for `{section.formula}`, which {law} gives to every eligible employee; "
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
    if not Decimal("0.03") <= rate <= Decimal("0.10"):
        text = (
            f"default_deferral_rate {plain_number(rate)}: formula `qaca` needs one from 0.03 to 0.1, 401(k)(13)(C)(iii)"
        )
        yield Finding(f"{text}; set it between them", ((*at, "default_deferral_rate"), formula))
    elif rate < Decimal("0.06"):
        yield from _qaca_escalation_findings(plan)


def _qaca_escalation_findings(plan: PlanSection) -> Iterator[Finding]:
    """401(k)(13)(C)(iii)(II)-(IV): 4 %, 5 % and 6 % in the years after the initial period."""
    escalation, start = plan.escalation, plan.automatic_enrollment.default_deferral_rate
    at: KeyPath = ("plan", "escalation")
    others: tuple[KeyPath, ...] = (
        ("plan", "automatic_enrollment", "default_deferral_rate"),
        ("plan", "match", "formula"),
    )
    law = f"with formula `qaca` and default_deferral_rate {plain_number(start)}, 401(k)(13)(C)(iii)"
    if not escalation.enabled:
        text = f"enabled false: {law} needs rates that rise to 0.06; set it to true or start at 0.06"
        yield Finding(text, ((*at, "enabled"), *others))
        return
    if escalation.cap < Decimal("0.06"):
        text = f"cap {plain_number(escalation.cap)}: {law} needs rates that rise to at least 0.06; raise it"
        yield Finding(text, ((*at, "cap"), *others))
    # the year after enrollment still has the initial rate, so that a delay of one year is none
    late = max(escalation.delay_years - 1, 0)
    needed = {year: Decimal("0.03") + Decimal("0.01") * year for year in (1, 2, 3)}
    if any(start + escalation.increment * max(year - late, 0) < rate for year, rate in needed.items()):
        text = (
            f"increment {plain_number(escalation.increment)} with delay_years {escalation.delay_years}: {law} needs at "
            "least 0.04, 0.05 and 0.06 in the three years after the initial ones; raise it or shorten the delay"
        )
        yield Finding(text, ((*at, "increment"), (*at, "delay_years"), *others))


def _vesting_findings(plan: PlanSection, source: Literal["match", "core"]) -> Iterator[Finding]:
    setting = plan.vesting.match if source == "match" else plan.vesting.core
    kind = match_kind(plan.match) if source == "match" else core_kind(plan.core)
    shown = setting if isinstance(setting, str) else f"[{', '.join(plain_number(rate) for rate in setting)}]"
    rates = vesting_rates(setting)

    def at_least(schedule: str) -> bool:
        """Whether the vested rate is that of the schedule or more at any time."""
        years = range(max(len(rates), len(VESTING_PRESETS[schedule])))
        return all(_vested(rates, year) >= _vested(VESTING_PRESETS[schedule], year) for year in years)

    key: KeyPath = ("plan", "vesting", source)
    formula: KeyPath = ("plan", source, "formula")
    if kind == "safe_harbor" and not at_least("immediate"):
        text = f"{shown}: safe-harbor money is fully vested at once, 401(k)(12)(E)(i); set it to `immediate`"
        yield Finding(text, (key, formula))
    elif kind == "qaca" and not at_least("cliff_2"):
        text = f"{shown}: the match of formula `qaca` is fully vested after two years, 401(k)(13)(D)(iii)(I)"
        yield Finding(f"{text}; set it to `cliff_2` or faster", (key, formula))
    elif not at_least("cliff_3") and not at_least("graded_6"):
        text = (
            f"{shown}: slower than both schedules that 411(a)(2)(B) allows; set it to `cliff_3`, `graded_6` or faster"
        )
        yield Finding(text, (key,))


def _disparity_findings(core: CoreSection) -> Iterator[Finding]:
    if core.disparity_rate is not None and core.rate is not None and core.disparity_rate > core.rate:
        text = (
            f"disparity_rate {plain_number(core.disparity_rate)} is above the base rate {plain_number(core.rate)}, the "
            "most that 401(l)(2)(A) allows; lower it or raise plan.core.rate"
        )
        yield Finding(text, (("plan", "core", "disparity_rate"), ("plan", "core", "rate")))


def _vested(rates: tuple[Decimal, ...], year: int) -> Decimal:
    return rates[min(year, len(rates) - 1)]


def _months(rule: DeferralEligibilitySection) -> Fraction:
    return rule.service * _MONTHS[rule.service_unit]


def _service(rule: DeferralEligibilitySection) -> str:
    return f"{rule.service} {rule.service_unit}"
