"""Figures of groups of people: they add up to the year's, blanks are said, and every format shows them."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from planalign_orchestrator.cli.app import main
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.report_templates import ReportDimension
from planalign_orchestrator.reports import MultiYearReporter
from planalign_orchestrator.reports.groups import NOT_GIVEN, read_breakdown
from tests.companies import Row, people
from tests.laboratory import Result, simulate

DIMENSIONS: tuple[ReportDimension, ...] = get_args(ReportDimension)
PLACES = ("Mill", " mill ", "MILL", "Yard", "", "  ")


@pytest.fixture(scope="module")
def grouped_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Two years of 120 people with groups, some of them blank or written in another case."""
    rows: list[Row] = [
        {
            **row,
            "employee_gross_compensation": 40_000 + place * 997,
            "location": PLACES[place % len(PLACES)],
            "employee_class": ("Union", "Salaried")[place % 2],
            "department": f"D{place % 4}",
            "sex": "FM"[place % 2],
            "employee_birth_date": f"{1962 + place % 40}-03-01",
            "employee_deferral_rate": "0.05" if place % 3 else "",
        }
        for place, row in enumerate(people(120))
    ]
    return simulate(tmp_path_factory.mktemp("groups"), rows, {"simulation.end_year": 2026})


@pytest.fixture
def database(grouped_run: Result) -> Iterator[DatabaseConnectionManager]:
    with DatabaseConnectionManager(grouped_run.database, read_only=True) as db:
        yield db


@pytest.mark.model
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_groups_of_a_year_add_up_to_the_year(
    database: DatabaseConnectionManager, dimension: ReportDimension
) -> None:
    years = {
        report.simulation_year: report for report in MultiYearReporter(database).generate_summary([2025, 2026]).years
    }
    found = read_breakdown(database, [2025, 2026], dimension)
    for year, report in years.items():
        groups = [group for group in found.groups if group.simulation_year == year]
        assert len(groups) > 1
        assert len({group.group for group in groups}) == len(groups)
        for name, metric in groups[0].metrics.items():
            if metric.unit in ("people", "USD"):
                total = sum((group.metrics[name].value or Decimal(0) for group in groups), Decimal(0))
                assert total == report.metrics[name].value, name


@pytest.mark.model
def test_rates_of_a_group_are_those_of_its_people(grouped_run: Result, database: DatabaseConnectionManager) -> None:
    found = {g.group: g.metrics for g in read_breakdown(database, [2026], "department").groups}
    for name, metrics in found.items():
        pay, count, eligible, participants, rates, money, paid = grouped_run.query(f"""
            select
                sum(current_compensation) filter (where employment_status = 'active'),
                count(*) filter (where employment_status = 'active'),
                count(*) filter (where employment_status = 'active' and is_eligible),
                count(*) filter (where employment_status = 'active' and is_eligible and is_enrolled),
                sum(current_deferral_rate) filter (where employment_status = 'active' and is_eligible and is_enrolled),
                sum(employer_match_amount + employer_core_amount),
                sum(prorated_annual_compensation)
            from fct_workforce_snapshot inner join dim_employee using (employee_id)
            where fct_workforce_snapshot.simulation_year = 2026 and coalesce(department, '{NOT_GIVEN}') = '{name}'
        """)[0]
        for figure, exact in (
            ("average_compensation", pay / count),
            ("participation_rate", participants / eligible),
            ("average_deferral_rate", rates / participants),
            ("employer_cost_rate", money / paid),
        ):
            assert float(metrics[figure].value or 0) == pytest.approx(float(exact), abs=1e-6), (name, figure)


@pytest.mark.model
def test_groups_are_compared_without_case_and_outer_blanks(
    grouped_run: Result, database: DatabaseConnectionManager
) -> None:
    found = read_breakdown(database, [2025], "location")
    assert [group.group for group in found.groups] == ["MILL", "Yard", NOT_GIVEN]
    assert found.note == f"Simulated hires have no location; they and blanks of the census are '{NOT_GIVEN}'."
    hires = [group.metrics["hires"].value for group in found.groups]
    assert hires[:2] == [0, 0]
    assert (
        hires[2]
        == grouped_run.query("select value from fct_annual_metrics where metric = 'hires' and simulation_year = 2025")[
            0
        ][0]
    )
    assert read_breakdown(database, [2025], "level").groups[0].group == "level 1"
    assert read_breakdown(database, [2025], "level").note == ""


@pytest.mark.model
def test_every_format_shows_the_groups(grouped_run: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ["report", "--database", str(grouped_run.database), "--by", "employee_class"]

    def shown(*options: str) -> str:
        with pytest.raises(SystemExit) as left:
            main([*told, *options])
        assert left.value.code == 0
        return capsys.readouterr().out

    assert "By employee_class\n\nYear  employee_class  Exits" in shown()
    assert "By employee_class\n\nYear  employee_class  Exits" in shown("--years", "2026")
    rows = list(csv.DictReader(io.StringIO(shown("--format", "csv"))))
    assert [(row["simulation_year"], row["dimension"], row["group"]) for row in rows] == [
        (year, "employee_class", group) for year in ("2025", "2026") for group in ("Salaried", "Union", NOT_GIVEN)
    ]
    found = json.loads(shown("--json"))["breakdown"]
    assert found["dimension"] == "employee_class"
    assert [str(group["metrics"]["hires"]["value"]) for group in found["groups"]] == [row["hires"] for row in rows]
    for name, holds in (
        ("g.html", b"<h2>By employee_class</h2>"),
        ("g.csv", b"employee_class,Union"),
        ("g.txt", b"Union"),
    ):
        shown("-o", str(tmp_path / name))
        shown("-o", str(tmp_path / name))  # a file of ours may be replaced
        assert holds in (tmp_path / name).read_bytes()
    import openpyxl

    shown("-o", str(tmp_path / "g.xlsx"))
    sheet = openpyxl.load_workbook(tmp_path / "g.xlsx")["Groups"]
    assert [row[7].value for row in sheet.iter_rows(min_row=2)] == [row["group"] for row in rows]
