"""Who may write a database: an exclusive lock between processes."""

import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType

from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.files.atomic import failure_reason

# the locks that this process holds: lock file -> (descriptor, depth)
_HELD: dict[Path, tuple[int, int]] = {}
_GUARD = threading.Lock()


class ExecutionMutex:
    """An exclusive lock between processes: flock on `<lock_name>.lock`, re-entrant within one process.

    Without `path` the lock file lies in the working directory. The file names its holder; it is left in place, because
    removing it would let two processes lock two files of one name. Errors: DatabaseBusyError naming the holder.
    """

    def __init__(self, lock_name: str, path: str | Path | None = None) -> None:
        folder = Path.cwd() if path is None else Path(path)
        self.lock_file = (folder / f"{lock_name}.lock").resolve()

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
            descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise DatabaseError(f"cannot create {self.lock_file}: {failure_reason(error)}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(descriptor)
            raise DatabaseBusyError(
                f"{self.lock_file.with_suffix('')} is being written by {holder}; wait for it or use another --database"
            ) from error
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0)
        except OSError as error:
            os.close(descriptor)
            raise DatabaseError(f"cannot write {self.lock_file}: {failure_reason(error)}") from error
        return descriptor
