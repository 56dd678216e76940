"""The configuration of a command: loaded with its overrides, explained value by value, and where its files lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.errors import ConfigurationError

if TYPE_CHECKING:
    from planalign_orchestrator.config import EffectiveValue, SimulationConfig
    from planalign_orchestrator.report_templates import ReportTemplate


@dataclass(frozen=True)
class Places:
    """A database, the folders of its reports and of the JSON copies of its checkpoints, and the reports' template.

    `inputs` are the files that a configuration names or is, with what they are: no output replaces them.
    """

    database: Path
    reports: Path
    checkpoints: Path
    template: "ReportTemplate" = "detailed"
    inputs: Mapping[Path, str] = field(default_factory=dict)


def load_configuration(path: Path, overrides: Mapping[str, object] | None = None) -> "SimulationConfig":
    """Return the configuration of a file with keys that are set otherwise. Errors: ConfigurationError."""
    from planalign_orchestrator.config import load_simulation_config

    return load_simulation_config(path, overrides=dict(overrides or {}))


def show_config(
    path: Path, overrides: Mapping[str, object] | None = None, year: int | None = None
) -> "list[EffectiveValue]":
    """Return every value in force with its origin, and the changes; of a year, what holds in it.

    Errors: ConfigurationError, also for a year that is not simulated.
    """
    from planalign_orchestrator.config import effective_values

    config = load_configuration(path, overrides)
    if year is None:
        return effective_values(config)
    simulation = config.simulation
    if not simulation.start_year <= year <= simulation.end_year:
        raise ConfigurationError(
            f"{path}: {year} is not simulated; the years are {simulation.start_year}-{simulation.end_year}"
        )
    values = effective_values(config.of_year(year))
    return [value for value in values if value.key != "changes" and not value.key.startswith("changes.")]


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration file."""
    from planalign_orchestrator.config import config_json_schema

    return config_json_schema()


def locate(config: Path, database: Path | None) -> Places:
    """Return where the database lies, and what belongs to it. Without a configuration, `database` alone is enough.

    Errors: ConfigurationError.
    """
    from planalign_orchestrator.config.sections.reports import REPORTS_FOLDER
    from planalign_orchestrator.config.sections.runtime import CHECKPOINTS_FOLDER

    if database is not None and not config.is_file():
        return Places(database, database.parent / REPORTS_FOLDER, database.parent / CHECKPOINTS_FOLDER)
    loaded = load_configuration(config, {"runtime.database": str(database)} if database is not None else {})
    from planalign_orchestrator.factory import build_orchestrator

    orchestrator = build_orchestrator(loaded)
    return Places(
        database=loaded.runtime.database,
        reports=orchestrator.reports_directory,
        checkpoints=orchestrator.checkpoint_directory,
        template=loaded.reports.template,
        inputs={config: "the configuration", loaded.census.path: "the census of the run"},
    )
