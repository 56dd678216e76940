"""Carries a simulation out: year by year, each year one transaction with its checkpoint in it.

While a year is judged and committed, the next one is already built in memory on what it leaves behind.
"""

import logging
import shlex
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from planalign_orchestrator import checkpoints
from planalign_orchestrator.backup import SetAside, finish_setting_aside, put_back, set_aside
from planalign_orchestrator.beside import Beside
from planalign_orchestrator.census import fingerprint_of
from planalign_orchestrator.checkpoints import DatabaseStatus, WorkflowCheckpoint
from planalign_orchestrator.config import SimulationConfig, testing_status, to_dbt_vars
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.engine import DbtEngine, NativeEngine, session
from planalign_orchestrator.errors import DatabaseError, PipelineStageError, ValidationFailedError
from planalign_orchestrator.inputs import RunInputs
from planalign_orchestrator.plan_compiler import STAGES, Plan
from planalign_orchestrator.publishing import Publisher
from planalign_orchestrator.registries import RegistryManager
from planalign_orchestrator.reports import MultiYearSummary
from planalign_orchestrator.utils import DatabaseConnectionManager, ExecutionMutex, one_kind_of_interrupt
from planalign_orchestrator.validation import DataValidator, ValidationResult, ValidationSeverity
from planalign_orchestrator.validation.choosing import build_validator

__all__ = [
    "PipelineOrchestrator",
    "PipelineStageError",
    "ProgressEvent",
    "RunArtifacts",
    "StageDefinition",
    "WorkflowCheckpoint",
    "WorkflowStage",
]


_LOGGER = logging.getLogger(__name__)


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
class RunArtifacts:
    """What a run wrote, and what the user should know about it."""

    database: Path
    backup: Path | None
    reports: tuple[Path, ...]
    checkpoints: tuple[Path, ...]
    run_vars: Path | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Run:
    """What years are carried out with; `strict` stops the run at an implausible result."""

    inputs: RunInputs
    validator: DataValidator
    years: Sequence[int]
    strict: bool


class PipelineOrchestrator:
    """Runs the years of a configuration on one database and reports on them."""

    def __init__(
        self,
        config: SimulationConfig,
        db_manager: DatabaseConnectionManager,
        dbt_runner: DbtRunner,
        registry_manager: RegistryManager | None = None,
        validator: DataValidator | None = None,
        *,
        on_progress: Callable[[ProgressEvent], None] | None = None,
    ) -> None:
        self.config = config
        self._db = db_manager
        self._dbt = dbt_runner
        self._registries = registry_manager or RegistryManager(db_manager)
        self._registered = validator.registered if validator is not None else ()
        self._on_progress = on_progress
        self._telling = threading.Lock()
        self._run_id = uuid.uuid4().hex
        self._census: dict[str, Any] = {}
        self._notes: list[str] = []
        self._backup: Path | None = None
        self._publisher = Publisher(db_manager, self.reports_directory, self.checkpoint_directory)

    @property
    def years(self) -> list[int]:
        """The years of the configuration."""
        return list(range(self.config.simulation.start_year, self.config.simulation.end_year + 1))

    @property
    def artifacts(self) -> RunArtifacts:
        """What has been written so far."""
        return RunArtifacts(
            database=self._db.db_path,
            backup=self._backup,
            reports=tuple(self._publisher.reports),
            checkpoints=tuple(self._publisher.copies),
            run_vars=self._publisher.run_vars,
            notes=(*self._notes, *self._publisher.notes),
        )

    @property
    def reports_directory(self) -> Path:
        """Where reports go: as configured, or `reports` beside the database."""
        return self.config.reports.directory or self._db.db_path.parent / "reports"

    @property
    def checkpoint_directory(self) -> Path:
        """Where the JSON copies of checkpoints go: as configured, or beside the database."""
        return self.config.runtime.checkpoint_directory or self._db.db_path.parent / ".navigator_checkpoints"

    def validator_by(self, plan: Plan) -> DataValidator:
        """Return what judges the years: all rules as configured. Errors: ConfigurationError with every problem."""
        return build_validator(self._db, self.config, (*plan.tests, *self._registries.agreements()), self._registered)

    def planned_commands(self) -> list[str]:
        """Return the dbt command of every stage of every year, as one would type them; runs nothing, needs no dbt."""
        variables = to_dbt_vars(self.config)
        return [
            shlex.join(
                self._dbt.command_line(
                    ["run", "--select", stage.selector, "--threads", str(self._dbt.threads)],
                    simulation_year=year,
                    dbt_vars=variables,
                )
            )
            for year in self.years
            for stage in MODEL_STAGES
        ]

    def execute_multi_year_simulation(
        self,
        start_year: int | None = None,
        end_year: int | None = None,
        *,
        resume_from_checkpoint: bool = False,
        dry_run: bool = False,
        fail_on_validation_error: bool | None = None,
    ) -> MultiYearSummary:
        """Simulate the years and return their summary; a dry run returns the summary of no year.

        Every finished year is in the database for good; a failing one leaves nothing. Errors: ConfigurationError,
        CensusError, ResumeError, DatabaseError, PipelineStageError, ValidationFailedError.
        """
        if start_year is not None or end_year is not None:
            simulation = self.config.simulation
            self.config = self.config.with_years(start_year or simulation.start_year, end_year or simulation.end_year)
        if dry_run:
            return MultiYearSummary.of_no_year(self.config.scenario_id, self.config.plan_design_id)
        validation = self.config.validation
        strict = validation.fail_on_validation_error if fail_on_validation_error is None else fail_on_validation_error
        inputs = RunInputs.read(self.config)
        validator = self.validator_by(inputs.run_plan)
        with one_kind_of_interrupt(), ExecutionMutex(self._db.db_path.name, self._db.db_path.parent), self._db:
            self._publisher.tidy()
            finish_setting_aside(self._db.db_path)
            if self._db.db_path.exists():
                checkpoints.demand_ours(self._db.db_path)
            remaining = self._remaining_years(inputs) if resume_from_checkpoint else None
            if remaining is None:
                self._start_over(_Run(inputs, validator, self.years, strict))
            elif remaining:
                self._simulate(_Run(inputs, validator, remaining, strict))
            summary = self._report()
            self._db.settle()
            return summary

    def _remaining_years(self, inputs: RunInputs) -> list[int] | None:
        """Return the years still to simulate on the present database; None when it has no finished year."""
        status = checkpoints.read_state(self._db) if self._db.db_path.exists() else None
        if status is None or not status.checkpoints:
            self._db.close()
            self._notes.append("there was no finished year to resume, so the run began with the first one")
            return None
        self._census = inputs.check_census().to_dict()
        fingerprints = inputs.fingerprints(self._census["fingerprint"])
        if checkpoints.remove_unfinished_year(self._db):
            self._notes.append(f"the unfinished year {status.years[-1] + 1} of a run with dbt was removed")
        checkpoints.demand_same_origin(status, fingerprints, _duckdb_version())
        checkpoints.verify_years(self._db.get_connection(), status, inputs.plan.marts)
        self._demand_inputs(inputs, status)
        self._registries.demand_agreement_with_ledger()
        self._publisher.catch_up(status)
        remaining = [year for year in self.years if year > status.years[-1]]
        finished = f"resumed after {status.years[-1]}"
        self._notes.append(finished if remaining else f"{finished}: every year was finished, nothing was simulated")
        return remaining

    def _demand_inputs(self, inputs: RunInputs, status: DatabaseStatus) -> None:
        """The years to come read their inputs from the database: these must be those its years were made from."""
        connection = self._db.get_connection()
        changed = inputs.changed_in(connection, status.years[-1])
        if fingerprint_of(connection, "planalign.inputs.census") != self._census["fingerprint"]:
            changed.append("inputs.census")
        if changed:
            raise checkpoints.changed_by_hand(
                status.database, f"{', '.join(changed)} does not hold the rows that its years were made from"
            )

    def _start_over(self, run: _Run) -> None:
        """Begin with the first year; the file that was there is the backup, or comes back if no year gets finished."""
        moved = SetAside(None, None)
        if self._db.db_path.exists():
            run.inputs.check_census()
            moved = set_aside(self._db.db_path)
            self._tell_about(moved)
        try:
            self._simulate(run)
        except BaseException:
            self._db.close()
            try:
                put_back(self._db.db_path, moved)
            except DatabaseError as error:
                # what stopped the run is the error to raise; this one says where the old results are
                _LOGGER.warning("the database before was not put back, it is still the backup: %s", error)
            raise

    def _tell_about(self, moved: SetAside) -> None:
        self._backup = moved.backup
        if moved.status is None or not moved.status.checkpoints:
            return
        years = f"{moved.status.years[0]}-{moved.status.years[-1]}"
        if moved.backup is None:
            self._notes.append(
                f"the unfinished run in {self._db.db_path.name} ({years}) was dropped; the backup was kept"
            )
        self._publisher.replaces(moved.status)

    def _simulate(self, run: _Run) -> None:
        try:
            with self._engine(run.inputs) as engine:
                self._begin_run(run, engine)
                self._db.suit(self._census["simulated"])
                with Beside(lambda: self._db.get_connection().interrupt()) as beside:
                    for year in run.years:
                        engine.begin_year(year)
                        timings = self._build_year(year, engine, beside)
                        self._start_keeping(run, year, engine, timings, beside)
                    beside.wait()
        except BaseException:
            self._remove_unfinished()
            raise

    def _remove_unfinished(self) -> None:
        """Leave the finished years only; if that fails too, the next start does it."""
        self._db.close()
        if not self._db.db_path.exists():
            return
        try:
            if checkpoints.read_state(self._db) is not None:
                checkpoints.remove_unfinished_year(self._db)
        except DatabaseError as error:
            _LOGGER.warning("what was begun of an unfinished year is still in the database: %s", error)

    @contextmanager
    def _engine(self, inputs: RunInputs) -> Iterator[NativeEngine | DbtEngine]:
        if self.config.runtime.engine == NativeEngine.name:
            with NativeEngine(inputs.run_plan, self._db.get_connection()) as engine:
                yield engine
            return
        with self._dbt:
            yield DbtEngine(inputs.run_plan, inputs.variables, self._db, self._dbt)

    def _begin_run(self, run: _Run, engine: NativeEngine | DbtEngine) -> None:
        """Write what the years are made from and the run's row of `run_metadata`, in a transaction before the first."""
        first = run.years[0]
        with self._db.transaction() as connection:
            if first == self.config.simulation.start_year:
                census = run.inputs.write(connection)
                self._notes += [f"census, set aside: {text}" for text in census.problems]
                self._notes += [f"census: {text}" for text in census.warnings]
                self._census = census.to_dict()
                checkpoints.create_state_tables(connection)
                self._registries.create_for_year(first)
            else:
                run.inputs.extend(connection, first)
            session.demand_types(connection, run.inputs.plan, run.inputs.variables)
            checkpoints.record_run(connection, self._run_row())
            engine.create_marts()
            run.validator.try_rules(first)

    def _build_year(self, year: int, engine: NativeEngine | DbtEngine, beside: Beside) -> dict[str, dict[str, float]]:
        """Build the year's models, unless the year before turns out to be wrong; return seconds by stage and model."""
        stages: dict[str, float] = {}
        models: dict[str, float] = {}
        for definition in MODEL_STAGES:
            beside.check()
            models |= self._timed(year, definition.stage, stages, partial(engine.run_stage, definition.stage, year))
        return {"stages": stages, "models": models}

    def _start_keeping(
        self,
        run: _Run,
        year: int,
        engine: NativeEngine | DbtEngine,
        timings: dict[str, dict[str, float]],
        beside: Beside,
    ) -> None:
        """Begin the transaction of a year that is built, and have it finished while the next year is built.

        It begins here, so that it sees the year as it is now. dbt needs the file for the next year: it has to wait.
        """
        beside.wait()
        if year == run.years[-1]:
            # nothing is built beside it
            self._db.suit(None)
        if isinstance(engine, DbtEngine):
            engine.adopt_year()
        with ExitStack() as stack:
            stack.enter_context(self._db.transaction())
            if isinstance(engine, NativeEngine):
                engine.hold_year()
            transaction = stack.pop_all()
        beside.start(partial(self._keep_year, transaction, run, year, engine, timings))
        if isinstance(engine, DbtEngine):
            beside.wait()

    def _keep_year(
        self,
        transaction: ExitStack,
        run: _Run,
        year: int,
        engine: NativeEngine | DbtEngine,
        timings: dict[str, dict[str, float]],
    ) -> None:
        """Finish the year's transaction, then write the files that follow a commit."""
        with transaction:
            if isinstance(engine, NativeEngine):
                started = time.perf_counter()
                engine.adopt_year(year)
                timings["stages"]["adoption"] = round(time.perf_counter() - started, 6)
            checkpoint = self._finish_year(run, year, engine.name, timings)
        if year == self.config.simulation.start_year:
            finish_setting_aside(self._db.db_path)
        self._timed(year, WorkflowStage.REPORTING, {}, partial(self._publisher.publish, checkpoint))

    def _finish_year(
        self, run: _Run, year: int, engine: str, timings: dict[str, dict[str, float]]
    ) -> WorkflowCheckpoint:
        """Within the year's transaction: bring the registries up to it, judge it, and write its checkpoint."""
        started = time.perf_counter()
        self._registries.update_post_year(year)
        timings["stages"]["registries"] = round(time.perf_counter() - started, 6)
        results = self._timed(
            year,
            WorkflowStage.VALIDATION,
            timings["stages"],
            lambda: run.validator.validate_year_results(year, is_final_year=year == run.years[-1]),
        )
        _demand_valid(results, year, run.strict)
        checkpoint = WorkflowCheckpoint(
            simulation_year=year,
            run_id=self._run_id,
            completed_at=checkpoints.now().isoformat(timespec="seconds"),
            engine=engine,
            duckdb_version=_duckdb_version(),
            database=self._db.db_path.name,
            fingerprints=run.inputs.fingerprints(self._census["fingerprint"]),
            digests=checkpoints.mart_digests(self._db.get_connection(), run.inputs.plan.marts, year),
        )
        verdicts = DataValidator.to_report_dict(results)
        row = {**asdict(checkpoint), "timings": timings, "validation": verdicts["results"]}
        checkpoints.record_checkpoint(self._db.get_connection(), row)
        return checkpoint

    def _timed(self, year: int, stage: WorkflowStage, timings: dict[str, float], work: Callable[[], Any]) -> Any:
        self._tell(ProgressEvent(year, stage, finished=False, seconds=0.0))
        started = time.perf_counter()
        result = work()
        timings[stage] = round(time.perf_counter() - started, 6)
        self._tell(ProgressEvent(year, stage, finished=True, seconds=timings[stage]))
        return result

    def _tell(self, event: ProgressEvent) -> None:
        if self._on_progress is not None:
            with self._telling:
                self._on_progress(event)

    def _run_row(self) -> dict[str, Any]:
        """Return this run's row of `run_metadata`."""
        simulation = self.config.simulation
        return {
            "run_id": self._run_id,
            "started_at": checkpoints.now(),
            "requested_start_year": simulation.start_year,
            "requested_end_year": simulation.end_year,
            "engine": self.config.runtime.engine,
            "scenario_id": self.config.scenario_id,
            "plan_design_id": self.config.plan_design_id,
            "random_seed": simulation.random_seed,
            "planalign_version": version("planalign-orchestrator"),
            "duckdb_version": _duckdb_version(),
            "configuration": self.config.model_dump(mode="json"),
            "census": self._census,
            "plan_testing": testing_status(self.config),
            "notes": self._notes,
        }

    def _report(self) -> MultiYearSummary:
        """Write the files that cover all finished years, and return their summary."""
        status = checkpoints.read_state(self._db)
        years = [year for year in status.years if year in self.years] if status is not None else []
        return self._publisher.summarise(years, to_dbt_vars(self.config), self.config.reports.template)


def _demand_valid(results: Sequence[ValidationResult], year: int, strict: bool) -> None:
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


def _duckdb_version() -> str:
    import duckdb

    return duckdb.__version__
