"""The section `plan.match_response`."""

from decimal import Decimal

from pydantic import Field

from planalign_orchestrator.config.sections.base import Rate, Section


class MatchResponseSection(Section):
    """How participants answer a change of the match; read only where previous_match is stated."""

    increase_response_rate: Rate = Field(
        default=Decimal("0.40"), description="Share of those below a ceiling that went up who raise their rate."
    )
    increase_full_share: Rate = Field(
        default=Decimal("0.60"), description="Share of those who raise that go to the ceiling; the rest go half-way."
    )
    decrease_response_rate: Rate = Field(
        default=Decimal("0.15"), description="Share of those above a ceiling that went down who lower their rate."
    )
    decrease_full_share: Rate = Field(
        default=Decimal("0.70"), description="Share of those who lower that go to the ceiling; the rest go half-way."
    )
