"""The section `plan.own_changes`."""

from decimal import Decimal

from planalign_orchestrator.config.sections.base import Rate, Section, key


class OwnChangesSection(Section):
    """Changes that participants make themselves, each year after that of enrollment.

    The three rates sum to at most 1.
    """

    raise_rate: Rate = key(
        Decimal("0.10"),
        "Share of participants who raise their rate in a year, by 1 or 2 percent of pay.",
        "own_change_raise_rate",
    )
    halve_rate: Rate = key(
        Decimal("0.025"), "Share of participants who halve their rate in a year.", "own_change_halve_rate"
    )
    stop_rate: Rate = key(Decimal("0.005"), "Share of participants who stop in a year.", "own_change_stop_rate")
