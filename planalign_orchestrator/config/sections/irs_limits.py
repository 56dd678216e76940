"""The section `irs_limits`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from planalign_orchestrator.config.collection_types import Record, mapping_by_number
from planalign_orchestrator.config.sections.base import DOLLARS, GROWTH, YEAR, Section, key

LIMITS = (
    "elective_deferral_limit",
    "catch_up_limit",
    "super_catch_up_limit",
    "compensation_limit",
    "annual_additions_limit",
    "hce_threshold",
    "social_security_wage_base",
    "roth_catch_up_wage_threshold",
)
LIMITS_BY_YEAR = mapping_by_number(
    YEAR,
    Record(
        "a mapping such as {catch_up_limit: 8500}",
        dict.fromkeys(LIMITS, DOLLARS),
        otherwise=f"the limits are {', '.join(LIMITS)}",
        may_be_empty=False,
        unknown="`{name}` is no limit",
    ),
    "a mapping of years to limits, such as {2027: {catch_up_limit: 8500}}",
)


class IrsLimitsSection(Section):
    """The statutory limits: as published up to 2026, then projected by the rules of the Code.

    Each is projected from its unrounded amount.
    """

    inflation_rate: Annotated[Decimal, GROWTH] = key(
        Decimal("0.025"), "Yearly growth of the limits that follow consumer prices."
    )
    wage_growth_rate: Annotated[Decimal, GROWTH] = key(
        Decimal("0.035"), "Yearly growth of the Social Security wage base."
    )
    by_year: Annotated[Mapping[int, Mapping[str, Decimal]], LIMITS_BY_YEAR] = key(
        {},
        "Year -> limits in US dollars that replace those of that year alone. Limits: " + ", ".join(LIMITS) + ".",
        narrower="no year before start_year - 1",
        of_all_years=True,
    )
