"""What a run is made from, checked before the database is touched: model, parameter tables, configuration, census."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator import parameters
from planalign_orchestrator.census import CensusSource, CensusSummary, load_census, private_connection
from planalign_orchestrator.census.ids import KEY_FILE
from planalign_orchestrator.config import SimulationConfig, config_fingerprint, to_dbt_vars
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.model import CompiledModel, ModelOfYears, load_compiled_model
from planalign_orchestrator.parameters import Assumptions, RunTables
from planalign_orchestrator.parameters.census_statistics import Workforce
from planalign_orchestrator.pipeline import acquisitions

if TYPE_CHECKING:
    import duckdb


# the models and the rules of validation multiply cents by rates in millionths and by 2, in 64 bits
_LARGEST_AMOUNT = 46_000_000_000
_AMOUNTS = (
    "employee_gross_compensation",
    "employee_variable_compensation",
    "employee_account_balance",
    "match_account_balance",
    "core_account_balance",
)


@dataclass(frozen=True)
class LoadedInputs:
    """What depends on the census: its summary, with what its people make of the tables, and every parameter table."""

    summary: CensusSummary
    tables: RunTables
    acquired: Mapping[int, str] = field(default_factory=dict)
    """The fingerprint of the people who are acquired in a year."""

    def changed_in(self, connection: "duckdb.DuckDBPyConnection", last_year: int) -> list[str]:
        """Return the parameter tables whose rows in a database are not those its years were made from."""
        return [f"parameters.{name}" for name in parameters.changed_tables(connection, self.tables, last_year)]


@dataclass(frozen=True)
class RunInputs:
    """The checked inputs of a run; the census is named here and read on demand, because it may be large."""

    config: SimulationConfig
    model: CompiledModel
    assumptions: Assumptions

    @classmethod
    def read(cls, config: SimulationConfig) -> "RunInputs":
        """Read everything but the census. Errors: ConfigurationError, ModelCompilationError."""
        return cls(
            config=config,
            model=load_compiled_model(),
            assumptions=parameters.load_parameters(config),
        )

    @cached_property
    def variables(self) -> Mapping[int, Mapping[str, Any]]:
        """The single values that the models read, by the first year that they hold in."""
        return {year: to_dbt_vars(given.config) for year, given in self.assumptions.from_year.items()}

    def variables_of(self, year: int) -> Mapping[str, Any]:
        """Return the single values of a year."""
        return self.variables[max(first for first in self.variables if first <= year)]

    @cached_property
    def models(self) -> ModelOfYears:
        """The compiled model with each year's values in the place of its parameters. Errors: ModelCompilationError."""
        return ModelOfYears({year: self.model.with_values(values) for year, values in self.variables.items()})

    def check_census(self) -> LoadedInputs:
        """Read, judge and fit to the census without keeping it. Errors: CensusError with every finding."""
        return judge_census(self.assumptions)

    def write(self, connection: "duckdb.DuckDBPyConnection") -> LoadedInputs:
        """Write census and parameter tables into the simulation's file, in the first year's transaction."""
        loaded = load_inputs(connection, self.assumptions, "planalign", keep_key=True)
        parameters.write_parameters(connection, loaded.tables)
        return loaded

    def extend(self, connection: "duckdb.DuckDBPyConnection", loaded: LoadedInputs, first_year: int) -> None:
        """Bring what is of years to come up to date for a resumed run, in the transaction of its first year."""
        parameters.write_years_from(connection, loaded.tables, first_year)
        levels = parameters.level_ids(loaded.tables.of_year(first_year))
        acquisitions.load_acquired(connection, self.config, census_source(self.config), levels, "planalign")

    def fingerprints(self, loaded: LoadedInputs, year: int) -> dict[str, Any]:
        """Return what decides the results of a year: a resumed run must agree on all of it."""
        return {
            "configuration": config_fingerprint(self.config.of_year(year)),
            "parameters": parameters.fingerprints(loaded.tables.of_year(year)),
            "census": loaded.summary.fingerprint,
            "acquired": {str(one): digest for one, digest in loaded.acquired.items() if one <= year},
            "model": self.model.key,
        }


def judge_census(assumptions: Assumptions, census_date: dt.date | None = None) -> LoadedInputs:
    """Return what a run would be made from, without keeping it. Errors: CensusError with every finding.

    `census_date` stands for 31 December before the first simulated year.
    """
    with private_connection() as connection:
        return load_inputs(connection, assumptions, "memory", census_date)


def judge_people(config: SimulationConfig) -> CensusSummary:
    """Return what a census holds, of any job level and with no table fitted to it. Errors: CensusError."""
    with private_connection() as connection:
        return _load_people(connection, config, parameters.ANY_LEVEL, "memory", _census_date(config))


def load_inputs(
    connection: "duckdb.DuckDBPyConnection",
    assumptions: Assumptions,
    database: str,
    census_date: dt.date | None = None,
    *,
    keep_key: bool = False,
) -> LoadedInputs:
    """Load the census into a database on the connection and fit the tables to it.

    With `keep_key` a key of ids that is made is kept. Errors: CensusError, ConfigurationError.
    """
    config = assumptions.config
    date = census_date or _census_date(config)
    summary = _load_people(connection, config, assumptions.levels, database, date, keep_key=keep_key)
    workforce = Workforce(
        connection,
        f"{database}.inputs.census",
        first_year=date.year + 1,
        full_time_hours=config.new_hires.full_time_hours_per_week,
    )
    fitted = assumptions.fitted(workforce)
    workforce.close()
    levels = parameters.level_ids(fitted.tables.of_year(date.year + 1))
    acquired, said = acquisitions.load_acquired(connection, config, census_source(config), levels, database)
    findings = (*summary.findings, *fitted.findings, *said)
    return LoadedInputs(replace(summary, findings=findings), fitted.tables, acquired)


def _load_people(
    connection: "duckdb.DuckDBPyConnection",
    config: SimulationConfig,
    level_ids: Collection[int],
    database: str,
    date: dt.date,
    *,
    keep_key: bool = False,
) -> CensusSummary:
    summary = load_census(
        connection,
        census_source(config),
        census_date=date,
        level_ids=level_ids,
        named_groups=_named_groups(config),
        full_time_hours=config.new_hires.full_time_hours_per_week,
        create_id_key=keep_key,
        schema=f"{database}.inputs",
        quarantine_table=f"{database}.main.census_quarantine",
    )
    _check_amounts(connection, config, database)
    return summary


def _named_groups(config: SimulationConfig) -> dict[tuple[str, str], str]:
    """Return every group of the census that the configuration names in some year, with the key that does."""
    years = range(config.simulation.start_year, config.simulation.end_year + 1)
    excluded = (entry for year in years for entry in config.of_year(year).plan.eligibility.excluded)
    laid_off = (name for entry in config.workforce.reductions for name in entry.get("departments", ()))
    groups = {("department", name): "workforce.reductions" for name in laid_off}
    return groups | {
        (entry["column"], value): "plan.eligibility.excluded" for entry in excluded for value in entry["values"]
    }


def _check_amounts(connection: "duckdb.DuckDBPyConnection", config: SimulationConfig, database: str) -> None:
    """Refuse amounts that the models cannot compute with. Errors: CensusError."""
    largest = ", ".join(f"max({name}), arg_max(employee_id, {name})" for name in _AMOUNTS)
    (found,) = connection.execute(f"select {largest} from {database}.inputs.census where is_simulated").fetchall()
    problems = [
        f"{name} is {amount:,} US dollars for {employee}; more than {_LARGEST_AMOUNT:,} cannot be computed with"
        for name, amount, employee in zip(_AMOUNTS, found[::2], found[1::2], strict=True)
        if amount is not None and amount > _LARGEST_AMOUNT
    ]
    if problems:
        raise CensusError(problems, source=str(config.census.path))


def census_source(config: SimulationConfig) -> CensusSource:
    """Return where a census lies and how it is read; a key of ids lies beside the configuration."""
    folder = Path(config.provenance.source).parent if config.provenance.source else None
    return CensusSource(**dict(config.census), id_key=folder and folder / KEY_FILE)


def _census_date(config: SimulationConfig) -> dt.date:
    return dt.date(config.simulation.start_year - 1, 12, 31)
