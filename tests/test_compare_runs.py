"""`planalign compare-runs`: two databases side by side, every count against a query of its own."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from planalign_orchestrator.cli import main
from planalign_orchestrator.errors import ComparisonError
from planalign_orchestrator.reports.comparison import compare_runs
from tests.crash_child import edit
from tests.laboratory import Result, simulate
from tests.test_database import HOLD_THE_FILE, child, end, make_duckdb, make_text


@pytest.fixture(scope="module")
def one(generated: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Result:
    """A run over 2025-2026; not to be changed."""
    return simulate(tmp_path_factory.mktemp("one"), generated(200), {"simulation.end_year": 2026})


@pytest.fixture(scope="module")
def other(generated: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Result:
    """The same company over 2025-2027 with a richer match under another name; not to be changed."""
    return simulate(
        tmp_path_factory.mktemp("other"),
        generated(200),
        {
            "scenario_id": "richer",
            "simulation.end_year": 2027,
            "plan.core.formula": "flat",
            "plan.core.rate": 0.02,
        },
    )


@pytest.fixture
def copy(one: Result, tmp_path: Path) -> Path:
    """A copy of `one` that may be changed."""
    return Path(shutil.copy(one.database, tmp_path / "copy.duckdb"))


def command(*arguments: str | Path) -> int:
    """Run `compare-runs` and return the exit code."""
    with pytest.raises(SystemExit) as left:
        main(["compare-runs", *map(str, arguments)])
    return int(left.value.code or 0)


def table(database: Path, name: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(f"select * from {name}").fetchall()


def test_two_equal_databases_are_identical(one: Result, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(one.database, copy) == 0
    said = capsys.readouterr().out
    assert "Years 2025-2026: the same" in said
    assert f"fct_yearly_events: {len(table(copy, 'fct_yearly_events')):,} rows, the same in both." in said
    assert "left out" not in said


def test_another_name_is_said_and_does_not_count(
    one: Result, generated: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = simulate(tmp_path, generated(200), {"simulation.end_year": 2026, "scenario_id": "renamed"})
    assert command(one.database, renamed.database) == 0
    said = capsys.readouterr().out
    assert "  scenario_id: baseline and renamed" in said
    assert "  scenario_id: was baseline, is now renamed" in said
    found = compare_runs(one.database, renamed.database)
    assert found.rows[0].columns_ignored == ("scenario_id", "plan_design_id", "event_id")


def test_with_equal_names_the_event_ids_count(one: Result, copy: Path) -> None:
    edit(copy, "update fct_yearly_events set event_id = uuid() where event_sequence = 1 and simulation_year = 2025")
    found = compare_runs(one.database, copy, check=False)
    (count,) = one.query("select count(*) from fct_yearly_events where event_sequence = 1 and simulation_year = 2025")[
        0
    ]
    assert found.rows[0].columns == {"event_id": count}
    assert not found.is_identical


def test_figures_are_those_of_both_databases(one: Result, other: Result) -> None:
    found = compare_runs(one.database, other.database)
    assert (found.years, found.years_only_a, found.years_only_b) == ((2025, 2026), (), (2027,))
    where = "where simulation_year < 2027"
    for side, result in (("a", one), ("b", other)):
        counts = result.query(
            f"select simulation_year, event_type, count(*) from fct_yearly_events {where} group by all"
        )
        held = {(item.simulation_year, item.name): getattr(item, side) for item in found.events}
        assert {key: count for key, count in held.items() if count is not None} == {
            (year, name): count for year, name, count in counts
        }
        (sums,) = result.query(
            "select count(*), sum(prorated_annual_compensation), sum(employee_contribution_amount), "
            "sum(employer_match_amount), sum(employer_core_amount) from fct_workforce_snapshot "
            "where simulation_year = 2026"
        )
        workforce = {item.name: getattr(item, side) for item in found.workforce if item.simulation_year == 2026}
        names = ("people", "total_compensation", "deferrals", "match", "core")
        assert [workforce[name] for name in names] == [float(value) for value in sums]
        assert workforce["participants"] == result.metrics(2026)["participant_count"]
        metrics = {item.name: getattr(item, side) for item in found.metrics or () if item.simulation_year == 2026}
        assert metrics == {
            name: None if value is None else float(value) for name, value in result.metrics(2026).items()
        }
    core = next(item for item in found.workforce if item.name == "core")
    assert core.a == 0
    assert core.difference == core.b != 0


def test_what_the_runs_were_made_from_is_told(one: Result, other: Result) -> None:
    origin = compare_runs(one.database, other.database).origin or ()
    assert "plan.core.formula: was none, is now flat" in origin
    assert "parameters.core_tiers: the table has other rows" in origin
    assert not [line for line in origin if line.startswith(("census", "model", "simulation"))]


def test_every_kind_of_differing_row_is_counted_and_shown(
    one: Result, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [
        name
        for (name,) in one.query(
            "select employee_id from fct_workforce_snapshot where simulation_year = 2025 order by 1 limit 4"
        )
    ]
    edit(
        copy,
        f"delete from fct_workforce_snapshot where simulation_year = 2025 and employee_id = '{ids[0]}'",
        "update fct_workforce_snapshot set current_compensation = current_compensation + 1, termination_reason = 'odd' "
        f"where simulation_year = 2025 and employee_id = '{ids[1]}'",
        "insert into fct_workforce_snapshot by name select * replace ('Z' as employee_id) from fct_workforce_snapshot "
        "where simulation_year = 2026 and employee_id = (select max(employee_id) from fct_workforce_snapshot)",
    )
    assert command(one.database, copy, "--unverified", "--json") == 1
    ledger, snapshot = json.loads(capsys.readouterr().out)["rows"][:2]
    assert (ledger["only_a"], ledger["only_b"], ledger["changed"], ledger["first"]) == (0, 0, 0, [])
    assert (snapshot["only_a"], snapshot["only_b"], snapshot["changed"]) == (1, 1, 1)
    assert snapshot["columns"] == {"current_compensation": 1, "termination_reason": 1}
    pay, reason = one.query(
        "select current_compensation, termination_reason from fct_workforce_snapshot "
        f"where simulation_year = 2025 and employee_id = '{ids[1]}'"
    )[0]
    first = {"employee_id": ids[0], "simulation_year": 2025}, {"employee_id": ids[1], "simulation_year": 2025}
    assert snapshot["first"] == [
        {"key": first[0], "column": "", "a": "present", "b": None},
        {"key": first[1], "column": "termination_reason", "a": reason, "b": "odd"},
        {"key": first[1], "column": "current_compensation", "a": str(pay), "b": str(pay + 1)},
        {"key": {"employee_id": "Z", "simulation_year": 2026}, "column": "", "a": None, "b": "present"},
    ]
    assert command(one.database, copy, "--unverified", "--limit", "1") == 1
    said = capsys.readouterr().out
    assert "1 only in A, 1 only in B, 1 changed" in said
    assert [line.split() for line in said.splitlines() if line.startswith(ids[0])] == [
        [ids[0], "2025", "the", "whole", "row", "present", "absent"]
    ]
    assert ids[1] not in said
    assert command(one.database, copy, "--unverified", "--years", "2026", "--limit", "0") == 1
    assert "0 only in A, 1 only in B, 0 changed" in capsys.readouterr().out


def test_a_key_figure_that_differs_is_named(one: Result, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(copy, "update fct_annual_metrics set value = value + 1 where metric = 'hires' and simulation_year = 2026")
    assert command(one.database, copy, "--unverified", "--json") == 1
    hires = one.metrics(2026)["hires"]
    assert json.loads(capsys.readouterr().out)["differing_metrics"] == [
        {"simulation_year": 2026, "name": "hires", "a": hires, "b": hires + 1, "difference": 1}
    ]


@pytest.fixture
def legacy(one: Result, tmp_path: Path) -> Path:
    """The ledger and the snapshot of `one` as another program might hold them, and nothing else."""
    path = tmp_path / "legacy.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"attach '{one.database}' as ours (read_only)")
        connection.execute(
            "create table fct_yearly_events as select employee_id, simulation_year::bigint as simulation_year, "
            "event_sequence, event_type, effective_date::varchar as effective_date, "
            "compensation_after::double as compensation_after, 'x' as parameter_scenario_id from ours.fct_yearly_events"
        )
        connection.execute(
            "create table fct_workforce_snapshot as select employee_id, simulation_year, employment_status, "
            "current_compensation::double as current_compensation from ours.fct_workforce_snapshot"
        )
    return path


def test_a_database_of_another_program_is_compared_in_the_common_columns(
    one: Result, legacy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(legacy, one.database) == 0
    said = capsys.readouterr().out
    assert "At least one of them does not say what it was made from." in said
    assert "Key figures are not compared" in said
    assert "left out, because only A has it: parameter_scenario_id" in said
    assert "employment_status: active" in said
    edit(
        legacy, "update fct_yearly_events set compensation_after = compensation_after + 0.01 where event_type = 'raise'"
    )
    found = compare_runs(legacy, one.database)
    (raises,) = one.query("select count(*) from fct_yearly_events where event_type = 'raise'")[0]
    assert found.rows[0].columns == {"compensation_after": raises}


def test_rows_of_one_key_are_compared_one_by_one(one: Result, legacy: Path) -> None:
    edit(
        legacy,
        "insert into fct_yearly_events select * from fct_yearly_events where event_type = 'raise'",
    )
    found = compare_runs(one.database, legacy)
    (raises,) = one.query("select count(*) from fct_yearly_events where event_type = 'raise'")[0]
    assert (found.rows[0].only_a, found.rows[0].only_b, found.rows[0].changed) == (0, raises, 0)


def test_key_figures_and_columns_of_other_kinds_are_left_alone(one: Result, legacy: Path) -> None:
    edit(
        legacy,
        "create table fct_annual_metrics as select 2025 as simulation_year, 1 as headcount",
        "alter table fct_workforce_snapshot add column is_enrolled varchar default 'yes'",
        "alter table fct_workforce_snapshot add column is_eligible varchar default 'yes'",
        "alter table fct_workforce_snapshot add column employer_match_amount varchar default 'much'",
    )
    found = compare_runs(one.database, legacy)
    assert found.metrics is None
    assert {item.name for item in found.workforce if ":" not in item.name} == {"people"}
    assert found.rows[1].columns["employer_match_amount"] == found.rows[1].rows_a


def test_people_with_numbers_for_names_are_compared_as_text(one: Result, legacy: Path) -> None:
    edit(
        legacy,
        "create or replace table fct_workforce_snapshot as select distinct on (simulation_year) * "
        "replace (1::integer as employee_id) from fct_workforce_snapshot",
    )
    found = compare_runs(legacy, one.database).rows[1]
    assert (found.rows_a, found.only_a, found.only_b) == (2, 2, found.rows_b)
    assert found.first[0].key == {"employee_id": "1", "simulation_year": 2025}


@pytest.mark.parametrize("make", [make_text, make_duckdb])
def test_a_file_that_is_no_simulation_is_trouble_and_not_a_difference(
    one: Result, tmp_path: Path, make: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "foreign.duckdb")
    for arguments in ((one.database, tmp_path / "foreign.duckdb"), (tmp_path / "foreign.duckdb", one.database)):
        assert command(*arguments) == 2
        assert "foreign.duckdb is not a simulation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{one}", "{one}"], "are one file; name two databases"),
        (["{one}", "absent.duckdb"], "absent.duckdb does not exist"),
        (["{one}", "{other}", "--years", "2026-2027"], "does not hold 2027; its years are 2025, 2026"),
        (["{one}", "{other}", "--years", "26"], "'26' is no year"),
        (["{one}", "{other}", "--limit", "-1"], "'--limit'"),
        (["{one}"], "Missing argument"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_compared_ends_with_2(
    one: Result, other: Result, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*(text.format(one=one.database, other=other.database) for text in arguments)) == 2
    written = capsys.readouterr()
    assert (written.out, said in written.err) == ("", True)


@pytest.mark.process
def test_a_database_that_is_being_written_is_trouble(
    one: Result, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = child(HOLD_THE_FILE, copy, "writing")
    try:
        assert command(one.database, copy) == 2
    finally:
        end(holder)
    assert "copy.duckdb is in use by another process" in capsys.readouterr().err


def test_a_year_must_be_a_whole_number(one: Result, legacy: Path) -> None:
    edit(legacy, "alter table fct_yearly_events alter event_sequence type varchar")
    with pytest.raises(ComparisonError, match="event_sequence of fct_yearly_events is no whole number"):
        compare_runs(one.database, legacy)


def test_years_must_be_common(one: Result, copy: Path) -> None:
    for name in ("fct_workforce_snapshot", "fct_yearly_events"):
        edit(copy, f"update {name} set simulation_year = simulation_year + 10")
    with pytest.raises(ComparisonError, match="have no year in common"):
        compare_runs(one.database, copy, check=False)


# --- what is compared, and whether it is believed ---------------------------------------------------------------------


def test_every_table_of_a_run_is_compared_or_named(one: Result, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(copy, 'create table "my notes" ("cost center" varchar)', "create view main.peek as select 1 as one")
    found = compare_runs(one.database, copy)
    with duckdb.connect(str(one.database), read_only=True) as connection:
        tables = {
            name
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'main'"
            ).fetchall()
        }
    compared = {table.table for table in found.rows}
    named = {text.partition(" (")[0] for text in found.not_compared}
    assert compared == tables - {"run_metadata", "checkpoints"}
    assert named == {"run_metadata", "checkpoints", "my notes", "inputs and parameters"}
    assert found.is_identical
    assert command(one.database, copy) == 0
    said = capsys.readouterr().out
    assert said.index("my notes (no table of a run)") < said.index("Years 2025-2026: the same")


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("dim_employee", "department = 'elsewhere' where employee_id = (select min(employee_id) from dim_employee)"),
        ("fct_plan_cost", "simulation_year = 2025"),
        ("fct_enrollment_state", "simulation_year = 2025"),
        ("fct_employer_match_detail", "simulation_year = 2025"),
        ("enrollment_registry", "deferral_rate = 0.99"),
    ],
)
def test_a_difference_in_any_table_is_a_difference(one: Result, copy: Path, table: str, change: str) -> None:
    edit(copy, f"update {table} set {change}")
    found = compare_runs(one.database, copy, check=False)
    assert [rows.table for rows in found.rows if not rows.is_equal] == [table]
    assert not found.is_identical


@pytest.mark.parametrize("side", ["A", "B"])
def test_a_database_that_differs_from_what_was_recorded_is_not_compared_unless_told(
    one: Result, copy: Path, capsys: pytest.CaptureFixture[str], side: str
) -> None:
    edit(copy, "update fct_plan_cost set simulation_year = 2025 where simulation_year = 2026")
    pair = (copy, one.database) if side == "A" else (one.database, copy)
    assert command(*pair) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{copy}: It differs from what was recorded: fct_plan_cost in 2025, 2026." in said.err
    assert command(*pair, "--unverified") == 1
    assert "It differs from what was recorded: fct_plan_cost in 2025, 2026." in capsys.readouterr().out


def test_names_of_a_stranger_are_only_names(one: Result, tmp_path: Path) -> None:
    """A column or table name may hold SQL: it is quoted, and no statement reaches another file."""
    victim = tmp_path / "victim.txt"
    column = f"x\", (select 1 from (copy (select 42) to '{victim}')) as \"y"
    both = []
    for name in ("a.duckdb", "b.duckdb"):
        path = tmp_path / name
        with duckdb.connect(str(path)) as connection:
            quoted = '"' + column.replace('"', '""') + '"'
            connection.execute(
                f"create table fct_yearly_events as select 'E1' as employee_id, 2025 as simulation_year, "
                f"1 as event_sequence, 'hire' as event_type, 7 as {quoted}"
            )
            connection.execute("create table fct_workforce_snapshot as from fct_yearly_events")
            connection.execute('create table "x; drop table fct_yearly_events" (simulation_year integer)')
        both.append(path)
    found = compare_runs(*both)
    assert found.is_identical
    assert found.verification_a.line == "Not verified: it recorded no digests."
    assert not victim.exists()
