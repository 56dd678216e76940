"""Whether a run can go on with a database: its years are whole, and they were made from the same things."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.config import PARAMETER_TABLES, describe_change, describe_differences
from planalign_orchestrator.database.checkpoints import DBT, DatabaseStatus, Relation, base_tables, mart_digests
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.identifiers import quoted
from planalign_orchestrator.errors import DatabaseError, ResumeError
from planalign_orchestrator.escaping import visible_line

if TYPE_CHECKING:
    import duckdb

Fingerprints = Mapping[str, Any]

_BY_YEAR = "irs_limits.by_year."
# lists of events, each with its date
_DATED = ("workforce.reductions", "workforce.acquisitions")
_TABLES = "parameters."


def verify_years(connection: "duckdb.DuckDBPyConnection", status: DatabaseStatus, marts: Sequence[Relation]) -> None:
    """The years in every mart must be the years with a checkpoint, and each must still have its digests.

    Errors: DatabaseError naming mart and years; a difference is never repaired silently.
    """
    import duckdb

    if missing := _missing_tables(connection, status, marts):
        raise changed_by_hand(status.database, f"{', '.join(missing)}: there is no such table")
    for mart in marts:
        try:
            _check_years(connection, status, mart)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise changed_by_hand(status.database, f"{mart.name}: {str(error).splitlines()[0]}") from error
    for row in status.checkpoints:
        year = row["simulation_year"]
        now = mart_digests(connection, marts, year)
        changed = [name for name, digest in now.items() if digest != row["digests"][name]]
        if changed:
            raise changed_by_hand(
                status.database, f"year {year} of {', '.join(changed)} is not what its checkpoint recorded"
            )


def _missing_tables(
    connection: "duckdb.DuckDBPyConnection", status: DatabaseStatus, marts: Sequence[Relation]
) -> list[str]:
    """Return the tables that a run reads and that are missing, or are views, which could read anything."""
    wanted = {
        "main": {mart.name for mart in marts},
        "inputs": {"census"},
        "parameters": {name for row in status.checkpoints for name in row["fingerprints"]["parameters"]},
    }
    return [
        visible_line(f"{schema}.{name}")
        for schema, names in wanted.items()
        for name in sorted(names - base_tables(connection, schema))
    ]


def remove_unfinished_year(
    db: DatabaseConnectionManager, models: Sequence[Relation], *, engines: Collection[str] = (DBT,)
) -> bool:
    """Remove what a run that was stopped left of a year without a checkpoint; return whether a mart held rows of it.

    Only dbt leaves such rows, and a run that knows that rows are its own. In the file of another run they are somebody
    else's, and stay; so do tables that are not of the models. Errors: DatabaseError.
    """
    with db.transaction() as connection:
        last = connection.execute(
            "select engine from planalign.main.run_metadata order by rowid desc limit 1"
        ).fetchone()
        removed = 0
        if last is not None and last[0] in engines:
            removed = _remove_rows_of_unfinished_year(connection, [model.name for model in models if model.is_mart])
            drop_working_tables(connection, models)
        connection.execute(
            "delete from planalign.main.run_metadata "
            "where run_id not in (select run_id from planalign.main.checkpoints)"
        )
    return removed > 0


def drop_working_tables(connection: "duckdb.DuckDBPyConnection", models: Iterable[Relation]) -> None:
    """Drop what dbt built in the file besides the marts; the schema goes with it unless it holds something else."""
    present = base_tables(connection, "working")
    own = present & {model.name for model in models if not model.is_mart}
    for name in sorted(own):
        connection.execute(f"drop table planalign.working.{quoted(name)}")
    if own and own == present:
        connection.execute("drop schema planalign.working")


def _remove_rows_of_unfinished_year(connection: "duckdb.DuckDBPyConnection", marts: Iterable[str]) -> int:
    removed = 0
    for mart in sorted(base_tables(connection) & set(marts)):
        found = connection.execute(
            f"delete from planalign.main.{quoted(mart)} "
            "where simulation_year > (select coalesce(max(simulation_year), 0) from planalign.main.checkpoints)"
        ).fetchone()
        removed += found[0] if found is not None else 0
    return removed


def changed_by_hand(database: Path, finding: str) -> DatabaseError:
    """Return the error for a database that is not what its runs left."""
    return DatabaseError(
        f"{database}: {finding}; the file was changed by something else. Restore the backup or run again without "
        "--resume"
    )


def _check_years(connection: "duckdb.DuckDBPyConnection", status: DatabaseStatus, mart: Relation) -> None:
    found = {name for (name, *_) in connection.execute(f"describe planalign.main.{quoted(mart.name)}").fetchall()}
    missing = [column.name for column in mart.columns if column.name not in found]
    if missing:
        raise changed_by_hand(status.database, f"{mart.name} has no column {', '.join(missing)}")
    expected = {row["simulation_year"] for row in status.checkpoints if row["digests"][mart.name]["rows"]}
    rows = connection.execute(f"select distinct simulation_year from planalign.main.{quoted(mart.name)}").fetchall()
    years = {year for (year,) in rows}
    if years != expected:
        raise changed_by_hand(
            status.database,
            f"{mart.name} holds the years {sorted(years)}, the checkpoints say {sorted(expected)}",
        )


def check_same_origin(
    status: DatabaseStatus, fingerprints_of: Callable[[int], Fingerprints], duckdb_version: str
) -> None:
    """Refuse to continue a database whose years were made from something else than they would be made from now.

    Errors: ResumeError naming each difference, and the first year that it is found in.
    """
    found: dict[str, int] = {}
    for row in status.checkpoints:
        year = row["simulation_year"]
        for difference in differences_of_origin(row["fingerprints"], fingerprints_of(year), year):
            found.setdefault(difference, year)
    last, first_year = status.checkpoints[-1], status.checkpoints[0]["simulation_year"]
    differences = [text if year == first_year else f"{text} (in {year})" for text, year in found.items()]
    if last["duckdb_version"] != duckdb_version:
        differences.append(f"DuckDB: was {last['duckdb_version']}, is now {duckdb_version}")
    if differences:
        lines = "\n".join(f"  - {difference}" for difference in differences)
        raise ResumeError(
            f"{status.database} cannot be continued, it was made from something else:\n{lines}\n"
            "Undo the change, or run without --resume to start again (the present file is kept as a backup)."
        )


def differences_of_origin(before: Fingerprints, now: Fingerprints, year: int) -> list[str]:
    """A sentence for everything that differs in what two runs made their years up to `year` from; empty if nothing."""
    differences = describe_differences(
        _settings_of(before["configuration"], year), _settings_of(now["configuration"], year)
    )
    tables = before["parameters"].keys() | now["parameters"].keys()
    differences += [
        f"parameters.{name}: the table has other rows"
        for name in sorted(tables)
        if before["parameters"].get(name) != now["parameters"].get(name)
    ]
    if before["census"] != now["census"]:
        differences.append(
            f"census: its people are not those of the run (was {before['census']}, is now {now['census']})"
        )
    if before.get("acquired", {}) != now.get("acquired", {}):
        differences.append("workforce.acquisitions: the people of an acquisition are not those of the run")
    if before["model"] != now["model"]:
        differences.append(f"model: the SQL models changed (was {before['model']}, is now {now['model']})")
    return differences


def changes_by_year(checkpoints: Sequence[Mapping[str, Any]]) -> dict[int, tuple[str, ...]]:
    """Return what each finished year was made from otherwise than the year before: keys and assumption tables."""
    found: dict[int, tuple[str, ...]] = {}
    before: Fingerprints | None = None
    for row in checkpoints:
        now, year = row["fingerprints"], row["simulation_year"]
        found[year] = () if before is None else tuple(_changes(before, now, year))
        before = now
    return found


def _changes(before: Fingerprints, now: Fingerprints, year: int) -> list[str]:
    tables = [
        f"parameters.{name} other rows"
        for name in PARAMETER_TABLES
        if before["parameters"].get(name) != now["parameters"].get(name)
    ]
    settings = (_settings_of(made_from["configuration"], year) for made_from in (before, now))
    return [*describe_change(*settings), *tables]


def _settings_of(configuration: Mapping[str, Any], year: int) -> dict[str, Any]:
    """Leave out what is of years that are not simulated yet and may still be set: limits, and events by their date.

    Tables are left out, too: their rows are compared however they were given.
    """
    kept = {
        key: value
        for key, value in configuration.items()
        if not key.startswith(_TABLES)
        and (not (key.startswith(_BY_YEAR) and (last := key.rpartition(".")[2]).isdecimal()) or int(last) <= year)
    }
    return kept | {
        key: [_without_files(entry) for entry in kept[key] if int(str(entry["date"])[:4]) <= year]
        for key in _DATED
        if key in kept
    }


def _without_files(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out where a file lies: its people are compared themselves."""
    return {name: value for name, value in entry.items() if name != "census"}
