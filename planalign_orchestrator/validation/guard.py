"""Proves after each rule that users wrote as code that it only read.

Such a rule runs on the run's connection, within the year's transaction, because only there is the year it judges. So it
could change that year or an earlier one, end the transaction, or leave the session other than it found it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.identifiers import quoted, quoted_text
from planalign_orchestrator.files.atomic import real_path
from planalign_orchestrator.validation.results import RuleError

if TYPE_CHECKING:
    import duckdb

_SHOWN = 5
# everything that a name in a query can mean: in the simulation's file, among temporary tables, in the session's memory
_OBJECTS = """
    select concat_ws('.', database_name, schema_name, table_name), sql from duckdb_tables()
    where database_name <> 'working'
    union all
    select concat_ws('.', database_name, schema_name, view_name), sql from duckdb_views()
    where not internal and database_name <> 'working'
    union all
    select concat_ws('.', database_name, schema_name, index_name), sql from duckdb_indexes()
    where database_name <> 'working'
    union all
    select concat_ws('.', database_name, schema_name, sequence_name), sql from duckdb_sequences()
    where database_name <> 'working'
    union all
    select concat_ws('.', database_name, schema_name, type_name), logical_type from duckdb_types()
    where not internal and database_name <> 'working'
    union all
    select concat_ws('.', database_name, schema_name, function_name), macro_definition from duckdb_functions()
    where not internal and database_name <> 'working'
    union all
    select concat_ws('.', database_name, schema_name), 'schema' from duckdb_schemas()
    where not internal and database_name <> 'working'
"""


@dataclass(frozen=True)
class State:
    """What a rule must leave as it found it; `contents` are rows and digest by table, `files` their sizes and times."""

    transaction: int
    files: tuple[tuple[int, int] | None, ...]
    settings: Mapping[str, str]
    objects: Mapping[str, str]
    contents: Mapping[str, tuple[int, str]]


def state_of(db: DatabaseConnectionManager) -> State:
    """Return the present state of a simulation's file, of the session and of the transaction."""
    connection, real = db.get_connection(), real_path(db.db_path)
    return State(
        transaction=transaction_of(connection),
        files=tuple(_trace(path) for path in (real, real.with_name(f"{real.name}.wal"))),
        settings=dict(connection.execute("select name, value from duckdb_settings()").fetchall()),
        objects=dict(connection.execute(_OBJECTS).fetchall()),
        contents=_contents(connection),
    )


def transaction_of(connection: "duckdb.DuckDBPyConnection") -> int:
    """Return the number of the open transaction; without one, every statement has another number."""
    ((number,),) = connection.execute("select txid_current()").fetchall()
    return int(number)


def check_unchanged(rule: str, year: int, before: State, after: State) -> None:
    """Refuse what a rule did beside reading. Errors: RuleError naming the rule and what it did."""
    did = _changes(before, after)
    if before.transaction != after.transaction:
        did.insert(0, "ended the year's transaction")
    elif before.files != after.files:
        did.insert(0, "wrote to the file past the year's transaction")
    if not did:
        return
    found = " and ".join(did)
    remedy = "the year was rolled back"
    if before.files != after.files:
        remedy = (
            "the year was removed, but what became of earlier years is not undone: --resume refuses them if they were "
            "changed, and then restore the backup or run again without --resume"
        )
    raise RuleError(
        f"year {year}, validation rule {rule} {found}; a rule only reads; {remedy}",
        rule=rule,
        reason=f"it {found}; a rule only reads",
    )


def _changes(before: State, after: State) -> list[str]:
    did = []
    changed = [
        f"{table} ({before.contents[table][0]:,} rows before, {after.contents[table][0]:,} after)"
        for table in sorted(before.contents.keys() & after.contents.keys())
        if before.contents[table] != after.contents[table]
    ]
    if changed:
        did.append(f"changed {_listed(changed)}")
    made = sorted(after.objects.keys() - before.objects.keys())
    if made:
        did.append(f"left {_listed(made)} behind")
    dropped = sorted(before.objects.keys() - after.objects.keys())
    if dropped:
        did.append(f"dropped {_listed(dropped)}")
    altered = sorted(name for name in before.objects.keys() & after.objects.keys() if _differ(before, after, name))
    if altered:
        did.append(f"altered {_listed(altered)}")
    settings = [
        f"{name} from {value or 'nothing'} to {after.settings[name] or 'nothing'}"
        for name, value in before.settings.items()
        if after.settings.get(name, value) != value
    ]
    if settings:
        did.append(f"set {_listed(settings)}")
    return did


def _differ(before: State, after: State, name: str) -> bool:
    return before.objects[name] != after.objects[name]


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _contents(connection: "duckdb.DuckDBPyConnection") -> dict[str, tuple[int, str]]:
    """Return rows and digest of every table of the simulation's file: a sum of row hashes, as in a checkpoint."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'planalign' order by all"
    ).fetchall()
    sums = [
        f"select {quoted_text(f'{schema}.{table}')}, count(*), coalesce(sum(hash(whole_row)), 0)::varchar "
        f"from planalign.{quoted(schema)}.{quoted(table)} as whole_row"
        for schema, table in tables
    ]
    if not sums:
        return {}
    found = connection.execute(" union all ".join(sums)).fetchall()
    return {name.removeprefix("main."): (rows, digest) for name, rows, digest in found}


def _trace(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file, which a commit changes; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
