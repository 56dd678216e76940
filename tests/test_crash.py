"""A run that is killed or interrupted at any moment loses no finished year, and resumes to the same results."""

import random
import re
import signal
import time
from pathlib import Path

import pytest

from tests.crash_child import (
    MANY_PEOPLE,
    STARTED,
    YEARS,
    Contents,
    Project,
    contents,
    files,
    finished_years,
    of_years,
)

KILLED = -signal.SIGKILL
REPORTS = [f"reports/year_{year}.json" for year in YEARS]
COPIES = [f".navigator_checkpoints/year_{year}.json" for year in YEARS]
SUMMARY = "reports/multi_year_summary_2025_2029.csv"
DOCUMENTED = sorted(["census.csv", "config.yaml", "simulation.duckdb", "run_vars.json", SUMMARY, *REPORTS, *COPIES])
_DRAW = random.Random(20250101)
MOMENTS = [_DRAW.random() for _ in range(20)]
IN_EVERY_FAST_RUN = 2


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a run leaves that nothing disturbs."""
    return contents(finished_project(tmp_path_factory.mktemp("uninterrupted")).database)


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a child simulates, from its first stage to its end."""
    child = Project.create(tmp_path_factory.mktemp("timed")).start_child()
    await_first_stage(child.stdout)
    began = time.perf_counter()
    child.communicate(timeout=60)
    return time.perf_counter() - began


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


def finished_project(folder: Path, database: str = "simulation.duckdb") -> Project:
    project = Project.create(folder, database)
    project.simulate()
    return project


def await_first_stage(stream: object) -> None:
    assert hasattr(stream, "readline")
    assert stream.readline() == f"{STARTED}\n"


def resume(project: Project) -> str:
    """Resume to the end and return what the run said."""
    result = project.run("--resume")
    assert result.returncode == 0, result.stderr
    return result.stderr


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def demand_complete(project: Project, uninterrupted: Contents) -> None:
    """The results are those of an uninterrupted run, and so are the files beside the database."""
    assert finished_years(project.database) == YEARS
    assert contents(project.database) == uninterrupted
    assert sorted(files(project.folder)) == DOCUMENTED


def test_a_run_leaves_the_documented_files_and_nothing_else(project: Project, uninterrupted: Contents) -> None:
    assert project.run().returncode == 0
    demand_complete(project, uninterrupted)
    beside = {path.name for path in project.folder.iterdir()}
    folders = {"reports", ".navigator_checkpoints"}
    assert beside == folders | {name for name in DOCUMENTED if "/" not in name} | {"simulation.duckdb.lock"}


@pytest.mark.parametrize(
    "share",
    [
        pytest.param(share, id=f"at-{share:.3f}", marks=() if number < IN_EVERY_FAST_RUN else pytest.mark.slow)
        for number, share in enumerate(MOMENTS)
    ],
)
def test_kill_at_a_random_moment(project: Project, uninterrupted: Contents, seconds: float, share: float) -> None:
    child = project.start_child()
    await_first_stage(child.stdout)
    time.sleep(share * seconds)
    child.kill()
    child.communicate(timeout=60)
    resume(project)
    demand_complete(project, uninterrupted)


@pytest.mark.slow
def test_kill_again_and_again(project: Project, uninterrupted: Contents) -> None:
    for year in YEARS:
        moment = f"{year}:state_accumulation:end"
        assert project.run_child("--resume", "--kill", moment).returncode == KILLED
    resume(project)
    demand_complete(project, uninterrupted)


@pytest.mark.parametrize("year", [2025, *(pytest.param(year, marks=pytest.mark.slow) for year in (2027, 2029))])
def test_kill_after_the_last_stage_loses_that_year_only(project: Project, uninterrupted: Contents, year: int) -> None:
    assert project.run_child("--kill", f"{year}:validation:end").returncode == KILLED
    said = resume(project)
    assert f"resumed after {year - 1}" in said if year > YEARS[0] else "there was no finished year to resume" in said
    assert re.findall(r"(\d+) finished in", said) == [str(later) for later in YEARS if later >= year]
    demand_complete(project, uninterrupted)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(("--kill", "2026:reporting:begin"), id="before-the-reports"),
        pytest.param(("--kill-before", "os.rename:reports/year_2026"), id="within-the-report"),
        pytest.param(
            ("--kill-before", "os.rename:checkpoints/year_2026"),
            id="between-report-and-checkpoint-copy",
            marks=pytest.mark.slow,
        ),
        pytest.param(("--kill", "2026:reporting:end"), id="after-the-reports", marks=pytest.mark.slow),
    ],
)
def test_kill_right_after_the_commit_keeps_the_year(
    project: Project, uninterrupted: Contents, moment: tuple[str, str]
) -> None:
    """The year is not simulated again, and the resumed run makes up for the files it could not write any more."""
    assert project.run_child(*moment).returncode == KILLED
    assert re.findall(r"(\d+) finished in", resume(project)) == ["2027", "2028", "2029"]
    demand_complete(project, uninterrupted)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param("os.rename:reports/year_2029", id="last-year-report", marks=pytest.mark.slow),
        pytest.param("os.rename:checkpoints/year_2029", id="last-checkpoint-copy", marks=pytest.mark.slow),
        pytest.param("os.rename:multi_year_summary", id="summary"),
        pytest.param("os.rename:run_vars", id="variables", marks=pytest.mark.slow),
    ],
)
def test_kill_after_the_last_commit_leaves_only_reports_to_write(
    project: Project, uninterrupted: Contents, operation: str
) -> None:
    assert project.run_child("--kill-before", operation).returncode == KILLED
    assert re.findall(r"(\d+) finished in", resume(project)) == []
    demand_complete(project, uninterrupted)


@pytest.mark.parametrize("go_on", ["--resume", "anew"])
@pytest.mark.parametrize("year", [2025, *(pytest.param(year, marks=pytest.mark.slow) for year in (2026, 2028))])
def test_kill_while_a_commit_is_being_written(project: Project, uninterrupted: Contents, year: int, go_on: str) -> None:
    """The write-ahead log grows while a commit is written, which takes a few steps; the kill comes at the first."""
    log = project.database.with_name(f"{project.database.name}.wal")
    child = project.start_child()
    await_first_stage(child.stdout)
    before = project.folder / COPIES[YEARS.index(year) - 1] if year > YEARS[0] else project.folder
    while not before.exists():
        time.sleep(0.001)
    size = size_of(log)
    while size_of(log) <= size and child.poll() is None:
        pass
    child.kill()
    child.communicate(timeout=60)
    result = project.run(*(["--resume"] if go_on == "--resume" else []))
    assert result.returncode == 0, result.stderr
    assert contents(project.database) == uninterrupted


@pytest.mark.slow
def test_kill_while_a_commit_is_moved_into_the_file(tmp_path: Path) -> None:
    """The commit of a large year grows the file instead of the log; the kill comes at the first growth."""
    project = Project.create(tmp_path, people=MANY_PEOPLE)
    found = []
    for year in (2025, 2027):
        project.database.unlink(missing_ok=True)
        child = project.start_child()
        await_first_stage(child.stdout)
        before = project.folder / COPIES[YEARS.index(year) - 1]
        while year > YEARS[0] and not before.exists():
            time.sleep(0.001)
        size = size_of(project.database)
        while size_of(project.database) <= size and child.poll() is None:
            pass
        child.kill()
        assert child.wait(60) == KILLED
        child.communicate()
        resume(project)
        found.append(contents(project.database))
    project.database.unlink()
    project.simulate()
    assert found == [contents(project.database)] * 2


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param("os.rename:_backup", id="before-anything-moves", marks=pytest.mark.slow),
        pytest.param("os.rename:/simulation.duckdb', .*_backup", id="before-the-old-database-moves"),
        pytest.param("os.remove:year_2026.json", id="while-old-reports-go", marks=pytest.mark.slow),
    ],
)
def test_kill_while_the_old_database_is_set_aside(tmp_path: Path, uninterrupted: Contents, operation: str) -> None:
    """Whatever the moment, the old results are in the database or in its backup."""
    project = finished_project(tmp_path)
    project.simulate()
    project.configure(simulation={"random_seed": 43, "end_year": 2026})
    assert project.run_child("--kill-before", operation).returncode == KILLED
    backup = tmp_path / "simulation_backup.duckdb"
    kept = project.database if project.database.exists() and finished_years(project.database) == YEARS else backup
    assert contents(kept) == uninterrupted
    result = project.run()
    assert result.returncode == 0, result.stderr
    assert finished_years(project.database) == [2025, 2026]
    assert contents(backup) == uninterrupted


@pytest.mark.parametrize("moment", [pytest.param("2025:foundation:end", marks=pytest.mark.slow), "2025:validation:end"])
def test_kill_in_the_first_year_keeps_the_old_results_as_backup(
    tmp_path: Path, uninterrupted: Contents, moment: str
) -> None:
    project = finished_project(tmp_path)
    project.configure(simulation={"random_seed": 43})
    assert project.run_child("--kill", moment).returncode == KILLED
    assert contents(tmp_path / "simulation_backup.duckdb") == uninterrupted
    resume(project)
    assert finished_years(project.database) == YEARS
    assert contents(tmp_path / "simulation_backup.duckdb") == uninterrupted


@pytest.mark.parametrize("wanted", [1, *(pytest.param(years, marks=pytest.mark.slow) for years in (0, 2, 4))])
def test_interrupt_keeps_the_finished_years_and_says_how_to_go_on(
    project: Project, uninterrupted: Contents, wanted: int
) -> None:
    """Ctrl-C when so many years are finished, and many more are to come, so that the run is never over before."""
    run = project.start("-v", "--years", "2025-2036")
    assert run.stderr is not None
    line = run.stderr.readline()
    while f"{YEARS[wanted]} foundation" not in line:
        line = run.stderr.readline()
    run.send_signal(signal.SIGINT)
    output, said = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert "Traceback" not in output
    kept = finished_years(project.database) if project.database.exists() else []
    assert kept == list(range(YEARS[0], YEARS[0] + len(kept)))
    assert len(kept) >= wanted
    if kept:
        assert f"finished years are kept ({', '.join(map(str, kept))})" in said
        assert "--resume" in said
        assert of_years(contents(project.database), kept) == of_years(uninterrupted, kept)
    else:
        assert "finished no year" in said
    resume(project)
    assert of_years(contents(project.database), YEARS) == of_years(uninterrupted, YEARS)


def test_interrupt_in_the_first_year_brings_the_old_database_back(tmp_path: Path, uninterrupted: Contents) -> None:
    project = finished_project(tmp_path)
    project.configure(simulation={"random_seed": 43})
    before = files(tmp_path)
    result = project.run_child("--interrupt", "2025:foundation:end")
    assert result.returncode == -signal.SIGINT
    assert files(tmp_path) == before
    assert contents(project.database) == uninterrupted


@pytest.mark.slow
def test_interrupt_of_the_library_is_a_keyboard_interrupt_and_keeps_the_years(project: Project) -> None:
    """Wherever it strikes, also in the middle of a query, of which DuckDB makes another error."""
    project.configure(simulation={"end_year": 2036})
    child = project.start_child()
    await_first_stage(child.stdout)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert project.run("--resume", "--years", "2025-2029").returncode == 0
    assert finished_years(project.database)[: len(YEARS)] == YEARS
