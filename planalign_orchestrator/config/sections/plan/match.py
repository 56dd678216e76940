"""The sections `plan.match` and `plan.previous_match`."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.lists import MatchTierEntry, MatchTiers
from planalign_orchestrator.config.sections.base import Dollars, OnOff, Rate, Section
from planalign_orchestrator.config.sections.plan.gates import LastDayExceptions
from planalign_orchestrator.config.types import Number

PERIODS = Number("whole number", Decimal(1), Decimal(366), places=0)
MatchName = Literal["none", "custom", "simple", "safe_harbor_basic", "safe_harbor_enhanced", "qaca", "stretch"]
TiersBy = Literal["none", "service", "points", "age"]


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
