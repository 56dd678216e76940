"""Every error this package raises on purpose: one base, a few kinds, each with the exit code of the command line."""

from collections.abc import Sequence


class PlanAlignError(Exception):
    """Something the user can understand and act on: what, where, which value, and the fix."""

    exit_code = 1


class ConfigurationError(PlanAlignError):
    """The configuration cannot be used. `problems` holds every finding; the message lists them all."""

    exit_code = 2

    def __init__(self, problems: Sequence[str] | str, *, source: str | None = None) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        where = f" in {source}" if source else ""
        if len(self.problems) == 1:
            message = f"configuration problem{where}: {self.problems[0]}"
        else:
            lines = "\n".join(f"  - {problem}" for problem in self.problems)
            message = f"{len(self.problems)} configuration problems{where}:\n{lines}"
        super().__init__(message)


class CensusError(PlanAlignError):
    """The census cannot be used. `problems` are all findings with row numbers and counts, `source` is the file."""

    exit_code = 2

    def __init__(self, problems: Sequence[str] | str, *, source: str | None = None) -> None:
        self.source = source
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        where = f" {source}" if source else ""
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"census{where} cannot be used:\n{lines}")


class DatabaseError(PlanAlignError):
    """The database file cannot be used: not ours, damaged, unwritable, or its disk is full."""


class DatabaseBusyError(DatabaseError):
    """Another process holds the database; the message says which."""


class DamagedDatabaseError(DatabaseError):
    """A database does not hold what its checkpoints recorded; the message names table and year."""


class OutputError(PlanAlignError):
    """A file may not be written where the user wants it: something else would be lost."""

    exit_code = 2


class ComparisonError(PlanAlignError):
    """Two databases cannot be compared. Not 1, which says that they were compared and differ."""

    exit_code = 2


class ResumeError(PlanAlignError):
    """`--resume` was refused: what the database was made from differs from what was asked for."""

    exit_code = 2


class ModelCompilationError(PlanAlignError):
    """The dbt project cannot be compiled into a plan, or breaks a rule that keeps both engines equal."""


class PipelineStageError(PlanAlignError):
    """A stage of a simulated year failed; the year was rolled back."""


class ValidationFailedError(PlanAlignError):
    """A validation rule stopped the run; the year was rolled back."""

    exit_code = 3
