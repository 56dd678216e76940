"""`--resume`: goes on only where everything that decides the results is what it was, and says what is not."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator import project as project_files
from planalign_orchestrator.errors import DatabaseError, ResumeError
from planalign_orchestrator.pipeline import RunArtifacts
from tests.crash_child import Contents, Project, contents, edit, files, finished_years, of_years

pytestmark = pytest.mark.model

YEARS = [2025, 2026]
HORIZON = {"simulation.end_year": YEARS[-1]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Path:
    """The folder of a project whose two years are simulated; copied, never changed."""
    project = Project.create(tmp_path_factory.mktemp("made"))
    project.simulate(HORIZON)
    return project.folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    return Project.create(folder)


@pytest.fixture(scope="module")
def three_years(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Contents:
    """What a run over three years leaves that is not interrupted."""
    project = Project.create(tmp_path_factory.mktemp("three"))
    project.simulate()
    return contents(project.database)


def resume(project: Project, overrides: dict[str, Any] | None = None) -> RunArtifacts:
    return project.simulate(HORIZON | (overrides or {}), resume=True)


def refusal(project: Project, overrides: dict[str, Any] | None = None) -> str:
    """Resume in vain: the message, after proof that nothing was changed."""
    before = files(project.folder)
    with pytest.raises(ResumeError) as caught:
        resume(project, {"simulation.end_year": 2028} | (overrides or {}))
    assert files(project.folder) == before
    message = str(caught.value)
    assert str(project.database) in message
    assert "run without --resume to start again (the present file is kept as a backup)" in message
    return message


def rewrite_census(project: Project, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    path = project.folder / "census.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = change(list(csv.DictReader(file)))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


# --- what was changed is named ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "difference"),
    [
        ("simulation.random_seed", 43, "simulation.random_seed: was 42, is now 43"),
        ("simulation.target_growth_rate", "0.05", "simulation.target_growth_rate: was 0.03, is now 0.05"),
        ("simulation.start_year", 2026, "simulation.start_year: was 2025, is now 2026"),
        ("scenario_id", "other", "scenario_id: was baseline, is now other"),
        ("workforce.headcount_mode", "stochastic", "workforce.headcount_mode: was exact, is now stochastic"),
        ("workforce.exit_timing", "[1,0,0,0,0,0,0,0,0,0,0,0]", "workforce.exit_timing"),
        ("compensation.cola_rate", "0.01", "compensation.cola_rate: was 0.02, is now 0.01"),
        (
            "changes.2026.compensation.cola_rate",
            "0.05",
            "compensation.cola_rate: was 0.02, is now 0.05 (in 2026)",
        ),
        ("compensation.promotion.effective_date", "03-01", "compensation.promotion.effective_date"),
        ("workforce.level_mix", "{1: 1}", "workforce.level_mix.1: was not set, is now 1"),
        ("validation.maximum_hire_rate", "0.5", "validation.maximum_hire_rate: was 0.6, is now 0.5"),
    ],
)
def test_a_changed_key_is_refused_by_name(project: Project, key: str, value: object, difference: str) -> None:
    assert difference in refusal(project, {key: value})


def test_every_difference_is_named_at_once(project: Project) -> None:
    rewrite_census(project, lambda rows: rows[1:])
    changes = {"simulation.random_seed": 43, "workforce.total_termination_rate": "0.2"}
    message = refusal(project, changes | {"parameters.merit_by_level": str(changed_table(project))})
    for name in ("simulation.random_seed", "workforce.total_termination_rate", "parameters.merit_by_level", "census"):
        assert len(re.findall(rf"^  - {name}:", message, re.MULTILINE)) == 1


def changed_table(project: Project) -> Path:
    """Write the default table of merit rates with another rate for level 1."""
    text = (project_files.default_tables() / "merit_by_level.csv").read_text(encoding="utf-8")
    path = project.folder / "merit_by_level.csv"
    path.write_text(text.replace("1,0.035,", "1,0.036,"), encoding="utf-8")
    return path


def test_a_changed_parameter_table_is_refused_by_name(project: Project) -> None:
    message = refusal(project, {"parameters.merit_by_level": str(changed_table(project))})
    assert "parameters.merit_by_level: the table has other rows" in message


def test_a_table_with_the_same_rows_written_otherwise_is_the_same_table(
    project: Project, three_years: Contents
) -> None:
    path = project.folder / "mine.csv"
    path.write_text(
        "merit_rate,source,level_id\n"
        "0.0550,planning default,5\n0.05,planning default,4\n 0.045 ,planning default,3\n"
        ".04,planning default,2.0\n3.5e-2,planning default,1\n",
        encoding="utf-8",
    )
    project.simulate({"parameters.merit_by_level": str(path)}, resume=True)
    assert contents(project.database) == three_years


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows[1:], id="one person less"),
        pytest.param(lambda rows: [*rows, rows[0] | {"employee_id": "NEW"}], id="one person more"),
        pytest.param(lambda rows: [rows[0] | {"employee_gross_compensation": "61234.56"}, *rows[1:]], id="other pay"),
        pytest.param(lambda rows: [rows[0] | {"department": "Elsewhere"}, *rows[1:]], id="other department"),
    ],
)
def test_a_changed_census_is_refused(
    project: Project, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]
) -> None:
    rewrite_census(project, change)
    assert "census: its people are not those of the run" in refusal(project)


@pytest.mark.dbt
def test_a_changed_model_is_refused(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tmp_path / "dbt"
    shutil.copytree(project_files.dbt_project(), models, ignore=shutil.ignore_patterns("target", "logs"))
    calendar = models / "models" / "staging" / "stg_calendar.sql"
    calendar.write_text(calendar.read_text(encoding="utf-8") + "\n-- changed", encoding="utf-8")
    monkeypatch.setattr(project_files, "dbt_project", lambda: models)
    assert re.search(r"model: the SQL models changed \(was \w+, is now \w+\)", refusal(project))


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            'fingerprints = json_merge_patch(fingerprints, \'{"model": "abc"}\')',
            "model: the SQL models changed (was abc",
        ),
        ("duckdb_version = '1.4.0'", "DuckDB: was 1.4.0, is now"),
    ],
)
def test_results_of_another_model_or_duckdb_are_not_continued(project: Project, change: str, difference: str) -> None:
    edit(project.database, f"update checkpoints set {change}")
    assert difference in refusal(project)


# --- what does not matter ---------------------------------------------------------------------------------------------


def test_the_order_and_the_writing_of_the_census_do_not_matter(project: Project, three_years: Contents) -> None:
    """Rows turned round, other headings, American dates, money with signs: the same people."""

    def rewrite(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        for row in rows:
            row["Annual salary"] = f"${float(row.pop('employee_gross_compensation')):,.2f} "
            for name in [name for name in row if name.endswith("_date") and row[name]]:
                year, month, day = row[name].split("-")
                row[name] = f"{month}/{day}/{year}"
        return rows[::-1]

    rewrite_census(project, rewrite)
    census = {"census.columns": '{employee_gross_compensation: "Annual salary"}', "census.date_format": "%m/%d/%Y"}
    project.simulate(census, resume=True)
    years = [2025, 2026, 2027]
    assert of_years(contents(project.database), years) == of_years(three_years, years)


def test_shuffled_rows_alone_do_not_matter(project: Project) -> None:
    rewrite_census(project, lambda rows: rows[::-1])
    resume(project, {"simulation.end_year": 2027})
    assert finished_years(project.database) == [2025, 2026, 2027]


def test_where_the_files_lie_does_not_matter(project: Project, three_years: Contents) -> None:
    moved = project.folder.with_name("moved")
    project.folder.rename(moved)
    (moved / "simulation.duckdb").rename(moved / "renamed.duckdb")
    (moved / "census.csv").rename(moved / "people.csv")
    project = Project(moved, moved / "renamed.duckdb")
    settings = {"census.path": str(moved / "people.csv"), "runtime.database": str(project.database)}
    project.simulate(settings | {"runtime.threads": 2, "validation.examples": 0}, resume=True)
    assert contents(project.database) == three_years


def test_lost_or_foreign_copies_of_checkpoints_do_not_matter(project: Project, three_years: Contents) -> None:
    shutil.rmtree(project.folder / ".navigator_checkpoints")
    shutil.rmtree(project.folder / "reports")
    project.simulate(resume=True)
    assert contents(project.database) == three_years
    for folder in (".navigator_checkpoints", "reports"):
        found = {path.name for path in (project.folder / folder).glob("year_*.json")}
        assert found == {f"year_{year}.json" for year in range(2025, 2028)}


# --- how far it goes --------------------------------------------------------------------------------------------------


def test_more_years_extend_a_finished_run(project: Project, three_years: Contents) -> None:
    artifacts = project.simulate(resume=True)
    assert "resumed after 2026" in artifacts.notes
    assert artifacts.backup is None
    assert contents(project.database) == three_years


def test_rates_of_years_to_come_may_still_be_set(project: Project) -> None:
    rates = {"changes.2027.compensation.cola_rate": "0.05"}
    resume(project, {"simulation.end_year": 2027} | rates)
    fresh = Project.create(project.folder.with_name("fresh"))
    fresh.simulate({"simulation.end_year": 2027, **rates})
    assert contents(project.database) == contents(fresh.database)


@pytest.mark.parametrize("end_year", [2026, 2025], ids=["the same years", "fewer years"])
def test_a_finished_run_is_left_as_it_is_and_says_so(project: Project, end_year: int) -> None:
    before = contents(project.database)
    artifacts = resume(project, {"simulation.end_year": end_year})
    assert contents(project.database) == before
    assert any("nothing" in note for note in artifacts.notes), artifacts.notes
    assert not (project.folder / "simulation_backup.duckdb").exists()


def test_without_a_database_it_begins_with_the_first_year(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    artifacts = resume(project)
    assert finished_years(project.database) == YEARS
    assert "there was no finished year to resume, so the run began with the first one" in artifacts.notes


@pytest.mark.process
def test_the_database_remembers_every_run(project: Project) -> None:
    project.simulate({"simulation.end_year": 2027}, resume=True)
    status = project.run("--resume", "--set", "simulation.end_year=2028")
    assert status.returncode == 0, status.stderr
    import duckdb

    with duckdb.connect(str(project.database), read_only=True) as connection:
        runs = connection.execute(
            "select r.requested_end_year, list(c.simulation_year order by c.simulation_year) from run_metadata as r "
            "inner join checkpoints as c using (run_id) group by all order by 1"
        ).fetchall()
    assert runs == [(2026, [2025, 2026]), (2027, [2027]), (2028, [2028])]


# --- what was changed by hand -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("update fct_workforce_snapshot set {year_condition}", ("fct_workforce_snapshot", "2026")),
        (
            "update fct_annual_metrics set value = value + 1 where simulation_year = 2026",
            ("fct_annual_metrics", "2026"),
        ),
        (
            "update fct_annual_metrics set value = value + 1 where simulation_year = 2025",
            ("fct_annual_metrics", "2025"),
        ),
        ("delete from fct_yearly_events where simulation_year = 2025", ("fct_yearly_events", "[2026]", "[2025, 2026]")),
        (
            "delete from fct_annual_metrics where simulation_year = 2026",
            ("fct_annual_metrics", "[2025]", "[2025, 2026]"),
        ),
        (
            "insert into dim_employee select * replace (2030 as simulation_year) from dim_employee limit 1",
            ("dim_employee", "2030"),
        ),
        (
            "insert into dim_employee select * from dim_employee where simulation_year = 2026 limit 1",
            ("dim_employee", "2026"),
        ),
        ("delete from checkpoints where simulation_year = 2026", ("[2025, 2026]", "[2025]")),
        ("delete from checkpoints where simulation_year = 2025", ("[2025, 2026]", "[2026]")),
        ("drop table fct_yearly_events", ("fct_yearly_events",)),
        ("alter table fct_yearly_events drop column event_details", ("fct_yearly_events",)),
        ("update parameters.merit_by_level set merit_rate = 0.01", ("parameters.merit_by_level",)),
        ("delete from parameters.job_levels", ("parameters.job_levels",)),
        ("delete from inputs.census where row_number <= 10", ("inputs.census",)),
    ],
)
def test_a_database_that_was_changed_by_hand_is_not_continued(
    project: Project, statement: str, named: tuple[str, ...]
) -> None:
    statement = statement.format(year_condition="employee_id = employee_id || 'x' where simulation_year = 2026")
    edit(project.database, statement)
    before = files(project.folder)
    with pytest.raises(DatabaseError) as caught:
        project.simulate(resume=True)
    message = str(caught.value)
    for text in (str(project.database), *named, "run again without --resume"):
        assert text in message
    assert files(project.folder) == before


def test_a_database_that_was_changed_by_hand_stays_a_backup_of_a_new_run(project: Project) -> None:
    edit(project.database, "delete from fct_yearly_events where simulation_year = 2025")
    changed = contents(project.database)
    project.simulate(HORIZON)
    assert contents(project.folder / "simulation_backup.duckdb") == changed


# --- on the command line ----------------------------------------------------------------------------------------------


@pytest.mark.process
def test_a_refusal_is_a_message_and_exit_code_2(project: Project) -> None:
    before = files(project.folder)
    result = project.run("--resume", "--seed", "43", "--years", "2025-2027")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert "simulation.random_seed: was 42, is now 43" in result.stderr
    assert "Traceback" not in result.stderr
    assert files(project.folder) == before


@pytest.mark.process
def test_going_on_is_noted(project: Project, three_years: Contents) -> None:
    result = project.run("--resume")
    assert result.returncode == 0
    assert "resumed after 2026" in result.stderr
    assert "2027 finished" in result.stderr
    assert "2026 finished" not in result.stderr
    assert contents(project.database) == three_years
