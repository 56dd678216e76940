"""Runs a configuration on one database: from the first year or from where it stopped, and reports on what is there."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from planalign_orchestrator.census import fingerprint_of
from planalign_orchestrator.config import SimulationConfig, to_dbt_vars
from planalign_orchestrator.config.sections.reports import REPORTS_FOLDER
from planalign_orchestrator.config.sections.runtime import CHECKPOINTS_FOLDER
from planalign_orchestrator.database import checkpoints, resuming
from planalign_orchestrator.database.checkpoints import DatabaseStatus, duckdb_version
from planalign_orchestrator.database.connection import DatabaseConnectionManager, one_kind_of_interrupt
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.model import CompiledModel
from planalign_orchestrator.pipeline.inputs import LoadedInputs, RunInputs
from planalign_orchestrator.pipeline.publish import Publisher
from planalign_orchestrator.pipeline.setting_aside import SetAside, finish_setting_aside, making_room
from planalign_orchestrator.pipeline.simulation import Simulation
from planalign_orchestrator.pipeline.stages import MODEL_STAGES, ProgressEvent
from planalign_orchestrator.registries import RegistryManager
from planalign_orchestrator.reports import MultiYearSummary
from planalign_orchestrator.validation import DataValidator
from planalign_orchestrator.validation.choosing import build_validator

NO_DBT = (
    "runtime.engine is dbt, but dbt is not installed; install the extra `dbt` of planalign, or leave the engine native"
)


@dataclass(frozen=True)
class RunArtifacts:
    """What a run wrote, and what the user should know about it."""

    database: Path
    backup: Path | None
    reports: tuple[Path, ...]
    checkpoints: tuple[Path, ...]
    run_vars: Path | None
    notes: tuple[str, ...]


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
        return self.config.reports.directory or self._db.db_path.parent / REPORTS_FOLDER

    @property
    def checkpoint_directory(self) -> Path:
        """Where the JSON copies of checkpoints go: as configured, or beside the database."""
        return self.config.runtime.checkpoint_directory or self._db.db_path.parent / CHECKPOINTS_FOLDER

    def validator_by(self, model: CompiledModel) -> DataValidator:
        """Return what judges the years: all rules as configured. Errors: ConfigurationError with every problem."""
        return build_validator(self._db, self.config, (*model.tests, *self._registries.agreements()), self._registered)

    def _validators(self, inputs: RunInputs) -> Callable[[int], DataValidator]:
        """Return a function that returns what judges a year: its rules hold the year's own values."""
        judges = {year: self.validator_by(model) for year, model in inputs.models.from_year.items()}
        return lambda year: judges[max(first for first in judges if first <= year)]

    def planned_commands(self) -> list[str]:
        """Return the dbt command of every stage of every year, as one would type them; runs nothing, needs no dbt."""
        return [
            shlex.join(
                self._dbt.command_line(
                    ["run", "--select", stage.selector, "--threads", str(self._dbt.threads)],
                    simulation_year=year,
                    dbt_vars=to_dbt_vars(self.config.of_year(year)),
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
            wanted = self.config.simulation
            self.config = self.config.with_years(start_year or wanted.start_year, end_year or wanted.end_year)
        if dry_run:
            return MultiYearSummary.of_no_year(self.config.scenario_id, self.config.plan_design_id)
        validation = self.config.validation
        strict = validation.fail_on_validation_error if fail_on_validation_error is None else fail_on_validation_error
        if self.config.runtime.engine == checkpoints.DBT and not self._dbt.is_installed:
            raise ConfigurationError(NO_DBT)
        self._db.start()
        inputs = RunInputs.read(self.config)
        simulation = Simulation(
            config=self.config,
            db=self._db,
            dbt=self._dbt,
            registries=self._registries,
            publisher=self._publisher,
            inputs=inputs,
            validator_of=self._validators(inputs),
            strict=strict,
            notes=self._notes,
            on_progress=self._on_progress,
        )
        with one_kind_of_interrupt(), checkpoints.mutex_of(self._db.db_path), self._db:
            finish_setting_aside(self._db.db_path)
            if self._db.db_path.exists():
                checkpoints.check_ours(self._db.db_path)
            self._publisher.tidy()
            self._publisher.check_files(self.years)
            self._db.remove_spills()
            if not (resume_from_checkpoint and self._resume(simulation)):
                self._start_over(simulation)
            summary = self._report()
            self._db.settle()
            return summary

    def _resume(self, simulation: Simulation) -> bool:
        """Carry out the years that the present database lacks; return False when it has no finished year."""
        status = checkpoints.read_state(self._db) if self._db.db_path.exists() else None
        if status is None or not status.checkpoints:
            self._db.close()
            self._notes.append("there was no finished year to resume, so the run began with the first one")
            return False
        inputs = simulation.inputs
        loaded = inputs.check_census()
        if resuming.remove_unfinished_year(self._db, inputs.model.models):
            self._notes.append(f"the unfinished year {status.years[-1] + 1} of a run with dbt was removed")
        resuming.check_same_origin(status, partial(inputs.fingerprints, loaded), duckdb_version())
        resuming.verify_years(self._db.get_connection(), status, inputs.model.marts)
        self._check_inputs(loaded, status)
        self._registries.check_agreement_with_ledger()
        self._publisher.catch_up(status)
        remaining = [year for year in self.years if year > status.years[-1]]
        finished = f"resumed after {status.years[-1]}"
        self._notes.append(finished if remaining else f"{finished}: every year was finished, nothing was simulated")
        if remaining:
            simulation.simulate(remaining, loaded)
        return True

    def _check_inputs(self, loaded: LoadedInputs, status: DatabaseStatus) -> None:
        """The years to come read their inputs from the database: these must be those its years were made from."""
        connection = self._db.get_connection()
        changed = loaded.changed_in(connection, status.years[-1])
        if fingerprint_of(connection, "planalign.inputs.census") != loaded.summary.fingerprint:
            changed.append("inputs.census")
        if changed:
            raise resuming.changed_by_hand(
                status.database, f"{', '.join(changed)} does not hold the rows that its years were made from"
            )

    def _start_over(self, simulation: Simulation) -> None:
        """Begin with the first year; the file that was there is the backup, or comes back if no year gets finished."""
        if self._db.db_path.exists():
            simulation.inputs.check_census()
        with making_room(self._db.db_path, simulation.inputs.model.models) as moved:
            self._tell_about(moved)
            self._db.replaces = moved.kept
            try:
                simulation.simulate(self.years, replaces=moved.last_run if moved.is_backup else None)
            except BaseException:
                self._db.close()
                raise

    def _tell_about(self, moved: SetAside) -> None:
        self._backup = moved.kept if moved.is_backup else None
        if moved.kept is not None and not moved.is_backup:
            self._notes.append(
                f"the run in {self._db.db_path.name} ({moved.described}) was kept as {moved.kept} and is not the "
                f"automatic backup: {moved.reason}"
            )
        if moved.dropped:
            self._notes.append(moved.dropped)
        if moved.status is not None and moved.status.checkpoints:
            self._publisher.replaces(moved.status)

    def _report(self) -> MultiYearSummary:
        """Write the files that cover all finished years, and return their summary."""
        status = checkpoints.read_state(self._db)
        years = [year for year in status.years if year in self.years] if status is not None else []
        variables = to_dbt_vars(self.config.of_year(self.years[-1]))
        return self._publisher.summarise(years, variables, self.config.reports.template)
