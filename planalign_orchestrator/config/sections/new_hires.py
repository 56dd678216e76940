"""The section `new_hires`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from planalign_orchestrator.config.sections.base import LEVEL_MIX, Rate, Section, TwelveWeights, key
from planalign_orchestrator.config.types import Number

HOURS = Number("number of hours", Decimal(0), Decimal(168), lower_open=True, places=2)
WeeklyHours = Annotated[Decimal, HOURS]


class NewHiresSection(Section):
    """Who is hired, when and at what pay."""

    level_mix: Annotated[Mapping[int, Decimal], LEVEL_MIX] = key(
        {},
        "Level -> share of the hires; empty is the mix of the opening workforce. With workforce.structure `rates`.",
        narrower="the shares sum to 1",
    )
    hire_timing: TwelveWeights = key("even", "Weights of the months in which people are hired.")
    pay_noise_sd: Rate = key(
        Decimal("0.05"),
        "Spread of hires' pay around the target of their level: standard deviation of the logarithm of pay.",
        "new_hire_pay_noise_sd",
    )
    part_time_share: Rate = key(Decimal(0), "Share of the hires who work part-time.", "new_hire_part_time_share")
    part_time_hours_per_week: WeeklyHours = key(
        Decimal(20),
        "Scheduled weekly hours of a part-time hire.",
        "new_hire_part_time_hours_per_week",
        narrower="above 0 and up to full_time_hours_per_week",
    )
    full_time_hours_per_week: WeeklyHours = key(
        Decimal(40), "Scheduled weekly hours of every other hire.", "new_hire_full_time_hours_per_week"
    )
