"""Cells far outside an Excel table: named, never parsed; cells that are near are read as they are."""

import re
import zipfile
from pathlib import Path

import pytest

from planalign_orchestrator.files.stray_cells import PackedWorkbook, StrayCells, _columns_after, _letters
from tests.test_census import load, refusal
from tests.test_census_files import HEADINGS, workbook

ROWS: list[list[object]] = [
    HEADINGS[:4],
    ["A", "1985-06-15", "2015-03-01", 60000],
    ["B", "1985-06-15", "2015-03-01", 60000],
]


def with_cells(path: Path, cells: str, *, rows: list[list[object]] = ROWS, sheet: str = "sheet1") -> Path:
    """Write a workbook of two people, or of other rows, and put further rows of XML at the end of a sheet."""
    plain = workbook(path.with_name("plain.xlsx"), ("People", rows), ("Notes", []))
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name).decode()
            if name.endswith(f"{sheet}.xml"):
                content = content.replace("<sheetData/>", "<sheetData></sheetData>")
                content = content.replace("</sheetData>", f"{cells}</sheetData>")
            target.writestr(name, content)
    return path


def cell(reference: str, value: str = "<v>7</v>", kind: str = "") -> str:
    row = re.sub(r"\D", "", reference)
    return f'<row r="{row}"><c r="{reference}"{kind}>{value}</c></row>'


def strays(path: Path, sheet: str = "People") -> StrayCells:
    with zipfile.ZipFile(path) as archive:
        return PackedWorkbook(archive, path).survey(sheet)[0]


OUTSIDE = "clear what is outside, or move it into the table"


def test_a_value_in_the_last_cell_of_the_sheet_is_named(tmp_path: Path) -> None:
    path = with_cells(tmp_path / "team.xlsx", cell("XFD1048576"))
    problem = f"the row lies outside the table (cell XFD1048576): {OUTSIDE}: 1 row (row 1048576)"
    assert refusal(path) == [problem]
    loaded = load(path, on_invalid_rows="quarantine")
    assert loaded.values("employee_id") == ["A", "B"]
    assert loaded.summary.problems == (problem,)
    assert [row["row_number"] for row in loaded.quarantine] == [1048576]
    assert loaded.summary.notes == ("not used, because outside the table: cell XFD1048576",)


def test_several_values_outside_are_counted_and_the_first_three_named(tmp_path: Path) -> None:
    cells = [cell(reference) for reference in ("A300000", "B300001", "C300002", "XFD1048576")]
    (problem,) = refusal(with_cells(tmp_path / "team.xlsx", "".join(cells)))
    assert problem.startswith("the row lies outside the table (4 cells A300000, B300001, C300002, ...)")
    assert problem.endswith("4 rows (row 300000, row 300001, row 300002, ...)")


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1048576"><c r="XFD1048576" s="0"/></row>',
        '<row r="1048576" ht="30"/>',
        cell("XFD9", "<v></v>", ' t="str"'),
    ],
    ids=["a format", "a row's height", "an empty text"],
)
def test_formats_and_empty_texts_are_no_values(tmp_path: Path, cells: str) -> None:
    loaded = load(with_cells(tmp_path / "team.xlsx", cells))
    assert loaded.values("employee_id") == ["A", "B"]
    assert loaded.summary.notes == ()


def test_a_value_far_to_the_right_of_a_person_is_noted(tmp_path: Path) -> None:
    path = with_cells(tmp_path / "team.xlsx", '<row r="4"><c r="A4" t="str"><v>C</v></c><c r="ZZ4"><v>1</v></c></row>')
    loaded = load(path, on_invalid_rows="quarantine")
    assert loaded.summary.notes == ("not used, because outside the table: cell ZZ4",)
    assert [(row["row_number"], row["employee_id"]) for row in loaded.quarantine] == [(4, "C")]


@pytest.mark.parametrize("reference", ["E4", "AA4", "ZZ4"])
def test_a_row_with_a_value_outside_only_is_a_person_without_anything_near_and_far(
    tmp_path: Path, reference: str
) -> None:
    cells = cell(reference) + '<row r="5"><c r="A5" t="str"><v>C</v></c></row>'
    problems = refusal(with_cells(tmp_path / "team.xlsx", cells))
    assert problems[0].startswith(
        "the row looks like a total or a note and not like a person: 2 rows (row 4, row 5 'C')"
    )


def test_a_heading_far_to_the_right_is_outside(tmp_path: Path) -> None:
    rows = [[*HEADINGS[:4], *[None] * 200, "x"], *ROWS[1:]]
    loaded = load(with_cells(tmp_path / "team.xlsx", "", rows=rows))
    assert loaded.summary.notes == ("not used, because outside the table: cell GW1",)


def test_rows_after_a_gap_are_read(tmp_path: Path) -> None:
    row = '<row r="9000"><c r="A9000" t="str"><v>C</v></c><c r="B9000" t="str"><v>1985-06-15</v></c>'
    row += '<c r="C9000" t="str"><v>2015-03-01</v></c><c r="D9000"><v>50000</v></c></row>'
    assert load(with_cells(tmp_path / "team.xlsx", row)).values("row_number") == [2, 3, 9000]


def test_another_sheet_may_hold_what_it_likes(tmp_path: Path) -> None:
    path = with_cells(tmp_path / "team.xlsx", cell("XFD1048576"), sheet="sheet2")
    assert load(path, sheet="People").values("employee_id") == ["A", "B"]
    assert "say which with census.sheet" in refusal(path)[0]


@pytest.mark.parametrize(
    "cells",
    [
        cell("XFD9").replace('"', "'"),
        '<row r="9"><c s="0" r="XFD9"><v>7</v></c></row>',
        '<row r="9" spans="1:4"><c r="xfd9"><f>1+1</f><v>2</v></c></row>',
        '<row r="9"><c r="A9" s="0"/><c r="XFD9" t="inlineStr"><is><t>seven</t></is></c></row>',
        '<row r="9"><c r="AZ9"/><c r="BC9"/>\n<c r="XFD9"\n><v>7</v></c></row>',
    ],
    ids=["single quotes", "attributes in another order", "small letters", "inline text", "line breaks"],
)
def test_cells_are_found_however_they_are_written(tmp_path: Path, cells: str) -> None:
    path = with_cells(tmp_path / "team.xlsx", cells)
    assert strays(path).references == ["XFD9"]
    assert refusal(path)[0].startswith("the row lies outside the table (cell XFD9)")


def test_a_row_that_lies_about_its_number_is_found(tmp_path: Path) -> None:
    path = with_cells(tmp_path / "team.xlsx", '<row r="4"><c r="A1048576"><v>7</v></c></row>')
    assert strays(path).references == ["A1048576"]


def test_tags_with_a_prefix_are_known(tmp_path: Path) -> None:
    path = tmp_path / "team.xlsx"
    unprefixed = with_cells(tmp_path / "unprefixed.xlsx", cell("XFD9"))
    with zipfile.ZipFile(unprefixed) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name).decode()
            if name.endswith("sheet1.xml"):
                content = re.sub(r"<(/?)(?=\w)", r"<\1x:", content).replace("xmlns=", "xmlns:x=")
            target.writestr(name, content)
    assert strays(path).references == ["XFD9"]


def test_columns_after_a_column() -> None:
    names = [_letters(number) for number in range(1, 16385)]
    assert names[-1] == "XFD"
    for number in (1, 25, 26, 27, 52, 53, 701, 702, 703, 728, 729, 5000, 16383, 16384):
        pattern = re.compile(_columns_after(names[number - 1]))
        assert [name for name in names if pattern.fullmatch(name)] == names[number:]


def test_a_part_that_unpacks_to_a_multiple_of_its_size_is_refused(tmp_path: Path) -> None:
    path = with_cells(tmp_path / "team.xlsx", " " * (65 << 20))
    (problem,) = refusal(path)
    assert re.fullmatch(
        r"the workbook cannot be read: its part 'xl/worksheets/sheet1.xml' unpacks to [\d,]+ times its size, 0.1 GB:"
        r" save the sheet as CSV",
        problem,
    )


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = with_cells(tmp_path / "team.xlsx", cell("XFD9"))
    content = bytearray(path.read_bytes())
    place = content.index(b"xl/worksheets/sheet1.xml") + 40
    content[place : place + 20] = b"\xff" * 20
    path.write_bytes(content)
    assert refusal(path)[0].startswith("the workbook cannot be read: ")
