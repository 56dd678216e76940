"""Loads every parameter table of a run and reports all that is wrong at once.

What the configuration gives is judged before the census is read; tables that the census gives are fitted to its people
once these are in the database.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planalign_orchestrator.config.sections.parameters import CENSUS, source_of
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.parameters.checking import check_same_sets, check_tables
from planalign_orchestrator.parameters.derived import annual_rates, enrollment_terms, reduction_tables, workforce_tables
from planalign_orchestrator.parameters.levels import complete_levels, level_ids
from planalign_orchestrator.parameters.limits import limits_table, yearly_limits
from planalign_orchestrator.parameters.plan_tables import plan_tables, previous_match
from planalign_orchestrator.parameters.reading import read_table
from planalign_orchestrator.parameters.tables import TABLES, ParameterTable, RunTables
from planalign_orchestrator.parameters.yearly_law import check_limits, check_plan_of_years

if TYPE_CHECKING:
    from planalign_orchestrator.census.records import Finding
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.config.sections.plan.match import MatchFormulaSection
    from planalign_orchestrator.parameters.census_statistics import Workforce

# what a level may be called while the levels are still to be fitted
ANY_LEVEL = range(1, 100)
_TABLE = "parameters."


@dataclass(frozen=True)
class Fitted:
    """Every table of a run, and what is to be said of them before it."""

    tables: RunTables
    findings: "tuple[Finding, ...]"


@dataclass(frozen=True)
class GivenTables:
    """What a configuration alone gives: `tables` are those that are not fitted, by name, `others` its lists."""

    config: "SimulationConfig"
    tables: Mapping[str, ParameterTable]
    others: tuple[ParameterTable, ...]


@dataclass(frozen=True)
class Assumptions:
    """What is known before the census is read, by the first year that it holds in, the first simulated one first.

    `yearly` are the tables that have a row for each year.
    """

    config: "SimulationConfig"
    from_year: Mapping[int, GivenTables]
    yearly: tuple[ParameterTable, ...]

    @property
    def _first(self) -> GivenTables:
        return next(iter(self.from_year.values()))

    @property
    def tables(self) -> tuple[ParameterTable, ...]:
        """The tables of the first year that need no census."""
        return (*self._first.tables.values(), *self._first.others, *self.yearly)

    @property
    def levels(self) -> Collection[int]:
        """The job levels that a census may name: those of the table, or any while they are still to be fitted."""
        levels = self._first.tables.get("job_levels")
        return ANY_LEVEL if levels is None else level_ids([levels])

    def fitted(self, workforce: "Workforce") -> Fitted:
        """Return every table, those of the census fitted to its people. Errors: CensusError, ConfigurationError."""
        from planalign_orchestrator.parameters.fitting import fit_tables, hours_table

        problems: list[str] = []
        findings: list[Finding] = []
        from_year: dict[int, tuple[ParameterTable, ...]] = {}
        first: Mapping[str, ParameterTable] = {}
        for year, given in self.from_year.items():
            fit = fit_tables(given.config, given.tables, workforce)
            unfit: list[str] = []
            tables, notes = _checked(given.config, fit.tables, unfit)
            problems += _from_year(self.config, year, unfit, problems)
            # the people of the census are compared with the tables of the first year alone
            findings += [note for note in notes if note not in findings] if first else [*notes, *fit.warnings]
            first = first or tables
            check_same_sets(first, tables, year, problems)
            from_year[year] = (*tables.values(), hours_table(given.config, workforce), *given.others)
        if problems:
            raise ConfigurationError(list(dict.fromkeys(problems)))
        simulation = self.config.simulation
        years = range(simulation.start_year, simulation.end_year + 1)
        return Fitted(RunTables(years, from_year, self.yearly), tuple(findings))


def load_parameters(config: "SimulationConfig") -> Assumptions:
    """Return what the configuration gives in every year, checked. Errors: ConfigurationError with all findings."""
    problems: list[str] = []
    simulation = config.simulation
    by_year = {year: config.of_year(year) for year in range(simulation.start_year, simulation.end_year + 1)}
    configs = {max(of_year.first_year, simulation.start_year): of_year for of_year in by_year.values()}
    from_year: dict[int, GivenTables] = {}
    for year, of_year in configs.items():
        found: list[str] = []
        from_year[year] = given = _given(of_year, found)
        problems += _from_year(config, year, found, problems)
        if previous_match(of_year) is not None and by_year.get(year + 1) is of_year:
            # participants answer in the first year only
            from_year[year + 1] = replace(given, others=_lists(of_year, None))
    limits = yearly_limits(config, problems)
    for year, of_year in configs.items():
        years = [one for one in by_year if of_year is by_year[one]]
        check_plan_of_years(of_year, {one: limits[one] for one in years if one in limits}, problems)
        check_same_sets(from_year[simulation.start_year].tables, from_year[year].tables, year, problems)
    check_limits(config, limits, problems)
    if problems:
        raise ConfigurationError(list(dict.fromkeys(problems)))
    yearly = (annual_rates(config), enrollment_terms(config), limits_table(limits), *reduction_tables(config))
    return Assumptions(config, from_year, yearly)


def _from_year(config: "SimulationConfig", year: int, found: list[str], known: list[str]) -> list[str]:
    """Return what is wrong from a year on and not before, each table with the change that gave it."""
    if config.of_year(year).before is None:
        return found
    placed = []
    for text in found:
        name = text.removeprefix(_TABLE).split(":")[0].split(" ")[0]
        given = [one for one in config.changes if one <= year and name in config.changes[one].get("parameters", {})]
        if text.startswith(_TABLE) and given:
            placed.append(f"changes.{max(given)}.{text}")
        elif text not in known:
            placed.append(f"from {year} on: {text}")
    return [text for text in placed if text not in known]


def _given(config: "SimulationConfig", problems: list[str]) -> GivenTables:
    """Return the tables of years that have one configuration, judged as far as they can be read."""
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
    return GivenTables(config, tables, _lists(config, previous_match(config)))


def _lists(config: "SimulationConfig", previous: "MatchFormulaSection | None") -> tuple[ParameterTable, ...]:
    return (*workforce_tables(config), *plan_tables(config, previous))


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
        "workforce.reductions": [level for entry in config.workforce.reductions for level in entry.get("levels", ())],
        "compensation.bonus.target_share": config.compensation.bonus.target_share,
        "plan.eligibility.excluded_levels": config.plan.eligibility.excluded_levels,
    }
    problems += [
        f"{key}: level {level} is not in parameters.job_levels; it has {', '.join(map(str, known))}"
        for key, given in named.items()
        for level in given
        if level not in known
    ]
