"""The section `plan.eligibility`, and the rule of each source of money that follows from it."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NotRequired, TypedDict

from pydantic import Field

from planalign_orchestrator.config.collection_types import ListOf, Record, rising
from planalign_orchestrator.config.sections.base import LEVEL, Parameter, Section, key
from planalign_orchestrator.config.types import FLAG, Number, text
from planalign_orchestrator.problems import RefusedError

if TYPE_CHECKING:
    from planalign_orchestrator.config.configuration import SimulationConfig

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
LEVELS = ListOf("a list such as [5]", LEVEL, check=rising, schema={"uniqueItems": True})
# columns of the census, see dbt/macros/plan.sql
GROUP_COLUMNS = ("department", "location", "employee_class", "sex")


class ExclusionEntry(TypedDict):
    column: str
    values: tuple[str, ...]
    collectively_bargained: NotRequired[bool]


def folded(name: str) -> str:
    """Return a name as names are compared: without outer blanks, in small letters."""
    return name.strip().lower()


def _once(entries: list[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    named = [(entry["column"], folded(value)) for entry in entries for value in entry["values"]]
    for column, value in named:
        if named.count((column, value)) > 1:
            raise RefusedError(f"names {value!r} of {column} twice; case and outer blanks do not count")
    return entries


def _some(values: list[str]) -> Sequence[str]:
    if not values:
        raise RefusedError("has no value; name at least one, such as [Union]")
    return values


EXCLUDED = ListOf(
    "a list of groups such as [{column: employee_class, values: [Union]}]",
    Record(
        "a mapping such as {column: employee_class, values: [Union]}",
        {
            "column": text(f"one of {', '.join(GROUP_COLUMNS)}", "|".join(GROUP_COLUMNS)),
            "values": ListOf("a list of values, such as [Union, Interns]", text("a value of the column"), check=_some),
            "collectively_bargained": FLAG,
        },
        otherwise="its keys are column, values and collectively_bargained",
        required=("column", "values"),
    ),
    "group",
    _once,
)
MinimumAge = Annotated[Decimal, MINIMUM_AGE]
Service = Annotated[int, SERVICE]


def _in_months(age: Decimal, config: object) -> int:
    return int(age * 12)


_AGE_IN_MONTHS = Parameter("{source}_minimum_age_months", _in_months, "integer")


class DeferralEligibilitySection(Section):
    """When an employee may make elective deferrals.

    Entry is on the first entry date on or after the day on which age and service are met.
    """

    minimum_age: MinimumAge = key(
        Decimal(21),
        "Age needed; above 21 is an error under 410(a)(1)(A).",
        _AGE_IN_MONTHS,
        narrower="0 to 21",
    )
    method: Method = key(
        "elapsed",
        "How service is counted: `elapsed` is time employed, `hours` is anniversary years with 1,000 scheduled hours.",
        "{source}_service_method",
    )
    service: Service = key(
        0, "Service needed, in service_unit; more than a year is an error under 401(k)(2)(D).", "{source}_service"
    )
    service_unit: ServiceUnit = key(
        "months", "Unit of service; with method `hours` it must be years.", "{source}_service_unit"
    )
    entry_dates: EntryDates = key(
        "immediate",
        "Entry dates: every day, the first of a month, of a quarter or of a half-year, or 1 January. `annual` with "
        "more than six months of service or a minimum_age above 20.5 is an error under 410(a)(4).",
        "{source}_entry_dates",
    )


class EmployerEligibilitySection(Section):
    """When an employee shares in an employer contribution; null is as for deferrals."""

    null_is_as_in: ClassVar[str] = "deferral"
    becomes: ClassVar[tuple[Parameter, ...]] = (
        Parameter("{source}_follows_deferral", lambda section, config: not _own_settings(section), "boolean"),
    )

    minimum_age: MinimumAge | None = key(
        None, "Age needed; null is as for deferrals.", _AGE_IN_MONTHS, narrower="0 to 21"
    )
    method: Method | None = key(None, "How service is counted; null is as for deferrals.", "{source}_service_method")
    service: Service | None = key(
        None,
        "Service needed; null is as for deferrals. More than a year is an error under 410(a)(1)(B), more than two if "
        "the money vests at once.",
        "{source}_service",
    )
    service_unit: ServiceUnit | None = key(None, "Unit of service; null is as for deferrals.", "{source}_service_unit")
    entry_dates: EntryDates | None = key(None, "Entry dates; null is as for deferrals.", "{source}_entry_dates")


class EligibilitySection(Section):
    """Who may be in the plan, by source of money, and who is excluded from it."""

    becomes: ClassVar[tuple[Parameter, ...]] = (
        # the year in which the rules of entry last changed: who has not entered is ruled anew
        Parameter(
            "eligibility_year", lambda section, config: config.first_year_with(_has_rules_of(section)), "integer"
        ),
    )

    deferral: DeferralEligibilitySection = Field(default_factory=DeferralEligibilitySection)
    match: EmployerEligibilitySection = Field(default_factory=EmployerEligibilitySection)
    core: EmployerEligibilitySection = Field(default_factory=EmployerEligibilitySection)
    excluded_levels: Annotated[tuple[int, ...], LEVELS] = key((), "Job levels that are excluded from the plan.")
    excluded: Annotated[tuple[ExclusionEntry, ...], EXCLUDED] = key(
        (),
        "Groups of the census that are excluded from the plan: a column (department, location, employee_class or sex) "
        "and its values, in any case of letters. A group that is collectively_bargained is not counted in coverage.",
        example="- {column: employee_class, values: [Union], collectively_bargained: true}",
        replaces="excluded_departments",
    )


def eligibility_rule(eligibility: EligibilitySection, source: Source) -> DeferralEligibilitySection:
    """Return the rule of a source: its own keys where they are set, those of deferrals elsewhere."""
    if source == "deferral":
        return eligibility.deferral
    return eligibility.deferral.model_copy(update=_own_settings(_employer(eligibility, source)))


def months_of_service(rule: DeferralEligibilitySection) -> Fraction:
    """Return the service that a rule asks for, in months."""
    return rule.service * _MONTHS[rule.service_unit]


def own_eligibility_keys(eligibility: EligibilitySection, source: Source) -> frozenset[str]:
    """Return the names of the keys that a source does not take over from deferrals."""
    if source == "deferral":
        return frozenset(DeferralEligibilitySection.model_fields)
    return frozenset(_own_settings(_employer(eligibility, source)))


def _has_rules_of(eligibility: EligibilitySection) -> "Callable[[SimulationConfig], bool]":
    rules = [eligibility_rule(eligibility, source) for source in SOURCES]
    return lambda config: [eligibility_rule(config.plan.eligibility, source) for source in SOURCES] == rules


def _employer(eligibility: EligibilitySection, source: Literal["match", "core"]) -> EmployerEligibilitySection:
    return eligibility.match if source == "match" else eligibility.core


def _own_settings(section: EmployerEligibilitySection) -> dict[str, object]:
    return {name: value for name, value in section if value is not None}
