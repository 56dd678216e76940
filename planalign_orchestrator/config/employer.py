"""What the employer adds to the plan: match, core, vesting and the use of forfeitures; and the statutory limits."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.lists import (
    CoreTierEntry,
    CoreTiers,
    LimitsByYear,
    MatchTierEntry,
    MatchTiers,
    VestingSchedule,
    VestingSetting,
    WordList,
)
from planalign_orchestrator.config.sections import DOLLARS, GROWTH, YEAR, OnOff, Rate, Section
from planalign_orchestrator.config.types import Number

PERIODS = Number("whole number", Decimal(1), Decimal(366), places=0)
# Above 1 is legible here, so that the check against 401(l) can say what is wrong with it.
SHARE_OF_WAGE_BASE = Number("rate", Decimal(0), Decimal(2), lower_open=True, upper_open=True)

MatchName = Literal["none", "custom", "simple", "safe_harbor_basic", "safe_harbor_enhanced", "qaca", "stretch"]
CoreName = Literal["none", "flat", "service", "points", "age", "safe_harbor_nonelective"]
TiersBy = Literal["none", "service", "points", "age"]
Dollars = Annotated[Decimal, DOLLARS]
LastDayExceptions = Annotated[tuple[str, ...], WordList(("retirement", "age_55"))]
Vesting = Annotated[VestingSetting, VestingSchedule()]


class MatchFormulaSection(Section):
    """What a match pays on the deferrals of a person."""

    formula: MatchName | None = Field(
        default=None,
        description="Match before the first year, to which participants compare the present one; null is not stated.",
    )
    tiers: Annotated[tuple[MatchTierEntry, ...], MatchTiers()] = Field(
        default=(),
        description="Tiers of formula `custom`: `rate` on the deferrals from `lower` to `upper`, as shares of pay.",
    )
    tiers_by: TiersBy = Field(
        default="none",
        description="What a tier's band `from`-`to` counts: completed years of service, points (age + service) or age.",
    )
    cap_rate: Rate | None = Field(default=None, description="Largest match as a share of pay; null is no such cap.")
    cap_amount: Dollars | None = Field(
        default=None, description="Largest match in US dollars a year; null is no such cap."
    )


class MatchSection(MatchFormulaSection):
    """The match, and who gets it."""

    formula: MatchName = Field(
        default="safe_harbor_basic",
        description="Formula of the match: a preset, `custom` with tiers of its own, or `none`.",
    )
    computed: Literal["annual", "per_payroll"] = Field(
        default="annual",
        description="`annual` matches the year as a whole (true-up), `per_payroll` each pay period by itself.",
    )
    pay_periods: Annotated[int, PERIODS] = Field(
        default=26, description="Pay periods of a year, for `computed: per_payroll`."
    )
    hours_gate: OnOff = Field(default=False, description="Whether 1,000 scheduled hours in the year are needed.")
    last_day_gate: OnOff = Field(default=False, description="Whether employment on 31 December is needed.")
    last_day_exceptions: LastDayExceptions = Field(
        default=("retirement", "age_55"), description="Who gets it all the same when leaving before 31 December."
    )


class CoreSection(Section):
    """The core contribution, which needs no deferral, and who gets it."""

    formula: CoreName = Field(default="none", description="Formula of the core contribution.")
    rate: Rate | None = Field(default=None, description="Share of pay of formula `flat`; null for every other one.")
    tiers: Annotated[tuple[CoreTierEntry, ...], CoreTiers()] = Field(
        default=(),
        description="Tiers of formulas `service`, `points` and `age`: `rate` of pay in the band `from`-`to`.",
    )
    integration_level: Literal["none", "wage_base", "percent_of_wage_base", "dollars"] = Field(
        default="none",
        description="Pay above which formula `flat` adds disparity_rate: the Social Security wage base, part, dollars.",
    )
    integration_percent: Annotated[Decimal, SHARE_OF_WAGE_BASE] | None = Field(
        default=None, description="Share of the wage base, for `percent_of_wage_base`; null for every other level."
    )
    integration_dollars: Dollars | None = Field(
        default=None, description="Level in US dollars, for `dollars`; null for every other level."
    )
    disparity_rate: Rate | None = Field(
        default=None, description="Additional rate on pay above the integration level; null without one."
    )
    hours_gate: OnOff = Field(default=False, description="Whether 1,000 scheduled hours in the year are needed.")
    last_day_gate: OnOff = Field(default=False, description="Whether employment on 31 December is needed.")
    last_day_exceptions: LastDayExceptions = Field(
        default=("retirement", "age_55"), description="Who gets it all the same when leaving before 31 December."
    )


class VestingSection(Section):
    """How employer money vests with completed years of service."""

    match: Vesting = Field(default="immediate", description="Vesting of the match: a named schedule or rates by year.")
    core: Vesting = Field(
        default="immediate", description="Vesting of the core contribution: a named schedule or rates by year."
    )


class ForfeituresSection(Section):
    """What becomes of money that leavers were not vested in."""

    use: Literal["offset_employer", "pay_expenses", "reallocate"] = Field(
        default="offset_employer",
        description="Forfeitures lower employer contributions, pay plan expenses first, or go to participants.",
    )
    annual_expenses: Dollars = Field(default=Decimal(0), description="Plan expenses in US dollars a year.")


class HceSection(Section):
    """Who is a highly compensated employee."""

    top_paid_group: OnOff = Field(
        default=False,
        description="Whether only the top-paid 20 % are highly compensated by pay, 414(q)(1)(B)(ii).",
    )


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
