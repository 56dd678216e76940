"""The section `plan.participation`."""

from decimal import Decimal

from planalign_orchestrator.config.sections.base import Rate, Section, key


class ParticipationSection(Section):
    """How the tables of participation (`parameters`) are applied."""

    automatic_enrollment_factor: Rate = key(
        Decimal("0.5"),
        "Factor on the probability of joining for those whom automatic enrollment will catch anyway.",
        "automatic_enrollment_factor",
    )
    ceiling_share: Rate = key(
        Decimal("0.45"),
        "Share of joiners who take the rate that earns the whole match where the rate of the table is below it.",
        "ceiling_share",
    )
