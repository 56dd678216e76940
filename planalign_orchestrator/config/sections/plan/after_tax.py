"""The section `plan.after_tax`."""

from decimal import Decimal

from planalign_orchestrator.config.sections.base import OnOff, Rate, Section, key


class AfterTaxSection(Section):
    """Contributions after tax that are not Roth; they are never matched."""

    rate: Rate = key(Decimal(0), "After-tax contribution as a share of pay.", "after_tax_rate")
    spill_over: OnOff = key(
        False,
        "Whether what 402(g) and the catch-up limit leave of an election goes on as an after-tax contribution, up to "
        "deferrals.maximum_rate; `rate` beside it is an error.",
        "after_tax_spill_over",
    )
