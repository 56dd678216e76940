"""What `planalign run --dry-run` foresees: what is read, what is written, and how long it takes. Nothing is written."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.errors import CensusError, ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from planalign_orchestrator.census import CensusSummary
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.database.checkpoints import DatabaseStatus

# Seconds, measured on two cores: what a run takes besides its years, a year of any size, and a person in a year. With
# dbt, its start and a year's commands come on top. benchmarks/README.md says what is measured.
_START, _YEAR, _PERSON_AND_YEAR = 0.5, 0.3, 3e-5
_DBT_START, _DBT_YEAR = 15.0, 6.0
_RULE = "a rule of thumb for two cores"


@dataclass(frozen=True)
class Foreseen:
    """What a run would do.

    `changes` says what changes from which year on. `problems` would stop it; then `people` is None, and so is
    `seconds`, an estimate. `set_aside` says which rows of the census it would leave out, `warnings` what does not fit.
    """

    configuration: str
    scenario_id: str
    plan_design_id: str
    random_seed: int
    engine: str
    years: Sequence[int]
    changes: Sequence[str]
    census: str
    census_exists: bool
    census_bytes: int | None
    people: int | None
    problems: Sequence[str]
    set_aside: Sequence[str]
    warnings: Sequence[str]
    database: str
    database_exists: bool
    database_fate: str
    writes: Sequence[str]
    seconds: float | None
    seconds_from: str
    commands: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return asdict(self)


def dry_run(path: Path, config: "SimulationConfig", *, resume: bool) -> Foreseen:
    """What a run with this configuration would do, as far as can be told without running it."""
    from planalign_orchestrator.config import changes_in_words
    from planalign_orchestrator.factory import build_orchestrator

    orchestrator = build_orchestrator(config)
    census, database = Path(config.census.path), Path(config.runtime.database)
    summary, problems = _judge(config)
    people = None if summary is None else summary.simulated
    status, database_problem = _status(database)
    finished = status.years if status is not None and resume else []
    years = [year for year in orchestrator.years if not finished or year > finished[-1]]
    seconds, source = _estimate(config, people, len(years), status)
    fate = database_problem or _fate(database, status, resume=resume)
    return Foreseen(
        configuration=str(path),
        scenario_id=config.scenario_id,
        plan_design_id=config.plan_design_id,
        random_seed=config.simulation.random_seed,
        engine=config.runtime.engine,
        years=years,
        changes=changes_in_words(config),
        census=str(census),
        census_exists=census.exists(),
        census_bytes=census.stat().st_size if census.is_file() else None,
        people=people,
        problems=problems,
        set_aside=[] if summary is None else summary.problems,
        warnings=[] if summary is None else summary.warnings,
        database=str(database),
        database_exists=database.exists(),
        database_fate=fate,
        writes=_writes(database, orchestrator.reports_directory, orchestrator.checkpoint_directory, orchestrator.years),
        seconds=seconds,
        seconds_from=source,
        commands=orchestrator.planned_commands(),
    )


def _judge(config: "SimulationConfig") -> "tuple[CensusSummary | None, list[str]]":
    """What the census holds, or else why a run would stop before its first year."""
    from planalign_orchestrator.api.preflight_rules import read_rules
    from planalign_orchestrator.parameters import load_parameters
    from planalign_orchestrator.pipeline.inputs import judge_census
    from planalign_orchestrator.validation.choosing import are_as_packaged

    problems = [] if are_as_packaged(config) else read_rules(config).problems
    try:
        summary = judge_census(load_parameters(config)).summary
    except (CensusError, ConfigurationError) as error:
        return None, problems + error.problems
    return (None, problems) if problems else (summary, [])


def _status(database: Path) -> "tuple[DatabaseStatus | None, str | None]":
    """What the database holds, and why a run could not replace it."""
    from planalign_orchestrator.database.checkpoints import read_state
    from planalign_orchestrator.database.connection import DatabaseConnectionManager

    if not database.exists():
        missing = None if database.parent.is_dir() else f"cannot be made: there is no folder {database.parent}"
        return None, missing
    try:
        with DatabaseConnectionManager(database, read_only=True) as db:
            return read_state(db), None
    except DatabaseError as error:
        return None, f"cannot be replaced, the run would stop there: {error}"


def _fate(database: Path, status: "DatabaseStatus | None", *, resume: bool) -> str:
    """What becomes of a database that is there, as the end of a sentence that begins with its name."""
    from planalign_orchestrator.pipeline.backup_files import backup_path, unfinished_path

    if status is None or not status.years:
        return "is replaced: it holds no finished year" if database.exists() else "is made"
    held = f"{status.years[0]}-{status.years[-1]}" if len(status.years) > 1 else str(status.years[0])
    if resume:
        return f"holds {held} and is continued"
    backup = backup_path(database)
    if backup.exists() and not status.is_complete:
        return f"holds the unfinished run of {held} and becomes {unfinished_path(database).name}"
    instead = ", in the place of the one there" if backup.exists() else ""
    return f"holds {held} and becomes {backup.name}{instead}"


def _writes(database: Path, reports: Path, copies: Path, years: Sequence[int]) -> list[str]:
    """The files of a whole run; a resumed one makes up for those that are missing."""
    span = f"{{{years[0]}..{years[-1]}}}" if len(years) > 1 else str(years[0])
    files = [
        database,
        database.parent / "run_vars.json",
        reports / f"year_{span}.json",
        reports / f"multi_year_summary_{years[0]}_{years[-1]}.csv",
        copies / f"year_{span}.json",
    ]
    return [str(path) for path in files]


def _estimate(
    config: "SimulationConfig", people: int | None, years: int, status: "DatabaseStatus | None"
) -> tuple[float | None, str]:
    """Seconds for so many people and years, and what the estimate comes from."""
    if people is None:
        return None, _RULE
    of_dbt = config.runtime.engine == "dbt"
    start = _START + (_DBT_START if of_dbt else 0)
    slowness = _slowness(config.runtime.engine, status)
    seconds = round(start + years * _year_by_rule(people, of_dbt=of_dbt) * (slowness or 1), 1)
    return seconds, _RULE if slowness is None else "the years that the database holds"


def _year_by_rule(people: int, *, of_dbt: bool) -> float:
    """Seconds of a year by the rule of thumb."""
    return _YEAR + (_DBT_YEAR if of_dbt else 0) + people * _PERSON_AND_YEAR


def _slowness(engine: str, status: "DatabaseStatus | None") -> float | None:
    """How many times longer the years in the database took than the rule of thumb says; None if it has none.

    A year has a part that is the same for any number of people, so its seconds are not in proportion to them. While a
    year is judged and written the next one is built already, so that only its building counts.
    """
    from planalign_orchestrator.model import STAGES

    timed = (
        [] if status is None else [row["timings"]["stages"] for row in status.checkpoints if row["engine"] == engine]
    )
    before = status.runs[-1]["census"].get("simulated", 0) if status is not None and status.runs else 0
    if not timed or not before:
        return None
    builds = sum(stages.get(name, 0.0) for stages in timed for name in STAGES) / len(timed)
    return float(builds / _year_by_rule(before, of_dbt=engine == "dbt")) or None
