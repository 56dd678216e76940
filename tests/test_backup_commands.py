"""`planalign backup` and `planalign restore`: nothing that was simulated is lost, whatever stops them."""

import errno
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from planalign_orchestrator.database.checkpoints import read_status
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError, OutputError
from planalign_orchestrator.pipeline.backup import back_up, restore
from tests.crash_child import Contents, Project, contents, edit, files, finished_years, give_up_privileges, limit_files
from tests.test_database import (
    HOLD_THE_FILE,
    HOLD_THE_LOCK,
    child,
    end,
    make_duckdb,
    make_text,
    stop_in_the_second_year,
)

KILLED_AT_A_RENAME = """
import os, signal, sys
from pathlib import Path
from planalign_orchestrator.pipeline.backup import restore
renames = []
def hook(event, arguments):
    if event == "os.rename":
        renames.append(arguments)
        if len(renames) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
folder = Path(sys.argv[1])
restore(folder / "simulation.duckdb", reports=folder / "reports", copies=folder / ".navigator_checkpoints")
"""


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Path:
    """A folder with a run over 2025-2026, and as its backup one over 2025 with another seed; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("two"), simulation={"end_year": 2026})
    project.simulate({"simulation.random_seed": 1, "simulation.end_year": 2025})
    project.simulate()
    return project.folder


@pytest.fixture
def project(two_runs: Path, tmp_path: Path) -> Project:
    """A copy of `two_runs`."""
    shutil.copytree(two_runs, tmp_path / "project")
    return Project.create(tmp_path / "project", simulation={"end_year": 2026})


def backup_of(project: Project) -> Path:
    return project.folder / "simulation_backup.duckdb"


def put_back(project: Project, source: Path | None = None) -> None:
    folder = project.folder
    restore(project.database, source, reports=folder / "reports", copies=folder / ".navigator_checkpoints")


def both(project: Project) -> tuple[Contents, Contents]:
    return contents(project.database), contents(backup_of(project))


def demand_files_of_the_run(project: Project) -> None:
    """The year files are those of the years in the database, and no others."""
    runs = {f"year_{row['simulation_year']}.json": row["run_id"] for row in read_status(project.database).checkpoints}
    for folder in ("reports", ".navigator_checkpoints"):
        found = (project.folder / folder).glob("year_*.json")
        assert {path.name: json.loads(path.read_text(encoding="utf-8"))["run_id"] for path in found} == runs
    csv = project.folder / "reports" / f"multi_year_summary_2025_{max(finished_years(project.database))}.csv"
    assert runs["year_2025.json"] in csv.read_text(encoding="utf-8")


# --- what they do -----------------------------------------------------------------------------------------------------


def asked_for(project: Project) -> Path:
    """The only backup of the project that somebody asked for."""
    (found,) = project.folder.glob("simulation.????-??-??-*.duckdb")
    return found


@pytest.mark.process
def test_a_backup_has_a_name_of_its_own_that_later_runs_leave_alone(project: Project) -> None:
    before, automatic = project.database.read_bytes(), backup_of(project).read_bytes()
    done = project.do("backup")
    assert (done.returncode, done.stderr) == (0, "")
    own = asked_for(project)
    run = read_status(project.database).runs[-1]
    assert own.name == f"simulation.{run['started_at']:%Y-%m-%d}-{run['run_id'][:7]}.duckdb"
    assert done.stdout.startswith(f"{own} holds a copy of {project.database}: scenario baseline, 2025-2026")
    assert "Verified: the digests of 2025-2026 were recomputed and agree." in done.stdout
    assert own.read_bytes() == project.database.read_bytes() == before
    assert own.stat().st_ino != project.database.stat().st_ino
    assert backup_of(project).read_bytes() == automatic
    for seed in (5, 6):
        project.simulate({"simulation.random_seed": seed})
    assert own.read_bytes() == before


@pytest.mark.process
def test_backups_are_listed_and_each_can_be_restored_by_its_run(project: Project) -> None:
    kept = contents(project.database)
    run = read_status(project.database).runs[-1]["run_id"]
    project.do("backup")
    own = asked_for(project)
    for seed in (5, 6):
        project.simulate({"simulation.random_seed": seed})
    (project.folder / "simulation.2020-01-01-abc.duckdb").write_text("not a database", encoding="utf-8")
    listed = project.do("backup", "--list").stdout
    assert all(name in listed for name in (own.name, "simulation_backup.duckdb", run[:7], "2025-2026", "unreadable"))
    found = json.loads(project.do("backup", "--list", "--json").stdout)["backups"]
    assert [(item["kind"], item.get("run_id") == run, item["problem"] is None) for item in found] == [
        ("automatic", False, True),
        ("kept", False, False),
        ("kept", True, True),
    ]
    for name in (run[:7], own.name, str(own)):
        assert project.do("restore", "--from", name).returncode == 0
        assert contents(project.database) == kept
        project.simulate({"simulation.random_seed": 7})


@pytest.mark.process
def test_backup_to_a_file_of_ones_own_leaves_the_backup_alone(project: Project, tmp_path: Path) -> None:
    before = files(project.folder)
    done = project.do("backup", "--to", str(tmp_path / "kept.duckdb"), "--json")
    document = json.loads(done.stdout)
    assert (document["backup"], document["years"]) == (str(tmp_path / "kept.duckdb"), [2025, 2026])
    assert contents(tmp_path / "kept.duckdb") == contents(project.database)
    assert files(project.folder) == before


def test_a_copy_is_as_private_as_the_database(project: Project) -> None:
    project.database.chmod(0o640)
    back_up(project.database)
    assert asked_for(project).stat().st_mode & 0o777 == 0o640


@pytest.mark.process
def test_backup_holds_the_years_of_a_killed_run_that_are_in_its_log(tmp_path: Path) -> None:
    project = Project.create(tmp_path, simulation={"end_year": 2026})
    stop_in_the_second_year(project)
    log = project.database.with_name(f"{project.database.name}.wal")
    assert log.exists()
    _, status = back_up(project.database)
    assert status.years == finished_years(asked_for(project)) == [2025]
    assert not log.exists()
    assert contents(asked_for(project)) == contents(project.database)


@pytest.mark.process
def test_restore_changes_places_and_restoring_twice_changes_nothing(project: Project) -> None:
    database, backup = both(project)
    before = files(project.folder)
    done = project.do("restore")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{project.database} is restored: scenario baseline, 2025-2025" in done.stdout
    assert f"What it held is now {backup_of(project)}: scenario baseline, 2025-2026" in done.stdout
    assert both(project) == (backup, database)
    demand_files_of_the_run(project)

    document = json.loads(project.do("restore", "--json").stdout)
    assert (document["years"], document["replaced"]["years"]) == ([2025, 2026], [2025])
    demand_files_of_the_run(project)
    after = files(project.folder)
    assert after.pop("run_vars.json")
    assert after.items() <= before.items()


def test_a_restored_earlier_state_of_a_run_can_be_resumed(project: Project) -> None:
    back_up(project.database)
    project.simulate({"simulation.end_year": 2027}, resume=True)
    three_years = contents(project.database)
    put_back(project, asked_for(project))
    assert finished_years(project.database) == [2025, 2026]
    demand_files_of_the_run(project)
    project.simulate({"simulation.end_year": 2027}, resume=True)
    assert contents(project.database) == three_years
    demand_files_of_the_run(project)


def test_a_file_of_ones_own_is_copied_and_the_database_becomes_the_backup(project: Project, tmp_path: Path) -> None:
    database, backup = both(project)
    own = tmp_path / "own.duckdb"
    backup_of(project).replace(own)
    put_back(project, own)
    assert both(project) == (backup, database)
    assert contents(own) == backup
    demand_files_of_the_run(project)


@pytest.mark.process
def test_a_run_of_a_version_with_other_keys_is_restored_without_its_variables(project: Project) -> None:
    edit(backup_of(project), """update run_metadata set configuration = '{"former_key": 1}'""")
    done = project.do("restore")
    assert done.returncode == 0
    assert "run_vars.json was removed: another version of planalign configured the restored run" in done.stderr
    assert not (project.folder / "run_vars.json").exists()
    demand_files_of_the_run(project)


@pytest.mark.process
def test_a_lost_database_comes_back(project: Project) -> None:
    _, backup = both(project)
    project.database.unlink()
    done = project.do("restore")
    assert "It held no finished year, so there is no backup now." in done.stdout
    assert contents(project.database) == backup
    assert not backup_of(project).exists()


@pytest.mark.process
@pytest.mark.parametrize("rename", [1, 2])
def test_a_restore_that_is_killed_loses_nothing(project: Project, rename: int) -> None:
    database, backup = both(project)
    call = [sys.executable, "-c", KILLED_AT_A_RENAME, str(project.folder), str(rename)]
    assert subprocess.run(call, check=False).returncode == -9
    project.simulate(resume=True) if rename == 1 else put_back(project)
    assert both(project) == (database, backup)


def test_places_are_changed_on_a_file_system_without_hard_links(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path), None, str(target))

    database, backup = both(project)
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    put_back(project)
    assert both(project) == (backup, database)
    assert not [name for name in files(project.folder) if "spare" in name or "draft" in name]


# --- what they refuse -------------------------------------------------------------------------------------------------


BUSY = [("backup", "simulation.duckdb"), ("restore", "simulation.duckdb"), ("restore", "simulation_backup.duckdb")]


@pytest.mark.process
@pytest.mark.parametrize(("command", "name"), BUSY)
def test_a_file_that_a_run_is_writing_is_left_to_it(project: Project, command: str, name: str) -> None:
    busy = project.folder / name
    before = files(project.folder)
    holder = child(HOLD_THE_LOCK, busy.name, busy.parent)
    try:
        done = project.do(command)
    finally:
        end(holder)
    assert done.returncode == 1
    assert f"{busy} is being written by process {holder.pid}; wait for it" in done.stderr
    assert files(project.folder) == before


@pytest.mark.process
@pytest.mark.parametrize(("command", "name"), BUSY)
def test_a_file_that_another_program_has_open_is_left_to_it(project: Project, command: str, name: str) -> None:
    busy = project.folder / name
    before = files(project.folder)
    holder = child(HOLD_THE_FILE, busy, "writing")
    try:
        with pytest.raises(DatabaseBusyError, match="is in use by another process"):
            back_up(project.database) if command == "backup" else put_back(project)
    finally:
        end(holder)
    assert files(project.folder) == before


@pytest.mark.parametrize("make", [make_text, make_duckdb])
def test_files_that_are_not_ours_are_neither_read_nor_replaced(project: Project, make: Callable[[Path], None]) -> None:
    foreign = project.folder / "foreign.duckdb"
    make(foreign)
    before = files(project.folder)
    folder = project.folder
    for action in (
        lambda: back_up(foreign),
        lambda: put_back(project, foreign),
        lambda: restore(foreign, backup_of(project), reports=folder / "reports", copies=folder / "copies"),
    ):
        with pytest.raises(DatabaseError, match=r"foreign\.duckdb is not a simulation database"):
            action()
    with pytest.raises(
        (DatabaseError, OutputError), match=r"foreign\.duckdb (is not a sim|already exists and is not a backup)"
    ):
        back_up(project.database, foreign)
    assert files(project.folder) == before


def test_a_damaged_database_says_how_it_is_replaced(project: Project) -> None:
    make_text(project.database)
    with pytest.raises(DatabaseError, match="if it is a damaged database, move it away and restore again"):
        put_back(project)


def test_a_database_without_a_finished_year_is_no_backup(tmp_path: Path) -> None:
    with DatabaseConnectionManager(tmp_path / "simulation.duckdb") as db:
        db.get_connection()
    with pytest.raises(DatabaseError, match="holds no finished year; `planalign run` makes one"):
        back_up(tmp_path / "simulation.duckdb")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".duckdb"] == ["simulation.duckdb"]


@pytest.mark.process
def test_an_unfinished_run_does_not_replace_a_finished_one(project: Project) -> None:
    project.configure(simulation={"random_seed": 3, "end_year": 2026})
    project.database.unlink()
    stop_in_the_second_year(project)
    with pytest.raises(OutputError, match="already exists and is not a backup of this database of planalign's"):
        back_up(project.database, backup_of(project))
    database, backup = both(project)
    put_back(project)
    assert both(project) == (backup, database)


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "option", "said"),
    [
        ("backup", ["--to", "absent/x.duckdb"], "absent does not exist; make it or choose another --to"),
        ("backup", ["--to", "simulation.duckdb"], "simulation.duckdb is the database itself"),
        ("backup", ["--database", "absent.duckdb"], "absent.duckdb does not exist; `planalign run` makes one"),
        ("restore", ["--from", "simulation.duckdb"], "simulation.duckdb is the database itself"),
        ("restore", ["--from", "absent.duckdb"], "absent.duckdb does not exist"),
        ("restore", ["--database", "absent.duckdb"], "there is no backup"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_files_that_cannot_be_meant(project: Project, command: str, option: list[str], said: str) -> None:
    before = files(project.folder)
    done = project.do(command, *option)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert files(project.folder) == before


# --- no room, no permission -------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.parametrize("limit", [0, 10_000, 1_000_000])
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_full_disk_leaves_both_files_as_they_were(project: Project, tmp_path: Path, command: str, limit: int) -> None:
    before = files(project.folder)
    own = tmp_path / "own.duckdb"
    shutil.copy(backup_of(project), own)
    option = ["--from", str(own)] if command == "restore" else []
    done = project.do(command, *option, preexec_fn=partial(limit_files, limit))
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert files(project.folder) == before


@pytest.fixture
def read_only(project: Project) -> Iterator[Project]:
    project.folder.chmod(0o555)
    yield project
    project.folder.chmod(0o755)


@pytest.mark.process
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_folder_that_may_not_be_written_is_left_as_it_is(read_only: Project, command: str) -> None:
    before = files(read_only.folder)
    done = read_only.do(command, preexec_fn=give_up_privileges)
    assert done.returncode == 1
    assert "the folder may not be written" in done.stderr
    assert files(read_only.folder) == before


@pytest.mark.process
def test_a_lost_database_in_a_folder_that_may_not_be_written_stays_lost_and_the_backup_stays(project: Project) -> None:
    project.database.unlink()
    before = files(project.folder)
    project.folder.chmod(0o555)
    try:
        done = project.do("restore", preexec_fn=give_up_privileges)
    finally:
        project.folder.chmod(0o755)
    assert done.returncode == 1
    assert "the folder may not be written" in done.stderr
    assert files(project.folder) == before


@pytest.mark.process
def test_a_backup_on_a_medium_that_may_not_be_written_can_be_restored(project: Project, tmp_path: Path) -> None:
    _, backup = both(project)
    medium = tmp_path / "medium"
    medium.mkdir()
    backup_of(project).replace(medium / "own.duckdb")
    (medium / "own.duckdb").chmod(0o444)
    medium.chmod(0o555)
    try:
        done = project.do("restore", "--from", str(medium / "own.duckdb"), preexec_fn=give_up_privileges)
        assert done.returncode == 0, done.stderr
        assert [path.name for path in medium.iterdir()] == ["own.duckdb"]
    finally:
        medium.chmod(0o755)
    assert contents(project.database) == backup
