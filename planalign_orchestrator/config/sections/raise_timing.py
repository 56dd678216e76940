"""The section `raise_timing`."""

from decimal import Decimal
from typing import Literal

from planalign_orchestrator.config.sections.base import EveryYearDate, Section, ServiceMonths, TwelveWeights, key

# The profile .28 .03 .07 .18 .04 .05 .23 .03 .04 .08 .02 .02 sums to 1.07; these are its shares, by largest remainder.
_RAISE_PROFILE = tuple(
    Decimal(share).scaleb(-4) for share in (2617, 280, 654, 1682, 374, 467, 2150, 280, 374, 748, 187, 187)
)


class RaiseTimingSection(Section):
    """When raises take effect, and who gets one."""

    methodology: Literal["realistic", "fixed", "anniversary"] = key(
        "realistic",
        "Day of a raise: `realistic` draws the month by month_weights, `fixed` is fixed_date for everyone, "
        "`anniversary` is the day of hire.",
        "raise_methodology",
    )
    fixed_date: EveryYearDate = key("07-01", "Day of every raise with methodology `fixed`.", "raise_fixed_date")
    month_weights: TwelveWeights = key(
        _RAISE_PROFILE,
        "Weights of the months in which raises fall with methodology `realistic`. The default is the profile 28, 3, 7, "
        "18, 4, 5, 23, 3, 4, 8, 2, 2 divided by its sum of 107.",
    )
    minimum_service_months: ServiceMonths = key(
        6,
        "Completed months of service needed for a raise; a drawn day before that is moved to it, within the year.",
        "raise_minimum_service_months",
        replaces="minimum_service_years",
    )
