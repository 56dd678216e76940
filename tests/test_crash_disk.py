"""A full disk or a folder that may not be written stops a run with a message, and costs no finished year.

The full disk is a limit on the size of files, in a child process.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.crash_child import (
    MANY_PEOPLE,
    YEARS,
    Contents,
    Project,
    contents,
    files,
    finished_years,
    give_up_privileges,
    limit_files,
    of_years,
)
from tests.tiers import sampled

pytestmark = pytest.mark.process

# where the limit strikes a company of 300: the file of 12,288 bytes is made, commits append 500 kB each to the log,
# and closing moves 9 MB into the file
CREATION = [10, 4096, 8192]
FIRST_COMMIT = [12_288, 20_000, 100_000]
LATER_COMMIT = [800_000, 1_200_000]
CLOSING = [3_000_000, 8_000_000]
# with more people commits move their 4 MB into the file, unless a query of the next year holds it just then
MOVING = 14_000_000


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Contents:
    """What a run leaves that has room for everything."""
    project = Project.create(tmp_path_factory.mktemp("uninterrupted"))
    project.simulate()
    return contents(project.database)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


def fail_for_lack_of_space(project: Project, limit: int, *arguments: str) -> str:
    """Run until the disk is full and return the message."""
    result = project.run(*arguments, preexec_fn=partial(limit_files, limit))
    said = result.stdout + result.stderr
    assert result.returncode == 1, said
    assert "Traceback" not in said
    assert "unexpected" not in said
    assert "the disk is full" in said
    assert "free some space" in said
    return said


def demand_completion(project: Project, uninterrupted: Contents) -> None:
    """With room again, --resume gives the results of a run that had it all the time."""
    result = project.run("--resume")
    assert result.returncode == 0, result.stderr
    assert finished_years(project.database) == YEARS
    assert contents(project.database) == uninterrupted
    assert not project.database.with_name(f"{project.database.name}.wal").exists()


@pytest.mark.parametrize("limit", [*sampled(CREATION, 1), *sampled(FIRST_COMMIT, 1)])
def test_full_disk_before_the_first_year_is_kept(project: Project, uninterrupted: Contents, limit: int) -> None:
    before = files(project.folder)
    fail_for_lack_of_space(project, limit)
    assert files(project.folder) == before
    demand_completion(project, uninterrupted)


@pytest.mark.parametrize("limit", sampled(LATER_COMMIT, 1))
def test_full_disk_in_a_later_commit_keeps_the_years_before(
    project: Project, uninterrupted: Contents, limit: int
) -> None:
    assert "--resume" in fail_for_lack_of_space(project, limit)
    years = finished_years(project.database)
    assert years == YEARS[: len(years)]
    assert 1 <= len(years) < len(YEARS)
    assert of_years(contents(project.database), years) == of_years(uninterrupted, years)
    demand_completion(project, uninterrupted)


@pytest.mark.model
def test_full_disk_while_a_commit_is_moved_into_the_file(tmp_path: Path) -> None:
    project = Project.create(tmp_path, people=MANY_PEOPLE)
    assert "--resume" in fail_for_lack_of_space(project, MOVING)
    years = finished_years(project.database)
    assert years == YEARS[: len(years)] != []
    assert project.run("--resume").returncode == 0
    found = contents(project.database)
    project.database.unlink()
    project.simulate()
    assert contents(project.database) == found


@pytest.mark.parametrize("limit", sampled(CLOSING, 1))
def test_full_disk_when_the_log_is_moved_into_the_file(project: Project, uninterrupted: Contents, limit: int) -> None:
    """Every year is committed, but half of what holds them is still the log: that is no success."""
    fail_for_lack_of_space(project, limit)
    assert finished_years(project.database) == YEARS
    assert contents(project.database) == uninterrupted
    demand_completion(project, uninterrupted)


@pytest.mark.model
@pytest.mark.parametrize("limit", sampled([*CREATION, *FIRST_COMMIT], 1))
def test_full_disk_in_the_first_year_leaves_the_old_database_its_backup_and_its_reports(
    project: Project, limit: int
) -> None:
    for seed in (1, 2):
        project.simulate({"simulation.random_seed": seed, "simulation.end_year": 2026})
    assert (project.folder / "simulation_backup.duckdb").exists()
    project.configure(simulation={"random_seed": 3, "end_year": 2026})
    before = files(project.folder)
    fail_for_lack_of_space(project, limit)
    assert files(project.folder) == before


@pytest.mark.model
def test_full_disk_in_a_later_year_leaves_the_old_database_as_backup(project: Project) -> None:
    project.simulate({"simulation.random_seed": 1})
    before = contents(project.database)
    project.configure(simulation={"random_seed": 2})
    fail_for_lack_of_space(project, LATER_COMMIT[0])
    assert contents(project.folder / "simulation_backup.duckdb") == before
    assert finished_years(project.database)[0] == YEARS[0]


@pytest.mark.parametrize("moment", ["2025:reporting:begin", "2026:reporting:begin"])
def test_full_disk_when_reports_are_written_keeps_the_year(
    project: Project, uninterrupted: Contents, moment: str
) -> None:
    year = int(moment[:4])
    result = project.run_child("--limit", f"{moment}=100")
    assert result.returncode == 1, result.stderr
    assert f"cannot write {project.folder / 'reports' / f'year_{year}.json'}: the disk is full" in result.stderr
    assert [name for name in files(project.folder) if "draft" in name or "tmp" in name] == []
    assert finished_years(project.database) == [past for past in YEARS if past <= year]
    demand_completion(project, uninterrupted)
    reports = {name for name in files(project.folder) if name.startswith(("reports/year_", ".navigator_checkpoints/"))}
    assert len(reports) == 2 * len(YEARS)


def test_a_folder_that_does_not_exist(project: Project) -> None:
    before = files(project.folder)
    result = project.run("--database", str(project.folder / "absent" / "simulation.duckdb"))
    assert result.returncode == 1
    assert "the folder does not exist; make it or choose another --database" in result.stderr
    assert files(project.folder) == before


def test_a_folder_that_is_a_file(project: Project) -> None:
    result = project.run("--database", str(project.folder / "census.csv" / "simulation.duckdb"))
    assert result.returncode == 1
    assert "census.csv" in result.stderr
    assert "unexpected" not in result.stderr


def test_a_folder_of_the_system(project: Project) -> None:
    result = project.run("--database", "/proc/simulation.duckdb")
    assert result.returncode == 1
    assert "cannot create /proc/simulation.duckdb.lock" in result.stderr
    assert "choose another --database" in result.stderr


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "read only"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)


def test_a_read_only_folder(project: Project, read_only: Path) -> None:
    read_only.chmod(0o555)
    result = project.run("--database", str(read_only / "simulation.duckdb"), preexec_fn=give_up_privileges)
    assert result.returncode == 1
    assert "the folder may not be written; choose another --database" in result.stderr
    assert str(read_only) in result.stderr
    assert list(read_only.iterdir()) == []


@pytest.mark.model
@pytest.mark.parametrize("arguments", [pytest.param([], id="anew"), pytest.param(["--resume"], id="resume")])
def test_a_database_in_a_folder_that_became_read_only(read_only: Path, arguments: list[str]) -> None:
    project = Project.create(read_only, simulation={"end_year": 2025})
    project.simulate()
    before = files(read_only)
    read_only.chmod(0o555)
    result = project.run(*arguments, preexec_fn=give_up_privileges)
    assert result.returncode == 1
    assert "may not be written" in result.stderr
    assert "unexpected" not in result.stderr
    read_only.chmod(0o755)
    assert files(read_only) == before


@pytest.mark.model
def test_a_read_only_database_file(tmp_path: Path) -> None:
    project = Project.create(tmp_path, simulation={"end_year": 2025})
    project.simulate()
    before = files(tmp_path)
    project.database.chmod(0o444)
    result = project.run(preexec_fn=give_up_privileges)
    assert result.returncode == 1
    assert f"{project.database}: this folder or file may not be written" in result.stderr
    assert files(tmp_path) == before


@pytest.mark.parametrize("place", ["reports", pytest.param("checkpoints")])
def test_a_folder_of_reports_that_may_not_be_written_keeps_the_year(
    project: Project, read_only: Path, uninterrupted: Contents, place: str
) -> None:
    runtime = {"database": str(project.database), "threads": 1}
    sections: dict[str, dict[str, object]] = {
        "reports": {"reports": {"directory": str(read_only)}},
        "checkpoints": {"runtime": runtime | {"checkpoint_directory": str(read_only)}},
    }
    project.configure(**sections[place])
    read_only.chmod(0o555)
    result = project.run(preexec_fn=give_up_privileges)
    assert result.returncode == 1
    assert f"cannot write {read_only / 'year_2025.json'}: the folder may not be written" in result.stderr
    assert finished_years(project.database) == [2025]
    read_only.chmod(0o755)
    demand_completion(project, uninterrupted)
    assert {f"year_{year}.json" for year in YEARS} <= {path.name for path in read_only.iterdir()}
