"""How a simulation's file is opened: one connection, its settings, its transactions, and errors in words."""

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.files.atomic import draft_of

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
        draft = draft_of(self.db_path)
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


def _path_literal(path: Path) -> str:
    """Return SQL for a path. It is absolute, so that `:memory:` or `sqlite:x` is a file's name and nothing else."""
    return "'" + str(path.absolute()).replace("'", "''") + "'"


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
