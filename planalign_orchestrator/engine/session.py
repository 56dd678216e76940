"""What both engines do on the simulation's connection: marts with their contracts, and parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.errors import ConfigurationError, DatabaseError, PlanCompilationError
from planalign_orchestrator.plan_compiler import Model, Plan

if TYPE_CHECKING:
    import duckdb

_REFUSAL = "PLANALIGN_CONFIGURATION "


def create_marts(connection: "duckdb.DuckDBPyConnection", plan: Plan) -> None:
    """Create every mart from its contract; one that exists must have exactly these columns. Errors: DatabaseError."""
    for mart in plan.marts:
        columns = ", ".join(f"{c.name} {c.type}{' not null' if c.not_null else ''}" for c in mart.columns)
        connection.execute(f"create table if not exists planalign.main.{mart.name} ({columns})")
    found = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'planalign' and schema_name = 'main' order by table_name, column_index"
    ).fetchall()
    for mart in plan.marts:
        _demand_contract(mart, {name: kind for table, name, kind in found if table == mart.name})


def _demand_contract(mart: Model, found: Mapping[str, str]) -> None:
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


def values_of_year(plan: Plan, year: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter of the plan with its value in a year.

    Errors: PlanCompilationError when the parameters are not exactly those the plan reads, or one is None.
    """
    values = {**parameters, "simulation_year": year}
    wanted = {parameter.name for parameter in plan.parameters}
    if wanted != values.keys():
        missing, extra = sorted(wanted - values.keys()), sorted(values.keys() - wanted)
        raise PlanCompilationError(
            f"the model and the configuration disagree on parameters: not set {missing}, not read {extra}"
        )
    for name, value in values.items():
        if value is None:
            raise PlanCompilationError(f"parameter {name} has no value")
    return values


def set_parameters(
    connection: "duckdb.DuckDBPyConnection", plan: Plan, values: Mapping[str, Any], known: Mapping[str, Any]
) -> None:
    """Set the session variables of the plan, typed, that are not `known` to the connection already.

    Errors: ConfigurationError when a value does not have the type the model reads it with.
    """
    import duckdb

    assignments = [
        f"set variable {parameter.name} = {_quoted(values[parameter.name])}::{parameter.type}"
        for parameter in plan.parameters
        if parameter.name not in known or known[parameter.name] != values[parameter.name]
    ]
    try:
        connection.execute("; ".join(assignments))
    except duckdb.ConversionException as error:
        raise ConfigurationError(f"a parameter does not have the type the model reads it with: {error}") from error


def refusal_in(text: str) -> ConfigurationError | None:
    """Return the error by which the model refuses a configuration, where the database's message holds one."""
    return ConfigurationError(text.split(_REFUSAL, 1)[1].splitlines()[0]) if _REFUSAL in text else None


def _quoted(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"
