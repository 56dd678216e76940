"""Simulates the years of a run: writes what they are made from, then builds and commits one after the other.

While a year is committed, the next one is already built in memory on what it leaves behind.
"""

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Any

from planalign_orchestrator.background import BackgroundWork
from planalign_orchestrator.census.records import SET_ASIDE, WARNING
from planalign_orchestrator.config import SimulationConfig, testing_status
from planalign_orchestrator.database import checkpoints, resuming
from planalign_orchestrator.database.checkpoints import duckdb_version
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.model import session
from planalign_orchestrator.model.dbt_driver import DbtDriver
from planalign_orchestrator.model.driver import Driver
from planalign_orchestrator.model.native_driver import NativeDriver
from planalign_orchestrator.pipeline.inputs import LoadedInputs, RunInputs
from planalign_orchestrator.pipeline.publish import Publisher
from planalign_orchestrator.pipeline.stages import Progress, ProgressEvent
from planalign_orchestrator.pipeline.year import YearContext, begin_commit, build_year, commit_year
from planalign_orchestrator.registries import RegistryManager
from planalign_orchestrator.validation import DataValidator

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Simulation:
    """What years are simulated with. `strict` stops at an implausible result; `notes` are for the user.

    `validator_of` returns what judges a year.
    """

    config: SimulationConfig
    db: DatabaseConnectionManager
    dbt: DbtRunner
    registries: RegistryManager
    publisher: Publisher
    inputs: RunInputs
    validator_of: Callable[[int], DataValidator]
    strict: bool
    notes: list[str]
    on_progress: Callable[[ProgressEvent], None] | None = None
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def simulate(
        self, years: Sequence[int], loaded: LoadedInputs | None = None, *, replaces: str | None = None
    ) -> None:
        """Simulate years; `loaded` is what the database already holds, None writes it.

        `replaces` is the last run of the database that became the automatic backup.

        Finished years stay, a failing one leaves nothing. Errors: those of the stages and of the validation.
        """
        try:
            with self._driver() as driver:
                loaded = self._begin(years[0], driver, loaded, replaces)
                driver.adapt_to(loaded.summary.simulated, self.db.threads)
                self._simulate(self._context(driver, years, loaded), years)
        except BaseException:
            self._remove_unfinished()
            raise

    def _simulate(self, context: YearContext, years: Sequence[int]) -> None:
        """Build and commit the years; a driver that builds ahead builds the next while one is committed."""
        with BackgroundWork(lambda: self.db.get_connection().interrupt()) as commit:
            for year in years:
                built = build_year(context, year, earlier=commit)
                transaction = begin_commit(context, earlier=commit)
                commit.start(partial(commit_year, context, built, transaction))
                if not context.driver.builds_ahead:
                    commit.wait()
            commit.wait()

    def _context(self, driver: Driver, years: Sequence[int], loaded: LoadedInputs) -> YearContext:
        return YearContext(
            run_id=self.run_id,
            first_year=self.config.simulation.start_year,
            last_year=years[-1],
            db=self.db,
            model=self.inputs.model,
            driver=driver,
            registries=self.registries,
            validator_of=self.validator_of,
            publisher=self.publisher,
            progress=Progress(self.on_progress),
            fingerprints_of=partial(self.inputs.fingerprints, loaded),
            is_strict=self.strict,
        )

    def _remove_unfinished(self) -> None:
        """Leave the finished years only; if that fails too, the next start does it."""
        import duckdb

        self.db.close()
        if not self.db.db_path.exists():
            return
        try:
            if checkpoints.read_state(self.db) is not None:
                engines = (self.config.runtime.engine,)
                resuming.remove_unfinished_year(self.db, self.inputs.model.models, engines=engines)
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
    def _driver(self) -> Iterator[Driver]:
        if self.config.runtime.engine == NativeDriver.name:
            with NativeDriver(self.inputs.models, self.db.get_connection()) as driver:
                yield driver
            return
        with self.dbt:
            yield DbtDriver(self.inputs.model, self.inputs.variables_of, self.db, self.dbt)

    def _begin(self, first: int, driver: Driver, loaded: LoadedInputs | None, replaces: str | None) -> LoadedInputs:
        """Write what the years are made from and the run's row of `run_metadata`, in a transaction before the first."""
        with self.db.transaction() as connection:
            kept = list(self.notes)
            if loaded is None:
                loaded = self.inputs.write(connection)
                kept += _census_notes(loaded.summary.to_dict())
                self.notes.extend(_census_notes(loaded.summary.to_dict(with_values=True)))
                checkpoints.create_state_tables(connection)
                if replaces is not None:
                    checkpoints.record_replaced(connection, replaces)
                self.registries.create_for_year(first)
            else:
                self.inputs.extend(connection, loaded, first)
            for values in self.inputs.variables.values():
                session.check_types(connection, self.inputs.model, values)
            checkpoints.record_run(connection, self._row(loaded.summary.to_dict(), kept))
            driver.create_marts()
            self.validator_of(first).try_rules(first)
        return loaded

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
    set_aside = [f"{SET_ASIDE}{text}" for text in census["problems"]]
    if set_aside:
        set_aside.insert(0, f"{SET_ASIDE}{census['quarantined']:,} of {census['rows_read']:,} rows")
    if census["earlier_spells"]:
        set_aside.append(
            f"{SET_ASIDE}{census['earlier_spells']:,} of {census['rows_read']:,} rows are earlier employments of people"
            " hired again, whose newest row counts (census.duplicates: latest_spell)"
        )
    return [*set_aside, *(f"{WARNING}{text}" for text in census["warnings"])]
