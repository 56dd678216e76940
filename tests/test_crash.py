"""A run that is killed or interrupted at any moment loses no finished year, and resumes to the same results."""

import random
import re
import shutil
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
    finished,
    finished_years,
    of_years,
)
from tests.system_calls import Calls, killed_at_call, traced_calls

pytestmark = [pytest.mark.model, pytest.mark.process]

KILLED = -signal.SIGKILL
SOAK_YEARS = [2025, 2026, 2027, 2028, 2029]
# of both kinds of random kills: so many in every run, so many in a soak
KILLS, SOAK_KILLS = 4, 20
SEED = 20250101


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished run that nothing disturbed; tests work on copies of it."""
    project = Project.create(tmp_path_factory.mktemp("undisturbed"))
    project.simulate()
    return project


@pytest.fixture(scope="module")
def uninterrupted(undisturbed: Project) -> Contents:
    """What a run leaves that nothing disturbs."""
    return contents(undisturbed.database)


@pytest.fixture
def finished_project(undisturbed: Project, tmp_path: Path) -> Project:
    return Project.create(shutil.copytree(undisturbed.folder, tmp_path / "finished"))


@pytest.fixture(scope="module")
def uninterrupted_soak(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a run over the years of a soak leaves that nothing disturbs."""
    project = Project.create(tmp_path_factory.mktemp("soak"), simulation={"end_year": SOAK_YEARS[-1]})
    project.simulate()
    return contents(project.database)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


@pytest.fixture
def soak_project(tmp_path: Path) -> Project:
    return Project.create(tmp_path, simulation={"end_year": SOAK_YEARS[-1]})


def await_first_stage(stream: object) -> None:
    assert hasattr(stream, "readline")
    assert stream.readline() == f"{STARTED}\n"


def resume(project: Project) -> str:
    """Resume to the end and return what the run said."""
    result = finished(project.start("--resume"))
    assert result.returncode == 0, result.stderr
    return result.stderr


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def documented(years: list[int]) -> list[str]:
    """The files of a finished run, without its lock."""
    reports = [f"reports/year_{year}.json" for year in years]
    copies = [f".navigator_checkpoints/year_{year}.json" for year in years]
    summary = f"reports/multi_year_summary_{years[0]}_{years[-1]}.csv"
    return sorted(["census.csv", "config.yaml", "simulation.duckdb", "run_vars.json", summary, *reports, *copies])


def demand_complete(project: Project, uninterrupted: Contents, years: list[int] = YEARS) -> None:
    """The results are those of an uninterrupted run, and so are the files beside the database."""
    assert finished_years(project.database) == years
    assert contents(project.database) == uninterrupted
    assert sorted(files(project.folder)) == documented(years)


def demand_finished_years(project: Project, uninterrupted: Contents) -> None:
    """What a killed run had committed is whole; a database that was not there yet has nothing to lose."""
    if project.database.exists():
        kept = finished_years(project.database)
        assert kept == SOAK_YEARS[: len(kept)]
        assert of_years(contents(project.database), kept) == of_years(uninterrupted, kept)


def test_a_run_leaves_the_documented_files_and_nothing_else(project: Project, uninterrupted: Contents) -> None:
    assert finished(project.start()).returncode == 0
    demand_complete(project, uninterrupted)
    beside = {path.name for path in project.folder.iterdir()}
    folders = {"reports", ".navigator_checkpoints"}
    assert beside == folders | {name for name in documented(YEARS) if "/" not in name} | {"simulation.duckdb.lock"}


# --- at random times --------------------------------------------------------------------------------------------------


def time_a_run(project: Project) -> float:
    """Return how many seconds a child simulates, from its first stage to its end."""
    child = project.start_child()
    await_first_stage(child.stdout)
    began = time.perf_counter()
    child.communicate(timeout=60)
    return time.perf_counter() - began


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    return time_a_run(Project.create(tmp_path_factory.mktemp("timed")))


@pytest.fixture(scope="module")
def soak_seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    return time_a_run(Project.create(tmp_path_factory.mktemp("timed"), simulation={"end_year": SOAK_YEARS[-1]}))


def shares(count: int) -> list[float]:
    """Return parts of a run's time, drawn from a seed."""
    draw = random.Random(SEED)
    return [draw.random() for _ in range(count)]


def kill_at(project: Project, seconds: float) -> None:
    """Kill a run so many seconds after the beginning of its first stage."""
    child = project.start_child()
    await_first_stage(child.stdout)
    time.sleep(seconds)
    child.kill()
    child.communicate(timeout=60)


@pytest.mark.parametrize("share", shares(KILLS), ids=lambda share: f"at-{share:.3f}")
def test_kill_at_a_random_moment(project: Project, uninterrupted: Contents, seconds: float, share: float) -> None:
    kill_at(project, share * seconds)
    demand_finished_years(project, uninterrupted)
    resume(project)
    demand_complete(project, uninterrupted)


@pytest.mark.soak
@pytest.mark.parametrize("share", shares(SOAK_KILLS), ids=lambda share: f"at-{share:.3f}")
def test_kill_at_many_random_moments_of_five_years(
    soak_project: Project, uninterrupted_soak: Contents, soak_seconds: float, share: float
) -> None:
    kill_at(soak_project, share * soak_seconds)
    demand_finished_years(soak_project, uninterrupted_soak)
    resume(soak_project)
    demand_complete(soak_project, uninterrupted_soak, SOAK_YEARS)


# --- at system calls --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """The system calls of a run at which it can be killed."""
    return traced_calls(Project.create(tmp_path_factory.mktemp("traced")))


@pytest.fixture(scope="module")
def soak_calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    return traced_calls(Project.create(tmp_path_factory.mktemp("traced"), simulation={"end_year": SOAK_YEARS[-1]}))


def drawn_call(calls: Calls, number: int) -> tuple[str, int]:
    """Draw a kind of call and then one of that kind: the few renames come up as often as the many writes."""
    draw = random.Random(f"{SEED} {number}")
    name = draw.choice(sorted(calls))
    return name, draw.choice(calls[name])


@pytest.mark.parametrize("number", range(KILLS))
def test_kill_at_a_random_system_call(project: Project, uninterrupted: Contents, calls: Calls, number: int) -> None:
    """The call itself is not carried out any more, so that what it would have done is the first thing missing."""
    assert killed_at_call(project, *drawn_call(calls, number)) == KILLED
    demand_finished_years(project, uninterrupted)
    resume(project)
    demand_complete(project, uninterrupted)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(SOAK_KILLS))
def test_kill_at_many_random_system_calls_of_five_years(
    soak_project: Project, uninterrupted_soak: Contents, soak_calls: Calls, number: int
) -> None:
    assert killed_at_call(soak_project, *drawn_call(soak_calls, number)) == KILLED
    demand_finished_years(soak_project, uninterrupted_soak)
    resume(soak_project)
    demand_complete(soak_project, uninterrupted_soak, SOAK_YEARS)


# --- at chosen moments ------------------------------------------------------------------------------------------------


def test_kill_again_and_again(project: Project, uninterrupted: Contents) -> None:
    for year in YEARS:
        moment = f"{year}:state_accumulation:end"
        assert project.run_child("--resume", "--kill", moment).returncode == KILLED
    resume(project)
    demand_complete(project, uninterrupted)


@pytest.mark.parametrize("year", [2025, 2026, 2027])
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
        ),
        pytest.param(("--kill", "2026:reporting:end"), id="after-the-reports"),
    ],
)
def test_kill_right_after_the_commit_keeps_the_year(
    project: Project, uninterrupted: Contents, moment: tuple[str, str]
) -> None:
    """The year is not simulated again, and the resumed run makes up for the files it could not write any more."""
    assert project.run_child(*moment).returncode == KILLED
    assert re.findall(r"(\d+) finished in", resume(project)) == ["2027"]
    demand_complete(project, uninterrupted)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param("os.rename:reports/year_2027", id="last-year-report"),
        pytest.param("os.rename:checkpoints/year_2027", id="last-checkpoint-copy"),
        pytest.param("os.rename:multi_year_summary", id="summary"),
        pytest.param("os.rename:run_vars", id="variables"),
    ],
)
def test_kill_after_the_last_commit_leaves_only_reports_to_write(
    project: Project, uninterrupted: Contents, operation: str
) -> None:
    assert project.run_child("--kill-before", operation).returncode == KILLED
    assert re.findall(r"(\d+) finished in", resume(project)) == []
    demand_complete(project, uninterrupted)


@pytest.mark.parametrize("go_on", ["--resume", "anew"])
@pytest.mark.parametrize("year", [2025, 2027])
def test_kill_while_a_commit_is_being_written(project: Project, uninterrupted: Contents, year: int, go_on: str) -> None:
    """The write-ahead log grows while a commit is written, which takes a few steps; the kill comes at the first."""
    log = project.database.with_name(f"{project.database.name}.wal")
    child = project.start_child()
    await_first_stage(child.stdout)
    before = project.folder / f".navigator_checkpoints/year_{year - 1}.json" if year > YEARS[0] else project.folder
    while not before.exists():
        time.sleep(0.001)
    size = size_of(log)
    while size_of(log) <= size and child.poll() is None:
        pass
    child.kill()
    child.communicate(timeout=60)
    result = finished(project.start(*(["--resume"] if go_on == "--resume" else [])))
    assert result.returncode == 0, result.stderr
    assert contents(project.database) == uninterrupted


def test_kill_while_a_commit_is_moved_into_the_file(tmp_path: Path) -> None:
    """The commit of a large year grows the file instead of the log; the kill comes at the first growth."""
    project = Project.create(tmp_path, people=MANY_PEOPLE)
    found = []
    for year in (2025, 2027):
        project.database.unlink(missing_ok=True)
        child = project.start_child()
        await_first_stage(child.stdout)
        before = project.folder / f".navigator_checkpoints/year_{year - 1}.json"
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
        pytest.param("os.rename:_backup", id="before-anything-moves"),
        pytest.param("os.rename:/simulation.duckdb', .*_backup", id="before-the-old-database-moves"),
        pytest.param("os.remove:year_2026.json", id="while-old-reports-go"),
    ],
)
def test_kill_while_the_old_database_is_set_aside(
    finished_project: Project, uninterrupted: Contents, operation: str
) -> None:
    """Whatever the moment, the old results are in the database or in its backup."""
    project = finished_project
    project.simulate()
    project.configure(simulation={"random_seed": 43, "end_year": 2026})
    assert project.run_child("--kill-before", operation).returncode == KILLED
    backup = project.folder / "simulation_backup.duckdb"
    kept = project.database if project.database.exists() and finished_years(project.database) == YEARS else backup
    assert contents(kept) == uninterrupted
    result = finished(project.start())
    assert result.returncode == 0, result.stderr
    assert finished_years(project.database) == [2025, 2026]
    assert contents(backup) == uninterrupted


@pytest.mark.parametrize("moment", ["2025:foundation:end", "2025:validation:end"])
def test_kill_in_the_first_year_keeps_the_old_results_as_backup(
    finished_project: Project, uninterrupted: Contents, moment: str
) -> None:
    project = finished_project
    project.configure(simulation={"random_seed": 43})
    assert project.run_child("--kill", moment).returncode == KILLED
    assert contents(project.folder / "simulation_backup.duckdb") == uninterrupted
    resume(project)
    assert finished_years(project.database) == YEARS
    assert contents(project.folder / "simulation_backup.duckdb") == uninterrupted


@pytest.mark.parametrize("wanted", [0, 1, 2])
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


def test_interrupt_in_the_first_year_brings_the_old_database_back(
    finished_project: Project, uninterrupted: Contents
) -> None:
    project = finished_project
    project.configure(simulation={"random_seed": 43})
    before = files(project.folder)
    result = project.run_child("--interrupt", "2025:foundation:end")
    assert result.returncode == -signal.SIGINT
    assert files(project.folder) == before
    assert contents(project.database) == uninterrupted


def test_interrupt_of_the_library_is_a_keyboard_interrupt_and_keeps_the_years(project: Project) -> None:
    """Wherever it strikes, also in the middle of a query, of which DuckDB makes another error."""
    project.configure(simulation={"end_year": 2036})
    child = project.start_child()
    await_first_stage(child.stdout)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert finished(project.start("--resume", "--years", "2025-2027")).returncode == 0
    assert finished_years(project.database)[: len(YEARS)] == YEARS
