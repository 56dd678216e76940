"""Builds, judges and keeps years, each as one transaction with its checkpoint in it.

While a year is judged and committed, the next one is already built in memory on what it leaves behind.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from typing import Any

from planalign_orchestrator.background import BackgroundWork
from planalign_orchestrator.config import SimulationConfig, testing_status
from planalign_orchestrator.database import checkpoints
from planalign_orchestrator.database.checkpoints import WorkflowCheckpoint, duckdb_version
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import DatabaseError, ValidationFailedError
from planalign_orchestrator.model import STAGES, session
from planalign_orchestrator.model.dbt_driver import DbtDriver
from planalign_orchestrator.model.driver import Driver
from planalign_orchestrator.model.native_driver import NativeDriver
from planalign_orchestrator.pipeline.inputs import RunInputs
from planalign_orchestrator.pipeline.publish import Publisher
from planalign_orchestrator.pipeline.setting_aside import finish_setting_aside
from planalign_orchestrator.registries import RegistryManager
from planalign_orchestrator.validation import DataValidator, ValidationResult, ValidationSeverity

_LOGGER = logging.getLogger(__name__)

Timings = dict[str, dict[str, float]]


class WorkflowStage(StrEnum):
    """The stages of a year, in order."""

    INITIALIZATION = "initialization"
    FOUNDATION = "foundation"
    EVENT_GENERATION = "event_generation"
    STATE_ACCUMULATION = "state_accumulation"
    VALIDATION = "validation"
    REPORTING = "reporting"
    CLEANUP = "cleanup"


@dataclass(frozen=True)
class StageDefinition:
    """A stage that runs models: those that `selector` selects in dbt."""

    stage: WorkflowStage
    selector: str


MODEL_STAGES = tuple(StageDefinition(WorkflowStage(name), f"tag:{name}") for name in STAGES)


@dataclass(frozen=True)
class ProgressEvent:
    """A stage of a year began or finished; `seconds` is its duration when finished.

    Events come one at a time, but a year's validation and reporting among the stages of the next year.
    """

    year: int
    stage: WorkflowStage
    finished: bool
    seconds: float


@dataclass(frozen=True)
class Simulation:
    """What years are carried out with. `strict` stops at an implausible result; `notes` are for the user."""

    config: SimulationConfig
    db: DatabaseConnectionManager
    dbt: DbtRunner
    registries: RegistryManager
    publisher: Publisher
    inputs: RunInputs
    validator: DataValidator
    strict: bool
    notes: list[str]
    on_progress: Callable[[ProgressEvent], None] | None = None
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _telling: threading.Lock = field(default_factory=threading.Lock)

    def simulate(
        self, years: Sequence[int], census: dict[str, Any] | None = None, *, replaces: str | None = None
    ) -> None:
        """Simulate years; `census` is the summary of the one that the database already holds, None writes it.

        `replaces` is the last run of the database that became the automatic backup.

        Finished years stay, a failing one leaves nothing. Errors: those of the stages and of the validation.
        """
        try:
            with self._engine() as engine:
                census = self._begin(years[0], engine, census, replaces)
                fingerprints = self.inputs.fingerprints(census["fingerprint"])
                engine.adapt_to(census["simulated"], self.db.threads)
                with BackgroundWork(lambda: self.db.get_connection().interrupt()) as background:
                    for year in years:
                        engine.begin_year(year)
                        timings = self._build(year, engine, background)
                        transaction = self._begin_keeping(engine, background)
                        is_last = year == years[-1]
                        finish = partial(self._finish, year, engine, timings, fingerprints, is_last=is_last)
                        background.start(partial(self._keep, year, transaction, finish))
                        if not engine.builds_ahead:
                            background.wait()
                    background.wait()
        except BaseException:
            self._remove_unfinished()
            raise

    def _remove_unfinished(self) -> None:
        """Leave the finished years only; if that fails too, the next start does it."""
        import duckdb

        self.db.close()
        if not self.db.db_path.exists():
            return
        try:
            if checkpoints.read_state(self.db) is not None:
                engines = (self.config.runtime.engine,)
                checkpoints.remove_unfinished_year(self.db, self.inputs.model.models, engines=engines)
                self._take_back_committed()
        except (DatabaseError, duckdb.Error) as error:
            _LOGGER.warning("what was begun of an unfinished year is still in the database: %s", error)

    def _take_back_committed(self) -> None:
        """Take a year out of the registries that a rule of a user committed before it was finished."""
        with self.db.transaction() as connection:
            last = "select coalesce(max(simulation_year), 0) from planalign.main.checkpoints"
            ((finished,),) = connection.execute(last).fetchall()
            self.registries.take_back(finished + 1)

    @contextmanager
    def _engine(self) -> Iterator[Driver]:
        if self.config.runtime.engine == NativeDriver.name:
            with NativeDriver(self.inputs.valued_model, self.db.get_connection()) as engine:
                yield engine
            return
        with self.dbt:
            yield DbtDriver(self.inputs.valued_model, self.inputs.variables, self.db, self.dbt)

    def _begin(self, first: int, engine: Driver, census: dict[str, Any] | None, replaces: str | None) -> dict[str, Any]:
        """Write what the years are made from and the run's row of `run_metadata`, in a transaction before the first."""
        with self.db.transaction() as connection:
            kept = list(self.notes)
            if census is None:
                summary = self.inputs.write(connection)
                self.inputs.check_amounts(connection)
                census = summary.to_dict()
                kept += _census_notes(census)
                self.notes.extend(_census_notes(summary.to_dict(with_values=True)))
                checkpoints.create_state_tables(connection)
                if replaces is not None:
                    checkpoints.record_replaced(connection, replaces)
                self.registries.create_for_year(first)
            else:
                self.inputs.extend(connection, first)
            session.check_types(connection, self.inputs.model, self.inputs.variables)
            checkpoints.record_run(connection, self._row(census, kept))
            engine.create_marts()
            self.validator.try_rules(first)
        return census

    def _build(self, year: int, engine: Driver, background: BackgroundWork) -> Timings:
        """Build the year's models, unless the year before turns out to be wrong; return seconds by stage and model."""
        stages: dict[str, float] = {}
        models: dict[str, float] = {}
        for definition in MODEL_STAGES:
            background.check()
            models |= self._timed(year, definition.stage, stages, partial(engine.run_stage, definition.stage, year))
        return {"stages": stages, "models": models}

    def _begin_keeping(self, engine: Driver, background: BackgroundWork) -> ExitStack:
        """Begin the transaction of a year that is built: here, so that it sees the year as it is now."""
        background.wait()
        engine.end_year()
        with ExitStack() as stack:
            stack.enter_context(self.db.transaction())
            engine.pin_year()
            return stack.pop_all()

    def _keep(self, year: int, transaction: ExitStack, finish: Callable[[], WorkflowCheckpoint]) -> None:
        """Finish the year's transaction, then write the files that follow a commit."""
        with transaction:
            checkpoint = finish()
        if year == self.config.simulation.start_year:
            finish_setting_aside(self.db.db_path)
        self._timed(year, WorkflowStage.REPORTING, {}, partial(self.publisher.publish, checkpoint))

    def _finish(
        self,
        year: int,
        engine: Driver,
        timings: Timings,
        fingerprints: dict[str, Any],
        *,
        is_last: bool,
    ) -> WorkflowCheckpoint:
        """Within the year's transaction: write it, bring the registries up to it, judge it, record its checkpoint."""
        stages = timings["stages"]
        with _timing(stages, "adoption"):
            engine.write_marts(year, is_last=is_last)
        with _timing(stages, "registries"):
            self.registries.update_post_year(year)
        judge = partial(self.validator.validate_year_results, year, is_final_year=is_last)
        results = self._timed(year, WorkflowStage.VALIDATION, stages, judge)
        _check_valid(results, year, self.strict)
        checkpoint = WorkflowCheckpoint(
            simulation_year=year,
            run_id=self.run_id,
            completed_at=checkpoints.now().isoformat(timespec="seconds"),
            engine=engine.name,
            duckdb_version=duckdb_version(),
            database=self.db.db_path.name,
            fingerprints=fingerprints,
            digests=checkpoints.mart_digests(self.db.get_connection(), self.inputs.model.marts, year),
        )
        verdicts = DataValidator.to_report_dict(results)
        row = {**asdict(checkpoint), "timings": timings, "validation": verdicts["results"]}
        checkpoints.record_checkpoint(self.db.get_connection(), row)
        return checkpoint

    def _timed(self, year: int, stage: WorkflowStage, timings: dict[str, float], work: Callable[[], Any]) -> Any:
        self._tell(ProgressEvent(year, stage, finished=False, seconds=0.0))
        with _timing(timings, stage):
            result = work()
        self._tell(ProgressEvent(year, stage, finished=True, seconds=timings[stage]))
        return result

    def _tell(self, event: ProgressEvent) -> None:
        if self.on_progress is not None:
            with self._telling:
                self.on_progress(event)

    def _row(self, census: dict[str, Any], notes: list[str]) -> dict[str, Any]:
        """Return this run's row of `run_metadata`; reports show its notes, so no value of the census is in them."""
        simulation = self.config.simulation
        return {
            "run_id": self.run_id,
            "started_at": checkpoints.now(),
            "requested_start_year": simulation.start_year,
            "requested_end_year": simulation.end_year,
            "engine": self.config.runtime.engine,
            "scenario_id": self.config.scenario_id,
            "plan_design_id": self.config.plan_design_id,
            "random_seed": simulation.random_seed,
            "planalign_version": version("planalign-orchestrator"),
            "duckdb_version": duckdb_version(),
            "configuration": self.config.model_dump(mode="json"),
            "census": census,
            "plan_testing": testing_status(self.config),
            "notes": notes,
        }


def _census_notes(census: dict[str, Any]) -> list[str]:
    """Return what the summary of a census says of bad and of doubtful rows."""
    set_aside = [f"census, set aside: {text}" for text in census["problems"]]
    return [*set_aside, *(f"census: {text}" for text in census["warnings"])]


@contextmanager
def _timing(timings: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timings[name] = round(time.perf_counter() - started, 6)


def _check_valid(results: Sequence[ValidationResult], year: int, strict: bool) -> None:
    """Roll back on a broken invariant, and with `strict` on any failed rule of severity error."""
    broken = [
        result
        for result in results
        if not result.passed and (result.is_invariant or (strict and result.severity is ValidationSeverity.ERROR))
    ]
    if broken:
        lines = "\n".join(
            f"  - {result.rule}: {result.failures} rows, such as {'; '.join(result.examples)}" for result in broken
        )
        raise ValidationFailedError(f"year {year} was rolled back, {len(broken)} validation rules failed:\n{lines}")
