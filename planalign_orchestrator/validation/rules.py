"""Rules as queries of offending rows: those of the model, the built-in ones with thresholds, and what users write.

A query reads the simulated year as `getvariable('simulation_year')::integer` and names its tables in full.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from planalign_orchestrator.model import DataTest
from planalign_orchestrator.validation.results import ValidationResult, ValidationSeverity

if TYPE_CHECKING:
    import duckdb

PLAUSIBILITY = "plausibility"
INFORMATION = "information"
FINAL_YEAR = "final_year"
EXAMPLES = 3

_YEAR = "getvariable('simulation_year')::integer"
_LEDGER = "planalign.main.fct_yearly_events"


@dataclass(frozen=True, kw_only=True)
class QueryRule(ABC):
    """A rule that is a query: each row that it returns breaks the rule.

    `name` is what reports and `validation.rules` call it; with `final_year_only` it judges the last year of a run.
    """

    name: str
    severity: ValidationSeverity = ValidationSeverity.ERROR
    is_invariant: bool = False
    final_year_only: bool = False

    @abstractmethod
    def query(self) -> str:
        """Return the query of the offending rows, without a semicolon."""

    @abstractmethod
    def explanation(self) -> str:
        """Return the rule in words."""

    def check(self, connection: "duckdb.DuckDBPyConnection", year: int) -> ValidationResult:
        """Return the verdict on the year."""
        connection.execute(f"set variable simulation_year = {int(year)}")
        ((failures,),) = connection.execute(f"select count(*) from (\n{self.query()}\n)").fetchall()
        return self.verdict(connection, failures, EXAMPLES)

    def verdict(self, connection: "duckdb.DuckDBPyConnection", failures: int, examples: int) -> ValidationResult:
        """Return the verdict on so many offending rows, with some of them as text."""
        shown: tuple[str, ...] = ()
        if failures:
            # `order by all` makes the examples the same every time, and without it such a query could hang
            cursor = connection.execute(f"select * from (\n{self.query()}\n) order by all limit {examples}")
            names = [column[0] for column in cursor.description]
            shown = tuple(
                ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True))
                for row in cursor.fetchall()
            )
        return ValidationResult(
            rule=self.name,
            severity=self.severity,
            passed=failures == 0,
            failures=failures,
            examples=shown,
            is_invariant=self.is_invariant,
            description=self.explanation(),
        )


@dataclass(frozen=True)
class SqlRule(QueryRule):
    """A rule from its query: `SqlRule("no_huge_match", "select ...", description="...")`."""

    name: str
    sql: str
    description: str = field(default="", kw_only=True)

    def query(self) -> str:
        """Return the query of the offending rows."""
        return self.sql

    def explanation(self) -> str:
        """Return the rule in words."""
        return self.description

    @classmethod
    def of(cls, test: DataTest) -> "SqlRule":
        """Return a data test of the compiled model as a rule; its tags say what kind of rule it is."""
        return cls(
            name=test.name,
            sql=test.sql,
            severity=ValidationSeverity.INFO if INFORMATION in test.tags else ValidationSeverity.ERROR,
            description=test.description,
            is_invariant=not {PLAUSIBILITY, INFORMATION}.intersection(test.tags),
            final_year_only=FINAL_YEAR in test.tags,
        )


@dataclass(frozen=True)
class RowCountDriftRule(QueryRule):
    """A table has about as many rows in a year as in the year before; the first year is not judged.

    `maximum_drift` is the largest change, as a share of the year before; it counts in both directions.
    """

    table: str = "fct_workforce_snapshot"
    maximum_drift: Decimal | float = Decimal("0.5")
    name: str = field(default="row_count_drift", kw_only=True)
    severity: ValidationSeverity = field(default=ValidationSeverity.WARNING, kw_only=True)

    def explanation(self) -> str:
        """Return the rule in words."""
        return f"The rows of {self.table} are at most {self.maximum_drift} more or fewer than those of the year before."

    def query(self) -> str:
        """Return the query of the offending rows."""
        return f"""
            select '{self.table}' as table_name, rows_before, rows_now
            from (
                select
                    count(*) filter (where simulation_year = {_YEAR} - 1) as rows_before,
                    count(*) filter (where simulation_year = {_YEAR}) as rows_now
                from planalign.main.{self.table}
                where simulation_year between {_YEAR} - 1 and {_YEAR}
            )
            where rows_before > 0 and abs(rows_now - rows_before) > rows_before * {self.maximum_drift}
        """


@dataclass(frozen=True)
class HireTerminationRatioRule(QueryRule):
    """A year's hires stand in a plausible proportion to its exits, hires who left included.

    Years with fewer exits than `minimum_exits` are not judged.
    """

    minimum_ratio: Decimal | float = Decimal("0.25")
    maximum_ratio: Decimal | float = Decimal(4)
    minimum_exits: int = 50
    name: str = field(default="hire_termination_ratio", kw_only=True)
    severity: ValidationSeverity = field(default=ValidationSeverity.WARNING, kw_only=True)

    def explanation(self) -> str:
        """Return the rule in words."""
        return f"The year's hires are {self.minimum_ratio} to {self.maximum_ratio} times its exits."

    def query(self) -> str:
        """Return the query of the offending rows."""
        return f"""
            select hires::bigint as hires, exits::bigint as exits
            from (
                select
                    sum(value) filter (where metric = 'hires') as hires,
                    sum(value) filter (where metric in ('terminations', 'new_hire_terminations')) as exits
                from planalign.main.fct_annual_metrics
                where simulation_year = {_YEAR}
            )
            where
                exits >= {self.minimum_exits}
                and hires not between exits * {self.minimum_ratio} and exits * {self.maximum_ratio}
        """


@dataclass(frozen=True)
class EventSequenceRule(QueryRule):
    """Each person's events of a year are numbered in the order of their dates."""

    name: str = field(default="event_sequence", kw_only=True)

    def explanation(self) -> str:
        """Return the rule in words."""
        return "Each person's events of the year are numbered in the order of their dates."

    def query(self) -> str:
        """Return the query of the offending rows."""
        return f"""
            select
                events.employee_id,
                events.event_type,
                events.event_sequence,
                events.effective_date,
                earlier.effective_date as previous_date
            from (
                select employee_id, event_type, event_sequence, effective_date
                from {_LEDGER}
                where simulation_year = {_YEAR}
            ) as events
            inner join (
                select employee_id, event_sequence + 1 as next_sequence, effective_date
                from {_LEDGER}
                where simulation_year = {_YEAR}
            ) as earlier
                on events.employee_id = earlier.employee_id and events.event_sequence = earlier.next_sequence
            where earlier.effective_date > events.effective_date
        """


@dataclass(frozen=True)
class EventSpikeRule(QueryRule):
    """No kind of event is suddenly more frequent than in the year before; the first year is not judged.

    A kind is a type with its category. It counts as at least `minimum_events` in the year before, so that small numbers
    may jump. A kind without an event in the first year is not judged in the two years after it: nobody had joined the
    plan of a census without participants, so that nobody could change a rate then, and only those who joined in the
    first year could in the second.
    """

    maximum_ratio: Decimal | float = Decimal(2)
    minimum_events: int = 100
    name: str = field(default="event_spike", kw_only=True)
    severity: ValidationSeverity = field(default=ValidationSeverity.WARNING, kw_only=True)

    def explanation(self) -> str:
        """Return the rule in words."""
        return (
            f"No kind of event occurs more than {self.maximum_ratio} times as often as in the year before; a year with "
            "changes is not compared."
        )

    def query(self) -> str:
        """Return the query of the offending rows."""
        return f"""
            select event_type, event_category, events_before, events_now
            from (
                select
                    event_type,
                    event_category,
                    count(*) filter (where simulation_year = {_YEAR} - 1) as events_before,
                    count(*) filter (where simulation_year = {_YEAR}) as events_now,
                    count(*) filter (where simulation_year = first_year) as events_first,
                    sum(events_before) over () as all_before,
                    any_value(first_year) as first_year
                from {_LEDGER}
                cross join (select min(simulation_year) as first_year from planalign.main.fct_annual_metrics)
                where simulation_year between {_YEAR} - 1 and {_YEAR} or simulation_year = first_year
                group by event_type, event_category
            )
            where
                all_before > 0
                and events_now > {self.maximum_ratio} * greatest(events_before, {self.minimum_events})
                and (events_first > 0 or {_YEAR} > first_year + 2)
                and not exists (
                    select 1
                    from planalign.parameters.annual_rates
                    where simulation_year = {_YEAR} and configuration_year = {_YEAR}
                )
        """


@dataclass(frozen=True)
class PrimaryKeyUniquenessRule(QueryRule):
    """No two rows of a table share its key.

    Only rows with the judged year in `year_column` are looked at; an empty name means all rows.
    """

    table: str
    keys: Sequence[str]
    year_column: str = "simulation_year"
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        """Name the rule after its table where it has no name, because there may be several."""
        object.__setattr__(self, "name", self.name or f"primary_key_uniqueness_{self.table}")

    def explanation(self) -> str:
        """Return the rule in words."""
        return f"No two rows of {self.table} share {', '.join(self.keys)}."

    def query(self) -> str:
        """Return the query of the offending rows."""
        keys = ", ".join(self.keys)
        of_the_year = f"where {self.year_column} = {_YEAR}" if self.year_column else ""
        return f"""
            select {keys}, count(*) as row_count
            from planalign.main.{self.table}
            {of_the_year}
            group by {keys}
            having count(*) > 1
        """
