"""What a text means: dates in every form and order, money, rates, truth values. Nothing is guessed from its size."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.companies import person
from tests.test_census import load, refusal

FORMS: dict[str, Callable[[dt.date], str]] = {
    "ISO": lambda day: day.isoformat(),
    "ISO without zeros": lambda day: f"{day.year}-{day.month}-{day.day}",
    "ISO with slashes": lambda day: f"{day:%Y/%m/%d}",
    "ISO with midnight": lambda day: f"{day.isoformat()} 00:00:00",
    "ISO with T": lambda day: f"{day.isoformat()}T00:00:00Z",
    "ISO with fractions": lambda day: f"{day.isoformat()} 00:00:00.000",
    "compact": lambda day: f"{day:%Y%m%d}",
    "day-Mon-year": lambda day: f"{day:%d-%b-%Y}",
    "dMonyyyy": lambda day: f"{day:%d%b%Y}".upper(),
    "day month year": lambda day: f"{day.day} {day:%B} {day.year}",
    "ordinal": lambda day: f"{day.day}th {day:%b}. {day.year}",
    "month day, year": lambda day: f"{day:%B} {day.day}, {day.year}",
    "Mon d year": lambda day: f"{day:%b} {day.day} {day.year}",
}
ORDERED_FORMS: dict[str, Callable[[dt.date], str]] = {
    "m/d/Y": lambda day: f"{day.month}/{day.day}/{day.year}",
    "mm/dd/YYYY": lambda day: f"{day:%m/%d/%Y}",
    "m-d-Y": lambda day: f"{day.month}-{day.day}-{day.year}",
    "d/m/Y": lambda day: f"{day.day}/{day.month}/{day.year}",
    "d.m.Y": lambda day: f"{day:%d.%m.%Y}",
    "m/d/Y with midnight": lambda day: f"{day.month}/{day.day}/{day.year} 0:00",
    "m/d/Y with 12 AM": lambda day: f"{day.month}/{day.day}/{day.year} 12:00:00 AM",
}
DAYS = st.dates(dt.date(1930, 1, 1), dt.date(2009, 12, 31))


def hired(birth: str) -> str:
    return "2024-12-31" if birth else ""


def births(texts: list[str], folder: Path, **source: Any) -> list[dt.date]:
    """Load people with these birth dates and return the dates as they were read."""
    rows = [person(f"P{number}", born=text, hired="2024-12-31") for number, text in enumerate(texts)]
    if "date_format" in source:
        rows = [{**row, "employee_hire_date": f"{dt.date(2024, 12, 31):{source['date_format']}}"} for row in rows]
    values: list[dt.date] = load(rows, folder, **source).values("employee_birth_date")
    return values


def reasons(column: str, texts: list[str], folder: Path) -> list[str]:
    """Return why each of these texts of one column is refused, without the column and the text."""
    rows = [person("good"), *({**person(f"P{number}"), column: text} for number, text in enumerate(texts))]
    bad = load(rows, folder, on_invalid_rows="quarantine").quarantine
    assert [row["employee_id"] for row in bad] == [row["employee_id"] for row in rows[1:]]
    told = list(zip(bad, texts, strict=True))
    assert all(row["reasons"].startswith(f"{column} '{text}' ") for row, text in told)
    return [row["reasons"].removeprefix(f"{column} '{text}' ") for row, text in told]


@pytest.mark.parametrize("form", FORMS, ids=str)
@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(DAYS, min_size=30, max_size=60))
def test_dates_in_one_form_come_back(tmp_path: Path, form: str, days: list[dt.date]) -> None:
    assert births([FORMS[form](day) for day in days], tmp_path) == days


@pytest.mark.parametrize("form", ORDERED_FORMS, ids=str)
@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(DAYS, min_size=30, max_size=60))
def test_one_telling_date_settles_the_order_of_the_column(tmp_path: Path, form: str, days: list[dt.date]) -> None:
    days = [*days, dt.date(1980, 2, 29)]
    assert births([ORDERED_FORMS[form](day) for day in days], tmp_path) == days


def test_forms_can_be_mixed_in_a_column(tmp_path: Path) -> None:
    days = [dt.date(1980, 3, 4)] * len(FORMS)
    assert births([form(days[0]) for form in FORMS.values()], tmp_path) == days


def test_ambiguous_dates_are_an_error_that_asks_for_the_format(tmp_path: Path) -> None:
    rows = [person("A", born="03/04/1980"), person("B", born="11/11/1980"), person("C", born="01/02/1980")]
    for mode in ("fail", "quarantine"):
        (problem,) = refusal(rows, tmp_path, on_invalid_rows=mode)
        assert "employee_birth_date: day and month cannot be told apart" in problem
        assert "(rows: 2; row 2 '03/04/1980')" in problem
        assert "set census.date_format, for instance to '%m/%d/%Y' (month first) or '%d/%m/%Y' (day first)" in problem


@pytest.mark.parametrize(
    ("date_format", "expected"), [("%m/%d/%Y", dt.date(1980, 3, 4)), ("%d/%m/%Y", dt.date(1980, 4, 3))]
)
def test_the_configured_format_settles_it(tmp_path: Path, date_format: str, expected: dt.date) -> None:
    assert births(["03/04/1980"], tmp_path, date_format=date_format) == [expected]


def test_the_same_day_and_month_are_not_ambiguous(tmp_path: Path) -> None:
    assert births(["11/11/1980", "05-05-1990"], tmp_path) == [dt.date(1980, 11, 11), dt.date(1990, 5, 5)]


def test_each_column_settles_its_own_order(tmp_path: Path) -> None:
    rows = [person("A", born="31/01/1980", hired="05/31/2010"), person("B", born="02/03/1980", hired="02/03/2010")]
    loaded = load(rows, tmp_path)
    assert loaded.values("employee_birth_date") == [dt.date(1980, 1, 31), dt.date(1980, 3, 2)]
    assert loaded.values("employee_hire_date") == [dt.date(2010, 5, 31), dt.date(2010, 2, 3)]
    assert loaded.summary.notes == (
        "employee_birth_date read as day/month/year, as row 2 '31/01/1980' shows",
        "employee_hire_date read as month/day/year, as row 2 '05/31/2010' shows",
    )


@pytest.mark.parametrize("mode", ["fail", "quarantine"])
def test_both_orders_in_a_column_are_an_error(tmp_path: Path, mode: str) -> None:
    rows = [person("A", born="31/01/1980"), person("B", born="02/03/1980"), person("C", born="01/31/1980")]
    (problem,) = refusal(rows, tmp_path, on_invalid_rows=mode)
    assert "employee_birth_date has dates in both orders" in problem
    assert "row 4 '01/31/1980' can only be month/day and row 2 '31/01/1980' only day/month" in problem


def test_a_configured_format_is_the_only_one(tmp_path: Path) -> None:
    rows = [person("A", born="01/31/1980", hired="03/04/2010"), person("B", born="1980-01-31", hired="03/04/2010")]
    (problem,) = refusal(rows, tmp_path, date_format="%m/%d/%Y")
    assert problem == "employee_birth_date is not a date of the form %m/%d/%Y: 1 row (row 3 '1980-01-31')"


@pytest.mark.parametrize(
    ("date_format", "message"),
    [
        ("MM/DD/YYYY", "has no day and no month and no year: write it like '%m/%d/%Y'"),
        ("%m/%Y", "has no day: write it like"),
        ("%d.%m.%Y %Q", "cannot be used"),
    ],
)
def test_an_unusable_format_is_an_error(tmp_path: Path, date_format: str, message: str) -> None:
    (problem,) = refusal([person("A")], tmp_path, date_format=date_format)
    assert f"census.date_format {date_format!r}" in problem
    assert message in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12/31/68", dt.date(1968, 12, 31)),
        ("12/31/24", dt.date(1924, 12, 31)),
        ("12/31/10", dt.date(2010, 12, 31)),
        ("12/31/00", dt.date(2000, 12, 31)),
        ("31-Dec-99", dt.date(1999, 12, 31)),
        ("Dec 31, '68", dt.date(1968, 12, 31)),
    ],
)
def test_a_birth_year_of_two_digits_is_never_in_the_future(tmp_path: Path, text: str, expected: dt.date) -> None:
    assert births([text], tmp_path) == [expected]
    if "/" in text:
        rows = [person("A", born=text, hired="12/31/24")]
        loaded = load(rows, tmp_path, date_format="%m/%d/%y")
        assert loaded.values("employee_birth_date") == [expected]
        assert loaded.values("employee_hire_date") == [dt.date(2024, 12, 31)]


def test_two_digit_years_by_column(tmp_path: Path) -> None:
    rows = [
        person("A", born="1/31/60", hired="1/31/85", employee_termination_date="1/31/99"),
        person("B", born="1/31/60", hired="1/31/24", employee_termination_date="1/31/30"),
        person("C", born="1/31/30", hired="1/31/55", employee_enrollment_date="1/31/60"),
    ]
    loaded = load(rows, tmp_path)
    assert loaded.values("employee_hire_date") == [dt.date(1985, 1, 31), dt.date(2024, 1, 31), dt.date(1955, 1, 31)]
    assert loaded.values("employee_termination_date") == [dt.date(1999, 1, 31), dt.date(2030, 1, 31), None]
    assert loaded.values("employee_enrollment_date") == [None, None, dt.date(1960, 1, 31)]
    assert "employee_birth_date: two-digit years read as 1911 to 2010 (rows: 3)" in loaded.summary.notes
    assert "employee_hire_date: two-digit years read as 1938 to 2037 (rows: 3)" in loaded.summary.notes
    assert "employee_termination_date: two-digit years read as 1945 to 2044 (rows: 2)" in loaded.summary.notes


def test_a_two_digit_year_after_the_census_is_a_hire_after_the_start(tmp_path: Path) -> None:
    (problem,) = refusal([person("A", hired="3/31/25")], tmp_path)
    assert "hire date after the start of the simulation" in problem
    assert "row 2 '3/31/25' (read as 2025-03-31)" in problem


def test_what_is_not_a_date(tmp_path: Path) -> None:
    texts = [
        "1980", "13/13/1980", "29-Feb-1981", "2/29/1981", "1980-13-01", "5-Mrz-1980", "Marchy 5, 1980", "01/05/180",
        "epoch", "infinity", "1980-01-05 (BC)", "29000", "1/5/1980 13:00", "9999-12-31", "19800230", "--",
    ]  # fmt: skip
    assert set(reasons("employee_birth_date", texts, tmp_path)) == {"is not a date"}


def test_a_format_that_takes_short_years_for_full_ones_does_not_pass(tmp_path: Path) -> None:
    problems = refusal([person("A", born="01/31/80", hired="01/31/2010")], tmp_path, date_format="%m/%d/%Y")
    assert problems == ["employee_birth_date is not a date of the form %m/%d/%Y: 1 row (row 2 '01/31/80')"]


def test_money(tmp_path: Path) -> None:
    texts = {
        "56705": "56705.00",
        "56,705": "56705.00",
        "$56,705.00 ": "56705.00",
        "$ 56705.5": "56705.50",
        "USD 1,234,567.89": "1234567.89",
        "56705 USD": "56705.00",
        "+56705.": "56705.00",
        ".75": "0.75",
        "0056705": "56705.00",
        "999999999999.99": "999999999999.99",
        "$1,234.5": "1234.50",
    }
    loaded = load([person(f"P{i}", pay=text) for i, text in enumerate(texts)], tmp_path)
    assert [str(pay) for pay in loaded.values("employee_gross_compensation")] == list(texts.values())


def test_what_is_not_money(tmp_path: Path) -> None:
    texts = ["56.705,00", "56,70", "5,6705", "1,234,56", "56 705", "56.7k", "1e5", "5_000", "$", "€56", "0x10", "(500",
             "1-2", "1234567890123", "56705 per year", "1,234,567,890,123,456", "$,5"]  # fmt: skip
    assert set(reasons("employee_gross_compensation", texts, tmp_path)) == {"is not an amount of money"}


def test_pay_must_be_above_0(tmp_path: Path) -> None:
    texts = ["-500", "(500)", "($500.00)", "$(500.00)", "500-", "$-500", "- 500", "0", "$0.00", "$ -"]
    assert set(reasons("employee_gross_compensation", texts, tmp_path)) == {"is not above 0"}


def test_an_accounting_zero_is_a_balance_of_zero(tmp_path: Path) -> None:
    loaded = load([person("A", core_account_balance=" $ -   "), person("B", core_account_balance="-")], tmp_path)
    assert loaded.values("core_account_balance") == [0, 0]
    assert loaded.summary.optional_columns[-1].given == 1


def test_money_is_rounded_half_away_from_zero_and_counted(tmp_path: Path) -> None:
    pays = ["1000.005", "1000.0049", "1000.015", "1,000.025", "1000.0100", "1000.1"]
    loaded = load([person(f"P{i}", pay=pay) for i, pay in enumerate(pays)], tmp_path)
    assert [str(pay) for pay in loaded.values("employee_gross_compensation")] == [
        "1000.01", "1000.00", "1000.02", "1000.03", "1000.01", "1000.10",
    ]  # fmt: skip
    assert loaded.summary.notes == (
        "employee_gross_compensation: 4 values with more than 2 decimals, rounded half away from zero",
    )


def test_rates(tmp_path: Path) -> None:
    texts = {
        "0.06": "0.06", ".065": "0.065", "6%": "0.06", "6.5 %": "0.065", "0.5%": "0.005", "100%": "1",
        "0": "0", "0.0600000": "0.06", "0.1234567": "0.123457", "12.34567%": "0.123457", "+0.5": "0.5",
    }  # fmt: skip
    loaded = load([person(f"P{i}", employee_deferral_rate=text) for i, text in enumerate(texts)], tmp_path)
    assert loaded.values("employee_deferral_rate") == [Decimal(rate) for rate in texts.values()]
    assert loaded.summary.notes == (
        "employee_deferral_rate: 2 values with more than 6 decimals, rounded half away from zero",
    )


def test_a_rate_is_never_guessed_from_its_size(tmp_path: Path) -> None:
    (problem,) = refusal([person("A", employee_deferral_rate="6")], tmp_path)
    assert problem == (
        "employee_deferral_rate is outside 0 to 1: 1 row (row 2 '6'); rates are decimals: 6 % is 0.06; where"
        " the file has percentages, set census.units: {employee_deferral_rate: percent}"
    )


def test_what_is_not_a_rate(tmp_path: Path) -> None:
    texts = ["6%%", "%", "1,5", "six", "0.06x", "1e-2"]
    assert set(reasons("employee_deferral_rate", texts, tmp_path)) == {"is not a rate"}


@pytest.mark.parametrize(
    ("column", "true", "false"),
    [
        ("auto_escalation_opt_out", "true TRUE t yes Y 1", "false False f no N 0"),
        ("active", "true yes y 1 Active EMPLOYED a", "false no n 0 inactive Terminated term left i"),
    ],
)
def test_truth_values(tmp_path: Path, column: str, true: str, false: str) -> None:
    words = [*true.split(), *false.split(), ""]
    loaded = load([person(f"P{i}", **{column: word}) for i, word in enumerate(words)], tmp_path)
    blank = None if column == "active" else False
    assert loaded.values(column) == [True] * len(true.split()) + [False] * len(false.split()) + [blank]


def test_levels(tmp_path: Path) -> None:
    rows = [person(f"P{i}", level_id=text) for i, text in enumerate(["3", "3.0", "03", ""])]
    assert load(rows, tmp_path).values("level_id") == [3, 3, 3, None]
