"""Headings: found by exact name or mapping; one that is nearly known is pointed out, never ignored."""

import csv
from pathlib import Path

import pytest

from planalign_orchestrator.census.columns import COLUMNS, nearest_column
from tests.companies import person
from tests.test_census import as_lines, load, refusal, write_lines

NEAR = {
    "Employee ID": "employee_id",
    "EmployeeID": "employee_id",
    "employe_id": "employee_id",
    "Emp No": "employee_id",
    "employee_birthdate": "employee_birth_date",
    "DOB": "employee_birth_date",
    "Date of Birth": "employee_birth_date",
    "hire_date": "employee_hire_date",
    "Date of Hire": "employee_hire_date",
    "Adjusted Service Date": "employee_service_date",
    "Annual Salary": "employee_gross_compensation",
    "employee_gross_comp": "employee_gross_compensation",
    "Base Pay": "employee_gross_compensation",
    "Term Date": "employee_termination_date",
    "employee_terminaton_date": "employee_termination_date",
    "Status": "active",
    "Active": "active",
    "Job Level": "level_id",
    "Dept.": "department",
    "Hours/Week": "scheduled_hours_per_week",
    "401k %": "employee_deferral_rate",
    "401(k) Deferral Rate": "employee_deferral_rate",
    "deferral_rate": "employee_deferral_rate",
    "Enrolment Date": "employee_enrollment_date",
    "auto escalation opt-out": "auto_escalation_opt_out",
    "5% Owner": "is_five_percent_owner",
    "Prior Yr Comp": "prior_year_compensation",
    "Annual Bonus": "employee_variable_compensation",
    "Match Balance": "match_account_balance",
    "Work Location": "location",
    "Employee Type": "employee_class",
    "Gender": "sex",
    "SSN": "employee_ssn",
    "Social Security Number": "employee_ssn",
}
FAR = [
    "Full Name", "employee_name", "first_name", "address", "city", "zip", "email", "phone", "job_title",
    "manager_id", "union_code", "cost_center", "eligibility_date", "vesting_pct", "bonus", "overtime",
    "marital_status", "pay_frequency", "supervisor_id", "company", "birth_place", "termination_reason",
    "hire_type", "deferral_amount", "level_name", "loan_balance", "prior_year_hours", "compensation_type", "notes",
]  # fmt: skip


@pytest.mark.parametrize(("heading", "name"), NEAR.items(), ids=list(NEAR))
def test_a_nearly_known_heading_is_recognised(heading: str, name: str) -> None:
    assert nearest_column(heading) == name


@pytest.mark.parametrize("heading", FAR)
def test_another_heading_is_not(heading: str) -> None:
    assert nearest_column(heading) is None


def test_a_nearly_known_heading_is_an_error_until_it_is_mapped_or_ignored(tmp_path: Path) -> None:
    rows = [{**person("A"), "deferral_rate": "0.06"}]
    (problem,) = refusal(rows, tmp_path)
    assert problem == (
        "heading 'deferral_rate' looks like employee_deferral_rate: put the line"
        ' `employee_deferral_rate: "deferral_rate"` under census.columns,'
        " or list the heading under census.ignore_columns if it is something else"
    )
    mapped = load(rows, tmp_path, columns={"employee_deferral_rate": "deferral_rate"})
    assert str(mapped.values("employee_deferral_rate")[0]) == "0.060000"
    ignored = load(rows, tmp_path, ignore_columns=["deferral_rate"])
    assert ignored.values("employee_deferral_rate") == [None]
    assert ignored.summary.notes == ("ignored as configured: 'deferral_rate'",)


def test_required_columns_are_mapped(tmp_path: Path) -> None:
    rows = [{"Emp No": "1", "DOB": "x", "Doh": "2010-01-31", "Pay": "1000"}]
    columns = {
        "employee_id": "Emp No",
        "employee_birth_date": "DOB",
        "employee_hire_date": "Doh",
        "employee_gross_compensation": "Pay",
    }
    assert refusal(rows, tmp_path, columns=columns) == [
        "employee_birth_date (heading 'DOB') is not a date: 1 row (row 2 'x')"
    ]
    problems = refusal(rows, tmp_path)
    assert [problem.split(":")[0] for problem in problems] == [
        "heading 'Emp No' looks like employee_id",
        "heading 'DOB' looks like employee_birth_date",
        "heading 'Doh' looks like employee_hire_date",
        "required columns missing",
    ]
    assert "missing: employee_id, employee_birth_date, employee_hire_date, employee_gross_compensation" in problems[-1]
    assert "the headings in row 1 are 'Emp No', 'DOB', 'Doh', 'Pay'" in problems[-1]


def test_a_missing_column_is_an_error(tmp_path: Path) -> None:
    rows = [{name: value for name, value in person("A").items() if name != "employee_hire_date"}]
    for mode in ("fail", "quarantine"):
        (problem,) = refusal(rows, tmp_path, on_invalid_rows=mode)
        assert problem.startswith(
            "required column missing: employee_hire_date; the headings in row 1 are 'employee_id',"
        )


def test_mappings_that_do_not_fit(tmp_path: Path) -> None:
    rows = [{**person("A"), "Dept": "x"}]
    columns = {"departmnt": "Dept", "level_id": "Lvl", "department": "Depts"}
    first, second, third, _ = refusal(rows, tmp_path, columns=columns)
    assert first == "census.columns: 'departmnt' is not a standard column; did you mean 'department'?"
    assert "level_id is mapped to 'Lvl', which is not a heading of the file" in second
    assert "department is mapped to 'Depts', which is not a heading of the file; did you mean 'Dept'?" in third


def test_a_heading_serves_one_column(tmp_path: Path) -> None:
    rows = [{**person("A"), "x": "1"}]
    assert refusal(rows, tmp_path, columns={"department": "x", "level_id": "x"}) == [
        "census.columns: heading 'x' is mapped more than once"
    ]


def test_a_mapping_and_the_standard_name_together_are_a_question(tmp_path: Path) -> None:
    rows = [{**person("A"), "department": "old", "Dept": "new"}]
    (problem,) = refusal(rows, tmp_path, columns={"department": "Dept"})
    assert problem.startswith("department is mapped to 'Dept', but the file also has a column 'department'")
    loaded = load(rows, tmp_path, columns={"department": "Dept"}, ignore_columns=["department"])
    assert loaded.values("department") == ["new"]
    (problem,) = refusal(rows, tmp_path)
    assert problem.startswith("heading 'Dept' looks like department, which is already read from 'department'")


def test_a_standard_name_can_be_mapped_to_another_column(tmp_path: Path) -> None:
    rows = [{**person("A"), "employee_account_balance": "5", "match_account_balance": "7"}]
    swapped = {"employee_account_balance": "match_account_balance", "match_account_balance": "employee_account_balance"}
    (row,) = load(rows, tmp_path, columns=swapped).rows
    assert (row["employee_account_balance"], row["match_account_balance"]) == (7, 5)


def test_repeated_headings_are_an_error(tmp_path: Path) -> None:
    heading, row = as_lines([person("A", department="x")])
    path = write_lines(tmp_path / "team.csv", [f"{heading},department,, ", f"{row},y,,"])
    assert refusal(path) == ["heading 'department' stands 2 times in row 1: headings must differ"]


def test_unused_columns_are_named(tmp_path: Path) -> None:
    heading, row = as_lines([person("A")])
    path = write_lines(tmp_path / "team.csv", [f'{heading},Shoe size,,"T, shirt"', f"{row},44,x,L"])
    loaded = load(path, ignore_columns=["T, shirt", "gone"])
    assert loaded.summary.notes == (
        "not used: 'Shoe size'",
        "not used, because without a heading: column 6",
        "ignored as configured: 'T, shirt'",
        "census.ignore_columns names headings that the file does not have: gone",
    )


def test_headings_are_trimmed_and_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "team.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        odd = 'it\'s "odd", {or}\nnot; --'
        writer.writerow(
            [" employee_id ", "employee_birth_date", "employee_hire_date", "employee_gross_compensation", odd]
        )
        writer.writerow(["A", "1980-01-01", "2010-01-01", "0", "Sales"])
        writer.writerow(["B", "1980-01-01", "2010-01-01", "1000", "Sales"])
    loaded = load(path, columns={"department": odd}, on_invalid_rows="quarantine")
    assert loaded.values("department") == ["Sales"]
    assert len(loaded.quarantine) == 1


def test_every_column_says_what_it_means() -> None:
    assert [column.name for column in COLUMNS if not column.meaning.endswith(".")] == []


def test_a_left_over_column_that_may_change_results_is_named(tmp_path: Path) -> None:
    rows = [{**person("A"), "Hrs": "20", "Shoes": "44", "Rehire Date": "2020-01-31"}]
    notes = load(rows, tmp_path).summary.notes
    assert notes[0] == "not used: 'Hrs', 'Shoes', 'Rehire Date'"
    assert [note for note in notes if "would change results" in note] == [
        (
            "'Hrs' may be scheduled_hours_per_week, which would change results: if so, put the line"
            ' `scheduled_hours_per_week: "Hrs"` under census.columns'
        )
    ]
    mapped = load(rows, tmp_path, columns={"scheduled_hours_per_week": "Hrs"}).summary.notes
    assert mapped == ("not used: 'Shoes', 'Rehire Date'",)
