"""The section `irs_limits`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from planalign_orchestrator.config.lists import LimitsByYear
from planalign_orchestrator.config.sections.base import DOLLARS, GROWTH, YEAR, Section


class IrsLimitsSection(Section):
    """How the statutory limits move after the last published year."""

    inflation_rate: Annotated[Decimal, GROWTH] = Field(
        default=Decimal("0.025"), description="Yearly growth of the limits that follow consumer prices."
    )
    wage_growth_rate: Annotated[Decimal, GROWTH] = Field(
        default=Decimal("0.035"), description="Yearly growth of the Social Security wage base."
    )
    by_year: Annotated[Mapping[int, Mapping[str, Decimal]], LimitsByYear(YEAR, DOLLARS)] = Field(
        default={}, description="Year -> limits in US dollars that replace those of that year alone."
    )
