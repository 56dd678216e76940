"""Rows that are set aside: not too many of them, and told in the first lines of every report."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.report_templates import ReportTemplate
from planalign_orchestrator.reports import MultiYearReporter
from planalign_orchestrator.reports.console import ConsoleReporter
from planalign_orchestrator.reports.formats.html import html_report
from tests.companies import people, person
from tests.laboratory import simulate
from tests.test_census import load, refusal

SETTINGS = {"census.on_invalid_rows": "quarantine", "census.most_set_aside": "0.1"}


def test_too_many_bad_rows_stop_the_load(tmp_path: Path) -> None:
    rows = [*people(19), person("BAD", pay=-1)]
    kept = load(rows, tmp_path, on_invalid_rows="quarantine", most_set_aside=Decimal("0.05"))
    assert kept.summary.quarantined == 1
    problems = refusal(rows[1:], tmp_path, on_invalid_rows="quarantine", most_set_aside=Decimal("0.05"))
    assert problems[0] == (
        "1 of 19 rows cannot be used, more than the share of 0.05 that census.most_set_aside allows to be set aside:"
        " correct them, or raise it"
    )
    assert problems[1].startswith("employee_gross_compensation is not above 0: 1 row")


@pytest.mark.model
def test_every_report_begins_with_what_was_set_aside(tmp_path: Path) -> None:
    result = simulate(tmp_path, [*people(20), person("BAD", pay=-1)], SETTINGS)
    with DatabaseConnectionManager(result.database, read_only=True) as db:
        summary = MultiYearReporter(db).generate_summary([2025])
    expected = ["census, set aside: 1 of 21 rows", "census, set aside: employee_gross_compensation is not above 0"]
    assert [line[: len(begin)] for line, begin in zip(summary.set_aside, expected, strict=True)] == expected
    templates: tuple[ReportTemplate, ...] = ("detailed", "executive")
    for template in templates:
        reporter = ConsoleReporter(template)
        for text in (reporter.format_summary(summary), reporter.format_year_audit(summary.years[0])):
            assert text.splitlines()[1] == expected[0]
        assert f"</h1>\n<p>{expected[0]}</p>" in html_report(summary, template)
    assert summary.to_dict()["set_aside"] == summary.set_aside
    assert "BAD" not in str(summary.to_dict())
    year = json.loads((tmp_path / "reports" / "year_2025.json").read_text(encoding="utf-8"))
    assert (year["rows_set_aside"], year["set_aside"]) == (1, summary.set_aside)
    for template in templates:
        (row,) = csv.DictReader(io.StringIO(summary.to_csv(template)))
        assert list(row)[3:6] == ["simulation_year", "rows_set_aside", "set_aside"]
        assert row["rows_set_aside"] == "1"
        assert row["set_aside"].startswith("1 of 21 rows; employee_gross_compensation is not above 0: 1 row")


@pytest.mark.model
def test_a_report_without_rows_set_aside_says_none(tmp_path: Path) -> None:
    result = simulate(tmp_path, people(20), SETTINGS)
    with DatabaseConnectionManager(result.database, read_only=True) as db:
        summary = MultiYearReporter(db).generate_summary([2025])
    (row,) = csv.DictReader(io.StringIO(summary.to_csv()))
    assert (row["rows_set_aside"], row["set_aside"], summary.set_aside) == ("0", "", [])
