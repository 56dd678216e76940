"""The section `plan.participation`."""

from decimal import Decimal

from pydantic import Field

from planalign_orchestrator.config.sections.base import Rate, Section


class ParticipationSection(Section):
    """How the published participation tables are applied."""

    automatic_enrollment_factor: Rate = Field(
        default=Decimal("0.5"),
        description="Factor on the probability of joining for those whom automatic enrollment will catch anyway.",
    )
    ceiling_share: Rate = Field(
        default=Decimal("0.45"),
        description="Share of joiners below their match ceiling who take the ceiling as their rate.",
    )
