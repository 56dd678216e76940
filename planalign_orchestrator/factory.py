"""Puts an orchestrator together, from a configuration file or piece by piece."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from planalign_orchestrator import project
from planalign_orchestrator.config import SimulationConfig, load_simulation_config
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.pipeline import PipelineOrchestrator, ProgressEvent
from planalign_orchestrator.validation import DataValidator, ValidationRule


def create_orchestrator(
    config_path: str | Path,
    *,
    threads: int = 4,
    db_path: str | Path = "simulation.duckdb",
    dbt_executable: str = "dbt",
) -> PipelineOrchestrator:
    """Return an orchestrator for a configuration file. Errors: ConfigurationError with all findings."""
    overrides = {"runtime.threads": threads, "runtime.database": str(db_path)}
    return build_orchestrator(load_simulation_config(config_path, overrides=overrides), dbt_executable=dbt_executable)


def build_orchestrator(
    config: SimulationConfig,
    *,
    rules: Sequence[ValidationRule] = (),
    on_progress: Callable[[ProgressEvent], None] | None = None,
    dbt_executable: str = "dbt",
) -> PipelineOrchestrator:
    """Return an orchestrator for a loaded configuration; database, threads and memory are those of its `runtime`.

    `rules` judge every year beside the built-in ones. dbt, where it is needed, leaves its logs and the SQL it compiled
    in a folder beside the database.
    """
    runtime = config.runtime
    manager = DatabaseConnectionManager(runtime.database, threads=runtime.threads, memory_limit=runtime.memory_limit)
    runner = DbtRunner(
        project.dbt_project(),
        threads=runtime.threads or os.cpu_count() or 1,
        executable=dbt_executable,
        database=runtime.database,
        artifacts=runtime.database.with_name(f"{runtime.database.name}.dbt"),
        warm=dbt_executable == "dbt",
    )
    validator = DataValidator(manager)
    for rule in rules:
        validator.register_rule(rule)
    return PipelineOrchestrator(config, manager, runner, validator=validator, on_progress=on_progress)


class OrchestratorBuilder:
    """Collects what an orchestrator is made of, in any order; everything but the configuration has a default."""

    def __init__(self) -> None:
        self._config: str | Path | SimulationConfig | None = None
        self._runtime: dict[str, object] = {}
        self._rules: list[ValidationRule] = []
        self._executable = "dbt"

    def with_config(self, config: str | Path | SimulationConfig) -> "OrchestratorBuilder":
        """Use a configuration file, or a configuration that is loaded already."""
        self._config = config
        return self

    def with_database(self, path: str | Path) -> "OrchestratorBuilder":
        """Write this database instead of the configured one."""
        self._runtime["database"] = str(path)
        return self

    def with_rules(self, *rules: ValidationRule) -> "OrchestratorBuilder":
        """Judge every year by these rules too."""
        self._rules += rules
        return self

    def with_dbt_threads(self, threads: int) -> "OrchestratorBuilder":
        """Use this many threads, of the database as of dbt."""
        self._runtime["threads"] = threads
        return self

    def with_dbt_executable(self, executable: str) -> "OrchestratorBuilder":
        """Call this dbt where the engine is `dbt`."""
        self._executable = executable
        return self

    def build(self) -> PipelineOrchestrator:
        """Return the orchestrator. Errors: ConfigurationError with all findings, or when no configuration was given."""
        if self._config is None:
            raise ConfigurationError("no configuration: call with_config with a file or a loaded configuration")
        if isinstance(self._config, SimulationConfig):
            runtime = self._config.runtime.model_dump() | self._runtime
            config = self._config.model_copy(update={"runtime": type(self._config.runtime).model_validate(runtime)})
        else:
            overrides = {f"runtime.{key}": value for key, value in self._runtime.items()}
            config = load_simulation_config(self._config, overrides=overrides)
        return build_orchestrator(config, rules=self._rules, dbt_executable=self._executable)
