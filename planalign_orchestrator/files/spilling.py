"""Rows on their way into the database: a private copy of what is read of them, in a file that leaves no trace."""

import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from planalign_orchestrator.files.atomic import is_alive
from planalign_orchestrator.system import user_id

if TYPE_CHECKING:
    import duckdb

PREFIX: Final = "planalign-census-"

# Linux opens a file that has no name any more by the number under which this process holds it.
OPEN_FILES: Final = Path("/proc/self/fd")

# Folders of earlier versions carry no process id; one was in use for seconds, or a few minutes.
_FOLDER_SECONDS: Final = 3600


@contextlib.contextmanager
def spilled(write: Callable[[IO[str]], None]) -> Iterator[Path]:
    """Yield the path of a file that `write` has filled; only this user may read it, and it is gone afterwards.

    On Linux it has no name from the start, so that even a kill leaves nothing. Elsewhere its name says which process
    made it, and `tidy` removes it once that process is gone. Errors: OSError, when the disk is full.
    """
    if OPEN_FILES.is_dir():
        with tempfile.TemporaryFile("w", encoding="utf-8", newline="", prefix=PREFIX) as nameless:
            write(nameless)
            nameless.flush()
            yield OPEN_FILES / str(nameless.fileno())
    else:
        prefix = f"{PREFIX}{os.getpid()}-"
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", prefix=prefix, suffix=".csv") as named:
            write(named)
            named.flush()
            yield Path(named.name)


@contextlib.contextmanager
def private_connection() -> Iterator["duckdb.DuckDBPyConnection"]:
    """Yield a connection to an empty database in memory; what does not fit spills into a private folder.

    DuckDB makes the folder when it is needed and removes it again; its name cannot be foreseen, and says the process.
    """
    import duckdb

    folder = Path(tempfile.gettempdir(), f"{PREFIX}{os.getpid()}-{secrets.token_hex(8)}")
    settings: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        # a statement that takes seconds would draw it on standard output, in the middle of an answer
        connection.execute("set enable_progress_bar = false")
        yield connection


def tidy() -> None:
    """Remove the copies that killed processes of this user have left, and the folders that earlier versions have."""
    with os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                # another process may be tidying too, and what cannot be removed does not stand in the way of this read
                with contextlib.suppress(OSError):
                    _remove_left_over(entry)


def _remove_left_over(entry: "os.DirEntry[str]") -> None:
    found = entry.stat(follow_symlinks=False)
    if found.st_uid != user_id():
        return
    process = re.match(rf"{PREFIX}(\d+)-", entry.name)
    if process:
        # what this process itself has there may be in use by another thread of it
        if int(process[1]) == os.getpid() or is_alive(int(process[1])):
            return
        if stat.S_ISREG(found.st_mode):
            Path(entry.path).unlink()
        elif stat.S_ISDIR(found.st_mode):
            shutil.rmtree(entry.path)
    elif stat.S_ISDIR(found.st_mode) and time.time() - found.st_mtime > _FOLDER_SECONDS:
        with contextlib.suppress(FileNotFoundError):
            Path(entry.path, "rows.csv").unlink()
        Path(entry.path).rmdir()
