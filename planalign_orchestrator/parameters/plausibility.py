"""What is said before a run when tables and people do not fit: pay below ranges, hires paid above everybody else.

The sentences hold shares and counts, no amounts, so that they can be kept in reports.
"""

from collections.abc import Mapping
from decimal import Decimal
from math import erf, log, sqrt
from typing import Final

from planalign_orchestrator.census.records import Finding
from planalign_orchestrator.parameters.tables import ParameterTable

_MOST_OF_MEDIAN: Final = Decimal("1.25")
_HOW = "fit the table to the census (`census`), or give rows of the client's own"


def range_findings(below: int, people: int) -> list[Finding]:
    """Return a warning where more than half of the people are paid less than the range minimum of their level."""
    if 2 * below <= people:
        return []
    who = f"all {people:,} people are" if below == people else f"{below:,} of {people:,} people are"
    text = f"{who} paid less than the range minimum of their level, to which hires and promotions will lift pay; "
    return [Finding.plain("warning", f"parameters.job_levels: {text}{_HOW}")]


def hire_pay_findings(levels: ParameterTable, hire_pay: ParameterTable, medians: Mapping[int, int]) -> list[Finding]:
    """Return warnings of hires planned far above the people of their level (medians in cents), or at a range's end."""
    ranges = {
        row["level_id"]: (_amount(row["range_minimum"]), _amount(row["range_maximum"])) for row in levels.records()
    }
    findings = []
    for row in hire_pay.records():
        level = row["level_id"]
        if level not in ranges or None in (row["target_pay"] or row["percentile"], row["log_sd"]):
            continue
        low, high = ranges[level]
        target = _target(row, low, high)
        ratio = min(max(target, low), high) * 100 / medians[int(level or 0)]
        if ratio > _MOST_OF_MEDIAN:
            text = f"hires of level {level} are planned at {ratio * 100:.0f} % of the median pay of the level's people"
            findings.append(Finding.plain("warning", f"parameters.new_hire_pay: {text}; {_HOW}"))
        share = _share_at_ends(float(target), float(_amount(row["log_sd"])), float(low), float(high))
        if low < high and share > 0.5:
            text = f"{share * 100:.0f} % of the hires of level {level} will be paid an end of the level's range"
            findings.append(
                Finding.plain("warning", f"parameters.new_hire_pay: {text}; change the range or the pay of hires")
            )
    return findings


def _target(row: Mapping[str, str | None], low: Decimal, high: Decimal) -> Decimal:
    if row["target_pay"] is not None:
        return _amount(row["target_pay"])
    return (low + (high - low) * _amount(row["percentile"])) * _amount(row["market_factor"])


def _share_at_ends(target: float, spread: float, low: float, high: float) -> float:
    """The share of a lognormal distribution that a range cuts off."""
    if spread == 0 or target == 0:
        return float(not low < target < high)
    below, above = (_normal(log(end / target) / spread) for end in (low, high))
    return below + 1 - above


def _normal(deviate: float) -> float:
    return (1 + erf(deviate / sqrt(2))) / 2


def _amount(text: str | None) -> Decimal:
    return Decimal(text or 0)
