"""The section `plan.match_response`."""

from decimal import Decimal

from planalign_orchestrator.config.sections.base import Rate, Section, key


class MatchResponseSection(Section):
    """How participants answer a change of the match on 1 January of the first year, where previous_match is stated."""

    increase_response_rate: Rate = key(
        Decimal("0.40"),
        "Share of those below a ceiling that went up who raise their rate.",
        "match_increase_response_rate",
    )
    increase_full_share: Rate = key(
        Decimal("0.60"),
        "Share of those who raise that go all the way to the ceiling; the rest go half-way.",
        "match_increase_full_share",
    )
    decrease_response_rate: Rate = key(
        Decimal("0.15"),
        "Share of those above a ceiling that went down who lower their rate.",
        "match_decrease_response_rate",
    )
    decrease_full_share: Rate = key(
        Decimal("0.70"),
        "Share of those who lower that go all the way to the ceiling; the rest go half-way.",
        "match_decrease_full_share",
    )
