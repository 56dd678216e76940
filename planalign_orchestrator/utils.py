"""The simulation's file: who may write it, how it is opened, and how small files beside it are written."""

import errno
import fcntl
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError

if TYPE_CHECKING:
    import duckdb

# rows that are kept, compressed and worked on together; from a few times as many on, several cores share a table
ROW_GROUP_SIZE = 16384
# with fewer people, another thread costs more than it does
PEOPLE_OF_A_THREAD = 25_000
# with more people, two models at a time need more memory than they save time; three find little to do
PEOPLE_OF_TWO_MODELS = 250_000

_LOGGER = logging.getLogger(__name__)
_SHARE_OF_MEMORY = 0.7
# more only keeps the file in memory: a million people take as long with 6 GiB as with 16
_MOST_MEMORY = 6 * 2**30
_DRAFT = ".draft"

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
            raise DatabaseError(f"cannot create {self.lock_file}: {_reason(error)}") from error
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
            raise DatabaseError(f"cannot write {self.lock_file}: {_reason(error)}") from error
        return descriptor


class DatabaseConnectionManager:
    """One connection to a simulation's file, attached as `planalign` to an in-memory DuckDB.

    `threads` None means all cores, `memory_limit` None 70 % of the machine's memory, at most 6 GiB. Within a
    transaction everybody shares the connection; nothing else writes to the file. Errors: DatabaseError and
    DatabaseBusyError, in words.
    """

    def __init__(
        self,
        db_path: str | Path = "simulation.duckdb",
        *,
        read_only: bool = False,
        threads: int | None = None,
        memory_limit: str | None = None,
    ) -> None:
        self.db_path = Path(db_path)
        self.read_only = read_only
        self.threads = threads
        self.memory_limit = memory_limit
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._starting: Future[duckdb.DuckDBPyConnection] | None = None
        self._in_transaction = False

    def start(self) -> None:
        """Let DuckDB start in a thread of its own, beside what the caller does first; no file is touched.

        It takes 2 % of a small company's run. What goes wrong is raised where the connection is needed.
        """
        if self._connection is None and self._starting is None:
            pool = ThreadPoolExecutor(1, thread_name_prefix="starter")
            self._starting = pool.submit(self._connect)
            pool.shutdown(wait=False)

    def get_connection(self) -> "duckdb.DuckDBPyConnection":
        """Return the one connection, opened on first use; bare table names are those of the simulation's file."""
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    @contextmanager
    def transaction(self) -> "Iterator[duckdb.DuckDBPyConnection]":
        """Commit on success, roll back on any error; inside another transaction, join it."""
        connection = self.get_connection()
        if self._in_transaction:
            yield connection
            return
        self._in_transaction = True
        try:
            with self._in_words():
                connection.execute("begin transaction")
                try:
                    yield connection
                except BaseException:
                    self._roll_back(connection)
                    raise
                connection.execute("commit")
        finally:
            self._in_transaction = False

    def execute_with_retry(self, work: "str | Callable[[duckdb.DuckDBPyConnection], Any]", *, attempts: int = 3) -> Any:
        """Run SQL (returning all rows) or a function of the connection, again after a conflict or a busy file.

        Inside a transaction there is one attempt: an error has already aborted it.
        """
        import tenacity

        def once() -> Any:
            connection = self.get_connection()
            with self._in_words():
                return connection.execute(work).fetchall() if isinstance(work, str) else work(connection)

        if self._in_transaction:
            return once()
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(attempts),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
            retry=tenacity.retry_if_exception_type(DatabaseBusyError),
            reraise=True,
        )
        return retrying(once)

    def attach(self, other: Path, name: str) -> None:
        """Attach another file as `name`, for reading only. Errors: DatabaseError, DatabaseBusyError."""
        with self._in_words(other):
            self.get_connection().execute(f"attach {_path_literal(other)} as {name} (type duckdb, read_only)")

    def settle(self) -> None:
        """Move the log into the file, which then is the whole simulation.

        Errors: DatabaseError when there is no room for it; nothing is lost then, and the log stays beside the file.
        """
        with self._in_words():
            self.get_connection().execute("force checkpoint planalign")

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        unused, self._starting = self._starting, None
        if unused is not None and unused.exception() is None:
            unused.result().close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> "DatabaseConnectionManager":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _roll_back(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Roll back; after a fatal error DuckDB has closed the connection, and the file keeps its last commit."""
        import duckdb

        try:
            connection.execute("rollback")
        except duckdb.Error as error:
            _LOGGER.debug("rollback after a fatal error: %s", error)

    def _open(self) -> "duckdb.DuckDBPyConnection":
        folder = self.db_path.resolve().parent
        if self.db_path.is_dir():
            raise DatabaseError(f"{self.db_path} is a folder; choose another --database")
        if self.read_only and not self.db_path.is_file():
            raise DatabaseError(f"{self.db_path} does not exist; `planalign run` makes one")
        if not folder.is_dir():
            raise DatabaseError(f"the folder {folder} does not exist; make it or choose another --database")
        started, self._starting = self._starting, None
        connection = self._connect() if started is None else started.result()
        try:
            with self._in_words():
                if not self.db_path.exists():
                    self._create(connection)
                mode = "read_only" if self.read_only else f"row_group_size {ROW_GROUP_SIZE}"
                connection.execute(f"attach {_path_literal(self.db_path)} as planalign (type duckdb, {mode})")
                connection.execute("use planalign")
                connection.execute("set TimeZone = 'UTC'")
        except DatabaseError:
            connection.close()
            raise
        return connection

    def _connect(self) -> "duckdb.DuckDBPyConnection":
        import duckdb

        return duckdb.connect(":memory:", config=self._settings())

    def _create(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Make an empty database under another name and rename it: nobody ever finds half a header."""
        log = self.db_path.with_name(f"{self.db_path.name}.wal")
        if log.exists():
            raise DatabaseError(
                f"{log} is there without its database {self.db_path.name}; bring that back or remove it"
            )
        draft = _draft_of(self.db_path)
        try:
            connection.execute(f"attach {_path_literal(draft)} as draft (type duckdb)")
            connection.execute("detach draft")
            draft.replace(self.db_path)
        finally:
            draft.unlink(missing_ok=True)

    def _settings(self) -> dict[str, Any]:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        settings: dict[str, Any] = {
            "temp_directory": f"{self.db_path}.tmp",
            "memory_limit": self.memory_limit or f"{int(min(memory * _SHARE_OF_MEMORY, _MOST_MEMORY) / 2**20)}MiB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
            # a commit of more than this goes into the file at once; for a small company that costs more than it saves
            "wal_autocheckpoint": "4MiB",
            # putting half-full row groups together would write a year twice, and nothing is ever deleted in quantity
            "max_vacuum_tasks": 0,
            # what was just written is compressed while it is still in the processor's cache
            "write_buffer_row_group_count": 1,
        }
        return settings | ({} if self.threads is None else {"threads": self.threads})

    @contextmanager
    def _in_words(self, other: Path | None = None) -> Iterator[None]:
        """Turn DuckDB's input/output errors, with this file or another, into ones that say what to do."""
        import duckdb

        path = other or self.db_path
        try:
            yield
        except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
            raise _database_error(path, str(error)) from error
        except duckdb.OutOfMemoryException as error:
            raise DatabaseError(
                f"{path}: out of memory; raise runtime.memory_limit or use a larger machine ({error})"
            ) from error


def _database_error(path: Path, message: str) -> DatabaseError:
    text = message.splitlines()[0]
    if "Could not set lock" in message:
        return DatabaseBusyError(f"{path} is in use by another process; wait for it or use another --database ({text})")
    if "not a valid DuckDB database" in message or "Could not read enough bytes" in message:
        return DatabaseError(
            f"{path} is not a simulation database, and it was left as it is; choose another --database"
        )
    if "No space left" in message or "File too large" in message or "Could not write all bytes" in message:
        return DatabaseError(
            f"{path}: the disk is full or the file may not grow; free some space and run again with --resume ({text})"
        )
    if "Permission denied" in message or "Read-only file system" in message:
        return DatabaseError(f"{path}: this folder or file may not be written; choose another --database ({text})")
    return DatabaseError(f"{path}: {text}")


def _reason(error: OSError) -> str:
    known = {
        errno.EACCES: "the folder may not be written; choose another --database",
        errno.EROFS: "the folder is read-only; choose another --database",
        errno.ENOENT: "the folder does not exist; make it or choose another --database",
        errno.ENOSPC: "the disk is full; free some space",
        errno.EFBIG: "the disk is full or files may not grow; free some space",
    }
    return known.get(error.errno or 0, error.strerror or str(error))


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a small file under a temporary name and rename it: a reader sees what was there or what is new.

    The folder is made if missing. Errors: DatabaseError when it cannot be written.
    """
    draft = _draft_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise DatabaseError(f"cannot write {path}: {_reason(error)}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def draft_copy(source: Path, target: Path) -> Iterator[Path]:
    """Yield a copy of a file, safe on the disk under a temporary name beside `target`, for the block to rename.

    What the block has not renamed is removed. Nothing may have the source open as a database. Errors: DatabaseError
    when the copy cannot be written.
    """
    draft = _draft_of(target)
    try:
        draft.touch(mode=0o600)
        shutil.copyfile(source, draft)
        draft.chmod(source.stat().st_mode & 0o777 | 0o200)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        yield draft
    except OSError as error:
        raise DatabaseError(f"cannot write {target}: {_reason(error)}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _draft_of(path: Path) -> Path:
    """Return the name under which this process writes a file before it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}{_DRAFT}")


def _path_literal(path: Path) -> str:
    """Return SQL for a path. It is absolute, so that `:memory:` or `sqlite:x` is a file's name and nothing else."""
    return "'" + str(path.absolute()).replace("'", "''") + "'"


def remove_drafts(folder: Path) -> None:
    """Remove the drafts of `write_atomically` that a killed process left in a folder."""
    for draft in folder.glob(f".*{_DRAFT}"):
        process = draft.name.removesuffix(_DRAFT).rpartition(".")[2]
        if process.isdecimal() and not _is_alive(int(process)):
            draft.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()


@contextmanager
def one_kind_of_interrupt() -> Iterator[None]:
    """Make Ctrl-C end the block with KeyboardInterrupt: in the middle of a query DuckDB makes another error of it."""
    import duckdb

    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        if isinstance(error, duckdb.InterruptException) or str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


@contextmanager
def time_block(label: str) -> Iterator[Callable[[], float]]:
    """Log how long the block took; the yielded function returns the seconds so far."""
    started = time.perf_counter()
    yield lambda: time.perf_counter() - started
    _LOGGER.debug("%s took %.3f s", label, time.perf_counter() - started)
