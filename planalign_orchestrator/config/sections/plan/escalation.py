"""The section `plan.escalation`."""

from decimal import Decimal
from typing import Annotated, Literal

from planalign_orchestrator.config.sections.base import EveryYearDate, OnOff, Rate, Section, key
from planalign_orchestrator.config.types import Number

DELAY = Number("whole number of years", Decimal(0), Decimal(10), places=0)


class EscalationSection(Section):
    """Automatic yearly increases of deferral rates."""

    enabled: OnOff = key(True, "Whether deferral rates rise automatically every year.", "escalation_enabled")
    scope: Literal["auto_enrolled", "all_participants"] = key(
        "auto_enrolled",
        "Whose rate rises: those enrolled automatically until they make a choice of their own, or every participant.",
        "escalation_scope",
    )
    effective_day: EveryYearDate = key("01-01", "Day of the yearly increase.", "escalation_effective_day")
    delay_years: Annotated[int, DELAY] = key(
        1, "Completed years since enrollment before the first increase.", "escalation_delay_years"
    )
    increment: Rate = key(Decimal("0.01"), "Increase of the deferral rate a year.", "escalation_increment")
    cap: Rate = key(
        Decimal("0.10"),
        "Deferral rate at which increases stop.",
        "escalation_cap",
        narrower="0 to deferrals.maximum_rate",
    )
    opt_out_rate: Rate = key(
        Decimal("0.15"), "Share of new participants who decline automatic increases.", "escalation_opt_out_rate"
    )
