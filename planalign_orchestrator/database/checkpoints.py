"""What a database says about itself: its runs, its finished years, and what they were made from.

The checkpoint row is written in the year's own transaction, so a year exists exactly when its checkpoint does.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.identifiers import quoted, quoted_text
from planalign_orchestrator.database.lock import ExecutionMutex, database_mutex
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.escaping import visible_line
from planalign_orchestrator.files.replacing import is_duckdb_file

if TYPE_CHECKING:
    import duckdb

Fingerprints = Mapping[str, Any]

# The engine whose years are not one transaction, so that a killed run may leave an unfinished one.
DBT = "dbt"

_RUN_COLUMNS = {
    "run_id": "varchar",
    "started_at": "timestamp",
    "requested_start_year": "integer",
    "requested_end_year": "integer",
    "engine": "varchar",
    "scenario_id": "varchar",
    "plan_design_id": "varchar",
    "random_seed": "bigint",
    "planalign_version": "varchar",
    "duckdb_version": "varchar",
    "configuration": "varchar",
    "census": "varchar",
    "plan_testing": "varchar",
    "notes": "varchar",
}
_CHECKPOINT_COLUMNS = {
    "simulation_year": "integer",
    "run_id": "varchar",
    "completed_at": "timestamp",
    "engine": "varchar",
    "duckdb_version": "varchar",
    "fingerprints": "varchar",
    "digests": "varchar",
    "timings": "varchar",
    "validation": "varchar",
}
_STATE_TABLES = {"run_metadata", "checkpoints"}
# where a run keeps its inputs, and dbt its working tables
_SCHEMAS = {"inputs", "parameters", "working"}
_JSON_COLUMNS = {"configuration", "census", "plan_testing", "notes", "fingerprints", "digests", "timings", "validation"}


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """The name."""


class Relation(Protocol):
    """A model as the database sees it: a table, and when it is a mart, the columns of its contract."""

    @property
    def name(self) -> str:
        """The name of the table."""

    @property
    def columns(self) -> Sequence[Named]:
        """The columns of the contract; none of a working table."""

    @property
    def is_mart(self) -> bool:
        """Whether it is a mart, which stays in the file."""


@dataclass(frozen=True)
class WorkflowCheckpoint:
    """A finished year: what it was made from (`fingerprints`) and what came out (`digests` by mart)."""

    simulation_year: int
    run_id: str
    completed_at: str
    engine: str
    duckdb_version: str
    database: str
    fingerprints: dict[str, Any]
    digests: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class DatabaseStatus:
    """The runs and the finished years of a database, oldest first, as rows of its own tables."""

    database: Path
    runs: tuple[dict[str, Any], ...]
    checkpoints: tuple[dict[str, Any], ...]

    @property
    def years(self) -> list[int]:
        """The finished years."""
        return [row["simulation_year"] for row in self.checkpoints]

    @property
    def is_complete(self) -> bool:
        """Whether every year that the last run asked for is finished."""
        return bool(self.runs) and self.runs[-1]["requested_end_year"] in self.years


def create_state_tables(connection: "duckdb.DuckDBPyConnection") -> None:
    """Create `run_metadata` and `checkpoints`."""
    for table, columns in (("run_metadata", _RUN_COLUMNS), ("checkpoints", _CHECKPOINT_COLUMNS)):
        listed = ", ".join(f"{name} {kind} not null" for name, kind in columns.items())
        connection.execute(f"create table planalign.main.{table} ({listed})")


def record_run(connection: "duckdb.DuckDBPyConnection", values: Mapping[str, Any]) -> None:
    """Insert a row of `run_metadata`, in the transaction of the run's first year."""
    _insert(connection, "run_metadata", _RUN_COLUMNS, values)


def record_replaced(connection: "duckdb.DuckDBPyConnection", run_id: str) -> None:
    """Note whose place a new database took: the last run of the one that became its automatic backup.

    It is a comment and no row, because two runs of one thing leave the same rows.
    """
    connection.execute(f"comment on table planalign.main.run_metadata is {quoted_text(run_id)}")


def replaced_run(connection: "duckdb.DuckDBPyConnection") -> str | None:
    """Return what `record_replaced` noted; None where nothing was replaced."""
    ((comment,),) = connection.execute(
        "select comment from duckdb_tables() "
        "where database_name = 'planalign' and schema_name = 'main' and table_name = 'run_metadata'"
    ).fetchall()
    return None if comment is None else str(comment)


def record_checkpoint(connection: "duckdb.DuckDBPyConnection", values: Mapping[str, Any]) -> None:
    """Insert a row of `checkpoints`, in the transaction of its year."""
    _insert(connection, "checkpoints", _CHECKPOINT_COLUMNS, values)


def mart_digests(
    connection: "duckdb.DuckDBPyConnection", marts: Iterable[Relation], year: int
) -> dict[str, dict[str, Any]]:
    """Return rows and digest of every mart's year: a sum of row hashes, which does not depend on their order."""
    columns = {mart.name: [column.name for column in mart.columns] for mart in marts}
    found = digests_by_year(connection, columns, [year])
    return {name: {**found[name][year], "columns": names} for name, names in columns.items()}


def digests_by_year(
    connection: "duckdb.DuckDBPyConnection",
    columns: Mapping[str, Sequence[str]],
    years: Sequence[int],
    catalog: str = "planalign",
) -> dict[str, dict[int, dict[str, Any]]]:
    """Return rows and digest over the named columns of tables, by table and year; 0 rows for a year without any.

    Names may come from a file: they are quoted. Errors: duckdb.Error when a table or a column does not exist.
    """
    sums = " union all ".join(
        f"select {quoted_text(table)}, simulation_year, count(*), "
        f"coalesce(sum(hash({', '.join(map(quoted, names))})), 0)::varchar from {catalog}.main.{quoted(table)} "
        f"where simulation_year in ({', '.join(map(str, years))}) group by simulation_year"
        for table, names in columns.items()
    )
    found: dict[str, dict[int, dict[str, Any]]] = {
        table: {year: {"rows": 0, "digest": "0"} for year in years} for table in columns
    }
    for table, year, rows, digest in connection.execute(sums).fetchall():
        found[table][year] = {"rows": rows, "digest": digest}
    return found


def read_state(
    db: DatabaseConnectionManager, path: Path | None = None, catalog: str = "planalign"
) -> DatabaseStatus | None:
    """Return what an open database says of itself; None for one that holds no table at all.

    It is the manager's own one, or another that it attached: then its `path` and the name it is attached as are given.

    Errors: DatabaseError when it holds tables that are not a simulation's, that another version wrote, or whose rows
    are damaged.
    """
    import duckdb

    connection, path = db.get_connection(), path or db.db_path
    if not base_tables(connection, catalog=catalog) >= _STATE_TABLES:
        held = _names_of_all(connection, catalog)
        if not held:
            return None
        raise DatabaseError(
            f"{path} is not a simulation database (it holds {visible_line(', '.join(held[:3]))}), "
            "and it was left as it is; choose another --database"
        )
    try:
        runs = _rows(connection, f"{catalog}.main.run_metadata", _RUN_COLUMNS, "rowid")
        checkpoints = _rows(connection, f"{catalog}.main.checkpoints", _CHECKPOINT_COLUMNS, "simulation_year")
    except duckdb.BinderException as error:
        raise DatabaseError(
            f"{path} was written by another version of planalign, which kept other records of its runs, "
            "and it was left as it is; choose another --database, or move the file away"
        ) from error
    _check_state(path, runs, checkpoints)
    return DatabaseStatus(database=path, runs=runs, checkpoints=checkpoints)


def base_tables(connection: "duckdb.DuckDBPyConnection", schema: str = "main", catalog: str = "planalign") -> set[str]:
    """Return the names of the tables of a schema: a view is none, nor is a table that computes a column."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = $catalog and schema_name = $schema "
        "and not contains(upper(sql), 'GENERATED ALWAYS')",
        {"schema": schema, "catalog": catalog},
    ).fetchall()
    return {name for (name,) in rows}


def tables_of_others(connection: "duckdb.DuckDBPyConnection", own: Collection[str]) -> list[str]:
    """Return the tables in the file that no run makes; `own` are those that it makes in the schema `main`."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'planalign' order by all"
    ).fetchall()
    return [
        f"{schema}.{table}"
        for schema, table in rows
        if schema not in _SCHEMAS and not (schema == "main" and table in {*own, *_STATE_TABLES})
    ]


def _names_of_all(connection: "duckdb.DuckDBPyConnection", catalog: str) -> list[str]:
    """Return the names of all tables and views in the file, in any schema."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = $catalog union all "
        "select view_name from duckdb_views() where database_name = $catalog and not internal order by all",
        {"catalog": catalog},
    ).fetchall()
    return [name for (name,) in rows]


def check_ours(db_path: Path) -> None:
    """Refuse an existing file that is not a simulation's. It is opened for reading only, so no other file is changed.

    Errors: DatabaseError, DatabaseBusyError.
    """
    with DatabaseConnectionManager(db_path, read_only=True) as db:
        read_state(db)


def mutex_of(database: Path) -> ExecutionMutex:
    """Return the lock under which a database is written, after a look at the file that is there: it must be ours.

    No lock file is made beside a file of somebody else. Where there is a lock file already, the lock says at once who
    holds it. Errors: DatabaseError, DatabaseBusyError.
    """
    mutex = database_mutex(database)
    if mutex.is_held_here or not database.exists():
        # this process may have the file open: to open and close it once more would let go of DuckDB's own lock
        return mutex
    if not mutex.lock_file.exists() or not (database.is_file() and is_duckdb_file(database)):
        check_ours(database)
    return mutex


def read_status(db_path: Path) -> DatabaseStatus:
    """Return the runs and finished years of a database file. Errors: DatabaseError, DatabaseBusyError."""
    with DatabaseConnectionManager(db_path, read_only=True) as db:
        return read_status_of(db)


def read_status_of(db: DatabaseConnectionManager) -> DatabaseStatus:
    """Return the runs and finished years of an open database. Errors: DatabaseError also when it holds nothing."""
    status = read_state(db)
    if status is None or not status.runs:
        raise DatabaseError(f"{db.db_path} holds no finished year; `planalign run` makes one")
    return status


def now() -> dt.datetime:
    """Return the present moment in UTC, as the state tables hold it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def duckdb_version() -> str:
    """Return the version of the database that computes; digests of other versions are not comparable."""
    import duckdb

    return duckdb.__version__


def _insert(
    connection: "duckdb.DuckDBPyConnection", table: str, columns: Mapping[str, str], values: Mapping[str, Any]
) -> None:
    row = [json.dumps(values[name], sort_keys=True) if name in _JSON_COLUMNS else values[name] for name in columns]
    marks = ", ".join("?" for _ in columns)
    connection.execute(f"insert into planalign.main.{table} ({', '.join(columns)}) values ({marks})", row)


def _rows(
    connection: "duckdb.DuckDBPyConnection", table: str, columns: Mapping[str, str], order: str
) -> tuple[dict[str, Any], ...]:
    """Return the rows of a table of the state. A text that should be JSON and is not stays a text."""
    rows = connection.execute(f"select {', '.join(columns)} from {table} order by {order}").fetchall()
    return tuple(
        {name: _json(value) if name in _JSON_COLUMNS else value for name, value in zip(columns, row, strict=True)}
        for row in rows
    )


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return text


def _check_state(path: Path, runs: Sequence[Mapping[str, Any]], checkpoints: Sequence[Mapping[str, Any]]) -> None:
    """Refuse rows of the state that are not as a run writes them. Errors: DatabaseError naming table and row."""
    from planalign_orchestrator.database.state_rows import problem_of_state

    problem = problem_of_state(runs, checkpoints)
    if problem is not None:
        raise DatabaseError(
            f"{path} is damaged: {visible_line(problem)}. Move it away, then `planalign restore` puts the backup in "
            "its place, or `planalign run` starts again"
        )
