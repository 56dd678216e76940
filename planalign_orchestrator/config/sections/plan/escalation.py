"""The section `plan.escalation`."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.sections.base import EveryYearDate, OnOff, Rate, Section
from planalign_orchestrator.config.types import Number

DELAY = Number("whole number of years", Decimal(0), Decimal(10), places=0)


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
