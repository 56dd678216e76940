"""Has dbt build the model, stage by stage, in a child process that holds the database meanwhile.

A year is not one transaction here: it is begun, built and finished in several. A year without a checkpoint is
unfinished, and the next run removes it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from planalign_orchestrator.database.checkpoints import DBT
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.resuming import drop_working_tables
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import ConfigurationError, PipelineStageError
from planalign_orchestrator.files.atomic import real_path
from planalign_orchestrator.model import CompiledModel, session
from planalign_orchestrator.model.overflow import explained


class DbtDriver:
    """Builds a compiled model's stages through dbt with each year's variables, on the file of a connection manager.

    Errors: ConfigurationError when the runner builds into another file.
    """

    name = DBT
    # dbt needs the file for the next year
    builds_ahead = False

    def __init__(
        self,
        compiled: CompiledModel,
        variables: Callable[[int], Mapping[str, Any]],
        db: DatabaseConnectionManager,
        runner: DbtRunner,
    ) -> None:
        if runner.database is None or real_path(runner.database) != real_path(db.db_path):
            raise ConfigurationError(
                f"dbt would build into {runner.database or 'the database of its profile'} and not into {db.db_path}; "
                "make the runner with DbtRunner(database=...)"
            )
        self.compiled = compiled
        self._db = db
        self._runner = runner
        self._variables = variables

    def create_marts(self) -> None:
        """Create every mart from its contract, as the native engine does."""
        session.create_marts(self._db.get_connection(), self.compiled)

    def adapt_to(self, people: int, threads: int | None = None) -> None:
        """There is nothing to choose: dbt builds with the runner's threads."""

    def begin_year(self, year: int) -> None:
        """There is nothing to prepare: each stage is told the year."""

    def run_stage(self, stage: str, year: int) -> dict[str, float]:
        """Have dbt build the stage's models; return seconds by model. Errors: PipelineStageError naming the model."""
        self._db.close()
        results = (self._runner.artifacts or self._runner.working_dir) / "target" / "run_results.json"
        results.unlink(missing_ok=True)
        outcome = self._runner.execute_command(
            ["run", "--select", f"tag:{stage}", "--threads", str(self._runner.threads)],
            description=f"build {stage} of {year}",
            simulation_year=year,
            dbt_vars=self._variables(year),
        )
        if (failure := outcome.error) is not None:
            refusal = session.refusal_in(str(failure))
            raise refusal or PipelineStageError(
                f"year {year}, stage {stage}, {explained(str(failure))}; the year was removed"
            )
        if not results.is_file():
            raise PipelineStageError(f"year {year}, stage {stage}: dbt left no {results.name}; the year was removed")
        timings = {
            entry["unique_id"].rpartition(".")[2]: float(entry["execution_time"])
            for entry in json.loads(results.read_text(encoding="utf-8"))["results"]
        }
        wanted = {model.name for model in self.compiled.models if model.stage == stage}
        if timings.keys() != wanted:
            raise PipelineStageError(
                f"year {year}, stage {stage}: dbt did not build {sorted(wanted ^ timings.keys())}; the year was removed"
            )
        return timings

    def end_year(self) -> None:
        """Make the year look as the native engine leaves it: marts in the file, working tables in memory."""
        connection = self._db.get_connection()
        session.open_working_memory(connection)
        for model in self.compiled.models:
            if not model.is_mart:
                name = model.name
                connection.execute(f"create or replace table working.main.{name} as from planalign.working.{name}")
        drop_working_tables(connection, self.compiled.models)

    def pin_year(self) -> None:
        """There is nothing to hold: no year is built meanwhile."""

    def write_marts(self, year: int, *, is_last: bool = False) -> None:
        """There is nothing to write: dbt has built the marts in the file."""
