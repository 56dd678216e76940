"""Keeps what was simulated: copies it, puts a copy back, and moves it aside before a new run.

Every change of place is one rename, and whatever stops the program, no finished year is without a name.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from planalign_orchestrator import checkpoints
from planalign_orchestrator.checkpoints import DatabaseStatus
from planalign_orchestrator.config import SimulationConfig, to_dbt_vars
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.lock import ExecutionMutex
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.files.atomic import draft_copy, remove_drafts
from planalign_orchestrator.publishing import Publisher


@dataclass(frozen=True)
class SetAside:
    """What became of the database that was there: its state, and the backup it was moved to (None: it is dropped)."""

    status: DatabaseStatus | None
    backup: Path | None


@dataclass(frozen=True)
class Restored:
    """What `restore` did: what the database holds now, what it held (None: no finished year), and where that is."""

    database: Path
    status: DatabaseStatus
    replaced: DatabaseStatus | None
    backup: Path | None
    reports: tuple[Path, ...]
    notes: tuple[str, ...]


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
    _demand_no_log(database)
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


def back_up(database: Path, target: Path | None = None) -> tuple[Path, DatabaseStatus]:
    """Copy a database to `target`, by default `backup_path`; returns the copy's path and what it holds.

    An existing backup is replaced in one rename, when the new one is whole and on the disk. Errors: DatabaseBusyError
    while a run is writing; DatabaseError for a file that is not ours or has no finished year, for an unfinished run in
    the place of a finished one, and when there is no room.
    """
    backup = backup_path(database) if target is None else target
    _demand_folder(backup, "--to")
    _demand_two_files(database, backup)
    with _only_writer_of(database, backup):
        status = _settle(database)
        finish_setting_aside(database)
        _copy(database, backup, status)
    return backup, status


def restore(database: Path, source: Path | None = None, *, reports: Path, copies: Path) -> Restored:
    """Put a backup back in the place of the database, in one rename, and return what happened.

    Without `source`, database and backup change places, so that restoring twice changes nothing. A `source` is copied
    and stays; the present database becomes the backup. The year files in the folders `reports` and `copies` become
    those of the restored run. Errors: those of `back_up`; both files are then what they were.
    """
    backup = backup_path(database)
    chosen = backup if source is None else source
    if source is None and not backup.exists() and not _spare(database).exists():
        raise DatabaseError(f"there is no backup {backup}; `planalign backup` makes one, --from names another file")
    _demand_folder(database, "--database")
    _demand_two_files(database, chosen)
    with _only_writer_of(database, backup, chosen):
        replaced = _present_state(database)
        if replaced is not None:
            finish_setting_aside(database)
        status = _settle(chosen)
        if chosen == backup:
            _swap(database, backup, replaced)
        else:
            _put_copy(chosen, database, status, replaced)
        kept = backup if backup.exists() else None
        return _in_step(Restored(database, status, replaced, kept, (), ()), reports, copies)


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


def _only_writer_of(*paths: Path) -> ExitStack:
    """Hold the locks of databases that are about to change, and remove what a killed copy left beside them.

    A folder that may not be written needs no lock: a file that lies there is only read.
    """
    with ExitStack() as stack:
        for path in paths:
            if os.access(path.absolute().parent, os.W_OK) or path == paths[0]:
                stack.enter_context(ExecutionMutex(path.name, path.parent))
                remove_drafts(path.absolute().parent)
        return stack.pop_all()


def _settle(database: Path) -> DatabaseStatus:
    """Return what a database of ours holds, now all of it in the one file. It is changed only if it has a log."""
    status = checkpoints.read_status(database)
    if not status.checkpoints:
        raise DatabaseError(f"{database} holds no finished year; `planalign run` makes one")
    if _log(database).exists():
        with DatabaseConnectionManager(database) as db:
            db.settle()
    _demand_no_log(database)
    return status


def _present_state(database: Path) -> DatabaseStatus | None:
    """Return what the database holds that is to be replaced; None when it holds no year or is not there."""
    if not database.exists():
        if _log(database).exists():
            raise DatabaseError(
                f"{_log(database)} is there without its database {database.name}; bring that back or remove it"
            )
        return None
    try:
        with DatabaseConnectionManager(database, read_only=True) as db:
            status = checkpoints.read_state(db)
    except DatabaseBusyError:
        raise
    except DatabaseError as error:
        raise DatabaseError(f"{error}; if it is a damaged database, move it away and restore again") from error
    return None if status is None else _settle(database)


def _copy(database: Path, backup: Path, status: DatabaseStatus) -> None:
    _demand_replaceable(backup, database, status)
    with draft_copy(database, backup) as draft:
        _demand_whole(draft, status)
        draft.replace(backup)


def _swap(database: Path, backup: Path, replaced: DatabaseStatus | None) -> None:
    """Let two files change places; killed in between, `finish_setting_aside` completes it or takes it back.

    A database without a finished year makes place instead, as after a run that came to nothing.
    """
    try:
        if replaced is None:
            put_back(database, SetAside(None, backup))
            return
        _spare_too(database)
        backup.replace(database)
        _spare(database).replace(backup)
    except OSError as error:
        if replaced is not None:
            finish_setting_aside(database)
        raise DatabaseError(
            f"{backup.name} cannot take the place of {database} ({error.strerror}): the folder may not be written"
        ) from error


def _spare_too(database: Path) -> None:
    """Give the database a second name, which costs no room; where there are no hard links, a copy of that name."""
    spare = _spare(database)
    try:
        spare.hardlink_to(database)
    except OSError:
        with draft_copy(database, spare) as draft:
            draft.replace(spare)


def _put_copy(source: Path, database: Path, status: DatabaseStatus, replaced: DatabaseStatus | None) -> None:
    with draft_copy(source, database) as draft:
        _demand_whole(draft, status)
        if replaced is not None:
            _copy(database, backup_path(database), replaced)
        _log(database).unlink(missing_ok=True)
        draft.replace(database)


def _in_step(done: Restored, reports: Path, copies: Path) -> Restored:
    """Make the files for people those of the restored run."""
    config = _configuration(done.status)
    other = "run_vars.json was removed: another version of planalign configured the restored run"
    notes = (other,) if config is None else ()
    with DatabaseConnectionManager(done.database, read_only=True) as db:
        publisher = Publisher(db, reports, copies)
        try:
            publisher.follow(done.replaced, done.status)
            variables = None if config is None else to_dbt_vars(config)
            publisher.summarise(done.status.years, variables, "detailed" if config is None else config.reports.template)
        except DatabaseError as error:
            raise DatabaseError(f"{done.database} is restored, but not the files of its years: {error}") from error
    return replace(done, reports=tuple(publisher.reports), notes=(*publisher.notes, *notes))


def _configuration(status: DatabaseStatus) -> SimulationConfig | None:
    """The configuration of the last run; None where another version knew other keys or bounds."""
    from pydantic import ValidationError

    try:
        return SimulationConfig.model_validate(status.runs[-1]["configuration"])
    except ValidationError:
        return None


def _demand_replaceable(backup: Path, database: Path, status: DatabaseStatus) -> None:
    """An existing backup must be ours, and a finished run gives way to a finished run only."""
    if not backup.exists():
        return
    held = checkpoints.read_status(backup)
    _demand_no_log(backup)
    if held.is_complete and not status.is_complete:
        raise DatabaseError(
            f"the run in {database} is not finished ({_years(status)}) and does not replace the finished one in "
            f"{backup} ({_years(held)}); finish it with `planalign run --resume`, or move that file away"
        )


def _demand_whole(copy: Path, status: DatabaseStatus) -> None:
    with DatabaseConnectionManager(copy, read_only=True) as db:
        found = checkpoints.read_state(db)
    if found is None or (found.runs, found.checkpoints) != (status.runs, status.checkpoints):
        raise DatabaseError(f"the copy of {status.database} is not what was copied; something else changes that file")


def _demand_folder(path: Path, option: str) -> None:
    folder = path.absolute().parent
    if not folder.is_dir():
        raise DatabaseError(f"the folder {folder} does not exist; make it or choose another {option}")


def _demand_two_files(database: Path, other: Path) -> None:
    if database.resolve() == other.resolve():
        raise DatabaseError(f"{other} is the database itself; name another file")


def _demand_no_log(database: Path) -> None:
    log = _log(database)
    if log.exists():
        raise DatabaseError(
            f"{database} still has the log {log.name}, so it cannot be moved; close whatever is using it"
        )


def _years(status: DatabaseStatus) -> str:
    return f"{status.years[0]}-{status.years[-1]}"


def _spare(database: Path) -> Path:
    return database.with_name(f".{database.name}.spare")


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _remove(database: Path) -> None:
    """Remove a database that holds nothing worth keeping, with the log of a commit that was cut off."""
    _log(database).unlink(missing_ok=True)
    database.unlink()
