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
SPELLS_TABLE: Final = "temp.planalign_census_spells"
MALFORMED_TABLE: Final = "temp.planalign_census_malformed"
REJECTS_TABLE: Final = "planalign_census_rejects"
REJECTED_SCANS_TABLE: Final = "planalign_census_rejected_scans"
WORKING_TABLES: Final = (
    TEXTS_TABLE,
    CLEANED_TABLE,
    NUMBERED_TABLE,
    TYPED_TABLE,
    REPEATED_IDS_TABLE,
    SPELLS_TABLE,
    MALFORMED_TABLE,
    f"temp.{REJECTS_TABLE}",
    f"temp.{REJECTED_SCANS_TABLE}",
)


# What a terminal obeys or what cannot be seen: C0, DEL and C1, line and paragraph separators, marks and overrides of
# the direction of writing, and spaces without width.
CONTROL_CHARACTERS: Final = (
    r"[\x{00}-\x{1f}\x{7f}-\x{9f}\x{61c}\x{200b}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2060}\x{2066}-\x{2069}\x{feff}]"
)
_CONTROL_CHARACTER: Final = re.compile(
    re.sub(r"\\x\{(\w+)\}", lambda code: re.escape(chr(int(code[1], 16))), CONTROL_CHARACTERS)
)


def days_table(column: str) -> str:
    """Return the name of the table of a date column's distinct texts."""
    return f"temp.planalign_census_days_{column}"


def text_literal(text: str) -> str:
    """Return the text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def has_control_character(text: str) -> bool:
    """Return whether a text holds any of the characters in `CONTROL_CHARACTERS`."""
    return _CONTROL_CHARACTER.search(text) is not None


def escaped(text: str) -> str:
    """Return a text as a screen may show it, control characters as `\\x1b`."""
    return _CONTROL_CHARACTER.sub(lambda c: f"\\x{ord(c[0]):02x}" if c[0] < "\u0100" else f"\\u{ord(c[0]):04x}", text)


def quoted_value(text: str, *, longest: int | None = None) -> str:
    """Return SQL for a text in quotes as a screen may show it: cut to a length, control characters as `\\x1b`."""
    cut = text if longest is None else f"left({text}, {longest})"
    control = text_literal(CONTROL_CHARACTERS)
    code = "case when unicode(c) < 256 then printf('\\x%02x', unicode(c)) else printf('\\u%04x', unicode(c)) end"
    character = f"case when regexp_matches(c, {control}) then {code} else c end"
    characters = f"list_transform(string_split({cut}, ''), lambda c: {character})"
    escaped = f"case when regexp_matches({cut}, {control}) then array_to_string({characters}, '') else {cut} end"
    return f"chr(39) || {escaped} || chr(39)"


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
