"""Whether the plan's keys fit each other: what a formula needs is given, what it cannot use is not."""

from collections.abc import Iterable
from typing import Literal

from planalign_orchestrator.config.presets import SAFE_HARBOR_MATCHES
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.sections.plan.core import CoreSection
from planalign_orchestrator.config.sections.plan.eligibility import (
    SOURCES,
    Source,
    eligibility_rule,
    own_eligibility_keys,
)
from planalign_orchestrator.config.sections.plan.forfeitures import ForfeituresSection
from planalign_orchestrator.config.sections.plan.match import MatchFormulaSection, MatchSection
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.problems import Finding, KeyPath

Band = tuple[int, int | None]


def consistency_findings(plan: PlanSection) -> list[Finding]:
    """Return what does not fit together within the plan, each finding with the keys it is about."""
    return [
        *_compensation_findings(plan),
        *_own_change_findings(plan),
        *_maximum_rate_findings(plan),
        *_roth_findings(plan),
        *_after_tax_findings(plan),
        *_automatic_findings(plan),
        *(finding for source in SOURCES for finding in _method_findings(plan, source)),
        *_match_findings(("plan", "match"), plan.match),
        *_match_findings(("plan", "previous_match"), plan.previous_match),
        *_gate_findings("match", plan.match),
        *_core_findings(plan.core),
        *_gate_findings("core", plan.core),
        *_integration_findings(plan.core),
        *_expense_findings(plan.forfeitures),
    ]


def band_problem(bands: Iterable[Band]) -> str | None:
    """Return how bands [from, to) fail to cover everybody from 0 on exactly once, or None."""
    expected: int | None = 0
    for start, end in sorted(set(bands), key=lambda band: (band[0], band[1] or 0)):
        if expected is None:
            return f"a band begins at {start} above one that is open; only the last band has no `to`"
        if start != expected:
            kind = "a gap" if start > expected else "an overlap"
            return f"a band begins at {start}, which leaves {kind}; it must begin at {expected}"
        expected = end
    if expected is not None:
        return f"the last band ends at {expected}; leave its `to` out, so that nobody falls outside"
    return None


def _compensation_findings(plan: PlanSection) -> list[Finding]:
    if "base" in plan.compensation:
        return []
    text = "leaves out base, and without it there is no pay that rates are of; write [base] or [base, bonus]"
    return [Finding(text, (("plan", "compensation"),))]


def _own_change_findings(plan: PlanSection) -> list[Finding]:
    own = plan.own_changes
    total = own.raise_rate + own.halve_rate + own.stop_rate
    if total <= 1:
        return []
    text = (
        f"raise_rate, halve_rate and stop_rate sum to {plain_number(total)}; nobody makes more than one change a year, "
        "so they must sum to at most 1"
    )
    return [Finding(text, tuple(("plan", "own_changes", name) for name in ("raise_rate", "halve_rate", "stop_rate")))]


def _maximum_rate_findings(plan: PlanSection) -> list[Finding]:
    maximum = plan.deferrals.maximum_rate
    rates = {}
    if plan.escalation.enabled:
        rates["escalation", "cap"] = plan.escalation.cap
    if plan.automatic_enrollment.enabled:
        rates["automatic_enrollment", "default_deferral_rate"] = plan.automatic_enrollment.default_deferral_rate
    return [
        Finding(
            f"{name} {plain_number(rate)} is above plan.deferrals.maximum_rate {plain_number(maximum)}, the most that "
            "the plan accepts; change one of them",
            (("plan", section, name), ("plan", "deferrals", "maximum_rate")),
        )
        for (section, name), rate in rates.items()
        if rate > maximum
    ]


def _roth_findings(plan: PlanSection) -> list[Finding]:
    if plan.deferrals.roth_feature or plan.deferrals.roth_share == 0:
        return []
    text = (
        f"roth_share {plain_number(plan.deferrals.roth_share)} needs a plan that accepts Roth deferrals; set "
        "roth_feature to true or roth_share to 0"
    )
    return [Finding(text, (("plan", "deferrals", "roth_share"), ("plan", "deferrals", "roth_feature")))]


def _after_tax_findings(plan: PlanSection) -> list[Finding]:
    if not plan.after_tax.spill_over or plan.after_tax.rate == 0:
        return []
    text = (
        f"rate {plain_number(plan.after_tax.rate)} is an election of its own, but spill_over true continues the "
        "election of deferrals; set rate to 0 or spill_over to false"
    )
    return [Finding(text, (("plan", "after_tax", "rate"), ("plan", "after_tax", "spill_over")))]


def _automatic_findings(plan: PlanSection) -> list[Finding]:
    """Automatic enrollment and escalation that could never do anything."""
    enrollment, escalation = plan.automatic_enrollment, plan.escalation
    findings = []
    if enrollment.reenroll_non_participants and not enrollment.enabled:
        keys = ("reenroll_non_participants", "enabled")
        text = "reenroll_non_participants true needs automatic enrollment; set enabled to true or this to false"
        findings.append(Finding(text, tuple(("plan", "automatic_enrollment", name) for name in keys)))
    if escalation.enabled and escalation.increment == 0:
        text = "increment 0 raises nobody's rate; set it above 0 or enabled to false"
        findings.append(Finding(text, (("plan", "escalation", "increment"), ("plan", "escalation", "enabled"))))
    if enrollment.enabled and enrollment.default_deferral_rate == 0:
        text = "default_deferral_rate 0 is no election; set it above 0 or enabled to false"
        keys = ("default_deferral_rate", "enabled")
        findings.append(Finding(text, tuple(("plan", "automatic_enrollment", name) for name in keys)))
    return findings


def _method_findings(plan: PlanSection, source: Source) -> list[Finding]:
    rule, own = eligibility_rule(plan.eligibility, source), own_eligibility_keys(plan.eligibility, source)
    names = ("method", "service_unit")
    if rule.method != "hours" or rule.service_unit == "years" or own.isdisjoint(names):
        return []
    text = f"method `hours` counts anniversary years, but service_unit is `{rule.service_unit}`; set it to `years`"
    return [
        Finding(text, tuple(("plan", "eligibility", source if name in own else "deferral", name) for name in names))
    ]


def _match_findings(at: KeyPath, section: MatchFormulaSection) -> list[Finding]:
    formula, tiers, tiers_by = (*at, "formula"), (*at, "tiers"), (*at, "tiers_by")
    if section.formula == "custom":
        problem = _custom_match_problem(section)
        return [Finding(problem, (tiers, tiers_by, formula))] if problem else []
    named = "not stated" if section.formula is None else f"`{section.formula}`"
    findings = []
    if section.tiers:
        text = f"tiers are only for formula `custom`, and formula is {named}; remove the tiers or set it to `custom`"
        findings.append(Finding(text, (tiers, formula)))
    # a safe-harbor formula is told by the law instead
    if section.tiers_by != "none" and section.formula not in SAFE_HARBOR_MATCHES:
        text = f"tiers_by `{section.tiers_by}` is only for formula `custom`, and formula is {named}; set it to `none`"
        findings.append(Finding(text, (tiers_by, formula)))
    caps = {"cap_rate": section.cap_rate, "cap_amount": section.cap_amount}
    for name, value in caps.items() if section.formula in (None, "none") else ():
        if value is not None:
            text = f"{name} {plain_number(value)} caps a match, and formula is {named}; remove it or name a formula"
            findings.append(Finding(text, ((*at, name), formula)))
    return findings


def _gate_findings(source: Literal["match", "core"], section: MatchSection | CoreSection) -> list[Finding]:
    if section.formula != "none":
        return []
    return [
        Finding(
            f"{name} true is a condition on a contribution, and formula is `none`; set it to false or name a formula",
            (("plan", source, name), ("plan", source, "formula")),
        )
        for name, _ in section.closed_gates()
    ]


def _custom_match_problem(section: MatchFormulaSection) -> str | None:
    if not section.tiers:
        return "formula `custom` needs tiers such as [{lower: 0, upper: 0.06, rate: 0.5}]; add them or name a preset"
    if section.tiers_by == "none":
        banded = any("from" in tier or "to" in tier for tier in section.tiers)
        return (
            "a tier has a band, but tiers_by is `none`; remove `from` and `to`, or say what they count"
            if banded
            else None
        )
    bands = [(tier["from"], tier.get("to")) for tier in section.tiers if "from" in tier]
    if len(bands) < len(section.tiers):
        return f"tiers_by is `{section.tiers_by}`, but a tier has no `from`; give every tier the band it belongs to"
    return band_problem(bands)


def _core_findings(core: CoreSection) -> list[Finding]:
    formula, rate, tiers = ("plan", "core", "formula"), ("plan", "core", "rate"), ("plan", "core", "tiers")
    findings = []
    if core.formula == "flat" and core.rate is None:
        findings.append(Finding("formula `flat` needs a rate; set plan.core.rate", (formula, rate)))
    if core.formula != "flat" and core.rate is not None:
        text = f"rate {plain_number(core.rate)} is only for formula `flat`, and formula is `{core.formula}`; remove it"
        findings.append(Finding(text, (rate, formula)))
    banded = core.formula in ("service", "points", "age")
    if banded and not core.tiers:
        example = "[{from: 0, to: 5, rate: 0.02}, {from: 5, rate: 0.04}]"
        findings.append(Finding(f"formula `{core.formula}` needs tiers such as {example}", (formula, tiers)))
    if core.tiers and not banded:
        text = (
            f"tiers are only for formulas `service`, `points` and `age`, and formula is `{core.formula}`; remove them"
        )
        findings.append(Finding(text, (tiers, formula)))
    bands = [(tier["from"], tier.get("to")) for tier in core.tiers]
    problem = band_problem(bands) if bands else None
    if len(set(bands)) < len(bands):
        problem = "two tiers have the same band; a core contribution has one rate for each"
    return [*findings, Finding(problem, (tiers,))] if problem else findings


def _integration_findings(core: CoreSection) -> list[Finding]:
    level = ("plan", "core", "integration_level")
    integrated = core.integration_level != "none"
    if integrated and core.formula != "flat":
        text = (
            f"integration_level `{core.integration_level}` is only for formula `flat`, and formula is `{core.formula}`"
        )
        return [Finding(f"{text}; set it to `none`", (level, ("plan", "core", "formula")))]
    findings = []
    for name, value, needed in (
        ("integration_percent", core.integration_percent, core.integration_level == "percent_of_wage_base"),
        ("integration_dollars", core.integration_dollars, core.integration_level == "dollars"),
        ("disparity_rate", core.disparity_rate, integrated),
    ):
        key = ("plan", "core", name)
        if needed and value is None:
            text = f"integration_level `{core.integration_level}` needs {name}; set plan.core.{name}"
            findings.append(Finding(text, (level, key)))
        if not needed and value is not None:
            text = f"{name} {plain_number(value)} has no meaning with integration_level `{core.integration_level}`"
            findings.append(Finding(f"{text}; remove it or change the level", (key, level)))
    return findings


def _expense_findings(forfeitures: ForfeituresSection) -> list[Finding]:
    if forfeitures.annual_expenses == 0 or forfeitures.use == "pay_expenses":
        return []
    text = (
        f"annual_expenses {plain_number(forfeitures.annual_expenses)} are for use `pay_expenses` only, and use is "
        f"`{forfeitures.use}`; remove them or change the use"
    )
    return [Finding(text, (("plan", "forfeitures", "annual_expenses"), ("plan", "forfeitures", "use")))]
