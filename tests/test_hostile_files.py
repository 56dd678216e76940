"""Somebody who may write the folder but not the code: links, names and tables that they leave there harm nothing."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from planalign_orchestrator import run_year
from planalign_orchestrator.database.checkpoints import read_status
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.lock import ExecutionMutex
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError, ResumeError
from tests.crash_child import Project, contents, edit, files, finished_years
from tests.test_database import HOLD_THE_FILE, child, end, make_duckdb, make_text, stop_in_the_second_year

pytestmark = pytest.mark.process

SECRET = "somebody else's\n"


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Path:
    """The folder of a run over 2025-2026; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("two"), simulation={"end_year": 2026})
    project.simulate()
    return project.folder


@pytest.fixture
def project(two_years: Path, tmp_path: Path) -> Project:
    shutil.copytree(two_years, tmp_path / "project")
    return Project.create(tmp_path / "project", simulation={"end_year": 2026})


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of somebody else."""
    path = tmp_path / "victim.txt"
    path.write_text(SECRET, encoding="utf-8")
    return path


def dead_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


# --- the lock ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
def test_a_lock_that_is_a_link_is_not_written(
    project: Project, victim: Path, make: Callable[[Path, Path], None]
) -> None:
    lock = project.folder / "simulation.duckdb.lock"
    lock.unlink()
    make(lock, victim)
    before = files(project.folder)
    done = project.run()
    assert done.returncode == 1
    assert f"{lock} is not a lock file of planalign" in done.stderr
    assert victim.read_text(encoding="utf-8") == SECRET
    assert files(project.folder) == before


@pytest.mark.parametrize("text", ["notes of mine", "process", "process 12 and more", "\x00\x01"])
def test_a_lock_file_of_somebody_else_is_left_alone(tmp_path: Path, text: str) -> None:
    lock = tmp_path / "x.lock"
    lock.write_text(text, encoding="utf-8")
    with (
        pytest.raises(DatabaseError, match=r"x\.lock is not a lock file of planalign \(it holds something else\)"),
        ExecutionMutex("x", tmp_path),
    ):
        pass
    assert lock.read_text(encoding="utf-8") == text


def test_a_lock_that_a_killed_run_left_is_taken(tmp_path: Path) -> None:
    (tmp_path / "x.lock").write_text(f"process {dead_process()}", encoding="utf-8")
    with ExecutionMutex("x", tmp_path):
        assert (tmp_path / "x.lock").read_text(encoding="utf-8") == f"process {os.getpid()}"


@pytest.mark.parametrize("make", [make_text, make_duckdb, Path.touch, Path.mkdir])
@pytest.mark.parametrize("command", ["run", "backup", "restore --from simulation.duckdb"])
def test_no_lock_appears_beside_a_file_that_is_not_ours(
    project: Project, make: Callable[[Path], None], command: str
) -> None:
    foreign = project.folder / "foreign.duckdb"
    make(foreign)
    before = {path.name for path in project.folder.iterdir()}
    name, *options = command.split()
    done = project.do(name, "--database", str(foreign), *options)
    assert done.returncode == 1
    assert "foreign.duckdb" in done.stderr
    assert {path.name for path in project.folder.iterdir()} == before


def test_a_link_to_a_database_has_the_lock_of_the_database(project: Project) -> None:
    link = project.folder / "link.duckdb"
    link.symlink_to("simulation.duckdb")
    with ExecutionMutex("simulation.duckdb", project.folder):
        done = project.run("--database", str(link))
    assert done.returncode == 1
    assert "simulation.duckdb is being written by process" in done.stderr


# --- what is removed --------------------------------------------------------------------------------------------------


def test_only_drafts_and_spills_of_this_database_and_of_dead_processes_are_removed(project: Project) -> None:
    dead, living = dead_process(), os.getppid()
    spills = project.folder / "simulation.duckdb.tmp"
    spills.mkdir()
    gone = [
        project.folder / f".simulation.duckdb.{dead}.draft",
        project.folder / f".simulation_backup.duckdb.{dead}.draft",
        project.folder / f".run_vars.json.{dead}.draft",
        project.folder / "reports" / f".year_2025.json.{dead}.draft",
        spills / f"duckdb_temp_{dead}_0_storage_DEFAULT-0.tmp",
    ]
    kept = [
        project.folder / f".letter.txt.{dead}.draft",
        project.folder / f".other.duckdb.{dead}.draft",
        project.folder / f".simulation.duckdb.{living}.draft",
        project.folder / "reports" / f".year_of_the_cat.json.{dead}.draft",
        spills / f"duckdb_temp_{living}_0_storage_DEFAULT-0.tmp",
        spills / "notes.txt",
    ]
    for path in (*gone, *kept):
        path.write_text("half", encoding="utf-8")
    project.simulate({"simulation.end_year": 2025})
    assert [path for path in gone if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []


def test_an_empty_spill_folder_goes_and_a_link_in_its_place_is_refused(project: Project, tmp_path: Path) -> None:
    spills = project.folder / "simulation.duckdb.tmp"
    spills.mkdir()
    (spills / f"duckdb_temp_{dead_process()}_0_owner").touch()
    project.simulate({"simulation.end_year": 2025})
    assert not spills.exists()
    (tmp_path / "elsewhere").mkdir()
    spills.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatabaseError, match=r"simulation\.duckdb\.tmp is a link"):
        project.simulate()


def test_clean_removes_the_copies_of_this_database_only(project: Project) -> None:
    copies = project.folder / ".navigator_checkpoints"
    other = json.loads((copies / "year_2025.json").read_text(encoding="utf-8"))
    (copies / "year_2031.json").write_text(json.dumps({**other, "database": "other.duckdb"}), encoding="utf-8")
    (copies / "year_2032.json").write_text('{"mine": 1}', encoding="utf-8")
    done = project.do("checkpoint", "--clean", "--yes")
    assert done.returncode == 0
    assert "Removed 2 files" in done.stdout
    assert "so they stay: year_2031.json, year_2032.json." in done.stdout
    assert {path.name for path in copies.iterdir()} == {"year_2031.json", "year_2032.json"}


def test_the_summary_of_a_replaced_run_goes_and_any_other_stays(project: Project) -> None:
    reports = project.folder / "reports"
    of_another = (reports / "multi_year_summary_2025_2026.csv").read_text(encoding="utf-8")
    run = read_status(project.database).runs[-1]["run_id"]
    (reports / "multi_year_summary_2020_2021.csv").write_text(of_another.replace(run, "another"), encoding="utf-8")
    project.simulate({"simulation.end_year": 2025})
    names = {path.name for path in reports.glob("*.csv")}
    assert names == {"multi_year_summary_2025_2025.csv", "multi_year_summary_2020_2021.csv"}


def test_a_symlinked_database_stays_a_link_to_the_new_file(project: Project, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    project.database.replace(disk / "kept.duckdb")
    project.database.symlink_to(disk / "kept.duckdb")
    before = contents(disk / "kept.duckdb")
    done = project.run("--years", "2025")
    assert done.returncode == 0, done.stderr
    assert project.database.is_symlink()
    assert finished_years(disk / "kept.duckdb") == [2025]
    assert contents(disk / "kept_backup.duckdb") == before
    assert project.do("restore").returncode == 0
    assert project.database.is_symlink()
    assert contents(disk / "kept.duckdb") == before
    assert project.do("backup").returncode == 0
    assert not [path for path in project.folder.iterdir() if path.suffix == ".duckdb" and path != project.database]


# --- tables of others in the file -------------------------------------------------------------------------------------

NOTES = (
    'create table "my notes" as select \'rent\' as "cost center", 2031 as simulation_year',
    'create schema "o\'brien"',
    'create table "o\'brien".fct_yearly_events as select 2031 as simulation_year',
    "create view main.peek as select 1 as one",
)


def notes_in(database: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute('from "my notes" cross join "o\'brien".fct_yearly_events').fetchall()


def test_tables_of_others_are_left_alone_and_break_nothing(project: Project) -> None:
    edit(project.database, *NOTES)
    before = notes_in(project.database)
    for command in ("status", "report", "checkpoint", "validate", "backup"):
        done = project.do(command)
        assert done.returncode == 0, (command, done.stderr)
    resumed = project.run("--years", "2025-2027", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert notes_in(project.database) == before
    assert project.run("--years", "2025").returncode == 0
    assert notes_in(project.folder / "simulation_backup.duckdb") == before


def test_a_database_without_a_finished_year_is_kept_for_the_tables_of_others(tmp_path: Path) -> None:
    project = Project.create(tmp_path, simulation={"end_year": 2025})
    assert project.run_child("--kill", "2025:foundation:end").returncode == -9
    edit(project.database, *NOTES)
    before = notes_in(project.database)
    done = project.run()
    assert done.returncode == 0, done.stderr
    assert f"was kept as {tmp_path / 'simulation_unfinished.duckdb'}" in done.stderr
    assert notes_in(tmp_path / "simulation_unfinished.duckdb") == before


def test_only_the_rows_of_marts_are_removed_and_no_name_is_taken_for_sql(project: Project, victim: Path) -> None:
    """A run with dbt that was stopped leaves half a year; what is removed of it are rows of the model's own tables."""
    hostile = f"x\"; copy (select 42) to '{victim}'; --"
    quoted = '"' + hostile.replace('"', '""') + '"'
    edit(
        project.database,
        *NOTES,
        f"create table {quoted} as select 2031 as simulation_year",
        "create schema working",
        'create table working."my draft" as select 1 as one',
        "update run_metadata set engine = 'dbt'",
        "insert into fct_plan_cost select * replace (2031 as simulation_year) from fct_plan_cost limit 1",
    )
    before = notes_in(project.database)
    done = project.run("--resume")
    assert done.returncode == 0, done.stderr
    assert "the unfinished year 2027 of a run with dbt was removed" in done.stderr
    assert victim.read_text(encoding="utf-8") == SECRET
    assert notes_in(project.database) == before
    with duckdb.connect(str(project.database), read_only=True) as connection:
        assert connection.execute(f"from {quoted}").fetchall() == [(2031,)]
        assert connection.execute('from working."my draft"').fetchall() == [(1,)]
        assert connection.execute("from fct_plan_cost where simulation_year = 2031").fetchall() == []


@pytest.mark.parametrize("table", ["run_metadata", "checkpoints"])
def test_a_view_in_the_place_of_a_table_makes_a_file_that_is_not_ours(
    project: Project, victim: Path, table: str
) -> None:
    edit(
        project.database,
        f"alter table {table} rename to mine",
        f"create view {table} as select mine.* from mine, read_text('{victim}')",
    )
    before = files(project.folder)
    for command in ("status", "run", "backup", "report"):
        done = project.do(command)
        assert (done.returncode, done.stdout) == (1, "")
        assert "is not a simulation database (it holds" in done.stderr
    assert files(project.folder) == before


def test_a_stranger_s_view_reads_no_file(project: Project, victim: Path) -> None:
    edit(
        project.database,
        "alter table fct_annual_metrics rename to mine",
        f"create view fct_annual_metrics as select mine.* from mine, read_text('{victim}')",
    )
    done = project.do("report", "--unverified")
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr
    assert "unexpected" not in done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to '{folder}/out.csv'",
        "from read_csv('/etc/passwd')",
        "from read_text('{folder}/config.yaml')",
        "attach '{folder}/other.duckdb' as other",
        "set enable_external_access = true",
        "set threads = 1",
        "reset lock_configuration",
        "install httpfs",
        "export database '{folder}/all'",
        "insert into fct_plan_cost from fct_plan_cost",
    ],
)
def test_a_reader_reaches_no_other_file_and_changes_no_setting(project: Project, statement: str) -> None:
    before = {path.name for path in project.folder.iterdir()}
    with DatabaseConnectionManager(project.database, read_only=True) as db:
        connection = db.get_connection()
        with pytest.raises(duckdb.Error, match=r"disabled|locked|read-only|Cannot"):
            connection.execute(statement.format(folder=project.folder))
        connection.execute("set variable years = [2025]")
        assert connection.execute("select count(*) > 0 from fct_plan_cost").fetchall() == [(True,)]
    assert {path.name for path in project.folder.iterdir()} == before


def test_a_reader_may_spill(project: Project) -> None:
    with DatabaseConnectionManager(project.database, read_only=True, memory_limit="64MiB", threads=1) as db:
        found = db.get_connection().execute(
            "select count(distinct md5(i || '-' || j)) from range(2000) a (i), range(2000) b (j)"
        )
        assert found.fetchall() == [(4_000_000,)]
    assert not (project.folder / "simulation.duckdb.tmp").exists()


def test_two_runs_of_which_one_writes_the_other_s_backup_lose_neither(project: Project) -> None:
    backup = project.folder / "simulation_backup.duckdb"
    first = project.start("--database", str(backup), "--years", "2025-2030")
    try:
        while not (project.folder / "simulation_backup.duckdb.lock").exists():
            assert first.poll() is None
        second = project.run("--years", "2025", "--seed", "7")
    finally:
        _, errors = first.communicate(timeout=120)
    assert first.returncode == 0, errors
    kept = [finished_years(path) for path in project.folder.glob("*.duckdb")]
    assert list(range(2025, 2031)) in kept
    if second.returncode == 0:
        assert [2025] in kept
        assert [2025, 2026] in kept
    else:
        assert "simulation_backup.duckdb is being written by process" in second.stderr
        assert finished_years(project.database) == [2025, 2026]


def test_a_backup_that_is_a_database_of_its_own_is_kept(project: Project) -> None:
    """One after the other: what the name `simulation_backup.duckdb` holds need not be what the last run replaced."""
    backup = project.folder / "simulation_backup.duckdb"
    project.run("--database", str(backup), "--years", "2025", "--set", "scenario_id=ACME")
    mine = contents(backup)
    done = project.run("--years", "2025")
    assert done.returncode == 0
    (kept,) = project.folder.glob("simulation.????-??-??-*.duckdb")
    assert f"simulation_backup.duckdb was kept as {kept.name}: it is of another run than the last" in done.stderr
    assert contents(kept) == mine
    for _ in range(2):
        assert project.run("--years", "2025").stderr.count("kept") == 0
    assert len(list(project.folder.glob("simulation.????-??-??-*.duckdb"))) == 1


def test_a_run_that_comes_to_nothing_leaves_a_database_of_its_own_in_its_place(project: Project) -> None:
    backup = project.folder / "simulation_backup.duckdb"
    project.run("--database", str(backup), "--years", "2025", "--set", "scenario_id=ACME")
    before = files(project.folder)
    failed = project.run("--years", "2025", "--set", "validation.maximum_hire_rate=0.001", "--fail-on-validation-error")
    assert failed.returncode == 3
    assert files(project.folder) == before


def test_a_restore_keeps_a_backup_that_is_a_database_of_its_own(project: Project) -> None:
    backup = project.folder / "simulation_backup.duckdb"
    assert project.do("backup", "--to", "own.duckdb").returncode == 0
    project.run("--years", "2025", "--seed", "7")
    backup.unlink()
    project.run("--database", str(backup), "--years", "2025", "--set", "scenario_id=ACME")
    mine = contents(backup)
    done = project.do("restore", "--from", "own.duckdb")
    assert done.returncode == 0, done.stderr
    (kept,) = project.folder.glob("simulation.????-??-??-*.duckdb")
    assert f"simulation_backup.duckdb was kept as {kept.name}" in done.stderr
    assert contents(kept) == mine


def test_the_log_of_a_file_that_is_replaced_does_not_spoil_what_comes_there(project: Project) -> None:
    project.simulate({"simulation.end_year": 2025})
    backup = project.folder / "simulation_backup.duckdb"
    leave_a_log = (
        "import duckdb, os, sys; connection = duckdb.connect(sys.argv[1]); "
        "connection.execute('create table mine as select 1 as a'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", leave_a_log, str(backup)], check=True)
    log = project.folder / "simulation_backup.duckdb.wal"
    assert log.exists()
    before = contents(project.database)
    done = project.run("--years", "2025", "--seed", "7")
    assert done.returncode == 0, done.stderr
    assert not log.exists()
    assert contents(backup) == before
    (kept,) = project.folder.glob("simulation.????-??-??-*.duckdb")
    with duckdb.connect(str(kept), read_only=True) as connection:
        assert connection.execute("from mine").fetchall() == [(1,)]


def test_a_log_without_its_database_stops_a_run_before_anything_is_moved(project: Project) -> None:
    (project.folder / "simulation_backup.duckdb.wal").write_bytes(b"junk")
    before = files(project.folder)
    done = project.run("--years", "2025")
    assert done.returncode == 1
    assert "simulation_backup.duckdb.wal is there without its database" in done.stderr
    assert files(project.folder) == before


def test_tables_of_one_s_own_outlive_any_number_of_runs(project: Project) -> None:
    edit(project.database, *NOTES)
    before = notes_in(project.database)
    for seed in (1, 2, 3):
        assert project.run("--years", "2025", "--seed", str(seed)).returncode == 0
    holding = [path for path in project.folder.glob("*.duckdb") if len(finished_years(path)) == 2]
    assert [notes_in(path) for path in holding] == [before]


@pytest.mark.parametrize(
    "name", ["simulation.duckdb.wal", "simulation.duckdb.tmp", ".simulation.duckdb.spare", "simulation.duckdb.lock"]
)
def test_no_output_takes_the_name_of_a_file_beside_a_database(project: Project, name: str) -> None:
    before = files(project.folder)
    for command in (("backup", "--to"), ("report", "-f", "json", "-o")):
        done = project.do(*command, str(project.folder / name), "--force")
        assert done.returncode == 2
    assert files(project.folder) == before


@pytest.mark.parametrize("macro", ["sum(a) as 42", "list_contains(a, b) as false", "duckdb_tables() as table select 1"])
def test_a_macro_of_a_stranger_takes_no_function_s_place(project: Project, macro: str) -> None:
    right = project.do("report", "--json").stdout
    edit(project.database, f"create macro {macro}")
    for command in ("status", "report", "backup"):
        done = project.do(command, "--json")
        assert done.returncode == 0, done.stderr
        assert command != "report" or done.stdout == right
    for arguments in (("--resume",), ()):
        done = project.run("--years", "2025-2027", *arguments)
        assert done.returncode == 1
        assert "holds macros" in done.stderr


@pytest.mark.parametrize("table", ["inputs.census", "main.fct_plan_cost", "parameters.job_levels"])
def test_a_view_in_the_place_of_what_a_run_reads_is_refused(project: Project, victim: Path, table: str) -> None:
    name = table.partition(".")[2]
    edit(
        project.database,
        f"alter table {table} rename to mine_{name}",
        f"create view {table} as select mine.* from {table.partition('.')[0]}.mine_{name} as mine",
    )
    done = project.run("--years", "2025-2027", "--resume")
    assert done.returncode == 1
    assert f"{table}: there is no such table" in done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "delete from inputs.census where employee_id = (select min(employee_id) from inputs.census)",
        "drop schema parameters cascade",
        "insert into fct_plan_cost select * replace (2031 as simulation_year) from fct_plan_cost limit 1",
    ],
)
def test_a_whole_file_is_verified_and_not_its_finished_years_alone(project: Project, statement: str) -> None:
    assert project.do("backup", "--to", "kept.duckdb").returncode == 0
    good = contents(project.folder / "kept.duckdb")
    edit(project.database, statement)
    for command in (("status",), ("backup",), ("backup", "--to", "kept.duckdb")):
        done = project.do(*command)
        assert done.returncode == 1
        assert "It differs from what was recorded: " in done.stdout + done.stderr
    assert contents(project.folder / "kept.duckdb") == good


@pytest.mark.parametrize("make", [lambda spare: spare.symlink_to("/etc/passwd"), Path.mkdir], ids=["link", "folder"])
def test_a_spare_that_is_no_file_of_ours_is_left_alone(project: Project, make: Callable[[Path], None]) -> None:
    spare = project.folder / ".simulation.duckdb.spare"
    make(spare)
    for command in ("run", "backup"):
        done = project.do(command)
        assert done.returncode == 1
        assert f"{spare} is not a file of planalign" in done.stderr
    assert not (project.folder / "simulation_backup.duckdb").exists()


def test_a_log_that_is_a_link_is_refused(project: Project, tmp_path: Path) -> None:
    (project.folder / "simulation.duckdb.wal").symlink_to(tmp_path / "elsewhere")
    done = project.run("--resume", "--years", "2025-2027")
    assert done.returncode == 1
    assert "simulation.duckdb.wal is a link" in done.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_python_m_takes_no_package_from_the_folder_of_the_project(project: Project) -> None:
    (project.folder / "duckdb.py").write_text("raise SystemExit('code of the folder')\n", encoding="utf-8")
    done = project.do("status")
    assert done.returncode == 0, done.stderr


def test_the_last_run_is_the_one_that_was_inserted_last_whatever_the_clock_said(project: Project) -> None:
    edit(project.database, "update run_metadata set started_at = '2099-01-01'")
    project.simulate({"simulation.end_year": 2027}, resume=True)
    status = read_status(project.database)
    assert [run["requested_end_year"] for run in status.runs] == [2026, 2027]
    assert status.is_complete
    assert status.runs[-1]["run_id"] == status.checkpoints[-1]["run_id"]


def test_one_year_is_not_simulated_in_the_place_of_several(project: Project) -> None:
    before = files(project.folder)
    with pytest.raises(ResumeError, match="holds 2025-2026, and 2025 alone would take their place"):
        run_year(project.config, 2025)
    assert files(project.folder) == before
    assert run_year(project.config, 2027).simulation_year == 2027


def test_a_busy_file_is_tried_again_for_a_second(project: Project) -> None:
    """A reader waits for a writer that is about to let go, and tells who did not."""
    let_go = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(0.4)"
    holder = child(let_go, project.database)
    assert len(read_status(project.database).years) == 2
    end(holder)
    holder = child(HOLD_THE_FILE, project.database, "writing")
    with pytest.raises(DatabaseBusyError, match="is in use by another process"):
        read_status(project.database)
    end(holder)


def test_an_unfinished_run_is_kept_once(project: Project) -> None:
    project.simulate({"simulation.end_year": 2025})
    unfinished = project.folder / "simulation_unfinished.duckdb"
    for seed in (8, 9):
        project.configure(simulation={"random_seed": seed, "end_year": 2026})
        stop_in_the_second_year(project)
        done = project.run("--years", "2025")
        assert f"the run in simulation.duckdb (2025-2025, unfinished) was kept as {unfinished}" in done.stderr
        assert read_status(unfinished).runs[-1]["random_seed"] == seed
        assert not list(project.folder.glob(".*.spare"))
