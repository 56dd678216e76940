"""Mapping suggestions: foreign headings are recognised by name and value, doubt is said, and the result can be used."""

from pathlib import Path

import pytest
import yaml

from planalign_orchestrator.census import ColumnSuggestion, mapping_yaml, suggest_mapping
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


def by_heading(suggestions: list[ColumnSuggestion]) -> dict[str, ColumnSuggestion]:
    return {suggestion.heading: suggestion for suggestion in suggestions}


def test_foreign_headings_are_recognised_and_the_result_loads(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "foreign.csv", FOREIGN)
    suggestions = suggest_mapping(path)
    assert [suggestion.heading for suggestion in suggestions] == FOREIGN[0].split(",")
    sure = {s.heading: s.standard_name for s in suggestions if s.standard_name and s.confidence >= 0.8}
    assert sure == EXPECTED
    census = yaml.safe_load(mapping_yaml(suggestions))["census"]
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
    assert mapping_yaml(suggestions) == "census:\n  columns: {}\n"


def test_values_against_the_name_make_doubt(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"Emp ID": i, "DOB": "2015-01-31", "Hire Date": "1980-01-31", "Salary": "12.50"} for i in range(3)
    ]
    suggestions = by_heading(suggest_mapping(write_rows(tmp_path / "odd.csv", rows)))
    assert suggestions["DOB"].confidence < 0.6
    assert "not older than the other dates" in suggestions["DOB"].evidence
    assert "much older than the other dates" in suggestions["Hire Date"].evidence
    assert suggestions["Salary"].confidence < 0.6
    assert "the median of 12.50 is no usual annual pay" in suggestions["Salary"].evidence
    lines = mapping_yaml(list(suggestions.values())).splitlines()
    assert '    employee_id: "Emp ID"' in lines[2]
    assert all(line.startswith("    # ") for line in lines[3:])


def test_values_alone_make_a_weak_suggestion(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"A": f"E{i}", "B": f"19{60 + i}-05-31", "C": f"20{10 + i}-05-31", "D": 50_000 + i, "E": f"12345678{i}"}
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
    assert yaml.safe_load(mapping_yaml(suggestions)) == {"census": {"columns": {}}}


def test_each_column_is_suggested_once(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"Hire Date": f"20{i}-01-31", "Date of Hire": f"20{i}-01-31", "x": "", "y": ""} for i in range(10, 20)
    ]
    suggestions = suggest_mapping(write_rows(tmp_path / "twice.csv", rows))
    assert [s.standard_name for s in suggestions] == ["employee_hire_date", None, None, None]
    text = mapping_yaml(suggestions)
    assert "    # employee_birth_date: nothing resembles it" in text
    assert yaml.safe_load(text)["census"]["ignore_columns"] == ["Date of Hire"]


def test_whole_percents_are_pointed_out(tmp_path: Path) -> None:
    rows = [{**person(f"P{i}"), "Deferral %": i} for i in range(10)]
    suggestion = by_heading(suggest_mapping(write_rows(tmp_path / "percent.csv", rows)))["Deferral %"]
    assert suggestion.standard_name == "employee_deferral_rate"
    assert "look like whole percents: write them as decimals (0.06) or with a sign (6%)" in suggestion.evidence


def test_headings_of_any_kind_stay_valid_yaml(tmp_path: Path) -> None:
    rows = [{name.replace("employee_id", 'Emp: "No" #1'): value for name, value in person("A").items()}]
    path = write_rows(tmp_path / "odd.csv", rows)
    suggestions = [ColumnSuggestion('Emp: "No" #1', "employee_id", 0.9, "said so"), *suggest_mapping(path)[1:]]
    census = yaml.safe_load(mapping_yaml(suggestions))["census"]
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
