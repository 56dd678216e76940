"""Simulations of companies by the real model on a real database.

`simulate` runs everything a user runs. `Laboratory` keeps one census open and runs the model alone, for tests that need
many runs of one company. Both use one thread, because the tests already run side by side.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from planalign_orchestrator import parameters
from planalign_orchestrator.config import SimulationConfig
from planalign_orchestrator.database import checkpoints
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.factory import build_orchestrator
from planalign_orchestrator.model import STAGES, load_compiled_model
from planalign_orchestrator.model.native_driver import NativeDriver
from planalign_orchestrator.pipeline.inputs import RunInputs, load_inputs
from tests.companies import Overrides, Row, configure

Digests = dict[int, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Result:
    """A finished run: its census file, its configuration and the database it wrote."""

    census: Path
    config: SimulationConfig
    database: Path

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query; bare names are the marts, `parameters.x` and `inputs.census` the inputs."""
        with DatabaseConnectionManager(self.database, read_only=True, threads=1) as db:
            return db.get_connection().execute(sql).fetchall()

    def records(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query by column name."""
        with DatabaseConnectionManager(self.database, read_only=True, threads=1) as db:
            return records(db.get_connection(), sql)

    def metrics(self, year: int) -> dict[str, Any]:
        """Return the year's key figures by name; people and events as whole numbers."""
        rows = self.query(f"select metric, value, unit from fct_annual_metrics where simulation_year = {year}")
        return {name: int(value) if unit in ("people", "events") else value for name, value, unit in rows}

    def digests(self) -> Digests:
        """Return year -> mart -> rows and digest."""
        return {row["simulation_year"]: row["digests"] for row in checkpoints.read_status(self.database).checkpoints}

    def verdicts(self) -> dict[int, list[dict[str, Any]]]:
        """Return year -> the verdict of every validation rule."""
        return {row["simulation_year"]: row["validation"] for row in checkpoints.read_status(self.database).checkpoints}


def simulate(folder: Path, census: Path | Iterable[Row], overrides: Overrides | None = None) -> Result:
    """Simulate a company in a folder of its own and return the result; see `configure` for the arguments."""
    config = configure(folder, census, overrides)
    build_orchestrator(config).execute_multi_year_simulation()
    return Result(config.census.path, config, config.runtime.database)


def records(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query by column name."""
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Laboratory:
    """The compiled model on one open database with one census, which each run simulates under another configuration.

    It leaves out what lies around the model: checkpoints, validation and reports. Configurations may not differ in what
    decides how the census is read: census keys, start year and the job levels that exist. The tables are fitted to it
    by every run.
    """

    def __init__(self, folder: Path, census: Path | Iterable[Row], overrides: Overrides | None = None) -> None:
        self._folder = folder
        self._overrides = overrides or {}
        config = configure(folder, census, overrides)
        self._census = config.census.path
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("attach ':memory:' as planalign")
        self.connection.execute("attach ':memory:' as working")
        self.connection.execute("set search_path = 'planalign.main,working.main'")
        self._compiled = load_compiled_model()
        RunInputs.read(config).write(self.connection)

    def run(self, overrides: Overrides | None = None, *, until: str = STAGES[-1]) -> "Laboratory":
        """Simulate every year of the configuration, the last one up to and including the stage `until`."""
        config = configure(self._folder, self._census, {**self._overrides, **(overrides or {})})
        inputs = RunInputs.read(config)
        self._years = range(config.simulation.start_year, config.simulation.end_year + 1)
        self.connection.execute("drop schema parameters cascade")
        tables = load_inputs(self.connection, inputs.assumptions, "planalign").tables
        parameters.write_parameters(self.connection, tables)
        models = replace(inputs, model=self._compiled).models
        self.valued_model = models.of_year(self._years[-1])
        engine = NativeDriver(models, self.connection)
        engine.create_marts()
        ((people,),) = self.query("select count(*) from planalign.inputs.census")
        engine.adapt_to(people, threads=1)
        for mart in self._compiled.marts:
            self.connection.execute(f"truncate planalign.main.{mart.name}")
        for year in self._years:
            engine.begin_year(year)
            last = STAGES.index(until) if year == self._years[-1] else len(STAGES) - 1
            for stage in STAGES[: last + 1]:
                engine.run_stage(stage, year)
            if stage == STAGES[-1]:
                engine.write_marts(year)
        # the rules of the plan read it
        self.connection.execute(f"set variable simulation_year = {year}")
        return self

    def open_census(self, census: Path | Iterable[Row], overrides: Overrides | None = None) -> "Laboratory":
        """Put another census, of any start year, in the place of the present one; the compiled model stays."""
        config = configure(self._folder, census, {**self._overrides, **(overrides or {})})
        self._census = config.census.path
        load_inputs(self.connection, RunInputs.read(config).assumptions, "planalign")
        return self

    @contextmanager
    def faulty_model(self, name: str, old: str, new: str) -> Iterator[None]:
        """Replace a part of a compiled model's text for a while, to show that a test would notice."""
        compiled = self._compiled
        assert any(model.name == name and old in model.sql for model in compiled.models)
        models = (
            replace(model, sql=model.sql.replace(old, new)) if model.name == name else model
            for model in compiled.models
        )
        self._compiled = replace(compiled, models=tuple(models))
        try:
            yield
        finally:
            self._compiled = compiled

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the last run; working models can be read too."""
        return self.connection.execute(sql).fetchall()

    def records(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query on the last run by column name."""
        return records(self.connection, sql)

    def digests(self) -> Digests:
        """Return year -> mart -> rows and digest of the last run."""
        return {year: checkpoints.mart_digests(self.connection, self._compiled.marts, year) for year in self._years}
