"""The section `plan.eligibility`, and the rule of each source of money that follows from it."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.collection_types import TextList
from planalign_orchestrator.config.lists import NumberList
from planalign_orchestrator.config.sections.base import LEVEL, Section
from planalign_orchestrator.config.types import Number, Text

MINIMUM_AGE = Number("number of years", Decimal(0), Decimal(99), places=1, step=Decimal("0.5"))
SERVICE = Number("whole number", Decimal(0), Decimal(1000), places=0)
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
