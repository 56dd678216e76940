"""What a census may not bring in, and what of it may not get out: control characters, and values of people's rows."""

from pathlib import Path

import pytest

from planalign_orchestrator.cli import main
from tests.companies import Row, person
from tests.test_census import as_lines, load, refusal, write_lines
from tests.test_census_files import write_parquet

CONTROL = {
    "escape": ("\x1b[31mA", r"\x1b[31mA"),
    "tab": ("A\tB", r"A\x09B"),
    "delete": ("A\x7f", r"A\x7f"),
    "C1": ("\x9bA", r"\x9bA"),
    "right-to-left override": ("A\u202eB", r"A\u202eB"),
    "isolate": ("A\u2066B\u2069", r"A\u2066B\u2069"),
    "line separator": ("A\u2028B", r"A\u2028B"),
    "zero-width space": ("A\u200bB", r"A\u200bB"),
}


@pytest.mark.parametrize("column", ["employee_id", "department"])
@pytest.mark.parametrize(("value", "shown"), CONTROL.values(), ids=CONTROL)
def test_control_characters_are_refused_and_shown_escaped(tmp_path: Path, column: str, value: str, shown: str) -> None:
    rows: list[Row] = [person("B", department="Sales"), {**person("C", department="Sales"), column: value}]
    assert refusal(rows, tmp_path) == [f"{column} contains a control character: 1 row (row 3 '{shown}'); remove it"]


@pytest.mark.parametrize("column", ["employee_id", "department"])
def test_control_characters_are_set_aside_and_shown_escaped(tmp_path: Path, column: str) -> None:
    good = person("good", department="Sales")
    rows = [good, *({**good, "employee_id": name, column: value} for name, (value, _) in CONTROL.items())]
    set_aside = load(rows, tmp_path, on_invalid_rows="quarantine").quarantine
    shown = [f"{column} '{shown}' contains a control character" for _, shown in CONTROL.values()]
    assert [row["reasons"] for row in set_aside] == shown


def test_letters_of_every_language_are_no_control_characters(tmp_path: Path) -> None:
    ids = ["é", "日本", "naïve café", "ab\u0301", "no\u200cjoin"]
    assert load([person(value) for value in ids], tmp_path).values("employee_id") == ids


def test_a_nul_in_an_id_is_refused(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "team.parquet",
        """
        select
            'A' || chr(0) || 'B' as employee_id, date '1985-06-15' as employee_birth_date,
            date '2015-03-01' as employee_hire_date, 60000 as employee_gross_compensation
        """,
    )
    assert refusal(path) == [r"employee_id contains a control character: 1 row (row 1 'A\x00B'); remove it"]


def test_values_are_shown_escaped_whatever_is_wrong_with_them(tmp_path: Path) -> None:
    rows = [person("A", born="\x1b[2J"), person("B", pay="\u202e1")]
    assert refusal(rows, tmp_path) == [
        r"employee_birth_date is not a date: 1 row (row 2 '\x1b[2J')",
        r"employee_gross_compensation is not an amount of money: 1 row (row 3 '\u202e1')",
    ]


@pytest.mark.parametrize(("heading", "shown"), CONTROL.values(), ids=CONTROL)
def test_control_characters_in_headings_are_refused(tmp_path: Path, heading: str, shown: str) -> None:
    names = ",".join(person("A"))
    path = write_lines(tmp_path / "team.csv", [f"{names},{heading}", "A,1985-06-15,2015-03-01,60000,x"])
    if heading == "A\tB":  # a blank in a heading, like a line break in an Excel cell
        assert load(path).rows
    else:
        (problem,) = refusal(path)
        assert problem == f"the heading of column 5, '{shown}', contains a control character: remove it from row 1"


SECURITY_NUMBERS = ["123-45-6789", "000-00-0000", "123456789", "899010001"]
OTHER_NUMBERS = ["000456789", "666456789", "900456789", "123006789", "123450000", "12345678", "1234567890", "E12345678"]


def test_ids_like_social_security_numbers_are_refused_without_naming_them(tmp_path: Path) -> None:
    rows = [person(value, employee_deferral_rate="0") for value in (*OTHER_NUMBERS, *SECURITY_NUMBERS)]
    (problem,) = refusal(rows, tmp_path)
    assert problem.startswith("4 employee ids look like social security numbers (row 10, row 11, row 12, ...): use")
    assert load(rows[: len(OTHER_NUMBERS)], tmp_path).summary.warnings == ()


@pytest.mark.model
def test_no_value_of_a_bad_row_gets_into_reports_or_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [person(f"P{number:03d}", born=f"6/{number + 13}/1985", department="Sales") for number in range(10)]
    bad = [
        person("BADID7", born="7/27/1931", hired="2/31/2011", pay="-77123.45", department="Zubrowka\tDept"),
        person("TWICE99", pay="61234.57"),
        person("TWICE99", born="x1y2z3", pay="61234.58"),
    ]
    path = tmp_path / "census.csv"
    write_lines(path, as_lines([{"department": "Sales", **row} for row in [*rows, *bad]]))
    (tmp_path / "config.yaml").write_text(
        "census: {path: census.csv, on_invalid_rows: quarantine, most_set_aside: 1}\n"
        "simulation: {start_year: 2025, end_year: 2025}\n"
        "plan: {eligibility: {excluded: [{column: department, values: [Nowhere]}]}}\n"
        "runtime: {database: run.duckdb, threads: 1}\n",
        encoding="utf-8",
    )

    def planalign(*arguments: str) -> str:
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        written = capsys.readouterr()
        assert left.value.code == 0, written.err
        return written.out + written.err

    shown = planalign("run", "-c", "config.yaml")
    assert "row 14 'x1y2z3'" in shown
    assert "row 12 '-77123.45'" in shown
    for ending in ("html", "json", "csv"):
        planalign("report", "--database", "run.duckdb", "-o", f"told.{ending}")
    told = [*tmp_path.glob("told.*"), *tmp_path.glob("reports/*"), *tmp_path.glob(".navigator_checkpoints/*")]
    assert len(told) >= 6
    texts = {str(file.relative_to(tmp_path)): file.read_text(encoding="utf-8") for file in told}
    texts["report"] = planalign("report", "--database", "run.duckdb")
    texts["status"] = planalign("status", "--database", "run.duckdb", "--json")
    assert "row 14" in texts["reports/year_2025.json"]
    values = ["BADID7", "TWICE99", "x1y2z3", "77123.45", "7/27/1931", "2/31/2011", "Zubrowka", "61234.5", "6/13/1985"]
    assert [(name, value) for name, text in texts.items() for value in values if value in text] == []
