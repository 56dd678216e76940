"""What a rule is and what it says of a year."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from planalign_orchestrator.errors import PipelineStageError
from planalign_orchestrator.problems import verdict_word

if TYPE_CHECKING:
    import duckdb


class ValidationSeverity(StrEnum):
    """How much a failed rule weighs; ERROR stops a run with `--fail-on-validation-error`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class ValidationResult:
    """The verdict of one rule on one year; `failures` counts offending rows, `examples` shows some of them as text.

    A year that breaks an invariant is never kept. A rule of severity INFO that does not pass is a note, no failure.
    """

    rule: str
    severity: ValidationSeverity
    passed: bool
    failures: int
    examples: tuple[str, ...]
    is_invariant: bool
    description: str

    @property
    def has_failed(self) -> bool:
        """Whether something is wrong or odd, and not only to be known."""
        return not self.passed and self.severity is not ValidationSeverity.INFO

    @property
    def word(self) -> str:
        """What the verdict is called: passed, failed (of severity error), warning or noted."""
        return verdict_word(self.severity, self.passed)


class RuleError(PipelineStageError):
    """A rule of a user that raised or that did anything but read; `reason` says what, without rule and year."""

    def __init__(self, message: str, *, rule: str, reason: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.reason = reason


def name_people(verdicts: Iterable["ValidationResult"]) -> bool:
    """Return whether verdicts show rows that broke a rule, and so perhaps people with their pay.

    What is only to be known, such as a projected limit, is about nobody, unless it has the id of somebody.
    """
    return any(
        (verdict.has_failed and verdict.examples) or any("employee_id" in example for example in verdict.examples)
        for verdict in verdicts
    )


class ValidationRule(Protocol):
    """What a rule is: a name and a check of one year on an open connection, within the year's transaction.

    Tables are `planalign.main.<mart>`, `planalign.inputs.census` and `planalign.parameters.<table>`. A check only reads
    and copes with a year that has no rows: it is tried once before the first year.
    """

    @property
    def name(self) -> str:
        """Return what reports and `validation.rules` call the rule."""

    def check(self, connection: "duckdb.DuckDBPyConnection", year: int) -> ValidationResult:
        """Return the verdict on the year."""
