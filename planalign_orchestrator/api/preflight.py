"""What stands in the way of a run: configuration, census and environment judged together.

Nothing is written. A configuration with mistakes does not hide those of the census and the environment: these are then
judged with the parts of it that are right by themselves.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.errors import CensusError, ConfigurationError, DatabaseError, ModelCompilationError

if TYPE_CHECKING:
    from planalign_orchestrator.census import CensusSummary
    from planalign_orchestrator.config import SimulationConfig


@dataclass
class Findings:
    """What was judged, what is wrong with it and what is worth knowing; `summary` holds a census's counts."""

    subject: str
    problems: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The findings as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Preflight:
    """The findings on the three things that a run needs."""

    configuration: Findings
    census: Findings
    environment: Findings

    @property
    def parts(self) -> dict[str, Findings]:
        """The findings by what they are about."""
        return {"configuration": self.configuration, "census": self.census, "environment": self.environment}

    @property
    def is_unusable(self) -> bool:
        """Whether the configuration or the census cannot be used, not only this machine."""
        return bool(self.configuration.problems or self.census.problems)

    @property
    def problems(self) -> int:
        """How many problems there are in all."""
        return sum(len(found.problems) for found in self.parts.values())


def validate(path: Path, overrides: Mapping[str, object], *, execute_rules: bool = False) -> Preflight:
    """Judge the configuration at `path` under `overrides`, the census it names, and this machine.

    With `execute_rules` the rules of users are executed, as a run does before its first year.
    """
    configuration = Findings(str(path))
    config = _judge_configuration(path, overrides, configuration)
    if config is not None:
        _judge_rules(config, configuration, execute=execute_rules)
    usable = {} if config else _usable_parts(path, overrides)
    without_census = {**usable, "census": {"path": "unknown"}}
    return Preflight(
        configuration,
        _judge_census(config or _stand_in(usable, "census", "simulation", "parameters", "new_hires"), configuration),
        _judge_environment(config or _stand_in(without_census, "census", "reports", "runtime")),
    )


def _judge_configuration(path: Path, overrides: Mapping[str, object], found: Findings) -> "SimulationConfig | None":
    """The configuration, unless something is wrong with it."""
    from planalign_orchestrator.config import changes_in_words, load_simulation_config, testing_status
    from planalign_orchestrator.parameters import load_parameters

    try:
        config = load_simulation_config(path, overrides=overrides)
    except ConfigurationError as error:
        found.problems += error.problems
        return None
    try:
        load_parameters(config)
    except ConfigurationError as error:
        found.problems += error.problems
    simulation = config.simulation
    found.facts.append(
        f"scenario {config.scenario_id}, plan design {config.plan_design_id}, years {simulation.start_year}-"
        f"{simulation.end_year}, seed {simulation.random_seed}"
    )
    found.facts += changes_in_words(config)
    found.facts += testing_status(config)
    return config


def _judge_rules(config: "SimulationConfig", found: Findings, *, execute: bool) -> None:
    """Report rules that there are not, invariants that are switched off, and rules of users that cannot be used."""
    from planalign_orchestrator.api.preflight_rules import read_rules, try_rules
    from planalign_orchestrator.validation.choosing import are_as_packaged

    if are_as_packaged(config):
        return
    try:
        judged = read_rules(config)
        if execute and not judged.problems and not found.problems:
            judged = try_rules(config)
    except ModelCompilationError as error:
        found.problems.append(f"validation rules cannot be checked: {error}")
        return
    found.problems += judged.problems
    found.facts += judged.facts


def _usable_parts(path: Path, overrides: Mapping[str, object]) -> dict[str, Any]:
    """The sections of a faulty configuration as nested mappings, but none where a key is probably misspelled."""
    from planalign_orchestrator.config.sources import Gathered

    gathered = Gathered()
    try:
        if path.is_file():
            gathered.add_file(path)
        gathered.add_environment(os.environ)
        gathered.add_overrides(overrides)
    except ConfigurationError:
        return {}
    parts: dict[str, Any] = {}
    for keys, setting in gathered.settings.items():
        branch = parts
        for key in keys[:-1]:
            branch = branch.setdefault(key, {})
        branch[keys[-1]] = setting.value
    doubtful = {key[0] for key in gathered.suspects}
    parts = {name: part for name, part in parts.items() if name not in doubtful}
    if "start_year" in parts.get("simulation", {}):
        # The last year has no bearing on the census, and may be what is wrong.
        parts["simulation"] = dict.fromkeys(("start_year", "end_year"), parts["simulation"]["start_year"])
    return parts


def _stand_in(parts: Mapping[str, Any], *names: str) -> "SimulationConfig | None":
    """A configuration of these sections alone; None if one of them cannot be used."""
    from pydantic import ValidationError

    from planalign_orchestrator.config import SimulationConfig

    try:
        return SimulationConfig.model_validate({name: parts[name] for name in names if name in parts})
    except ValidationError:
        return None


def _judge_census(config: "SimulationConfig | None", configuration: Findings) -> Findings:
    """The census, and what is wrong with the tables that are fitted to it."""
    if config is None:
        return Findings("not judged", facts=["correct the configuration first: it says which census is read"])
    found = Findings(str(config.census.path))
    try:
        summary = _census_of(config, configuration)
    except CensusError as error:
        found.problems += error.problems
        return found
    found.summary = summary.to_dict()
    found.facts += [
        f"{summary.rows_read:,} rows, {summary.simulated:,} people simulated from {config.simulation.start_year} on",
        *(f"set aside: {text}" for text in summary.problems),
        *(f"warning: {text}" for text in summary.warnings),
        *summary.notes,
    ]
    return found


def _census_of(config: "SimulationConfig", configuration: Findings) -> "CensusSummary":
    """What a census holds; with faulty tables, of any job level and nothing fitted to it. Errors: CensusError."""
    from planalign_orchestrator.parameters import load_parameters
    from planalign_orchestrator.pipeline.inputs import judge_census, judge_people

    try:
        return judge_census(load_parameters(config)).summary
    except ConfigurationError as error:
        new = [problem for problem in error.problems if problem not in configuration.problems]
        # of a configuration that could not be loaded, the tables are judged when it can
        configuration.problems += [] if configuration.problems else new
        return judge_people(config)


def _judge_environment(config: "SimulationConfig | None") -> Findings:
    import platform
    from importlib.metadata import version

    found = Findings(f"Python {platform.python_version()}, DuckDB {version('duckdb')}")
    dbt = _dbt_version()
    found.facts.append(f"dbt {dbt}" if dbt else "dbt is not installed; only `--engine dbt` and changed models need it")
    if config is None:
        found.facts.append("the database was not judged: correct the section `runtime` of the configuration first")
        return found
    from planalign_orchestrator.factory import build_orchestrator
    from planalign_orchestrator.pipeline.orchestrator import NO_DBT

    if config.runtime.engine == "dbt" and dbt is None:
        found.problems.append(NO_DBT)
    orchestrator = build_orchestrator(config)
    database = config.runtime.database
    _judge_folder(database.parent, found, must_exist=True)
    for folder in (orchestrator.reports_directory, orchestrator.checkpoint_directory):
        _judge_folder(folder, found, must_exist=False)
    if database.exists():
        _judge_database(database, found)
    else:
        found.facts.append(f"{database} will be made")
    return found


def _judge_folder(folder: Path, found: Findings, *, must_exist: bool) -> None:
    """Report a folder that cannot be written, or that cannot be made."""
    if must_exist and not folder.is_dir():
        found.problems.append(f"the folder {folder} does not exist; make it or choose another --database")
        return
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    problem = f"{folder} is not a folder that may be written; change its permissions or choose another place"
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)) and problem not in found.problems:
        found.problems.append(problem)


def _judge_database(database: Path, found: Findings) -> None:
    """Report a file that a run could not replace: not a simulation's, in use, or not writable."""
    from planalign_orchestrator.database.checkpoints import read_state
    from planalign_orchestrator.database.connection import DatabaseConnectionManager

    try:
        with DatabaseConnectionManager(database, read_only=True) as db:
            state = read_state(db)
    except DatabaseError as error:
        found.problems.append(str(error))
        return
    if not os.access(database, os.W_OK):
        found.problems.append(f"{database} may not be written; change its permissions or choose another --database")
    years = state.years if state is not None else []
    held = f"{years[0]}-{years[-1]}; a new run makes it the backup, --resume continues it" if years else "no year yet"
    found.facts.append(f"{database} holds {held}")


def _dbt_version() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{version('dbt-core')} with dbt-duckdb {version('dbt-duckdb')}"
    except PackageNotFoundError:
        return None
