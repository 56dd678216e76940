"""Has dbt build the model, stage by stage, in a child process that holds the database meanwhile.

A year is not one transaction here: it is begun, built and finished in several. Until its checkpoint is written, the
year is unfinished, and whoever finds an unfinished year removes it.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from planalign_orchestrator.checkpoints import DBT, remove_unfinished_year
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.engine import session
from planalign_orchestrator.errors import ConfigurationError, DatabaseError, PipelineStageError
from planalign_orchestrator.plan_compiler import Plan
from planalign_orchestrator.utils import DatabaseConnectionManager

_LOGGER = logging.getLogger(__name__)


class DbtEngine:
    """Builds a plan's stages through dbt, on the file of a connection manager.

    Errors: ConfigurationError when the runner builds into another file.
    """

    name = DBT

    def __init__(self, plan: Plan, db: DatabaseConnectionManager, runner: DbtRunner) -> None:
        if runner.database is None or runner.database.resolve() != db.db_path.resolve():
            raise ConfigurationError(
                f"dbt would build into {runner.database or 'the database of its profile'} and not into {db.db_path}; "
                "make the runner with DbtRunner(database=...)"
            )
        self.plan = plan
        self._db = db
        self._runner = runner
        self._parameters: Mapping[str, Any] = {}

    def create_marts(self) -> None:
        """Create every mart from its contract, as the native engine does."""
        session.create_marts(self._db.get_connection(), self.plan)

    def begin_year(self, year: int, parameters: Mapping[str, Any]) -> None:
        """Check the parameters; errors as the native engine's."""
        values = session.values_of_year(self.plan, year, parameters)
        session.set_parameters(self._db.get_connection(), self.plan, values, {})
        self._parameters = parameters

    def run_stage(self, stage: str, year: int) -> dict[str, float]:
        """Have dbt build the stage's models; return seconds by model. Errors: PipelineStageError naming the model."""
        self._db.close()
        results = (self._runner.artifacts or self._runner.working_dir) / "target" / "run_results.json"
        results.unlink(missing_ok=True)
        outcome = self._runner.execute_command(
            ["run", "--select", f"tag:{stage}", "--threads", str(self._runner.threads)],
            description=f"build {stage} of {year}",
            simulation_year=year,
            dbt_vars=self._parameters,
        )
        if (failure := outcome.error) is not None:
            refusal = session.refusal_in(str(failure))
            raise refusal or PipelineStageError(f"year {year}, stage {stage}, {failure}; the year was removed")
        if not results.is_file():
            raise PipelineStageError(f"year {year}, stage {stage}: dbt left no {results.name}; the year was removed")
        timings = {
            entry["unique_id"].rpartition(".")[2]: float(entry["execution_time"])
            for entry in json.loads(results.read_text(encoding="utf-8"))["results"]
        }
        wanted = {model.name for model in self.plan.models if model.stage == stage}
        if timings.keys() != wanted:
            raise PipelineStageError(
                f"year {year}, stage {stage}: dbt did not build {sorted(wanted ^ timings.keys())}; the year was removed"
            )
        return timings

    def adopt_year(self, year: int) -> None:
        """Make a built year look as the native engine leaves it: parameters set, working models in temporary space."""
        connection = self._db.get_connection()
        values = session.values_of_year(self.plan, year, self._parameters)
        session.set_parameters(connection, self.plan, values, {})
        for model in self.plan.models:
            if not model.is_mart:
                connection.execute(f"create or replace temp table {model.name} as from planalign.working.{model.name}")
        connection.execute("drop schema planalign.working cascade")

    @contextmanager
    def unfinished(self, year: int) -> Iterator[None]:
        """Remove the year when the block fails; if that fails too, the next start does it."""
        try:
            yield
        except BaseException:
            self._db.close()
            try:
                remove_unfinished_year(self._db)
            except DatabaseError as error:
                _LOGGER.warning("the unfinished year %d is still in the database: %s", year, error)
            raise
