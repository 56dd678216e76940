"""The section `plan.core`."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from planalign_orchestrator.config.sections.base import Dollars, Rate, Section, key
from planalign_orchestrator.config.sections.plan.gates import GatesSection
from planalign_orchestrator.config.sections.plan.tiers import CORE_TIERS, CoreTierEntry
from planalign_orchestrator.config.types import Number

# Above 1 is legible here, so that the check against 401(l) can say what is wrong with it.
SHARE_OF_WAGE_BASE = Number("rate", Decimal(0), Decimal(2), lower_open=True, upper_open=True)
CoreName = Literal[
    "none",
    "flat",
    "service",
    "points",
    "age",
    "safe_harbor_nonelective",
    "safe_harbor_nonelective_late",
    "qaca_nonelective",
]


class CoreFormulaSection(Section):
    """What a core contribution pays."""

    formula: CoreName = key(
        "none",
        "Formula: one rate (`flat`), rates by completed years of service, points (age + service) or age; or to "
        "everybody the 3 % of 401(k)(12)(C), the 4 % of 401(k)(12)(F) for a plan that adopts them late, or the 3 % of "
        "401(k)(13)(D) (QACA). Those by service, points and age require 401(a)(4) testing.",
    )
    rate: Rate | None = key(None, "Share of pay of formula `flat`; null for every other formula.")
    tiers: Annotated[tuple[CoreTierEntry, ...], CORE_TIERS] = key(
        (), "Tiers of formulas `service`, `points` and `age`; the bands cover everybody once."
    )
    integration_level: Literal["none", "wage_base", "percent_of_wage_base", "dollars"] = key(
        "none",
        "Pay above which formula `flat` adds disparity_rate, within the bounds of 401(l) in every simulated year: "
        "the Social Security wage base, a share of it (integration_percent), or an amount (integration_dollars).",
    )
    integration_percent: Annotated[Decimal, SHARE_OF_WAGE_BASE] | None = key(
        None,
        "Share of the wage base, for `percent_of_wage_base`; null for every other level.",
        narrower="above 0 and up to 1",
    )
    integration_dollars: Dollars | None = key(None, "Level in US dollars, for `dollars`; null for every other level.")
    disparity_rate: Rate | None = key(
        None,
        "Additional rate on pay above the integration level: at most `rate`, and 0.057, 0.054 or 0.043 by the level; "
        "null without one.",
        narrower="0 to 0.057",
    )


class CoreSection(GatesSection, CoreFormulaSection):
    """The core contribution, for every eligible employee, enrolled or not, and who gets it."""

    formula_keys: ClassVar[tuple[str, ...]] = (
        "rate",
        "tiers",
        "integration_level",
        "integration_percent",
        "integration_dollars",
        "disparity_rate",
    )
