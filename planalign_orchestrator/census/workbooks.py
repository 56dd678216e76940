"""Excel workbooks: one worksheet as rows of text, exactly as typed, so that one set of rules parses every format."""

import datetime as dt
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.errors import CensusError

if TYPE_CHECKING:
    import python_calamine

# Serial day numbers count from here (with Excel's invented 29 February 1900 behind us) or, in old Mac files, from 1904.
EPOCH: Final = dt.date(1899, 12, 30)
MAC_EPOCH: Final = dt.date(1904, 1, 1)


def read_sheet(path: Path, sheet: str | None) -> list[list[str]]:
    """Return every row of the sheet, the heading row first, as texts of equal count; blanks are empty texts.

    Dates become `YYYY-MM-DD 00:00:00`. Without a sheet name the workbook must have one sheet that holds anything.
    Raises CensusError for a file that is no workbook, an unknown sheet, several candidate sheets, or an empty one.
    """
    import python_calamine

    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        name = _sheet_name(workbook, path, sheet)
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except python_calamine.PasswordError as error:
        raise CensusError("the workbook is protected by a password: save it without one", source=str(path)) from error
    except (python_calamine.CalamineError, OSError) as error:
        raise CensusError(f"the workbook cannot be read: {error}", source=str(path)) from error
    return [[_text(value) for value in row] for row in rows]


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


def _sheet_name(workbook: "python_calamine.CalamineWorkbook", path: Path, sheet: str | None) -> str:
    names: list[str] = list(workbook.sheet_names)
    listed = ", ".join(repr(name) for name in names)
    if sheet is not None:
        if sheet not in names:
            raise CensusError(f"there is no sheet {sheet!r}: census.sheet must be one of {listed}", source=str(path))
        return sheet
    filled = [name for name in names if workbook.get_sheet_by_name(name).height]
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
