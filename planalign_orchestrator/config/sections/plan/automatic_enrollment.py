"""The section `plan.automatic_enrollment`."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.sections.base import CalendarDate, EveryYearDate, OnOff, Rate, Section
from planalign_orchestrator.config.types import Number

DAYS = Number("whole number of days", Decimal(0), Decimal(365), places=0)


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
