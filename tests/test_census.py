"""A census is loaded whole or refused with every reason: what each row became, and that none was lost.

`load` and `refusal` are used by all census tests; `load` proves the conservation of rows each time.
"""

import csv
import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from planalign_orchestrator.census import CensusSource, CensusSummary, check_census, load_census
from planalign_orchestrator.config import config_from_mapping
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.parameters import load_parameters
from planalign_orchestrator.pipeline.inputs import judge_census
from tests.companies import CENSUS_DATE, Row, person, read_rows, write_rows
from tests.laboratory import records
from tests.tiers import sampled

LEVELS = (1, 2, 3, 4, 5)
TYPES = {
    "employee_id": "VARCHAR",
    "employee_birth_date": "DATE",
    "employee_hire_date": "DATE",
    "employee_service_date": "DATE",
    "employee_gross_compensation": "DECIMAL(18,2)",
    "employee_termination_date": "DATE",
    "active": "BOOLEAN",
    "level_id": "INTEGER",
    "department": "VARCHAR",
    "location": "VARCHAR",
    "employee_class": "VARCHAR",
    "sex": "VARCHAR",
    "scheduled_hours_per_week": "DECIMAL(9,2)",
    "employee_deferral_rate": "DECIMAL(9,6)",
    "employee_enrollment_date": "DATE",
    "enrollment_method": "VARCHAR",
    "auto_escalation_opt_out": "BOOLEAN",
    "plan_eligible_override": "BOOLEAN",
    "is_five_percent_owner": "BOOLEAN",
    "prior_year_compensation": "DECIMAL(18,2)",
    "employee_variable_compensation": "DECIMAL(18,2)",
    "year_to_date_deferral": "DECIMAL(18,2)",
    "employee_account_balance": "DECIMAL(18,2)",
    "match_account_balance": "DECIMAL(18,2)",
    "core_account_balance": "DECIMAL(18,2)",
    "is_simulated": "BOOLEAN",
    "row_number": "BIGINT",
}


@dataclass(frozen=True)
class Loaded:
    """A loaded census: its summary and the rows of both tables in file order."""

    summary: CensusSummary
    rows: list[dict[str, Any]]
    quarantine: list[dict[str, Any]]

    def values(self, column: str) -> list[Any]:
        return [row[column] for row in self.rows]


def database() -> duckdb.DuckDBPyConnection:
    """Return a connection as the engine makes it: the file attached, no extensions, inside a transaction."""
    connection = duckdb.connect(
        config={"threads": 2, "autoload_known_extensions": False, "autoinstall_known_extensions": False}
    )
    connection.execute("attach ':memory:' as planalign")
    connection.execute("begin")
    return connection


def source_of(census: Path | Iterable[Row], folder: Path, **settings: Any) -> CensusSource:
    """Return the source for a file, or for rows written to one."""
    path = census if isinstance(census, Path) else write_rows(folder / "census.csv", census)
    # most files of the tests are small and bad
    return CensusSource(path, **{"most_set_aside": Decimal(1), **settings})


def load(
    census: Path | Iterable[Row], folder: Path = Path(), *, census_date: dt.date = CENSUS_DATE, **settings: Any
) -> Loaded:
    """Load a census and prove that every row read is in one of the two tables and counted once."""
    source = source_of(census, folder, **settings)
    with database() as connection:
        summary = load_census(connection, source, census_date=census_date, level_ids=LEVELS)
        rows = records(connection, "from planalign.inputs.census order by row_number")
        quarantine = records(connection, "from planalign.main.census_quarantine order by row_number")
        left_over = connection.execute(
            "select table_name from duckdb_tables() where temporary union all"
            " select view_name from duckdb_views() where temporary and not internal"
        ).fetchall()
    assert summary.rows_read == summary.rows_loaded + summary.quarantined + summary.earlier_spells
    assert summary.rows_loaded == summary.simulated + summary.left_before_start + summary.inactive_without_date
    assert (len(rows), len(quarantine)) == (summary.rows_loaded, summary.quarantined)
    assert sum(row["is_simulated"] for row in rows) == summary.simulated
    numbers = [row["row_number"] for row in (*rows, *quarantine)]
    assert len(set(numbers)) == len(numbers)
    assert left_over == []
    return Loaded(summary, rows, quarantine)


def refusal(
    census: Path | Iterable[Row], folder: Path = Path(), *, census_date: dt.date = CENSUS_DATE, **settings: Any
) -> list[str]:
    """Return the problems of a census that is refused, and prove that the table of an earlier load is untouched."""
    source = source_of(census, folder, **settings)
    with database() as connection:
        connection.execute("create schema planalign.inputs")
        connection.execute("create table planalign.inputs.census as select 'kept' as employee_id")
        connection.execute("commit")
        with pytest.raises(CensusError) as caught:
            load_census(connection, source, census_date=census_date, level_ids=LEVELS)
        assert connection.execute("from planalign.inputs.census").fetchall() == [("kept",)]
    assert str(source.path) in str(caught.value)
    return caught.value.problems


def write_lines(path: Path, lines: Sequence[str], *, ending: str = "\n", encoding: str = "utf-8") -> Path:
    """Write lines as they are."""
    path.write_bytes("".join(line + ending for line in lines).encode(encoding))
    return path


def as_lines(rows: Iterable[Row], delimiter: str = ",") -> list[str]:
    """Return rows as lines of text, the heading line first, values quoted where they hold the delimiter."""
    rows = list(rows)
    table = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    quoted = [[f'"{value}"' if delimiter in value else value for value in line] for line in table]
    return [delimiter.join(line) for line in quoted]


def test_a_check_says_what_a_load_says(tmp_path: Path, mixed_census: Path) -> None:
    source = CensusSource(mixed_census)
    assert check_census(source, census_date=CENSUS_DATE, level_ids=LEVELS) == load(mixed_census).summary
    bad = [person("A"), person("B", pay="0"), person("B")]
    with pytest.raises(CensusError) as caught:
        check_census(source_of(bad, tmp_path), census_date=CENSUS_DATE, level_ids=LEVELS)
    assert caught.value.problems == refusal(bad, tmp_path)


def test_every_column_is_typed_in_the_promised_order(tmp_path: Path) -> None:
    with database() as connection:
        load_census(connection, source_of([person("A")], tmp_path), census_date=CENSUS_DATE, level_ids=LEVELS)
        described = connection.execute("describe planalign.inputs.census").fetchall()
        quarantine = connection.execute("describe planalign.main.census_quarantine").fetchall()
    assert {name: sql_type for name, sql_type, *_ in described} == TYPES
    assert [name for name, *_ in described] == list(TYPES)
    assert [(name, sql_type) for name, sql_type, *_ in quarantine] == [
        ("row_number", "BIGINT"),
        ("employee_id", "VARCHAR"),
        ("reasons", "VARCHAR"),
        ("raw_row", "VARCHAR"),
    ]


def test_one_person_with_the_required_columns_is_a_census(tmp_path: Path) -> None:
    loaded = load([person("A")], tmp_path)
    assert loaded.rows == [
        {
            **dict.fromkeys(TYPES),
            "employee_id": "A",
            "employee_birth_date": dt.date(1985, 6, 15),
            "employee_hire_date": dt.date(2015, 3, 1),
            "employee_gross_compensation": Decimal("60000.00"),
            "scheduled_hours_per_week": Decimal("40.00"),
            "auto_escalation_opt_out": False,
            "is_five_percent_owner": False,
            "year_to_date_deferral": Decimal("0.00"),
            "employee_account_balance": Decimal("0.00"),
            "match_account_balance": Decimal("0.00"),
            "core_account_balance": Decimal("0.00"),
            "is_simulated": True,
            "row_number": 2,
        }
    ]
    assert (loaded.summary.levels_inferred, loaded.summary.level_inferred_share) == (1, 1.0)


def test_every_column_is_kept(tmp_path: Path) -> None:
    given = person(
        "A",
        employee_service_date="2012-02-29",
        employee_termination_date="2025-06-30",
        active="Y",
        level_id="2",
        department="Café, North",
        location="Plant 1",
        employee_class="Union",
        sex="F",
        scheduled_hours_per_week="37.5",
        employee_deferral_rate="0.065",
        employee_enrollment_date="2015-04-01",
        enrollment_method="Auto",
        auto_escalation_opt_out="yes",
        plan_eligible_override="no",
        is_five_percent_owner="1",
        prior_year_compensation="58,000.10",
        employee_variable_compensation="6,000",
        year_to_date_deferral="2,000",
        employee_account_balance="$1,000.00",
        match_account_balance="500",
        core_account_balance="0.25",
        employee_ssn="123-45-6789",
    )
    loaded = load([given], tmp_path)
    (row,) = loaded.rows
    assert row["employee_service_date"] == dt.date(2012, 2, 29)
    assert list(row.values())[5:] == [
        dt.date(2025, 6, 30), True, 2, "Café, North", "Plant 1", "Union", "F", Decimal("37.50"), Decimal("0.065000"),
        dt.date(2015, 4, 1), "auto", True, False, True, Decimal("58000.10"), Decimal("6000.00"), Decimal("2000.00"),
        Decimal("1000.00"), Decimal("500.00"), Decimal("0.25"), True, 2,
    ]  # fmt: skip
    assert "123" not in str(loaded.rows)
    assert loaded.summary.announced_exits == 1


BAD_VALUES = [
    ("employee_id", "", "employee_id is missing"),
    ("employee_id", "NH_2025_000001", "employee_id is reserved for simulated hires"),
    ("employee_id", "A\nB", "employee_id contains a line break"),
    ("employee_birth_date", "", "employee_birth_date is missing"),
    ("employee_birth_date", "1985-02-30", "employee_birth_date is not a date"),
    ("employee_birth_date", "0085-02-03", "employee_birth_date is not a date"),
    ("employee_birth_date", "2011-01-01", "employee_birth_date means an age below 14 on 2024-12-31"),
    ("employee_birth_date", "1923-12-31", "employee_birth_date means an age above 100 on 2024-12-31"),
    ("employee_hire_date", "", "employee_hire_date is missing"),
    ("employee_hire_date", "2015-03-01 14:30:00", "employee_hire_date is not a date"),
    ("employee_hire_date", "1999-06-14", "employee_hire_date is before the 14th birthday"),
    ("employee_hire_date", "2025-01-01", "employee_hire_date is a hire date after the start of the simulation"),
    ("employee_service_date", "1999-06-14", "employee_service_date is before the 14th birthday"),
    ("employee_service_date", "2025-01-01", "employee_service_date is after the census date 2024-12-31"),
    ("employee_gross_compensation", "", "employee_gross_compensation is missing"),
    ("employee_gross_compensation", "56.705,00", "employee_gross_compensation is not an amount of money"),
    ("employee_gross_compensation", "abc", "employee_gross_compensation is not an amount of money"),
    ("employee_gross_compensation", "(500)", "employee_gross_compensation is not above 0"),
    ("employee_gross_compensation", "-500", "employee_gross_compensation is not above 0"),
    ("employee_gross_compensation", "0", "employee_gross_compensation is not above 0"),
    ("employee_termination_date", "2015-02-28", "employee_termination_date is before the hire date"),
    ("active", "perhaps", "active is not true or false"),
    ("active", "T", "active is not true or false"),
    ("level_id", "9", "level_id is not a known level (1, 2, 3, 4, 5)"),
    ("level_id", "1.5", "level_id is not a whole number"),
    ("department", "North\nSouth", "department contains a line break"),
    ("scheduled_hours_per_week", "0", "scheduled_hours_per_week is not above 0 and at most 168"),
    ("scheduled_hours_per_week", "168.01", "scheduled_hours_per_week is not above 0 and at most 168"),
    ("scheduled_hours_per_week", "full", "scheduled_hours_per_week is not a number of hours"),
    ("employee_deferral_rate", "6", "employee_deferral_rate is outside 0 to 1"),
    ("employee_deferral_rate", "-0.01", "employee_deferral_rate is outside 0 to 1"),
    ("employee_deferral_rate", "101%", "employee_deferral_rate is outside 0 to 1"),
    ("employee_deferral_rate", "six", "employee_deferral_rate is not a rate"),
    ("employee_enrollment_date", "2015-02-28", "employee_enrollment_date is before the hire date"),
    ("employee_enrollment_date", "2025-01-01", "employee_enrollment_date is after the census date 2024-12-31"),
    ("enrollment_method", "forced", "enrollment_method is not auto or voluntary"),
    ("auto_escalation_opt_out", "maybe", "auto_escalation_opt_out is not true or false"),
    ("plan_eligible_override", "2", "plan_eligible_override is not true or false"),
    ("is_five_percent_owner", "5%", "is_five_percent_owner is not true or false"),
    ("prior_year_compensation", "-1", "prior_year_compensation is negative"),
    ("employee_variable_compensation", "-1", "employee_variable_compensation is negative"),
    (
        "employee_variable_compensation",
        "6000000.01",
        "employee_variable_compensation is more than 100 times the rate of pay",
    ),
    ("year_to_date_deferral", "-5", "year_to_date_deferral is negative"),
    ("employee_account_balance", "(0.01)", "employee_account_balance is negative"),
    ("match_account_balance", "-1", "match_account_balance is negative"),
    ("core_account_balance", "x", "core_account_balance is not an amount of money"),
]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        # of each column the first one in every run: all of them together are in the next test
        pytest.param(*case, id=f"{case[0]}={case[1]!r}", marks=[] if case[0] != before[0] else pytest.mark.soak)
        for before, case in pairwise([("", "", ""), *BAD_VALUES])
    ],
)
def test_a_bad_value_is_set_aside_with_its_reason(tmp_path: Path, column: str, value: str, message: str) -> None:
    bad_row = {**person("B"), column: value}
    loaded = load([person("A"), bad_row, person("C")], tmp_path, on_invalid_rows="quarantine")
    assert loaded.values("employee_id") == ["A", "C"]
    (bad,) = loaded.quarantine
    assert (bad["row_number"], bad["employee_id"]) == (3, bad_row["employee_id"] or None)
    assert bad["reasons"].startswith(column)
    assert message.removeprefix(column) in bad["reasons"]
    assert json.loads(bad["raw_row"])[column] == (value or None)
    (problem,) = loaded.summary.problems
    assert problem.startswith(message)
    assert "1 row (row 3" in problem


def test_the_same_bad_values_stop_a_load_with_every_reason(tmp_path: Path) -> None:
    rows = [person("A")]
    rows += [{**person(f"B{number}"), column: value} for number, (column, value, _) in enumerate(BAD_VALUES)]
    problems = refusal(rows, tmp_path)
    for _, _, message in BAD_VALUES:
        assert any(problem.startswith(message) for problem in problems)
    assert len(problems) == len({message for _, _, message in BAD_VALUES})
    assert load(rows, tmp_path, on_invalid_rows="quarantine").summary.problems == tuple(problems)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("employee_birth_date", "2010-12-31"),
        ("employee_birth_date", "1923-01-01"),
        ("employee_hire_date", "2024-12-31"),
        ("employee_service_date", "1999-06-15"),
        ("employee_service_date", "2024-12-31"),
        ("employee_termination_date", "2015-03-01"),
        ("scheduled_hours_per_week", "168"),
        ("employee_deferral_rate", "0"),
        ("employee_deferral_rate", "100%"),
        ("employee_enrollment_date", "2015-03-01"),
        ("employee_gross_compensation", "0.01"),
        ("employee_id", "NH_1"),
    ],
)
def test_values_at_the_bounds_are_good(tmp_path: Path, column: str, value: str) -> None:
    bound = {**person("B", born="1923-12-31" if value == "1923-01-01" else "1985-06-15"), column: value}
    if value == "2010-12-31":
        bound["employee_hire_date"] = "2024-12-31"
    if value == "1923-01-01":
        bound["employee_birth_date"] = "1924-01-01"
    assert load([person("A"), bound], tmp_path).summary.rows_loaded == 2


@pytest.mark.parametrize(
    ("born", "hired", "census_date", "good"),
    [
        ("2000-02-29", "2014-02-28", dt.date(2024, 12, 31), True),
        ("2000-02-29", "2014-02-27", dt.date(2024, 12, 31), False),
        ("2000-03-01", "2014-02-28", dt.date(2024, 12, 31), False),
        ("1924-02-29", "1950-01-01", dt.date(2025, 2, 27), True),
        ("1924-02-29", "1950-01-01", dt.date(2025, 2, 28), False),
        ("2008-02-29", "2022-02-28", dt.date(2022, 2, 28), True),
    ],
)
def test_a_birthday_on_29_february_is_the_28th_in_common_years(
    tmp_path: Path, born: str, hired: str, census_date: dt.date, good: bool
) -> None:
    rows = [person("A", hired="2015-03-01"), person("B", born=born, hired=hired)]
    loaded = load(rows, tmp_path, census_date=census_date, on_invalid_rows="quarantine")
    assert loaded.summary.quarantined == (not good)


def test_all_rows_of_a_repeated_id_are_bad(tmp_path: Path) -> None:
    rows = [person("A"), person("B"), person(" A "), person("a"), person("B", pay="1"), person("B")]
    (problem,) = refusal(rows, tmp_path)
    assert problem.startswith("employee_id is used by more than one row: 5 rows (row 2 'A', row 3 'B', row 4 'A', ...)")
    loaded = load(rows, tmp_path, on_invalid_rows="quarantine")
    assert loaded.values("employee_id") == ["a"]
    assert [row["row_number"] for row in loaded.quarantine] == [2, 3, 4, 6, 7]


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    rows = [
        {**person("A", born="x", pay="-1"), "Emp Status": "A"},
        {**person("", hired="2030-01-01"), "Emp Status": ""},
        {**person("C"), "Emp Status": ""},
    ]
    problems = refusal(rows, tmp_path, columns={"levelid": "Level", "department": "Dept"})
    expected = [
        "'levelid' is not a standard column; did you mean 'level_id'?",
        "department is mapped to 'Dept', which is not a heading of the file",
        "heading 'Emp Status' looks like active",
        "employee_id is missing: 1 row (row 3)",
        "employee_birth_date is not a date: 1 row (row 2 'x')",
        "employee_hire_date is a hire date after the start of the simulation (census date 2024-12-31): 1 row (row 3",
        "employee_gross_compensation is not above 0: 1 row (row 2 '-1')",
    ]
    assert len(problems) == len(expected)
    for problem, text in zip(problems, expected, strict=True):
        assert text in problem


def test_a_quarantined_row_names_every_reason(tmp_path: Path) -> None:
    rows = [person("A"), person("B", born="x", pay="-1", employee_deferral_rate="6", employee_ssn="123456789")]
    (bad,) = load(rows, tmp_path, on_invalid_rows="quarantine").quarantine
    assert bad["reasons"] == (
        "employee_birth_date 'x' is not a date; employee_gross_compensation '-1' is not above 0;"
        " employee_deferral_rate '6' is outside 0 to 1"
    )
    assert json.loads(bad["raw_row"]) == {
        "employee_id": "B",
        "employee_birth_date": "x",
        "employee_hire_date": "2015-03-01",
        "employee_gross_compensation": "-1",
        "employee_deferral_rate": "6",
    }


def test_quarantine_keeps_only_columns_that_are_read(tmp_path: Path) -> None:
    rows = [person("A"), {**person("B", pay="0"), "private note": "secret"}]
    (bad,) = load(rows, tmp_path, on_invalid_rows="quarantine").quarantine
    assert "secret" not in bad["raw_row"]


def test_a_census_of_bad_rows_only_is_refused_even_with_quarantine(tmp_path: Path) -> None:
    problems = refusal([person("A", pay="0"), person("B", born="x")], tmp_path, on_invalid_rows="quarantine")
    assert problems[0] == "nobody is left to simulate: none of its 2 rows is a person employed on 2024-12-31"
    assert len(problems) == 3


def test_who_is_simulated(tmp_path: Path) -> None:
    rows = [
        person("stays"),
        person("left", employee_termination_date="2024-12-31"),
        person("left long ago", employee_termination_date="2016-01-01", active="false"),
        person("left but active", employee_termination_date="2024-06-30", active="true"),
        person("inactive", active="no"),
        person("announced", employee_termination_date="2025-01-01", active="true"),
        person("announced, inactive", employee_termination_date="2026-01-01", active="false"),
    ]
    loaded = load(rows, tmp_path)
    assert [row["employee_id"] for row in loaded.rows if row["is_simulated"]] == [
        "stays",
        "announced",
        "announced, inactive",
    ]
    summary = loaded.summary
    assert (summary.simulated, summary.left_before_start, summary.inactive_without_date) == (3, 3, 1)
    assert summary.announced_exits == 2
    assert "1 people are marked active but have left" in summary.warnings[0]
    assert "1 people are marked inactive but their exit date is still to come" in summary.warnings[1]


def test_a_census_of_former_employees_is_refused(tmp_path: Path) -> None:
    (problem,) = refusal([person("A", employee_termination_date="2020-01-01")], tmp_path)
    assert "nobody is left to simulate" in problem


def test_one_security_number_on_two_ids_is_pointed_out_but_never_shown(tmp_path: Path) -> None:
    rows = [
        person("A", employee_ssn="123-45-6789"),
        person("B", employee_ssn="123456789"),
        person("C", employee_ssn="987654321"),
        person("D", employee_ssn=""),
        person("E", employee_ssn="n/a"),
        person("F", employee_ssn="n/a"),
    ]
    warning = load(rows, tmp_path).summary.warnings[-1]
    assert warning == "1 social security numbers stand on more than one employee_id, for instance row 2 'A', row 3 'B'"


def test_low_pay_is_pointed_out(tmp_path: Path) -> None:
    rows = [person(name, employee_deferral_rate="0", pay=pay) for name, pay in (("A", 60_000), ("B", "29.50"))]
    (warning,) = load([*rows, person("C")], tmp_path).summary.warnings
    assert warning == "1 person has an annual pay below 1,000: is it monthly or hourly pay?"


def test_the_summary_counts_given_and_blank_values(tmp_path: Path) -> None:
    rows = [person("A", level_id="1", scheduled_hours_per_week="20"), person("B", level_id="", Dept="x"), person("C")]
    summary = load(rows, tmp_path, columns={"department": "Dept"}).summary
    counts = {column.name: (column.heading, column.given, column.defaulted) for column in summary.optional_columns}
    assert counts["level_id"] == ("level_id", 1, 2)
    assert counts["department"] == ("Dept", 1, 2)
    assert counts["scheduled_hours_per_week"] == ("scheduled_hours_per_week", 1, 2)
    assert counts["employee_deferral_rate"] == (None, 0, 3)
    assert (summary.levels_inferred, summary.level_inferred_share) == (2, 0.666667)
    assert json.loads(json.dumps(summary.to_dict()))["census_date"] == "2024-12-31"


def test_the_fingerprint_sees_typed_rows_only(tmp_path: Path) -> None:
    rows = [person("A"), person("B", pay="70000"), person("C", level_id="2")]
    fingerprint = load(rows, tmp_path).summary.fingerprint
    written_otherwise = [person("B", pay="$70,000.00"), person("C", level_id="2", born="6/15/1985"), person("A")]
    assert load(written_otherwise, tmp_path).summary.fingerprint == fingerprint
    assert (
        load([*rows, person("D", pay="0")], tmp_path, on_invalid_rows="quarantine").summary.fingerprint == fingerprint
    )


@pytest.mark.parametrize(
    "change",
    [
        {"employee_id": "X"},
        {"employee_birth_date": "1985-06-16"},
        {"employee_gross_compensation": "60000.01"},
        {"active": "true"},
        {"employee_deferral_rate": "0"},
        {"core_account_balance": "0.01"},
    ],
    ids=str,
)
def test_the_fingerprint_sees_every_value(tmp_path: Path, change: Row) -> None:
    rows = [person("A"), person("B")]
    changed = [person("A"), {**person("B"), **change}]
    assert load(rows, tmp_path).summary.fingerprint != load(changed, tmp_path).summary.fingerprint


def test_a_load_replaces_the_one_before(tmp_path: Path) -> None:
    with database() as connection:
        for size in (3, 1):
            source = source_of([person(f"P{i}", pay=i) for i in range(1, size + 1)], tmp_path)
            load_census(connection, source, census_date=CENSUS_DATE, level_ids=LEVELS)
        assert connection.execute("select count(*) from planalign.inputs.census").fetchone() == (1,)
        connection.execute("rollback")
        tables = connection.execute("select count(*) from duckdb_tables() where database_name = 'planalign'").fetchone()
        assert tables == (0,)


def test_a_name_that_is_no_identifier_is_not_put_into_sql(tmp_path: Path) -> None:
    with database() as connection, pytest.raises(ValueError, match="not a plain qualified name"):
        load_census(
            connection,
            source_of([person("A")], tmp_path),
            census_date=CENSUS_DATE,
            level_ids=LEVELS,
            schema="inputs; drop table x",
        )


def test_many_bad_rows_of_many_kinds_are_all_accounted_for(tmp_path: Path, generated: Any) -> None:
    rows = [dict(row) for row in read_rows(generated(500))]
    for step, (column, value, _) in enumerate(BAD_VALUES):
        rows[7 * step][column] = value
        rows[7 * step + 1][column] = value
    loaded = load(rows, tmp_path, on_invalid_rows="quarantine")
    assert 1.9 * len(BAD_VALUES) < loaded.summary.quarantined <= 2 * len(BAD_VALUES)
    assert [row["employee_id"] for row in loaded.rows] == [
        row["employee_id"]
        for number, row in enumerate(rows, start=2)
        if number not in {bad["row_number"] for bad in loaded.quarantine}
    ]


def test_a_source_takes_the_configured_keys() -> None:
    assert [field.name for field in dataclasses.fields(CensusSource)] == [
        "path",
        "columns",
        "ignore_columns",
        "date_format",
        "sheet",
        "on_invalid_rows",
        "duplicates",
        "encoding",
        "header_row",
        "last_row",
        "ignore_rows",
        "level_cuts",
        "values",
        "units",
        "pay_basis",
        "default_hours",
        "no_end_date",
        "most_set_aside",
        "hash_ids",
        "id_key",
    ]


@pytest.mark.parametrize("size", sampled([5_000, 300_000], 1))
def test_row_numbers_follow_the_file_whatever_the_number_of_threads(tmp_path: Path, generated: Any, size: int) -> None:
    path = generated(size)
    for order in ("true", "false"):
        with database() as connection:
            connection.execute(f"set threads = 4; set preserve_insertion_order = {order}")
            load_census(connection, CensusSource(path), census_date=CENSUS_DATE, level_ids=LEVELS)
            wrong = connection.execute(
                "select count(*) from planalign.inputs.census where employee_id[2:]::bigint <> row_number - 1"
            ).fetchone()
            assert wrong == (0,)
            setting = connection.execute("select current_setting('preserve_insertion_order')::varchar").fetchone()
            assert setting == (order,)


def test_the_helper_writes_what_the_csv_module_reads() -> None:
    lines = as_lines([person("A", pay="60,000")])
    assert next(csv.DictReader(lines))["employee_gross_compensation"] == "60,000"


def test_an_excluded_group_in_which_nobody_is_is_pointed_out_with_what_it_may_mean(tmp_path: Path) -> None:
    rows = [person("A", employee_class=" UNION", location="Austin"), person("B", employee_class="Staff")]
    source = source_of(rows, tmp_path)
    groups = [("employee_class", "union"), ("employee_class", "Staf"), ("location", "Oslo"), ("sex", "F")]
    named = dict.fromkeys(groups, "plan.eligibility.excluded")
    summary = check_census(source, census_date=CENSUS_DATE, level_ids=LEVELS, named_groups=named)
    assert [warning for warning in summary.warnings if warning.startswith("nobody has")] == [
        (
            "nobody has employee_class 'Staf', which plan.eligibility.excluded names; did you mean 'Staff'? "
            "The census has Staff, UNION"
        ),
        "nobody has location 'Oslo', which plan.eligibility.excluded names; the census has Austin",
        "nobody has sex 'F', which plan.eligibility.excluded names; the census has no sex",
    ]


def test_a_department_that_a_reduction_or_a_later_year_names_is_looked_for(tmp_path: Path) -> None:
    rows = [{**person("A"), "department": "Plant"}]
    settings = {
        "census": {"path": str(write_rows(tmp_path / "c.csv", rows))},
        "workforce": {"reductions": [{"date": "2026-03-31", "share": "0.1", "departments": ["Plnat"]}]},
        "changes": {
            2027: {"plan": {"eligibility": {"excluded": [{"column": "department", "values": ["Office"]}]}}},
        },
    }
    warnings = judge_census(load_parameters(config_from_mapping(settings))).summary.warnings
    assert "nobody has department 'Plnat', which workforce.reductions names; did you mean 'Plant'?" in str(warnings)
    assert "nobody has department 'Office', which plan.eligibility.excluded names" in str(warnings)
