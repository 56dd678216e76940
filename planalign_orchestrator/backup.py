"""Keeps what was simulated: copies databases, puts copies back, and moves a database aside before a new run.

Each step is a single rename, so a crash never leaves a finished year unreachable. No file takes the place of another
before its digests were recomputed and agree, and every file is moved under its own lock. All of them lie beside the
database itself; where a link leads to it, the link stays.
"""

import logging
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from planalign_orchestrator import checkpoints
from planalign_orchestrator.backup_files import (
    backup_path,
    check_target,
    dated_path,
    draft_names,
    find_backup,
    is_database,
    spares,
    unfinished_path,
)
from planalign_orchestrator.checkpoints import DatabaseStatus, mutex_of
from planalign_orchestrator.config import SimulationConfig, to_dbt_vars
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.verification import Verdict, Verification, verify, verify_file
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.files.atomic import draft_copy, real_path, remove_drafts
from planalign_orchestrator.plan_compiler import Model, load_plan
from planalign_orchestrator.publishing import Publisher
from planalign_orchestrator.registries import DeferralEscalationRegistry, EnrollmentRegistry

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class SetAside:
    """What became of the database that was there: its state, and where it is now (None: it held nothing)."""

    status: DatabaseStatus | None
    kept: Path | None

    @property
    def is_backup(self) -> bool:
        """Whether it is the automatic backup now, and not a file beside an earlier one."""
        return self.kept is not None and self.kept.stem.endswith("_backup")

    @property
    def described(self) -> str:
        """Its years, and whether the last run was finished."""
        if self.status is None or not self.status.checkpoints:
            return "no finished year"
        return f"{_years(self.status)}{'' if self.status.is_complete else ', unfinished'}"


@dataclass(frozen=True)
class BackedUp:
    """What `copy_database` did: the copy, what it holds, and whether that was verified."""

    backup: Path
    status: DatabaseStatus
    verification: Verification


@dataclass(frozen=True)
class Restored:
    """What `restore` did: what the database holds now, what it held (None: no finished year), and where that is.

    `changed` is False when the database held the chosen run already.
    """

    database: Path
    status: DatabaseStatus
    verification: Verification
    replaced: DatabaseStatus | None
    backup: Path | None
    changed: bool
    reports: tuple[Path, ...]
    notes: tuple[str, ...]


@contextmanager
def making_room(database: Path, models: Sequence[Model]) -> Iterator[SetAside]:
    """Move the present database out of the way of a new run, for the block to simulate.

    It becomes the backup; an unfinished run, or one that differs from what was recorded or cannot be verified, does not
    replace a backup that exists but gets a name of its own. A file without a finished year is dropped, unless it holds
    tables that are not of a run. When the block fails before a year is finished, everything is as it was. The caller
    holds the database's lock; the files that it moves to are locked here. `models` are those of the plan. Errors:
    DatabaseError when the file is not ours, still has a write-ahead log (moving the file without it would lose every
    year), or may not be moved; DatabaseBusyError when another run writes the backup.
    """
    real, own = real_path(database), _tables_of_a_run(models)
    with ExitStack() as locks:
        moved = _set_aside(real, models, own, locks) if real.exists() else SetAside(None, None)
        try:
            yield moved if moved.kept is None else replace(moved, kept=_as_given(database, moved.kept))
        except BaseException:
            try:
                _put_back(real, moved, own)
            except DatabaseError as error:
                # what stopped the run is the error to raise; this one says where the old results are
                _LOGGER.warning("the database before was not put back, it is still %s: %s", moved.kept, error)
            raise


def finish_setting_aside(database: Path) -> None:
    """Drop what was spared, now that the new run has a year or was killed; it is the backup if there is none."""
    for spare, place in spares(real_path(database)):
        if not spare.exists():
            continue
        if place.exists():
            spare.unlink()
        else:
            spare.replace(place)


def back_up(database: Path, target: Path | None = None, *, force: bool = False) -> tuple[Path, DatabaseStatus]:
    """Copy a database as `copy_database` does; returns the copy's path and what it holds. Errors: the same."""
    done = copy_database(database, target, force=force)
    return done.backup, done.status


def copy_database(
    database: Path,
    target: Path | None = None,
    *,
    force: bool = False,
    protected: Mapping[Path, str] | None = None,
) -> BackedUp:
    """Copy a database to `target`, by default to a name with the date and the id of its last run.

    An existing target is replaced in one rename, when the copy is whole, verified and on the disk: one that holds
    nothing but years of this database, anything else with `force`, except databases of others, configurations and what
    `protected` names. Errors: DatabaseBusyError while a run
    is writing; DatabaseError for a file that is not ours, has no finished year or differs from what was recorded, and
    when there is no room; OutputError for a target that would be lost.
    """
    real = real_path(database)
    if target is not None:
        _check_folder(target, "--to")
        _check_two_files(real, target)
    with _only_writer_of(real):
        status = _settle(real)
        finish_setting_aside(real)
        chosen = _as_given(database, dated_path(real, status)) if target is None else target
        check_target(chosen, status, force=force, protected=protected or {})
        with _only_writer_of(chosen) if is_database(chosen) or not chosen.exists() else nullcontext():
            verification = _copy(real, real_path(chosen), status)
    return BackedUp(chosen, status, verification)


def restore(database: Path, source: Path | None = None, *, reports: Path, copies: Path) -> Restored:
    """Put a backup back in the place of the database, in one rename, and return what happened.

    Without `source`, database and backup change places, so that restoring twice changes nothing. A `source` (a path,
    or a name or run id of `list_backups`) is copied and stays; the present database becomes the backup, unless it
    holds that very run already: then nothing changes. The year files in the folders `reports` and `copies` become
    those of the restored run. Errors: those of `copy_database`; both files are then what they were.
    """
    real = real_path(database)
    _check_folder(real, "--database")
    backup = backup_path(real)
    if source is None and not backup.exists() and not any(spare.exists() for spare, _ in spares(real)):
        raise DatabaseError(f"there is no backup {backup}; `planalign backup` makes one, --from names another file")
    chosen = backup if source is None else find_backup(real, source)
    _check_two_files(real, chosen)
    with _lock_of_the_replaced(real), _only_writer_of(real, backup, chosen):
        present = _present(real)
        if present.status is not None:
            finish_setting_aside(real)
        status, found = _settle(chosen), verify_file(chosen)[1]
        found.check(chosen)
        if present.is_run_of(status):
            return Restored(database, status, found, present.status, None, False, (), ())
        place = backup
        if present.status is not None and present.verification is not None:
            place = _place_for(real, present.status, present.verification)
        _take_its_place(real, chosen, status, present, place)
        kept = _as_given(database, place) if place.exists() else None
        return _in_step(Restored(database, status, found, present.status, kept, True, (), ()), reports, copies)


@dataclass(frozen=True)
class _Present:
    """What a database holds that is to be replaced, and whether that is verified; no status for no finished year."""

    status: DatabaseStatus | None = None
    verification: Verification | None = None

    @property
    def is_verified(self) -> bool:
        return self.verification is not None and self.verification.verdict is Verdict.VERIFIED

    def is_run_of(self, other: DatabaseStatus) -> bool:
        """Whether it holds the very years of another database, undamaged."""
        own = self.status
        is_same = own is not None and (own.runs, own.checkpoints) == (other.runs, other.checkpoints)
        return is_same and self.verification is not None and not self.verification.has_failed


def _take_its_place(real: Path, chosen: Path, status: DatabaseStatus, present: _Present, place: Path) -> None:
    """Put the chosen file in the place of the database, and what that held, if anything, at `place`."""
    if chosen == backup_path(real) and (present.status is None or present.is_verified):
        _swap(real, chosen, present.status)
        return
    with draft_copy(chosen, real) as draft, _said_if_immovable(real, place.name), _only_writer_of(place):
        _check_whole(draft, status)
        if present.status is not None:
            spare, _ = spares(real)[0]
            _second_name(real, spare)
            spare.replace(place)
        elif real.exists():
            _drop(real, _tables_of_this_model())
        draft.replace(real)


def _set_aside(real: Path, models: Sequence[Model], own: Collection[str], locks: ExitStack) -> SetAside:
    """Move the database to the place that its state deserves; what was there is spared until a year is finished."""
    with DatabaseConnectionManager(real) as db:
        status = checkpoints.read_state(db)
        if status is not None and checkpoints.remove_unfinished_year(db, models):
            status = checkpoints.read_state(db)
        others = checkpoints.tables_of_others(db.get_connection(), own)
        verification = None
        if status is not None and status.checkpoints:
            verification = verify(db, status)
        db.settle()
    if verification is None and not others:
        _remove(real)
        return SetAside(status, None)
    _check_no_log(real)
    place = _place_for(real, status, verification)
    locks.enter_context(_only_writer_of(place))
    with _said_if_immovable(real, place.name):
        if place.exists():
            checkpoints.check_ours(place)
            place.replace({kept: spare for spare, kept in spares(real)}[place])
        real.replace(place)
    return SetAside(status, place)


def _place_for(real: Path, status: DatabaseStatus | None, verification: Verification | None) -> Path:
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
    while taken.exists():
        taken = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return taken


def _put_back(real: Path, moved: SetAside, own: Collection[str]) -> None:
    """Undo `_set_aside` after a run that finished no year; a file that holds anything is left alone."""
    if real.exists():
        with DatabaseConnectionManager(real, read_only=True) as db:
            status = checkpoints.read_state(db)
        if status is not None and status.checkpoints:
            finish_setting_aside(real)
            return
        _drop(real, own)
    if moved.kept is None:
        return
    moved.kept.replace(real)
    for spare, place in spares(real):
        if place == moved.kept and spare.exists():
            spare.replace(place)


@contextmanager
def _only_writer_of(*paths: Path) -> Iterator[None]:
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
def _lock_of_the_replaced(database: Path) -> Iterator[None]:
    """Hold the lock of a database that is to be replaced; say what to do where it cannot be read any more."""
    try:
        mutex = mutex_of(database)
    except DatabaseBusyError:
        raise
    except DatabaseError as error:
        raise DatabaseError(f"{error}; if it is a damaged database, move it away and restore again") from error
    with mutex:
        yield


def _settle(database: Path) -> DatabaseStatus:
    """Return what a database of ours holds, now all of it in the one file. It is changed only if it has a log."""
    status = checkpoints.read_status(database)
    if not status.checkpoints:
        raise DatabaseError(f"{database} holds no finished year; `planalign run` makes one")
    if _log(database).exists():
        with DatabaseConnectionManager(database) as db:
            db.settle()
    _check_no_log(database)
    return status


def _present(database: Path) -> _Present:
    """Return what the database holds that is to be replaced, now all of it in the one file."""
    if not database.exists():
        if _log(database).exists():
            raise DatabaseError(
                f"{_log(database)} is there without its database {database.name}; bring that back or remove it"
            )
        return _Present()
    status, verification = verify_file(database)
    if status is None or not status.checkpoints:
        return _Present()
    return _Present(_settle(database), verification)


def _copy(database: Path, target: Path, status: DatabaseStatus) -> Verification:
    """Copy a database to a target that may be replaced; the copy is verified before it gets its name."""
    with draft_copy(database, target) as draft:
        verification = _check_whole(draft, status)
        if target.exists() and verification.verdict is not Verdict.VERIFIED:
            raise DatabaseError(f"{target} is not replaced. {verification.line} Name another file")
        draft.replace(target)
    return verification


def _swap(database: Path, backup: Path, replaced: DatabaseStatus | None) -> None:
    """Let two files change places; killed in between, `finish_setting_aside` completes it or takes it back.

    A database without a finished year makes place instead, as after a run that came to nothing.
    """
    spare, _ = spares(database)[0]
    with _said_if_immovable(database, backup.name, undo=replaced is not None):
        if replaced is None:
            _put_back(database, SetAside(None, backup), _tables_of_this_model())
            return
        _second_name(database, spare)
        backup.replace(database)
        spare.replace(backup)


def _second_name(database: Path, name: Path) -> None:
    """Give the database a second name, which costs no room; where there are no hard links, a copy of that name."""
    try:
        name.hardlink_to(database)
    except OSError:
        with draft_copy(database, name) as draft:
            draft.replace(name)


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


def _check_whole(copy: Path, status: DatabaseStatus) -> Verification:
    """Refuse a copy that is not what was copied, or holds other rows than were recorded."""
    found, verification = verify_file(copy)
    if found is None or (found.runs, found.checkpoints) != (status.runs, status.checkpoints):
        raise DatabaseError(f"the copy of {status.database} is not what was copied; something else changes that file")
    verification.check(status.database)
    return verification


@contextmanager
def _said_if_immovable(database: Path, name: str, *, undo: bool = True) -> Iterator[None]:
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


def _check_folder(path: Path, option: str) -> None:
    folder = path.absolute().parent
    if not folder.is_dir():
        raise DatabaseError(f"the folder {folder} does not exist; make it or choose another {option}")


def _check_two_files(database: Path, other: Path) -> None:
    if real_path(database) == real_path(other):
        raise DatabaseError(f"{other} is the database itself; name another file")


def _check_no_log(database: Path) -> None:
    log = _log(database)
    if log.exists():
        raise DatabaseError(
            f"{database} still has the log {log.name}, so it cannot be moved; close whatever is using it"
        )


def _as_given(database: Path, path: Path) -> Path:
    """Return a path beside a database as the user would write it."""
    return database.with_name(path.name) if real_path(database.parent) == path.parent else path


def _years(status: DatabaseStatus) -> str:
    return f"{status.years[0]}-{status.years[-1]}"


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _tables_of_a_run(models: Sequence[Model]) -> set[str]:
    registries = (EnrollmentRegistry.table, DeferralEscalationRegistry.table)
    return {*(model.name for model in models if model.is_mart), *registries, "census_quarantine"}


def _tables_of_this_model() -> set[str]:
    return _tables_of_a_run(load_plan().models)


def _drop(database: Path, own: Collection[str]) -> None:
    """Remove a database without a finished year; one that holds tables that are not of a run gets another name."""
    with DatabaseConnectionManager(database, read_only=True) as db:
        others = checkpoints.tables_of_others(db.get_connection(), own)
    if others:
        database.replace(_free(unfinished_path(database)))
    else:
        _remove(database)


def _remove(database: Path) -> None:
    """Remove a database that holds nothing worth keeping, with the log of a commit that was cut off."""
    _log(database).unlink(missing_ok=True)
    database.unlink()
