"""Whether a database still holds what its runs recorded: the digests of its marts, computed once more.

Nothing that people read is believed unchecked: reports, comparisons and backups are preceded by a verification.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.census import columns_missing_in, fingerprint_of
from planalign_orchestrator.database.checkpoints import (
    DBT,
    DatabaseStatus,
    base_tables,
    digests_by_year,
    duckdb_version,
    read_state,
)
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.identifiers import quoted, quoted_text
from planalign_orchestrator.errors import DamagedDatabaseError
from planalign_orchestrator.escaping import visible_line

if TYPE_CHECKING:
    import duckdb


_ALWAYS_RECORDED = {"fct_yearly_events", "fct_workforce_snapshot", "fct_annual_metrics"}


class Verdict(StrEnum):
    """What recomputing the digests said."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not verified"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Verification:
    """A verdict on a database and the one line that says it: which years, why not, or which table and year."""

    verdict: Verdict
    line: str

    @property
    def has_failed(self) -> bool:
        """Whether the database differs from what was recorded."""
        return self.verdict is Verdict.DIFFERS

    def to_dict(self) -> dict[str, Any]:
        """The verification as JSON values."""
        return asdict(self)

    def check(self, database: Path) -> None:
        """Refuse a database that differs. Errors: DamagedDatabaseError naming table and year."""
        if self.has_failed:
            raise DamagedDatabaseError(
                f"{database}: {self.line} The file was changed by something else or is damaged: move it away, then "
                "`planalign restore` puts a backup in its place, or `planalign run` starts again"
            )


def unverified(why: str) -> Verification:
    """Return the verification of what could not be verified."""
    return Verification(Verdict.NOT_VERIFIED, f"Not verified: {why}.")


def verify(
    db: DatabaseConnectionManager,
    status: DatabaseStatus,
    years: Collection[int] | None = None,
    *,
    catalog: str = "planalign",
) -> Verification:
    """Recompute the digests of the finished years, or of `years` among them, over the columns that were recorded.

    Of all years the whole file is verified: every other table is read, the census is compared with its fingerprint,
    and no mart may hold a year without a checkpoint. `catalog` is the name that the database is attached as.
    """
    chosen = [row for row in status.checkpoints if years is None or row["simulation_year"] in years]
    if not chosen:
        return unverified("there is no finished year")
    others = sorted({row["duckdb_version"] for row in chosen} - {duckdb_version()})
    if others:
        return unverified(
            f"the digests were made by DuckDB {', '.join(map(visible_line, others))}, this is {duckdb_version()}"
        )
    connection = db.get_connection()
    differing = _differing(connection, chosen, catalog)
    if years is None and not differing:
        has_census = "census" in base_tables(connection, "inputs", catalog)
        missing = columns_missing_in(connection, f"{catalog}.inputs.census") if has_census else []
        if missing:
            return unverified(f"another version of planalign wrote it: its census has no {', '.join(missing)}")
        differing = _differing_beside(connection, status, catalog)
    if differing:
        return Verification(Verdict.DIFFERS, f"It differs from what was recorded: {'; '.join(differing)}.")
    span = _span([row["simulation_year"] for row in chosen])
    return Verification(Verdict.VERIFIED, f"Verified: the digests of {span} were recomputed and agree.")


def verify_file(database: Path) -> tuple[DatabaseStatus | None, Verification]:
    """Open a database for reading, and return what it says of itself and whether that is so.

    Errors: DatabaseError, also for a file that cannot be read to its end; DatabaseBusyError.
    """
    with DatabaseConnectionManager(database, read_only=True) as db:
        status = read_state(db)
        return status, unverified("it holds no table") if status is None else verify(db, status)


def rows_of(status: DatabaseStatus) -> int:
    """Return how many rows a verification of all years reads."""
    return sum(digest["rows"] for row in status.checkpoints for digest in row["digests"].values())


def _differing_beside(connection: "duckdb.DuckDBPyConnection", status: DatabaseStatus, catalog: str) -> list[str]:
    """Return what differs beside the marts' finished years: more years, another census, missing inputs.

    Every table of a run is read to its end, so that a damaged block is found wherever it lies.
    """
    last = status.checkpoints[-1]
    tables = [
        (schema, table)
        for schema in ("main", "inputs", "parameters")
        for table in sorted(base_tables(connection, schema, catalog))
    ]
    read = [
        f"select count(hash(whole_row)) from {catalog}.{quoted(schema)}.{quoted(table)} as whole_row"
        for schema, table in tables
        if table not in last["digests"]
    ]
    connection.execute(" union all ".join(read)).fetchall()
    problems = [
        f"parameters.{visible_line(name)} is missing"
        for name in sorted(last["fingerprints"]["parameters"])
        if ("parameters", name) not in tables
    ]
    if ("inputs", "census") not in tables:
        return [*problems, "inputs.census is missing"]
    if fingerprint_of(connection, f"{catalog}.inputs.census") != last["fingerprints"]["census"]:
        problems.append("inputs.census")
    if status.runs[-1]["engine"] != DBT:
        problems += _years_without_checkpoint(connection, status, catalog)
    return problems


def _years_without_checkpoint(
    connection: "duckdb.DuckDBPyConnection", status: DatabaseStatus, catalog: str
) -> list[str]:
    """Return the marts that hold a year without a checkpoint; what dbt did not finish is no difference."""
    finished = ", ".join(map(str, status.years))
    marts = sorted({table for row in status.checkpoints for table in row["digests"]})
    rows = connection.execute(
        " union all ".join(
            f"select {quoted_text(mart)}, simulation_year from {catalog}.main.{quoted(mart)} "
            f"where simulation_year not in ({finished}) group by all"
            for mart in marts
        )
    ).fetchall()
    return [f"{visible_line(mart)} holds {year}, which has no checkpoint" for mart, year in sorted(rows)]


def _differing(connection: "duckdb.DuckDBPyConnection", chosen: Collection[dict[str, Any]], catalog: str) -> list[str]:
    """Return the tables whose years differ, with the years, as texts."""
    existing = _columns(connection, catalog)
    problems = [
        f"no digest of {table} in {row['simulation_year']} was recorded"
        for row in chosen
        for table in sorted(_ALWAYS_RECORDED - row["digests"].keys())
    ]
    years_of: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for row in chosen:
        for table, recorded in row["digests"].items():
            years_of[table, tuple(recorded["columns"])].append(row["simulation_year"])
    wrong: dict[str, list[int]] = defaultdict(list)
    for (table, columns), years in years_of.items():
        missing = [column for column in columns if column not in existing.get(table, ())]
        if table not in existing or missing or not columns:
            what = f"has no column {', '.join(missing)}" if table in existing else "is missing"
            problems.append(visible_line(f"{table} {what}"))
            continue
        now = digests_by_year(connection, {table: columns}, years, catalog)[table]
        for row in chosen:
            year, recorded = row["simulation_year"], row["digests"].get(table)
            if year in years and {name: recorded[name] for name in ("rows", "digest")} != now[year]:
                wrong[table].append(year)
    return problems + [
        f"{visible_line(table)} in {', '.join(map(str, sorted(years)))}" for table, years in wrong.items()
    ]


def _columns(connection: "duckdb.DuckDBPyConnection", catalog: str) -> dict[str, set[str]]:
    """Return the columns of the tables of the schema `main`; views are left out."""
    columns: dict[str, set[str]] = {table: set() for table in base_tables(connection, catalog=catalog)}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = $catalog and schema_name = 'main'",
        {"catalog": catalog},
    ).fetchall():
        if table in columns:
            columns[table].add(column)
    return columns


def _span(years: list[int]) -> str:
    first, last = min(years), max(years)
    if len(years) == last - first + 1:
        return str(first) if first == last else f"{first}-{last}"
    return ", ".join(map(str, sorted(years)))
