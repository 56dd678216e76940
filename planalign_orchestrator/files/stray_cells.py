"""Cells far outside the table of a worksheet, found and left out before the workbook is parsed.

The parser makes room for every cell between the first and the last one, so that a single value at XFD1048576 would take
hundreds of gigabytes. Here the sheet's XML streams by; a sheet without such a cell is parsed as it is.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import IO, Final
from xml.etree import ElementTree
from xml.sax.saxutils import unescape

from planalign_orchestrator.errors import CensusError

# Cells nearer than this to the last heading, or to the last row with a value, cost little and are read as they are.
NEAR_COLUMNS: Final = 50
NEAR_ROWS: Final = 10_000
# A title above the headings, however short, does not end the table.
HEADING_ROWS: Final = 50

# Deflate packs at most 1,032 to 1; sheets that people and programs make come to 5 to 170.
_SUSPICIOUS_RATIO: Final = 300
_HARMLESS_BYTES: Final = 64 << 20
_MOST_BYTES: Final = 4 << 30
_LONGEST_ROW: Final = 64 << 20
_CHUNK: Final = 1 << 20

_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_RELATION: Final = re.compile(r"\{.*/relationships\}id")
_VALUE: Final = re.compile(rb"<(?:\w+:)?(?:v|is)\b")
_TEXT: Final = re.compile(rb"<(?:\w+:)?[vt]\b[^>]*>\s*[^<\s]")
_CELL_PLACE: Final = re.compile(rb"""\br=["'](?P<column>[A-Za-z]{1,3})(?P<row>\d+)["']""")
_CELL_ERROR: Final = re.compile(rb"""\st=["']e["']""")
# a formula whose result is a text, which may be empty
_CELL_TEXT: Final = re.compile(rb"""\st=["']str["']""")
_CELL_VALUE: Final = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]+)<")
_CELL_FORMULA: Final = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)<)")
_ROOT: Final = re.compile(rb"<(\w+:)?worksheet\b")
_DIMENSION: Final = re.compile(rb"<(?:\w+:)?dimension\b[^>]*/>")


@dataclass
class StrayCells:
    """The cells outside the table that hold a text or a number: how many, the first few of them, their rows.

    `must_go` says whether the parser would make room for one, which it also does for an empty text.
    """

    must_go: bool = False
    rows: set[int] = field(default_factory=set)
    references: list[str] = field(default_factory=list)
    count: int = 0

    def __str__(self) -> str:
        """Return the words for the cells."""
        listed = ", ".join(self.references) + (", ..." if self.count > len(self.references) else "")
        return f"cell {listed}" if self.count == 1 else f"{self.count:,} cells {listed}"


@dataclass
class _Extent:
    """What has been learnt of a sheet while it streams by."""

    prefix: bytes = b""
    last_column: int = 0
    last_row: int = 0
    first_far_row: int | None = None
    heading_rows: int = 0


class UnreadableCells(dict[tuple[int, int], str]):
    """The cells that a parser takes for blanks, by row and column: an error's name, or a formula nobody has computed.

    Programs other than Excel may save a formula without its value.
    """

    def add(self, rows: bytes, prefix: bytes) -> None:
        """Add those of some rows."""
        if b't="e"' not in rows and b"t='e'" not in rows and b"<" + prefix + b"f" not in rows:
            return
        for cell in _unreadable_cells(prefix).finditer(rows):
            place = _CELL_PLACE.search(cell["attributes"])
            value = _CELL_VALUE.search(cell["content"])
            formula = _CELL_FORMULA.search(cell["content"])
            if _CELL_ERROR.search(cell["attributes"]):
                shown = value[1] if value else b"#VALUE!"
            elif formula is not None and value is None and not _CELL_TEXT.search(cell["attributes"]):
                shown = b"=" + (formula[1] or b"")
            else:
                continue
            if place is not None:
                self[int(place["row"]), _number(place["column"])] = unescape(shown.decode("utf-8", "replace"))


class PackedWorkbook:
    """An .xlsx file as the zip archive that it is. Errors: CensusError for one that unpacks to too much."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self._path = path
        for part in archive.infolist():
            ratio = part.file_size / max(1, part.compress_size)
            if part.file_size > _MOST_BYTES or (part.file_size > _HARMLESS_BYTES and ratio > _SUSPICIOUS_RATIO):
                raise CensusError(
                    f"the workbook cannot be read: its part {part.filename!r} unpacks to {ratio:,.0f} times its size,"
                    f" {part.file_size / 1e9:,.1f} GB: save the sheet as CSV",
                    source=str(path),
                )

    @cached_property
    def parts(self) -> dict[str, str]:
        """The part of the archive that holds each sheet, by the sheet's name."""
        names = set(self._archive.namelist())
        if not {_WORKBOOK, _RELATIONS} <= names:
            return {}
        targets = {
            relation.get("Id"): relation.get("Target", "")
            for relation in ElementTree.fromstring(self._archive.read(_RELATIONS))
        }
        parts = {}
        for element in ElementTree.fromstring(self._archive.read(_WORKBOOK)).iter():
            if element.tag.endswith("}sheet"):
                key = next((value for name, value in element.items() if _RELATION.fullmatch(name)), None)
                target = targets.get(key, "")
                part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
                if part in names:
                    parts[element.get("name", "")] = part
        return parts

    def holds_values(self, sheet: str) -> bool:
        """Return whether any cell of the sheet has a value; a chart has none."""
        if sheet not in self.parts:
            return False
        with self._archive.open(self.parts[sheet]) as xml:
            return any(_VALUE.search(rows) for rows in self._chunks(xml, _Extent()))

    def survey(self, sheet: str) -> tuple[StrayCells, "UnreadableCells"]:
        """Return the cells outside the sheet's table, and those that the parser makes blank.

        The table ends with the last heading (of the first `HEADING_ROWS` rows that hold anything) and with the last row
        that holds a value, gaps of up to `NEAR_COLUMNS` and `NEAR_ROWS` included. Cells that hold a format only are
        none.
        """
        strays = StrayCells()
        unreadable = UnreadableCells()
        extent = _Extent()
        if sheet not in self.parts:
            raise CensusError(
                f"the workbook cannot be read: it names no part for sheet {sheet!r}", source=str(self._path)
            )
        with self._archive.open(self.parts[sheet]) as xml:
            for rows in self._chunks(xml, extent):
                self._survey(rows, extent)
                for match in _far_cells(rows, extent):
                    if _VALUE.search(match["content"] or b""):
                        _note(match, strays)
                unreadable.add(rows, extent.prefix)
        return strays, unreadable

    def without_stray_cells(self, sheet: str) -> IO[bytes]:
        """Return a workbook, in memory, that holds the sheet without the cells outside its table."""
        part = self.parts[sheet]
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
            for name in self._archive.namelist():
                if name == part:
                    with self._archive.open(part) as xml, target.open(part, "w", force_zip64=True) as copy:
                        self._copy_table(xml, copy)
                elif not name.startswith("xl/media/"):
                    target.writestr(name, b"" if name in self.parts.values() else self._archive.read(name))
        kept.seek(0)
        return kept

    def _copy_table(self, xml: IO[bytes], copy: IO[bytes]) -> None:
        extent = _Extent()
        for rows in self._chunks(xml, extent):
            self._survey(rows, extent)
            kept, end = [], 0
            for match in _far_cells(rows, extent):
                kept.append(rows[end : match.start()])
                end = match.end()
            kept.append(rows[end:])
            copy.write(_DIMENSION.sub(b"", b"".join(kept), count=1))

    def _chunks(self, xml: IO[bytes], extent: _Extent) -> Iterator[bytes]:
        """Yield the sheet in pieces that end where a row begins, and so never within a cell."""
        buffer = xml.read(_CHUNK)
        root = _ROOT.search(buffer)
        extent.prefix = (root[1] or b"") if root else b""
        row = b"<" + extent.prefix + b"row"
        while chunk := xml.read(_CHUNK):
            end = buffer.rfind(row)
            if end > 0:
                yield buffer[:end]
                buffer = buffer[end:]
            elif len(buffer) > _LONGEST_ROW:
                raise CensusError("the workbook cannot be read: a row of it is too long", source=str(self._path))
            buffer += chunk
        yield buffer

    def _survey(self, rows: bytes, extent: _Extent) -> None:
        """Bring the extent of the table up to date with further rows."""
        starts = list(_row_tags(extent.prefix).finditer(rows))
        ends = [start.start() for start in starts[1:]] + [len(rows)]
        for start, end in zip(starts, ends, strict=False):
            if not _VALUE.search(rows, start.end(), end):
                continue
            number = int(start[1])
            if extent.first_far_row is None and extent.last_row and number - extent.last_row > NEAR_ROWS:
                extent.first_far_row = number
            if extent.first_far_row is None:
                extent.last_row = number
            if extent.heading_rows < HEADING_ROWS:
                extent.heading_rows += 1
                extent.last_column = _last_heading(rows[start.end() : end], extent)


def _note(cell: "re.Match[bytes]", strays: StrayCells) -> None:
    strays.must_go = True
    if not _TEXT.search(cell["content"]):
        return
    strays.rows.add(int(cell["row"]))
    strays.count += 1
    if len(strays.references) < 3:
        strays.references.append((cell["column"] + cell["row"]).decode().upper())


def _last_heading(cells: bytes, extent: _Extent) -> int:
    """Return the last column of the table so far or, right of it, of a row that no wide gap keeps apart from it."""
    last = extent.last_column
    pattern = _cells(extent.prefix, "[A-Za-z]{1,3}", r"\d+")
    columns = sorted(
        _number(cell["column"]) for cell in pattern.finditer(cells) if _VALUE.search(cell["content"] or b"")
    )
    for column in columns:
        if last and column - last > NEAR_COLUMNS:
            break
        last = max(column, last)
    return last


def _far_cells(rows: bytes, extent: _Extent) -> Iterator["re.Match[bytes]"]:
    """Yield the cells of some rows that lie right of the table, or below it."""
    if not extent.last_column:
        return
    far_column = _columns_after(_letters(extent.last_column + NEAR_COLUMNS))
    far_row = extent.first_far_row
    if far_row is None:
        # A row that says it is another one than its cells do: only cells of more digits are looked for, which is quick.
        yield from _cells(extent.prefix, far_column, len(str(extent.last_row + NEAR_ROWS))).finditer(rows)
        return
    for cell in _cells(extent.prefix, "[A-Za-z]{1,3}", r"\d+").finditer(rows):
        if int(cell["row"]) >= far_row or _number(cell["column"]) > extent.last_column + NEAR_COLUMNS:
            yield cell


@lru_cache(maxsize=16)
def _unreadable_cells(prefix: bytes) -> "re.Pattern[bytes]":
    """Return a pattern for the cells that hold an error or a formula."""
    error = rb"""[^>]*?\bt=["']e["'][^>]*>"""
    formula = rb"[^>]*>(?=<" + prefix + rb"f\b)"
    start = rb"<" + prefix + rb"c\s(?P<attributes>" + error + rb"|" + formula + rb")"
    return re.compile(start + rb"(?P<content>.*?)</" + prefix + rb"c>", re.DOTALL)


@lru_cache(maxsize=16)
def _row_tags(prefix: bytes) -> "re.Pattern[bytes]":
    return re.compile(b"<" + prefix + rb"""row\b[^>]*?\sr=["'](\d+)["'][^>]*>""")


@lru_cache(maxsize=64)
def _cells(prefix: bytes, columns: str, rows: str | int) -> "re.Pattern[bytes]":
    """Return a pattern for cells in some columns and rows; a number of digits means any row, or longer row numbers."""
    if isinstance(rows, int):
        reference = rf"(?=(?:{columns})\d|[A-Za-z]{{1,3}}\d{{{rows + 1}}})"
        rows = r"\d+"
    else:
        reference = f"(?={columns}\\d)"
    start = b"<" + prefix + rb"""c\s(?>r=["']|[^>]*?\sr=["'])""" + reference.encode()
    named = rf"""(?P<column>[A-Za-z]{{1,3}})(?P<row>{rows})["']""".encode()
    end = b"</" + prefix + b"c>"
    return re.compile(start + named + rb"[^>]*?(?:/>|>(?P<content>.*?)" + end + b")", re.DOTALL)


def _columns_after(letters: str) -> str:
    """Return a pattern for the columns after one: those with more letters, or with a later letter in some place."""
    choices = [f"[A-Za-z]{{{len(letters) + 1},3}}"] if len(letters) < 3 else []
    for place, letter in enumerate(letters):
        if letter != "Z":
            later = f"[{chr(ord(letter) + 1)}-Z{chr(ord(letter) + 1).lower()}-z]"
            same = "".join(f"[{c}{c.lower()}]" for c in letters[:place])
            choices.append(f"{same}{later}[A-Za-z]{{{len(letters) - place - 1}}}")
    return "|".join(choices)


def _number(column: bytes) -> int:
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
