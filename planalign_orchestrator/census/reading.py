"""Bring a census file of any supported kind into one temporary table of texts, each row with its place in the file."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from planalign_orchestrator.census import text_files, workbooks
from planalign_orchestrator.census.columns import COLUMNS_BY_NAME
from planalign_orchestrator.census.records import CensusSource
from planalign_orchestrator.census.sql import MALFORMED_TABLE, RAW_TABLE, fetch_one, text_literal
from planalign_orchestrator.errors import CensusError

if TYPE_CHECKING:
    import duckdb

FileKind = Literal["text", "excel", "parquet"]

FILE_KINDS: Final[dict[str, FileKind]] = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xls": "excel",
}

# Words that stand for a blank in every column that is not free text.
BLANK_WORDS: Final = ("null", "none", "n/a", "#n/a", "na", "nan", "nat", "-")

_REJECTS: Final = "planalign_census_rejects"
_REJECTED_SCANS: Final = "planalign_census_rejected_scans"


@dataclass(frozen=True)
class CensusFile:
    """An opened census: its headings in file order and, by kind, what is needed to read its rows.

    `lines` are the physical lines of a text file; `rows` are an Excel sheet's rows including the headings.
    """

    path: Path
    kind: FileKind
    headings: tuple[str, ...]
    delimiter: str = ","
    lines: int = 0
    irregular: bool = False
    rows: Sequence[Sequence[str]] = ()
    sql_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawRows:
    """What `read_rows` found: people (rows with any value), malformed rows among them, and blank rows left out."""

    people: int
    malformed: int
    blank: int
    embedded_line_breaks: int


def open_census(connection: "duckdb.DuckDBPyConnection", source: CensusSource) -> CensusFile:
    """Find the file, check that it is what its ending says, and read its headings.

    Raises CensusError for a missing file, an unsupported ending, an unreadable or empty file, a misplaced
    `census.sheet`.
    """
    path = source.path
    kind = FILE_KINDS.get(path.suffix.lower())
    if not path.exists():
        raise CensusError(f"there is no such file ({path.absolute()}): correct census.path", source=str(path))
    if not path.is_file():
        raise CensusError("this is a folder: census.path must name a file", source=str(path))
    if kind is None:
        supported = ", ".join(FILE_KINDS)
        raise CensusError(f"unknown file ending {path.suffix!r}: supported are {supported}", source=str(path))
    if source.sheet is not None and kind != "excel":
        raise CensusError("census.sheet is for Excel files only: remove it", source=str(path))
    try:
        if kind == "text":
            return _open_text(path)
        if kind == "excel":
            return _open_workbook(path, source.sheet)
        return _open_parquet(connection, path, mark_dates=source.date_format is not None)
    except OSError as error:
        raise CensusError(f"the file cannot be read: {error.strerror}", source=str(path)) from error


def read_rows(
    connection: "duckdb.DuckDBPyConnection", file: CensusFile, positions: Mapping[str, int], *, mark_dates: bool
) -> RawRows:
    """Fill the raw table: `row_number` and one trimmed text column per key of `positions`, blanks as NULL.

    Rows are numbered as a spreadsheet shows them (the heading row is 1); in Parquet the first row is 1. Text rows with
    too few or too many values go to the malformed table instead. With `mark_dates`, dates of a typed Parquet column
    are written as `YYYY-MM-DD 00:00:00`, which no text is confused with.
    """
    import duckdb

    try:
        if file.kind == "parquet":
            _fill(connection, _parquet_rows(file, mark_dates=mark_dates), file, positions)
            connection.execute(f"create or replace temp table {MALFORMED_TABLE} (row_number bigint, problem varchar)")
        else:
            _read_text(connection, file, positions)
    except duckdb.Error as error:
        raise CensusError(f"the rows cannot be read: {str(error).splitlines()[0]}", source=str(file.path)) from error
    kept, blank = fetch_one(connection, f"select count(*) filter (not blank), count(*) filter (blank) from {RAW_TABLE}")
    if blank:
        connection.execute(f"delete from {RAW_TABLE} where blank")
    malformed, blank_lines = fetch_one(
        connection,
        f"select count(problem), count(*) filter (problem is null) from {MALFORMED_TABLE}",
    )
    records = 1 + kept + blank + malformed + blank_lines
    embedded = file.lines - records if file.kind == "text" else 0
    return RawRows(
        people=kept + malformed, malformed=malformed, blank=blank + blank_lines, embedded_line_breaks=max(0, embedded)
    )


def _open_text(path: Path) -> CensusFile:
    scan = text_files.scan_text(path)
    headings, delimiter = text_files.read_heading_row(path)
    return CensusFile(path, "text", tuple(headings), delimiter, scan.lines, scan.irregular)


def _open_workbook(path: Path, sheet: str | None) -> CensusFile:
    rows = workbooks.read_sheet(path, sheet)
    headings = tuple(heading.strip() for heading in rows[0]) if rows else ()
    return CensusFile(path, "excel", headings, rows=rows)


def _open_parquet(connection: "duckdb.DuckDBPyConnection", path: Path, *, mark_dates: bool) -> CensusFile:
    import duckdb

    try:
        described = connection.execute(f"describe select * from {_parquet_scan(path)}").fetchall()
    except duckdb.Error as error:
        raise CensusError(f"not a Parquet file: {str(error).splitlines()[0]}", source=str(path)) from error
    return CensusFile(
        path, "parquet", tuple(str(row[0]) for row in described), sql_types=tuple(str(row[1]) for row in described)
    )
