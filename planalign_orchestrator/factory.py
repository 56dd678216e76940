"""Puts an orchestrator together from a configuration."""

import os
from collections.abc import Callable
from pathlib import Path

from planalign_orchestrator import project
from planalign_orchestrator.config import SimulationConfig, load_simulation_config
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.pipeline import PipelineOrchestrator, ProgressEvent
from planalign_orchestrator.utils import DatabaseConnectionManager


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
    on_progress: Callable[[ProgressEvent], None] | None = None,
    dbt_executable: str = "dbt",
) -> PipelineOrchestrator:
    """Return an orchestrator for a loaded configuration; database, threads and memory are those of its `runtime`."""
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
    return PipelineOrchestrator(config, manager, runner, on_progress=on_progress)
