"""Reports of a plan and a workforce that change: layoffs, announced exits, a partial termination, changed settings."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.reports import ConsoleReporter, MultiYearReporter, MultiYearSummary
from planalign_orchestrator.reports.comparison import compare_runs
from planalign_orchestrator.reports.formats.excel import excel_report
from planalign_orchestrator.reports.formats.html import html_report
from tests.companies import default_table
from tests.laboratory import Result, simulate
from tests.program import Planalign

pytestmark = pytest.mark.model

CHANGED: Mapping[str, object] = {
    "simulation.end_year": 2027,
    "workforce.reductions": [{"date": "2026-03-31", "share": "0.22"}, {"date": "2027-06-30", "people": 3}],
    "changes.2026.compensation.merit_budget": 0,
    "changes.2026.parameters.merit_by_level": [
        {**row, "merit_rate": "0.03"} for row in default_table("merit_by_level")
    ],
    "changes.2027.plan.match.formula": "none",
}
SAID = {
    2025: [],
    2026: ["compensation.merit_budget 0 instead of 0.015", "parameters.merit_by_level other rows"],
    2027: ["plan.match.formula none instead of safe_harbor_basic"],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, mixed_census: Path, simulates: None) -> Result:
    return simulate(tmp_path_factory.mktemp("changed"), mixed_census, CHANGED)


@pytest.fixture(scope="module")
def summary(run: Result) -> MultiYearSummary:
    with DatabaseConnectionManager(run.database, read_only=True, threads=1) as db:
        return MultiYearReporter(db).generate_summary([2025, 2026, 2027])


def reasons(run: Result, year: int) -> dict[str, int]:
    return dict(
        run.query(
            "select event_category, count(*) from fct_yearly_events "
            f"where event_type = 'termination' and simulation_year = {year} group by 1"
        )
    )


def test_the_equation_counts_layoffs_and_ties(run: Result, summary: MultiYearSummary) -> None:
    for people in summary.workforce_progression:
        assert people.layoffs == reasons(run, people.simulation_year).get("layoff", 0)
        net = people.hires - people.new_hire_terminations
        assert people.opening - people.terminations - people.layoffs + net == people.closing
    first, second, third = summary.workforce_progression
    assert (first.layoffs, second.layoffs > 100, third.layoffs) == (0, True, 3)
    hired = f"{second.hires} - {second.new_hire_terminations}"
    assert (
        second.equation == f"{second.opening} - {second.terminations} - {second.layoffs} + {hired} = {second.closing}"
    )
    assert first.equation.count("-") == 2


def test_the_legend_names_layoffs_where_there_are_any(summary: MultiYearSummary) -> None:
    reporter = ConsoleReporter()
    without = MultiYearSummary("a", "b", summary.years[:1])
    assert "Headcount: opening - exits + hires - new-hire exits = closing." in reporter.closing_lines(without)
    said = reporter.closing_lines(summary)
    assert said[0] == "Headcount: opening - exits - layoffs (in 2026, 2027) + hires - new-hire exits = closing."
    assert "  opening - exits - layoffs + hires - new-hire exits = closing\n" in reporter.format_year_audit(
        summary.years[1]
    )


def test_announced_exits_are_said(run: Result, summary: MultiYearSummary) -> None:
    announced = {year: reasons(run, year)["announced"] for year in (2025, 2026, 2027)}
    exits = {people.simulation_year: people.terminations for people in summary.workforce_progression}
    shown = ", ".join(f"{announced[year]} of {exits[year]} in {year}" for year in announced)
    assert f"Exits that the census announced: {shown}." in ConsoleReporter().closing_lines(summary)
    audit = ConsoleReporter().format_year_audit(summary.years[0])
    assert f"Exits that the census announced: {announced[2025]} of {exits[2025]} in 2025." in audit


def test_a_partial_termination_says_its_turnover(run: Result, summary: MultiYearSummary) -> None:
    leavers = {year: sum(reasons(run, year).values()) for year in (2025, 2026, 2027)}
    vested = {report.simulation_year: report.value("vested_by_partial_termination") for report in summary.years}
    assert vested == {2025: 0, 2026: leavers[2026], 2027: 0}
    first, second = (line for line in ConsoleReporter().closing_lines(summary) if "turnover" in line)
    turnover = summary.years[1].value("employer_initiated_turnover")
    assert turnover is not None
    assert turnover >= 0.2
    assert first == (
        f"Employer-initiated turnover of 2026: {turnover * 100:.1f} % of the participants; a partial termination: all "
        f"{leavers[2026]} leavers of the year are fully vested, 411(d)(3)."
    )
    assert "2027" in first + second
    assert "not treated as a partial termination" in second


def test_what_changed_is_in_every_format(summary: MultiYearSummary) -> None:
    assert {report.simulation_year: list(report.changes) for report in summary.years} == SAID
    lines = ConsoleReporter().closing_lines(summary)
    sentences = [f"From {year} on: {', '.join(texts)}." for year, texts in SAID.items() if texts]
    testing = "From 2027 on: Needs ADP testing under 401(k)(3)."
    assert [line for line in lines if line.startswith("From ")] == [*sentences, testing]
    page = html_report(summary)
    assert all(f"<p>{text}</p>" in page for text in (*sentences, testing))
    rows = list(csv.DictReader(io.StringIO(summary.to_csv())))
    assert [row["changes"] for row in rows] == ["; ".join(texts) for texts in SAID.values()]
    assert all(testing in row["plan_testing"] for row in rows)
    assert [int(row["layoffs"]) for row in rows] == [people.layoffs for people in summary.workforce_progression]
    sheet = openpyxl.load_workbook(io.BytesIO(excel_report(summary)))["Years"]
    heading, *years = sheet.iter_rows(values_only=True)
    assert [year[heading.index("changes")] or "" for year in years] == [row["changes"] for row in rows]
    document = summary.to_dict()
    assert document["changes"] == {str(year): texts for year, texts in SAID.items() if texts}
    assert [people["layoffs"] for people in document["workforce_progression"]] == [int(row["layoffs"]) for row in rows]
    assert testing in document["plan_testing"]
    assert "Changed from the year before\n  compensation.merit_budget 0" in ConsoleReporter().format_year_audit(
        summary.years[1]
    )


def test_a_year_alone_says_what_changed_in_it(run: Result) -> None:
    with DatabaseConnectionManager(run.database, read_only=True, threads=1) as db:
        alone = MultiYearReporter(db).generate_summary([2027])
    assert list(alone.years[0].changes) == SAID[2027]


def test_status_says_what_changed(run: Result, planalign: Planalign) -> None:
    done = planalign("status", "--database", run.database, "--json")
    assert done.document["changes"] == {str(year): texts for year, texts in SAID.items() if texts}
    shown = planalign("status", "--database", run.database).out
    assert f"From 2026 on: {', '.join(SAID[2026])}.\nFrom 2027 on: {SAID[2027][0]}.\n" in shown.replace("\n  ", " ")


def test_validate_and_a_dry_run_say_what_changes(planalign: Planalign, project: Path) -> None:
    told = ("--set", "changes.2026.compensation.merit_budget=0", "--set", "changes.2029.plan.match.formula=none")
    sentences = [
        "From 2026 on: compensation.merit_budget 0 instead of 0.015.",
        "From 2029 on, after simulation.end_year 2026: plan.match.formula none instead of safe_harbor_basic.",
    ]
    facts = planalign("validate", "--json", *told).document["configuration"]["facts"]
    assert facts[1:3] == sentences
    assert planalign("run", "--dry-run", "--json", *told).document["changes"] == sentences
    shown = planalign("run", "--dry-run", *told).out
    assert f"\nChanges        {sentences[0]}\n               {sentences[1]}\nDatabase " in shown
    assert "\nChanges" not in planalign("run", "--dry-run").out


def test_a_comparison_names_the_years_of_a_difference(run: Result, mixed_census: Path, tmp_path: Path) -> None:
    given = {key: value for key, value in CHANGED.items() if not key.startswith("changes")}
    only = {"changes.2026.compensation.merit_budget": 0, "changes.2027.compensation.merit_budget": 0.015}
    other = simulate(tmp_path, mixed_census, {**given, **only, "compensation.cola_rate": 0.01})
    found = compare_runs(run.database, other.database)
    assert found.origin is not None
    assert [text for text in found.origin if not text.startswith("parameters.match")] == [
        "compensation.cola_rate: was 0.02, is now 0.01",
        "parameters.merit_by_level: the table has other rows (from 2026 on)",
        "compensation.merit_budget: was 0, is now 0.015 (in 2027)",
        "plan.match.formula: was none, is now safe_harbor_basic (in 2027)",
    ]
    assert compare_runs(run.database, other.database, years=[2025]).origin == (found.origin[0],)
