"""Who may read what the program writes: databases are private, also during a run; reports follow the user's umask."""

import os
import stat
from functools import partial
from pathlib import Path

import pytest

from planalign_orchestrator.census import write_census
from tests.companies import CENSUS_DATE
from tests.crash_child import PROGRAM, Project, give_up_privileges

pytestmark = pytest.mark.process

# only the superuser can give a file to a group it is not in
PROJECT_GROUP = 4711 if os.geteuid() == 0 else os.getgid()
CHANGE_OWNER = 0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.create(tmp_path / "project", simulation={"end_year": 2028})
    project.folder.chmod(0o755)
    return project


def with_umask(umask: int) -> dict[str, object]:
    return {"umask": umask}


def test_a_database_is_private_also_during_a_run_and_reports_follow_the_umask(project: Project) -> None:
    process = project.start(**with_umask(0o022))
    seen: dict[str, set[int]] = {}
    while process.poll() is None:
        for path in project.folder.iterdir():
            try:
                seen.setdefault(path.name, set()).add(mode(path))
            except FileNotFoundError:
                continue
    process.communicate()
    assert process.returncode == 0
    private = {name: modes for name, modes in seen.items() if ".duckdb" in name and not name.endswith(".lock")}
    assert "simulation.duckdb" in private
    assert any(name.endswith(".wal") for name in private)
    assert all(modes <= {0o600, 0o700} for modes in private.values()), private
    folder = project.folder
    assert mode(folder / "simulation.duckdb") == 0o600
    assert mode(folder / "run_vars.json") == 0o644
    assert mode(folder / "reports") == mode(folder / ".navigator_checkpoints") == 0o755
    assert {mode(path) for path in (folder / "reports").iterdir()} == {0o644}
    assert {mode(path) for path in (folder / ".navigator_checkpoints").iterdir()} == {0o644}


def test_a_stricter_umask_holds_for_reports_too(project: Project) -> None:
    process = project.run("--years", "2025", **with_umask(0o077))
    assert process.returncode == 0
    assert mode(project.folder / "reports") == 0o700
    assert mode(project.folder / "reports" / "year_2025.json") == 0o600


def test_a_file_that_is_replaced_keeps_its_mode_and_its_group(project: Project) -> None:
    assert project.run("--years", "2025").returncode == 0
    report = project.folder / "x.html"
    assert project.do("report", "-o", str(report)).returncode == 0
    for path, wanted in ((project.database, 0o660), (report, 0o604), (project.folder / "run_vars.json", 0o640)):
        os.chown(path, -1, PROJECT_GROUP)
        path.chmod(wanted)
    assert project.run("--years", "2025-2026", "--seed", "7", **with_umask(0o022)).returncode == 0
    assert project.do("report", "-o", str(report), **with_umask(0o022)).returncode == 0
    for path, wanted in ((project.database, 0o660), (report, 0o604), (project.folder / "run_vars.json", 0o640)):
        assert (mode(path), path.stat().st_gid) == (wanted, PROJECT_GROUP), path
    backup = project.folder / "simulation_backup.duckdb"
    assert (mode(backup), backup.stat().st_gid) == (0o660, PROJECT_GROUP)
    assert mode(project.folder / "simulation.duckdb.lock") == 0o660


def test_a_project_and_a_made_up_census_are_for_sharing(project: Project, tmp_path: Path) -> None:
    project.config.unlink()
    made = project.folder / "new"
    done = project.start_program([*PROGRAM, "init", str(made)], **with_umask(0o022))
    assert done.wait() == 0
    assert mode(made) == mode(made / "config") == 0o755
    assert mode(made / "data" / "sample_census.csv") == 0o644
    census = ["census", "generate", "-o", str(project.folder / "people.csv"), "--size", "5"]
    assert project.start_program([*PROGRAM, *census], **with_umask(0o022)).wait() == 0
    assert mode(project.folder / "people.csv") == 0o644


@pytest.mark.model
def test_the_library_leaves_the_umask_to_the_program_that_uses_it(project: Project, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        project.simulate({"simulation.end_year": 2025})
        write_census(tmp_path / "people.csv", 5, seed=1, census_date=CENSUS_DATE)
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert mode(project.database) == 0o640
    assert mode(project.folder / "reports" / "year_2025.json") == 0o640


def test_a_group_that_cannot_be_given_gets_nothing(project: Project) -> None:
    """Whoever is not in the group of a file that is replaced must not open it to a group of their own."""
    if os.geteuid() != 0:
        pytest.skip("without the superuser no file has a group that this user is not in")
    assert project.run("--years", "2025").returncode == 0
    variables = project.folder / "run_vars.json"
    os.chown(variables, -1, PROJECT_GROUP)
    variables.chmod(0o640)
    done = project.run("--years", "2025", preexec_fn=partial(give_up_privileges, CHANGE_OWNER))
    assert done.returncode == 0, done.stderr
    assert (mode(variables), variables.stat().st_gid) == (0o600, os.getgid())


def test_a_report_that_names_people_is_private(project: Project) -> None:
    """A broken rule shows rows as examples: people and their pay."""
    rule = "select employee_id, current_compensation from planalign.main.fct_workforce_snapshot where level_id = 1"
    (project.folder / "everybody.sql").write_text(rule, encoding="utf-8")
    project.configure(validation={"custom_rules_file": "everybody.sql"}, simulation={"end_year": 2025})
    assert project.run(**with_umask(0o022)).returncode == 0
    report = project.folder / "reports" / "year_2025.json"
    assert "employee_id" in report.read_text(encoding="utf-8")
    assert mode(report) == 0o600
    assert mode(project.folder / "reports" / "multi_year_summary_2025_2025.csv") == 0o644
    for name, wanted in (("x.html", 0o600), ("x.csv", 0o644)):
        assert project.do("report", "-o", name, **with_umask(0o022)).returncode == 0
        assert mode(project.folder / name) == wanted
