"""The section `plan`: the retirement plan, one module a part."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.lists import WordList
from planalign_orchestrator.config.sections.base import CalendarDate, Section
from planalign_orchestrator.config.sections.plan.after_tax import AfterTaxSection
from planalign_orchestrator.config.sections.plan.automatic_enrollment import AutomaticEnrollmentSection
from planalign_orchestrator.config.sections.plan.core import CoreSection
from planalign_orchestrator.config.sections.plan.deferrals import DeferralsSection
from planalign_orchestrator.config.sections.plan.eligibility import EligibilitySection
from planalign_orchestrator.config.sections.plan.escalation import EscalationSection
from planalign_orchestrator.config.sections.plan.forfeitures import ForfeituresSection
from planalign_orchestrator.config.sections.plan.hce import HceSection
from planalign_orchestrator.config.sections.plan.match import MatchFormulaSection, MatchSection
from planalign_orchestrator.config.sections.plan.match_response import MatchResponseSection
from planalign_orchestrator.config.sections.plan.own_changes import OwnChangesSection
from planalign_orchestrator.config.sections.plan.participation import ParticipationSection
from planalign_orchestrator.config.sections.plan.vesting import VestingSection
from planalign_orchestrator.config.types import Number

RETIREMENT_AGE = Number("whole number of years", Decimal(55), Decimal(75), places=0)
RETURN = Number("rate", Decimal("-0.99"), Decimal(1))


class PlanSection(Section):
    """The retirement plan."""

    effective_date: CalendarDate | None = Field(
        default=None,
        description="Day before which nobody is enrolled automatically; null is 1 January of start_year. Nothing else "
        "waits for it.",
    )
    annual_return: Annotated[Decimal, RETURN] = Field(default=Decimal(0), description="Yearly return of the accounts.")
    normal_retirement_age: Annotated[int, RETIREMENT_AGE] = Field(
        default=65, description="Age from which an employee is fully vested."
    )
    compensation_from: Literal["entry_date", "plan_year"] = Field(
        default="entry_date",
        description="Pay that counts for employer contributions: from the source's entry date, or of the whole year.",
    )
    limit_415_order: Annotated[tuple[str, ...], WordList(("after_tax", "core", "match"), ordered=True)] = Field(
        default=("after_tax", "core", "match"), description="Order in which contributions are cut to the 415(c) limit."
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
    previous_match: MatchFormulaSection = Field(default_factory=MatchFormulaSection)
    core: CoreSection = Field(default_factory=CoreSection)
    vesting: VestingSection = Field(default_factory=VestingSection)
    forfeitures: ForfeituresSection = Field(default_factory=ForfeituresSection)
    hce: HceSection = Field(default_factory=HceSection)
