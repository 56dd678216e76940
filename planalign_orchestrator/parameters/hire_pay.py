"""What a client's hires are paid: the median of their level times the ratio at which the client hires.

Ratio and spread are those of the people hired in the last two years. A level with few of them leans on the ratio of all
levels, with the weight of five hires. Logarithms have 6 places; all arithmetic is in decimals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final

from planalign_orchestrator.parameters.census_statistics import LevelStatistics

_CONTEXT: Final = Context(prec=28)
# how many hires of a level the client's hires of all levels weigh as much as
_WEIGHT_OF_ALL: Final = 5
_USUAL_RATIO: Final = Decimal("0.97")
_USUAL_SPREAD: Final = Decimal("0.05")
_SPREADS: Final = (Decimal("0.03"), Decimal("0.25"))


@dataclass(frozen=True)
class HirePay:
    """Pay of the hires of a level: its target in cents, the standard deviation of its logarithm, and its source."""

    target: int
    log_sd: Decimal
    source: str


def fit_hire_pay(
    medians: Mapping[int, int], statistics: Mapping[int, LevelStatistics], *, few: int, years: str
) -> dict[int, HirePay]:
    """Return the pay of hires by level; fewer than `few` of them in all say nothing. `medians` are in cents."""
    hires = sum(found.hires for found in statistics.values())
    if hires < few:
        source = f"census: median of the level x {_USUAL_RATIO}; {hires} hires of {years}, fewer than {few}"
        return {
            level: HirePay(_times(median, _USUAL_RATIO), _USUAL_SPREAD, source) for level, median in medians.items()
        }
    recent = {level: found for level, found in statistics.items() if found.hires}
    above = sum((found.log_sum - found.hires * log_of(medians[level]) for level, found in recent.items()), Decimal(0))
    ratio_of_all = _CONTEXT.exp(above / hires)
    spread_of_all = _CONTEXT.sqrt(sum(map(_squares, recent.values()), Decimal(0)) / hires)
    fitted = {}
    for level, median in medians.items():
        ratio, spread, count = ratio_of_all, spread_of_all, 0
        if level in recent:
            found = recent[level]
            count = found.hires
            own = _CONTEXT.exp(found.log_sum / count) * 100 / median
            ratio = (count * own + _WEIGHT_OF_ALL * ratio) / (count + _WEIGHT_OF_ALL)
            own_spread = _CONTEXT.sqrt(_squares(found) / count)
            spread = (count * own_spread + _WEIGHT_OF_ALL * spread) / (count + _WEIGHT_OF_ALL)
        low, high = _SPREADS
        ratio = round(ratio, 6)
        source = f"census: {count} hires of {years} on this level, {hires} on all; median of the level x {ratio}"
        fitted[level] = HirePay(_times(median, ratio), round(min(max(spread, low), high), 6), source)
    return fitted


def log_of(cents: int) -> Decimal:
    """Return the natural logarithm of an amount in US dollars, to 6 places."""
    return round(_CONTEXT.ln(Decimal(cents) / 100), 6)


def _squares(found: LevelStatistics) -> Decimal:
    """The sum of squares of log pay about its mean; never below 0 for want of digits."""
    return max(found.log_square_sum - found.log_sum * found.log_sum / found.hires, Decimal(0))


def _times(cents: int, ratio: Decimal) -> int:
    return int(cents * ratio + Decimal("0.5"))
