"""Several rows of one person: a mistake unless `census.duplicates: latest_spell` says that they are employments."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from planalign_orchestrator.census import CensusSource
from planalign_orchestrator.census.checking import checks_for
from planalign_orchestrator.census.columns import STORED_COLUMNS
from planalign_orchestrator.census.headings import Layout
from planalign_orchestrator.census.mapping import mapping_yaml, propose
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.reports import MultiYearReporter
from tests.companies import CENSUS_DATE, Row, people, person, write_rows
from tests.laboratory import simulate
from tests.test_census import LEVELS, load, refusal

# hired three times; the rows stand in no order
REHIRED = [
    person("B"),
    person("A", hired="2012-05-01", pay=50_000, employee_termination_date="2015-04-30"),
    person("A", hired="2023-02-01", pay=70_000),
    person("A", hired="2018-01-01", pay=60_000, active="false"),
]


def test_the_newest_row_counts_with_service_from_the_oldest_hire(tmp_path: Path) -> None:
    loaded = load(REHIRED, tmp_path, duplicates="latest_spell")
    assert [
        (row["employee_id"], row["employee_hire_date"], row["employee_service_date"], row["row_number"])
        for row in loaded.rows
    ] == [
        ("B", dt.date(2015, 3, 1), None, 2),
        ("A", dt.date(2023, 2, 1), dt.date(2012, 5, 1), 4),
    ]
    summary = loaded.summary
    assert (summary.rows_read, summary.earlier_spells, summary.rows_loaded, summary.simulated) == (4, 2, 2, 2)
    assert not [warning for warning in summary.warnings if "employment" in warning]


def test_a_service_date_of_the_newest_row_wins(tmp_path: Path) -> None:
    rows: list[Row] = [person("A", hired="2012-05-01", employee_termination_date="2015-04-30")]
    rows.append(person("A", hired="2023-02-01", employee_service_date="2019-07-01"))
    assert load(rows, tmp_path, duplicates="latest_spell").values("employee_service_date") == [dt.date(2019, 7, 1)]


def test_hashed_ids_are_told_apart_before_they_are_hashed(tmp_path: Path) -> None:
    loaded = load(REHIRED, tmp_path, duplicates="latest_spell", hash_ids=True, id_key=tmp_path / "key")
    assert len(set(loaded.values("employee_id"))) == 2
    assert loaded.values("employee_service_date") == [None, dt.date(2012, 5, 1)]


def test_without_the_setting_the_fix_names_it(tmp_path: Path) -> None:
    (problem,) = refusal(REHIRED, tmp_path)
    assert problem.startswith("employee_id is used by more than one row: 3 rows (row 3 'A', row 4 'A', row 5 'A')")
    assert problem.endswith("Then set census.duplicates: latest_spell")


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        pytest.param(
            {"hired": "2020-01-01"}, {"hired": "2020-01-01"}, "more than one row with the same hire date", id="tie"
        ),
        pytest.param({"hired": "2020-01-01"}, {"born": "1985-06-16"}, "rows with different birth dates", id="births"),
        pytest.param({"hired": "2020-01-01"}, {"hired": ""}, "a row without a readable hire date", id="no hire date"),
    ],
)
def test_rows_of_which_the_newest_cannot_be_told_are_listed(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], says: str
) -> None:
    rows = [person("B"), person("A", **first), person("A", **second)]
    problems = refusal(rows, tmp_path, duplicates="latest_spell")
    assert any(
        problem.startswith(f"employee_id is used by {says}: 2 rows (row 3 'A', row 4 'A')") for problem in problems
    )
    kept = load(rows, tmp_path, duplicates="latest_spell", on_invalid_rows="quarantine")
    assert kept.values("employee_id") == ["B"]
    assert kept.summary.quarantined == 2


def test_an_old_row_never_stands_in_for_a_bad_new_one(tmp_path: Path) -> None:
    rows = [person("B"), person("A", hired="2012-05-01"), person("A", hired="2023-02-01", pay=-1)]
    kept = load(rows, tmp_path, duplicates="latest_spell", on_invalid_rows="quarantine")
    assert kept.values("employee_id") == ["B"]
    assert (kept.summary.quarantined, kept.summary.earlier_spells) == (1, 1)


def test_a_bad_old_row_gives_no_service(tmp_path: Path) -> None:
    rows = [person("A", hired="1999-06-01", employee_termination_date="2001-01-01"), person("A", hired="2023-02-01")]
    kept = load(rows, tmp_path, duplicates="latest_spell", on_invalid_rows="quarantine")
    assert kept.values("employee_service_date") == [dt.date(2023, 2, 1)]
    (bad,) = kept.quarantine
    assert "is before the 14th birthday" in bad["reasons"]


def test_employments_that_overlap_are_pointed_out(tmp_path: Path) -> None:
    rows = [
        *[person("A", hired="2012-05-01"), person("A", hired="2023-02-01")],
        *[person("B", hired="2012-05-01", employee_termination_date="2023-01-31"), person("B", hired="2023-02-01")],
    ]
    summary = load(rows, tmp_path, duplicates="latest_spell").summary
    (warning,) = [warning for warning in summary.warnings if "second job" in warning]
    assert warning.startswith(
        "1 row of an earlier employment does not end before the next hire of the same id (row 2): is it a second job?"
    )


@pytest.mark.model
def test_reports_say_how_many_rows_were_earlier_employments(tmp_path: Path) -> None:
    earlier = person("P0001", hired="2010-01-01", employee_termination_date="2012-01-01")
    result = simulate(tmp_path, [*people(20), earlier], {"census.duplicates": "latest_spell"})
    with DatabaseConnectionManager(result.database, read_only=True) as db:
        summary = MultiYearReporter(db).generate_summary([2025])
    (line,) = summary.set_aside
    assert line.startswith("census, set aside: 1 of 21 rows are earlier employments of people hired again")


def test_the_mapping_asks_whether_people_were_hired_again(tmp_path: Path) -> None:
    proposal = propose(write_rows(tmp_path / "census.csv", REHIRED))
    assert '# duplicates: "latest_spell"  # 1 id stands on several rows' in mapping_yaml(proposal)


def test_more_rules_than_a_word_has_bits_are_each_judged(tmp_path: Path) -> None:
    """Every column, none of plain values, pay by the hour, employments: over 63 rules, the last on the last column."""
    every = {column.name: "" for column in STORED_COLUMNS}
    rows = [{**every, **person(name, pay=30), "scheduled_hours_per_week": 40} for name in ("A", "B", "C")]
    rows[1]["core_account_balance"] = -1
    rows[2]["employee_id"] = ""
    rows.append(dict.fromkeys(every, "\u00e4"))
    path = write_rows(tmp_path / "census.csv", rows)
    source = CensusSource(
        path,
        units={"employee_gross_compensation": "hourly"},
        duplicates="latest_spell",
        on_invalid_rows="quarantine",
        most_set_aside=Decimal(1),
    )
    layout = Layout({name: at for at, name in enumerate(every)}, {name: name for name in every}, (), ())
    checks = checks_for(layout, undecided=(), plain=(), census_date=CENSUS_DATE, level_ids=LEVELS, source=source)
    assert len(checks) > 63
    kept = load(path, units=source.units, duplicates="latest_spell", on_invalid_rows="quarantine")
    assert kept.values("employee_id") == ["A"]
    balance, missing, junk = [row["reasons"] for row in kept.quarantine]
    assert (balance, missing) == ("core_account_balance '-1' is negative", "employee_id is missing")
    assert junk.endswith("core_account_balance '\u00e4' is not an amount of money")
