"""The section `plan.automatic_enrollment`."""

from decimal import Decimal
from typing import Annotated, Literal

from planalign_orchestrator.config.sections.base import (
    CalendarDate,
    EveryYearDate,
    OnOff,
    Parameter,
    Rate,
    Section,
    first_day_if_open,
    key,
)
from planalign_orchestrator.config.types import Number

DAYS = Number("whole number of days", Decimal(0), Decimal(365), places=0)


class AutomaticEnrollmentSection(Section):
    """Enrollment of those who make no choice, under 414(w)."""

    enabled: OnOff = key(True, "Whether those who make no choice are enrolled.", "automatic_enrollment_enabled")
    scope: Literal["new_hires_only", "all_eligible"] = key(
        "new_hires_only",
        "Who is enrolled: those hired on or after hire_date_cutoff, or every eligible employee.",
        "automatic_enrollment_scope",
    )
    hire_date_cutoff: CalendarDate | None = key(
        None,
        "First hire date of scope `new_hires_only`; null is 1 January of start_year.",
        Parameter("automatic_enrollment_cutoff", first_day_if_open),
    )
    default_deferral_rate: Rate = key(
        Decimal("0.06"),
        "Deferral rate of those enrolled automatically.",
        "default_deferral_rate",
        narrower="0 to deferrals.maximum_rate",
    )
    window_days: Annotated[int, DAYS] = key(
        45,
        "Days from entry, or from the plan's effective date if that is later, to the automatic enrollment.",
        "automatic_enrollment_window_days",
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
