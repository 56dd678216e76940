"""Moves a simulation's file aside before a new run, and back again when the new run came to nothing."""

from dataclasses import dataclass
from pathlib import Path

from planalign_orchestrator import checkpoints
from planalign_orchestrator.checkpoints import DatabaseStatus
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.utils import DatabaseConnectionManager


@dataclass(frozen=True)
class SetAside:
    """What became of the database that was there: its state, and the backup it was moved to (None: it is dropped)."""

    status: DatabaseStatus | None
    backup: Path | None


def backup_path(database: Path) -> Path:
    """Return the backup's name: `simulation_backup.duckdb` beside `simulation.duckdb`."""
    return database.with_name(f"{database.stem}_backup{database.suffix}")


def set_aside(database: Path) -> SetAside:
    """Make room for a new run: the present file becomes the backup.

    A file without a finished year is never backed up, and an unfinished run never replaces a backup that exists. What
    is dropped, the backup before or the unfinished run, is spared until `finish_setting_aside`. The caller holds the
    mutex. Errors: DatabaseError when the file is not ours, still has a write-ahead log (moving the file without it
    would lose every year) or may not be moved.
    """
    with DatabaseConnectionManager(database) as db:
        status = checkpoints.read_state(db)
        if status is not None and checkpoints.remove_unfinished_year(db):
            status = checkpoints.read_state(db)
        db.get_connection().execute("force checkpoint planalign")
    if status is None or not status.checkpoints:
        _remove(database)
        return SetAside(status, None)
    wal = _log(database)
    if wal.exists():
        raise DatabaseError(
            f"{database} still has the log {wal.name}, so it cannot be moved; close whatever is using it"
        )
    backup = backup_path(database)
    try:
        if backup.exists() and not status.is_complete:
            database.replace(_spare(database))
            return SetAside(status, None)
        if backup.exists():
            backup.replace(_spare(database))
        database.replace(backup)
    except OSError as error:
        finish_setting_aside(database)
        raise DatabaseError(
            f"{database} cannot become {backup.name} ({error.strerror}): the folder may not be written; "
            "choose another --database"
        ) from error
    return SetAside(status, backup)


def put_back(database: Path, moved: SetAside) -> None:
    """Undo `set_aside` after a run that finished no year; a file that holds anything is left alone."""
    if database.exists():
        with DatabaseConnectionManager(database, read_only=True) as db:
            status = checkpoints.read_state(db)
            if status is not None and status.checkpoints:
                finish_setting_aside(database)
                return
        _remove(database)
    spare = _spare(database)
    if moved.backup is not None:
        moved.backup.replace(database)
        if spare.exists():
            spare.replace(moved.backup)
    elif spare.exists():
        spare.replace(database)


def finish_setting_aside(database: Path) -> None:
    """Drop what was spared, now that the new run has a year or was killed; it is the backup if there is none."""
    spare, backup = _spare(database), backup_path(database)
    if not spare.exists():
        return
    if backup.exists():
        spare.unlink()
    else:
        spare.replace(backup)


def _spare(database: Path) -> Path:
    return database.with_name(f".{database.name}.spare")


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _remove(database: Path) -> None:
    """Remove a database that holds nothing worth keeping, with the log of a commit that was cut off."""
    _log(database).unlink(missing_ok=True)
    database.unlink()
