"""Reports say what the database holds: every figure is compared with a query of its own."""

import csv
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import openpyxl
import pytest
from rich.console import Console

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import DatabaseError, PlanAlignError
from planalign_orchestrator.reports import (
    ConsoleReporter,
    Metric,
    MultiYearReporter,
    MultiYearSummary,
    YearAuditor,
    YearAuditReport,
    report_schema,
)
from planalign_orchestrator.reports.formats.excel import excel_report
from planalign_orchestrator.reports.formats.html import html_report
from planalign_orchestrator.validation import DataValidator, ValidationResult, ValidationSeverity
from tests.laboratory import Result

if TYPE_CHECKING:
    import duckdb

YEARS = range(2025, 2030)


@pytest.fixture
def db(sample_run: Result) -> Iterator[DatabaseConnectionManager]:
    with DatabaseConnectionManager(sample_run.database, read_only=True, threads=1) as manager:
        yield manager


@pytest.fixture
def summary(db: DatabaseConnectionManager) -> MultiYearSummary:
    return MultiYearReporter(db).generate_summary(YEARS)


@pytest.fixture
def report(db: DatabaseConnectionManager) -> YearAuditReport:
    return YearAuditor(db).generate_report(2026)


def failed_rule(report: YearAuditReport) -> YearAuditReport:
    """The report with a rule that two people break."""
    verdict = ValidationResult("pay_is_odd", ValidationSeverity.WARNING, False, 2, ("id E1", "id E2"), False, "")
    return replace(report, validation=(*report.validation, verdict))


def test_metrics_are_those_of_the_mart(db: DatabaseConnectionManager, report: YearAuditReport) -> None:
    rows = db.get_connection().execute(
        "select metric, value, unit from fct_annual_metrics where simulation_year = 2026 order by metric"
    )
    expected = {name: Metric(value, unit) for name, value, unit in rows.fetchall()}
    assert report.metrics == expected
    assert list(report.metrics) == list(expected)


def test_headcounts_are_the_metrics_and_tie(report: YearAuditReport) -> None:
    people = report.workforce_breakdown
    assert people.opening == report.value("opening_headcount")
    assert people.closing == report.value("closing_headcount")
    assert people.opening - people.terminations + people.hires - people.new_hire_terminations == people.closing
    assert people.equation == (
        f"{people.opening:,} - {people.terminations:,} + {people.hires:,} - {people.new_hire_terminations:,}"
        f" = {people.closing:,}"
    )


def test_people_by_status_and_level_are_those_of_the_snapshot(sample_run: Result, report: YearAuditReport) -> None:
    where = "from fct_workforce_snapshot where simulation_year = 2026"
    assert report.workforce_breakdown.by_status == dict(
        sample_run.query(f"select detailed_status_code, count(*) {where} group by 1")
    )
    active = dict(sample_run.query(f"select level_id, count(*) {where} and termination_date is null group by 1"))
    assert report.workforce_breakdown.by_level == active
    assert sum(active.values()) == report.workforce_breakdown.closing


def test_events_are_those_of_the_ledger(sample_run: Result, report: YearAuditReport) -> None:
    where = "from fct_yearly_events where simulation_year = 2026"
    events = report.event_summary
    assert events.by_type == dict(sample_run.query(f"select event_type, count(*) {where} group by 1"))
    assert [(events.total,)] == sample_run.query(f"select count(*) {where}")
    reasons = dict(
        sample_run.query(f"select event_category, count(*) {where} and event_type = 'termination' group by 1")
    )
    assert events.by_category["termination"] == reasons


def test_verdicts_are_those_of_the_checkpoint(sample_run: Result, report: YearAuditReport) -> None:
    stored = sample_run.verdicts()[2026]
    assert [(found.rule, found.passed) for found in report.validation] == [
        (row["rule"], row["passed"]) for row in stored
    ]
    assert stored


class NobodyIsCalled:
    """A rule of a user's own: somebody has this id."""

    def __init__(self, employee_id: str) -> None:
        self.name = f"nobody_is_{employee_id}"
        self._id = employee_id

    def check(self, connection: "duckdb.DuckDBPyConnection", year: int) -> ValidationResult:
        found = connection.execute(
            "select count(*) from fct_workforce_snapshot where simulation_year = ? and employee_id = ?",
            [year, self._id],
        ).fetchone()
        failures = found[0] if found else 0
        return ValidationResult(self.name, ValidationSeverity.WARNING, failures == 0, failures, (self._id,), False, "")


def test_rules_that_were_not_part_of_the_run_are_judged_now(db: DatabaseConnectionManager) -> None:
    validator = DataValidator(db)
    validator.register_rule(NobodyIsCalled("NH_2026_1_000001"))
    validator.register_rule(NobodyIsCalled("nobody"))
    stored = YearAuditor(db).generate_report(2026).validation
    judged = YearAuditor(db, validator).generate_report(2026).validation
    assert judged[: len(stored)] == stored
    assert [(found.rule, found.passed) for found in judged[len(stored) :]] == [
        ("nobody_is_NH_2026_1_000001", False),
        ("nobody_is_nobody", True),
    ]


def test_the_run_wrote_the_report_that_the_database_gives(sample_run: Result, report: YearAuditReport) -> None:
    written = json.loads((sample_run.database.parent / "reports" / "year_2026.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(report.to_dict()))
    assert written["database"] == sample_run.database.name
    assert written["metrics"]["hires"] == {"value": int(report.value("hires") or 0), "unit": "people"}


def test_json_is_replaced_whole_and_the_same_every_time(report: YearAuditReport, tmp_path: Path) -> None:
    path = tmp_path / "reports" / "year_2026.json"
    assert report.export_json(path) == path
    first = path.read_bytes()
    path.write_bytes(b"an older report")
    report.export_json(path)
    assert path.read_bytes() == first
    assert [entry.name for entry in path.parent.iterdir()] == ["year_2026.json"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(report: YearAuditReport, tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    blocked.write_text("a file", encoding="utf-8")
    with pytest.raises(DatabaseError, match="cannot write"):
        report.export_json(blocked / "year_2026.json")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_csv_has_a_line_a_year_and_every_figure(sample_run: Result, summary: MultiYearSummary) -> None:
    lines = list(csv.DictReader(io.StringIO(summary.to_csv())))
    assert [line["simulation_year"] for line in lines] == [str(year) for year in YEARS]
    assert {(line["run_id"], line["scenario_id"]) for line in lines} == {(summary.years[0].run_id, "baseline")}
    for line in lines:
        year = line["simulation_year"]
        figures = sample_run.query(f"select metric, value from fct_annual_metrics where simulation_year = {year}")
        assert {name: Decimal(line[name]) if line[name] else None for name, _ in figures} == dict(figures)
        events = sample_run.query(
            f"select event_type, count(*) from fct_yearly_events where simulation_year = {year} group by 1"
        )
        assert {name: int(line[f"{name}_events"]) for name, _ in events} == dict(events)


def test_csv_begins_with_the_identifiers_and_the_headcount(summary: MultiYearSummary) -> None:
    assert summary.to_csv().split(",")[:12] == [
        "scenario_id",
        "plan_design_id",
        "run_id",
        "simulation_year",
        "rows_set_aside",
        "set_aside",
        "irs_limits",
        "opening_headcount",
        "terminations",
        "hires",
        "new_hire_terminations",
        "closing_headcount",
    ]


def test_the_run_wrote_the_csv_that_the_database_gives(sample_run: Result, summary: MultiYearSummary) -> None:
    written = sample_run.database.parent / "reports" / "multi_year_summary_2025_2029.csv"
    assert written.read_text(encoding="utf-8") == summary.to_csv()


def test_growth_compounds_from_the_first_opening_to_the_last_close(summary: MultiYearSummary) -> None:
    growth = {name: float(value) for name, value in summary.growth_analysis.items() if value is not None}
    first, last = summary.workforce_progression[0], summary.workforce_progression[-1]
    assert (growth["starting_workforce"], growth["ending_workforce"]) == (first.opening, last.closing)
    assert growth["years_analyzed"] == 5
    assert first.opening * (1 + growth["compound_annual_growth_rate"]) ** 5 == pytest.approx(last.closing, abs=0.05)
    assert first.opening * (1 + growth["total_growth_pct"] / 100) == pytest.approx(last.closing, abs=0.001)
    compounded = Decimal(1)
    for report in summary.years:
        compounded *= 1 + (report.value("compensation_growth_all") or 0)
    assert (1 + growth["average_annual_pay_growth"]) ** 5 == pytest.approx(float(compounded), abs=1e-5)
    assert growth["total_compensation_last_year"] == float(summary.years[-1].value("total_compensation") or 0)


def test_trends_have_a_value_for_each_year(summary: MultiYearSummary) -> None:
    assert set(summary.event_trends) == {event for report in summary.years for event in report.event_summary.by_type}
    assert {"hire", "termination", "enrollment", "deferral_escalation", "employer_match"} <= set(summary.event_trends)
    assert summary.event_trends["hire"] == [people.hires for people in summary.workforce_progression]
    assert list(summary.validation) == list(YEARS)
    assert (summary.start_year, summary.end_year) == (2025, 2029)


def test_participation_is_that_of_the_metrics(sample_run: Result, summary: MultiYearSummary) -> None:
    assert [trend["simulation_year"] for trend in summary.participation_trends] == list(YEARS)
    for trend in summary.participation_trends:
        figures = sample_run.metrics(trend["simulation_year"])
        assert {name: float(figures[name]) for name in trend if name != "simulation_year"} == {
            name: value for name, value in trend.items() if name != "simulation_year"
        }
        assert 0 < trend["participation_rate"] < 1


def rows_of(lines: Sequence[str]) -> dict[str, list[str]]:
    """The cells of each year's rows in all blocks of a text, and of their headings under `Year`."""
    cells: dict[str, list[str]] = {}
    for line in lines:
        first, *others = re.split(r"  +", line)
        if re.fullmatch(r"Year|20\d\d", first):
            cells.setdefault(first, []).extend(others)
    return cells


def test_the_plan_of_each_year_is_a_row_of_the_summary(sample_run: Result, summary: MultiYearSummary) -> None:
    lines = ConsoleReporter().format_summary(summary).splitlines()
    heading = lines.index(next(line for line in lines if line.startswith("Year  Participation")))
    cells = rows_of(lines[heading:])
    for year in YEARS:
        figures = sample_run.metrics(year)
        contributions = ("elective_deferral_total", "after_tax_total", "employer_match_total", "employer_core_total")
        names = (*contributions, "forfeitures_used", "net_employer_cost", "employer_paid_expenses")
        amounts = [f"{figures[name]:,.0f}" for name in names]
        shares = ("participation_rate", "average_deferral_rate", "employer_cost_rate", "net_employer_cost_rate")
        participation, deferral, *cost = (f"{figures[name] * 100:.2f} %" for name in shares)
        assert cells[str(year)] == [participation, deferral, *amounts, *cost]
        match, core, used, net = (figures[name] for name in names[2:6])
        assert match + core - used == net


def test_the_growth_of_average_pay_is_the_sum_of_its_parts(sample_run: Result, summary: MultiYearSummary) -> None:
    lines = ConsoleReporter().format_summary(summary).splitlines()
    heading = lines.index(next(line for line in lines if line.startswith("Year  Growth of average pay")))
    cells = rows_of(lines[heading : heading + 6])
    for year in YEARS:
        figures = sample_run.metrics(year)
        names = [f"compensation_growth_{part}" for part in ("all", "from_raises", "from_exits", "from_hires")]
        assert cells[str(year)] == [f"{figures[name] * 100:.2f} %" for name in names]
        growth, *parts = (figures[name] for name in names)
        assert abs(growth - sum(parts)) <= Decimal("0.000003")


def test_projected_limits_are_told_from_published_ones(summary: MultiYearSummary) -> None:
    assert summary.projected_limit_years == [2027, 2028, 2029]
    assert "IRS limits of 2027-2029 are projected." in ConsoleReporter().format_summary(summary)
    lines = list(csv.DictReader(io.StringIO(summary.to_csv())))
    assert [line["irs_limits"] for line in lines] == ["published"] * 2 + ["projected"] * 3
    limits = summary.years[0].to_dict()["irs_limits"]
    assert (limits["elective_deferral_limit"], limits["annual_additions_limit"]) == (23_500, 70_000)
    assert (limits["is_projected"], limits["reference"]) == (False, "IRS Notice 2024-80; SSA")


def test_the_tests_that_the_plan_needs_are_reported(report: YearAuditReport, summary: MultiYearSummary) -> None:
    sentence = "Safe harbor under 401(k)(12) and 401(m)(11) by its match: no ADP or ACP testing."
    assert report.to_dict()["plan_testing"] == summary.to_dict()["plan_testing"] == [sentence]
    assert sentence in " ".join(ConsoleReporter().format_year_audit(report).split())
    assert sentence in ConsoleReporter().format_summary(summary)


def test_the_coverage_ratio_is_printed_where_somebody_is_left_out(summary: MultiYearSummary) -> None:
    last = summary.years[-1]
    assert last.value("match_coverage_ratio") == 1
    assert "Coverage" not in ConsoleReporter().format_summary(summary)
    metrics = {
        **last.metrics,
        "match_coverage_ratio": replace(last.metrics["match_coverage_ratio"], value=Decimal("0.8")),
    }
    narrower = replace(summary, years=(*summary.years[:-1], replace(last, metrics=metrics)))
    line = "Coverage ratio of 410(b) in 2029: deferral 100.0 %, match 80.0 %; 70 % passes by itself."
    assert line in ConsoleReporter().format_summary(narrower)


def test_the_averages_of_414s_are_printed_where_bonuses_are_left_out(summary: MultiYearSummary) -> None:
    last = summary.years[-1]
    assert last.value("compensation_ratio_hce") is None
    assert "414(s)" not in ConsoleReporter().format_summary(summary)
    ratios = {"compensation_ratio_hce": Decimal("0.75"), "compensation_ratio_others": Decimal("0.912")}
    metrics = {**last.metrics, **{name: replace(last.metrics[name], value=value) for name, value in ratios.items()}}
    leaving_out = replace(summary, years=(*summary.years[:-1], replace(last, metrics=metrics)))
    line = "Plan compensation over pay in 2029, on average: highly compensated 75.0 %, others 91.2 %; 414(s) lets"
    assert line in ConsoleReporter().format_summary(leaving_out)


def test_years_are_reported_once_and_in_order(db: DatabaseConnectionManager) -> None:
    found = MultiYearReporter(db).generate_summary([2028, 2026, 2026])
    assert [report.simulation_year for report in found.years] == [2026, 2028]


def test_missing_years_are_named(db: DatabaseConnectionManager) -> None:
    with pytest.raises(DatabaseError, match=r"does not hold 2024, 2030; its finished years are 2025, 2026, 2027"):
        MultiYearReporter(db).generate_summary(range(2024, 2031))
    with pytest.raises(DatabaseError, match="no year to report was named"):
        MultiYearReporter(db).generate_summary([])


def test_a_database_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with DatabaseConnectionManager(tmp_path / "other.duckdb") as other:
        other.get_connection().execute("create table orders (id integer)")
        with pytest.raises(DatabaseError, match="is not a simulation database"):
            YearAuditor(other).generate_report(2025)


def test_a_summary_of_no_year_says_so() -> None:
    nothing = MultiYearSummary.of_no_year("baseline", "default_plan")
    assert nothing.growth_analysis["years_analyzed"] == 0
    assert nothing.growth_analysis["compound_annual_growth_rate"] is None
    assert (nothing.start_year, nothing.end_year, nothing.event_trends) == (None, None, {})


def test_a_figure_that_does_not_exist_is_empty_and_not_zero(report: YearAuditReport) -> None:
    nothing = replace(report, metrics={**report.metrics, "compensation_growth_all": Metric(None, "rate")})
    summary = MultiYearSummary("baseline", "default_plan", (nothing,))
    (line,) = csv.DictReader(io.StringIO(summary.to_csv()))
    assert line["compensation_growth_all"] == ""
    assert summary.growth_analysis["average_annual_pay_growth"] is None
    assert nothing.to_dict()["metrics"]["compensation_growth_all"]["value"] is None
    assert "Average pay - a year" in ConsoleReporter().format_summary(summary)
    assert re.search(r"(?m)^  compensation_growth_all +-$", ConsoleReporter().format_year_audit(nothing))


def test_an_unknown_figure_is_an_error(report: YearAuditReport) -> None:
    with pytest.raises(DatabaseError, match="no loan_balance_total for 2026"):
        report.value("loan_balance_total")


def test_the_year_as_text_shows_every_part(report: YearAuditReport) -> None:
    text = ConsoleReporter().format_year_audit(replace(failed_rule(report), notes=("one row was set aside",)))
    assert text.startswith("Year 2026: scenario baseline, plan design default_plan\n")
    assert report.workforce_breakdown.equation in text
    assert "warning pay_is_odd: 2 found, for example id E1; id E2" in text
    assert "one row was set aside" in text
    assert all(name in text for name in (*report.metrics, *report.event_summary.by_type, "level 1", "new_hire_active"))
    assert max(map(len, text.splitlines())) <= 80


def test_the_summary_as_text_is_aligned_and_shows_the_equations(summary: MultiYearSummary) -> None:
    years = (*summary.years[:-1], failed_rule(summary.years[-1]))
    text = ConsoleReporter().format_summary(replace(summary, years=years))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    cells = rows_of(lines)
    for people in summary.workforce_progression:
        assert cells[str(people.simulation_year)][0] == people.equation
    heading = next(at for at, line in enumerate(lines) if "Paid in the year" in line)
    paid = lines[heading].index("Paid in the year") + len("Paid in the year")
    assert all(line[:paid] == line[:paid].rstrip() and line[paid] == " " for line in lines[heading : heading + 6])
    assert "2029:  warning pay_is_odd: 2 found" in text
    assert any(f"{len(years[-1].validation) - 2} passed, 1 warning, 1 noted" in cell for cell in cells["2029"])


@pytest.mark.parametrize("width", [80, 200])
def test_the_tables_of_a_terminal_are_those_of_the_text(summary: MultiYearSummary, width: int) -> None:
    reporter = ConsoleReporter(width=width)
    console = Console(width=width, file=io.StringIO(), record=True)
    for table in reporter.summary_tables(summary):
        console.print(table)
    drawn = [line.strip() for line in console.export_text().splitlines()]
    assert rows_of(drawn) == rows_of(reporter.format_summary(summary).splitlines())
    heading = next(at for at, line in enumerate(drawn) if "Paid in the year" in line)
    end = drawn[heading].index("Paid in the year") + len("Paid in the year")
    assert all(line[end - 1].isdigit() for line in drawn[heading + 2 : heading + 7])


# --- the published schema ---------------------------------------------------------------------------------------------


def test_every_report_file_of_a_run_fulfils_the_published_schema(sample_run: Result) -> None:
    judge = jsonschema.Draft202012Validator(report_schema())
    judge.check_schema(report_schema())
    paths = sorted((sample_run.database.parent / "reports").glob("year_*.json"))
    assert len(paths) == len(YEARS)
    for path in paths:
        judge.validate(json.loads(path.read_text(encoding="utf-8")))


def test_a_report_with_failures_notes_and_missing_figures_fulfils_it_too(
    report: YearAuditReport, tmp_path: Path
) -> None:
    metrics = {**report.metrics, "compensation_growth_all": Metric(None, "rate")}
    odd = replace(failed_rule(report), metrics=metrics, notes=("one row was set aside",))
    written = odd.export_json(tmp_path / "year_2026.json")
    jsonschema.validate(json.loads(written.read_text(encoding="utf-8")), report_schema())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"report_version": 2}, "1 was expected"),
        ({"simulation_year": "2026"}, "is not of type 'integer'"),
        ({"metrics": {"hires": {"value": "7", "unit": "people"}}}, "is not of type 'number', 'null'"),
        ({"surprise": 1}, "'surprise' was unexpected"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_schema_refuses_what_is_no_report(report: YearAuditReport, change: dict[str, object], said: str) -> None:
    document = json.loads(json.dumps(report.to_dict()))
    with pytest.raises(jsonschema.ValidationError, match=said):
        jsonschema.validate(document | change, report_schema())
    for name in document:
        with pytest.raises(jsonschema.ValidationError, match=f"'{name}' is a required property"):
            jsonschema.validate({key: value for key, value in document.items() if key != name}, report_schema())


# --- templates and formats --------------------------------------------------------------------------------------------


def test_the_executive_summary_holds_the_headlines_and_what_failed(
    sample_run: Result, summary: MultiYearSummary
) -> None:
    years = (*summary.years[:-1], failed_rule(summary.years[-1]))
    lines = ConsoleReporter("executive").format_summary(replace(summary, years=years)).splitlines()
    headings = ["Year", "Headcount", "Growth", "Participation", "Deferrals", "Net employer cost", "Net rate", "Checks"]
    cells = rows_of(lines)
    assert ["Year", *cells["Year"]] == headings
    for year in YEARS:
        figures = sample_run.metrics(year)
        assert cells[str(year)][:6] == [
            f"{figures['closing_headcount']:,}",
            f"{figures['headcount_growth_rate'] * 100:.2f} %",
            f"{figures['participation_rate'] * 100:.2f} %",
            f"{figures['elective_deferral_total']:,.0f}",
            f"{figures['net_employer_cost']:,.0f}",
            f"{figures['net_employer_cost_rate'] * 100:.2f} %",
        ]
    assert cells["2029"][-1] == f"{len(years[-1].validation) - 2} passed, 1 warning, 1 noted"
    assert lines[-2].startswith("Headcount ")
    assert lines[-1] == "2029:  warning pay_is_odd: 2 found, for example id E1; id E2"


def test_the_executive_year_holds_the_headlines_and_what_failed(report: YearAuditReport) -> None:
    text = ConsoleReporter("executive").format_year_audit(failed_rule(report))
    assert len(text.splitlines()) == 13
    assert f"{report.workforce_breakdown.closing:,}" in text
    assert "warning pay_is_odd: 2 found" in text
    assert "People by status" not in text


def test_the_executive_csv_has_the_headlines_with_the_digits_of_the_detailed_one(summary: MultiYearSummary) -> None:
    years = (*summary.years[:-1], failed_rule(summary.years[-1]))
    text = replace(summary, years=years).to_csv("executive")
    brief, full = (list(csv.DictReader(io.StringIO(part))) for part in (text, summary.to_csv()))
    assert [line.pop("failed_checks") for line in brief] == ["0"] * 5
    assert [line.pop("warnings") for line in brief] == ["0", "0", "0", "0", "1"]
    assert len(brief[0]) == 12
    assert all(line.items() <= whole.items() for line, whole in zip(brief, full, strict=True))


def test_html_is_one_file_with_the_cells_of_the_console(summary: MultiYearSummary) -> None:
    odd = replace(summary, scenario_id="<script>alert(1)</script>")
    page = html_report(odd)
    assert "<script" not in page
    assert not re.search(r"(?i)https?:|src=|@import|<link", page)
    assert all(f">{people.equation}</td>" in page for people in summary.workforce_progression)
    assert all(f">{name}</td>" in page for name in summary.years[0].metrics)
    for tag in ("table", "tr", "td", "th", "section", "tbody"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>") > 0
    brief = html_report(summary, "executive")
    assert brief.count("<table>") == 1
    assert "People by status" not in brief


def test_the_workbook_holds_the_figures_as_numbers(summary: MultiYearSummary) -> None:
    book = openpyxl.load_workbook(io.BytesIO(excel_report(summary)), read_only=True)
    assert book.sheetnames == ["Years", "Events", "Checks"]
    headings, *rows = book["Years"].iter_rows(values_only=True)
    for row, report in zip(rows, summary.years, strict=True):
        held = dict(zip(headings, row, strict=True))
        assert held["simulation_year"] == report.simulation_year
        assert {name: held[name] for name in report.metrics} == {
            name: None if metric.value is None else float(metric.value) for name, metric in report.metrics.items()
        }
    counts = [row[3] for row in book["Events"].iter_rows(min_row=2, values_only=True)]
    assert sum(count for count in counts if isinstance(count, int)) == sum(
        report.event_summary.total for report in summary.years
    )
    brief = openpyxl.load_workbook(io.BytesIO(excel_report(summary, "executive")), read_only=True)
    assert brief.sheetnames == ["Years"]


def test_a_workbook_without_the_package_that_writes_it(
    summary: MultiYearSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(PlanAlignError, match=r"needs the package openpyxl; install `planalign-orchestrator\[excel\]`"):
        excel_report(summary)
