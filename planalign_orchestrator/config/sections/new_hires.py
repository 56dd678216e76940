"""The section `new_hires`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from planalign_orchestrator.config.collection_types import NumberByNumber
from planalign_orchestrator.config.sections.base import LEVEL, RATE, Rate, Section, TwelveWeights, WeeklyHours


class NewHiresSection(Section):
    """Who is hired, when and at what pay."""

    level_mix: Annotated[Mapping[int, Decimal], NumberByNumber(LEVEL, RATE, "{1: 0.6, 2: 0.4}", shares=True)] = Field(
        default={}, description="Level -> share of the hires; empty is the mix of the opening workforce."
    )
    hire_timing: TwelveWeights = Field(
        default="even", description="Weights of the months, January first, in which people are hired."
    )
    pay_noise_sd: Rate = Field(
        default=Decimal("0.05"), description="Standard deviation of the logarithm of a hire's pay around its target."
    )
    part_time_share: Rate = Field(default=Decimal(0), description="Share of the hires who work part-time.")
    part_time_hours_per_week: WeeklyHours = Field(
        default=Decimal(20), description="Scheduled weekly hours of a part-time hire."
    )
    full_time_hours_per_week: WeeklyHours = Field(
        default=Decimal(40), description="Scheduled weekly hours of every other hire."
    )
