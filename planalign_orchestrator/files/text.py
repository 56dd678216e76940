"""Delimited text: its encoding, line endings and delimiter are settled before DuckDB reads it with fixed settings.

DuckDB's own detection may skip lines, rename headings or pick a delimiter from the data; here nothing is guessed
except the delimiter, and that from the heading row alone.
"""

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from planalign_orchestrator.errors import CensusError

# Spaces, tabs and line ends, and the no-break and zero-width spaces that come with text copied from a web page.
BLANKS: Final = " \t\r\n\u00a0\u200b\ufeff"

DELIMITERS: Final = (",", ";", "\t", "|")
CHUNK_BYTES: Final = 1 << 18
# The database leaves out a last line of more than 2,000,000 bytes without a word.
LONGEST_LINE: Final = 1_000_000
# A heading row of several lines, in quotes, is cut here, which leaves its last quote open.
LONGEST_HEADING_ROW: Final = 2 * LONGEST_LINE

UTF_8: Final = "utf-8"
# The encodings of `census.encoding`, and their names in Python.
ENCODINGS: Final = {"utf-8": UTF_8, "windows-1252": "cp1252", "utf-16": "utf-16", "mac-roman": "mac-roman"}

_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Control characters but the tab, the line and page ends, and the end that old programs write after a file.
_UNUSUAL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")

_SIGNATURES: Final = (
    (b"PK\x03\x04", "is an Excel workbook or a zip file under a text file's name: give it its own ending (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook under a text file's name: give it its own ending (.xls)"),
    (b"PAR1", "is a Parquet file under a text file's name: give it the ending .parquet"),
    (b"\x1f\x8b", "is a compressed file: unpack it first"),
)


class _OtherEncodingError(CensusError):
    """The bytes of a file are not text of the encoding that was tried."""


@dataclass(frozen=True)
class TextScan:
    """What one pass over the bytes found: the physical lines, and whether DuckDB would lose count of the rows.

    `encoding` is that of the text, by its name in Python, and `note` says why it is not UTF-8.
    """

    lines: int
    irregular: bool
    encoding: str = UTF_8
    note: str | None = None


def scan_text(path: Path, encoding: str | None = None) -> TextScan:
    """Read the file once and prove that it is text of an encoding of `ENCODINGS`, or of the one that is found.

    Found are UTF-16 by its first bytes, UTF-8, and Windows-1252 where the file is not UTF-8 and holds no character that
    no census has. `irregular` means blank lines before the end, mixed line endings or another encoding than UTF-8: such
    a file is rewritten before it is read. Raises CensusError for an empty file, another encoding, NUL bytes, an endless
    line, or another kind of file.
    """
    with path.open("rb") as file:
        head = file.read(4)
    _refuse_other_kinds(head, path)
    if encoding is not None:
        return _scan(path, ENCODINGS[encoding])
    if head.startswith(_UTF_16_MARKS):
        return replace(_scan(path, "utf-16"), note="the file is UTF-16 text, and is read as such")
    try:
        return _scan(path, UTF_8)
    except _OtherEncodingError as error:
        if not _is_windows_text(path):
            raise
        where = error.problems[0].partition(":")[0]
        note = f"{where}: the file is read as Windows-1252 (`census.encoding: windows-1252` says so)"
        return replace(_scan(path, "cp1252"), note=note)


def _is_windows_text(path: Path) -> bool:
    """Return whether all bytes are characters of Windows-1252 that stand in a table."""
    decoder = codecs.getincrementaldecoder("cp1252")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK_BYTES):
                if _UNUSUAL.search(decoder.decode(chunk)):
                    return False
        except UnicodeDecodeError:
            return False
    return True


def _utf8_chunks(file: IO[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a file's text in UTF-8, no chunk ending between the two characters of a line end; the last one is empty.

    Errors: UnicodeDecodeError, whose object is the chunk as it stands in the file.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    while True:
        chunk = file.read(CHUNK_BYTES)
        if encoding == UTF_8:
            if chunk.endswith(b"\r"):
                chunk += file.read(1)
            decoder.decode(chunk, final=not chunk)
            yield chunk
        else:
            decoded = decoder.decode(chunk, final=not chunk)
            while decoded.endswith("\r") and (more := file.read(2)):
                decoded += decoder.decode(more)
            yield decoded.encode()
        if not chunk:
            return


def _scan(path: Path, encoding: str) -> TextScan:
    feeds = returns = pairs = 0
    blank_lines = False
    content = False
    carried = b""
    line_bytes = 0
    with path.open("rb") as file:
        chunks = _utf8_chunks(file, encoding)
        while True:
            try:
                chunk = next(chunks)
            except UnicodeDecodeError as error:
                raise _other_encoding(path, error, feeds + returns - pairs, encoding) from error
            if b"\0" in chunk:
                raise CensusError("the file holds NUL bytes, so it is not text: save it as CSV", source=str(path))
            if not chunk:
                break
            last_end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            line_bytes = len(chunk) - last_end - 1 + (line_bytes if last_end < 0 else 0)
            if line_bytes > LONGEST_LINE:
                line = feeds + returns - pairs + 1
                problem = f"line {line} is longer than {LONGEST_LINE:,} characters: a census has one person a line"
                raise CensusError(problem, source=str(path))
            feeds += chunk.count(b"\n")
            if b"\r" in chunk:
                returns += chunk.count(b"\r")
                pairs += chunk.count(b"\r\n")
            # Line ends at the end of the chunk are carried over: blank lines at the end of the file do no harm.
            window = carried + chunk
            body = window.rstrip(b"\r\n")
            blank_lines = blank_lines or b"\n\n" in body
            if b"\r" in window:
                blank_lines = blank_lines or b"\n\r\n" in body or b"\r\r" in body
            carried = body[-1:] + window[len(body) :]
            content = content or bool(body)
    if not content:
        raise CensusError("the file is empty", source=str(path))
    endings = sum(1 for count in (feeds - pairs, returns - pairs, pairs) if count)
    trailing = carried[1:]
    breaks_at_end = trailing.count(b"\n") + trailing.count(b"\r") - trailing.count(b"\r\n")
    return TextScan(
        lines=feeds + returns - pairs - breaks_at_end + 1,
        irregular=blank_lines or endings > 1 or encoding != UTF_8,
        encoding=encoding,
    )


def first_rows(path: Path, encoding: str, count: int) -> dict[str, list[list[str]]]:
    """Return the first rows of a scanned file by delimiter, the most probable one first.

    Rows end before the first one that cannot be split. Raises CensusError if the first row cannot be with the most
    probable delimiter.
    """
    with open_text(path, encoding) as file:
        beginning = file.read(LONGEST_HEADING_ROW)
    probable = _delimiter(beginning)
    found: dict[str, list[list[str]]] = {}
    for delimiter in sorted(DELIMITERS, key=lambda candidate: candidate != probable):
        reader = csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter, strict=True)
        rows: list[list[str]] = []
        try:
            rows += itertools.islice(reader, 1)
            rows += itertools.islice(reader, count - 1)
        except csv.Error as error:
            if not rows and delimiter == probable:
                raise CensusError(f"the heading row cannot be read: {error}", source=str(path)) from error
        found[delimiter] = rows
    return found


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open a text file for the csv module; a byte order mark is not part of the text."""
    return path.open(encoding="utf-8-sig" if encoding == UTF_8 else encoding, newline="")


@dataclass(frozen=True)
class LeftOut:
    """The rows that are no people by the word of their author: those with one of `words` (lower case) at `place`."""

    place: int
    words: frozenset[str]

    def holds(self, row: Sequence[str]) -> bool:
        """Return whether a row is left out; blanks around a value and its case do not matter."""
        return self.place < len(row) and row[self.place].strip(BLANKS).casefold() in self.words


@dataclass(frozen=True)
class Selection:
    """What is copied of a row of `width` values: those at `positions`, and whether any other one is not blank.

    The rows in `marked` count as holding something else in any case. The table is made of the heading row and of the
    rows after it, up to the `last_row`, but those `left_out`.
    """

    width: int
    positions: tuple[int, ...]
    marked: frozenset[int] = frozenset()
    heading_row: int = 1
    last_row: int | None = None
    left_out: LeftOut | None = None

    @property
    def copied_width(self) -> int:
        """How many values a copied row has: one for the others, the selected ones, and an empty one."""
        return len(self.positions) + 2


def copy_rows(rows: Iterable[Sequence[str]], selection: Selection, target: IO[str]) -> int:
    """Write the selected values of a file's rows, heading row first, as plain comma-separated text.

    A row of too few or too many values stays one. Blank lines between rows become rows of blank values, and those at
    the end nothing; rows that are left out are blank lines. Returns how many were left out.
    """
    blank = [""] * selection.copied_width
    blanks_before = left_out = 0
    table = itertools.islice(rows, selection.heading_row - 1, selection.last_row)
    others = [place for place in range(selection.width) if place not in selection.positions]
    # With a line feed alone the writer leaves carriage returns in values without quotes.
    writer = csv.writer(target, lineterminator="\r\n")
    for number, row in enumerate(table, start=selection.heading_row):
        if not row:
            blanks_before += 1
            continue
        if selection.left_out is not None and selection.left_out.holds(row) and number > selection.heading_row:
            blanks_before += 1
            left_out += 1
            continue
        writer.writerows([blank] * blanks_before)
        blanks_before = 0
        if len(row) == selection.width:
            holds_more = number in selection.marked or any(row[place].strip(BLANKS) for place in others)
            writer.writerow(["1" if holds_more else "", *[row[place] for place in selection.positions], ""])
        elif len(row) < selection.width:
            # a line of nothing but blanks is a blank line, not a short row
            writer.writerow([" " if len(row) == 1 and not row[0].strip(BLANKS) else "-"])
        elif number == selection.heading_row:
            writer.writerow(blank)
        else:
            writer.writerow([*blank, "-"])
    return left_out


def copy_text(path: Path, delimiter: str, encoding: str, selection: Selection, target: IO[str]) -> int:
    """Copy an irregular text file so that every line of it is a row; returns how many rows were left out.

    Raises CensusError where a quote is not closed.
    """
    with open_text(path, encoding) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            return copy_rows(reader, selection, target)
        except csv.Error as error:
            problem = f"line {reader.line_num} cannot be split into values ({error}): is a quote not closed?"
            raise CensusError(problem, source=str(path)) from error


def _refuse_other_kinds(head: bytes, path: Path) -> None:
    for signature, problem in _SIGNATURES:
        if head.startswith(signature):
            raise CensusError(f"the file {problem}", source=str(path))


def _other_encoding(path: Path, error: UnicodeDecodeError, lines_before: int, encoding: str) -> "_OtherEncodingError":
    line = lines_before + error.object[: error.start].count(b"\n") + 1
    byte = error.object[error.start]
    name = next(name for name, known in ENCODINGS.items() if known == encoding)
    return _OtherEncodingError(
        f"line {line} is not {name.upper()} text (byte 0x{byte:02X}): save the file as 'CSV UTF-8', or name its"
        " encoding with census.encoding",
        source=str(path),
    )


def _delimiter(text: str) -> str:
    """Return the candidate that the first record holds most often outside quotes; a comma when it holds none."""
    counts = dict.fromkeys(DELIMITERS, 0)
    quoted = False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "\r\n":
            break
        elif not quoted and character in counts:
            counts[character] += 1
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])
