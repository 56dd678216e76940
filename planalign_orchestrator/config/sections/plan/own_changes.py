"""The section `plan.own_changes`."""

from decimal import Decimal

from pydantic import Field

from planalign_orchestrator.config.sections.base import Rate, Section


class OwnChangesSection(Section):
    """Changes that participants make themselves, each year after that of enrollment."""

    raise_rate: Rate = Field(
        default=Decimal("0.10"), description="Share of participants who raise their rate in a year, by 1 or 2 points."
    )
    halve_rate: Rate = Field(
        default=Decimal("0.05"), description="Share of participants who halve their rate in a year."
    )
    stop_rate: Rate = Field(default=Decimal("0.005"), description="Share of participants who stop in a year.")
