"""Loads every parameter table of a run and reports all that is wrong at once.

What the configuration gives is judged before the census is read; tables that the census gives are fitted to its people
once these are in the database.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign_orchestrator.config.sections.parameters import CENSUS, source_of
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.parameters.checking import check_tables
from planalign_orchestrator.parameters.derived import workforce_tables
from planalign_orchestrator.parameters.levels import complete_levels, level_ids
from planalign_orchestrator.parameters.limits import limits_table, yearly_limits
from planalign_orchestrator.parameters.plan_tables import plan_tables
from planalign_orchestrator.parameters.reading import read_table
from planalign_orchestrator.parameters.tables import TABLES, ParameterTable
from planalign_orchestrator.parameters.yearly_law import check_plan_of_every_year

if TYPE_CHECKING:
    from planalign_orchestrator.census.records import Finding
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.parameters.census_statistics import Workforce

# what a level may be called while the levels are still to be fitted
ANY_LEVEL = range(1, 100)


@dataclass(frozen=True)
class Fitted:
    """Every table of a run, and what is to be said of them before it."""

    tables: tuple[ParameterTable, ...]
    findings: "tuple[Finding, ...]"


@dataclass(frozen=True)
class Assumptions:
    """What the configuration alone gives: `given` are the tables that are not fitted, by name, `others` its lists."""

    config: "SimulationConfig"
    given: Mapping[str, ParameterTable]
    others: tuple[ParameterTable, ...]

    @property
    def tables(self) -> tuple[ParameterTable, ...]:
        """The tables that need no census."""
        return (*self.given.values(), *self.others)

    @property
    def levels(self) -> Collection[int]:
        """The job levels that a census may name: those of the table, or any while they are still to be fitted."""
        levels = self.given.get("job_levels")
        return ANY_LEVEL if levels is None else level_ids([levels])

    def fitted(self, workforce: "Workforce") -> Fitted:
        """Return every table, those of the census fitted to its people. Errors: CensusError, ConfigurationError."""
        from planalign_orchestrator.parameters.fitting import fit_tables

        fit = fit_tables(self.config, self.given, workforce)
        problems: list[str] = []
        tables, notes = _checked(self.config, fit.tables, problems)
        if problems:
            raise ConfigurationError(problems)
        return Fitted((*tables.values(), fit.hours, *self.others), (*notes, *fit.warnings))


def load_parameters(config: "SimulationConfig") -> Assumptions:
    """Return what the configuration gives, checked. Errors: ConfigurationError with all findings."""
    problems: list[str] = []
    tables: dict[str, ParameterTable] = {}
    for name, spec in TABLES.items():
        source = source_of(config.parameters, name)
        if source == CENSUS:
            continue
        unreadable: list[str] = []
        table = read_table(spec, source, unreadable)
        if not unreadable:
            # the tables that can be read are judged although others cannot
            tables[name] = table
        problems += unreadable
    tables, _ = _checked(config, tables, problems)
    limits = yearly_limits(config, problems)
    check_plan_of_every_year(config, limits, problems)
    if problems:
        raise ConfigurationError(problems)
    return Assumptions(config, tables, (*workforce_tables(config), limits_table(limits), *plan_tables(config)))


def _checked(
    config: "SimulationConfig", tables: Mapping[str, ParameterTable], problems: list[str]
) -> "tuple[dict[str, ParameterTable], tuple[Finding, ...]]":
    """Complete tables for the levels that exist and judge them together."""
    completed, notes = complete_levels(config, tables)
    check_tables(completed, problems)
    if "job_levels" in completed:
        _check_named_levels(config, completed["job_levels"], problems)
    return completed, notes


def _check_named_levels(config: "SimulationConfig", levels: ParameterTable, problems: list[str]) -> None:
    known = level_ids([levels])
    named = {
        "workforce.level_mix": config.workforce.level_mix,
        "new_hires.level_mix": config.new_hires.level_mix,
        "compensation.bonus.target_share": config.compensation.bonus.target_share,
        "plan.eligibility.excluded_levels": config.plan.eligibility.excluded_levels,
    }
    problems += [
        f"{key}: level {level} is not in parameters.job_levels; it has {', '.join(map(str, known))}"
        for key, given in named.items()
        for level in given
        if level not in known
    ]
