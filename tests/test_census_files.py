"""Files as clients send them: encodings, delimiters, broken rows, Excel, Parquet; the same people come out of each."""

import base64
import datetime as dt
import gzip
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from planalign_orchestrator.census import CensusSource, load_census
from planalign_orchestrator.errors import CensusError
from tests.companies import CENSUS_DATE, Row, person, write_rows
from tests.crash_child import Project, give_up_privileges
from tests.test_census import LEVELS, as_lines, database, load, refusal, write_lines

TEAM: list[Row] = [
    person("A", department="Sales"),
    person("B", pay="70000.50", department="Café"),
    person("C", department="x y"),
]
FINGERPRINT_COLUMNS = ("employee_id", "employee_birth_date", "employee_gross_compensation", "department")


def content(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in FINGERPRINT_COLUMNS) for row in rows]


def team_content() -> list[tuple[Any, ...]]:
    born = dt.date(1985, 6, 15)
    return [
        ("A", born, Decimal("60000.00"), "Sales"),
        ("B", born, Decimal("70000.50"), "Café"),
        ("C", born, Decimal("60000.00"), "x y"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize(
    ("ending", "encoding"),
    [("\n", "utf-8"), ("\r\n", "utf-8-sig"), ("\r", "utf-8")],
    ids=["lf", "crlf and byte order mark", "cr"],
)
def test_text_files_of_every_kind(tmp_path: Path, delimiter: str, ending: str, encoding: str) -> None:
    path = write_lines(tmp_path / "team.csv", as_lines(TEAM, delimiter), ending=ending, encoding=encoding)
    loaded = load(path)
    assert content(loaded.rows) == team_content()
    assert loaded.summary.notes == ()


@pytest.mark.parametrize(
    "name",
    [
        "a census.csv",
        "it's.csv",
        'a "quote".csv',
        "[1].csv",
        "star*.csv",
        "year=2024/month=12/census.csv",
        "TEAM.CSV",
        "team.tsv",
        "team.txt",
        "café;.csv",
    ],
)
def test_file_names_are_taken_literally(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_lines(tmp_path / "1.csv", as_lines([person("other file")]))
    write_lines(tmp_path / "starry.csv", as_lines([person("other file")]))
    assert content(load(write_lines(path, as_lines(TEAM))).rows) == team_content()


def test_broken_rows_far_apart_are_numbered_right(tmp_path: Path) -> None:
    lines = as_lines([person(f"P{number}") for number in range(2, 20_002)])
    for number in (2, 3, 5000, 5001, 5002, 20_001):
        lines[number - 1] = "broken"
    loaded = load(write_lines(tmp_path / "team.csv", lines), on_invalid_rows="quarantine")
    assert [row["row_number"] for row in loaded.quarantine] == [2, 3, 5000, 5001, 5002, 20_001]
    assert all(row["employee_id"] == f"P{row['row_number']}" for row in loaded.rows)


def test_mixed_line_endings_lose_nothing(tmp_path: Path) -> None:
    heading, a, b, c = as_lines(TEAM)
    path = tmp_path / "team.csv"
    path.write_bytes(f"{heading}\r\n{a}\n{b}\r{c}".encode())
    assert content(load(path).rows) == team_content()


def test_blanks_around_values_are_trimmed_and_nothing_else(tmp_path: Path) -> None:
    rows = [person(" u00 \t", department="\u00a0 abc u00a0200bfeff\u200b"), person("B", pay=" 60000 ")]
    loaded = load(rows, tmp_path)
    assert loaded.values("employee_id") == ["u00", "B"]
    assert loaded.values("department") == ["abc u00a0200bfeff", None]


def test_words_for_nothing_are_blank_but_not_in_text(tmp_path: Path) -> None:
    words = ["NULL", "None", "n/a", "NaN", "NaT", "-", " na "]
    rows = [person("A", employee_deferral_rate="0.06")]
    rows += [person(word, employee_deferral_rate=word, department=word) for word in words]
    loaded = load(rows, tmp_path)
    assert loaded.values("employee_deferral_rate") == [Decimal("0.06"), *[None] * len(words)]
    assert loaded.values("department")[1:] == loaded.values("employee_id")[1:] == [word.strip() for word in words]


BROKEN_FILES = [
    ("empty.csv", b"", "the file is empty"),
    ("newlines.csv", b"\n\n\r\n", "the file is empty"),
    ("bom.csv", b"\xef\xbb\xbf", "row 1 holds no headings"),
    ("commas.csv", b",,\n1,2,3\n", "row 1 holds no headings"),
    ("no_text.csv", b"employee_id\nA\nJos\x01\xe9\n", "line 3 is not UTF-8 text (byte 0xE9)"),
    ("cut.csv", b"employee_id\nA\x81", "is not UTF-8 text"),
    ("nul.csv", b"employee_id\n\x00\n", "holds NUL bytes"),
    ("gzip.csv", gzip.compress(b"employee_id\n"), "is a compressed file"),
    ("workbook.csv", b"PK\x03\x04...", "is an Excel workbook or a zip file under a text file's name"),
    ("parquet.csv", b"PAR1...", "is a Parquet file under a text file's name"),
    ("heading.csv", b'employee_id,"open\nA,B\n', "the heading row cannot be read"),
    ("text.parquet", b"employee_id\nA\n", "not a Parquet file"),
    ("text.xlsx", b"employee_id\nA\n", "the workbook cannot be read"),
    ("text.xls", b"employee_id\nA\n", "the workbook cannot be read"),
    ("census.docx", b"PK", "unknown file ending '.docx': supported are .csv, .tsv, .txt, .parquet, .xlsx, .xls"),
    ("census", b"employee_id\nA\n", "unknown file ending ''"),
]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "none.csv")[0]
    (tmp_path / "folder.csv").mkdir()
    assert refusal(tmp_path / "folder.csv") == ["this is a folder: census.path must name a file"]


@pytest.mark.process
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    (tmp_path / "census.csv").chmod(0)
    result = project.run(preexec_fn=give_up_privileges)
    assert result.returncode == 2
    assert "cannot be read: Permission denied" in result.stderr
    assert not project.database.exists()


@pytest.mark.parametrize("mode", ["fail", "quarantine"])
def test_an_open_quote_never_swallows_the_rest_of_the_file(tmp_path: Path, mode: str) -> None:
    heading, a, b, c = as_lines(TEAM)
    path = write_lines(tmp_path / "team.csv", [heading, a, b.replace("B,", '"B,'), c])
    (problem,) = refusal(path, on_invalid_rows=mode)
    assert "row 3 cannot be split into values: is a quote not closed" in problem
    path = write_lines(tmp_path / "blank line.csv", [heading, a, "", b.replace("B,", '"B,'), c])
    assert "is a quote not closed?" in refusal(path, on_invalid_rows=mode)[0]


@pytest.mark.parametrize("mode", ["fail", "quarantine"])
def test_an_empty_census_is_refused(tmp_path: Path, mode: str) -> None:
    path = write_lines(tmp_path / "team.csv", as_lines(TEAM)[:1])
    assert refusal(path, on_invalid_rows=mode) == ["there is no employee in it: the census is empty"]
    path = write_lines(tmp_path / "blank.csv", [as_lines(TEAM)[0], ",,,,", ", ,,,"])
    assert refusal(path, on_invalid_rows=mode) == ["there is no employee in it: the census is empty"]


def workbook(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


HEADINGS: list[object] = [
    "employee_id",
    "employee_birth_date",
    "employee_hire_date",
    "employee_gross_compensation",
    "employee_deferral_rate",
    "active",
]


def test_excel_cells_of_every_type(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        HEADINGS,
        [1001, dt.date(1985, 6, 15), dt.datetime.fromisoformat("2015-03-01"), 60000, 0.06, True],
        ["E2", "6/15/1985", 42064, 60000.1, "6%", "active"],
        [],
        [1003.0, "1985-06-15", dt.date(2015, 3, 1), "$60,000.00", None, False],
    ]
    loaded = load(workbook(tmp_path / "team.xlsx", ("Census", rows)))
    assert loaded.values("employee_id") == ["1001", "E2", "1003"]
    assert loaded.values("employee_birth_date") == [dt.date(1985, 6, 15)] * 3
    assert loaded.values("employee_hire_date") == [dt.date(2015, 3, 1)] * 3
    assert loaded.values("employee_gross_compensation") == [
        Decimal("60000.00"),
        Decimal("60000.10"),
        Decimal("60000.00"),
    ]
    assert loaded.values("employee_deferral_rate") == [Decimal("0.060000"), Decimal("0.060000"), None]
    assert loaded.values("active") == [True, True, False]
    assert loaded.values("row_number") == [2, 3, 5]
    assert loaded.summary.notes[0] == "blank rows left out: 1"


def test_excel_with_the_mac_epoch(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = book.worksheets[0]
    for row in ([*HEADINGS[:4]], ["A", dt.date(1985, 6, 15), 40602, 60000]):
        sheet.append(row)
    book.save(tmp_path / "mac.xlsx")
    (loaded,) = load(tmp_path / "mac.xlsx").rows
    assert loaded["employee_birth_date"] == dt.date(1985, 6, 15)
    assert loaded["employee_hire_date"] == dt.date(2015, 3, 1)


def test_real_dates_need_no_format(tmp_path: Path) -> None:
    rows: list[list[object]] = [HEADINGS[:4], ["A", dt.date(1985, 6, 15), "03.01.2015", 60000]]
    loaded = load(workbook(tmp_path / "team.xlsx", ("Census", rows)), date_format="%m.%d.%Y")
    assert loaded.values("employee_birth_date") == [dt.date(1985, 6, 15)]
    assert loaded.values("employee_hire_date") == [dt.date(2015, 3, 1)]


def test_excel_sheets(tmp_path: Path) -> None:
    rows: list[list[object]] = [HEADINGS[:4], ["A", "1985-06-15", "2015-03-01", 60000]]
    path = workbook(tmp_path / "two.xlsx", ("People", rows), ("Notes", [["hello"]]), ("Empty", []))
    assert "say which with census.sheet, one of 'People', 'Notes', 'Empty'" in refusal(path)[0]
    assert load(path, sheet="People").values("employee_id") == ["A"]
    assert "there is no sheet 'people'" in refusal(path, sheet="people")[0]
    assert "row 1 holds no headings" in refusal(path, sheet="Empty")[0]
    one = workbook(tmp_path / "one.xlsx", ("People", rows), ("Empty", []))
    assert load(one).values("employee_id") == ["A"]
    assert refusal(workbook(tmp_path / "none.xlsx", ("Empty", []))) == ["the workbook is empty"]
    text = write_rows(tmp_path / "team.csv", TEAM)
    assert refusal(text, sheet="People") == ["census.sheet is for Excel files only: remove it"]


def test_excel_bad_rows_are_set_aside(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        HEADINGS[:4],
        ["A", "1985-06-15", "2015-03-01", 60000],
        ["B", "1985-06-15", None, "abc"],
    ]
    loaded = load(workbook(tmp_path / "team.xlsx", ("People", rows)), on_invalid_rows="quarantine")
    assert [row["reasons"] for row in loaded.quarantine] == [
        "employee_hire_date is missing; employee_gross_compensation 'abc' is not an amount of money"
    ]


def write_parquet(path: Path, select: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"copy ({select}) to '{path}'")
    return path


def test_parquet_with_types(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "team.parquet",
        """
        select
            1001::double as employee_id, date '1985-06-15' as employee_birth_date,
            timestamp '2015-03-01 00:00:00' as employee_hire_date, 60000.5::double as employee_gross_compensation,
            true as active, 2::tinyint as level_id, 0.06::float as employee_deferral_rate, 'nan'::double as
            prior_year_compensation, null as employee_termination_date, '' as department
        union all
        select 1002, date '1990-01-01', timestamp '2016-03-01', 70000, null, 3, 0.1, 1e5, null, 'x'
    """,
    )
    loaded = load(path)
    assert loaded.values("employee_id") == ["1001", "1002"]
    assert loaded.values("employee_hire_date") == [dt.date(2015, 3, 1), dt.date(2016, 3, 1)]
    assert loaded.values("employee_gross_compensation") == [Decimal("60000.50"), Decimal("70000.00")]
    assert loaded.values("employee_deferral_rate") == [Decimal("0.06"), Decimal("0.1")]
    assert loaded.values("prior_year_compensation") == [None, Decimal("100000.00")]
    assert loaded.values("department") == [None, "x"]
    assert loaded.values("row_number") == [1, 2]
    assert load(path, date_format="%m/%d/%Y").summary.fingerprint == loaded.summary.fingerprint


def test_parquet_times_of_day_are_not_dates(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "team.parquet",
        """
        select 'A' as employee_id, date '1985-06-15' as employee_birth_date, 60000 as employee_gross_compensation,
            timestamptz '2015-03-01 05:00:00+00' as employee_hire_date
    """,
    )
    (problem,) = refusal(path)
    assert problem.startswith("employee_hire_date is not a date: 1 row (row 1 '2015-03-01 05:00:00')")


def test_the_same_people_have_the_same_fingerprint_in_every_format(tmp_path: Path) -> None:
    text = write_rows(tmp_path / "team.csv", TEAM)
    parquet = write_parquet(tmp_path / "team.parquet", f"from '{text}'")
    excel = workbook(tmp_path / "team.xlsx", ("Census", [list(TEAM[0]), *([*row.values()] for row in reversed(TEAM))]))
    assert len({load(path).summary.fingerprint for path in (text, parquet, excel)}) == 1


# A workbook of Excel 97 with one sheet: the four required columns and one person, dates as date cells.
XLS = (
    "eNrtWEtoE1EUPW+SNB/b5tNUbAslFKxa24UI4qZNW9ButEQ3iggxaQYbmmTCJJu4sVqzFBRXiptCXbipuvGDCroTFCq6EAQh0YULV4KCizbjfT"
    "cTmVaFBrRQnTO8++497/+5783My6VgZf5OdxVrMAIHaoYXLRZOUPA2jAAo3TCk2og9FAwbmwpeDy1kiwsP21645RrK9a5CwW3nU5LAewonkcek"
    "llMjG4hx7kNCyD4MkxS4Tkw7urhXIZZTLDtY3uKcj1iOMnOR5TDlrYgTWIpODuw3d/FxpY/T2iHrvcdl3jKzB514Jnfx2UuinteFMT2dyGyyhF"
    "5nKxZACzqh5lRd2n7cgA8oEYay2aFUqoIwLfYCvhoR4EvDq59EbH5jeQHiv63m3b/hPbSIa/krihOYhXGKnaRMm/qQs+7IMVXLZ9RlchMX2TJs"
    "AdRsPqOVVDWeTnVYrGRaL07HU4miGrKw02ldZbLHQp7WtUIhPqVl82qukCimtRztvTGfvBv4LAmsOkva2MdaSabgZz3InhagwSzf/PzqcDIWjT"
    "Mzy/dH/ZbZLgcFA+dkCSrczikKS5kywPpulue51h7Wu1mGabAU98c6TeXgHOe5wKn91M5exuvoDou+k/TypyP3e8sfortIX5yongkvvonOo49u"
    "vRSVl88cBsWguHZV4kG0EQvzRHrHsuun08mjBMy+G+ZV6seK9EdCkGXdkrMjfliKOVd1y0GWw6xL/KIuwXXJ2XmMbdzXEO5+lHL8sqzp+b6ccG"
    "BEIZYnctRys/tgw4YNGzZs2LBh4/+AMN+rHeabtct8b3eb/3VWKNTs3yT/LI5Co6dIH5UHkKNYR6mp/bMVLtGoS6yzTON/ocQxal3HDJLcj5mm"
    "9y99dwnreNZdMPDnXKjZ9mvN9PMvt/8dYUbvQg=="
)


def test_an_old_excel_file(tmp_path: Path) -> None:
    path = tmp_path / "team.xls"
    path.write_bytes(zlib.decompress(base64.b64decode(XLS)))
    (row,) = load(path).rows
    assert (row["employee_id"], row["employee_birth_date"], row["employee_hire_date"]) == (
        "A",
        dt.date(1985, 6, 15),
        dt.date(2015, 3, 1),
    )


def test_a_failed_load_leaves_the_connection_to_the_caller(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 broken PAR1")
    with database() as connection:
        with pytest.raises(CensusError, match="not a Parquet file"):
            load_census(connection, CensusSource(broken), census_date=CENSUS_DATE, level_ids=LEVELS)
        connection.execute("rollback")
        source = CensusSource(write_rows(tmp_path / "team.csv", TEAM))
        assert load_census(connection, source, census_date=CENSUS_DATE, level_ids=LEVELS).rows_loaded == 3
