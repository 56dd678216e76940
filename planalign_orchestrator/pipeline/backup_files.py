"""The files beside a database that hold what was simulated before: their names, contents, and what may replace them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from planalign_orchestrator.database import checkpoints
from planalign_orchestrator.database.checkpoints import DatabaseStatus
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.files.atomic import real_path
from planalign_orchestrator.files.replacing import OutputKind, check_replaceable, is_duckdb_file
from planalign_orchestrator.registries import DeferralEscalationRegistry, EnrollmentRegistry

# the tables of the schema `main` that a run makes besides its marts and its state
BESIDE_THE_MARTS = (EnrollmentRegistry.table, DeferralEscalationRegistry.table, "census_quarantine")
_SHORT_ID = 7


@dataclass(frozen=True)
class BackupFile:
    """A file beside a database: what kind of backup it is, and what it holds, or why that cannot be said."""

    path: Path
    kind: str
    status: DatabaseStatus | None
    problem: str | None


def backup_path(database: Path) -> Path:
    """Return the automatic backup's name: `simulation_backup.duckdb` beside `simulation.duckdb`."""
    return database.with_name(f"{database.stem}_backup{database.suffix}")


def unfinished_path(database: Path) -> Path:
    """Return the name of a run that was replaced before it was finished: `simulation_unfinished.duckdb`."""
    return database.with_name(f"{database.stem}_unfinished{database.suffix}")


def dated_path(database: Path, status: DatabaseStatus) -> Path:
    """Return the name of a backup that was asked for, such as `simulation.2026-11-28-1a2b3c4.duckdb`.

    It has the day, in UTC, on which the last run began, and the beginning of its id.
    """
    run = status.runs[-1]
    day, run_id = f"{run['started_at']:%Y-%m-%d}", re.sub(r"[^0-9A-Za-z]", "", run["run_id"])[:_SHORT_ID]
    return database.with_name(f"{database.stem}.{day}-{run_id}{database.suffix}")


def spares(database: Path) -> tuple[tuple[Path, Path], ...]:
    """Return where the files that a new run replaces wait until it has a year, each with the place it comes from."""
    unfinished = unfinished_path(database)
    return (
        (database.with_name(f".{database.name}.spare"), backup_path(database)),
        (database.with_name(f".{unfinished.name}.spare"), unfinished),
    )


def draft_names(database: Path) -> Callable[[str], bool]:
    """Return a test whether a name is one of this database or of its backups."""
    stem, suffix = re.escape(database.stem), re.escape(database.suffix)
    pattern = rf"{stem}(_backup|_unfinished|\.\d{{4}}-\d\d-\d\d-\w+)?{suffix}|\.{stem}(_unfinished)?{suffix}\.spare"
    return partial(_matches, re.compile(pattern))


def list_backups(database: Path) -> list[BackupFile]:
    """Return the backups of a database, the automatic one first, then those that were asked for, by name."""
    real = real_path(database)
    dated = re.compile(rf"{re.escape(real.stem)}\.\d{{4}}-\d\d-\d\d-\w+{re.escape(real.suffix)}")
    found = [(backup_path(real), "automatic"), (unfinished_path(real), "unfinished run")]
    found += [(path, "kept") for path in sorted(real.parent.iterdir()) if dated.fullmatch(path.name)]
    return [_described(path, kind) for path, kind in found if path.is_file()]


def find_backup(database: Path, wanted: Path) -> Path:
    """Return the file that `--from` names: a path, a name beside the database, or the beginning of a run's id.

    Errors: DatabaseError when there is no such file, or several.
    """
    if wanted.exists():
        return wanted
    if len(wanted.parts) != 1:
        raise DatabaseError(f"{wanted} does not exist; `planalign backup --list` names the backups")
    if (beside := database.with_name(wanted.name)).exists():
        return beside
    if wanted.suffix:
        raise DatabaseError(f"{wanted} does not exist; `planalign backup --list` names the backups")
    backups = [backup for backup in list_backups(database) if backup.status is not None and backup.status.checkpoints]
    found = {
        backup.status.runs[-1]["run_id"]: backup.path
        for backup in backups
        if backup.status is not None and backup.status.runs[-1]["run_id"].startswith(wanted.name)
    }
    # files of one run hold the same years, so the last one is taken
    if len(found) != 1:
        names = ", ".join(backup.path.name for backup in backups) or "none"
        what = "several runs begin with" if found else "there is no backup"
        raise DatabaseError(f"{what} {wanted}; the backups of {database.name} are: {names}")
    return next(iter(found.values()))


def check_target(target: Path, status: DatabaseStatus, *, force: bool, protected: Mapping[Path, str]) -> None:
    """Refuse a target of a copy where something would be lost; a database of others is never replaced.

    Errors: OutputError, DatabaseError.
    """
    if is_database(target):
        checkpoints.check_ours(target)
    kind = OutputKind("a backup of this database", partial(_holds_no_more, status), is_database=True)
    check_replaceable(target, kind, force=force, protected=protected)


def is_database(path: Path) -> bool:
    """Return whether there is a file that begins as a database does."""
    return path.is_file() and is_duckdb_file(path)


def loses_nothing(held: DatabaseStatus, status: DatabaseStatus) -> bool:
    """Return whether every year of `held` is one of `status`, made by the same run with the same digests."""
    years = {row["simulation_year"]: (row["run_id"], row["digests"]) for row in status.checkpoints}
    return all(years.get(row["simulation_year"]) == (row["run_id"], row["digests"]) for row in held.checkpoints)


def tables_recorded_by(status: DatabaseStatus) -> set[str]:
    """Return the tables of the schema `main` that the runs of a database made, besides those of their state."""
    return {*(table for row in status.checkpoints for table in row["digests"]), *BESIDE_THE_MARTS}


def _holds_no_more(status: DatabaseStatus, target: Path) -> bool:
    """Return whether a file is a database with nothing but years of `status`: no other year, and no other table."""
    if not is_database(target):
        return False
    with DatabaseConnectionManager(target, read_only=True) as db:
        held = checkpoints.read_status_of(db)
        others = checkpoints.tables_of_others(db.get_connection(), tables_recorded_by(held))
    return loses_nothing(held, status) and not others


def _described(path: Path, kind: str) -> BackupFile:
    try:
        return BackupFile(path, kind, checkpoints.read_status(path), None)
    except DatabaseError as error:
        return BackupFile(path, kind, None, str(error))


def _matches(pattern: re.Pattern[str], name: str) -> bool:
    return pattern.fullmatch(name) is not None
