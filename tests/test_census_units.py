"""Codes, units and the basis of pay: what a client's numbers and words mean, or a question where they leave it open."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator.config import load_simulation_config
from tests.companies import Row, person
from tests.test_census import load, refusal, write_lines

PAY = "employee_gross_compensation"
RATE = "employee_deferral_rate"
HOURS = "scheduled_hours_per_week"
EXIT = "employee_termination_date"


def team(column: str, values: list[Any], **others: Any) -> list[Row]:
    return [{**person(f"P{place}", **others), column: value} for place, value in enumerate(values)]


def test_codes_mean_what_the_configuration_says(tmp_path: Path) -> None:
    rows = [
        {**person(f"P{place}"), "active": code, "level_id": level}
        for place, (code, level) in enumerate([("A", "G7"), (" l ", "g7"), ("T", "x"), ("n/a", "")])
    ]
    values = {"active": {"a": "true", "L": "true", "T": "false", "N/A": "true"}, "level_id": {"G7": "2", "X": None}}
    loaded = load(rows, tmp_path, values=values)
    assert loaded.values("active") == [True, True, False, True]
    assert loaded.values("level_id") == [2, 2, None, None]


def test_unknown_codes_are_all_listed_with_their_counts(tmp_path: Path) -> None:
    rows = team("active", ["A", "Q", "Q", "Z", "Q", "W"])
    (problem,) = refusal(rows, tmp_path, values={"active": {"A": "true"}})
    assert problem == (
        "active has codes that census.values does not name: 'Q' in 3 rows (row 3, ...), 'Z' in 1 row"
        " (row 5), 'W' in 1 row (row 7); name each there"
    )
    (problem,) = refusal(rows, tmp_path)
    assert problem == (
        "active is not true or false: 'Q' in 3 rows (row 3, ...), 'Z' in 1 row (row 5), 'W' in 1 row (row 7); say with"
        " census.values what each code means, or correct it"
    )
    loaded = load(rows, tmp_path, values={"active": {"A": "true"}}, on_invalid_rows="quarantine")
    assert loaded.quarantine[0]["reasons"] == "active 'Q' has codes that census.values does not name"
    (kept,) = loaded.summary.to_dict()["problems"]
    assert kept == "active has codes that census.values does not name: 5 rows; name each there"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"values": {"activ": {"A": "true"}}},
            "census.values: 'activ' is not a standard column; did you mean 'active'?",
        ),
        ({"values": {"active": {"A": "perhaps"}}}, "census.values: active cannot be 'perhaps', the meaning of 'A'"),
        ({"values": {"level_id": {"A": "1"}}}, "census.values names level_id, which the file does not have"),
        ({"values": {PAY: {"A": "1"}}}, f"census.values: {PAY} has no codes"),
        ({"units": {"active": "percent"}}, "census.units: active has no unit"),
        ({"units": {PAY: "percent"}}, f"census.units: 'percent' is no unit of {PAY}; known are annual, monthly"),
        ({"units": {PAY: "hourly"}, "pay_basis": "full_time_equivalent"}, "census.pay_basis: pay by the hour"),
    ],
)
def test_settings_that_fit_no_column_are_refused(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    problems = refusal(team("active", ["A"]), tmp_path, **settings)
    assert [problem for problem in problems if problem.startswith(said)]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("percent", ["0.06", "0.06", "0.0006", "0.01", "0.005"]),
        ("mixed", ["0.06", "0.06", "0.06", "0.01", "0.5"]),
    ],
)
def test_rates_are_read_in_their_unit(tmp_path: Path, unit: str, expected: list[str]) -> None:
    loaded = load(team(RATE, ["6", "6%", "0.06", "1", "0.5"]), tmp_path, units={RATE: unit})
    assert loaded.values(RATE) == [Decimal(rate) for rate in expected]
    assert f"{RATE} read as {unit} (census.units)" in loaded.summary.notes
    assert any("2 numbers below 1 without a sign" in text for text in loaded.summary.warnings) == (unit == "percent")


def test_fractions_may_be_one(tmp_path: Path) -> None:
    loaded = load(team(RATE, ["1", "0.06", "6%"]), tmp_path, units={RATE: "fraction"})
    assert loaded.values(RATE) == [Decimal(1), Decimal("0.06"), Decimal("0.06")]
    assert any(text.startswith("1 person has a deferral rate of 50 % or more") for text in loaded.summary.warnings)


@pytest.mark.parametrize(
    ("rates", "found"),
    [
        (["0.05", "1", "0.06"], "row 3"),
        (["0", "1.0", "1"], "2 rows, the first is row 3"),
        (["6", "8", "1"], "row 4"),
    ],
)
def test_a_unit_that_is_open_is_asked_for(tmp_path: Path, rates: list[str], found: str) -> None:
    for mode in ("fail", "quarantine"):
        problems = refusal(team(RATE, rates), tmp_path, on_invalid_rows=mode)
        assert problems[0].startswith(
            f"{RATE} is 1 without a sign ({found}), which may be 1 % or 100 %: say with census"
        )


def test_one_number_too_many_is_a_bad_row(tmp_path: Path) -> None:
    (problem,) = refusal(team(RATE, ["0.05", "60", "0.06"]), tmp_path)
    assert problem.startswith(f"{RATE} is outside 0 to 1: 1 row (row 3 '60'); rates are decimals: 6 % is 0.06")
    assert load(team(RATE, ["1%", "100%"]), tmp_path).values(RATE) == [Decimal("0.01"), Decimal(1)]


@pytest.mark.parametrize(
    ("unit", "amount", "yearly"),
    [
        ("annual", "$60,000.005", "60000.01"),
        ("monthly", "5,000.004", "60000.05"),
        ("semimonthly", "2500", "60000"),
        ("biweekly", "2307.692308", "60000.00"),
        ("weekly", "1000", "52000"),
        ("hourly", "25.125", "39195"),
    ],
)
def test_pay_is_read_in_its_unit(tmp_path: Path, unit: str, amount: str, yearly: str) -> None:
    rows = team(PAY, [amount], scheduled_hours_per_week="30")
    loaded = load(rows, tmp_path, units={PAY: unit})
    assert loaded.values(PAY) == [Decimal(yearly)]
    assert not any("rounded" in note for note in loaded.summary.notes)


def test_full_time_pay_is_paid_by_the_share_of_the_hours(tmp_path: Path) -> None:
    rows = [
        {**person(f"P{place}", pay=pay), HOURS: hours}
        for place, (pay, hours) in enumerate(
            [("60000", "20"), ("60000", "48"), ("10000.01", "37.5"), ("33333.33", "13.33")]
        )
    ]
    paid = [Decimal("30000.00"), Decimal("60000.00"), Decimal("9375.01"), Decimal("11108.33")]
    assert load(rows, tmp_path, pay_basis="full_time_equivalent").values(PAY) == paid
    monthly = load(rows, tmp_path, pay_basis="full_time_equivalent", units={PAY: "monthly"})
    assert monthly.values(PAY)[0] == Decimal(360_000)


def test_pay_that_depends_on_hours_needs_them(tmp_path: Path) -> None:
    rows = team(HOURS, ["20", "", ""], pay="30")
    (problem,) = refusal(rows, tmp_path, units={PAY: "hourly"})
    assert problem == (
        f"{HOURS} is missing, and pay is hourly: 2 rows (row 3, row 4); fill them in, or say with census.default_hours"
        " how many they are"
    )
    loaded = load(rows, tmp_path, units={PAY: "hourly"}, default_hours=Decimal("37.5"))
    assert loaded.values(PAY) == [Decimal(31_200), Decimal(58_500), Decimal(58_500)]
    assert loaded.values(HOURS) == [Decimal(20), Decimal("37.5"), Decimal("37.5")]
    without = [person("A", pay="30")]
    (problem,) = refusal(without, tmp_path, pay_basis="full_time_equivalent")
    assert problem == (
        f"{HOURS} is missing, and pay is for full-time work (census.pay_basis): map the column, or set"
        " census.default_hours"
    )
    assert load(without, tmp_path, units={PAY: "hourly"}, default_hours=Decimal(40)).values(PAY) == [Decimal(62_400)]


@pytest.mark.parametrize(
    ("pay", "hours", "said"),
    [
        (4_000, "", "3 of 3 people have a full-time pay below 15,000 a year, the median is 4,000.00: is it monthly"),
        (
            5_000_000,
            "",
            "3 of 3 people have a full-time pay above 2,000,000 a year, the median is 5,000,000.00: is it in",
        ),
        (50_000, "80", "3 of 3 people have more than 60 scheduled hours a week"),
    ],
)
def test_numbers_of_another_unit_are_doubted(tmp_path: Path, pay: int, hours: str, said: str) -> None:
    rows = team(HOURS, [hours] * 3, pay=str(pay))
    assert [text for text in load(rows, tmp_path).summary.warnings if text.startswith(said)]


def test_part_time_pay_is_not_doubted(tmp_path: Path) -> None:
    warnings = load(team(HOURS, ["12"] * 3, pay="14000"), tmp_path).summary.warnings
    assert not [text for text in warnings if "full-time pay" in text]


def test_a_census_without_deferral_rates_says_so_once(tmp_path: Path) -> None:
    rows = [person("A"), person("B")]
    found = [text for text in load(rows, tmp_path).summary.warnings if "artefact" in text]
    assert len(found) == 1
    assert "everybody starts as a non-participant" in found[0]
    given = load(team(RATE, ["", ""]), tmp_path).summary.warnings
    assert not [text for text in given if "artefact" in text]


def test_an_old_file_is_doubted(tmp_path: Path) -> None:
    rows = [person(f"P{place}", hired="2019-03-01") for place in range(200)]
    assert [text for text in load(rows, tmp_path).summary.warnings if "youngest hire" in text]
    for fewer in (rows[:199], [*rows, person("last", hired="2024-06-01")]):
        assert not [text for text in load(fewer, tmp_path).summary.warnings if "youngest hire" in text]


@pytest.mark.parametrize("written", ["12/31/2099", "2099-12-31", "12/31/9999"])
def test_a_date_that_means_no_exit_is_asked_about(tmp_path: Path, written: str) -> None:
    day = dt.date(9999, 12, 31) if "9999" in written else dt.date(2099, 12, 31)
    rows = team(EXIT, [written, written, "", "2025-06-30" if "-" in written else "6/30/2025"])
    asked = f"{EXIT} is {day} for 2 people: if it means that no exit is planned, set census.no_end_date: {day}"
    assert refusal(rows, tmp_path)[0].startswith(asked)
    loaded = load(rows, tmp_path, no_end_date=day)
    assert loaded.values(EXIT) == [None, None, None, dt.date(2025, 6, 30)]
    assert loaded.summary.announced_exits == 1
    assert f"{EXIT} {day} means no exit (census.no_end_date): 2 rows" in loaded.summary.notes


def test_one_exit_far_ahead_is_an_announcement(tmp_path: Path) -> None:
    assert load(team(EXIT, ["2040-06-30", "2041-06-30"]), tmp_path).summary.announced_exits == 2


def test_the_keys_are_read_from_a_configuration(tmp_path: Path) -> None:
    lines = [
        "census:",
        "  path: team.csv",
        "  values: {active: {A: true, L: yes, T: false, 7: null}, level_id: {G7: 2}}",
        "  units: {employee_deferral_rate: percent}",
        "  pay_basis: full_time_equivalent",
        "  default_hours: 37.5",
        "  no_end_date: 2099-12-31",
    ]
    census = load_simulation_config(write_lines(tmp_path / "c.yaml", lines)).census
    assert census.values == {"active": {"A": "true", "L": "true", "T": "false", "7": None}, "level_id": {"G7": "2"}}
    assert census.units == {"employee_deferral_rate": "percent"}
    assert (census.pay_basis, census.default_hours) == ("full_time_equivalent", Decimal("37.5"))
    assert census.no_end_date == dt.date(2099, 12, 31)
