"""Blocks of bad rows among thousands: each is named, and none ends in an error of the database.

DuckDB 2.0 gave up on a third of such files while a join without equality told the rows from their problems.
"""

from pathlib import Path
from random import Random

import pytest

from tests.companies import Row, person, write_rows
from tests.test_census import load, refusal
from tests.tiers import sampled

FILES, SOAK_FILES = 10, 200

# What is wrong with a row of each kind: its values, and what is said of it.
FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "no hire date": ({"hired": ""}, "employee_hire_date is missing"),
    "no pay": ({"pay": "$0.00"}, "employee_gross_compensation '$0.00' is not above 0"),
    "hired late": (
        {"hired": "3/15/2025"},
        (
            "employee_hire_date '3/15/2025' (read as 2025-03-15) is a hire date after the start of the simulation"
            " (census date 2024-12-31)"
        ),
    ),
    "rate too high": ({"employee_deferral_rate": "160%"}, "employee_deferral_rate '160%' is outside 0 to 1"),
    "two faults": (
        {"hired": "x", "pay": "-$5.00"},
        "employee_hire_date 'x' is not a date; employee_gross_compensation '-$5.00' is not above 0",
    ),
}


def faulty_row(number: int, fault: str | None) -> Row:
    """Return a row as a client's system writes it: few distinct dates, rates and departments, none of them plain."""
    values: dict[str, str] = {
        "born": f"{number % 12 + 1}/{number % 14 + 13}/{1960 + number % 34}",
        "hired": f"{number % 12 + 1}/{number % 14 + 13}/{2009 + number % 15}",
        "pay": f"${40 + number % 50},000.00",
        "department": ("Police", "Fire", "Works", "Health")[number % 4],
        "employee_deferral_rate": "6%",
    }
    return person(f"E{number:06d}", **{**values, **(FAULTS[fault][0] if fault else {})})


def faults_of(seed: int) -> tuple[int, dict[int, str]]:
    """Return how many people a file has and what is wrong with whom: one or two blocks and some single rows."""
    random = Random(seed)
    size = random.randint(2_100, 4_200)
    faults: dict[int, str] = {}
    for _ in range(random.randint(1, 2)):
        first = random.randrange(size - 100)
        faults |= dict.fromkeys(range(first, min(size, first + random.randint(20, 600))), random.choice(list(FAULTS)))
    for _ in range(random.randint(0, 4)):
        faults[random.randrange(size)] = random.choice(list(FAULTS))
    return size, faults


@pytest.mark.parametrize("seed", sampled(range(SOAK_FILES), FILES))
def test_blocks_of_bad_rows_are_set_aside_with_their_reasons(tmp_path: Path, seed: int) -> None:
    size, faults = faults_of(seed)
    rows = [faulty_row(number, faults.get(number)) for number in range(size)]
    loaded = load(rows, tmp_path, on_invalid_rows="quarantine")
    expected = {number + 2: FAULTS[fault][1] for number, fault in faults.items()}
    assert {row["row_number"]: row["reasons"] for row in loaded.quarantine} == expected
    assert loaded.values("row_number") == [number + 2 for number in range(size) if number not in faults]
    assert [row["employee_id"] for row in loaded.quarantine] == [f"E{number:06d}" for number in sorted(faults)]


@pytest.mark.parametrize("mode", ["fail", "quarantine"])
def test_a_block_of_bad_rows_among_two_thousand_is_named(tmp_path: Path, mode: str) -> None:
    faults = {68: "no pay", **dict.fromkeys(range(1000, 1100), "no hire date"), 2060: "hired late"}
    path = write_rows(tmp_path / "census.csv", [faulty_row(number, faults.get(number)) for number in range(2100)])
    problems = refusal(path) if mode == "fail" else [*load(path, on_invalid_rows=mode).summary.problems]
    assert problems == [
        "employee_hire_date is missing: 100 rows (row 1002, row 1003, row 1004, ...)",
        (
            "employee_hire_date is a hire date after the start of the simulation (census date 2024-12-31): 1 row"
            " (row 2062 '3/15/2025' (read as 2025-03-15)); the census holds the people of 2024-12-31: remove whoever"
            " was hired later, or let the simulation start later"
        ),
        "employee_gross_compensation is not above 0: 1 row (row 70 '$0.00'); it is the annual rate of pay",
    ]
