"""The section `plan.forfeitures`."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from planalign_orchestrator.config.sections.base import Dollars, Section


class ForfeituresSection(Section):
    """What becomes of money that leavers were not vested in."""

    use: Literal["offset_employer", "pay_expenses", "reallocate"] = Field(
        default="offset_employer",
        description="Forfeitures lower employer contributions, pay plan expenses first, or go to participants.",
    )
    annual_expenses: Dollars = Field(default=Decimal(0), description="Plan expenses in US dollars a year.")
