"""What the law forbids in the plan of a year: checks against the limits of every simulated year.

All else that the law says about the plan is checked with the configuration itself.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from planalign_orchestrator.parameters.limits import YearLimits, dollars

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.config.sections.plan.core import CoreSection

_AT_WAGE_BASE = Decimal("0.057")
_ABOVE_FOUR_FIFTHS = Decimal("0.054")
_ABOVE_ONE_FIFTH = Decimal("0.043")
_LOW_LEVEL = Fraction(10_000)
# what DECIMAL(18, 2) holds, and what it holds of an amount times 100
_MOST_DOLLARS = Fraction(10) ** 16
_MOST_TIMES_100 = _MOST_DOLLARS / 100


def check_plan_of_years(config: "SimulationConfig", years: Mapping[int, YearLimits], problems: list[str]) -> None:
    """Add to `problems` what the limits of the years that have this configuration do not allow."""
    if config.plan.core.formula == "flat" and config.plan.core.integration_level != "none":
        problems += _integration_problems(config.plan.core, years)
    problems += _cap_problems(config, years)


def check_limits(config: "SimulationConfig", limits: Mapping[int, YearLimits], problems: list[str]) -> None:
    """Add to `problems` limits that do not fit together, or that cannot be computed with."""
    simulated = {year: of_year for year, of_year in limits.items() if year >= config.simulation.start_year}
    problems += _additions_problems(config, simulated)
    problems += _size_problems(config, limits)


def largest_disparity(level: Fraction, wage_base: Fraction) -> Decimal | None:
    """Return the largest disparity rate for an integration level (both in US dollars), None above the wage base.

    Source: 401(l)(2) and (5), 26 CFR 1.401(l)-2(d).
    """
    if level > wage_base:
        return None
    if level == wage_base or level <= max(_LOW_LEVEL, wage_base / 5):
        return _AT_WAGE_BASE
    return _ABOVE_FOUR_FIFTHS if level > wage_base * 4 / 5 else _ABOVE_ONE_FIFTH


def _integration_problems(core: "CoreSection", years: Mapping[int, YearLimits]) -> list[str]:
    """One problem for each bound that is broken, with the years in which it is."""
    above: list[int] = []
    broken: dict[Decimal, list[int]] = {}
    for year, limits in years.items():
        wage_base = _limit(limits, "social_security_wage_base")
        largest = largest_disparity(_level(core, wage_base), wage_base)
        if largest is None:
            above.append(year)
        elif core.disparity_rate is not None and core.disparity_rate > largest:
            broken.setdefault(largest, []).append(year)
    key, value = _level_setting(core)
    problems = []
    if above:
        problems.append(
            f"plan.core.{key} = {value}: the integration level is above the Social Security wage base in "
            f"{_listed(above)} ({_wage_base(years, above)}), which 401(l)(5)(A)(ii) does not allow; lower it"
        )
    for largest, those in broken.items():
        problems.append(
            f"plan.core.disparity_rate = {core.disparity_rate}: 401(l)(2) allows at most {largest} in {_listed(those)} "
            f"with plan.core.{key} {value} ({_wage_base(years, those)}); lower the rate or change the level"
        )
    return problems


def _level_setting(core: "CoreSection") -> tuple[str, object]:
    """The key that decides the integration level, and its value."""
    if core.integration_level == "dollars":
        return "integration_dollars", core.integration_dollars
    if core.integration_level == "percent_of_wage_base":
        return "integration_percent", core.integration_percent
    return "integration_level", core.integration_level


def _level(core: "CoreSection", wage_base: Fraction) -> Fraction:
    if core.integration_level == "dollars":
        return Fraction(core.integration_dollars or 0)
    if core.integration_level == "percent_of_wage_base":
        return Fraction(core.integration_percent or 0) * wage_base
    return wage_base


def _cap_problems(config: "SimulationConfig", years: Mapping[int, YearLimits]) -> list[str]:
    """A dollar cap must not cut a safe-harbor formula for anybody: 401(k)(12)(B), 401(k)(13)(D)."""
    from planalign_orchestrator.config.presets import SAFE_KINDS, largest_match, match_kind, match_tiers

    match = config.plan.match
    if match.cap_amount is None or match_kind(match) not in SAFE_KINDS:
        return []
    most = Fraction(largest_match(match_tiers(match)))
    due = {year: most * _limit(limits, "compensation_limit") for year, limits in years.items()}
    cut = [year for year, amount in due.items() if match.cap_amount < amount]
    if not cut:
        return []
    section = "401(k)(13)(D)" if match.formula == "qaca" else "401(k)(12)(B)"
    other = "set safe_harbor to false" if match.formula == "custom" else "use formula `custom`"
    text = (
        f"plan.match.cap_amount = {match.cap_amount}: is below what `{match.formula}` must be able to pay under "
        f"{section} in {_listed(cut)} ({dollars(due[cut[0]])} in {cut[0]}); remove it or {other}"
    )
    return [text]


def _additions_problems(config: "SimulationConfig", years: Mapping[int, YearLimits]) -> list[str]:
    """402(g) deferrals are annual additions, so that a lower limit on these would cut what everybody may defer."""
    problems = []
    for year, limits in years.items():
        additions, deferrals = _limit(limits, "annual_additions_limit"), _limit(limits, "elective_deferral_limit")
        if additions < deferrals:
            problems.append(
                f"{_place(config, year)}irs_limits.by_year.{year}: annual_additions_limit {dollars(additions)} is "
                f"below elective_deferral_limit {dollars(deferrals)}, but deferrals count towards 415(c); change one "
                "of them"
            )
    return problems


def _size_problems(config: "SimulationConfig", years: Mapping[int, YearLimits]) -> list[str]:
    """Limits that cannot be computed with, or not even be kept; only a projection comes near them."""
    section = config.irs_limits
    problems = []
    for name, key, growth, most in (
        ("compensation_limit", "inflation_rate", section.inflation_rate, _MOST_TIMES_100),
        ("social_security_wage_base", "wage_growth_rate", section.wage_growth_rate, _MOST_DOLLARS),
    ):
        above = [year for year, limits in years.items() if _limit(limits, name) >= most]
        if above:
            problems.append(
                f"irs_limits.{key} = {growth}: the projected {name} of {above[0]} is "
                f"{float(_limit(years[above[0]], name)):,.0f} US dollars, and {float(most):,.0f} or more overflow; "
                "lower the rate or simulate fewer years"
            )
    return problems


def _place(config: "SimulationConfig", year: int) -> str:
    """Where the limits of a year were given, with a colon; empty if nowhere."""
    given = config.provenance.settings.get(("irs_limits", "by_year", str(year)))
    return f"{given.place.where}: " if given is not None else ""


def _limit(limits: YearLimits, name: str) -> Fraction:
    """A limit that is in force in every year."""
    amount = limits.amounts[name]
    if amount is None:
        raise ValueError(f"{name} has no amount ({limits.reference})")
    return amount


def _wage_base(years: Mapping[int, YearLimits], those: Sequence[int]) -> str:
    amount = dollars(_limit(years[those[0]], "social_security_wage_base"))
    return f"in {those[0]} the wage base is {amount}"


def _listed(years: Sequence[int]) -> str:
    return ", ".join(map(str, years))
