"""The section `plan.automatic_enrollment`."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from planalign_orchestrator.config.sections.base import (
    CalendarDate,
    EveryYearDate,
    OnOff,
    Parameter,
    Rate,
    Section,
    key,
)
from planalign_orchestrator.config.types import Number

if TYPE_CHECKING:
    from planalign_orchestrator.config.configuration import SimulationConfig

DAYS = Number("whole number of days", Decimal(0), Decimal(365), places=0)


def _opens(date: dt.date | None, config: "SimulationConfig") -> str:
    """Return the day before which no window opens, as ISO text."""
    widest = ("all_eligible", config.plan.automatic_enrollment.scope)

    def reaches_as_many(earlier: "SimulationConfig") -> bool:
        enrollment = earlier.plan.automatic_enrollment
        return enrollment.enabled and enrollment.scope in widest

    return _on_or_after(date, config.first_year_with(reaches_as_many), config)


def _cutoff(date: dt.date | None, config: "SimulationConfig") -> str:
    """Return the first hire date of scope `new_hires_only`, as ISO text."""
    switched_on = config.first_year_with(lambda earlier: earlier.plan.automatic_enrollment.enabled)
    return (date or dt.date(switched_on, 1, 1)).isoformat()


def _on_or_after(date: dt.date | None, year: int, config: "SimulationConfig") -> str:
    """Return a date, but not before the year in which something changed; what held from the start began earlier."""
    first_day = dt.date(year, 1, 1)
    if date is None:
        return first_day.isoformat()
    return (date if year == config.simulation.start_year else max(date, first_day)).isoformat()


class AutomaticEnrollmentSection(Section):
    """Enrollment of those who make no choice, under 414(w)."""

    enabled: OnOff = key(True, "Whether those who make no choice are enrolled.", "automatic_enrollment_enabled")
    scope: Literal["new_hires_only", "all_eligible"] = key(
        "new_hires_only",
        "Who is enrolled: those hired on or after hire_date_cutoff, or every eligible employee.",
        "automatic_enrollment_scope",
    )
    effective_date: CalendarDate | None = key(
        None,
        "Day before which nobody is enrolled automatically; null is 1 January of start_year. Nothing else waits for "
        "it. Where enrollment is switched on later, or its scope widens, nobody is enrolled before that 1 January.",
        Parameter("automatic_enrollment_opens", _opens),
        replaces="plan.effective_date",
    )
    hire_date_cutoff: CalendarDate | None = key(
        None,
        "First hire date of scope `new_hires_only`; null is 1 January of the year in which it was last switched on.",
        Parameter("automatic_enrollment_cutoff", _cutoff),
    )
    default_deferral_rate: Rate = key(
        Decimal("0.06"),
        "Deferral rate of those enrolled automatically.",
        "default_deferral_rate",
        narrower="0 to deferrals.maximum_rate",
    )
    window_days: Annotated[int, DAYS] = key(
        45,
        "Days from entry, or from effective_date if that is later, to the automatic enrollment.",
    )
    permissible_withdrawal_days: Annotated[int, DAYS] = key(
        30,
        "Days after the enrollment on which an opt-out takes effect; its contributions are refunded under 414(w).",
        "permissible_withdrawal_days",
        narrower="30 to 90",
    )
    reenroll_non_participants: OnOff = key(
        False,
        "Whether eligible non-participants are enrolled again every year, never within 90 days of an opt-out.",
        "reenrollment_enabled",
    )
    reenrollment_date: EveryYearDate = key("07-01", "Day of the yearly re-enrollment.", "reenrollment_date")
    reenrollment_opt_out_rate: Rate = key(
        Decimal("0.10"), "Share of those re-enrolled who opt out again.", "reenrollment_opt_out_rate"
    )
