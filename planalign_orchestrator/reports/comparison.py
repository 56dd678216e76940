"""Two databases side by side: events, workforce, key figures, and the first rows that are not the same.

Rows are compared by their keys and without the names of scenario and plan design, of which event ids are made where
these differ: two runs of one thing under two names are the same. A database that only holds a ledger and a snapshot is
compared in the columns that both have.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.database.checkpoints import DatabaseStatus, base_tables, read_state
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.resuming import differences_of_origin
from planalign_orchestrator.database.verification import Verification, unverified, verify
from planalign_orchestrator.errors import ComparisonError
from planalign_orchestrator.files.atomic import real_path
from planalign_orchestrator.registries import DeferralEscalationRegistry, EnrollmentRegistry
from planalign_orchestrator.reports.differing_rows import (
    RowComparison,
    Table,
    compare_as_sets,
    compare_rows,
    is_number,
    is_whole,
)
from planalign_orchestrator.reports.year import json_number

if TYPE_CHECKING:
    import duckdb

LEDGER, SNAPSHOT, METRICS = "fct_yearly_events", "fct_workforce_snapshot", "fct_annual_metrics"
_KEYS = {
    LEDGER: ("employee_id", "simulation_year", "event_sequence"),
    SNAPSHOT: ("employee_id", "simulation_year"),
}
_NEEDED = {LEDGER: (*_KEYS[LEDGER], "event_type"), SNAPSHOT: _KEYS[SNAPSHOT]}
_NAMES = ("scenario_id", "plan_design_id")
# tables that say which run it was, not what came out, and those of a run beside its marts
_STATE = {"run_metadata": "it says which run it was", "checkpoints": "it says which run it was"}
_OVER_ALL_YEARS = (EnrollmentRegistry.table, DeferralEscalationRegistry.table)
_WITHOUT_DIGESTS = (*_OVER_ALL_YEARS, "census_quarantine")
_METRIC_COLUMNS = ("simulation_year", "metric", "value")
# what is summed over a year's snapshot, and the columns that make a participant
_SUMS = {
    "total_compensation": "prorated_annual_compensation",
    "deferrals": "employee_contribution_amount",
    "match": "employer_match_amount",
    "core": "employer_core_amount",
}
_PARTICIPANT = {"is_eligible": "BOOLEAN", "is_enrolled": "BOOLEAN", "employment_status": "VARCHAR"}
_STATUSES = ("employment_status", "detailed_status_code")


@dataclass(frozen=True)
class Figure:
    """A figure of a year in both databases; None where a database has none."""

    simulation_year: int
    name: str
    a: int | float | None
    b: int | float | None

    @property
    def difference(self) -> int | float | None:
        """B less A; None unless both have the figure."""
        if self.a is None or self.b is None:
            return None
        exact = Decimal(str(self.b)) - Decimal(str(self.a))
        return json_number(exact)

    @property
    def is_equal(self) -> bool:
        """Whether both databases say the same."""
        return self.a == self.b


@dataclass(frozen=True)
class RunComparison:
    """What two databases have in common and what not, for the years that were compared.

    `origin` says in what the runs were configured differently, None where a database does not say; `names` which
    identifiers differ. Neither makes two databases different: only rows, figures and years do. `not_compared` names the
    other tables, with the reason. The verifications say whether each database still holds what its runs recorded.
    """

    a: Path
    b: Path
    years: tuple[int, ...]
    years_only_a: tuple[int, ...]
    years_only_b: tuple[int, ...]
    origin: tuple[str, ...] | None
    names: tuple[str, ...]
    events: tuple[Figure, ...]
    workforce: tuple[Figure, ...]
    metrics: tuple[Figure, ...] | None
    rows: tuple[RowComparison, ...]
    not_compared: tuple[str, ...]
    verification_a: Verification
    verification_b: Verification

    @property
    def is_identical(self) -> bool:
        """Whether both hold the same years with the same ledger, snapshot and key figures."""
        return not (
            self.years_only_a
            or self.years_only_b
            or any(not table.is_equal for table in self.rows)
            or any(not figure.is_equal for figure in self.metrics or ())
        )

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON values; of the key figures those that differ."""
        differing = None if self.metrics is None else [_values(item) for item in self.metrics if not item.is_equal]
        return {
            "identical": self.is_identical,
            "a": str(self.a),
            "b": str(self.b),
            "years": list(self.years),
            "years_only_a": list(self.years_only_a),
            "years_only_b": list(self.years_only_b),
            "origin": None if self.origin is None else list(self.origin),
            "names": list(self.names),
            "events": [_values(item) for item in self.events],
            "workforce": [_values(item) for item in self.workforce],
            "differing_metrics": differing,
            "rows": [asdict(table) for table in self.rows],
            "not_compared": list(self.not_compared),
            "verification": {"a": self.verification_a.to_dict(), "b": self.verification_b.to_dict()},
        }


@dataclass(frozen=True)
class _Side:
    """One of the two databases: its tables with their columns' types, its years, and what it says of itself."""

    path: Path
    tables: dict[str, dict[str, str]]
    years: frozenset[int]
    status: DatabaseStatus | None
    verification: Verification

    @property
    def recorded(self) -> set[str]:
        """The tables of which its runs recorded digests."""
        rows = () if self.status is None else self.status.checkpoints
        return {table for row in rows for table in row["digests"]}


def compare_runs(
    a: Path, b: Path, *, years: Sequence[int] | None = None, limit: int = 10, check: bool = True
) -> RunComparison:
    """Compare two databases, by default in all years that both hold, showing at most `limit` rows of each table.

    Errors: ComparisonError for files that are no two simulations, or do not hold the years; DatabaseError for one that
    cannot be opened, DatabaseBusyError for one that is being written, DamagedDatabaseError for one that differs from
    what its runs recorded, unless `check` is off.
    """
    if real_path(a) == real_path(b):
        raise ComparisonError(f"{a} and {b} are one file; name two databases")
    # opened once for all: what is compared is what was verified, even when other files take their places meanwhile
    with DatabaseConnectionManager(a, read_only=True, others={"other": b}) as db:
        connection = db.get_connection()
        one, other = _read_side(db, a, "planalign"), _read_side(db, b, "other")
        chosen = _chosen_years(one, other, years)
        for side in (one, other):
            if check:
                side.verification.check(side.path)
        connection.execute("set variable years = ?", [list(chosen)])
        names = _differing_names(connection, one, other)
        ignored = (*_NAMES, "event_id") if names else _NAMES
        tables = [Table.of(name, one.tables[name], other.tables[name], _KEYS[name], ignored) for name in _KEYS]
        others, left_out = _other_tables(one, other, chosen)
        both = all(side.tables.get(METRICS, {}).keys() >= set(_METRIC_COLUMNS) for side in (one, other))
        return RunComparison(
            a=a,
            b=b,
            years=chosen,
            years_only_a=() if years else tuple(sorted(one.years - other.years)),
            years_only_b=() if years else tuple(sorted(other.years - one.years)),
            origin=_origin(one, other, chosen),
            names=names,
            events=_figures(connection, f"select simulation_year, event_type, count(*) from {{}}.main.{LEDGER}"),
            workforce=_workforce(connection, one, other),
            metrics=_figures(connection, f"select simulation_year, metric, value from {{}}.main.{METRICS}", group=False)
            if both
            else None,
            rows=(
                *(compare_rows(connection, table, limit) for table in tables),
                *(compare_as_sets(connection, name, one.tables[name], other.tables[name], ignored) for name in others),
            ),
            not_compared=left_out,
            verification_a=one.verification,
            verification_b=other.verification,
        )


def _read_side(db: DatabaseConnectionManager, path: Path, catalog: str) -> _Side:
    connection = db.get_connection()
    tables: dict[str, dict[str, str]] = {table: {} for table in sorted(base_tables(connection, catalog=catalog))}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = $catalog and schema_name = 'main' order by table_name, column_index",
        {"catalog": catalog},
    ).fetchall():
        if table in tables:
            tables[table][column] = kind
    for table, needed in _NEEDED.items():
        missing = [name for name in needed if name not in tables.get(table, {})]
        if missing:
            what = f"{table} has no column {', '.join(missing)}" if table in tables else f"it has no {table}"
            raise ComparisonError(f"{path} is not a simulation that can be compared: {what}")
        for name in ("simulation_year", "event_sequence"):
            if not is_whole(tables[table].get(name, "INTEGER")):
                raise ComparisonError(f"{path} cannot be compared: {name} of {table} is no whole number")
    years = connection.execute(f"select distinct simulation_year from {catalog}.main.{SNAPSHOT}").fetchall()
    found = frozenset(year for (year,) in years)
    if tables.keys() >= _STATE.keys() and (status := read_state(db, path, catalog)) is not None:
        return _Side(path, tables, found & set(status.years), status, verify(db, status, catalog=catalog))
    return _Side(path, tables, found, None, unverified("it recorded no digests"))


def _other_tables(one: _Side, other: _Side, years: Sequence[int]) -> tuple[list[str], tuple[str, ...]]:
    """Return the tables that are compared as sets of rows, and those that are not compared, each with the reason."""
    compared, left_out = [], []
    for name in sorted((one.tables.keys() | other.tables.keys()) - _KEYS.keys()):
        sides = [side for side in (one, other) if name in side.tables]
        common = one.tables.get(name, {}).keys() & other.tables.get(name, {}).keys()
        if name in _STATE:
            reason = _STATE[name]
        elif not any(name in (*side.recorded, *_WITHOUT_DIGESTS) for side in (one, other)):
            reason = "no table of a run"
        elif len(sides) == 1:
            reason = f"only in {'A' if sides == [one] else 'B'}"
        elif name in _OVER_ALL_YEARS and not one.years == other.years == set(years):
            reason = "it spans all years, and some are not compared"
        elif not common - {*_NAMES, "event_id"}:
            reason = "the two have no column in common"
        else:
            compared.append(name)
            continue
        left_out.append(f"{name} ({reason})")
    if one.status is not None and other.status is not None:
        left_out.append("inputs and parameters (their differences are those of the settings)")
    return compared, tuple(left_out)


def _chosen_years(one: _Side, other: _Side, wanted: Sequence[int] | None) -> tuple[int, ...]:
    for side in (one, other):
        missing = [str(year) for year in wanted or () if year not in side.years]
        if missing:
            held = ", ".join(map(str, sorted(side.years))) or "none"
            raise ComparisonError(f"{side.path} does not hold {', '.join(missing)}; its years are {held}")
    chosen = sorted(set(wanted) if wanted else one.years & other.years)
    if not chosen:
        raise ComparisonError(f"{one.path} and {other.path} have no year in common")
    return tuple(chosen)


def _origin(one: _Side, other: _Side, years: Sequence[int]) -> tuple[str, ...] | None:
    """What the runs were made from differently; what does not differ in every compared year says in which it does."""
    if one.status is None or other.status is None:
        return None
    a, b = (
        {row["simulation_year"]: row["fingerprints"] for row in side.status.checkpoints}
        for side in (one, other)
        if side.status is not None
    )
    found: dict[str, list[int]] = {}
    for year in years:
        for difference in differences_of_origin(a[year], b[year], year):
            found.setdefault(difference, []).append(year)
    return tuple(f"{text}{_in_words(differing, years)}" for text, differing in found.items())


def _in_words(differing: Sequence[int], years: Sequence[int]) -> str:
    """In which of the compared years something differs, in brackets; nothing where it does in all of them."""
    if len(differing) == len(years):
        return ""
    if len(differing) > 1 and list(differing) == list(years[-len(differing) :]):
        return f" (from {differing[0]} on)"
    return f" (in {', '.join(map(str, differing))})"


def _differing_names(connection: "duckdb.DuckDBPyConnection", one: _Side, other: _Side) -> tuple[str, ...]:
    sentences = []
    for name in _NAMES:
        if any(name not in side.tables[SNAPSHOT] for side in (one, other)):
            continue
        was, now = (
            ", ".join(
                str(value)
                for (value,) in connection.execute(
                    f"select distinct {name} from {source}.main.{SNAPSHOT} "
                    "where list_contains(getvariable('years'), simulation_year) order by all"
                ).fetchall()
            )
            for source in ("planalign", "other")
        )
        if was != now:
            sentences.append(f"{name}: {was} and {now}")
    return tuple(sentences)


def _workforce(connection: "duckdb.DuckDBPyConnection", one: _Side, other: _Side) -> tuple[Figure, ...]:
    a, b = one.tables[SNAPSHOT], other.tables[SNAPSHOT]
    common = a.keys() & b.keys()
    aggregates = {"people": "count(*)"} | {
        name: f"round(sum({column}), 2)"
        for name, column in _SUMS.items()
        if column in common and is_number(a[column], b[column])
    }
    if all(a.get(column) == b.get(column) == kind for column, kind in _PARTICIPANT.items()):
        aggregates["participants"] = "count_if(is_eligible and is_enrolled and employment_status = 'active')"
    figures: list[Figure] = []
    for name, aggregate in aggregates.items():
        figures += _figures(connection, f"select simulation_year, '{name}', {aggregate} from {{}}.main.{SNAPSHOT}")
    for status in _STATUSES:
        if status in common:
            figures += _figures(
                connection,
                f"select simulation_year, '{status}: ' || {status}, count(*) from {{}}.main.{SNAPSHOT}",
            )
    return tuple(sorted(figures, key=lambda figure: figure.simulation_year))


def _figures(connection: "duckdb.DuckDBPyConnection", query: str, *, group: bool = True) -> tuple[Figure, ...]:
    """The figures (year, name, value) of a query that is made once for each database in place of `{}`."""
    rest = " where list_contains(getvariable('years'), simulation_year)" + (" group by all" if group else "")
    rows = connection.execute(
        "select coalesce(a.year, b.year), coalesce(a.name, b.name), a.value, b.value "
        f"from ({query.format('planalign')}{rest}) as a (year, name, value) "
        f"full join ({query.format('other')}{rest}) as b (year, name, value) using (year, name) order by 1, 2"
    ).fetchall()
    return tuple(Figure(year, name, _number(a), _number(b)) for year, name, a, b in rows)


def _number(value: Decimal | float | None) -> int | float | None:
    return json_number(value) if isinstance(value, Decimal) else value


def _values(figure: Figure) -> dict[str, Any]:
    return {**asdict(figure), "difference": figure.difference}


def differing(figures: Iterable[Figure]) -> list[Figure]:
    """The figures that are not the same in both databases."""
    return [figure for figure in figures if not figure.is_equal]
