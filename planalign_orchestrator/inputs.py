"""What a run is made from, checked before the database is touched: model, parameter tables, configuration, census."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from planalign_orchestrator import parameters
from planalign_orchestrator.census import CensusSource, CensusSummary, check_census, load_census
from planalign_orchestrator.config import SimulationConfig, config_fingerprint, to_dbt_vars
from planalign_orchestrator.parameters import ParameterTable
from planalign_orchestrator.plan_compiler import Plan, load_plan

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class RunInputs:
    """The checked inputs of a run; the census is named here and read on demand, because it may be large."""

    config: SimulationConfig
    plan: Plan
    tables: tuple[ParameterTable, ...]
    variables: Mapping[str, Any]
    source: CensusSource

    @classmethod
    def read(cls, config: SimulationConfig) -> "RunInputs":
        """Read everything but the census. Errors: ConfigurationError, PlanCompilationError."""
        return cls(
            config=config,
            plan=load_plan(),
            tables=parameters.load_parameters(config),
            variables=to_dbt_vars(config),
            source=CensusSource(**dict(config.census)),
        )

    @cached_property
    def run_plan(self) -> Plan:
        """The plan with this run's values in the place of its parameters. Errors: PlanCompilationError."""
        return self.plan.with_values(self.variables)

    @property
    def census_date(self) -> dt.date:
        """31 December before the first simulated year."""
        return dt.date(self.config.simulation.start_year - 1, 12, 31)

    def check_census(self) -> CensusSummary:
        """Read and judge the census without keeping it. Errors: CensusError with every finding."""
        return check_census(
            self.source,
            census_date=self.census_date,
            level_ids=parameters.level_ids(self.tables),
            departments=self.config.plan.eligibility.excluded_departments,
        )

    def write(self, connection: "duckdb.DuckDBPyConnection") -> CensusSummary:
        """Write census and parameter tables into the simulation's file, in the first year's transaction."""
        summary = load_census(
            connection,
            self.source,
            census_date=self.census_date,
            level_ids=parameters.level_ids(self.tables),
            departments=self.config.plan.eligibility.excluded_departments,
        )
        parameters.write_parameters(connection, self.tables)
        return summary

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
            "model": self.plan.key,
        }
