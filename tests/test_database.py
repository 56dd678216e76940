"""The simulation's file: whose it is, who may write it, what becomes of the one before, and transactions on it."""

import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.lock import ExecutionMutex
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.files.atomic import remove_drafts, write_atomically
from tests.crash_child import YEARS, Contents, Project, contents, files, finished_years
from tests.tiers import sampled

if TYPE_CHECKING:
    import duckdb

HOLD_THE_LOCK = """
import sys
from planalign_orchestrator.database.lock import ExecutionMutex
with ExecutionMutex(sys.argv[1], sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""
HOLD_THE_FILE = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("held", flush=True)
sys.stdin.read()
"""


def child(program: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start a program that holds something until its input ends, and wait until it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=30)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path, simulation={"end_year": 2025})


@pytest.fixture(scope="module")
def one_year(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Contents:
    """What a run over 2025 leaves."""
    project = Project.create(tmp_path_factory.mktemp("one"), simulation={"end_year": 2025})
    project.simulate()
    return contents(project.database)


# --- a file that is not ours ------------------------------------------------------------------------------------------


def make_text(path: Path) -> None:
    path.write_text("not a database, but longer than the header of one\n" * 1000, encoding="utf-8")


def make_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("create table precious (value text)")
    connection.commit()
    connection.close()


def make_duckdb(path: Path) -> None:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("create table precious as select 42 as value")


def make_duckdb_with_log(path: Path) -> None:
    """A database of somebody who was killed: what it holds is in its log."""
    program = (
        "import duckdb, os, sys; connection = duckdb.connect(sys.argv[1]); "
        "connection.execute('create table precious as select 42 as value'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert path.with_name(f"{path.name}.wal").exists()


def make_marts_only(path: Path) -> None:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("create table fct_yearly_events as select 2025 as simulation_year")


FOREIGN: dict[str, Callable[[Path], None]] = {
    "text": make_text,
    "empty": Path.touch,
    "SQLite": make_sqlite,
    "DuckDB": make_duckdb,
    "DuckDB with a log": make_duckdb_with_log,
    "marts without checkpoints": make_marts_only,
}


@pytest.mark.process
@pytest.mark.parametrize("resume", [False, True], ids=["anew", "resume"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_is_not_a_simulation_is_left_as_it_is(tmp_path: Path, kind: str, resume: bool) -> None:
    project = Project.create(tmp_path, "clock.duckdb")
    FOREIGN[kind](project.database)
    before = files(tmp_path)
    with pytest.raises(DatabaseError) as caught:
        project.simulate(resume=resume)
    assert str(caught.value).startswith(f"{project.database} is not a simulation database")
    assert "it was left as it is; choose another --database" in str(caught.value)
    assert files(tmp_path) == before


@pytest.mark.process
def test_a_file_that_is_not_a_simulation_ends_the_program_with_a_message(project: Project) -> None:
    make_duckdb(project.database)
    result = project.run()
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {project.database} is not a simulation database (it holds precious)")


@pytest.mark.process
@pytest.mark.model
def test_a_database_of_another_version_is_named_and_left_alone(project: Project) -> None:
    import duckdb

    project.simulate({"simulation.end_year": 2025})
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("alter table run_metadata drop column plan_testing")
    before = project.database.read_bytes()
    result = project.run()
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {project.database} was written by another version of planalign")
    assert project.database.read_bytes() == before


@pytest.mark.process
def test_a_folder_in_the_place_of_the_database(project: Project) -> None:
    project.database.mkdir()
    (project.database / "precious").touch()
    before = files(project.folder)
    result = project.run()
    assert result.returncode == 1
    assert f"{project.database} is a folder" in result.stderr
    assert files(project.folder) == before


def test_a_log_without_its_database_is_left_as_it_is(project: Project) -> None:
    """It may hold every year of a database that was moved without it."""
    log = project.database.with_name(f"{project.database.name}.wal")
    log.write_bytes(b"years")
    before = files(project.folder)
    with pytest.raises(DatabaseError, match=f"{log} is there without its database simulation.duckdb"):
        project.simulate()
    assert files(project.folder) == before


@pytest.mark.process
def test_reports_of_somebody_else_are_not_overwritten(project: Project, one_year: Contents) -> None:
    report = project.folder / "reports" / "year_2025.json"
    report.parent.mkdir()
    report.write_text('{"title": "Annual report"}', encoding="utf-8")
    result = project.run()
    assert result.returncode == 1
    assert f"{report} is not a file of ours" in result.stderr
    assert "move it away or set reports.directory" in result.stderr
    assert report.read_text(encoding="utf-8") == '{"title": "Annual report"}'
    report.rename(project.folder / "annual_report.json")
    assert project.run("--resume").returncode == 0
    assert contents(project.database) == one_year


# --- names of files ---------------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.parametrize(
    "name",
    sampled(
        [
            "2025 run.duckdb",
            'o\'brien; drop table "x" --.duckdb',
            ":memory:",
            ".hidden",
            "Gehälter-日本.duckdb",
            "no_suffix",
            "what?.duckdb",
            "star*.duckdb",
            "100%25.duckdb",
            "sqlite:x.duckdb",
        ],
        4,
    ),
)
def test_any_name_of_a_database_is_only_a_name(tmp_path: Path, one_year: Contents, name: str) -> None:
    project = Project.create(tmp_path, name, simulation={"end_year": 2025})
    for _ in range(2):
        result = project.run("--database", name)
        assert result.returncode == 0, result.stderr
    stem, suffix = (name, "") if name.startswith(".") else (Path(name).stem, Path(name).suffix)
    beside = {path.name for path in tmp_path.iterdir() if path.is_file()}
    backup = f"{stem}_backup{suffix}"
    databases = {name, f"{name}.lock", backup, f"{backup}.lock"}
    assert beside == {"census.csv", "config.yaml", "run_vars.json", *databases}
    copy = tmp_path / "copy.duckdb"
    for written in (name, backup):
        copy.write_bytes((tmp_path / written).read_bytes())
        assert contents(copy) == one_year


# --- the database before ----------------------------------------------------------------------------------------------


@pytest.mark.process
def test_a_new_run_makes_the_old_database_the_backup(project: Project, one_year: Contents) -> None:
    project.simulate()
    result = project.run("--seed", "7")
    assert result.returncode == 0
    backup = project.folder / "simulation_backup.duckdb"
    assert str(backup) in result.stdout
    assert contents(backup) == one_year
    assert contents(project.database) != one_year


@pytest.mark.model
def test_the_reports_of_a_replaced_run_go_with_it(project: Project) -> None:
    project.simulate({"simulation.end_year": 2027})
    project.simulate({"simulation.random_seed": 7})
    names = {path.name for path in (project.folder / "reports").iterdir()}
    assert names >= {"year_2025.json", "multi_year_summary_2025_2025.csv"}
    assert "year_2027.json" not in names
    copies = {path.name for path in (project.folder / ".navigator_checkpoints").iterdir()}
    assert copies == {"year_2025.json"}


def stop_in_the_second_year(project: Project) -> None:
    result = project.run_child("--kill", "2026:validation:end")
    assert result.returncode == -signal.SIGKILL
    assert finished_years(project.database) == [2025]


@pytest.mark.process
def test_an_unfinished_run_does_not_replace_a_complete_backup(project: Project, one_year: Contents) -> None:
    for _ in range(2):
        project.simulate()
    backup = project.folder / "simulation_backup.duckdb"
    project.configure(simulation={"random_seed": 7, "end_year": 2026})
    stop_in_the_second_year(project)
    assert contents(backup) == one_year
    result = project.run("--seed", "8")
    assert result.returncode == 0
    unfinished = project.folder / "simulation_unfinished.duckdb"
    assert f"the run in simulation.duckdb (2025-2025, unfinished) was kept as {unfinished}" in result.stderr
    assert contents(backup) == one_year
    assert finished_years(unfinished) == [2025]


@pytest.mark.process
def test_an_unfinished_run_becomes_the_backup_where_there_is_none(project: Project, one_year: Contents) -> None:
    project.configure(simulation={"end_year": 2026})
    stop_in_the_second_year(project)
    project.simulate({"simulation.random_seed": 8})
    kept = contents(project.folder / "simulation_backup.duckdb")
    assert kept["main.fct_workforce_snapshot 2025"] == one_year["main.fct_workforce_snapshot 2025"]


def spoil_census(project: Project) -> list[str]:
    text = (project.folder / "census.csv").read_text(encoding="utf-8")
    (project.folder / "census.csv").write_text(text.replace("E0000002", "E0000001"), encoding="utf-8")
    return []


def announce_every_exit(project: Project) -> list[str]:
    """Ask for more exits than there are people without an announced date: the model itself refuses, within the year."""
    return ["--set", "simulation.target_growth_rate=-0.99", "--set", "census.path=announced.csv"]


FAILURES = {
    "duplicate people": (spoil_census, 2, "employee_id"),
    "no census": (lambda _: ["--set", "census.path=absent.csv"], 2, "absent.csv"),
    "exits that cannot be": (announce_every_exit, 2, "workforce.total_termination_rate"),
    "implausible": (
        lambda _: ["--set", "validation.maximum_hire_rate=0.001", "--fail-on-validation-error"],
        3,
        "assert_hiring_is_plausible",
    ),
}


def write_announced(project: Project) -> None:
    """Everybody has announced to leave, half of them years later, so that nobody can be drawn."""
    lines = (project.folder / "census.csv").read_text(encoding="utf-8").splitlines()
    heading = lines[0].split(",")
    place = heading.index("employee_termination_date")
    rows = [line.split(",") for line in lines[1:]]
    for number, row in enumerate(rows):
        row[place] = row[place] or f"{2025 + 5 * (number % 2)}-06-30"
    text = "\n".join([lines[0], *(",".join(row) for row in rows)])
    (project.folder / "announced.csv").write_text(f"{text}\n", encoding="utf-8")


STATES = ["none", "complete", "complete with backup", "unfinished with backup"]


@pytest.fixture(scope="module")
def folder_of(
    tmp_path_factory: pytest.TempPathFactory, simulates: None, starts_processes: None
) -> Callable[[str], Path]:
    """Return a function from a state to the folder of a project in it, made once and not to be changed."""

    @cache
    def made(state: str) -> Path:
        project = Project.create(tmp_path_factory.mktemp("state"), simulation={"end_year": 2025})
        if state != "none":
            project.simulate()
        if "backup" in state:
            project.simulate({"simulation.random_seed": 2})
        if "unfinished" in state:
            project.configure(simulation={"random_seed": 3, "end_year": 2026})
            stop_in_the_second_year(project)
        write_announced(project)
        return project.folder

    return made


@pytest.fixture
def in_state(folder_of: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Project]:
    """Return a function from a state to a project in it."""

    def copied(state: str) -> Project:
        folder = shutil.copytree(folder_of(state), tmp_path / "project")
        unfinished = {"random_seed": 3, "end_year": 2026} if "unfinished" in state else {"end_year": 2025}
        return Project.create(folder, simulation=unfinished)

    return copied


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("cause", FAILURES)
def test_a_run_that_comes_to_nothing_changes_nothing(
    in_state: Callable[[str], Project], cause: str, state: str
) -> None:
    """Neither the database nor its backup nor any report."""
    spoil, code, expected = FAILURES[cause]
    project = in_state(state)
    arguments = spoil(project)
    kept = {path.name: contents(path) for path in project.folder.glob("*.duckdb")}
    before = files(project.folder)
    result = project.run(*arguments)
    assert result.returncode == code, result.stderr
    assert expected in result.stderr
    assert "Traceback" not in result.stderr
    assert {path.name: contents(path) for path in project.folder.glob("*.duckdb")} == kept
    without_databases = [name for name in before if ".duckdb" not in name]
    after = files(project.folder)
    assert {name: after.get(name) for name in without_databases} == {name: before[name] for name in without_databases}
    assert {name.removesuffix(".wal") for name in after} == {name.removesuffix(".wal") for name in before}


@pytest.mark.process
@pytest.mark.model
def test_two_databases_in_one_folder_say_whose_reports_these_are(project: Project) -> None:
    project.simulate({"runtime.database": str(project.folder / "one.duckdb")})
    result = project.run("--database", "two.duckdb")
    assert result.returncode == 0
    report = Path("reports") / "year_2025.json"
    assert f"{report} was of one.duckdb and now is of two.duckdb; see reports.directory" in result.stderr
    assert "was of" not in project.run("--database", "two.duckdb").stderr


# --- one writer at a time ---------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.model
def test_a_database_that_another_run_writes_is_left_to_it(project: Project) -> None:
    project.simulate()
    before = files(project.folder)
    holder = child(HOLD_THE_LOCK, "simulation.duckdb", project.folder)
    for arguments in ([], ["--resume"]):
        result = project.run(*arguments)
        assert result.returncode == 1
        assert f"{project.database} is being written by process {holder.pid}" in result.stderr
        assert "wait for it or use another --database" in result.stderr
    assert files(project.folder) == before
    end(holder)
    assert project.run("--resume").returncode == 0


@pytest.mark.process
@pytest.mark.model
@pytest.mark.parametrize("how", ["reading", "writing"])
@pytest.mark.parametrize("arguments", [[], ["--resume"]], ids=["anew", "resume"])
def test_a_database_that_another_program_has_open_is_left_to_it(
    project: Project, how: str, arguments: list[str]
) -> None:
    project.simulate()
    before = files(project.folder)
    holder = child(HOLD_THE_FILE, project.database, how)
    result = project.run(*arguments)
    assert result.returncode == 1
    assert f"{project.database} is in use by another process" in result.stderr
    assert str(holder.pid) in result.stderr
    end(holder)
    assert files(project.folder) == before


@pytest.mark.process
@pytest.mark.model
def test_of_two_runs_at_once_one_wins_and_the_other_says_so(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    runs = [project.start() for _ in range(2)]
    said = [run.communicate(timeout=60)[1] for run in runs]
    codes = [run.returncode for run in runs]
    assert sorted(codes) == [0, 1], said
    winner, loser = codes.index(0), codes.index(1)
    # the lock is taken a moment before its file names the holder
    holders = (f"process {runs[winner].pid}", "another process")
    assert any(f"is being written by {holder}" in said[loser] for holder in holders)
    won = contents(project.database)
    assert finished_years(project.database) == YEARS
    alone = Project.create(tmp_path / "alone")
    alone.simulate()
    assert won == contents(alone.database)


@pytest.mark.process
def test_mutex_is_reentrant_within_a_process(tmp_path: Path) -> None:
    with ExecutionMutex("x", tmp_path):
        with ExecutionMutex("x", tmp_path), ExecutionMutex("other", tmp_path):
            pass
        assert is_held(tmp_path)
    assert not is_held(tmp_path)


def is_held(folder: Path) -> bool:
    """Whether another process finds the lock `x` taken."""
    program = (
        "import sys; from planalign_orchestrator.utils import ExecutionMutex; "
        "ExecutionMutex('x', sys.argv[1]).__enter__()"
    )
    result = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False)
    assert result.returncode == 0 or "DatabaseBusyError" in result.stderr
    return result.returncode != 0


@pytest.mark.process
def test_mutex_names_its_holder_and_is_freed_by_kill_9(tmp_path: Path) -> None:
    holder = child(HOLD_THE_LOCK, "x", tmp_path)
    with pytest.raises(DatabaseBusyError, match=f"x is being written by process {holder.pid};"):
        ExecutionMutex("x", tmp_path).__enter__()
    holder.kill()
    holder.wait()
    with ExecutionMutex("x", tmp_path):
        assert (tmp_path / "x.lock").read_text(encoding="utf-8") == f"process {os.getpid()}"
    assert (tmp_path / "x.lock").read_text(encoding="utf-8") == ""


@pytest.mark.process
def test_mutex_is_not_inherited_by_a_child_that_outlives_its_parent(tmp_path: Path) -> None:
    program = """
import subprocess, sys
from planalign_orchestrator.database.lock import ExecutionMutex
with ExecutionMutex("x", sys.argv[1]):
    sleeper = subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL)
    print(sleeper.pid, flush=True)
    sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    sleeper = int(holder.stdout.readline())
    try:
        holder.kill()
        holder.wait()
        with ExecutionMutex("x", tmp_path):
            pass
    finally:
        os.kill(sleeper, signal.SIGKILL)


def _take(folder: str, answers: "multiprocessing.Queue[str]") -> None:
    try:
        with ExecutionMutex("x", folder):
            answers.put("taken")
    except DatabaseBusyError as error:
        answers.put(str(error))


@pytest.mark.process
def test_mutex_excludes_a_spawned_child(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with ExecutionMutex("x", tmp_path):
        process = context.Process(target=_take, args=(str(tmp_path), answers))
        process.start()
        assert f"process {os.getpid()}" in answers.get(timeout=30)
        process.join()


def test_mutex_without_a_path_lies_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ExecutionMutex("planalign"):
        assert [path.name for path in tmp_path.iterdir()] == ["planalign.lock"]


def test_mutex_in_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="the folder does not exist; make it or choose another --database"):
        ExecutionMutex("x", tmp_path / "absent").__enter__()


# --- connection and transactions --------------------------------------------------------------------------------------


@pytest.fixture
def db(tmp_path: Path) -> Iterator[DatabaseConnectionManager]:
    with DatabaseConnectionManager(tmp_path / "t.duckdb", threads=1) as manager:
        manager.execute_with_retry("create table t (a integer)")
        yield manager


def values(db: DatabaseConnectionManager) -> list[int]:
    return [value for (value,) in db.execute_with_retry("select a from t order by a")]


def test_a_transaction_commits_as_a_whole(db: DatabaseConnectionManager) -> None:
    with db.transaction() as connection:
        connection.execute("insert into t values (1)")
        assert connection is db.get_connection()
    db.close()
    assert values(db) == [1]


def test_an_inner_transaction_joins_the_outer_one(db: DatabaseConnectionManager) -> None:
    def fail_after_the_inner_one() -> None:
        with db.transaction():
            with db.transaction() as inner:
                inner.execute("insert into t values (1)")
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_the_inner_one()
    assert values(db) == []
    with db.transaction() as outer:
        outer.execute("insert into t values (2)")
        with db.transaction() as inner:
            inner.execute("insert into t values (3)")
    assert values(db) == [2, 3]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_error_rolls_back(db: DatabaseConnectionManager, error: type[BaseException]) -> None:
    def fail() -> None:
        with db.transaction() as connection:
            connection.execute("insert into t values (1)")
            raise error

    with pytest.raises(error):
        fail()
    assert values(db) == []


def test_an_error_of_the_database_rolls_back_and_the_next_transaction_works(db: DatabaseConnectionManager) -> None:
    import duckdb

    with pytest.raises(duckdb.CatalogException), db.transaction() as connection:
        connection.execute("insert into t values (1); select * from absent")
    with db.transaction() as connection:
        connection.execute("insert into t values (2)")
    assert values(db) == [2]


@pytest.mark.process
def test_a_busy_file_is_tried_again_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    DatabaseConnectionManager(path).execute_with_retry("select 1")
    holder = child(HOLD_THE_FILE, path, "writing")
    threading.Timer(0.3, holder.communicate).start()
    with DatabaseConnectionManager(path) as db:
        assert db.execute_with_retry("select 42", attempts=50) == [(42,)]


@pytest.mark.process
def test_a_busy_file_is_given_up_after_the_attempts(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with DatabaseConnectionManager(path) as db:
        db.get_connection()
    holder = child(HOLD_THE_FILE, path, "writing")
    with (
        DatabaseConnectionManager(path) as db,
        pytest.raises(DatabaseBusyError, match=rf"{path} is in use by another process.*PID {holder.pid}"),
    ):
        db.execute_with_retry("select 42", attempts=2)
    end(holder)


def test_a_manager_may_start_before_it_opens_its_file(tmp_path: Path) -> None:
    db = DatabaseConnectionManager(tmp_path / "simulation.duckdb", threads=1)
    db.start()
    db.close()
    assert list(tmp_path.iterdir()) == []
    db.start()
    with db:
        assert db.get_connection().execute("select current_setting('threads'), current_database()").fetchall() == [
            (1, "planalign")
        ]
    assert [path.name for path in tmp_path.iterdir()] == ["simulation.duckdb"]


def test_what_keeps_a_manager_from_starting_is_said_when_it_is_needed(tmp_path: Path) -> None:
    import duckdb

    db = DatabaseConnectionManager(tmp_path / "simulation.duckdb", memory_limit="a lot")
    db.start()
    db.close()
    db.start()
    with pytest.raises(duckdb.ParserException, match="Memory must have a number"):
        db.get_connection()


class Conflict:
    """A function of the connection that is refused as busy a number of times; counts its calls."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.calls = 0

    def __call__(self, connection: "duckdb.DuckDBPyConnection") -> str:
        self.calls += 1
        if self.calls <= self.refusals:
            raise DatabaseBusyError("busy")
        return "done"


def test_retries_outside_a_transaction_only(db: DatabaseConnectionManager) -> None:
    work = Conflict(refusals=2)
    assert db.execute_with_retry(work, attempts=3) == "done"
    assert work.calls == 3
    work = Conflict(refusals=2)
    with pytest.raises(DatabaseBusyError), db.transaction():
        db.execute_with_retry(work, attempts=3)
    assert work.calls == 1


def test_an_error_that_will_not_pass_is_not_tried_again(db: DatabaseConnectionManager) -> None:
    import duckdb

    began = time.perf_counter()
    with pytest.raises(duckdb.CatalogException):
        db.execute_with_retry("select * from absent", attempts=20)
    assert time.perf_counter() - began < 1


def test_reading_needs_a_file_and_changes_nothing(tmp_path: Path, db: DatabaseConnectionManager) -> None:
    with pytest.raises(DatabaseError, match=r"absent\.duckdb does not exist; `planalign run` makes one"):
        DatabaseConnectionManager(tmp_path / "absent.duckdb", read_only=True).get_connection()
    db.close()
    before = files(tmp_path)
    with DatabaseConnectionManager(db.db_path, read_only=True) as reader:
        assert values(reader) == []
    assert files(tmp_path) == before


# --- small files ------------------------------------------------------------------------------------------------------


def test_writing_atomically_makes_the_folder_and_leaves_only_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.json"
    for text in ("first", "second ü"):
        write_atomically(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["\ud800", "x" * 10_000_000 + "\ud800"], ids=["short", "long"])
def test_a_failed_write_keeps_the_old_text_and_leaves_no_draft(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    write_atomically(path, "old")
    with pytest.raises((DatabaseError, UnicodeEncodeError)):
        write_atomically(path, text)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_keeps_the_old_text_and_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "c.json"
    write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_place_of_a_folder_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "reports").touch()
    with pytest.raises(DatabaseError, match=r"cannot write .*reports.year_2025\.json"):
        write_atomically(tmp_path / "reports" / "year_2025.json", "text")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DatabaseError, match="cannot write"):
        write_atomically(tmp_path / "folder", "text")
    assert {path.name for path in tmp_path.iterdir()} == {"reports", "folder"}


def test_readers_see_the_old_text_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    texts = {"a" * 100_000, "b" * 100_000}
    write_atomically(path, "a" * 100_000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for text in texts:
                write_atomically(path, text)

    writer = threading.Thread(target=write)
    writer.start()
    seen = {path.read_text(encoding="utf-8") for _ in range(300)}
    stop.set()
    writer.join()
    assert seen <= texts


@pytest.mark.process
def test_only_drafts_of_the_dead_are_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    living = child(HOLD_THE_LOCK, "x", tmp_path)
    of_the_dead, of_the_living = (tmp_path / f".year_2025.json.{process.pid}.draft" for process in (dead, living))
    of_another = tmp_path / f".notes.txt.{dead.pid}.draft"
    for path in (of_the_dead, of_the_living, of_another, tmp_path / ".mine.draft"):
        path.touch()
    remove_drafts(tmp_path, lambda name: name == "year_2025.json")
    end(living)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {of_the_living.name, of_another.name, ".mine.draft", "x.lock"}
