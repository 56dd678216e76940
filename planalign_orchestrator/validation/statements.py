"""Tells a query from everything else that SQL can say: a rule is judged by its rows and must not do anything."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# an insert, update, delete or copy within a WITH clause, which DuckDB executes although the statement is a SELECT
_WRITING_NODE = "_QUERY_NODE"


def single_select(text: str) -> str:
    """Return the one SELECT that the text is, without the semicolon after it. Nothing is executed.

    Errors: ValueError saying what the text is instead.
    """
    import duckdb

    with duckdb.connect() as parser:
        try:
            statements = parser.extract_statements(text)
        except duckdb.ParserException as error:
            raise ValueError(f"it is not SQL: {error}") from error
        if not statements:
            raise ValueError("it is empty or holds comments only; write one SELECT of the offending rows")
        kinds = [statement.type.name.lower().replace("_", " ") for statement in statements]
        if len(statements) > 1:
            raise ValueError(f"it holds {len(statements)} statements ({', '.join(kinds)}); a rule is one SELECT")
        if statements[0].type is not duckdb.StatementType.SELECT:
            raise ValueError(_not_a_select(kinds[0]))
        if statements[0].named_parameters:
            raise ValueError("it has parameters, and nothing gives them values; write the values out")
        query = _without_semicolon(statements[0].query)
        _check_reads_only(parser, query)
    return query


def _not_a_select(kind: str) -> str:
    if kind == "multi":
        return "it is a PIVOT whose columns depend on the rows; name its values, as in `pivot t on c in ('a', 'b')`"
    return f"it is a statement of the kind {kind}; a rule is one SELECT of the offending rows"


def _check_reads_only(parser: "duckdb.DuckDBPyConnection", query: str) -> None:
    ((tree,),) = parser.execute("select json_serialize_sql($query::varchar)", {"query": query}).fetchall()
    found = json.loads(tree)
    if found["error"]:
        raise ValueError(f"it is not a query that can be read: {found['error_message']}")
    for kind in _node_types(found):
        if kind.endswith(_WRITING_NODE):
            word = kind.removesuffix(_WRITING_NODE).lower()
            raise ValueError(f"its WITH clause has a statement of the kind {word}; a rule only reads")


def _node_types(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        if isinstance(tree.get("type"), str):
            yield tree["type"]
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from _node_types(branch)


def _without_semicolon(text: str) -> str:
    """Cut a single statement before its semicolon, if it has one; comments may follow."""
    import duckdb

    written = text.encode()
    # a position counts bytes
    for position, kind in duckdb.tokenize(text):
        if kind is duckdb.token_type.operator and written[position : position + 1] == b";":
            return written[:position].decode()
    return text
