"""Synthetic censuses: the same arguments give the same bytes, and the people are plausible."""

import datetime as dt
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from planalign_orchestrator.census import write_census
from planalign_orchestrator.census.generating import MADE_COLUMNS
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.project import acquired_census
from tests.companies import CENSUS_DATE, read_rows
from tests.test_census import Loaded, load

SAMPLE = Path(__file__).parents[1] / "data" / "sample_census.csv"
PAY_RANGES = {
    1: (56_000, 80_000),
    2: (80_000, 120_000),
    3: (120_000, 160_000),
    4: (160_000, 300_000),
    5: (300_000, 500_000),
}


@pytest.fixture(scope="module")
def sample() -> Loaded:
    return load(SAMPLE)


def test_the_sample_census_is_made_as_its_readme_says(tmp_path: Path) -> None:
    write_census(tmp_path / "again.csv", 5000, seed=42, census_date=CENSUS_DATE)
    assert (tmp_path / "again.csv").read_bytes() == SAMPLE.read_bytes()


def test_the_company_that_an_example_buys_is_made_as_the_readme_says(tmp_path: Path) -> None:
    write_census(tmp_path / "again.csv", 412, seed=7, census_date=dt.date(2022, 12, 31))
    made = [{**row, "employee_id": "A" + row["employee_id"][1:]} for row in read_rows(tmp_path / "again.csv")]
    assert [{**row, "level_id": None} for row in made] == [
        {**row, "level_id": None} for row in read_rows(acquired_census())
    ]


@pytest.mark.process
def test_another_process_and_another_number_of_threads_make_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys, datetime as dt; from pathlib import Path; from planalign_orchestrator.census import write_census;"
        "write_census(Path(sys.argv[1]), 5000, seed=42, census_date=dt.date(2024, 12, 31))"
    )
    path = tmp_path / "again.csv"
    subprocess.run(
        [sys.executable, "-c", code, str(path)],
        check=True,
        cwd=SAMPLE.parents[1],
        env={**os.environ, "LC_ALL": "C", "TZ": "Asia/Tokyo"},
    )
    assert path.read_bytes() == SAMPLE.read_bytes()


def test_a_smaller_census_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    write_census(tmp_path / "small.csv", 40, seed=42, census_date=CENSUS_DATE)
    assert SAMPLE.read_bytes().startswith((tmp_path / "small.csv").read_bytes())


def test_another_seed_makes_other_people(tmp_path: Path) -> None:
    write_census(tmp_path / "other.csv", 5000, seed=43, census_date=CENSUS_DATE)
    same = [a == b for a, b in zip(read_rows(SAMPLE), read_rows(tmp_path / "other.csv"), strict=True)]
    assert sum(same) < 5


def test_columns_and_formats_are_the_standard_ones() -> None:
    rows = read_rows(SAMPLE)
    assert list(rows[0]) == [column.name for column in MADE_COLUMNS]
    for row in rows[:200]:
        for column in MADE_COLUMNS:
            value = row[column.name]
            if value and column.kind == "money":
                assert re.fullmatch(r"\d+\.\d\d", value)
            if value and column.kind == "date":
                assert dt.date.fromisoformat(value).isoformat() == value


def test_the_sample_census_is_clean(sample: Loaded) -> None:
    summary = sample.summary
    assert (summary.rows_read, summary.quarantined, summary.announced_exits, summary.levels_inferred) == (5000, 0, 0, 0)
    assert (summary.warnings, summary.notes, summary.problems) == ((), (), ())
    assert 0.02 < summary.left_before_start / 5000 < 0.04


def test_levels_pay_and_hours(sample: Loaded) -> None:
    levels = sample.values("level_id")
    for level, share in zip(range(1, 6), (0.60, 0.22, 0.10, 0.06, 0.02), strict=True):
        assert abs(levels.count(level) / 5000 - share) < 0.02
    part_time = 0
    for row in sample.rows:
        low, high = PAY_RANGES[row["level_id"]]
        share = row["scheduled_hours_per_week"] / 40
        part_time += share < 1
        assert low * share <= row["employee_gross_compensation"] <= high * share
        assert share == 1 or row["level_id"] == 1
    assert 0.01 < part_time / 5000 < 0.08


def test_ages_and_service(sample: Loaded) -> None:
    for row in sample.rows:
        last_day = row["employee_termination_date"] or CENSUS_DATE
        age = (last_day - row["employee_birth_date"]).days / 365.25
        assert 18 <= age <= 70
        assert (row["employee_hire_date"] - row["employee_birth_date"]).days >= 18 * 365.25 - 2
        assert row["employee_hire_date"] <= last_day
    new = sum(row["employee_hire_date"].year == 2024 for row in sample.rows)
    assert 0.10 < new / 5000 < 0.25


def test_pay_rises_with_service(sample: Loaded) -> None:
    staff = [row for row in sample.rows if row["level_id"] == 1 and row["scheduled_hours_per_week"] == 40]
    staff.sort(key=lambda row: row["employee_hire_date"])
    third = len(staff) // 3
    pay = [row["employee_gross_compensation"] for row in staff]
    assert sum(pay[:third]) / third > sum(pay[-third:]) / third + 1000


def test_participation(sample: Loaded) -> None:
    active = [row for row in sample.rows if row["active"]]
    participants = [row for row in active if row["employee_deferral_rate"]]
    assert 0.70 < len(participants) / len(active) < 0.80
    assert {row["employee_deferral_rate"] for row in active} >= {None, Decimal(0), Decimal("0.06")}
    assert all(Decimal("0.02") <= row["employee_deferral_rate"] <= Decimal("0.15") for row in participants)
    for row in sample.rows:
        enrolled = row["employee_enrollment_date"]
        assert (enrolled is None) == (row["enrollment_method"] is None)
        assert enrolled is None or row["employee_hire_date"] <= enrolled <= CENSUS_DATE
        assert enrolled is not None or not row["employee_deferral_rate"]
        assert enrolled is not None or row["employee_account_balance"] == row["match_account_balance"] == 0
    methods = {row["enrollment_method"] for row in participants}
    assert methods == {"auto", "voluntary"}


@pytest.mark.parametrize("census_date", [dt.date(2024, 2, 29), dt.date(2019, 12, 31), dt.date(2030, 6, 30)], ids=str)
def test_a_census_of_any_date_is_clean(tmp_path: Path, census_date: dt.date) -> None:
    write_census(tmp_path / "census.csv", 2000, seed=7, census_date=census_date)
    assert load(tmp_path / "census.csv", census_date=census_date).summary.rows_loaded == 2000


def test_a_census_of_one(tmp_path: Path) -> None:
    write_census(tmp_path / "one.csv", 1, seed=1, census_date=CENSUS_DATE)
    assert load(tmp_path / "one.csv").summary.simulated == 1


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CensusError, match="the size must be at least 1"):
        write_census(tmp_path / "none.csv", 0, seed=1, census_date=CENSUS_DATE)
    with pytest.raises(CensusError, match=r"give the file the ending \.csv"):
        write_census(tmp_path / "census.xlsx", 1, seed=1, census_date=CENSUS_DATE)
    with pytest.raises(CensusError, match="cannot be written"):
        write_census(tmp_path / "missing" / "census.csv", 1, seed=1, census_date=CENSUS_DATE)
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_a_quote_in_its_name_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "it's.csv"
    path.write_text("old\n" * 100_000)
    write_census(path, 2, seed=1, census_date=CENSUS_DATE)
    assert load(path).summary.rows_loaded == 2
    assert [file.name for file in tmp_path.iterdir()] == ["it's.csv"]
