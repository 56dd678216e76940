"""Runs the rules on a year: those of the program in one statement, those of users one by one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import ConfigurationError, PipelineStageError
from planalign_orchestrator.plan_compiler import DataTest
from planalign_orchestrator.validation.results import ValidationResult, ValidationRule, ValidationSeverity
from planalign_orchestrator.validation.rules import EXAMPLES, QueryRule, SqlRule

if TYPE_CHECKING:
    import duckdb


class DataValidator:
    """Judges years by rules. `DataValidator(db)` knows none yet and works on any finished database.

    `tests` are rules of the program, which are run together. `severities` replaces those of registered rules by name.
    """

    def __init__(
        self,
        db: DatabaseConnectionManager,
        tests: Sequence[DataTest | QueryRule] = (),
        *,
        severities: dict[str, ValidationSeverity] | None = None,
        examples: int = EXAMPLES,
    ) -> None:
        self._db = db
        self._queries = [SqlRule.of(test) if isinstance(test, DataTest) else test for test in tests]
        self._counts: dict[bool, duckdb.Statement | None] = {}
        self._rules: list[ValidationRule] = []
        self._severities = severities or {}
        self._examples = examples

    @property
    def registered(self) -> tuple[ValidationRule, ...]:
        """The rules that were added by `register_rule`."""
        return tuple(self._rules)

    def register_rule(self, rule: ValidationRule) -> None:
        """Add a rule; it runs after those of the program, in the order of registration."""
        self._rules.append(rule)

    def try_rules(self, year: int) -> None:
        """Run every registered rule on a year without rows: a broken one is refused before anything is simulated.

        Errors: ConfigurationError naming the rule; the transaction is then to be rolled back.
        """
        connection = self._db.get_connection()
        for rule in self._rules:
            try:
                self._judged(rule, connection, year)
            except PipelineStageError as error:
                raise ConfigurationError(
                    f"validation rule {rule.name} cannot be used: {error.__cause__ or error}"
                ) from error

    def validate_year_results(self, year: int, *, is_final_year: bool = True) -> list[ValidationResult]:
        """Return every rule's verdict on a year, in the year's transaction if there is one.

        Some rules look at the whole ledger and judge the last year of a run only. Errors: PipelineStageError naming a
        registered rule that raises.
        """
        connection = self._db.get_connection()
        connection.execute(f"set variable simulation_year = {int(year)}")
        results = []
        for final_year_only in (False, True) if is_final_year else (False,):
            failures = self._failures(connection, final_year_only)
            results += [
                rule.verdict(connection, failures[rule.name], self._examples)
                for rule in self._queries
                if rule.final_year_only == final_year_only
            ]
        return results + [self._judged(rule, connection, year) for rule in self._rules]

    @staticmethod
    def to_report_dict(results: Sequence[ValidationResult]) -> dict[str, Any]:
        """Return the verdicts as JSON-able values with a count of each kind; a note (severity info) is no failure."""
        failed = [result for result in results if result.has_failed]
        noted = [result for result in results if not result.passed and not result.has_failed]
        return {
            "rules": len(results),
            "passed": len(results) - len(failed) - len(noted),
            "failed": len(failed),
            "notes": len(noted),
            "results": [asdict(result) for result in results],
        }

    def _failures(self, connection: "duckdb.DuckDBPyConnection", final_year_only: bool) -> dict[str, int]:
        """Count the offending rows of every rule of one kind in one statement."""
        if not self._counts:
            # parsed once a run, both in its first year: while the last one is judged, everything waits for it
            self._counts = {kind: self._count(connection, kind) for kind in (False, True)}
        statement = self._counts[final_year_only]
        return {} if statement is None else dict(connection.execute(statement).fetchall())

    def _count(self, connection: "duckdb.DuckDBPyConnection", final_year_only: bool) -> "duckdb.Statement | None":
        counts = [
            f"select '{rule.name}', count(*) from (\n{rule.query()}\n)"
            for rule in self._queries
            if rule.final_year_only == final_year_only
        ]
        return connection.extract_statements("\nunion all\n".join(counts))[0] if counts else None

    def _judged(self, rule: ValidationRule, connection: "duckdb.DuckDBPyConnection", year: int) -> ValidationResult:
        with _naming(rule, year):
            result = rule.check(connection, year)
            if not isinstance(result, ValidationResult):
                raise TypeError(f"its check returned {type(result).__name__}, not a ValidationResult")
        return replace(result, rule=rule.name, severity=self._severities.get(rule.name, result.severity))


@contextmanager
def _naming(rule: ValidationRule, year: int) -> Iterator[None]:
    """Give whatever a registered rule raises the name of the rule; an interrupt or a full disk is not its doing."""
    import duckdb

    try:
        yield
    except (duckdb.InterruptException, duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException):
        raise
    except Exception as error:
        # a rule is foreign code: it may raise anything, and whoever wrote it has to be told which one did
        if str(error) == "Query interrupted":
            raise
        raise PipelineStageError(
            f"year {year}, validation rule {rule.name}: {type(error).__name__}: {error}; the year was rolled back"
        ) from error
