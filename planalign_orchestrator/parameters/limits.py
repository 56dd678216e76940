"""The statutory limits of every year: as published, or projected from the last published year by the statutes' rule.

A limit is indexed from its unrounded amount (statutory base x price index / price index of its base period) and then
rounded down to its multiple: 401(a)(17)(B), 402(g)(4), 414(q)(1), 414(v)(2), 414(v)(7), 415(d), 416(i)(1)(A). The
Social Security wage base follows wages and is rounded to the nearest multiple: section 230 of the Social Security Act.
All arithmetic is in fractions.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import floor
from typing import TYPE_CHECKING

from planalign_orchestrator import project
from planalign_orchestrator.parameters.tables import MONEY, ParameterTable

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.config.sections.irs_limits import IrsLimitsSection

Amounts = dict[str, Fraction | None]


@dataclass(frozen=True)
class YearLimits:
    """The limits of a year in US dollars, None for a rule that was not in force, and where they come from."""

    amounts: Amounts
    is_projected: bool
    reference: str
    source: str


@dataclass(frozen=True)
class Indexing:
    """How a limit moves; money in US dollars. A base of None: it grows from the last published amount, with wages."""

    base: Fraction | None
    base_index: Fraction
    latest_index: Fraction
    multiple: Fraction
    rounding: str

    def unrounded(self, published: Fraction) -> Fraction:
        """Return the amount behind the last published one."""
        return published if self.base is None else self.base * self.latest_index / self.base_index

    def rounded(self, amount: Fraction) -> Fraction:
        """Return the limit for an unrounded amount."""
        if self.rounding == "nearest":
            return floor(amount / self.multiple + Fraction(1, 2)) * self.multiple
        # the multiple counts from the base where the increase is rounded, from 0 where the amount is
        start = self.base if self.rounding == "increase down" and self.base is not None else Fraction(0)
        return start + floor((amount - start) / self.multiple) * self.multiple


@cache
def indexing() -> Mapping[str, Indexing]:
    """Return how each limit moves, by its name."""
    return {
        row["limit_name"]: Indexing(
            base=_amount(row["statutory_base"]),
            base_index=_amount(row["base_index"]) or Fraction(1),
            latest_index=_amount(row["latest_index"]) or Fraction(1),
            multiple=Fraction(row["multiple"]),
            rounding=row["rounding"],
        )
        for row in _packaged("irs_indexing")
    }


@cache
def published_limits() -> Mapping[int, YearLimits]:
    """Return the limits of the published years, in their order."""
    return {
        int(row["limit_year"]): YearLimits(
            amounts={name: _amount(row[name]) for name in indexing()},
            is_projected=False,
            reference=row["reference"],
            source=row["source"],
        )
        for row in _packaged("irs_limits")
    }


def yearly_limits(config: "SimulationConfig", problems: list[str]) -> Mapping[int, YearLimits]:
    """Return the limits from the year before the first simulated one to the last, with the configured replacements.

    A year before the first published one is added to `problems` and left out.
    """
    simulation, section = config.simulation, config.irs_limits
    limits = {**published_limits(), **_projected(config)}
    first = min(limits)
    if simulation.start_year - 1 < first:
        problems.append(
            f"simulation.start_year = {simulation.start_year}: the statutory limits are known from {first} on, "
            f"and those of the year before are needed too (414(q)); start in {first + 1} or later"
        )
    years = range(max(first, simulation.start_year - 1), simulation.end_year + 1)
    return {year: _replaced(limits[year], year, section) for year in years}


def limits_table(limits: Mapping[int, YearLimits]) -> ParameterTable:
    """Return table irs_limits."""
    names = list(indexing())
    columns = (
        ("limit_year", "integer"),
        *((name, MONEY) for name in names),
        ("is_projected", "boolean"),
        ("reference", "varchar"),
        ("source", "varchar"),
    )
    rows = tuple(
        (
            str(year),
            *(_text(of_year.amounts[name]) for name in names),
            str(of_year.is_projected).lower(),
            of_year.reference,
            of_year.source,
        )
        for year, of_year in limits.items()
    )
    return ParameterTable("irs_limits", columns, rows)


def _projected(config: "SimulationConfig") -> dict[int, YearLimits]:
    """The limits of the years after the last published one, by each year's own rates, as if no year were replaced."""
    latest = max(published_limits())
    rules, before = indexing(), published_limits()[latest].amounts
    unrounded = {name: rule.unrounded(before[name] or Fraction(0)) for name, rule in rules.items()}
    projected = {}
    for year in range(latest + 1, config.simulation.end_year + 1):
        section = config.of_year(year).irs_limits
        prices, wages = 1 + Fraction(section.inflation_rate), 1 + Fraction(section.wage_growth_rate)
        amounts: Amounts = {}
        for name, rule in rules.items():
            unrounded[name] *= wages if rule.base is None else prices
            # no limit ever falls
            amounts[name] = max(before[name] or Fraction(0), rule.rounded(unrounded[name]))
        reference = f"projected from {latest}: {_rates_up_to(config, latest + 1, year)}"
        projected[year] = YearLimits(amounts, True, reference, "projection")
        before = amounts
    return projected


def _rates_up_to(config: "SimulationConfig", first: int, last: int) -> str:
    """Say by which rates the limits of a year were projected, with the first year of each that a change brought."""
    from planalign_orchestrator.config.types import plain_number

    sections = {config.of_year(year).first_year: config.of_year(year).irs_limits for year in range(first, last + 1)}
    spoken: dict[str, str] = {}
    for since, section in sections.items():
        prices, wages = plain_number(section.inflation_rate), plain_number(section.wage_growth_rate)
        words = f"prices {prices} a year, wages {wages} a year"
        if words not in spoken:
            spoken[words] = f"from {since} on {words}" if spoken else words
    return "; ".join(spoken.values())


def _replaced(limits: YearLimits, year: int, section: "IrsLimitsSection") -> YearLimits:
    """The limits of a year with those that the configuration gives for it."""
    from planalign_orchestrator.config.sections.irs_limits import LIMITS

    given = section.by_year.get(year)
    if given is None:
        return limits
    amounts = limits.amounts | {name: Fraction(amount) for name, amount in given.items()}
    return YearLimits(
        amounts,
        # nothing is left of a projection of which every limit that a rule reads is replaced
        limits.is_projected and len(given) < len(LIMITS),
        f"{limits.reference}; irs_limits.by_year for {', '.join(name for name in amounts if name in given)}",
        f"{limits.source}; configuration",
    )


def _packaged(name: str) -> list[dict[str, str]]:
    with (project.default_tables() / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _amount(text: str) -> Fraction | None:
    return Fraction(text) if text else None


def dollars(amount: Fraction) -> str:
    """Return an amount as a number of dollars with two decimal places."""
    whole, cents = divmod(round(amount * 100), 100)
    return f"{whole}.{cents:02d}"


def _text(amount: Fraction | None) -> str | None:
    return None if amount is None else dollars(amount)
