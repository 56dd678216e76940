"""The formulas of the plan spelled out: the one place where a name becomes tiers, a rate or a vesting schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from planalign_orchestrator.config.sections.plan.core import CoreSection
from planalign_orchestrator.config.sections.plan.match import MatchFormulaSection, PresentMatchSection, TiersBy
from planalign_orchestrator.config.sections.plan.vesting import VestingSetting

MatchKind = Literal["none", "safe_harbor", "qaca", "other"]
CoreKind = Literal["none", "safe_harbor", "qaca", "other"]
# what every eligible employee gets
SAFE_KINDS = ("safe_harbor", "qaca")


@dataclass(frozen=True)
class MatchTier:
    """`rate` on deferrals from `lower` to `upper` (shares of pay) in the band [value_from, value_to)."""

    lower: Decimal
    upper: Decimal
    rate: Decimal
    value_from: int = 0
    value_to: int | None = None


@dataclass(frozen=True)
class CoreTier:
    """`rate` of pay in the band [value_from, value_to)."""

    rate: Decimal
    value_from: int = 0
    value_to: int | None = None


def _preset(*tiers: tuple[str, str, str]) -> tuple[MatchTier, ...]:
    return tuple(MatchTier(Decimal(lower), Decimal(upper), Decimal(rate)) for lower, upper, rate in tiers)


# lower, upper, rate
MATCH_PRESETS: Mapping[str, tuple[MatchTier, ...]] = MappingProxyType(
    {
        "simple": _preset(("0", "0.06", "0.5")),
        # 401(k)(12)(B)(i) and (iii), 401(k)(13)(D)(i)(I)
        "safe_harbor_basic": _preset(("0", "0.03", "1"), ("0.03", "0.05", "0.5")),
        "safe_harbor_enhanced": _preset(("0", "0.04", "1")),
        "qaca": _preset(("0", "0.01", "1"), ("0.01", "0.06", "0.5")),
        "stretch": _preset(("0", "0.12", "0.25")),
    }
)
_MATCH_KINDS: Mapping[str, MatchKind] = MappingProxyType(
    {"none": "none", "safe_harbor_basic": "safe_harbor", "safe_harbor_enhanced": "safe_harbor", "qaca": "qaca"}
)
SAFE_HARBOR_MATCHES = ("safe_harbor_basic", "safe_harbor_enhanced", "qaca")
# 401(k)(12)(C), 401(k)(12)(F)(ii), 401(k)(13)(D)(i)(II)
NONELECTIVE_RATES: Mapping[str, Decimal] = MappingProxyType(
    {
        "safe_harbor_nonelective": Decimal("0.03"),
        "safe_harbor_nonelective_late": Decimal("0.04"),
        "qaca_nonelective": Decimal("0.03"),
    }
)
# 411(a)(2)(B) allows nothing slower than cliff_3 and graded_6.
VESTING_PRESETS: Mapping[str, tuple[Decimal, ...]] = MappingProxyType(
    {
        name: tuple(Decimal(percent) / 100 for percent in percents)
        for name, percents in {
            "immediate": (100,),
            "cliff_2": (0, 0, 100),
            "cliff_3": (0, 0, 0, 100),
            "graded_4": (0, 25, 50, 75, 100),
            "graded_5": (0, 20, 40, 60, 80, 100),
            "graded_6": (0, 0, 20, 40, 60, 80, 100),
        }.items()
    }
)


def match_kind(section: MatchFormulaSection) -> MatchKind:
    """Return which rules of the law a match is under."""
    if section.formula == "custom" and isinstance(section, PresentMatchSection) and section.safe_harbor:
        return "safe_harbor"
    return "none" if section.formula is None else _MATCH_KINDS.get(section.formula, "other")


def match_tiers(section: MatchFormulaSection) -> tuple[MatchTier, ...]:
    """Return the tiers that a match pays: those of its preset, or its own in the order of their bands."""
    if section.formula is not None and section.formula in MATCH_PRESETS:
        return MATCH_PRESETS[section.formula]
    tiers = [
        MatchTier(entry["lower"], entry["upper"], entry["rate"], entry.get("from", 0), entry.get("to"))
        for entry in section.tiers
    ]
    return tuple(sorted(tiers, key=lambda tier: (tier.value_from, tier.lower)))


def pays_alike(one: MatchFormulaSection, other: MatchFormulaSection) -> bool:
    """Return whether two formulas pay the same on the same deferrals."""
    first, second = ((match_tiers(each), each.tiers_by, each.cap_rate, each.cap_amount) for each in (one, other))
    return first == second


def largest_match(tiers: tuple[MatchTier, ...]) -> Decimal:
    """Return the most that tiers of a single band pay, as a share of pay."""
    return sum((tier.rate * (tier.upper - tier.lower) for tier in tiers), Decimal(0))


def match_at(tiers: tuple[MatchTier, ...], rate: Decimal) -> Decimal:
    """Return what tiers of a single band pay on deferrals at a rate, both as shares of pay."""
    return sum((tier.rate * (min(rate, tier.upper) - min(rate, tier.lower)) for tier in tiers), Decimal(0))


def never_rises(tiers: tuple[MatchTier, ...]) -> bool:
    """Return whether no deferral is matched at a higher rate than the deferrals below it; a gap is a rate of 0."""
    upper, rate = Decimal(0), tiers[0].rate
    for tier in tiers:
        if tier.lower > upper or tier.rate > rate:
            return False
        upper, rate = tier.upper, tier.rate
    return True


def core_kind(section: CoreSection) -> CoreKind:
    """Return which rules of the law a core contribution is under."""
    if section.formula == "none":
        return "none"
    if section.formula == "qaca_nonelective":
        return "qaca"
    return "safe_harbor" if section.formula in NONELECTIVE_RATES else "other"


def core_rate(section: CoreSection) -> Decimal | None:
    """Return the rate of a core contribution that is the same for everybody, else None."""
    return NONELECTIVE_RATES.get(section.formula, section.rate)


def core_tiers(section: CoreSection) -> tuple[CoreTier, ...]:
    """Return the tiers that a core contribution pays, in the order of their bands; a uniform rate is one tier."""
    rate = core_rate(section)
    if rate is not None:
        return (CoreTier(rate),)
    tiers = [CoreTier(entry["rate"], entry["from"], entry.get("to")) for entry in section.tiers]
    return tuple(sorted(tiers, key=lambda tier: tier.value_from))


def core_tiers_by(section: CoreSection) -> TiersBy:
    """Return what the bands of a core contribution count."""
    by: Mapping[str, TiersBy] = {"service": "service", "points": "points", "age": "age"}
    return by.get(section.formula, "none")


def vesting_rates(setting: VestingSetting) -> tuple[Decimal, ...]:
    """Return the vested rates by completed years of service from 0; the last one, which is 1, holds from there on."""
    return VESTING_PRESETS[setting] if isinstance(setting, str) else setting
