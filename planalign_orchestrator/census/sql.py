"""Small helpers for the SQL that the census package writes."""

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import duckdb

# The texts as they stand in the file, and the view of them that leaves out blank rows and says each row's number.
TEXTS_TABLE: Final = "temp.planalign_census_texts"
CLEANED_TABLE: Final = "temp.planalign_census_cleaned"
NUMBERED_TABLE: Final = "temp.planalign_census_numbered"
RAW_VIEW: Final = "temp.planalign_census_raw"
TYPED_TABLE: Final = "temp.planalign_census_typed"
REPEATED_IDS_TABLE: Final = "temp.planalign_census_repeated_ids"
MALFORMED_TABLE: Final = "temp.planalign_census_malformed"
REJECTS_TABLE: Final = "planalign_census_rejects"
REJECTED_SCANS_TABLE: Final = "planalign_census_rejected_scans"
WORKING_TABLES: Final = (
    TEXTS_TABLE,
    CLEANED_TABLE,
    NUMBERED_TABLE,
    TYPED_TABLE,
    REPEATED_IDS_TABLE,
    MALFORMED_TABLE,
    f"temp.{REJECTS_TABLE}",
    f"temp.{REJECTED_SCANS_TABLE}",
)


def days_table(column: str) -> str:
    """Return the name of the table of a date column's distinct texts."""
    return f"temp.planalign_census_days_{column}"


def text_literal(text: str) -> str:
    """Return the text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def qualified_name(name: str) -> str:
    """Return a dotted name unchanged when it is made of plain identifiers, else raise ValueError."""
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2}", name):
        raise ValueError(f"not a plain qualified name: {name!r}")
    return name


def fetch_one(connection: "duckdb.DuckDBPyConnection", statement: str) -> tuple[Any, ...]:
    """Run a statement that yields exactly one row and return that row."""
    row = connection.execute(statement).fetchone()
    if row is None:
        raise LookupError(f"no row from: {statement}")
    return tuple(row)
