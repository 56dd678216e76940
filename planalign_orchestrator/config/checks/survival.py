"""What no run survives, told before it begins: more hires than fit, factors that overflow, two folders that are one."""

import os
from decimal import Decimal
from typing import TYPE_CHECKING

from planalign_orchestrator.config.sections.reports import REPORTS_FOLDER, ReportsSection
from planalign_orchestrator.config.sections.runtime import CHECKPOINTS_FOLDER, RuntimeSection
from planalign_orchestrator.config.sections.simulation import SimulationSection
from planalign_orchestrator.config.sections.workforce import WorkforceSection
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.problems import Finding

if TYPE_CHECKING:
    from planalign_orchestrator.config.configuration import SimulationConfig

# hires of a year for each person of its opening headcount
_MOST_HIRES = 10
# the models keep the growth of pay ranges and income bands since the first year as DECIMAL(18, 12)
_MOST_GROWTH = Decimal(10) ** 6


def survival_findings(config: "SimulationConfig") -> list[Finding]:
    """Return what a run with this configuration could not survive, whatever the census holds."""
    return [
        *_hire_findings(config.simulation, config.workforce),
        *_folder_findings(config.reports, config.runtime),
    ]


def _hire_findings(simulation: SimulationSection, workforce: WorkforceSection) -> list[Finding]:
    growth, exits = simulation.target_growth_rate, workforce.total_termination_rate
    early = workforce.new_hire_termination_rate
    hires = (growth + exits) / (1 - early)
    if hires <= _MOST_HIRES:
        return []
    text = (
        f"the hires of a year would be (target_growth_rate {plain_number(growth)} + total_termination_rate "
        f"{plain_number(exits)}) / (1 - new_hire_termination_rate {plain_number(early)}) = {hires:,.1f} times the "
        f"headcount, and at most {_MOST_HIRES} times can be simulated; lower one of the three"
    )
    keys = (
        ("workforce", "new_hire_termination_rate"),
        ("workforce", "total_termination_rate"),
        ("simulation", "target_growth_rate"),
    )
    return [Finding(text, keys)]


def growth_findings(config: "SimulationConfig") -> list[Finding]:
    """Return that factors would overflow: those of every year are computed in the first one, by each year's rate."""
    years = range(config.simulation.start_year + 1, config.simulation.end_year + 1)
    pays = [config.of_year(year).compensation for year in years]
    grown = _product(
        [pay.cola_rate if pay.structure_increase_rate is None else pay.structure_increase_rate for pay in pays]
    )
    if grown < _MOST_GROWTH:
        return []
    name = "cola_rate" if config.compensation.structure_increase_rate is None else "structure_increase_rate"
    text = f"{name}, with its changes, in the years {years[0]}-{years[-1]}"
    return [Finding(_growth_text(text, grown), (("compensation", name), ("simulation", "end_year")))]


def _growth_text(what: str, grown: Decimal) -> str:
    return (
        f"{what} multiplies amounts by {grown:,.0f}, and a million times is more than they can hold; lower the rate or "
        "simulate fewer years"
    )


def _product(rates: list[Decimal]) -> Decimal:
    """Return the growth by yearly rates, as the models round it."""
    grown = Decimal(1)
    for rate in rates:
        grown *= 1 + rate
    return grown.quantize(Decimal("1e-12")) if grown < _MOST_GROWTH else grown


def _folder_findings(reports: ReportsSection, runtime: RuntimeSection) -> list[Finding]:
    """Reports and checkpoint copies of a year have one name, so in one folder the one would overwrite the other."""
    beside = runtime.database.parent
    of_reports = os.path.realpath(reports.directory or beside / REPORTS_FOLDER)
    of_checkpoints = os.path.realpath(runtime.checkpoint_directory or beside / CHECKPOINTS_FOLDER)
    if of_reports != of_checkpoints:
        return []
    text = (
        f"reports and checkpoint copies would both be year_<YEAR>.json in {of_reports}, and overwrite each other; "
        "change reports.directory or runtime.checkpoint_directory"
    )
    return [Finding(text, (("reports", "directory"), ("runtime", "checkpoint_directory"), ("runtime", "database")))]
