"""The retirement plan as its participants meet it: who may join, who does, and at what rate.

What the employer adds is in `.employer`, what the law allows in `.statute`.
"""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.collection_types import TextList
from planalign_orchestrator.config.employer import (
    CoreSection,
    ForfeituresSection,
    HceSection,
    MatchFormulaSection,
    MatchSection,
    VestingSection,
)
from planalign_orchestrator.config.lists import NumberList, WordList
from planalign_orchestrator.config.sections import LEVEL, EveryYearDate, OnOff, Rate, Section
from planalign_orchestrator.config.types import Day, Number, Text

MINIMUM_AGE = Number("number of years", Decimal(0), Decimal(99), places=1, step=Decimal("0.5"))
SERVICE = Number("whole number", Decimal(0), Decimal(1000), places=0)
DAYS = Number("whole number of days", Decimal(0), Decimal(365), places=0)
DELAY = Number("whole number of years", Decimal(0), Decimal(10), places=0)
RETIREMENT_AGE = Number("whole number of years", Decimal(55), Decimal(75), places=0)
RETURN = Number("rate", Decimal("-0.99"), Decimal(1))

Method = Literal["elapsed", "hours"]
ServiceUnit = Literal["days", "months", "years"]
Source = Literal["deferral", "match", "core"]
EntryDates = Literal["immediate", "monthly", "quarterly", "semiannual", "annual"]
# from the most to the fewest
ENTRY_DATES: tuple[EntryDates, ...] = ("immediate", "monthly", "quarterly", "semiannual", "annual")
SOURCES: tuple[Source, ...] = ("deferral", "match", "core")
_MONTHS = {"days": Fraction(12, 365), "months": Fraction(1), "years": Fraction(12)}
MinimumAge = Annotated[Decimal, MINIMUM_AGE]
Service = Annotated[int, SERVICE]
CalendarDate = Annotated[dt.date, Day()]


class DeferralEligibilitySection(Section):
    """When an employee may make elective deferrals."""

    minimum_age: MinimumAge = Field(default=Decimal(21), description="Age needed to enter, in steps of half a year.")
    method: Method = Field(
        default="elapsed",
        description="`elapsed` counts time employed; `hours` counts anniversary years with 1,000 scheduled hours.",
    )
    service: Service = Field(default=0, description="Service needed to enter, in service_unit.")
    service_unit: ServiceUnit = Field(
        default="months", description="Unit of service; with method `hours` it must be `years`."
    )
    entry_dates: EntryDates = Field(
        default="immediate", description="Dates on which one enters: the first one on or after age and service are met."
    )


class EmployerEligibilitySection(Section):
    """When an employee shares in an employer contribution; null is as for deferrals."""

    minimum_age: MinimumAge | None = Field(default=None, description="Age needed; null is as for deferrals.")
    method: Method | None = Field(default=None, description="How service is counted; null is as for deferrals.")
    service: Service | None = Field(default=None, description="Service needed; null is as for deferrals.")
    service_unit: ServiceUnit | None = Field(default=None, description="Unit of service; null is as for deferrals.")
    entry_dates: EntryDates | None = Field(default=None, description="Entry dates; null is as for deferrals.")


class EligibilitySection(Section):
    """Who may be in the plan, by source of money, and who is excluded from it."""

    deferral: DeferralEligibilitySection = Field(default_factory=DeferralEligibilitySection)
    match: EmployerEligibilitySection = Field(default_factory=EmployerEligibilitySection)
    core: EmployerEligibilitySection = Field(default_factory=EmployerEligibilitySection)
    excluded_levels: Annotated[tuple[int, ...], NumberList(LEVEL, "[5]")] = Field(
        default=(), description="Job levels that are excluded from the plan."
    )
    excluded_departments: Annotated[
        tuple[str, ...], TextList("a list of departments", Text("a department"), "[Warehouse, Interns]")
    ] = Field(default=(), description="Departments of the census that are excluded from the plan.")


class ParticipationSection(Section):
    """How the published participation tables are applied."""

    automatic_enrollment_factor: Rate = Field(
        default=Decimal("0.5"),
        description="Factor on the probability of joining for those whom automatic enrollment will catch anyway.",
    )
    ceiling_share: Rate = Field(
        default=Decimal("0.45"),
        description="Share of joiners below their match ceiling who take the ceiling as their rate.",
    )


class AutomaticEnrollmentSection(Section):
    """Enrollment of those who make no choice, under 414(w)."""

    enabled: OnOff = Field(default=True, description="Whether employees are enrolled automatically.")
    scope: Literal["new_hires_only", "all_eligible"] = Field(
        default="new_hires_only",
        description="Who is enrolled: those hired on or after hire_date_cutoff, or every eligible employee.",
    )
    hire_date_cutoff: CalendarDate | None = Field(
        default=None, description="First hire date of scope `new_hires_only`; null is 1 January of start_year."
    )
    default_deferral_rate: Rate = Field(
        default=Decimal("0.06"), description="Deferral rate of those enrolled automatically."
    )
    window_days: Annotated[int, DAYS] = Field(
        default=45, description="Days from entry (or the plan's effective date) to the automatic enrollment."
    )
    permissible_withdrawal_days: Annotated[int, DAYS] = Field(
        default=30, description="Days after the enrollment on which an opt-out takes effect: 30 to 90 under 414(w)."
    )
    reenroll_non_participants: OnOff = Field(
        default=False, description="Whether non-participants are enrolled again every year."
    )
    reenrollment_date: EveryYearDate = Field(default="07-01", description="Day of the yearly re-enrollment.")
    reenrollment_opt_out_rate: Rate = Field(
        default=Decimal("0.10"), description="Share of those re-enrolled who opt out again."
    )


class EscalationSection(Section):
    """Automatic yearly increases of deferral rates."""

    enabled: OnOff = Field(default=True, description="Whether deferral rates rise automatically.")
    scope: Literal["auto_enrolled", "all_participants"] = Field(
        default="auto_enrolled",
        description="Whose rate rises: those enrolled automatically who made no choice since, or every participant.",
    )
    effective_day: EveryYearDate = Field(default="01-01", description="Day of the yearly increase.")
    delay_years: Annotated[int, DELAY] = Field(
        default=1, description="Completed years since enrollment before the first increase."
    )
    increment: Rate = Field(default=Decimal("0.01"), description="Increase of the deferral rate a year.")
    cap: Rate = Field(default=Decimal("0.10"), description="Deferral rate at which increases stop.")
    opt_out_rate: Rate = Field(
        default=Decimal("0.15"), description="Share of new participants who decline automatic increases."
    )


class OwnChangesSection(Section):
    """Changes that participants make themselves, each year after that of enrollment."""

    raise_rate: Rate = Field(
        default=Decimal("0.10"), description="Share of participants who raise their rate in a year, by 1 or 2 points."
    )
    halve_rate: Rate = Field(
        default=Decimal("0.05"), description="Share of participants who halve their rate in a year."
    )
    stop_rate: Rate = Field(default=Decimal("0.005"), description="Share of participants who stop in a year.")


class MatchResponseSection(Section):
    """How participants answer a change of the match; read only where previous_match is stated."""

    increase_response_rate: Rate = Field(
        default=Decimal("0.40"), description="Share of those below a ceiling that went up who raise their rate."
    )
    increase_full_share: Rate = Field(
        default=Decimal("0.60"), description="Share of those who raise that go to the ceiling; the rest go half-way."
    )
    decrease_response_rate: Rate = Field(
        default=Decimal("0.15"), description="Share of those above a ceiling that went down who lower their rate."
    )
    decrease_full_share: Rate = Field(
        default=Decimal("0.70"), description="Share of those who lower that go to the ceiling; the rest go half-way."
    )


class DeferralsSection(Section):
    """What elective deferrals the plan accepts."""

    maximum_rate: Annotated[Decimal, Number("rate", Decimal(0), Decimal(1), lower_open=True)] = Field(
        default=Decimal("0.75"), description="Largest elective deferral, as a share of pay while eligible."
    )
    roth_feature: OnOff = Field(default=True, description="Whether the plan accepts Roth deferrals.")
    roth_share: Rate = Field(default=Decimal(0), description="Share of deferrals that is Roth by choice.")
    super_catch_up: OnOff = Field(
        default=True, description="Whether the plan adopts the higher catch-up limit for ages 60-63."
    )


class AfterTaxSection(Section):
    """After-tax contributions that are not Roth."""

    rate: Rate = Field(default=Decimal(0), description="After-tax contribution as a share of pay.")
    spill_over: OnOff = Field(
        default=False, description="Whether after-tax contributions are for those who reached the 402(g) limit only."
    )


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


def eligibility_rule(eligibility: EligibilitySection, source: Source) -> DeferralEligibilitySection:
    """Return the rule of a source: its own keys where they are set, those of deferrals elsewhere."""
    if source == "deferral":
        return eligibility.deferral
    return eligibility.deferral.model_copy(update=_own_settings(eligibility, source))


def months_of_service(rule: DeferralEligibilitySection) -> Fraction:
    """Return the service that a rule asks for, in months."""
    return rule.service * _MONTHS[rule.service_unit]


def own_eligibility_keys(eligibility: EligibilitySection, source: Source) -> frozenset[str]:
    """Return the names of the keys that a source does not take over from deferrals."""
    if source == "deferral":
        return frozenset(DeferralEligibilitySection.model_fields)
    return frozenset(_own_settings(eligibility, source))


def _own_settings(eligibility: EligibilitySection, source: Literal["match", "core"]) -> dict[str, object]:
    own = eligibility.match if source == "match" else eligibility.core
    return {name: value for name, value in own if value is not None}
