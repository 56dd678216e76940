"""The section `compensation`, and promotions below it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from planalign_orchestrator.config.collection_types import NumberByNumber
from planalign_orchestrator.config.sections.base import (
    AGE,
    DOLLARS,
    FACTOR,
    RATE,
    YEAR,
    EveryYearDate,
    Rate,
    Section,
    ServiceYears,
)


class PromotionSection(Section):
    """Who moves up a level, and what it pays."""

    effective_date: EveryYearDate = Field(
        default="02-01", description="Day on which promotions take effect (month-day)."
    )
    base_rate: Rate = Field(
        default=Decimal("0.04"), description="Yearly probability of a promotion before age, tenure and level count."
    )
    rate_multiplier: Annotated[Decimal, FACTOR] = Field(
        default=Decimal("1.0"), description="Factor on every promotion probability."
    )
    minimum_service_years: ServiceYears = Field(
        default=1, description="Completed years of service needed on the promotion date."
    )
    maximum_age: Annotated[int, AGE] = Field(
        default=65, description="Age on the promotion date from which nobody is promoted any more."
    )
    base_increase: Rate = Field(
        default=Decimal("0.20"), description="Pay increase at a promotion: the middle of the drawn range."
    )
    increase_spread: Rate = Field(
        default=Decimal("0.05"),
        description="Half the width of the drawn range: the increase is base_increase plus or minus at most this.",
    )
    maximum_increase_rate: Rate = Field(
        default=Decimal("0.30"),
        description="Largest increase as a share of pay, before the lift to the minimum of the new level.",
    )
    maximum_increase_amount: Annotated[Decimal, DOLLARS] = Field(
        default=Decimal(500000),
        description="Largest increase in US dollars a year, before the lift to the minimum of the new level.",
    )


class CompensationSection(Section):
    """How pay changes."""

    cola_rate: Rate = Field(default=Decimal("0.02"), description="Cost-of-living part of every raise.")
    cola_rate_by_year: Annotated[Mapping[int, Decimal], NumberByNumber(YEAR, RATE, "{2026: 0.025}")] = Field(
        default={}, description="Simulated year -> rate that replaces cola_rate in that year."
    )
    merit_budget: Rate = Field(
        default=Decimal("0.035"),
        description="Merit part of the raises: the payroll-weighted average over everyone eligible.",
    )
    structure_increase_rate: Rate | None = Field(
        default=None, description="Yearly increase of the pay ranges of the levels; null is the COLA of the year."
    )
    promotion: PromotionSection = Field(default_factory=PromotionSection)
