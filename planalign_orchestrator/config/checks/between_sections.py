"""What is wrong between keys that are right by themselves, the plan's and all others."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from planalign_orchestrator.config.checks.consistency import consistency_findings
from planalign_orchestrator.config.checks.statute import statute_findings
from planalign_orchestrator.config.checks.survival import survival_findings
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.problems import Finding, KeyPath

if TYPE_CHECKING:
    from planalign_orchestrator.config.configuration import SimulationConfig

_STRUCTURE = ("workforce", "structure")
_PROMOTED = "people are promoted into openings: set compensation.promotion.fill_share, or workforce.structure to rates"
# what to do about a key that only the other structure reads
_OTHER_STRUCTURE: Mapping[KeyPath, str] = {
    ("workforce", "level_mix"): "set new_hires.level_mix, the mix of the hires, or workforce.structure to positions",
    ("new_hires", "level_mix"): "set workforce.level_mix, the mix of the positions, or workforce.structure to rates",
    ("compensation", "promotion", "base_rate"): _PROMOTED,
    ("compensation", "promotion", "rate_multiplier"): _PROMOTED,
    ("parameters", "promotion_by_level"): _PROMOTED,
}


def cross_field_findings(config: "SimulationConfig") -> list[Finding]:
    """What is wrong between keys that are right by themselves; each finding names the keys it compares."""
    promotion, hires = config.compensation.promotion, config.new_hires
    findings = [
        *_year_findings(config),
        *consistency_findings(config.plan),
        *statute_findings(config.plan),
        *survival_findings(config),
        *_structure_findings(config),
    ]
    if promotion.increase_spread > promotion.base_increase:
        text = (
            f"increase_spread {plain_number(promotion.increase_spread)} is larger than base_increase "
            f"{plain_number(promotion.base_increase)}, so that a promotion could lower the pay; change one of them"
        )
        section = ("compensation", "promotion")
        findings.append(Finding(text, ((*section, "increase_spread"), (*section, "base_increase"))))
    hours = hires.part_time_hours_per_week
    if isinstance(hours, Decimal) and hours > hires.full_time_hours_per_week:
        text = (
            f"part_time_hours_per_week {plain_number(hours)} is more than "
            f"full_time_hours_per_week {plain_number(hires.full_time_hours_per_week)}; change one of them"
        )
        keys = (("new_hires", "part_time_hours_per_week"), ("new_hires", "full_time_hours_per_week"))
        findings.append(Finding(text, keys))
    findings += [
        Finding(
            f"the heading {heading} is also in census.ignore_columns; remove it from one",
            (("census", "columns", name),),
        )
        for name, heading in config.census.columns.items()
        if heading in config.census.ignore_columns
    ]
    return findings


def _structure_findings(config: "SimulationConfig") -> list[Finding]:
    """Return what belongs to the other structure of the workforce than the one that is set."""
    structure, promotion = config.workforce.structure, config.compensation.promotion
    if structure == "rates":
        given: dict[KeyPath, bool] = {("workforce", "level_mix"): bool(config.workforce.level_mix)}
    else:
        given = {
            ("new_hires", "level_mix"): bool(config.new_hires.level_mix),
            ("compensation", "promotion", "base_rate"): promotion.base_rate is not None,
            ("compensation", "promotion", "rate_multiplier"): promotion.rate_multiplier is not None,
            ("parameters", "promotion_by_level"): "promotion_by_level" in config.parameters,
        }
    return [
        Finding(f"is not read with workforce.structure {structure}; {_OTHER_STRUCTURE[key]}", (key, _STRUCTURE))
        for key, is_given in given.items()
        if is_given
    ]


def _year_findings(config: "SimulationConfig") -> list[Finding]:
    simulation = config.simulation
    start, end = ("simulation", "start_year"), ("simulation", "end_year")
    if simulation.start_year > simulation.end_year:
        text = f"simulation.start_year {simulation.start_year} is after simulation.end_year {simulation.end_year}"
        return [Finding(f"{text}; change one of them", (start, end))]
    early = [
        Finding(
            f"{entry['date']} is before the first simulated year {simulation.start_year}; remove it or change the year",
            (("workforce", name), start),
        )
        for name, entries in (
            ("reductions", config.workforce.reductions),
            ("acquisitions", config.workforce.acquisitions),
        )
        for entry in entries
        if entry["date"].year < simulation.start_year
    ]
    # the limits of the year before the first are read too
    return early + [
        Finding(
            f"{year} is before the year before simulation.start_year {simulation.start_year}; remove this year or "
            "change that",
            (("irs_limits", "by_year", str(year)), start),
        )
        for year in config.irs_limits.by_year
        if year < simulation.start_year - 1
    ]
