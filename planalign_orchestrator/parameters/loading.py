"""Loads every parameter table of a run and reports all that is wrong at once."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.parameters.checking import check_tables
from planalign_orchestrator.parameters.derived import workforce_tables
from planalign_orchestrator.parameters.limits import limits_table, yearly_limits
from planalign_orchestrator.parameters.plan_tables import plan_tables
from planalign_orchestrator.parameters.reading import read_table
from planalign_orchestrator.parameters.tables import TABLES, ParameterTable
from planalign_orchestrator.parameters.yearly_law import check_plan_of_every_year

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig


def load_parameters(config: "SimulationConfig") -> tuple[ParameterTable, ...]:
    """Return every parameter table of the run, checked. Errors: ConfigurationError with all findings."""
    problems: list[str] = []
    tables: dict[str, ParameterTable] = {}
    for name, spec in TABLES.items():
        unreadable: list[str] = []
        table = read_table(spec, config.parameters.get(name), unreadable)
        if not unreadable:
            # the tables that can be read are judged although others cannot
            tables[name] = table
        problems += unreadable
    check_tables(tables, problems)
    if "job_levels" in tables:
        _check_named_levels(config, tables["job_levels"], problems)
    limits = yearly_limits(config, problems)
    check_plan_of_every_year(config, limits, problems)
    if problems:
        raise ConfigurationError(problems)
    return (*tables.values(), *workforce_tables(config), limits_table(limits), *plan_tables(config))


def level_ids(tables: Iterable[ParameterTable]) -> tuple[int, ...]:
    """Return the job levels that exist."""
    levels = next(table for table in tables if table.name == "job_levels")
    return tuple(int(level or 0) for level in levels.column("level_id"))


def _check_named_levels(config: "SimulationConfig", levels: ParameterTable, problems: list[str]) -> None:
    known = level_ids([levels])
    named = {
        "workforce.level_mix": config.workforce.level_mix,
        "new_hires.level_mix": config.new_hires.level_mix,
        "plan.eligibility.excluded_levels": config.plan.eligibility.excluded_levels,
    }
    problems += [
        f"{key}: level {level} is not in parameters.job_levels"
        for key, given in named.items()
        for level in given
        if level not in known
    ]
