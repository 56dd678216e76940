"""The section `plan.core`."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.lists import CoreTierEntry, CoreTiers
from planalign_orchestrator.config.sections.base import Dollars, OnOff, Rate, Section
from planalign_orchestrator.config.sections.plan.gates import LastDayExceptions
from planalign_orchestrator.config.types import Number

# Above 1 is legible here, so that the check against 401(l) can say what is wrong with it.
SHARE_OF_WAGE_BASE = Number("rate", Decimal(0), Decimal(2), lower_open=True, upper_open=True)
CoreName = Literal["none", "flat", "service", "points", "age", "safe_harbor_nonelective"]


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
