"""The section `plan.forfeitures`."""

from decimal import Decimal
from typing import Literal

from planalign_orchestrator.config.sections.base import Dollars, Section, key


class ForfeituresSection(Section):
    """What becomes of money that people were not vested in at their exit."""

    use: Literal["offset_employer", "pay_expenses", "reallocate"] = key(
        "offset_employer",
        "What forfeitures of the year before do: lower employer contributions, pay plan expenses first, or go to "
        "participants.",
        "forfeiture_use",
    )
    opening_balance: Dollars = key(
        Decimal(0),
        "Forfeitures in US dollars that the plan holds on 1 January of start_year and has not used yet.",
        "forfeiture_opening_balance",
        of_all_years=True,
    )
    annual_expenses: Dollars = key(
        Decimal(0), "Plan expenses in US dollars a year, which forfeitures may pay.", "plan_expenses"
    )
