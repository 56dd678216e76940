"""Excel workbooks: one worksheet as rows of text, exactly as typed, so that one set of rules parses every format."""

import datetime as dt
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.files.stray_cells import PackedWorkbook, StrayCells, UnreadableCells

# Serial day numbers count from here (with Excel's invented 29 February 1900 behind us) or, in old Mac files, from 1904.
EPOCH: Final = dt.date(1899, 12, 30)
MAC_EPOCH: Final = dt.date(1904, 1, 1)

# What reading a damaged archive raises: also for a packing method or a password that is not supported.
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, ElementTree.ParseError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Sheet:
    """A worksheet's rows, the heading row first, as texts of equal count, and what it holds outside its table."""

    rows: list[list[str]]
    strays: StrayCells


def read_sheet(path: Path, sheet: str | None) -> Sheet:
    """Return a worksheet's table; blanks are empty texts, dates become `YYYY-MM-DD 00:00:00`.

    An error is the text that Excel shows, such as `#REF!`, and a formula without a saved value is the formula; in an
    old workbook (.xls) both are blanks. Without a sheet name the workbook must have one sheet that holds anything.
    Raises CensusError for a file that is no workbook, an unknown sheet, several candidate sheets, or an empty one.
    """
    import python_calamine

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                rows, strays, unreadable = _read_packed(PackedWorkbook(archive, path), path, sheet)
        else:
            workbook = python_calamine.CalamineWorkbook.from_path(str(path))
            name = _sheet_name(workbook.sheet_names, lambda n: workbook.get_sheet_by_name(n).height > 0, path, sheet)
            rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
            strays, unreadable = StrayCells(), UnreadableCells()
    except python_calamine.PasswordError as error:
        raise CensusError("the workbook is protected by a password: save it without one", source=str(path)) from error
    except (python_calamine.CalamineError, OSError, *_DAMAGED) as error:
        raise CensusError(f"the workbook cannot be read: {error}", source=str(path)) from error
    texts = [[_text(value) for value in row] for row in rows]
    _write_unreadable(texts, unreadable)
    return Sheet(texts, strays)


def _write_unreadable(rows: list[list[str]], unreadable: UnreadableCells) -> None:
    """Put what the parser makes blank back into its cells: errors, and formulas without a saved value."""
    for (row, column), shown in unreadable.items():
        if row <= len(rows) and column <= len(rows[row - 1]):
            rows[row - 1][column - 1] = shown


def filled_sheets(path: Path) -> list[str]:
    """Return the names of the sheets that hold anything. Raises CensusError for a file that is no workbook."""
    import python_calamine

    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        if not zipfile.is_zipfile(path):
            return [name for name in workbook.sheet_names if workbook.get_sheet_by_name(name).height > 0]
        with zipfile.ZipFile(path) as archive:
            packed = PackedWorkbook(archive, path)
            return [name for name in workbook.sheet_names if packed.holds_values(name)]
    except (python_calamine.CalamineError, OSError, *_DAMAGED) as error:
        raise CensusError(f"the workbook cannot be read: {error}", source=str(path)) from error


def epoch(path: Path) -> dt.date:
    """Return the day that serial number 0 stands for in this workbook."""
    if not zipfile.is_zipfile(path):
        return EPOCH
    with zipfile.ZipFile(path) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return EPOCH
        properties = archive.read("xl/workbook.xml")
    mac = b'date1904="1"' in properties or b'date1904="true"' in properties
    return MAC_EPOCH if mac else EPOCH


def _read_packed(
    packed: PackedWorkbook, path: Path, sheet: str | None
) -> tuple[Iterable[Iterable[object]], StrayCells, UnreadableCells]:
    """Return the cells of an .xlsx file's table, what lies outside it, and what of it the parser makes blank."""
    import python_calamine

    workbook = python_calamine.CalamineWorkbook.from_path(str(path))
    name = _sheet_name(workbook.sheet_names, packed.holds_values, path, sheet)
    strays, unreadable = packed.survey(name)
    if strays.must_go:
        workbook = python_calamine.CalamineWorkbook.from_filelike(packed.without_stray_cells(name))
    return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False), strays, unreadable


def _sheet_name(names: Sequence[str], is_filled: Callable[[str], bool], path: Path, sheet: str | None) -> str:
    listed = ", ".join(repr(name) for name in names)
    if sheet is not None:
        if sheet not in names:
            raise CensusError(f"there is no sheet {sheet!r}: census.sheet must be one of {listed}", source=str(path))
        return sheet
    filled = [name for name in names if is_filled(name)]
    if not filled:
        raise CensusError("the workbook is empty", source=str(path))
    if len(filled) > 1:
        raise CensusError(f"several sheets hold data: say which with census.sheet, one of {listed}", source=str(path))
    return filled[0]


def _text(value: object) -> str:
    """Return a cell's value as text: whole numbers without a point, dates in ISO order, truth values in words."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return f"{value.isoformat()} 00:00:00"
    return str(value)
