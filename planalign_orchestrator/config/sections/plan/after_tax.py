"""The section `plan.after_tax`."""

from decimal import Decimal

from pydantic import Field

from planalign_orchestrator.config.sections.base import OnOff, Rate, Section


class AfterTaxSection(Section):
    """After-tax contributions that are not Roth."""

    rate: Rate = Field(default=Decimal(0), description="After-tax contribution as a share of pay.")
    spill_over: OnOff = Field(
        default=False, description="Whether after-tax contributions are for those who reached the 402(g) limit only."
    )
