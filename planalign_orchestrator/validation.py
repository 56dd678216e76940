"""Judges a simulated year before it is committed: the model's own data tests, and rules that users add.

A test that is tagged `plausibility` says that a result is odd; every other test states an invariant, and a year that
breaks one is never kept.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from planalign_orchestrator.plan_compiler import DataTest
from planalign_orchestrator.utils import DatabaseConnectionManager

if TYPE_CHECKING:
    import duckdb

PLAUSIBILITY = "plausibility"
FINAL_YEAR = "final_year"


class ValidationSeverity(StrEnum):
    """How much a failed rule weighs; ERROR stops a run with `--fail-on-validation-error`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class ValidationResult:
    """The verdict of one rule on one year; `failures` counts offending rows, `examples` shows some of them as text."""

    rule: str
    severity: ValidationSeverity
    passed: bool
    failures: int
    examples: tuple[str, ...]
    is_invariant: bool
    description: str


class ValidationRule(Protocol):
    """What a rule is: a name and a check of one year on an open connection."""

    name: str

    def check(self, connection: "duckdb.DuckDBPyConnection", year: int) -> ValidationResult:
        """Return the verdict on the year."""


class DataValidator:
    """Runs the data tests of the plan and the registered rules on a year."""

    def __init__(self, db: DatabaseConnectionManager, tests: Sequence[DataTest] = (), *, examples: int = 3) -> None:
        self._db = db
        self._tests = tuple(tests)
        self._counts: dict[bool, duckdb.Statement] = {}
        self._rules: list[ValidationRule] = []
        self._examples = examples

    def register_rule(self, rule: ValidationRule) -> None:
        """Add a rule; it runs after the built-in ones."""
        self._rules.append(rule)

    def validate_year_results(self, year: int, *, is_final_year: bool = True) -> list[ValidationResult]:
        """Return every rule's verdict on a year, in the year's transaction if there is one.

        Tests tagged `final_year` look at the whole ledger, so they run on the last year of a run only.
        """
        connection = self._db.get_connection()
        tests = [test for test in self._tests if is_final_year or FINAL_YEAR not in test.tags]
        failures: dict[str, int] = {}
        if tests:
            if is_final_year not in self._counts:
                self._counts[is_final_year] = connection.extract_statements(_counts(tests))[0]
            failures = dict(connection.execute(self._counts[is_final_year]).fetchall())
        results = [self._result(connection, test, failures[test.name]) for test in tests]
        return results + [rule.check(connection, year) for rule in self._rules]

    @staticmethod
    def to_report_dict(results: Sequence[ValidationResult]) -> dict[str, Any]:
        """Return the verdicts as JSON-able values with a count of each kind."""
        failed = [result for result in results if not result.passed]
        return {
            "rules": len(results),
            "passed": len(results) - len(failed),
            "failed": len(failed),
            "results": [asdict(result) for result in results],
        }

    def _result(self, connection: "duckdb.DuckDBPyConnection", test: DataTest, failures: int) -> ValidationResult:
        examples: tuple[str, ...] = ()
        if failures:
            # `order by all` makes the examples the same every time, and without it such a query could hang
            cursor = connection.execute(f"select * from (\n{test.sql}\n) order by all limit {self._examples}")
            names = [column[0] for column in cursor.description]
            examples = tuple(
                ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True))
                for row in cursor.fetchall()
            )
        return ValidationResult(
            rule=test.name,
            severity=ValidationSeverity.ERROR,
            passed=failures == 0,
            failures=failures,
            examples=examples,
            is_invariant=PLAUSIBILITY not in test.tags,
            description=test.description,
        )


def _counts(tests: Sequence[DataTest]) -> str:
    """One statement that counts the offending rows of every test."""
    return "\nunion all\n".join(f"select '{test.name}', count(*) from (\n{test.sql}\n)" for test in tests)
