"""Who may write a database: an exclusive lock between processes, on a file of its own beside it.

This is the only module that knows how the operating system locks a file. A lock library would fall back to marker
files, which a killed process leaves behind, and would not name the holder.
"""

import os
import re
import stat
import sys
import threading
from pathlib import Path
from types import TracebackType

from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.files.atomic import failure_reason, real_path

if sys.platform == "win32":
    import msvcrt

    _FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOINHERIT
    # far behind the text, because a locked byte cannot be read
    _LOCKED_BYTE = 1 << 30

    def _set_mode(descriptor: int, mode: int) -> None:
        """There are no modes here that another user would need."""

    def _try_to_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    # a link is not followed: another user who may write the folder could let it point at any file
    _FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

    def _set_mode(descriptor: int, mode: int) -> None:
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, mode)

    def _try_to_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_HOLDER = re.compile(rb"process [0-9]{1,10}")
_PRIVATE, _OF_OTHERS = 0o600, 0o066

# the locks that this process holds: lock file -> (descriptor, depth)
_HELD: dict[Path, tuple[int, int]] = {}
_GUARD = threading.Lock()


class ExecutionMutex:
    """An exclusive lock between processes: flock on `<lock_name>.lock`, re-entrant within one process.

    Without `path` the lock file lies in the working directory. The file names its holder; it is left in place, because
    removing it would let two processes lock two files of one name. A file of this name that is no lock file of ours is
    not written. Errors: DatabaseBusyError naming the holder, DatabaseError.
    """

    def __init__(self, lock_name: str, path: str | Path | None = None) -> None:
        folder = Path.cwd() if path is None else Path(path)
        self.lock_file = real_path(folder) / f"{lock_name}.lock"

    @property
    def is_held_here(self) -> bool:
        """Whether this process holds the lock."""
        return self.lock_file in _HELD

    def __enter__(self) -> "ExecutionMutex":
        with _GUARD:
            descriptor, depth = _HELD.get(self.lock_file, (-1, 0))
            if depth == 0:
                descriptor = self._acquire()
            _HELD[self.lock_file] = (descriptor, depth + 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _GUARD:
            descriptor, depth = _HELD.pop(self.lock_file)
            if depth > 1:
                _HELD[self.lock_file] = (descriptor, depth - 1)
            else:
                os.ftruncate(descriptor, 0)
                os.close(descriptor)

    def _acquire(self) -> int:
        try:
            descriptor = os.open(self.lock_file, _FLAGS, _PRIVATE | _OF_OTHERS)
        except OSError as error:
            if self.lock_file.is_symlink():
                raise self._not_ours("it is a link") from error
            raise DatabaseError(f"cannot create {self.lock_file}: {failure_reason(error)}") from error
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _take(self, descriptor: int) -> None:
        """Lock the open file and name this process in it. Errors: DatabaseBusyError, DatabaseError."""
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise self._not_ours("it is no file of one name")
        is_ours = _try_to_lock(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 200)
        if text and not _HOLDER.fullmatch(text.strip()):
            raise self._not_ours("it holds something else")
        if not is_ours:
            holder = text.decode().strip() or "another process"
            raise DatabaseBusyError(
                f"{self.lock_file.with_suffix('')} is being written by {holder}; wait for it or use another --database"
            )
        try:
            self._admit_those_of_the_database(descriptor)
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"process {os.getpid()}".encode())
        except OSError as error:
            raise DatabaseError(f"cannot write {self.lock_file}: {failure_reason(error)}") from error

    def _admit_those_of_the_database(self, descriptor: int) -> None:
        """Let every user of the database lock it, also where this process makes private files only."""
        database = self.lock_file.with_suffix("")
        if database.exists():
            _set_mode(descriptor, _PRIVATE | database.stat().st_mode & _OF_OTHERS)

    def _not_ours(self, why: str) -> DatabaseError:
        return DatabaseError(
            f"{self.lock_file} is not a lock file of planalign ({why}), and it was left as it is; move it away"
        )


def database_mutex(database: Path) -> ExecutionMutex:
    """Return the lock of a database; two links to one file have one lock, beside the file itself."""
    real = real_path(database)
    return ExecutionMutex(real.name, real.parent)
