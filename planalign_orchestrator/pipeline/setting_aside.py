"""Moves databases out of the way: where a database goes that makes room, and how it comes back.

Each step is a single rename, so a crash never leaves a finished year unreachable, and every file is moved under its own
lock.
"""

import logging
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from planalign_orchestrator.database import checkpoints, resuming
from planalign_orchestrator.database.checkpoints import DatabaseStatus, mutex_of
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.verification import Verdict, Verification, verify
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.files.atomic import real_path, remove_drafts
from planalign_orchestrator.model import Model, load_compiled_model
from planalign_orchestrator.pipeline.backup_files import (
    BESIDE_THE_MARTS,
    backup_path,
    dated_path,
    draft_names,
    spares,
    tables_recorded_by,
    unfinished_path,
)

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class SetAside:
    """What became of the database that was there: its state, and where it is now (None: it held nothing).

    `reason` says why it is not the automatic backup, `dropped` what is to be said of the file in whose place it is, and
    `displaced` is where that file went, if it was kept.
    """

    status: DatabaseStatus | None
    kept: Path | None
    reason: str = ""
    dropped: str = ""
    displaced: Path | None = None

    @property
    def is_backup(self) -> bool:
        """Whether it is the automatic backup now, and not a file beside an earlier one."""
        return self.kept is not None and self.kept.stem.endswith("_backup")

    @property
    def last_run(self) -> str | None:
        """The id of its last run."""
        return self.status.runs[-1]["run_id"] if self.status is not None and self.status.runs else None

    @property
    def described(self) -> str:
        """Its years, and whether the last run was finished."""
        if self.status is None or not self.status.checkpoints:
            return "no finished year"
        return f"{_years(self.status)}{'' if self.status.is_complete else ', unfinished'}"


@contextmanager
def making_room(database: Path, models: Sequence[Model]) -> Iterator[SetAside]:
    """Move the present database out of the way of a new run, for the block to simulate.

    It becomes the backup; an unfinished run, or one that differs from what was recorded or cannot be verified, does not
    replace a backup that exists but gets a name of its own. A file without a finished year is dropped, unless it holds
    tables that are not of a run. When the block fails before a year is finished, everything is as it was. The caller
    holds the database's lock; the files that it moves to are locked here. `models` are those of the compiled
    model. Errors: DatabaseError when the file is not ours, still has a write-ahead log (moving the file without it
    would lose every year), or may not be moved; DatabaseBusyError when another run writes the backup.
    """
    real, own = real_path(database), _tables_of_a_run(models)
    with ExitStack() as locks:
        moved = _set_aside(real, models, own, locks) if real.exists() else SetAside(None, None)
        try:
            yield moved if moved.kept is None else replace(moved, kept=as_given(database, moved.kept))
        except BaseException:
            try:
                put_back(real, moved, own)
            except DatabaseError as error:
                # what stopped the run is the error to raise; this one says where the old results are
                _LOGGER.warning("the database before was not put back, it is still %s: %s", moved.kept, error)
            raise


def finish_setting_aside(database: Path) -> None:
    """Drop what was spared, now that the new run has a year or was killed; it is the backup if there is none."""
    for spare, place in spares(real_path(database)):
        if not os.path.lexists(spare):
            continue
        if spare.is_symlink() or not spare.is_file():
            raise DatabaseError(f"{spare} is not a file of planalign, and it was left as it is; move it away")
        with only_writer_of(place):
            if place.exists():
                spare.unlink()
            else:
                checkpoints.check_ours(spare)
                check_no_log(place)
                spare.replace(place)


def _set_aside(real: Path, models: Sequence[Model], own: Collection[str], locks: ExitStack) -> SetAside:
    """Move the database to the place that its state deserves; what was there is spared until a year is finished."""
    with DatabaseConnectionManager(real) as db:
        status = checkpoints.read_state(db)
        if status is not None and resuming.remove_unfinished_year(db, models):
            status = checkpoints.read_state(db)
        others = checkpoints.tables_of_others(db.get_connection(), own)
        replaced = checkpoints.replaced_run(db.get_connection()) if status is not None else None
        verification = None
        if status is not None and status.checkpoints:
            verification = verify(db, status)
        db.settle()
    if verification is None and not others:
        _remove(real)
        return SetAside(status, None)
    check_no_log(real)
    place = place_for(real, status, verification)
    locks.enter_context(only_writer_of(place))
    with said_if_immovable(real, place.name):
        dropped, displaced = keep_what_is_not_mine(real, place, replaced)
        if place.exists():
            place.replace({kept: spare for spare, kept in spares(real)}[place])
        real.replace(place)
    return SetAside(status, place, _reason(status, verification), dropped, displaced)


def keep_what_is_not_mine(real: Path, place: Path, mine: str | None) -> tuple[str, Path | None]:
    """Give the file at a place a name of its own, unless nothing is lost with it; return what is to be said, and where.

    A file that holds tables of others is kept, and so is a backup whose last run is not `mine`, the one that the
    database replaced: it may be somebody's own database of that name. The caller holds the place's lock.
    """
    settle_place(place)
    if not place.exists():
        return "", None
    with DatabaseConnectionManager(place, read_only=True) as db:
        held = checkpoints.read_status_of(db)
        others = checkpoints.tables_of_others(db.get_connection(), tables_recorded_by(held))
    is_mine = place != backup_path(real) or held.runs[-1]["run_id"] == mine
    if is_mine and not others:
        return "", None
    kept = _free(dated_path(real, held))
    place.replace(kept)
    why = f"it holds tables of your own ({', '.join(others[:3])})" if others else "it is of another run than the last"
    return f"{place.name} was kept as {kept.name}: {why}", kept


def settle_place(place: Path) -> None:
    """Move the log of the file at a place into it: left behind, it would spoil the next file of that name.

    The caller holds the place's lock. Errors: DatabaseError also for a log without its database.
    """
    log = log_of(place)
    if not os.path.lexists(log):
        return
    if not place.exists():
        raise DatabaseError(f"{log} is there without its database {place.name}; bring that back or remove it")
    with DatabaseConnectionManager(place) as db:
        db.settle()
    check_no_log(place)


def _reason(status: DatabaseStatus | None, verification: Verification | None) -> str:
    """Say why a database does not replace the automatic backup."""
    if status is None or verification is None:
        return "it holds tables that are not of a run"
    if verification.verdict is not Verdict.VERIFIED:
        return verification.line.rstrip(".")
    return "" if status.is_complete else "it is not finished, and the backup is"


def place_for(real: Path, status: DatabaseStatus | None, verification: Verification | None) -> Path:
    """Return where a database goes: in the place of another only if it is verified, of a backup only if finished."""
    backup, unfinished = backup_path(real), unfinished_path(real)
    if status is None or verification is None:
        return _free(unfinished)
    usual = backup if status.is_complete or not backup.exists() else unfinished
    if usual.exists() and verification.verdict is not Verdict.VERIFIED:
        return _free(dated_path(real, status))
    return usual


def _free(path: Path) -> Path:
    """Return the path, numbered if a file has that name already."""
    taken, number = path, 2
    while os.path.lexists(taken) or os.path.lexists(log_of(taken)):
        taken = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return taken


def put_back(real: Path, moved: SetAside, own: Collection[str]) -> None:
    """Undo `_set_aside` after a run that finished no year; a file that holds anything is left alone."""
    if real.exists():
        with DatabaseConnectionManager(real, read_only=True) as db:
            status = checkpoints.read_state(db)
        if status is not None and status.checkpoints:
            finish_setting_aside(real)
            return
        drop_unfinished(real, own)
    if moved.kept is None:
        return
    moved.kept.replace(real)
    for spare, place in spares(real):
        if place == moved.kept and spare.exists():
            spare.replace(place)
    if moved.displaced is not None and not moved.kept.exists():
        moved.displaced.replace(moved.kept)


@contextmanager
def only_writer_of(*paths: Path) -> Iterator[None]:
    """Hold the locks of databases that are about to change, and remove what a killed copy left beside them.

    A folder that may not be written needs no lock: a file that lies there is only read.
    """
    with ExitStack() as stack:
        for path in paths:
            folder = real_path(path).parent
            if os.access(folder, os.W_OK) or path == paths[0]:
                stack.enter_context(mutex_of(path))
                remove_drafts(folder, draft_names(real_path(path)))
        yield


@contextmanager
def said_if_immovable(database: Path, name: str, *, undo: bool = True) -> Iterator[None]:
    """Say which file could not be moved, and why; with `undo`, after what was moved is back in its place."""
    try:
        yield
    except OSError as error:
        if undo:
            finish_setting_aside(database)
        raise DatabaseError(
            f"{database} and {name} cannot change places ({error.strerror}): the folder may not be written; "
            "choose another --database"
        ) from error


def check_no_log(database: Path) -> None:
    """Refuse to move a database without its log, with which every year would be lost. Errors: DatabaseError."""
    log = log_of(database)
    if log.exists():
        raise DatabaseError(
            f"{database} still has the log {log.name}, so it cannot be moved; close whatever is using it"
        )


def as_given(database: Path, path: Path) -> Path:
    """Return a path beside a database as the user would write it."""
    return database.with_name(path.name) if real_path(database.parent) == path.parent else path


def _years(status: DatabaseStatus) -> str:
    return f"{status.years[0]}-{status.years[-1]}"


def log_of(database: Path) -> Path:
    """Return the write-ahead log of a database."""
    return database.with_name(f"{database.name}.wal")


def _tables_of_a_run(models: Sequence[Model]) -> set[str]:
    return {*(model.name for model in models if model.is_mart), *BESIDE_THE_MARTS}


def tables_of_this_model() -> set[str]:
    """Return the tables of the schema `main` that a run of the present model makes, besides those of its state."""
    return _tables_of_a_run(load_compiled_model().models)


def drop_unfinished(database: Path, own: Collection[str]) -> None:
    """Remove a database without a finished year; one that holds tables that are not of a run gets another name."""
    with DatabaseConnectionManager(database, read_only=True) as db:
        others = checkpoints.tables_of_others(db.get_connection(), own)
    if others:
        database.replace(_free(unfinished_path(database)))
    else:
        _remove(database)


def _remove(database: Path) -> None:
    """Remove a database that holds nothing worth keeping, with the log of a commit that was cut off."""
    log_of(database).unlink(missing_ok=True)
    database.unlink()
