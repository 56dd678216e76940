"""What both engines do on the simulation's connection: marts with contracts, working memory, types of parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.database.connection import ROW_GROUP_SIZE
from planalign_orchestrator.errors import ConfigurationError, DatabaseError
from planalign_orchestrator.model import CompiledModel, Model, literal

if TYPE_CHECKING:
    import duckdb

_REFUSAL = "PLANALIGN_CONFIGURATION "


def open_working_memory(connection: "duckdb.DuckDBPyConnection") -> None:
    """Attach the database of the working tables: in memory, gone with the connection."""
    connection.execute(f"attach if not exists ':memory:' as working (row_group_size {ROW_GROUP_SIZE})")


def create_marts(connection: "duckdb.DuckDBPyConnection", compiled: CompiledModel) -> None:
    """Create every mart from its contract; one that exists must have exactly these columns. Errors: DatabaseError."""
    for mart in compiled.marts:
        columns = ", ".join(f"{c.name} {c.type}{' not null' if c.not_null else ''}" for c in mart.columns)
        connection.execute(f"create table if not exists planalign.main.{mart.name} ({columns})")
    # not `duckdb_columns()`, which takes 20 ms to look at every view there is
    infos = (
        f"select '{m.name}', name, type, cid from pragma_table_info('planalign.main.{m.name}')" for m in compiled.marts
    )
    found = connection.execute(f"{' union all '.join(infos)} order by 1, 4").fetchall()
    for mart in compiled.marts:
        _check_contract(mart, {name: kind for table, name, kind, _ in found if table == mart.name})


def _check_contract(mart: Model, found: Mapping[str, str]) -> None:
    wanted = {column.name: column.type for column in mart.columns}
    if list(found.items()) != list(wanted.items()):
        differing = sorted(
            f"{name} is {found.get(name, 'missing')}, not {wanted.get(name, 'expected')}"
            for name in found.keys() | wanted.keys()
            if found.get(name) != wanted.get(name)
        )
        raise DatabaseError(
            f"{mart.name}: the table in the database does not have the contract's columns: "
            f"{'; '.join(differing) or 'another order'}"
        )


def check_types(connection: "duckdb.DuckDBPyConnection", compiled: CompiledModel, values: Mapping[str, Any]) -> None:
    """Every parameter's value must have the type the model reads it with. Errors: ConfigurationError."""
    import duckdb

    typed = ", ".join(literal(values[one.name], one.type) for one in compiled.parameters if one.name in values)
    try:
        connection.execute(f"select {typed}")
    except duckdb.ConversionException as error:
        raise ConfigurationError(f"a parameter does not have the type the model reads it with: {error}") from error


def refusal_in(text: str) -> ConfigurationError | None:
    """Return the error by which the model refuses a configuration, where the database's message holds one."""
    return ConfigurationError(text.split(_REFUSAL, 1)[1].splitlines()[0]) if _REFUSAL in text else None
