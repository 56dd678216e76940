"""Tiers of a match or a core contribution: the rows of a formula, each for a band of people."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NotRequired, TypedDict

from planalign_orchestrator.config.collection_types import ListOf, Record
from planalign_orchestrator.config.sections.base import RATE
from planalign_orchestrator.config.types import Number, plain_number
from planalign_orchestrator.problems import RefusedError

MatchTierEntry = TypedDict(
    "MatchTierEntry",
    {"from": NotRequired[int], "to": NotRequired[int], "lower": Decimal, "upper": Decimal, "rate": Decimal},
)
CoreTierEntry = TypedDict("CoreTierEntry", {"from": int, "to": NotRequired[int], "rate": Decimal})

# 2 is a match of 200 %; far above that, somebody wrote percents
MATCH_RATE = Number("rate", Decimal(0), Decimal(10))
_BAND = Number("whole number of years or points", Decimal(0), Decimal(200), places=0)


def _check_order(tier: Mapping[str, Decimal | int]) -> None:
    for low, high in (("from", "to"), ("lower", "upper")):
        if low in tier and high in tier and tier[low] >= tier[high]:
            raise RefusedError(
                f"has `{high}` {plain_number(tier[high])}, which is not above `{low}` {plain_number(tier[low])}"
            )


def _without_overlap(tiers: list[Mapping[str, Decimal | int]]) -> Sequence[Mapping[str, Decimal | int]]:
    """Return the tiers. Errors: RefusedError if two of the same band overlap."""
    ordered = sorted(enumerate(tiers, start=1), key=lambda item: (item[1].get("from", 0), item[1]["lower"]))
    for (first, below), (second, above) in pairwise(ordered):
        same_band = below.get("from") == above.get("from") and below.get("to") == above.get("to")
        if same_band and above["lower"] < below["upper"]:
            raise RefusedError(
                f"tiers {first} and {second} overlap: `lower` {plain_number(above['lower'])} is below `upper` "
                f"{plain_number(below['upper'])}"
            )
    return tiers


def _tier(columns: Mapping[str, Number], required: tuple[str, ...], example: str) -> Record:
    """Return the rule of a tier. A blank `from` or `to` is the same as none."""
    return Record(
        f"a mapping such as {example}",
        columns,
        otherwise=f"its keys are {', '.join(columns)}",
        required=required,
        may_be_blank=True,
        check=_check_order,
    )


# `rate` on the deferrals between `lower` and `upper`, as shares of pay, in a band
MATCH_TIERS = ListOf(
    "a list of tiers such as [{lower: 0, upper: 0.06, rate: 0.5}]",
    _tier(
        {"from": _BAND, "to": _BAND, "lower": RATE, "upper": RATE, "rate": MATCH_RATE},
        ("lower", "upper", "rate"),
        "{lower: 0, upper: 0.06, rate: 0.5}",
    ),
    "tier",
    _without_overlap,
)
# `rate` of pay in a band of completed years of service, points or age
CORE_TIERS = ListOf(
    "a list of tiers such as [{from: 0, to: 5, rate: 0.02}, {from: 5, rate: 0.04}]",
    _tier(
        {"from": _BAND, "to": _BAND, "rate": RATE},
        ("from", "rate"),
        "{from: 0, to: 5, rate: 0.02}, {from: 5, rate: 0.04}",
    ),
    "tier",
)
