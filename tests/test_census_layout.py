"""The table within a file: titles above it, long headings, totals below it, other encodings, and errors of Excel."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from planalign_orchestrator.census.heading_row import find_heading_row
from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.files.text import LeftOut, Selection, copy_rows
from tests.companies import person
from tests.test_census import load, refusal, write_lines

STANDARD = list(person("A"))
PEOPLE: list[list[Any]] = [list(person(name).values()) for name in ("A", "B", "C")]
TITLES: list[list[Any]] = [["Blue Heron Mills, retirement plan"], ["as of 31 December"], []]


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def table(path: Path, rows: list[list[Any]], delimiter: str = ",") -> Path:
    """Write rows as the ending of the path says; in text, a short row stays short."""
    if path.suffix == ".xlsx":
        return workbook(path, rows)
    lines = [delimiter.join(f'"{cell}"' if delimiter in str(cell) else str(cell or "") for cell in row) for row in rows]
    return write_lines(path, lines)


@pytest.mark.parametrize("name", ["team.csv", "team.xlsx"])
@pytest.mark.parametrize("titles", [0, 1, 3])
def test_headings_are_found_below_titles(tmp_path: Path, name: str, titles: int) -> None:
    path = table(tmp_path / name, [*TITLES[:titles], STANDARD, *PEOPLE])
    loaded = load(path)
    assert loaded.values("employee_id") == ["A", "B", "C"]
    assert loaded.values("row_number") == [titles + 2, titles + 3, titles + 4]
    note = f"the headings are in row {titles + 1}; what stands above is not read"
    assert (note in loaded.summary.notes) == (titles > 0)


def test_a_title_decides_nothing_about_the_delimiter(tmp_path: Path) -> None:
    rows = [["Blue Heron Mills, Inc., census, 2024"], STANDARD, *PEOPLE]
    lines = [";".join(map(str, row)) for row in rows]
    assert load(write_lines(tmp_path / "team.csv", lines)).values("employee_id") == ["A", "B", "C"]
    assert load(write_lines(tmp_path / "excel.csv", ["sep=;", *lines[1:]])).values("row_number") == [3, 4, 5]


def test_a_wide_table_below_a_title_is_whole(tmp_path: Path) -> None:
    filler = [f"extra {place}" for place in range(60)]
    rows = [["Blue Heron Mills"], [*filler, *STANDARD], *[[*[1] * 60, *row] for row in PEOPLE]]
    assert load(workbook(tmp_path / "wide.xlsx", rows)).values("employee_id") == ["A", "B", "C"]


def test_headings_over_two_rows_are_joined(tmp_path: Path) -> None:
    rows = [["Mills"], ["Employee", "Date of", "Date of", "Annual"], ["Number", "Birth", "Hire", "Salary"]]
    path = table(tmp_path / "team.csv", [*rows, *[row[:4] for row in PEOPLE]])
    columns = {
        "employee_id": "Employee Number",
        "employee_birth_date": "Date of Birth",
        "employee_hire_date": "Date of Hire",
        "employee_gross_compensation": "Annual Salary",
    }
    for given in (None, 2):
        loaded = load(path, columns=columns, header_row=given)
        assert loaded.values("row_number") == [4, 5, 6]
    below = dict(zip(columns, ("Number", "Birth", "Hire", "Salary"), strict=True))
    assert load(path, columns=below, header_row=3).values("row_number") == [4, 5, 6]


def test_own_headings_are_found_by_the_configuration(tmp_path: Path) -> None:
    own = ["Matrikel", "Geburt", "Eintritt", "Lohn"]
    path = table(tmp_path / "team.csv", [["Reiher AG"], own, *[row[:4] for row in PEOPLE]])
    columns = dict(zip(STANDARD[:4], own, strict=True))
    assert load(path, columns=columns).values("row_number") == [3, 4, 5]
    (problem,) = [found for found in refusal(path) if found.startswith("required columns missing")]
    assert problem.endswith("or say with census.header_row which row holds the headings")


def test_the_configured_row_holds(tmp_path: Path) -> None:
    path = table(tmp_path / "team.csv", [STANDARD, STANDARD, *PEOPLE])
    assert load(path, header_row=2).values("row_number") == [3, 4, 5]
    assert "row 9 holds no headings" in refusal(path, header_row=9)[0]
    assert refusal(path, header_row=2, last_row=2) == ["census.last_row is 2, but the headings are in row 2"]


def test_a_file_without_headings_is_told(tmp_path: Path) -> None:
    problems = refusal(table(tmp_path / "team.csv", PEOPLE))
    assert problems[0] == (
        f"row 1 looks like data (A, {PEOPLE[0][1]}, {PEOPLE[0][2]}, ...): put a row above it that names the columns"
    )


def test_the_words_of_a_column_are_no_headings() -> None:
    rows = [["Kennung", "Anmerkung", "X", "Y"], ["no", "no", "no", "7"], ["id", "no", "key", "8"]]
    found, weight = find_heading_row(rows, None, ())
    assert (found.row, found.looks_like_data, weight) == (1, False, 0.0)


FOOTERS: list[list[Any]] = [[], ["Total", "", "", 180_000], ["Prepared by payroll", "", "", ""]]


@pytest.mark.parametrize("name", ["team.csv", "team.xlsx"])
def test_totals_and_notes_are_named_with_the_way_out(tmp_path: Path, name: str) -> None:
    path = table(tmp_path / name, [STANDARD[:4], *[row[:4] for row in PEOPLE], *FOOTERS])
    (problem,) = refusal(path)
    assert problem == (
        "the row looks like a total or a note and not like a person: 2 rows (row 6 'Total', row 7 'Prepared by"
        " payroll'); end the table above it with census.last_row, or leave such rows out with census.ignore_rows:"
        " {column: employee_id, values: [...]}"
    )
    assert load(path, last_row=4).values("employee_id") == ["A", "B", "C"]
    rows = {"column": "employee_id", "values": (" total", "PREPARED BY payroll")}
    loaded = load(path, ignore_rows=rows)
    assert loaded.values("row_number") == [2, 3, 4]
    assert "rows left out by census.ignore_rows: 2" in loaded.summary.notes


def test_a_subtotal_between_people_is_named(tmp_path: Path) -> None:
    rows = [STANDARD, PEOPLE[0], ["Total Plant 1", "", "", 60_000, *[""] * (len(STANDARD) - 4)], PEOPLE[1]]
    path = table(tmp_path / "team.csv", rows)
    assert "1 row (row 3 'Total Plant 1')" in refusal(path)[0]
    rows[2][0] = "Anna"
    assert refusal(table(path, rows))[0] == "employee_birth_date is missing: 1 row (row 3)"


def test_a_short_note_below_is_told_apart_from_people(tmp_path: Path) -> None:
    titled = table(tmp_path / "titled.csv", [*TITLES, STANDARD, *PEOPLE, ["Prepared by payroll"]])
    assert "fewer than" in refusal(titled)[0]
    assert "(row 8)" in refusal(titled)[0]
    path = table(tmp_path / "team.csv", [STANDARD, *PEOPLE, ["Prepared by payroll"]])
    problems = refusal(path)
    assert problems[-1].endswith("set census.last_row to 4")
    assert load(path, last_row=4).values("row_number") == [2, 3, 4]
    rows = {"column": "employee_id", "values": ("prepared by payroll",)}
    assert load(path, ignore_rows=rows).values("row_number") == [2, 3, 4]


def test_rows_are_ignored_by_a_heading_that_is_not_read(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[*STANDARD, "Kind"], [*PEOPLE[0], "person"], [*PEOPLE[1], "pensioner"]]
    path = table(tmp_path / "team.csv", rows)
    assert load(path, ignore_rows={"column": "Kind", "values": ("Pensioner",)}).values("employee_id") == ["A"]
    assert refusal(path, ignore_rows={"column": "Kin", "values": ("x",)}) == [
        "census.ignore_rows: there is no column 'Kin'; did you mean 'Kind'?"
    ]


def test_a_parquet_file_ends_and_ignores_too(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "team.parquet"
    csv = table(tmp_path / "team.csv", [STANDARD, *PEOPLE])
    with duckdb.connect() as connection:
        connection.execute(f"copy (from read_csv('{csv}', all_varchar = true)) to '{path}'")
    assert load(path, last_row=2).values("row_number") == [1, 2]
    assert load(path, ignore_rows={"column": "employee_id", "values": ("b",)}).values("row_number") == [1, 3]
    assert refusal(path, header_row=2) == ["census.header_row is for text and Excel files: remove it"]
    assert refusal(path, encoding="utf-8") == ["census.encoding is for text files only: remove it"]


def test_row_numbers_and_left_out_rows_of_a_copy() -> None:
    rows = [["title"], ["id", "x"], ["a", "1"], ["Total", "9"], [], ["b", "2"], ["c", "3"]]
    copy = io.StringIO()
    selection = Selection(2, (0,), heading_row=2, last_row=6, left_out=LeftOut(0, frozenset({"total"})))
    assert copy_rows(rows, selection, copy) == 1
    assert copy.getvalue().split("\r\n") == ["1,id,", "1,a,", ",,", ",,", "1,b,", ""]


ENCODED = [("utf-8", None), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16")]


@pytest.mark.parametrize(("encoding", "said"), ENCODED, ids=[name for name, _ in ENCODED])
def test_the_encoding_is_found(tmp_path: Path, encoding: str, said: str | None) -> None:
    text = ",".join([*STANDARD, "department"]) + "\r\n" + ",".join([*map(str, PEOPLE[0]), "Café Œuvre"]) + "\r\n"
    path = tmp_path / "team.csv"
    path.write_bytes(text.encode(encoding))
    loaded = load(path)
    assert loaded.values("department") == ["Café Œuvre"]
    assert [said in note for note in loaded.summary.notes if said] == ([True] if said else [])


def test_the_configured_encoding_holds(tmp_path: Path) -> None:
    path = tmp_path / "team.csv"
    rows = ",".join([*STANDARD, "department"]) + "\n" + ",".join([*map(str, PEOPLE[0]), "Café"]) + "\n"
    path.write_bytes(rows.encode("mac-roman"))
    assert load(path, encoding="mac-roman").values("department") == ["Café"]
    assert load(path).values("department") == ["CafŽ"]
    problems = refusal(path, encoding="utf-8")
    assert problems == [
        "line 2 is not UTF-8 text (byte 0x8E): save the file as 'CSV UTF-8', or name its encoding with census.encoding"
    ]


def test_errors_and_uncomputed_formulas_of_excel_are_unreadable(tmp_path: Path) -> None:
    headings = [*STANDARD[:4], "department", "employee_termination_date", "employee_deferral_rate"]
    rows = [
        [*PEOPLE[0][:4], "Mill", "#VALUE!", 0.05],
        [*PEOPLE[1][:4], "#REF!", None, "#DIV/0!"],
        [*PEOPLE[2][:3], "=30000*2", "=A1&B1", None, "#N/A"],
    ]
    problems = refusal(workbook(tmp_path / "team.xlsx", [headings, *rows]))
    assert problems == [
        "employee_gross_compensation is not an amount of money: 1 row (row 4 '=30000*2')",
        "employee_termination_date is not a date: 1 row (row 2 '#VALUE!')",
        "department is an error of Excel: 1 row (row 3 '#REF!')",
        (
            "department is a formula without a saved value: 1 row (row 4 '=A1&B1'); open the workbook in Excel and save"
            " it, or save values"
        ),
        "employee_deferral_rate is not a rate: 1 row (row 3 '#DIV/0!')",
    ]
    assert refusal(table(tmp_path / "team.csv", [headings, *rows])) == problems


def test_not_available_is_a_blank_that_is_counted(tmp_path: Path) -> None:
    rows = [[*PEOPLE[0][:4], "#N/A", "#n/a"], [*PEOPLE[1][:4], "Mill", "#N/A"]]
    path = workbook(tmp_path / "team.xlsx", [[*STANDARD[:4], "department", "employee_deferral_rate"], *rows])
    loaded = load(path)
    assert loaded.values("department") == [None, "Mill"]
    assert "employee_deferral_rate: #N/A, read as blank, in 2 rows" in loaded.summary.notes
    assert "department: #N/A, read as blank, in 1 row" in loaded.summary.notes


def test_the_keys_are_read_from_a_configuration(tmp_path: Path) -> None:
    lines = [
        "census:",
        "  path: team.csv",
        "  encoding: windows-1252",
        "  header_row: 3",
        "  last_row: 40",
        "  ignore_rows: {column: employee_id, values: [Total, 7, true]}",
    ]
    census = load_simulation_config(write_lines(tmp_path / "c.yaml", lines)).census
    assert (census.encoding, census.header_row, census.last_row) == ("windows-1252", 3, 40)
    assert census.ignore_rows == {"column": "employee_id", "values": ("Total", "7", "true")}
