"""What an error means to the user: what happened, what to do about it, and the exit code.

Errors of the package are in words already. The others come from DuckDB, the operating system and Typer; only what is
none of these is a mistake in the program, and called unexpected.
"""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol, runtime_checkable

import typer
from typer.exceptions import TyperException

from planalign_orchestrator.errors import PlanAlignError
from planalign_orchestrator.signals import INTERRUPTED

_RESTORE = "`planalign restore` puts the backup back, `planalign run` makes a new one"
_CORRUPT = f"the database file is damaged; {_RESTORE}"
_OTHER_MAKER = f"the database was changed by hand or made by another version; {_RESTORE}"
_DISK_FULL = "the disk is full; free some space, and go on with --resume"
# class of DuckDB -> what is wrong and what to do; the first that fits, subclasses before their bases
_DATABASE = {
    "OutOfMemoryException": "out of memory; raise runtime.memory_limit, lower runtime.threads or use a larger machine",
    "SerializationException": _CORRUPT,
    "InternalException": _CORRUPT,
    "FatalException": _CORRUPT,
    "IOException": f"the database file cannot be read or written; see that it is whole and readable: {_RESTORE}",
    "CatalogException": _OTHER_MAKER,
    "BinderException": _OTHER_MAKER,
    "ConstraintException": _OTHER_MAKER,
    "TransactionException": "another program changed the database at the same time; run the command again",
    "ConnectionException": _CORRUPT,
    "PermissionException": "the database may not be used in this way; see the permissions of file and folder",
}
# words of DuckDB's messages that say more than their class
_TELLING = {
    "Could not set lock": "the database is in use by another process; wait for it or use another --database",
    "No space left": _DISK_FULL,
    "File too large": _DISK_FULL,
    "Corrupt": _CORRUPT,
    "corrupt": _CORRUPT,
    "checksum": _CORRUPT,
    "decompress": _CORRUPT,
}


@dataclass(frozen=True)
class Failure:
    """Why a command ends: the message, what kind of error it was, the exit code and, where there are any, findings."""

    message: str
    kind: str
    exit_code: int
    problems: Sequence[str] = ()
    shown: str = ""

    @property
    def text(self) -> str:
        """The failure as it is told on a terminal."""
        return self.shown or f"Error: {self.message}"

    @property
    def document(self) -> dict[str, Any]:
        """The failure as JSON values."""
        found = {"problems": list(self.problems)} if self.problems else {}
        return {"error": self.message, "type": self.kind, "exit_code": self.exit_code, **found}


@runtime_checkable
class _SaysItself(Protocol):
    """A usage error of Typer, which shows the command's usage and its own message."""

    def show(self, file: IO[Any] | None = None) -> None: ...


class CommandInterruptedError(PlanAlignError):
    """The user ended the command; the message says what is kept of its work."""

    exit_code = INTERRUPTED


def failure_of(error: Exception) -> Failure:
    """What the error means."""
    kind = type(error).__name__
    if isinstance(error, PlanAlignError):
        shown = str(error) if isinstance(error, CommandInterruptedError) else ""
        return Failure(str(error), kind, error.exit_code, getattr(error, "problems", ()), shown)
    if _is_interrupt(error):
        return interruption()
    if isinstance(error, TyperException):
        return Failure(error.format_message(), kind, error.exit_code, shown=_usage(error))
    if isinstance(error, typer.Abort):
        return Failure("nothing was done, because the question was not answered", kind, 1)
    said = _in_words(error)
    if said is None:
        said = f"unexpected {kind}: {_first_line(error)}; run the same command with -v to see where"
    return Failure(said, kind, 1)


def interruption() -> Failure:
    """The failure of a command that was interrupted and has nothing to say about it."""
    return Failure("Interrupted.", "CommandInterruptedError", INTERRUPTED, shown="Interrupted.")


def _in_words(error: Exception) -> str | None:
    """What happened and what to do; None for what can only be a mistake in the program."""
    if isinstance(error, MemoryError):
        return "out of memory; close other programs or use a larger machine"
    if isinstance(error, OSError):
        return _file_problem(error)
    if isinstance(error, UnicodeError):
        return f"a text or the name of a file cannot be expressed in {_encoding(error)}; rename it ({error})"
    if isinstance(error, ValueError) and "has an empty name" in str(error):
        return "a path is empty or names a folder where a file belongs; name a file"
    if isinstance(error, ValueError) and "null byte" in str(error):
        return "a path contains a null byte, which no name of a file can; correct it"
    return _database_problem(error)


def _encoding(error: UnicodeError) -> str:
    """The encoding that failed, as far as the error tells."""
    return error.encoding if isinstance(error, (UnicodeEncodeError, UnicodeDecodeError)) else "the system's encoding"


def _file_problem(error: OSError) -> str:
    reason = error.strerror or _first_line(error)
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    if not names:
        return f"a file or stream cannot be read or written: {reason}"
    return f"{' and '.join(_shortened(name) for name in names)}: {reason}; name another file, or see its permissions"


def _database_problem(error: Exception) -> str | None:
    duckdb = sys.modules.get("duckdb")
    if duckdb is None or not isinstance(error, duckdb.Error):
        return None
    text = _first_line(error)
    for words, said in _TELLING.items():
        if words in str(error):
            return f"{said} ({text})"
    for name, said in _DATABASE.items():
        if isinstance(error, getattr(duckdb, name)):
            return f"{said} ({text})"
    return None


def _is_interrupt(error: BaseException) -> bool:
    """Whether an interrupt is behind the error, of which DuckDB and Pydantic may have made another one."""
    duckdb = sys.modules.get("duckdb")
    return any(
        isinstance(cause, KeyboardInterrupt)
        or str(cause) == "Query interrupted"
        # so ends the message of Pydantic's SchemaError, which has no cause
        or str(cause).endswith("KeyboardInterrupt: ")
        or (duckdb is not None and isinstance(cause, duckdb.InterruptException))
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _usage(error: TyperException) -> str:
    """What Typer says about a wrong use of a command."""
    if not isinstance(error, _SaysItself):
        return ""
    text = io.StringIO()
    error.show(file=text)
    return text.getvalue().rstrip("\n")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or "no further description"


def _shortened(name: str) -> str:
    return name if len(name) <= 300 else f"{name[:120]}...{name[-120:]} ({len(name)} characters)"
