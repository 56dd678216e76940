"""The section `new_hires`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from planalign_orchestrator.config.sections.base import LEVEL_MIX, RATE, Section, TwelveWeights, key
from planalign_orchestrator.config.sections.parameters import CENSUS
from planalign_orchestrator.config.types import Kind, Number

HOURS = Number("number of hours", Decimal(0), Decimal(168), lower_open=True, places=2)
WeeklyHours = Annotated[Decimal, HOURS]


def or_census(number: Number) -> Kind:
    """Return the rule of a number that is fitted to the census where the word `census` stands for it."""
    return Kind(
        f"`census` or {number.allowed}",
        lambda value: CENSUS if value == CENSUS else number.parse(value),
        {"anyOf": [{"const": CENSUS}, number.json_schema()]},
    )


FittedRate = Annotated[Decimal | str, or_census(RATE)]


class NewHiresSection(Section):
    """Who is hired, when and at what pay."""

    level_mix: Annotated[Mapping[int, Decimal], LEVEL_MIX] = key(
        {},
        "Level -> share of the hires; empty is the mix of the opening workforce. With workforce.structure `rates`.",
        narrower="the shares sum to 1",
    )
    hire_timing: TwelveWeights = key("even", "Weights of the months in which people are hired.")
    pay_noise_sd: FittedRate = key(
        CENSUS,
        "Spread of hires' pay around the target of their level: standard deviation of the logarithm of pay. `census` "
        "is that of the people hired in the last two years; a number replaces it on every level.",
    )
    part_time_share: FittedRate = key(
        CENSUS, "Share of the hires who work part-time; `census` is that of the people hired in the last two years."
    )
    part_time_hours_per_week: Annotated[Decimal | str, or_census(HOURS)] = key(
        CENSUS,
        "Scheduled weekly hours of a part-time hire; `census` is the median of those of the last two years.",
        narrower="no more than full_time_hours_per_week",
    )
    full_time_hours_per_week: WeeklyHours = key(
        Decimal(40),
        "Scheduled weekly hours of every other hire. Pay for fewer hours is set against levels and ranges as what it "
        "would be for these.",
        "new_hire_full_time_hours_per_week",
    )
