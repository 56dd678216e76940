"""What a dbt command did, and what kind of failure it was: read from what dbt said."""

import re
from dataclasses import dataclass

from planalign_orchestrator.errors import PlanAlignError

# What dbt writes over a failure, such as `Compilation Error in model int_exits (models/...)`, and the lines under it.
_HEADING = re.compile(
    r"(?P<kind>Compilation|Parsing|Dependency|Database|Runtime|Env var required|Env_var|Usage|Invalid \w+) ?[Ee]rror"
    r"(?: in (?P<what>model|test|macro|source|seed|operation) (?P<name>[\w.]+))?.*\n?(?P<text>(?:[ \t]+.*\n?)*)"
)
_FAILURE = re.compile(r"Failure in (?P<what>\w+) (?P<name>[\w.]+)")
_GOT_RESULTS = re.compile(r"Got (?P<rows>[\d,]+) results?, configured to fail")
_TIMESTAMP = re.compile(r"^\d\d:\d\d:\d\d(?:\.\d+)?\s+", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LOCKED = ("Could not set lock on file", "Conflicting lock is held", "database is locked")
_BEFORE_SQL = ("Compilation", "Parsing", "Dependency", "Env", "Usage", "Invalid")
# The line by which dbt says where the SQL is that it sent; it is no part of the message.
_WHERE = "compiled code at "
_LONGEST_MESSAGE = 1500


class DbtError(PlanAlignError):
    """A dbt command failed. `model` is the model or test that did, None where dbt names none."""

    def __init__(self, message: str, *, model: str | None = None) -> None:
        self.model = model
        super().__init__(message)


class DbtCompilationError(DbtError):
    """The project, its Jinja or its variables cannot be made into SQL; the database was not touched."""


class DbtExecutionError(DbtError):
    """The database refused the SQL of a model, or dbt itself came to a sudden end."""


class DbtDataQualityError(DbtError):
    """A data test found rows that break its rule."""


class DbtLockError(DbtExecutionError):
    """Another process holds the database; it may work a moment later."""


class DbtTimeoutError(DbtExecutionError):
    """A dbt command took longer than allowed and was stopped."""


class DbtExecutableError(DbtError):
    """There is no dbt to call."""


@dataclass(frozen=True)
class DbtResult:
    """What a dbt command did. `execution_time` is in seconds and includes earlier attempts."""

    success: bool
    stdout: str
    stderr: str
    execution_time: float
    return_code: int
    command: tuple[str, ...]

    @property
    def error(self) -> DbtError | None:
        """The classified failure; None when the command succeeded."""
        return None if self.success else classify_dbt_error(self.stdout, self.stderr, self.return_code)


def classify_dbt_error(stdout: str, stderr: str = "", return_code: int = 1) -> DbtError:
    """Return the error that dbt's words describe, with the failing model and the database's own message.

    Kinds: DbtLockError, DbtCompilationError, DbtDataQualityError, DbtExecutionError; a command that was killed or said
    nothing that is known is a DbtExecutionError with the end of what it said.
    """
    text = _TIMESTAMP.sub("", _COLOUR.sub("", f"{stdout}\n{stderr}"))
    if return_code < 0:
        return DbtExecutionError(f"the dbt process was killed by signal {-return_code}")
    if any(words in text for words in _LOCKED):
        line = next(line for line in text.splitlines() if any(words in line for words in _LOCKED))
        return DbtLockError(f"another process holds the database: {line.strip()}")
    found = _HEADING.search(text)
    failure = _FAILURE.search(text)
    if found is not None:
        name = found["name"] or (failure["name"] if failure is not None else None)
        lines = [line.strip() for line in found["text"].splitlines()]
        message = " ".join(line for line in lines if line and not line.startswith(_WHERE)) or found[0].strip()
        where = f"model {name}: " if name else ""
        kind = DbtCompilationError if found["kind"].startswith(_BEFORE_SQL) else DbtExecutionError
        return kind(f"{where}{message[:_LONGEST_MESSAGE]}", model=name)
    if failure is not None:
        rows = _GOT_RESULTS.search(text)
        count = f"{rows['rows']} rows break it" if rows is not None else "it failed"
        return DbtDataQualityError(f"data test {failure['name']}: {count}", model=failure["name"])
    last = "\n".join(line for line in text.strip().splitlines()[-8:]) or "it said nothing"
    return DbtExecutionError(f"dbt ended with code {return_code}: {last[-_LONGEST_MESSAGE:]}")
