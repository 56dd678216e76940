"""The section `workforce`."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.sections.base import SHARE_BELOW_ONE, Rate, Section, TwelveWeights


class WorkforceSection(Section):
    """How many people leave, and when."""

    headcount_mode: Literal["exact", "stochastic"] = Field(
        default="exact",
        description="`exact` meets the growth target to the person; `stochastic` meets it in expectation only.",
    )
    total_termination_rate: Rate = Field(
        default=Decimal("0.12"), description="Share of the headcount of 1 January that leaves within the year."
    )
    new_hire_termination_rate: Annotated[Decimal, SHARE_BELOW_ONE] = Field(
        default=Decimal("0.25"), description="Share of a year's hires who leave before 31 December."
    )
    voluntary_share: Rate = Field(
        default=Decimal("0.75"), description="Share of the exits other than retirements that are voluntary."
    )
    exit_timing: TwelveWeights = Field(
        default="even", description="Weights of the months, January first, in which people leave."
    )
