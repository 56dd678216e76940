"""What the law forbids: each finding names the keys, the value, the section of the Internal Revenue Code, the remedy.

What depends on the limits of a year is checked where these are known, with the parameter tables.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from planalign_orchestrator.config.checks.safe_harbor import (
    SAFE_HARBOR_SECTIONS,
    safe_harbor_findings,
    safe_harbor_formula,
)
from planalign_orchestrator.config.presets import (
    VESTING_PRESETS,
    core_kind,
    match_kind,
    vesting_rates,
)
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.sections.plan.core import CoreSection
from planalign_orchestrator.config.sections.plan.eligibility import (
    SOURCES,
    DeferralEligibilitySection,
    Source,
    eligibility_rule,
    months_of_service,
    own_eligibility_keys,
)
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.problems import Finding, KeyPath

_ELIGIBILITY = ("plan", "eligibility")


def statute_findings(plan: PlanSection) -> list[Finding]:
    """Return what the law forbids in the plan, whatever the year."""
    return [
        *_retirement_age_findings(plan),
        *(finding for source in SOURCES for finding in _eligibility_findings(plan, source)),
        *_withdrawal_findings(plan),
        *safe_harbor_findings(plan),
        *_vesting_findings(plan, "match"),
        *_vesting_findings(plan, "core"),
        *_disparity_findings(plan.core),
    ]


def _retirement_age_findings(plan: PlanSection) -> Iterator[Finding]:
    """411(a)(8): full vesting at the latest at 65, or after five years of participation if that is later."""
    at_once = all(vesting_rates(setting)[0] == 1 for setting in (plan.vesting.match, plan.vesting.core))
    if plan.normal_retirement_age > 65 and not at_once:
        text = (
            f"normal_retirement_age {plan.normal_retirement_age} leaves people unvested above 65, the age at which "
            "411(a)(8)(B) vests them; lower it to 65 or set plan.vesting to `immediate`"
        )
        yield Finding(text, (("plan", "normal_retirement_age"),))


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
    if months_of_service(rule) > 6:
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
    months = months_of_service(rule)
    given = f"service of {_service(rule)} is more than"
    if source == "deferral":
        if months > 12:
            yield Finding(f"{given} the one year that 401(k)(2)(D) allows for deferrals; lower it to a year", keys)
        return
    formula = safe_harbor_formula(plan, source)
    if formula is not None and months > 12:
        text = (
            f"{given} the one year after which `{formula}` must reach everybody who may defer, 401(k)(2)(D) and "
            f"{SAFE_HARBOR_SECTIONS[formula]}; lower it to a year or choose another formula"
        )
        yield Finding(text, (*keys, ("plan", source, "formula")))
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
        text = f"{shown}: the {source} money of a QACA is fully vested after two years, 401(k)(13)(D)(iii)(I)"
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


def _service(rule: DeferralEligibilitySection) -> str:
    return f"{rule.service} {rule.service_unit}"
