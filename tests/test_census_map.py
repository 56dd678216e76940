"""Mapping suggestions: foreign headings are recognised by name and value, doubt is said, and the result can be used."""

import re
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import yaml

from planalign_orchestrator.census import ColumnSuggestion, Proposal, mapping_yaml, propose, suggest_mapping
from planalign_orchestrator.cli.app import main
from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.config.section_writing import replace_section_keys
from planalign_orchestrator.errors import CensusError
from tests.companies import Row, person, write_rows
from tests.test_census import load, write_lines

FOREIGN = [
    "Emp No,Full Name,DOB,Date of Hire,Annual Salary,Term Date,401k %,SSN,Dept,Job Grade,Status,Birth Date,Shoes",
    '1001,"Smith, A",03/14/1980,5/1/2010,"$56,705.00 ",,6%,123-45-6789,Ops,1,Active,,44',
    '1002,"Jones, B",12/3/1968,11/30/1999,"$156,705.00 ",,0%,123-45-6780,Ops,3,A,,38',
    '1003,"Doe, C",7/4/1990,12/31/2020,"$61,000.00 ",6/30/2024,10%,123-45-6781,Fin,1,Terminated,,41',
]
EXPECTED = {
    "Emp No": "employee_id",
    "DOB": "employee_birth_date",
    "Date of Hire": "employee_hire_date",
    "Annual Salary": "employee_gross_compensation",
    "Term Date": "employee_termination_date",
    "401k %": "employee_deferral_rate",
    "SSN": "employee_ssn",
    "Dept": "department",
    "Job Grade": "level_id",
    "Status": "active",
}


def as_yaml(suggestions: list[ColumnSuggestion]) -> str:
    return mapping_yaml(Proposal(suggestions, []))


def by_heading(suggestions: list[ColumnSuggestion]) -> dict[str, ColumnSuggestion]:
    return {suggestion.heading: suggestion for suggestion in suggestions}


def test_foreign_headings_are_recognised_and_the_result_loads(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "foreign.csv", FOREIGN)
    suggestions = suggest_mapping(path)
    assert [suggestion.heading for suggestion in suggestions] == FOREIGN[0].split(",")
    sure = {s.heading: s.standard_name for s in suggestions if s.standard_name and s.confidence >= 0.8}
    assert sure == EXPECTED
    census = yaml.safe_load(as_yaml(suggestions))["census"]
    assert census == {
        "columns": {name: heading for heading, name in EXPECTED.items()},
        "ignore_columns": ["Birth Date"],
    }
    loaded = load(path, **census)
    assert loaded.values("employee_id") == ["1001", "1002", "1003"]
    assert loaded.summary.left_before_start == 1


def test_a_standard_file_needs_no_mapping(generated: object, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "team.csv", [person("A", department="x"), person("B")])
    suggestions = suggest_mapping(path)
    assert all(s.heading == s.standard_name and s.confidence == 1 for s in suggestions)
    assert as_yaml(suggestions) == "census:\n  columns: {}\n"


def test_values_against_the_name_make_doubt(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"Emp ID": i, "DOB": "2015-01-31", "Hire Date": "1980-01-31", "Salary": "12.50"} for i in range(3)
    ]
    suggestions = by_heading(suggest_mapping(write_rows(tmp_path / "odd.csv", rows)))
    assert suggestions["DOB"].confidence < 0.6
    assert "not older than the other dates" in suggestions["DOB"].evidence
    assert "much older than the other dates" in suggestions["Hire Date"].evidence
    assert "the median of 12.50 is no annual pay (census.units)" in suggestions["Salary"].evidence
    lines = as_yaml(list(suggestions.values())).splitlines()
    assert '    employee_id: "Emp ID"' in lines[2]
    assert all(line.startswith("    # ") for line in lines[3:5])


def test_values_alone_make_a_weak_suggestion(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"A": f"E{i}", "B": f"19{60 + i}-05-31", "C": f"20{10 + i}-05-31", "D": 50_000 + 7 * i, "E": f"12345678{i}"}
        for i in range(10)
    ]
    suggestions = suggest_mapping(write_rows(tmp_path / "bare.csv", rows))
    assert [s.standard_name for s in suggestions] == [
        "employee_id",
        "employee_birth_date",
        "employee_hire_date",
        "employee_gross_compensation",
        "employee_ssn",
    ]
    assert all(0.2 <= s.confidence <= 0.5 for s in suggestions)
    assert yaml.safe_load(as_yaml(suggestions)) == {"census": {"columns": {}}}


def test_each_column_is_suggested_once(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"Hire Date": f"20{i}-01-31", "Date of Hire": f"20{i}-01-31", "x": "", "y": ""} for i in range(10, 20)
    ]
    suggestions = suggest_mapping(write_rows(tmp_path / "twice.csv", rows))
    assert [s.standard_name for s in suggestions] == ["employee_hire_date", None, None, None]
    text = as_yaml(suggestions)
    assert "    # employee_birth_date: nothing resembles it" in text
    assert '    # employee_hire_date: "Date of Hire"  # another candidate: choose one' in text
    assert "ignore_columns" not in text


def test_whole_percents_are_pointed_out(tmp_path: Path) -> None:
    rows = [{**person(f"P{i}"), "Deferral %": i} for i in range(10)]
    suggestion = by_heading(suggest_mapping(write_rows(tmp_path / "percent.csv", rows)))["Deferral %"]
    assert suggestion.standard_name == "employee_deferral_rate"
    assert "look like whole percents (census.units)" in suggestion.evidence


def test_headings_of_any_kind_stay_valid_yaml(tmp_path: Path) -> None:
    rows = [{name.replace("employee_id", 'Emp: "No" #1'): value for name, value in person("A").items()}]
    path = write_rows(tmp_path / "odd.csv", rows)
    suggestions = [ColumnSuggestion('Emp: "No" #1', "employee_id", 0.9, "said so"), *suggest_mapping(path)[1:]]
    census = yaml.safe_load(as_yaml(suggestions))["census"]
    assert load(path, **census).summary.rows_loaded == 1


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CensusError, match="there is no such file"):
        suggest_mapping(tmp_path / "none.csv")
    with pytest.raises(CensusError, match=r"census\.sheet is for Excel files only"):
        suggest_mapping(write_rows(tmp_path / "team.csv", [person("A")]), "People")


def test_a_file_without_rows_is_judged_by_its_headings(tmp_path: Path) -> None:
    suggestions = suggest_mapping(write_lines(tmp_path / "headings.csv", ["Emp No,DOB"]))
    assert [s.standard_name for s in suggestions] == ["employee_id", "employee_birth_date"]
    assert all(0.6 <= s.confidence <= 0.7 for s in suggestions)
    assert "there are no values to judge by" in suggestions[0].evidence


def test_numbers_are_no_dates_against_a_heading(tmp_path: Path) -> None:
    rows: list[Row] = [
        {
            "Locker": 12_000 + 97 * i,
            "Staff #": 30_000 + i,
            "Birth Date": f"19{60 + i}-05-31",
            "Hire Date": f"20{10 + i}-05-31",
        }
        for i in range(12)
    ]
    found = {s.heading: s.standard_name for s in suggest_mapping(write_rows(tmp_path / "team.csv", rows))}
    assert found == {
        "Locker": "employee_gross_compensation",  # by its values alone, and so a comment
        "Staff #": "employee_id",
        "Birth Date": "employee_birth_date",
        "Hire Date": "employee_hire_date",
    }


def test_somebody_elses_dates_are_not_the_employees(tmp_path: Path) -> None:
    rows: list[Row] = [
        {
            "Spouse DOB": f"19{50 + i}-01-31",
            "Rehire Date": f"20{14 + i}-01-31",
            "Birth Date": f"19{60 + i}-05-31",
            "Hire Dt": f"20{10 + i}-05-31",
        }
        for i in range(9)
    ]
    proposal = propose(write_rows(tmp_path / "team.csv", rows))
    assert proposal.mapping == {"employee_birth_date": "Birth Date", "employee_hire_date": "Hire Dt"}
    assert proposal.ignored == []
    assert proposal.missing == ["employee_id", "employee_gross_compensation"]


def test_running_numbers_are_ids_and_no_pay(tmp_path: Path) -> None:
    rows: list[Row] = [{"n": 50_001 + i, "m": 61_000 + 17 * i} for i in range(9)]
    proposal = propose(write_rows(tmp_path / "team.csv", rows))
    assert {s.heading: s.standard_name for s in proposal.columns} == {
        "n": "employee_id",
        "m": "employee_gross_compensation",
    }


def client_rows() -> list[Row]:
    """A client's people: three kinds of rates, codes of the status, a date that stands for no exit."""
    rates = ["6", "0.05", "4%", "", "10", "3"]
    status = ["A", "LOA", "T", "A", "A", "A"]
    return [
        {
            "Emp #": f"{place:05d}",
            "DOB": f"5/{place + 13}/1980",
            "Hire Dt": f"3/{place + 13}/2015",
            "Term Date": "6/30/2020" if status[place] == "T" else "12/31/2099",
            "Status": status[place],
            "Annual Salary": f"${60 + place},000",
            "401k %": rates[place],
            "Job Grade": "H1",
        }
        for place in range(6)
    ]


def test_the_other_keys_are_suggested_and_the_result_loads(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "team.csv", client_rows())
    lines = path.read_text(encoding="utf-8").splitlines()
    write_lines(path, ["Blue Heron Mills", "", *lines, "Total,,,,,$366000,,", "Prepared by payroll"])
    proposal = propose(path)
    assert [(s.key, s.value, s.is_sure) for s in proposal.settings] == [
        ("no_end_date", "2099-12-31", True),
        ("last_row", 9, True),
        ("units", {"employee_deferral_rate": "mixed"}, True),
        ("values", {"active": {"A": True, "LOA": True, "T": False}}, True),
        ("values", {"level_id": {"H1": 1}}, False),
    ]
    assert str(proposal.last_day) == "2020-06-30"
    text = mapping_yaml(proposal).replace("    # level_id:", "    level_id:")
    config = tmp_path / "c.yaml"
    config.write_text(f"{text}  path: team.csv\n", encoding="utf-8")
    loaded = load(path, **{key: value for key, value in load_simulation_config(config).census if key != "path"})
    assert loaded.values("employee_deferral_rate") == [
        None if rate is None else Decimal(rate) for rate in ("0.06", "0.05", "0.04", None, "0.1", "0.03")
    ]
    assert (loaded.summary.simulated, loaded.summary.announced_exits) == (5, 0)


def test_codes_of_levels_are_numbered_by_the_pay_of_their_people(tmp_path: Path) -> None:
    """Which grade is which level is the client's to say: the order of pay is a question, on one line to uncomment."""
    grades = {"Lead": 80_000, "Clerk": 40_000, "Chief": 150_000}
    rows: list[Row] = [
        {**person(f"P{place}", pay=pay + place), "Job Grade": grade}
        for place, (grade, pay) in enumerate([*grades.items()] * 4)
    ]
    text = mapping_yaml(propose(write_rows(tmp_path / "team.csv", rows)))
    assert '    level_id: "Job Grade"' in text
    assert '  # values: {"level_id": {"Clerk": 1, "Lead": 2, "Chief": 3}}  # numbered by the median pay' in text
    config = tmp_path / "c.yaml"
    config.write_text(text.replace("  # values:", "  path: team.csv\n  values:"), encoding="utf-8")
    census = {key: value for key, value in load_simulation_config(config).census if key != "path"}
    assert load(tmp_path / "team.csv", **census).values("level_id") == [2, 1, 3] * 4


def test_codes_that_pay_does_not_rise_with_are_no_levels(tmp_path: Path) -> None:
    """Such levels would be refused by every run; the mapping says so and finds the levels from the pay."""
    rows: list[Row] = [
        {**person(f"P{place}", pay=40_000 + place * 997 % 60_000), "Job Grade": "HSE"[place % 3], "Std Hrs": "40"}
        for place in range(90)
    ]
    text = mapping_yaml(propose(write_rows(tmp_path / "team.csv", rows)))
    assert '  values: {"level_id": {' in text
    assert "# pay does not rise with these codes, so the level is found from the pay" in text
    census = yaml.safe_load(text)["census"]
    assert census["values"] == {"level_id": {"E": None, "H": None, "S": None}}
    loaded = load(tmp_path / "team.csv", **census)
    assert loaded.values("level_id") == [None] * 90


def test_the_first_year_follows_the_last_hire_or_exit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[Row] = [
        person("A", hired="2024-03-01"),
        {**person("B"), "employee_termination_date": "2025-02-01"},
        {**person("C"), "employee_termination_date": "2999-12-31"},
    ]
    path = write_rows(tmp_path / "team.csv", rows)
    with pytest.raises(SystemExit) as left:
        main(["census", "map", str(path)])
    assert left.value.code == 0
    assert "The last hire or exit is of 2025-02-01; the first year to simulate is 2026" in capsys.readouterr().out


def test_what_a_column_leaves_open_is_a_comment(tmp_path: Path) -> None:
    rows: list[Row] = [
        {**person(f"P{place}", born=f"1/{place + 1}/1980", pay=4_000 + place), "active": "AQ"[place % 2]}
        for place in range(4)
    ]
    text = mapping_yaml(propose(write_rows(tmp_path / "team.csv", rows)))
    assert '  # date_format: "%m/%d/%Y"  # or %d/%m/%Y: employee_birth_date does not say which comes first' in text
    assert '  # units: {"employee_gross_compensation": "monthly"}  # the median of 4,001.50 is no annual pay' in text
    assert '  # values: {"active": {"A": true, "Q": null}}  # say what each code means; null is a blank' in text
    assert yaml.safe_load(text) == {"census": {"columns": {}}}


def test_of_several_sheets_the_one_with_known_headings_is_taken(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Plan", "Match"])
    sheet = book.create_sheet("People")
    for row in (list(person("A")), list(person("A").values())):
        sheet.append(row)
    book.save(tmp_path / "team.xlsx")
    assert [(s.key, s.value) for s in propose(tmp_path / "team.xlsx").settings] == [("sheet", "People")]


CONFIG = """\
# my plan
census:
  # the file
  path: old.csv  # of last year
  columns:
    employee_id: Badge
    # gone
  date_format: null

  # last words

simulation:
  start_year: 2026
"""


def test_a_mapping_is_written_into_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_rows(tmp_path / "team.csv", client_rows())
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(["census", "map", str(path), "--write", "-c", str(config)])
    assert left.value.code == 0
    assert "Written to" in capsys.readouterr().out
    text = config.read_text(encoding="utf-8")
    for kept in (
        "# my plan",
        "  # the file",
        "  date_format: null",
        "  # last words",
        "simulation:\n  start_year: 2026\n",
    ):
        assert kept in text
    census = load_simulation_config(config).census
    assert census.path == path
    assert census.columns["employee_id"] == "Emp #"
    assert census.units == {"employee_deferral_rate": "mixed"}
    assert census.no_end_date is not None
    assert "Badge" not in text


@pytest.mark.parametrize(
    "text",
    [
        "census: {path: old.csv, on_invalid_rows: quarantine}  # mine\nsimulation: {start_year: 2026}\n",
        "scenario_id: x\n",
        "census:\n",
    ],
    ids=["one line", "no section", "an empty section"],
)
def test_a_section_of_any_form_takes_a_mapping(tmp_path: Path, text: str) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(text, encoding="utf-8")
    config.write_text(
        replace_section_keys(config, "census", [("path", "  path: new.csv\n"), ("", "  # doubt\n")]), "utf-8"
    )
    found = load_simulation_config(config)
    assert found.census.path == tmp_path / "new.csv"
    assert "  # doubt\n" in config.read_text(encoding="utf-8")
    assert (found.census.on_invalid_rows == "quarantine") == ("quarantine" in text)


def test_a_file_without_a_required_column_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_rows(
        tmp_path / "team.csv", [{"Emp #": "A1", "DOB": "1980-05-31", "Hire Dt": "2015-05-31", "Shoe": "x"}]
    )
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(["census", "map", str(path), "--write", "-c", str(config)])
    assert left.value.code == 2
    assert "No heading is a candidate for employee_gross_compensation" in capsys.readouterr().out
    assert config.read_text(encoding="utf-8") == CONFIG


def test_a_check_reads_the_configuration_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_rows(tmp_path / "team.csv", [{**person("A"), "Unit": "7"}])
    (tmp_path / "config").mkdir()
    lines = [
        "census: {path: ../team.csv, columns: {department: Unit}}",
        "simulation: {start_year: 2027, end_year: 2027}",
    ]
    write_lines(tmp_path / "config" / "simulation_config.yaml", lines)
    for arguments in ([str(path)], []):
        with pytest.raises(SystemExit) as left:
            main(["census", "check", *arguments])
        assert left.value.code == 0
        shown = capsys.readouterr().out
        assert "census date 2026-12-31" in shown
        assert re.search(r"department +Unit +1", shown)


@pytest.mark.parametrize("command", ["check", "profile"])
def test_a_check_needs_a_census_or_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["census", command])
    assert left.value.code == 2
    assert "name a census, or a configuration" in capsys.readouterr().err
