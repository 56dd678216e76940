"""The section `raise_timing`."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from planalign_orchestrator.config.sections.base import EveryYearDate, Section, ServiceYears, TwelveWeights

# The profile .28 .03 .07 .18 .04 .05 .23 .03 .04 .08 .02 .02 sums to 1.07; these are its shares, by largest remainder.
_RAISE_PROFILE = tuple(
    Decimal(share) / 10_000 for share in (2617, 280, 654, 1682, 374, 467, 2150, 280, 374, 748, 187, 187)
)


class RaiseTimingSection(Section):
    """When raises take effect, and who gets one."""

    methodology: Literal["realistic", "fixed", "anniversary"] = Field(
        default="realistic",
        description="Raise day: by month_weights (`realistic`), fixed_date (`fixed`) or hire day (`anniversary`).",
    )
    fixed_date: EveryYearDate = Field(
        default="07-01", description="Day of every raise with methodology `fixed` (month-day)."
    )
    month_weights: TwelveWeights = Field(
        default=_RAISE_PROFILE,
        description="Weights of the months, January first, in which raises fall with methodology `realistic`.",
    )
    minimum_service_years: ServiceYears = Field(
        default=1, description="Completed years of service needed on the raise date."
    )
