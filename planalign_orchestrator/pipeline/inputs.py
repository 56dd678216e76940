"""What a run is made from, checked before the database is touched: model, parameter tables, configuration, census."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator import parameters
from planalign_orchestrator.census import CensusSource, CensusSummary, load_census, private_connection
from planalign_orchestrator.census.ids import KEY_FILE
from planalign_orchestrator.config import SimulationConfig, config_fingerprint, to_dbt_vars
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.model import CompiledModel, load_compiled_model
from planalign_orchestrator.parameters import ParameterTable

if TYPE_CHECKING:
    import duckdb


# the models and the rules of validation multiply cents by rates in millionths and by 2, in 64 bits
_LARGEST_AMOUNT = 46_000_000_000
_AMOUNTS = ("employee_gross_compensation", "employee_account_balance", "match_account_balance", "core_account_balance")


@dataclass(frozen=True)
class RunInputs:
    """The checked inputs of a run; the census is named here and read on demand, because it may be large."""

    config: SimulationConfig
    model: CompiledModel
    tables: tuple[ParameterTable, ...]
    variables: Mapping[str, Any]
    source: CensusSource

    @classmethod
    def read(cls, config: SimulationConfig) -> "RunInputs":
        """Read everything but the census. Errors: ConfigurationError, ModelCompilationError."""
        return cls(
            config=config,
            model=load_compiled_model(),
            tables=parameters.load_parameters(config),
            variables=to_dbt_vars(config),
            source=census_source(config),
        )

    @cached_property
    def valued_model(self) -> CompiledModel:
        """The compiled model with this run's values in the place of its parameters. Errors: ModelCompilationError."""
        return self.model.with_values(self.variables)

    @property
    def census_date(self) -> dt.date:
        """31 December before the first simulated year."""
        return _census_date(self.config)

    def check_census(self) -> CensusSummary:
        """Read and judge the census without keeping it. Errors: CensusError with every finding."""
        return judge_census(self.config, parameters.level_ids(self.tables))

    def write(self, connection: "duckdb.DuckDBPyConnection") -> CensusSummary:
        """Write census and parameter tables into the simulation's file, in the first year's transaction."""
        summary = _load_census(connection, self.config, parameters.level_ids(self.tables), "planalign", keep_key=True)
        parameters.write_parameters(connection, self.tables)
        return summary

    def check_amounts(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Refuse a written census with amounts that the models cannot compute with. Errors: CensusError."""
        _check_amounts(connection, self.config, "planalign")

    def extend(self, connection: "duckdb.DuckDBPyConnection", first_year: int) -> None:
        """Bring the tables by year up to date for a resumed run, in the transaction of its first year."""
        parameters.write_years_from(connection, self.tables, first_year)

    def changed_in(self, connection: "duckdb.DuckDBPyConnection", last_year: int) -> list[str]:
        """Return the parameter tables whose rows in a database are not those its years were made from."""
        return [f"parameters.{name}" for name in parameters.changed_tables(connection, self.tables, last_year)]

    def fingerprints(self, census: Mapping[str, Any]) -> dict[str, Any]:
        """Return what decides the results: a resumed run must agree on all of it. `census` is that of the summary."""
        return {
            "configuration": config_fingerprint(self.config),
            "parameters": parameters.fingerprints(self.tables),
            "census": census,
            "model": self.model.key,
        }


def judge_census(config: SimulationConfig, level_ids: Collection[int]) -> CensusSummary:
    """Return what the census of a configuration holds, without keeping it. Errors: CensusError with every finding."""
    with private_connection() as connection:
        summary = _load_census(connection, config, level_ids, "memory")
        _check_amounts(connection, config, "memory")
        return summary


def _load_census(
    connection: "duckdb.DuckDBPyConnection",
    config: SimulationConfig,
    level_ids: Collection[int],
    database: str,
    *,
    keep_key: bool = False,
) -> CensusSummary:
    """Load the census into a database on the connection; with `keep_key` a key of ids that is made is kept."""
    return load_census(
        connection,
        census_source(config),
        census_date=_census_date(config),
        level_ids=level_ids,
        excluded={(entry["column"], value) for entry in config.plan.eligibility.excluded for value in entry["values"]},
        full_time_hours=config.new_hires.full_time_hours_per_week,
        create_id_key=keep_key,
        schema=f"{database}.inputs",
        quarantine_table=f"{database}.main.census_quarantine",
    )


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
