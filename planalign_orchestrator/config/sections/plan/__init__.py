"""The section `plan`: the retirement plan, one module a part."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from planalign_orchestrator.config.collection_types import WordList
from planalign_orchestrator.config.sections.base import CalendarDate, OnOff, Parameter, Section, key
from planalign_orchestrator.config.sections.plan.after_tax import AfterTaxSection
from planalign_orchestrator.config.sections.plan.automatic_enrollment import AutomaticEnrollmentSection
from planalign_orchestrator.config.sections.plan.core import CoreSection
from planalign_orchestrator.config.sections.plan.deferrals import DeferralsSection
from planalign_orchestrator.config.sections.plan.eligibility import EligibilitySection
from planalign_orchestrator.config.sections.plan.escalation import EscalationSection
from planalign_orchestrator.config.sections.plan.forfeitures import ForfeituresSection
from planalign_orchestrator.config.sections.plan.hce import HceSection
from planalign_orchestrator.config.sections.plan.match import MatchSection, PreviousMatchSection
from planalign_orchestrator.config.sections.plan.match_response import MatchResponseSection
from planalign_orchestrator.config.sections.plan.own_changes import OwnChangesSection
from planalign_orchestrator.config.sections.plan.participation import ParticipationSection
from planalign_orchestrator.config.sections.plan.vesting import VestingSection
from planalign_orchestrator.config.types import Number

RETIREMENT_AGE = Number("whole number of years", Decimal(55), Decimal(75), places=0)
RETURN = Number("rate", Decimal("-0.99"), Decimal(1))


def _is_qaca(plan: "PlanSection") -> bool:
    from planalign_orchestrator.config.presets import core_kind, match_kind

    return "qaca" in (match_kind(plan.match), core_kind(plan.core))


class PlanSection(Section):
    """The retirement plan. What the law forbids is an error that names the section of the Internal Revenue Code.

    The default plan is a safe harbor under 401(k)(12) with automatic enrollment: it needs no ADP or ACP testing.
    Complete configurations of other designs: service_graded.yaml, integrated_core.yaml and stretch_match.yaml.
    """

    becomes: ClassVar[tuple[Parameter, ...]] = (
        Parameter("is_qaca", lambda section, config: _is_qaca(section), "boolean"),
    )

    established: CalendarDate | None = key(
        None,
        "Day on which the plan was established; null is before 2022-12-29. From that day on 414A asks for automatic "
        "enrollment from 2025 on; a plan without it is warned.",
        changes_results=False,
    )
    exempt_from_414a: OnOff = key(
        False,
        "Whether 414A(c) exempts the employer: up to 10 employees, in business for less than three years, a church or "
        "a government.",
        changes_results=False,
    )
    annual_return: Annotated[Decimal, RETURN] = key(Decimal(0), "Yearly return of the accounts.", "annual_return")
    normal_retirement_age: Annotated[int, RETIREMENT_AGE] = key(
        65, "Age from which an employee is fully vested.", "normal_retirement_age"
    )
    compensation: Annotated[tuple[str, ...], WordList(("base", "bonus"))] = key(
        ("base", "bonus"),
        "Pay that deferrals, match and core are of. What is left out is not deferred from; it still counts for 415(c), "
        "for who is highly compensated and for the wages of 414(v)(7).",
        Parameter("bonus_in_plan", lambda parts, config: "bonus" in parts, "boolean"),
        narrower="base is always there",
    )
    compensation_from: Literal["entry_date", "plan_year"] = key(
        "entry_date",
        "Pay that counts for employer contributions: from the entry date of their source on, or of the whole year.",
        "compensation_from",
    )
    limit_415_order: Annotated[tuple[str, ...], WordList(("after_tax", "core", "match"), ordered=True)] = key(
        ("after_tax", "core", "match"),
        "Order in which contributions are cut where annual additions exceed the limit of 415(c).",
        "limit_415_order",
    )
    eligibility: EligibilitySection = Field(default_factory=EligibilitySection)
    participation: ParticipationSection = Field(default_factory=ParticipationSection)
    automatic_enrollment: AutomaticEnrollmentSection = Field(default_factory=AutomaticEnrollmentSection)
    escalation: EscalationSection = Field(default_factory=EscalationSection)
    own_changes: OwnChangesSection = Field(default_factory=OwnChangesSection)
    match_response: MatchResponseSection = Field(default_factory=MatchResponseSection)
    deferrals: DeferralsSection = Field(default_factory=DeferralsSection)
    after_tax: AfterTaxSection = Field(default_factory=AfterTaxSection)
    match: MatchSection = Field(default_factory=MatchSection)
    previous_match: PreviousMatchSection = Field(default_factory=PreviousMatchSection)
    core: CoreSection = Field(default_factory=CoreSection)
    vesting: VestingSection = Field(default_factory=VestingSection)
    forfeitures: ForfeituresSection = Field(default_factory=ForfeituresSection)
    hce: HceSection = Field(default_factory=HceSection)
