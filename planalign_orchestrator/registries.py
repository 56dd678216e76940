"""Who is in the plan, and whose rate went up by itself, as the ledger alone tells it.

A registry folds the events of `fct_yearly_events` year by year and never looks at the snapshot or at a working model,
so it is a second way to the same state: where the two differ, one of them is wrong. It is kept in the simulation's file
and written in the year's transaction. It holds a row for each change of somebody's state, with the first and the last
year of that state, so a year costs no more than its events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.model import DataTest

if TYPE_CHECKING:
    import duckdb

_SHOWN = 20
_IN_REGISTRY = "registry_"
_THE_YEAR = "getvariable('simulation_year')::integer"


@dataclass(frozen=True)
class RegistryValidationResult:
    """Whether a registry agrees with the snapshot and the ledger; an error names employee, year and both values."""

    is_valid: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


class Registry:
    """The life of a registry: made for a first year, then brought up to date after each year's events.

    A row holds from `from_year` to `to_year`, which is null until the next change; of people who left, the last state
    stays. The first year opens with the census, as of the year before.
    """

    table: ClassVar[str]
    columns: ClassVar[Mapping[str, str]]
    """The columns of a state and their types."""
    opening: ClassVar[str]
    """A query of the states that the census brings."""
    changes: ClassVar[str]
    """A query that folds each person's events of the years $first to $last; `position` is their order."""
    merged: ClassVar[Mapping[str, str]]
    """How each column of a state comes from the state `before` and the `changes`."""
    compared: ClassVar[Mapping[str, str]]
    """Column of the snapshot -> what it is by `state`, a row of the registry, or null where there is none."""

    def __init__(self, db: DatabaseConnectionManager) -> None:
        self._db = db

    def create_table(self) -> None:
        """Create the table where it does not exist."""
        listed = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        self._connection.execute(
            f"create table if not exists {self._name} "
            f"(employee_id varchar not null, from_year integer not null, to_year integer, {listed})"
        )

    def create_for_year(self, year: int) -> None:
        """Create the table and fill it with the state in which the first simulated year opens, and nothing else."""
        self.create_table()
        self._connection.execute(f"delete from {self._name}")
        self._connection.execute(
            f"insert into {self._name} (employee_id, from_year, {', '.join(self.columns)})\n"
            f"select employee_id, {year - 1}, {', '.join(self.columns)} from (\n{self.opening}\n)"
        )

    def update_post_year(self, year: int) -> None:
        """Fold the year's events into the registry; what it holds of this year or a later one is replaced."""
        connection = self._connection
        self.take_back(year)
        connection.execute(
            f"""
            insert into {self._name} (employee_id, from_year, {", ".join(self.columns)})
            with before as (select * from {self._name} where to_year is null),
            changes as ({self.changes})
            select changes.employee_id, $last, {", ".join(self.merged[name] for name in self.columns)}
            from changes
            left join before on changes.employee_id = before.employee_id
            """,
            {"first": year, "last": year},
        )
        connection.execute(
            f"""
            update {self._name} set to_year = {year - 1}
            where
                to_year is null
                and from_year < {year}
                and employee_id in (select employee_id from {self._name} where from_year = {year})
            """
        )

    def validate_integrity(self, year: int | None = None) -> RegistryValidationResult:
        """Compare a year, or all of them, with the snapshot, and the whole registry with the ledger.

        Errors: DatabaseError when the file has no such registry.
        """
        self.check_table()
        snapshots = "select distinct simulation_year from planalign.main.fct_workforce_snapshot order by all"
        years = [found for (found,) in self._connection.execute(snapshots).fetchall()]
        errors = [
            error
            for found in years
            if year in (None, found)
            for error in self._named(self._against_snapshot(str(found)), str(found), "fct_workforce_snapshot")
        ]
        if year is not None and year not in years:
            errors.append(f"{year}: fct_workforce_snapshot has no such year; its years are {years}")
        errors += self.differences_from_ledger()
        warnings = (
            () if self._connection.execute(f"from {self._name} limit 1").fetchall() else (f"{self.table} is empty",)
        )
        return RegistryValidationResult(is_valid=not errors, errors=tuple(errors), warnings=warnings)

    def differences_from_ledger(self) -> list[str]:
        """Return where the registry is not what folding census and ledger once more gives, as texts."""
        merged = ", ".join(f"{expression} as {name}" for name, expression in self.merged.items())
        whole = f"""
            with before as ({self.opening}),
            changes as ({self.changes})
            select coalesce(changes.employee_id, before.employee_id) as employee_id, {merged}
            from before
            full join changes on before.employee_id = changes.employee_id
        """
        latest = f"from {self._name} where to_year is null"
        query = _differences(whole, latest, {name: f"state.{name}" for name in self.columns})
        bounds = {"first": 0, "last": 9999}
        return self._named(f"select * from ({query})", "the last year", "fct_yearly_events", bounds)

    def agreement(self) -> DataTest:
        """Return the rule that the registry agrees with the snapshot of the simulated year, as a query."""
        return DataTest(
            name=f"{self.table}_agrees",
            sql=self._against_snapshot(_THE_YEAR),
            tags=(),
            description=f"{self.table}, a fold of the ledger alone, says of everyone what fct_workforce_snapshot says.",
        )

    def check_table(self) -> None:
        """Raise DatabaseError where the file has no such registry or one of other columns."""
        described = self._connection.execute(
            "select column_name from duckdb_columns() where database_name = 'planalign' and table_name = $table",
            {"table": self.table},
        ).fetchall()
        missing = {"employee_id", "from_year", "to_year", *self.columns} - {name for (name,) in described}
        if missing:
            raise DatabaseError(
                f"{self._db.db_path}: {self.table} has no {', '.join(sorted(missing))}; another version wrote the file "
                "or it was changed by something else. Restore the backup or run again without --resume"
            )

    @property
    def _connection(self) -> "duckdb.DuckDBPyConnection":
        return self._db.get_connection()

    @property
    def _name(self) -> str:
        return f"planalign.main.{self.table}"

    def take_back(self, year: int) -> None:
        """Forget a year and all later ones; mostly there is nothing to forget."""
        later = f"select 1 from {self._name} where from_year >= {year} limit 1"
        if self._connection.execute(later).fetchall():
            self._connection.execute(f"delete from {self._name} where from_year >= {year}")
            self._connection.execute(f"update {self._name} set to_year = null where to_year >= {year - 1}")

    def _people_of(self, year: int) -> str:
        """Those with a state in a year who had not left before it."""
        return f"""
            {self._state_in(str(int(year)))}
            and employee_id not in (
                select employee_id
                from planalign.main.fct_yearly_events
                where event_type = 'termination' and simulation_year < {int(year)}
            )
        """

    def _state_in(self, year: str) -> str:
        return f"from {self._name} where from_year <= {year} and (to_year is null or to_year >= {year})"

    def _against_snapshot(self, year: str) -> str:
        snapshot = f"from planalign.main.fct_workforce_snapshot where simulation_year = {year}"
        return _differences(snapshot, self._state_in(year), self.compared, join="left join")

    def _named(self, query: str, when: str, other: str, parameters: Mapping[str, int] | None = None) -> list[str]:
        """Say what a query of differences found, the first people by id."""
        cursor = self._connection.execute(f"from ({query}) order by employee_id limit {_SHOWN}", parameters or {})
        names = [column for column, *_ in cursor.description]
        people = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return [
            f"{when}: {person['employee_id']}: {name} is {_shown(person[name])} by {other} and "
            f"{_shown(person[_IN_REGISTRY + name])} by {self.table}"
            for person in people
            for name in names
            if _IN_REGISTRY + name in names and person[name] != person[_IN_REGISTRY + name]
        ]


class EnrollmentRegistry(Registry):
    """Who has an election in force, at what rate, since when and how; an opt-out or a rate of 0 ends an enrollment."""

    table = "enrollment_registry"
    columns: ClassVar[Mapping[str, str]] = {
        "deferral_rate": "decimal(9, 6) not null",
        "enrollment_date": "date",
        "enrollment_method": "varchar",
        "has_opted_out": "boolean not null",
    }
    opening = """
        select
            employee_id,
            coalesce(employee_deferral_rate, 0)::decimal(9, 6) as deferral_rate,
            employee_enrollment_date as enrollment_date,
            case when employee_deferral_rate > 0 then coalesce(enrollment_method, 'voluntary') end as enrollment_method,
            coalesce(employee_deferral_rate, 0) = 0 as has_opted_out
        from planalign.inputs.census
        where is_simulated and (employee_deferral_rate > 0 or employee_enrollment_date is not null)
    """
    changes = """
        select
            employee_id,
            arg_max(deferral_rate_after, simulation_year * 1000 + event_sequence) as deferral_rate,
            max(effective_date) filter (where event_type = 'enrollment') as enrollment_date,
            arg_max(
                event_category in ('automatic', 'reenrollment'), simulation_year * 1000 + event_sequence
            ) filter (where event_type = 'enrollment') as is_automatic,
            arg_max(
                event_category = 'opt_out', simulation_year * 1000 + event_sequence
            ) filter (where event_type = 'enrollment' or event_category = 'opt_out') as has_opted_out
        from planalign.main.fct_yearly_events
        where simulation_year between $first and $last and deferral_rate_after is not null
        group by employee_id
    """
    merged: ClassVar[Mapping[str, str]] = {
        "deferral_rate": "coalesce(changes.deferral_rate, before.deferral_rate)",
        "enrollment_date": "coalesce(changes.enrollment_date, before.enrollment_date)",
        "enrollment_method": "case changes.is_automatic when true then 'auto' when false then 'voluntary' "
        "else before.enrollment_method end",
        "has_opted_out": "coalesce(changes.has_opted_out, before.has_opted_out, false)",
    }
    compared: ClassVar[Mapping[str, str]] = {
        "is_enrolled": "coalesce(state.deferral_rate, 0) > 0",
        "current_deferral_rate": "coalesce(state.deferral_rate, 0)",
        "enrollment_date": "state.enrollment_date",
        "enrollment_method": "state.enrollment_method",
        "has_opted_out": "coalesce(state.has_opted_out, false)",
    }

    def get_enrolled_employees(self, year: int) -> list[str]:
        """Return the ids of those with an election above 0 at the close of the year or at their exit in it, sorted."""
        query = f"select employee_id {self._people_of(year)} and deferral_rate > 0 order by employee_id"
        return [employee_id for (employee_id,) in self._connection.execute(query).fetchall()]

    def is_employee_enrolled(self, employee_id: str, year: int) -> bool:
        """Return whether somebody's election was above 0 at the close of the year or at their exit in it."""
        query = f"select 1 {self._people_of(year)} and deferral_rate > 0 and employee_id = $employee_id"
        return bool(self._connection.execute(query, {"employee_id": employee_id}).fetchall())


class DeferralEscalationRegistry(Registry):
    """Whose deferral rate went up by automatic increases: how often, first and last on which day."""

    table = "deferral_escalation_registry"
    columns: ClassVar[Mapping[str, str]] = {
        "escalation_count": "integer not null",
        "first_escalation_date": "date not null",
        "last_escalation_date": "date not null",
    }
    # the census knows of no automatic increase: they are counted from the first simulated year on
    opening = """
        select
            employee_id,
            0 as escalation_count,
            null::date as first_escalation_date,
            null::date as last_escalation_date
        from planalign.inputs.census
        where false
    """
    changes = """
        select
            employee_id,
            count(*)::integer as escalations,
            min(effective_date) as first_date,
            max(effective_date) as last_date
        from planalign.main.fct_yearly_events
        where simulation_year between $first and $last and event_type = 'deferral_escalation'
        group by employee_id
    """
    merged: ClassVar[Mapping[str, str]] = {
        "escalation_count": "(changes.escalations + coalesce(before.escalation_count, 0))::integer",
        "first_escalation_date": "coalesce(before.first_escalation_date, changes.first_date)",
        "last_escalation_date": "changes.last_date",
    }
    compared: ClassVar[Mapping[str, str]] = {"escalation_count": "coalesce(state.escalation_count, 0)"}

    def get_escalation_participants(self, year: int) -> list[str]:
        """Return the ids of the people of a year with at least one automatic increase by its end, sorted."""
        query = f"select employee_id {self._people_of(year)} order by employee_id"
        return [employee_id for (employee_id,) in self._connection.execute(query).fetchall()]

    def get_escalation_count(self, employee_id: str) -> int:
        """Return how many automatic increases somebody had in the simulation; 0 for an unknown id."""
        query = f"select coalesce(max(escalation_count), 0) from {self._name} where employee_id = $employee_id"
        ((count,),) = self._connection.execute(query, {"employee_id": employee_id}).fetchall()
        return int(count)


class RegistryManager:
    """The registries of one database; a run keeps them all by this."""

    def __init__(self, db: DatabaseConnectionManager) -> None:
        self._db = db
        self._enrollment = EnrollmentRegistry(db)
        self._deferral = DeferralEscalationRegistry(db)

    @property
    def registries(self) -> Sequence[Registry]:
        """Every registry."""
        return (self._enrollment, self._deferral)

    def get_enrollment_registry(self) -> EnrollmentRegistry:
        """Return the registry of elections."""
        return self._enrollment

    def get_deferral_registry(self) -> DeferralEscalationRegistry:
        """Return the registry of automatic increases."""
        return self._deferral

    def create_for_year(self, year: int) -> None:
        """Make every registry as the first simulated year finds it."""
        for registry in self.registries:
            registry.create_for_year(year)

    def update_post_year(self, year: int) -> None:
        """Fold the year's events into every registry."""
        for registry in self.registries:
            registry.update_post_year(year)

    def take_back(self, year: int) -> None:
        """Forget a year and all later ones."""
        for registry in self.registries:
            registry.take_back(year)

    def validate_all_registries(self, year: int) -> RegistryValidationResult:
        """Compare every registry with the snapshot of the year and with the ledger."""
        results = [registry.validate_integrity(year) for registry in self.registries]
        return RegistryValidationResult(
            is_valid=all(result.is_valid for result in results),
            errors=tuple(error for result in results for error in result.errors),
            warnings=tuple(warning for result in results for warning in result.warnings),
        )

    def agreements(self) -> tuple[DataTest, ...]:
        """Return the rules that the registries agree with the snapshot of the simulated year."""
        return tuple(registry.agreement() for registry in self.registries)

    def check_agreement_with_ledger(self) -> None:
        """Raise DatabaseError naming the differences, unless every registry is what the ledger gives."""
        for registry in self.registries:
            registry.check_table()
        found = [difference for registry in self.registries for difference in registry.differences_from_ledger()]
        if found:
            lines = "\n".join(f"  - {difference}" for difference in found)
            raise DatabaseError(
                f"{self._db.db_path}: the registries are not what census and ledger give:\n{lines}\n"
                "The file was changed by something else. Restore the backup or run again without --resume"
            )


def _differences(facts: str, state: str, columns: Mapping[str, str], join: str = "full join") -> str:
    """A query of the people of whom `facts` and `state` say different things: id, then both values of each column."""
    pairs = ", ".join(f"facts.{name}, {expression} as {_IN_REGISTRY}{name}" for name, expression in columns.items())
    differs = " or ".join(f"facts.{name} is distinct from {expression}" for name, expression in columns.items())
    return f"""
        select coalesce(facts.employee_id, state.employee_id) as employee_id, {pairs}
        from ({facts}) as facts
        {join} ({state}) as state on facts.employee_id = state.employee_id
        where {differs}
    """


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
