"""The section `compensation`, and promotions below it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from planalign_orchestrator.config.collection_types import mapping_by_number
from planalign_orchestrator.config.sections.base import (
    DOLLARS,
    FACTOR,
    LEVEL,
    RATE,
    EveryYearDate,
    Parameter,
    Rate,
    Section,
    ServiceYears,
    key,
)
from planalign_orchestrator.config.types import Number

AGE = Number("whole number of years", Decimal(14), Decimal(120), places=0)


def _or_usual(value: Decimal | None, usual: float) -> float:
    return usual if value is None else float(value)


class PromotionSection(Section):
    """Who moves up a level, and what it pays."""

    effective_date: EveryYearDate = key("02-01", "Day on which promotions take effect.", "promotion_effective_date")
    fill_share: Rate = key(
        Decimal("0.5"),
        "Share of the openings of a level that are filled by promotion, where there are candidates; where nobody is "
        "hired, all of them are. With workforce.structure `positions`.",
        "promotion_fill_share",
    )
    base_rate: Rate | None = key(
        None,
        "Yearly probability of a promotion before age, tenure and level count; null is 0.04. With workforce.structure "
        "`rates`.",
        Parameter("promotion_base_rate", lambda rate, config: _or_usual(rate, 0.04), "decimal(9, 6)"),
    )
    rate_multiplier: Annotated[Decimal, FACTOR] | None = key(
        None,
        "Factor on every promotion probability: 0 switches promotions off, 2 doubles them; null is 1. With "
        "workforce.structure `rates`.",
        Parameter("promotion_rate_multiplier", lambda factor, config: _or_usual(factor, 1.0), "decimal(9, 6)"),
    )
    minimum_service_years: ServiceYears = key(
        1, "Completed years of service needed on the promotion date.", "promotion_minimum_service_years"
    )
    maximum_age: Annotated[int, AGE] = key(
        65, "Age on the promotion date from which nobody is promoted any more.", "promotion_maximum_age"
    )
    base_increase: Rate = key(
        Decimal("0.10"), "Pay increase at a promotion: the middle of the drawn range.", "promotion_base_increase"
    )
    increase_spread: Rate = key(
        Decimal("0.03"),
        "Half the width of the drawn range: the increase is base_increase plus or minus at most this.",
        "promotion_increase_spread",
        narrower="0 to base_increase",
    )
    maximum_increase_rate: Rate = key(
        Decimal("0.20"),
        "Largest increase as a share of pay, the lift to the minimum of the new level included.",
        "promotion_maximum_increase_rate",
    )
    maximum_increase_amount: Annotated[Decimal, DOLLARS] = key(
        Decimal(500000),
        "Largest increase in US dollars a year, the lift to the minimum of the new level included.",
        "promotion_maximum_increase_amount",
    )


class BonusSection(Section):
    """Variable pay: a share of the base pay of the year before, paid on one day to everyone employed on it.

    `employee_variable_compensation` of the census fixes a person's own share; it needs no key.
    """

    target_share: Annotated[
        Mapping[int, Decimal], mapping_by_number(LEVEL, RATE, "a mapping such as {4: 0.15, 5: 0.3}")
    ] = key(
        {},
        "Level -> bonus as a share of the base pay of the year before, for everyone whose share the census does not "
        "give; a level that is not named has none.",
        narrower="levels of parameters.job_levels, rates from 0 to 1",
    )
    pay_date: EveryYearDate = key("03-15", "Day on which bonuses are paid.", "bonus_pay_date")
    standard_deviation: Rate = key(
        Decimal(0),
        "Spread of bonuses around the share: each is share x (1 + this x a normal draw), at least 0.",
        "bonus_standard_deviation",
    )


class CompensationSection(Section):
    """How pay changes, and what is paid beside it."""

    cola_rate: Rate = key(Decimal("0.02"), "Cost-of-living part of every raise.")
    merit_budget: Rate = key(
        Decimal("0.015"),
        "Merit part of the raises: the payroll-weighted average over everyone with a full raise. Surveyed budgets "
        "of 3.5 % include the general increase, which is cola_rate.",
        "merit_budget",
    )
    structure_increase_rate: Rate | None = key(
        Decimal("0.03"),
        "Yearly increase of the pay ranges of the levels and of the income bounds of the participation tables; null is "
        "the COLA of the year.",
    )
    promotion: PromotionSection = Field(default_factory=PromotionSection)
    bonus: BonusSection = Field(default_factory=BonusSection)
