"""The section `workforce`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from planalign_orchestrator.config.sections.base import LEVEL_MIX, Rate, Section, TwelveWeights, key
from planalign_orchestrator.config.types import Number

SHARE_BELOW_ONE = Number("rate", Decimal(0), Decimal(1), upper_open=True)


class WorkforceSection(Section):
    """How many people leave, and when."""

    headcount_mode: Literal["exact", "stochastic"] = key(
        "exact",
        "`exact` meets the growth target to the person every year; `stochastic` meets it in expectation, so that "
        "headcount varies with the seed.",
        "headcount_mode",
    )
    structure: Literal["positions", "rates"] = key(
        "positions",
        "`positions` keeps the positions of each level on the headcount path: people are promoted into openings and "
        "hired for what is left; `rates` promotes by rates and hires by a mix of levels, so that levels drift.",
        "workforce_structure",
    )
    level_mix: Annotated[Mapping[int, Decimal], LEVEL_MIX] = key(
        {},
        "Level -> share of the positions from the first simulated year on; empty keeps the shares of the opening "
        "workforce. With structure `positions`.",
        narrower="the shares sum to 1",
    )
    total_termination_rate: Rate = key(
        Decimal("0.12"), "Share of the headcount of 1 January that leaves within the year.", "total_termination_rate"
    )
    new_hire_termination_rate: Annotated[Decimal, SHARE_BELOW_ONE] = key(
        Decimal("0.25"),
        "Share of a year's hires who leave before 31 December of that year.",
        "new_hire_termination_rate",
    )
    voluntary_share: Rate = key(
        Decimal("0.75"),
        "Share of the exits other than deaths, disability and retirements that are voluntary; the rest are "
        "involuntary.",
        "voluntary_share",
    )
    exit_timing: TwelveWeights = key("even", "Weights of the months in which people leave.")
