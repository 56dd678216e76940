"""Bring a census file of any supported kind into one temporary table of texts, each row with its place in the file."""

import contextlib
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Final, Literal

from planalign_orchestrator.census.columns import COLUMNS_BY_NAME, Column
from planalign_orchestrator.census.heading_row import SEARCHED_ROWS, HeadingRow, find_heading_row
from planalign_orchestrator.census.records import CensusSource
from planalign_orchestrator.census.sql import (
    CLEANED_TABLE,
    MALFORMED_TABLE,
    NUMBERED_TABLE,
    RAW_VIEW,
    REJECTED_SCANS_TABLE,
    REJECTS_TABLE,
    TEXTS_TABLE,
    escaped,
    fetch_one,
    has_control_character,
    text_literal,
)
from planalign_orchestrator.census.values import BLANK_WORDS, NOT_AVAILABLE, PLAIN
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.files import text
from planalign_orchestrator.files.spilling import spilled, tidy
from planalign_orchestrator.files.stray_cells import StrayCells

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

# More, or longer ones, are no headings of a census, and each is compared with every known name.
MOST_COLUMNS: Final = 1_000
LONGEST_HEADING: Final = 1_000

_NO_BLANKS_AROUND: Final = r"[!-~]([ -~]*[!-~])?"


@dataclass(frozen=True)
class CensusFile:
    """An opened census: its headings in file order and, by kind, what is needed to read its rows.

    `lines` are the physical lines of a text file; `rows` are an Excel sheet's rows including the headings, and `strays`
    its cells outside them. The headings end with row `heading_row`; rows after `last_row` are no people. `notes` say
    how the file was understood.
    """

    path: Path
    kind: FileKind
    headings: tuple[str, ...]
    delimiter: str = ","
    lines: int = 0
    irregular: bool = False
    rows: Sequence[Sequence[str]] = ()
    strays: StrayCells = field(default_factory=StrayCells)
    sql_types: tuple[str, ...] = ()
    encoding: str = text.UTF_8
    heading_row: int = 1
    looks_like_data: bool = False
    last_row: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawRows:
    """What `read_rows` found: people (rows with any value), malformed rows among them, and blank rows left out.

    `left_out` counts the rows that `census.ignore_rows` names. `plain` names the columns whose values all have the form
    in `PLAIN`.
    """

    people: int
    malformed: int
    blank: int
    embedded_line_breaks: int
    plain: frozenset[str]
    left_out: int = 0


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
    if source.encoding is not None and kind != "text":
        raise CensusError("census.encoding is for text files only: remove it", source=str(path))
    if source.header_row is not None and kind == "parquet":
        raise CensusError("census.header_row is for text and Excel files: remove it", source=str(path))
    try:
        if kind == "text":
            file = _open_text(source)
        elif kind == "excel":
            file = _open_workbook(source)
        else:
            file = _open_parquet(connection, path)
    except OSError as error:
        raise CensusError(f"the file cannot be read: {error.strerror}", source=str(path)) from error
    file = replace(file, last_row=source.last_row)
    _check_headings(file)
    return file


def _check_headings(file: CensusFile) -> None:
    """Refuse headings that cannot be any; blanks of every kind may stand in one, as a line break does in Excel."""
    problems = []
    if not any(file.headings):
        problems.append(
            f"row {file.heading_row} holds no headings: it must name the columns; or say with"
            " census.header_row which row does"
        )
    if file.last_row is not None and file.kind != "parquet" and file.last_row <= file.heading_row:
        problems.append(f"census.last_row is {file.last_row}, but the headings are in row {file.heading_row}")
    if len(file.headings) > MOST_COLUMNS:
        problems.append(
            f"row {file.heading_row} names {len(file.headings):,} columns, more than {MOST_COLUMNS:,}: remove what is"
            " no census"
        )
    else:
        for place, heading in enumerate(file.headings, start=1):
            if len(heading) > LONGEST_HEADING:
                problems.append(
                    f"the heading of column {place} is longer than {LONGEST_HEADING:,} characters: shorten it"
                )
            elif has_control_character(heading.translate(dict.fromkeys(map(ord, "\t\r\n"), " "))):
                shown = escaped(heading)
                problems.append(
                    f"the heading of column {place}, '{shown}', contains a control character: remove it from row"
                    f" {file.heading_row}"
                )
    if problems:
        raise CensusError(problems, source=str(file.path))


def read_rows(
    connection: "duckdb.DuckDBPyConnection",
    file: CensusFile,
    positions: Mapping[str, int],
    *,
    mark_dates: bool,
    left_out: text.LeftOut | None = None,
    codes: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> RawRows:
    """Fill the raw view: `row_number` and one trimmed text column per key of `positions`, blanks as NULL.

    Rows are numbered as a spreadsheet shows them (the heading row is 1); in Parquet the first row is 1. Text rows with
    too few or too many values go to the malformed table instead. With `mark_dates`, dates of a typed Parquet column
    are written as `YYYY-MM-DD 00:00:00`, which no text is confused with. Rows `left_out` are blank ones. `codes` are by
    column the words (lower case) that are values even though they stand for a blank elsewhere.
    """
    import duckdb

    tidy()
    try:
        with _in_file_order(connection):
            if file.kind == "parquet":
                plain, ignored = _read_parquet(connection, file, positions, left_out, codes, mark_dates=mark_dates)
            else:
                plain, ignored = _read_text(connection, file, positions, left_out, codes)
    except duckdb.Error as error:
        raise CensusError(f"the rows cannot be read: {str(error).splitlines()[0]}", source=str(file.path)) from error
    except OSError as error:
        problem = (
            f"the rows cannot be copied to {tempfile.gettempdir()}: {error.strerror}: set TMPDIR to another folder"
        )
        raise CensusError(problem, source=str(file.path)) from error
    (kept,) = fetch_one(connection, f"select count(*) from {RAW_VIEW}")
    (written,) = fetch_one(connection, f"select count(*) from {TEXTS_TABLE}")
    malformed, blank_lines = fetch_one(
        connection, f"select count(problem), count(*) filter (problem is null) from {MALFORMED_TABLE}"
    )
    records = file.heading_row + written + malformed + blank_lines
    return RawRows(
        people=kept + malformed,
        malformed=malformed,
        blank=written - kept + blank_lines - ignored,
        embedded_line_breaks=max(0, file.lines - records) if file.kind == "text" and file.last_row is None else 0,
        plain=plain,
        left_out=ignored,
    )


@contextlib.contextmanager
def _in_file_order(connection: "duckdb.DuckDBPyConnection") -> Iterator[None]:
    """Keep the order of the file in tables, for any setting of the connection: the row numbers rest on it."""
    (kept,) = fetch_one(connection, "select current_setting('preserve_insertion_order')")
    if not kept:
        connection.execute("set preserve_insertion_order = true")
    yield
    if not kept:
        connection.execute("set preserve_insertion_order = false")


def _open_text(source: CensusSource) -> CensusFile:
    path = source.path
    scan = text.scan_text(path, source.encoding)
    own = (*source.columns.values(), *source.ignore_columns)
    found = None
    for delimiter, rows in text.first_rows(path, scan.encoding, _looked_at(source)).items():
        heading_row, weight = find_heading_row(rows, source.header_row, own)
        # the first delimiter is the most probable one; another one must tell more
        if found is None or weight > found[2]:
            found = (heading_row, delimiter, weight)
    if found is None:
        raise LookupError("a text without a delimiter")
    return _with_headings(
        CensusFile(path, "text", (), found[1], scan.lines, scan.irregular, encoding=scan.encoding), found[0], scan.note
    )


def _open_workbook(source: CensusSource) -> CensusFile:
    # what reads a workbook is loaded for a workbook only
    from planalign_orchestrator.files import excel

    found = excel.read_sheet(source.path, source.sheet)
    own = (*source.columns.values(), *source.ignore_columns)
    heading_row, _ = find_heading_row(found.rows[: _looked_at(source)], source.header_row, own)
    return _with_headings(CensusFile(source.path, "excel", (), rows=found.rows, strays=found.strays), heading_row)


def _looked_at(source: CensusSource) -> int:
    """Return how many rows of a file are looked at for its headings."""
    return max(SEARCHED_ROWS, (source.header_row or 0) + 1)


def _with_headings(file: CensusFile, found: HeadingRow, note: str | None = None) -> CensusFile:
    notes = [note] if note else []
    if found.row > 1:
        notes.append(f"the headings are in row {found.row}; what stands above is not read")
    return replace(
        file,
        headings=found.headings,
        heading_row=found.row,
        looks_like_data=found.looks_like_data,
        irregular=file.irregular or found.row > 1,
        notes=tuple(notes),
    )


def _open_parquet(connection: "duckdb.DuckDBPyConnection", path: Path) -> CensusFile:
    import duckdb

    try:
        columns = connection.execute(f"describe select * from {_parquet_scan(path)}").fetchall()
    except duckdb.Error as error:
        raise CensusError(f"not a Parquet file: {str(error).splitlines()[0]}", source=str(path)) from error
    headings = tuple(str(column[0]).strip() for column in columns)
    return CensusFile(path, "parquet", headings, sql_types=tuple(str(column[1]) for column in columns))


def _read_parquet(
    connection: "duckdb.DuckDBPyConnection",
    file: CensusFile,
    positions: Mapping[str, int],
    left_out: text.LeftOut | None,
    codes: Mapping[str, Collection[str]],
    *,
    mark_dates: bool,
) -> tuple[frozenset[str], int]:
    connection.execute(f"create or replace temp table {MALFORMED_TABLE} (row_number bigint, problem varchar)")
    rows = _parquet_rows(file, mark_dates=mark_dates)
    ignored = 0
    if left_out is not None:
        words = ", ".join(map(text_literal, left_out.words))
        holds = f"coalesce(lower(trim(c{left_out.place}, {text_literal(text.BLANKS)})) in ({words}), false)"
        (ignored,) = fetch_one(connection, f"select count(*) from ({rows}) where {holds}")
        names = [f"c{place}" for place in range(len(file.headings))]
        rows = f"select {', '.join(f'case when not {holds} then {name} end as {name}' for name in names)} from ({rows})"
    return _fill(connection, rows, file, _columns(positions), _others_blank(file, positions), codes), ignored


def _read_text(
    connection: "duckdb.DuckDBPyConnection",
    file: CensusFile,
    positions: Mapping[str, int],
    left_out: text.LeftOut | None,
    codes: Mapping[str, Collection[str]],
) -> tuple[frozenset[str], int]:
    """Fill the raw view and the malformed table from a text file or, by way of a private copy, from an Excel sheet."""
    width = len(file.headings)
    ignored = 0
    if file.kind == "excel" or file.irregular or file.last_row is not None or left_out is not None:
        plain, ignored = _read_copy(connection, file, positions, left_out, codes)
    else:
        scan = _text_scan(file.path, file.delimiter, width)
        plain = _fill(connection, scan, file, _columns(positions), _others_blank(file, positions), codes)
    connection.execute(f"""
        create or replace temp table {MALFORMED_TABLE} as
        select
            line::bigint + {file.heading_row - 1} as row_number,
            case
                when trim(min(csv_line), e' \\t\\r\\n') = '' then null
                when min(error_type) = 'MISSING COLUMNS' then 'has fewer than {width} values'
                when min(error_type) = 'TOO MANY COLUMNS' then 'has more than {width} values'
                else 'cannot be split into values'
            end as problem
        from temp.{REJECTS_TABLE}
        group by line
    """)
    connection.execute(f"drop table temp.{REJECTS_TABLE}")
    connection.execute(f"drop table temp.{REJECTED_SCANS_TABLE}")
    _refuse_broken_rows(connection, file)
    _count_malformed_rows(connection)
    _add_stray_rows(connection, file)
    return plain, ignored


def _read_copy(
    connection: "duckdb.DuckDBPyConnection",
    file: CensusFile,
    positions: Mapping[str, int],
    left_out: text.LeftOut | None,
    codes: Mapping[str, Collection[str]],
) -> tuple[frozenset[str], int]:
    """Fill the table of texts from a private copy of the columns that are read; the others may be of any secrecy."""
    selection = text.Selection(
        len(file.headings),
        tuple(positions.values()),
        frozenset(file.strays.rows),
        file.heading_row,
        file.last_row,
        left_out,
    )
    ignored = 0

    def write(target: IO[str]) -> None:
        nonlocal ignored
        if file.kind == "excel":
            ignored = text.copy_rows(file.rows, selection, target)
        else:
            ignored = text.copy_text(file.path, file.delimiter, file.encoding, selection, target)

    columns = {name: f"c{place}" for place, name in enumerate(positions, start=1)}
    with spilled(write) as copy:
        scan = _text_scan(copy, ",", selection.copied_width, line_end="\\r\\n")
        return _fill(connection, scan, file, columns, "c0 is null", codes), ignored


def _add_stray_rows(connection: "duckdb.DuckDBPyConnection", file: CensusFile) -> None:
    """Count rows below an Excel table that hold nothing but cells outside it; the rows of the table are marked."""
    last = file.last_row or max(file.strays.rows, default=0)
    rows = sorted(row for row in file.strays.rows if len(file.rows) < row <= last)
    if rows:
        problem = f"lies outside the table ({file.strays}): clear what is outside, or move it into the table"
        connection.execute(f"insert into {MALFORMED_TABLE} select unnest(?::bigint[]), ?", [rows, problem])


def _refuse_broken_rows(connection: "duckdb.DuckDBPyConnection", file: CensusFile) -> None:
    """Stop at a row that has no end: an open quote swallows the rows after it, so their number is unknown."""
    count, first = fetch_one(
        connection,
        f"select count(*), min(row_number) from {MALFORMED_TABLE} where problem = 'cannot be split into values'",
    )
    if count:
        problem = f"row {first} cannot be split into values: is a quote not closed, or is this not a text file?"
        raise CensusError(problem, source=str(file.path))


def _count_malformed_rows(connection: "duckdb.DuckDBPyConnection") -> None:
    """Renumber the raw view so that the malformed rows between its rows count."""
    if fetch_one(connection, f"select count(*) from {MALFORMED_TABLE}") == (0,):
        return
    connection.execute(f"""
        create or replace temp table {NUMBERED_TABLE} as
        with numbered as (
            select row_number, row_number() over (order by row_number) as place from {MALFORMED_TABLE}
        ),
        gaps as (
            select row_number - place as last_row_before, max(place) as malformed_before from numbered group by all
        )
        select raw.* replace (raw.row_number + coalesce(gaps.malformed_before, 0) as row_number)
        from {RAW_VIEW} as raw
        asof left join gaps on raw.row_number > gaps.last_row_before
    """)
    connection.execute(f"create or replace temp view {RAW_VIEW} as select * from {NUMBERED_TABLE}")


def _columns(positions: Mapping[str, int]) -> dict[str, str]:
    return {name: f"c{position}" for name, position in positions.items()}


def _others_blank(file: CensusFile, positions: Mapping[str, int]) -> str:
    """Return SQL that is true where the columns that are not read hold nothing."""
    unread = [_trimmed(f"c{position}") for position in range(len(file.headings)) if position not in positions.values()]
    return f"coalesce({', '.join(unread)}) is null" if unread else "true"


def _fill(
    connection: "duckdb.DuckDBPyConnection",
    rows: str,
    file: CensusFile,
    positions: Mapping[str, str],
    unread_blank: str,
    codes: Mapping[str, Collection[str]],
) -> frozenset[str]:
    """Create the table of texts from a query that yields the texts c0, c1, ..., and the raw view on it.

    `positions` are the columns of the query by name, `unread_blank` is SQL over them. Returns the columns in which
    every text is plain.
    """
    texts = "".join(f", {position} as {name}" for name, position in positions.items())
    connection.execute(f"""
        create or replace temp table {TEXTS_TABLE} as
        select {unread_blank} as unread_blank{texts} from ({rows})
    """)
    first_row = 1 if file.kind == "parquet" else file.heading_row + 1
    first_id, last_id, count, *all_plain = fetch_one(
        connection,
        f"""
        select
            coalesce(min(rowid), 0), coalesce(max(rowid), -1), count(*)
            {"".join(f", coalesce(bool_and({_plain(name)}), true)" for name in positions)}
        from {TEXTS_TABLE}
        """,
    )
    # Row ids follow the order of the file; numbering them in a window would tie the whole scan to one thread.
    if last_id - first_id + 1 != count:
        raise CensusError("the rows cannot be numbered: the database gave them ids with gaps", source=str(file.path))
    plain = frozenset(name for name, is_plain in zip(positions, all_plain, strict=True) if is_plain)
    names = "".join(f", {name}" for name in positions)
    anything = f"coalesce({', '.join(positions)}) is not null" if positions else "false"
    numbered = f"select rowid - {first_id - first_row} as row_number, unread_blank{names} from {TEXTS_TABLE}"
    people = f"select row_number{names} from ({{source}}) where {anything} or not unread_blank"
    if plain == positions.keys():
        connection.execute(f"create or replace temp view {RAW_VIEW} as {people.format(source=numbered)}")
    else:
        trimmed = "".join(f", {name if name in plain else _trimmed(name)} as {name}" for name in positions)
        cleaned = "".join(
            f", {name if name in plain else _without_blank_words(name, codes.get(name, ()))} as {name}"
            for name in positions
        )
        source = f"select row_number, unread_blank{trimmed} from ({numbered})"
        source = f"select row_number, unread_blank{cleaned} from ({source})"
        connection.execute(f"create or replace temp table {CLEANED_TABLE} as {people.format(source=source)}")
        connection.execute(f"create or replace temp view {RAW_VIEW} as select * from {CLEANED_TABLE}")
    return plain


def _plain(name: str) -> str:
    """Return SQL that is true for a text in the plainest form of its column: nothing about it needs cleaning."""
    column = COLUMNS_BY_NAME.get(name)
    return f"regexp_full_match({name}, {text_literal(PLAIN[column.kind if column else 'text'])})"


def _trimmed(column: str) -> str:
    """Return SQL for the text without blanks of any kind around it, NULL if nothing is left."""
    # Trimming by a set of characters is slow, and most texts need none.
    clean = f"regexp_full_match({column}, {text_literal(_NO_BLANKS_AROUND)})"
    return f"case when {clean} then {column} else nullif(trim({column}, {text_literal(text.BLANKS)}), '') end"


def _without_blank_words(name: str, codes: Collection[str]) -> str:
    """Return SQL for a trimmed text, NULL if it is a word for nothing in a column that is not free text.

    Excel's `#N/A` is one everywhere. `codes` are no such words.
    """
    column = COLUMNS_BY_NAME.get(name)
    if column is None:
        return name
    words = ", ".join(text_literal(word) for word in blank_words(column, codes)) or "null"
    longest = max(map(len, BLANK_WORDS))
    return f"case when strlen({name}) <= {longest} and lower({name}) in ({words}) then null else {name} end"


def blank_words(column: Column, codes: Collection[str]) -> list[str]:
    """Return the words (lower case) that stand for a blank in a column; `codes` are words that have a meaning in it."""
    words = (NOT_AVAILABLE,) if column.kind == "text" else BLANK_WORDS
    return [word for word in words if word not in codes]


def _text_scan(path: Path, delimiter: str, width: int, *, line_end: str | None = None) -> str:
    columns = ", ".join(f"'c{position}': 'varchar'" for position in range(width))
    ending = f" new_line = {text_literal(line_end)}," if line_end else ""
    return f"""
        select *
        from read_csv(
            {_path_literal(path)}, auto_detect = false, header = true, columns = {{{columns}}},
            delim = {text_literal(delimiter)},{ending} quote = '"', escape = '"', hive_partitioning = false,
            store_rejects = true, rejects_table = '{REJECTS_TABLE}', rejects_scan = '{REJECTED_SCANS_TABLE}'
        )
    """


def _path_literal(path: Path) -> str:
    """Return one file's path for DuckDB, which reads `*`, `?` and `[` in a path as patterns."""
    return text_literal(re.sub(r"([*?\[])", r"[\1]", str(path.absolute())))


def _parquet_scan(path: Path) -> str:
    return f"read_parquet({_path_literal(path)}, hive_partitioning = false)"


def _parquet_rows(file: CensusFile, *, mark_dates: bool) -> str:
    names = ", ".join(f"c{position}" for position in range(len(file.headings)))
    texts = ", ".join(
        f"{_parquet_text(f'c{position}', sql_type, mark_dates=mark_dates)} as c{position}"
        for position, sql_type in enumerate(file.sql_types)
    )
    limit = "" if file.last_row is None else f" limit {file.last_row}"
    return f"select {texts} from {_parquet_scan(file.path)} as file ({names}){limit}"


def _parquet_text(column: str, sql_type: str, *, mark_dates: bool) -> str:
    """Return SQL that writes a typed value as the text a person would have typed."""
    if sql_type in ("FLOAT", "DOUBLE"):
        return f"case when not isnan({column}) then regexp_replace({column}::varchar, '\\.0$', '') end"
    if sql_type == "TIMESTAMP WITH TIME ZONE":
        return f"make_timestamp(epoch_us({column}))::varchar"
    if sql_type == "DATE" and mark_dates:
        return f"{column}::timestamp::varchar"
    return f"{column}::varchar"
