"""Keeps what was simulated: copies databases and puts copies back.

Each step is a single rename, so a crash never leaves a finished year unreachable. No file takes the place of another
before its digests were recomputed and agree, and every file is moved under its own lock. All of them lie beside the
database itself; where a link leads to it, the link stays.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from planalign_orchestrator.config import SimulationConfig, to_dbt_vars
from planalign_orchestrator.database import checkpoints
from planalign_orchestrator.database.checkpoints import DatabaseStatus, mutex_of
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.verification import Verdict, Verification, verify_file
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.files.atomic import draft_copy, publish_new, real_path
from planalign_orchestrator.pipeline.backup_files import (
    backup_path,
    check_target,
    dated_path,
    find_backup,
    is_database,
    spares,
)
from planalign_orchestrator.pipeline.publish import Publisher
from planalign_orchestrator.pipeline.setting_aside import (
    SetAside,
    as_given,
    check_no_log,
    drop_unfinished,
    finish_setting_aside,
    keep_what_is_not_mine,
    log_of,
    only_writer_of,
    place_for,
    put_back,
    said_if_immovable,
    settle_place,
    tables_of_this_model,
)


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
    `protected` names. Errors: DatabaseBusyError while a run is writing; DatabaseError for a file that is not ours, has
    no finished year or differs from what was recorded, and when there is no room; OutputError for a target that would
    be lost.
    """
    real = real_path(database)
    if target is not None:
        _check_folder(target, "--to")
        _check_two_files(real, target)
    with only_writer_of(real):
        status = _settle(real)
        finish_setting_aside(real)
        chosen = as_given(database, dated_path(real, status)) if target is None else target
        with only_writer_of(chosen) if is_database(chosen) else nullcontext():
            check_target(chosen, status, force=force, protected=protected or {})
            settle_place(real_path(chosen))
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
    with _lock_of_the_replaced(real), only_writer_of(real, backup, chosen):
        present = _present(real)
        if present.status is not None:
            finish_setting_aside(real)
        status, found = _settle(chosen), verify_file(chosen)[1]
        found.check(chosen)
        if present.is_run_of(status):
            return Restored(database, status, found, present.status, None, False, (), ())
        place = backup
        if present.status is not None and present.verification is not None:
            place = place_for(real, present.status, present.verification)
        said = _take_its_place(real, chosen, status, present, place)
        kept = as_given(database, place) if place.exists() else None
        notes = (said,) if said else ()
        return _in_step(Restored(database, status, found, present.status, kept, True, (), notes), reports, copies)


@dataclass(frozen=True)
class _Present:
    """What a database holds that is to be replaced, whether that is verified, and which run it replaced itself.

    There is no status where there is no finished year.
    """

    status: DatabaseStatus | None = None
    verification: Verification | None = None
    replaced: str | None = None

    @property
    def is_verified(self) -> bool:
        return self.verification is not None and self.verification.verdict is Verdict.VERIFIED

    def is_run_of(self, other: DatabaseStatus) -> bool:
        """Whether it holds the very years of another database, undamaged."""
        own = self.status
        is_same = own is not None and (own.runs, own.checkpoints) == (other.runs, other.checkpoints)
        return is_same and self.verification is not None and not self.verification.has_failed


def _take_its_place(real: Path, chosen: Path, status: DatabaseStatus, present: _Present, place: Path) -> str:
    """Put the chosen file in the place of the database, and what that held, if anything, at `place`.

    Returns what is to be said of the file that had that place, if it was kept under another name.
    """
    said = ""
    if chosen == backup_path(real) and (present.status is None or present.is_verified):
        _swap(real, chosen, present.status)
        return said
    with draft_copy(chosen, real) as draft, said_if_immovable(real, place.name), only_writer_of(place):
        _check_whole(draft, status)
        if present.status is not None:
            # a copy and not a second name: a crash in between would let a resumed run write both
            with draft_copy(real, place) as kept:
                said, _ = keep_what_is_not_mine(real, place, present.replaced)
                kept.replace(place)
        elif real.exists():
            drop_unfinished(real, tables_of_this_model())
        draft.replace(real)
    return said


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
    if log_of(database).exists():
        with DatabaseConnectionManager(database) as db:
            db.settle()
    check_no_log(database)
    return status


def _present(database: Path) -> _Present:
    """Return what the database holds that is to be replaced, now all of it in the one file."""
    if not database.exists():
        if log_of(database).exists():
            raise DatabaseError(
                f"{log_of(database)} is there without its database {database.name}; bring that back or remove it"
            )
        return _Present()
    status, verification = verify_file(database)
    if status is None or not status.checkpoints:
        return _Present()
    with DatabaseConnectionManager(database, read_only=True) as db:
        replaced = checkpoints.replaced_run(db.get_connection())
    return _Present(_settle(database), verification, replaced)


def _copy(database: Path, target: Path, status: DatabaseStatus) -> Verification:
    """Copy a database to a target that may be replaced; the copy is verified before it gets its name."""
    replaces = target.exists()
    with draft_copy(database, target) as draft:
        verification = _check_whole(draft, status)
        if replaces and verification.verdict is not Verdict.VERIFIED:
            raise DatabaseError(f"{target} is not replaced. {verification.line} Name another file")
        if replaces:
            draft.replace(target)
        else:
            publish_new(draft, target)
    return verification


def _swap(database: Path, backup: Path, replaced: DatabaseStatus | None) -> None:
    """Let two files change places; killed in between, `finish_setting_aside` completes it or takes it back.

    A database without a finished year makes place instead, as after a run that came to nothing.
    """
    spare, _ = spares(database)[0]
    with said_if_immovable(database, backup.name, undo=replaced is not None):
        if replaced is None:
            put_back(database, SetAside(None, backup), tables_of_this_model())
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
    notes = (*done.notes, *((other,) if config is None else ()))
    with DatabaseConnectionManager(done.database, read_only=True) as db:
        publisher = Publisher(db, reports, copies)
        try:
            publisher.follow(done.replaced, done.status)
            variables = None if config is None else to_dbt_vars(config.of_year(done.status.years[-1]))
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


def _check_folder(path: Path, option: str) -> None:
    folder = path.absolute().parent
    if not folder.is_dir():
        raise DatabaseError(f"the folder {folder} does not exist; make it or choose another {option}")


def _check_two_files(database: Path, other: Path) -> None:
    if real_path(database) == real_path(other):
        raise DatabaseError(f"{other} is the database itself; name another file")
