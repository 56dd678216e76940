"""Delimited text: its encoding, line endings and delimiter are settled before DuckDB reads it with fixed settings.

DuckDB's own detection may skip lines, rename headings or pick a delimiter from the data; here nothing is guessed
except the delimiter, and that from the heading row alone.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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

_SIGNATURES: Final = (
    (b"PK\x03\x04", "is an Excel workbook or a zip file under a text file's name: give it its own ending (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook under a text file's name: give it its own ending (.xls)"),
    (b"PAR1", "is a Parquet file under a text file's name: give it the ending .parquet"),
    (b"\xff\xfe", "is UTF-16 text: save it as 'CSV UTF-8'"),
    (b"\xfe\xff", "is UTF-16 text: save it as 'CSV UTF-8'"),
    (b"\x1f\x8b", "is a compressed file: unpack it first"),
)


@dataclass(frozen=True)
class TextScan:
    """What one pass over the bytes found: the physical lines, and whether DuckDB would lose count of the rows."""

    lines: int
    irregular: bool


def scan_text(path: Path) -> TextScan:
    """Read the file once and prove that it is UTF-8 text.

    `irregular` means blank lines before the end or mixed line endings: such a file is rewritten before it is read.
    Raises CensusError for an empty file, another encoding, NUL bytes, an endless line, or another kind of file.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    feeds = returns = pairs = 0
    blank_lines = False
    content = False
    carried = b""
    line_bytes = 0
    with path.open("rb") as file:
        _refuse_other_kinds(file.read(4), path)
        file.seek(0)
        while True:
            chunk = file.read(CHUNK_BYTES)
            if chunk.endswith(b"\r"):
                chunk += file.read(1)
            if b"\0" in chunk:
                raise CensusError("the file holds NUL bytes, so it is not text: save it as CSV", source=str(path))
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise _not_utf8(path, error, feeds + returns - pairs) from error
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
    return TextScan(lines=feeds + returns - pairs - breaks_at_end + 1, irregular=blank_lines or endings > 1)


def read_heading_row(path: Path) -> tuple[list[str], str]:
    """Return the headings of a scanned file, trimmed, and the delimiter that separates them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        beginning = file.read(LONGEST_HEADING_ROW)
        delimiter = _delimiter(beginning)
        try:
            lines = io.StringIO(beginning, newline="")
            headings = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise CensusError(f"the heading row cannot be read: {error}", source=str(path)) from error
    return [heading.strip() for heading in headings], delimiter


@dataclass(frozen=True)
class Selection:
    """What is copied of a row of `width` values: those at `positions`, and whether any other one is not blank.

    The rows in `marked` count as holding something else in any case.
    """

    width: int
    positions: tuple[int, ...]
    marked: frozenset[int] = frozenset()

    @property
    def copied_width(self) -> int:
        """How many values a copied row has: one for the others, the selected ones, and an empty one."""
        return len(self.positions) + 2


def copy_rows(rows: Iterable[Sequence[str]], selection: Selection, target: IO[str]) -> None:
    """Write the selected values of rows, heading row first, as plain comma-separated text.

    A row of too few or too many values stays one. Blank lines between rows become rows of blank values, and those at
    the end nothing.
    """
    blank = [""] * selection.copied_width
    blanks_before = 0
    others = [place for place in range(selection.width) if place not in selection.positions]
    # With a line feed alone the writer leaves carriage returns in values without quotes.
    writer = csv.writer(target, lineterminator="\r\n")
    for number, row in enumerate(rows, start=1):
        if not row:
            blanks_before += 1
            continue
        writer.writerows([blank] * blanks_before)
        blanks_before = 0
        if len(row) == selection.width:
            holds_more = number in selection.marked or any(row[place].strip(BLANKS) for place in others)
            writer.writerow(["1" if holds_more else "", *[row[place] for place in selection.positions], ""])
        elif len(row) < selection.width:
            # a line of nothing but blanks is a blank line, not a short row
            writer.writerow([" " if len(row) == 1 and not row[0].strip(BLANKS) else "-"])
        else:
            writer.writerow([*blank, "-"])


def copy_text(path: Path, delimiter: str, selection: Selection, target: IO[str]) -> None:
    """Copy an irregular text file so that every line of it is a row. Raises CensusError where a quote is not closed."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            copy_rows(reader, selection, target)
        except csv.Error as error:
            problem = f"line {reader.line_num} cannot be split into values ({error}): is a quote not closed?"
            raise CensusError(problem, source=str(path)) from error


def _refuse_other_kinds(head: bytes, path: Path) -> None:
    for signature, problem in _SIGNATURES:
        if head.startswith(signature):
            raise CensusError(f"the file {problem}", source=str(path))


def _not_utf8(path: Path, error: UnicodeDecodeError, lines_before: int) -> CensusError:
    line = lines_before + error.object[: error.start].count(b"\n") + 1
    byte = error.object[error.start]
    return CensusError(
        f"line {line} is not UTF-8 text (byte 0x{byte:02X}): save the file as 'CSV UTF-8'", source=str(path)
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
