"""How a simulation's file is opened: one connection, its settings, its transactions, and errors in words."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.database.identifiers import quoted_text
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.files.atomic import copy_access, draft_of, is_alive, publish_new, real_path
from planalign_orchestrator.files.replacing import is_duckdb_file
from planalign_orchestrator.system import memory_bytes

if TYPE_CHECKING:
    import duckdb

# rows that are kept, compressed and worked on together; from a few times as many on, several cores share a table
ROW_GROUP_SIZE = 16384
_LOGGER = logging.getLogger(__name__)
_SHARE_OF_MEMORY = 0.7
# more only keeps the file in memory: a million people take as long with 6 GiB as with 16
_MOST_MEMORY = 6 * 2**30
# a reader is done with a small company in this time, and a writer between two statements of dbt
_PATIENCE_SECONDS = 1.0
# a spill file of DuckDB names its process
_SPILL = re.compile(r"duckdb_temp_([0-9]+)_")
# a stranger's macro may be called `sum`: then functions are looked up in the system before the file
_SYSTEM_FIRST = "set search_path = 'system.main,planalign.main'"
_CORRUPT = "Corrupt database file"


class DatabaseConnectionManager:
    """One connection to a simulation's file, attached as `planalign` to an in-memory DuckDB.

    `threads` None means all cores, `memory_limit` None 70 % of the machine's memory, at most 6 GiB. Within a
    transaction everybody shares the connection; nothing else writes to the file. A reader may name `others`, further
    files by the name they are attached as. What it reads may be a stranger's, so it can reach no other file and change
    no setting. Errors: DatabaseError and DatabaseBusyError, in words, also for what goes wrong in a `with` block.
    """

    def __init__(
        self,
        db_path: str | Path = "simulation.duckdb",
        *,
        read_only: bool = False,
        threads: int | None = None,
        memory_limit: str | None = None,
        others: Mapping[str, Path] | None = None,
    ) -> None:
        self.db_path = Path(db_path)
        self.read_only = read_only
        self.threads = threads
        self.memory_limit = memory_limit
        self.replaces: Path | None = None
        """The file whose mode and group a new file takes over."""
        self._others = {} if others is None else dict(others)
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

    def remove_spills(self) -> None:
        """Remove what dead processes left in the spill folder: rows of people. Names that DuckDB does not give stay."""
        folder = self._spill_folder
        if folder.is_symlink() or not folder.is_dir():
            return
        for path in folder.iterdir():
            found = _SPILL.match(path.name)
            if found and path.is_file() and not is_alive(int(found[1])):
                path.unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()

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
        if error is not None and (explained := self._explained(error)) is not None:
            raise explained from error

    def _roll_back(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Roll back; after a fatal error DuckDB has closed the connection, and the file keeps its last commit."""
        import duckdb

        try:
            connection.execute("rollback")
        except duckdb.Error as error:
            _LOGGER.debug("rollback after a fatal error: %s", error)

    def _open(self) -> "duckdb.DuckDBPyConnection":
        """Return a connection with the file attached; a file that is in use is tried again for a second."""
        self._check_path()
        try:
            return self._open_once()
        except DatabaseBusyError:
            import tenacity
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_delay(_PATIENCE_SECONDS),
            wait=tenacity.wait_random(0.02, 0.08),
            retry=tenacity.retry_if_exception_type(DatabaseBusyError),
            reraise=True,
        )
        return retrying(self._open_once)

    def _open_once(self) -> "duckdb.DuckDBPyConnection":
        started, self._starting = self._starting, None
        connection = self._connect() if started is None else started.result()
        try:
            with self._in_words():
                if self.read_only:
                    self._attach_for_reading(connection)
                else:
                    self._attach_for_writing(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_path(self) -> None:
        """Refuse what no database can be opened at. Errors: DatabaseError."""
        for path in (self.db_path, *self._others.values()):
            self._check_one(path)
        if not self._real_path.parent.is_dir():
            raise DatabaseError(
                f"the folder {self._real_path.parent} does not exist; make it or choose another --database"
            )
        log = self._real_path.with_name(f"{self._real_path.name}.wal")
        for beside in (self._spill_folder, log):
            if beside.is_symlink():
                raise DatabaseError(f"{beside} is a link, so nothing is written there; remove it")

    def _check_one(self, path: Path) -> None:
        try:
            is_folder, is_file, exists = path.is_dir(), path.is_file(), path.exists()
        except (OSError, ValueError) as error:
            raise DatabaseError(f"{path} cannot be the name of a database ({error}); choose another") from error
        if is_folder:
            raise DatabaseError(f"{path} is a folder; choose another --database")
        if exists and not is_file:
            raise DatabaseError(f"{path} is no file; choose another --database")
        if self.read_only and not exists:
            raise DatabaseError(f"{path} does not exist; `planalign run` makes one")

    @property
    def _real_path(self) -> Path:
        """The file itself: what lies beside a database lies beside it and not beside a link to it."""
        return real_path(self.db_path)

    @property
    def _spill_folder(self) -> Path:
        return self._real_path.with_name(f"{self._real_path.name}.tmp")

    def _attach_for_reading(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Attach every file for reading, then close the door: what they hold may have been written by a stranger.

        Threads, memory and the spill folder are settings of the start. After this, no statement reaches another file.
        """
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {_path_literal(self._real_path)} as planalign (type duckdb, read_only)")
        for name, path in self._others.items():
            with self._in_words(path):
                connection.execute(f"attach {_path_literal(real_path(path))} as {name} (type duckdb, read_only)")
        has_macros = any(_macros(connection, name) for name in ("planalign", *self._others))
        connection.execute(_SYSTEM_FIRST if has_macros else "use planalign")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")

    def _attach_for_writing(self, connection: "duckdb.DuckDBPyConnection") -> None:
        is_new = not self._real_path.exists()
        if is_new:
            self._create(connection)
        connection.execute(
            f"attach {_path_literal(self._real_path)} as planalign (type duckdb, row_group_size {ROW_GROUP_SIZE})"
        )
        if not is_new:
            self._check_macros(connection)
        connection.execute("use planalign")
        connection.execute("set TimeZone = 'UTC'")

    def _connect(self) -> "duckdb.DuckDBPyConnection":
        import duckdb

        connection = duckdb.connect(":memory:", config=self._settings())
        # a statement that takes seconds would draw it on standard output, in the middle of a report
        connection.execute("set enable_progress_bar = false")
        return connection

    def _check_macros(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Refuse to write a file with macros: one may be called `sum`, and would be taken for the function."""
        if found := _macros(connection, "planalign"):
            names = ", ".join(map(repr, found[:3]))
            raise DatabaseError(
                f"{self.db_path} holds macros ({names}), which could take the place of functions of the same name; "
                "drop them, or move the file away"
            )

    def _create(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Make an empty database under another name and rename it: nobody ever finds half a header."""
        real = self._real_path
        log = real.with_name(f"{real.name}.wal")
        if log.exists():
            raise DatabaseError(f"{log} is there without its database {real.name}; bring that back or remove it")
        draft = draft_of(real)
        try:
            connection.execute(f"attach {_path_literal(draft)} as draft (type duckdb)")
            connection.execute("detach draft")
            if self.replaces is not None:
                copy_access(self.replaces, draft)
            publish_new(draft, real)
        finally:
            draft.unlink(missing_ok=True)

    def _settings(self) -> dict[str, Any]:
        usual = int(min(memory_bytes() * _SHARE_OF_MEMORY, _MOST_MEMORY) / 2**20)
        settings: dict[str, Any] = {
            "temp_directory": str(self._spill_folder),
            "memory_limit": self.memory_limit or f"{usual}MiB",
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
        """Turn DuckDB's errors about this file or another into ones that say what to do."""
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            if (explained := self._explained(error, other)) is not None:
                raise explained from error
            raise

    def _explained(self, error: BaseException, other: Path | None = None) -> DatabaseError | None:
        """Return the error in words; None for one that is not about the file, such as a wrong statement of a run."""
        import duckdb

        path = other or self.db_path
        if not isinstance(error, duckdb.Error) or isinstance(error, duckdb.InterruptException):
            return None
        about_files = (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException)
        if isinstance(error, duckdb.OutOfMemoryException):
            return DatabaseError(
                f"{path}: out of memory; raise runtime.memory_limit or use a larger machine ({_first_line(error)})"
            )
        if isinstance(error, about_files) or _says_damaged(error):
            return _about_file(path, error)
        if self.read_only:
            # the statements of a reader are ours and fixed: what they cannot read is not what a run leaves
            return DatabaseError(
                f"{path} is not what a run leaves ({_first_line(error)}): another version wrote it, or something else "
                "changed it; `planalign backup --list` names its backups"
            )
        return None


def _macros(connection: "duckdb.DuckDBPyConnection", catalog: str) -> list[str]:
    """Return the names of an attached file's macros; asked before names are looked up in it, as this name could be."""
    rows = connection.execute(
        "select distinct function_name from duckdb_functions() where database_name = $catalog order by all",
        {"catalog": catalog},
    ).fetchall()
    return [name for (name,) in rows]


def _says_damaged(error: BaseException) -> bool:
    import duckdb

    return isinstance(error, (duckdb.SerializationException, duckdb.InternalException)) or _CORRUPT in str(error)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def _about_file(path: Path, error: BaseException) -> DatabaseError:
    text, message = _first_line(error), str(error)
    if "Could not set lock" in message:
        return DatabaseBusyError(f"{path} is in use by another process; wait for it or use another --database ({text})")
    if "No space left" in message or "File too large" in message or "Could not write all bytes" in message:
        return DatabaseError(
            f"{path}: the disk is full or the file may not grow; free some space and run again with --resume ({text})"
        )
    if "Permission denied" in message or "Read-only file system" in message:
        return DatabaseError(f"{path}: this folder or file may not be written; choose another --database ({text})")
    unreadable = "not a valid DuckDB database" in message or "Could not read enough bytes" in message
    if unreadable and not is_duckdb_file(path):
        return DatabaseError(
            f"{path} is not a simulation database, and it was left as it is; choose another --database"
        )
    if unreadable or _says_damaged(error):
        return DatabaseError(
            f"{path} is damaged ({text}); move it away, then `planalign restore` puts the backup in its place"
        )
    return DatabaseError(f"{path}: {text}")


def _path_literal(path: Path) -> str:
    """Return SQL for a path. It is absolute, so that `:memory:` or `sqlite:x` is a file's name and nothing else."""
    return quoted_text(str(path.absolute()))


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
