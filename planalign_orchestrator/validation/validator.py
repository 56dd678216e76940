"""Runs the rules on a year: those of the program in one statement, those of users one by one."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import ConfigurationError, PipelineStageError
from planalign_orchestrator.model import DataTest
from planalign_orchestrator.model.overflow import explained
from planalign_orchestrator.validation.guard import State, check_unchanged, state_of
from planalign_orchestrator.validation.results import RuleError, ValidationResult, ValidationRule, ValidationSeverity
from planalign_orchestrator.validation.rules import EXAMPLES, QueryRule, SqlRule
from planalign_orchestrator.validation.statements import single_select

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
        """Add a rule; it runs after those of the program, in the order of registration.

        Errors: ConfigurationError for a query that is not exactly one SELECT.
        """
        self._rules.append(_checked_query(rule) if _is_query(rule) else rule)

    def try_rules(self, year: int) -> None:
        """Run every registered rule on a year without rows: a broken one is refused before anything is simulated.

        Errors: ConfigurationError naming the rule; the transaction is then to be rolled back.
        """
        try:
            self._judge_registered(year)
        except RuleError as error:
            raise ConfigurationError(f"validation rule {error.rule} cannot be used: {error.reason}") from error

    def validate_year_results(self, year: int, *, is_final_year: bool = True) -> list[ValidationResult]:
        """Return every rule's verdict on a year, in the year's transaction if there is one.

        Some rules look at the whole ledger and judge the last year of a run only. Errors: RuleError naming a
        registered rule that raises or does anything but read.
        """
        with _explaining(year):
            results = self._judge_by_program(year, (False, True) if is_final_year else (False,))
        return results + self._judge_registered(year)

    @staticmethod
    def to_report_dict(results: Sequence[ValidationResult]) -> dict[str, Any]:
        """Return the verdicts as JSON-able values with a count of each kind; warnings and notes are no failures."""
        words = [result.word for result in results]
        return {
            "rules": len(results),
            "passed": words.count("passed"),
            "failed": words.count("failed"),
            "warnings": words.count("warning"),
            "notes": words.count("noted"),
            "results": [asdict(result) for result in results],
        }

    def _judge_by_program(self, year: int, kinds: Sequence[bool]) -> list[ValidationResult]:
        """Run the rules of the program that are of these kinds, by whether they judge the final year only."""
        connection = self._db.get_connection()
        connection.execute(f"set variable simulation_year = {int(year)}")
        results = []
        for final_year_only in kinds:
            failures = self._failures(connection, final_year_only)
            results += [
                rule.verdict(connection, failures[rule.name], self._examples)
                for rule in self._queries
                if rule.final_year_only == final_year_only
            ]
        return results

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

    def _judge_registered(self, year: int) -> list[ValidationResult]:
        """Run the rules of users one by one. A query cannot but read; of code it is proven each time."""
        results: list[ValidationResult] = []
        if not self._rules:
            return results
        before = None
        with self._db.transaction() as connection:
            for rule in self._rules:
                # a rule before may have set another
                connection.execute(f"set variable simulation_year = {int(year)}")
                if not _is_query(rule):
                    before = before or state_of(self._db)
                results.append(self._judged(rule, connection, year))
                if before is not None and not _is_query(rule):
                    check_unchanged(rule.name, year, before, self._state_after(rule, year))
        return results

    def _judged(self, rule: ValidationRule, connection: "duckdb.DuckDBPyConnection", year: int) -> ValidationResult:
        with _naming(rule, year):
            result = rule.check(connection, year)
            if not isinstance(result, ValidationResult):
                raise TypeError(f"its check returned {type(result).__name__}, not a ValidationResult")
            # it goes into the checkpoint as JSON
            json.dumps(asdict(result))
        return replace(result, rule=rule.name, severity=self._severities.get(rule.name, result.severity))

    def _state_after(self, rule: ValidationRule, year: int) -> State:
        import duckdb

        with _naming(rule, year):
            try:
                return state_of(self._db)
            except (duckdb.TransactionException, duckdb.ConnectionException) as error:
                raise RuntimeError(f"it left the connection so that nothing can be read any more ({error})") from error


def _is_query(rule: ValidationRule) -> bool:
    """Whether a rule is one of the kinds of the program, which do nothing but execute their query."""
    return type(rule).__module__ == QueryRule.__module__


def _checked_query(rule: Any) -> ValidationRule:
    try:
        query = single_select(rule.query())
    except ValueError as error:
        raise ConfigurationError(f"validation rule {rule.name}: {error}") from error
    return replace(rule, sql=query) if isinstance(rule, SqlRule) else rule


@contextmanager
def _explaining(year: int) -> Iterator[None]:
    """Say what to look at where the rules of the program cannot compute with the year's amounts."""
    import duckdb

    try:
        yield
    except (duckdb.OutOfRangeException, duckdb.ConversionException) as error:
        text = explained(str(error))
        raise PipelineStageError(f"year {year}, stage validation: {text}; the year was rolled back") from error


@contextmanager
def _naming(rule: ValidationRule, year: int) -> Iterator[None]:
    """Name the rule in an error that a registered rule raises; an interrupt or a full disk is not its doing."""
    import duckdb

    try:
        yield
    except (duckdb.InterruptException, duckdb.FatalException, duckdb.OutOfMemoryException):
        raise
    except (Exception, SystemExit) as error:
        # a rule is foreign code: it may raise anything, and its author has to be told which one did
        if str(error) == "Query interrupted" or (isinstance(error, duckdb.IOException) and not _is_of_a_file(error)):
            raise
        raise RuleError(
            f"year {year}, validation rule {rule.name}: {type(error).__name__}: {error}; the year was rolled back",
            rule=rule.name,
            reason=str(error),
        ) from error


def _is_of_a_file(error: Exception) -> bool:
    """Whether DuckDB did not find a file that a rule reads; its other input/output errors are those of the disk."""
    return "No files found" in str(error)
