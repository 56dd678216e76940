"""The engine `dbt` gives what the native one gives, and whatever stops it leaves a message and an intact database."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pytest

from planalign_orchestrator import project
from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.database import checkpoints, resuming
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import ConfigurationError, PipelineStageError
from planalign_orchestrator.factory import build_orchestrator
from planalign_orchestrator.model import load_compiled_model
from planalign_orchestrator.pipeline import PipelineOrchestrator, ProgressEvent, WorkflowStage
from tests.crash_child import Project, limit_files
from tests.tiers import sampled

pytestmark = [pytest.mark.model, pytest.mark.dbt]

DESIGNS = ("simulation_config", "integrated_core", "stretch_match")
YEARS = [2025, 2026, 2027]
HOLD = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Project:
    """A finished native run of two years; tests work on copies of it."""
    shop = Project.create(tmp_path_factory.mktemp("shop"), simulation={"start_year": 2025, "end_year": 2026})
    shop.simulate()
    return shop


@pytest.fixture
def copy(shop: Project, tmp_path: Path) -> Project:
    shutil.copytree(shop.folder, tmp_path / "copy")
    return Project.create(tmp_path / "copy", simulation={"start_year": 2025, "end_year": 2027})


def orchestrator(
    shop: Project, on_progress: Callable[[ProgressEvent], None] | None = None, *, dbt: DbtRunner | None = None
) -> PipelineOrchestrator:
    config = load_simulation_config(shop.config, overrides={"runtime.engine": "dbt", "runtime.threads": 1})
    if dbt is None:
        return build_orchestrator(config, on_progress=on_progress)
    manager = DatabaseConnectionManager(config.runtime.database, threads=1)
    return PipelineOrchestrator(config, manager, dbt, on_progress=on_progress)


def demand_intact(shop: Project, years: list[int]) -> None:
    """Exactly these years are in the database, whole, and nothing of another one is."""
    plan = load_compiled_model()
    with DatabaseConnectionManager(shop.database, threads=1) as db:
        status = checkpoints.read_state(db)
        assert status is not None
        assert status.years == years
        resuming.verify_years(db.get_connection(), status, plan.marts)
        assert {run["run_id"] for run in status.runs} == {row["run_id"] for row in status.checkpoints}
        schemas = db.get_connection().execute(
            "select schema_name from information_schema.schemata where catalog_name = 'planalign' order by all"
        )
        assert [name for (name,) in schemas.fetchall()] == ["inputs", "main", "parameters"]


@pytest.mark.parametrize("name", sampled(DESIGNS, 1))
def test_both_engines_give_the_same_marts(tmp_path: Path, name: str) -> None:
    by_engine = {}
    for engine in ("native", "dbt"):
        by_engine[engine] = Project.create(tmp_path / engine)
        shipped = project.config_template().with_name(f"{name}.yaml")
        by_engine[engine].config.write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
        where = ("--set", f"census.path={tmp_path / engine / 'census.csv'}", "--database", "simulation.duckdb")
        result = by_engine[engine].run("--engine", engine, "-q", "--years", "2025-2027", *where)
        assert result.returncode == 0, result.stderr
    native, dbt = (checkpoints.read_status(by_engine[engine].database) for engine in ("native", "dbt"))
    assert native.years == dbt.years == YEARS
    assert [row["digests"] for row in native.checkpoints] == [row["digests"] for row in dbt.checkpoints]
    assert {row["engine"] for row in dbt.checkpoints} == {"dbt"}
    verdicts = [[(rule["rule"], rule["passed"]) for rule in row["validation"]] for row in dbt.checkpoints]
    assert verdicts == [[(rule["rule"], rule["passed"]) for rule in row["validation"]] for row in native.checkpoints]
    with duckdb.connect() as connection:
        for engine, shop in by_engine.items():
            connection.execute(f"attach '{shop.database}' as {engine} (read_only)")
        for mart in load_compiled_model().marts:
            for one, other in (("native", "dbt"), ("dbt", "native")):
                difference = f"select * from {one}.main.{mart.name} except all select * from {other}.main.{mart.name}"
                assert connection.execute(difference).fetchall() == [], mart.name


def test_a_native_run_is_extended_with_dbt_and_by_hand(copy: Project) -> None:
    assert copy.run("--engine", "dbt", "--resume", "-q").returncode == 0
    demand_intact(copy, [2025, 2026, 2027])
    before = checkpoints.read_status(copy.database).checkpoints[-1]
    folder = copy.folder / "by_hand"
    variables = (copy.folder / "run_vars.json").read_text(encoding="utf-8")
    assert json.loads(variables)["simulation_year"] == 2027
    with DbtRunner(project.dbt_project(), 2, database=copy.database, artifacts=folder, warm=True) as runner:
        for command in (["build"], ["test"], ["docs", "generate"]):
            result = runner.execute_command([*command, "--vars", variables])
            assert result.success, result.stdout
    assert (folder / "target" / "catalog.json").is_file()
    with DatabaseConnectionManager(copy.database, read_only=True) as db:
        assert checkpoints.mart_digests(db.get_connection(), load_compiled_model().marts, 2027) == before["digests"]


def test_dbt_test_finds_what_no_run_looks_for(copy: Project) -> None:
    variables = (copy.folder / "run_vars.json").read_text(encoding="utf-8")
    folder = copy.folder / "by_hand"
    with DbtRunner(project.dbt_project(), 2, database=copy.database, artifacts=folder, warm=True) as runner:
        result = runner.execute_command(["run", "--vars", variables])
        assert result.success, result.stdout
    with DatabaseConnectionManager(copy.database) as db:
        for damage in (
            "update main.fct_yearly_events set event_category = 'party' where event_type = 'raise'",
            "update main.fct_yearly_events set event_type = 'party' where event_type = 'promotion'",
            "update working.int_exits set termination_reason = 'party'",
            "insert into working.int_exit_scale from working.int_exit_scale",
        ):
            db.get_connection().execute(damage)
    with DbtRunner(project.dbt_project(), 2, database=copy.database, artifacts=folder, attempts=1) as runner:
        result = runner.execute_command(["test", "--select", "tag:development", "--vars", variables])
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    found = {one["unique_id"].split(".")[2]: one["failures"] for one in results if one["status"] != "pass"}
    assert found.pop("assert_events_are_registered") == 2
    assert sorted(found) == [
        "registered_kind_int_exits_termination_reason__termination",
        "relationships_fct_yearly_events_event_type__event_type__ref_stg_event_types_",
        "single_row_int_exit_scale_",
    ]


@pytest.fixture
def broken_project(tmp_path: Path) -> Path:
    """A copy of the dbt project with a model that reads a column which does not exist."""
    folder = tmp_path / "broken"
    shutil.copytree(project.dbt_project(), folder, ignore=shutil.ignore_patterns("target", "logs"))
    model = next(folder.rglob("int_hires.sql"))
    model.write_text(model.read_text(encoding="utf-8").replace("keys.hours_key", "keys.no_such_column"), "utf-8")
    return folder


def test_a_broken_model_is_named_and_its_year_removed(copy: Project, broken_project: Path, tmp_path: Path) -> None:
    runner = DbtRunner(broken_project, 1, database=copy.database, artifacts=tmp_path / "artifacts", warm=True)
    with pytest.raises(
        PipelineStageError, match=r"year 2027, stage event_generation, model int_hires: .*no_such_column"
    ):
        orchestrator(copy, dbt=runner).execute_multi_year_simulation(resume_from_checkpoint=True)
    demand_intact(copy, [2025, 2026])
    assert runner.process_id is None


def test_a_broken_model_in_the_first_year_brings_the_database_before_back(
    copy: Project, broken_project: Path, tmp_path: Path
) -> None:
    runner = DbtRunner(broken_project, 1, database=copy.database, artifacts=tmp_path / "artifacts", warm=True)
    with pytest.raises(PipelineStageError, match="year 2025"):
        orchestrator(copy, dbt=runner).execute_multi_year_simulation()
    demand_intact(copy, [2025, 2026])


def test_a_killed_child_ends_the_run_and_resume_goes_on(copy: Project) -> None:
    def kill(event: ProgressEvent) -> None:
        if event.stage == WorkflowStage.FOUNDATION and not event.finished:
            assert run._dbt.process_id is not None
            os.kill(run._dbt.process_id, signal.SIGKILL)

    run = orchestrator(copy, kill)
    with pytest.raises(PipelineStageError, match=r"stage foundation, .*killed by signal 9"):
        run.execute_multi_year_simulation(resume_from_checkpoint=True)
    demand_intact(copy, [2025, 2026])
    orchestrator(copy).execute_multi_year_simulation(resume_from_checkpoint=True)
    demand_intact(copy, [2025, 2026, 2027])


def test_a_database_locked_between_two_stages(copy: Project) -> None:
    holders: list[subprocess.Popen[str]] = []

    def lock(event: ProgressEvent) -> None:
        if event.stage == WorkflowStage.FOUNDATION and not event.finished:
            command = (sys.executable, "-c", HOLD, str(copy.database))
            holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            holders.append(holder)

    try:
        with pytest.raises(PipelineStageError, match=r"stage foundation, another process holds the database"):
            orchestrator(copy, lock).execute_multi_year_simulation(resume_from_checkpoint=True)
    finally:
        for holder in holders:
            holder.communicate("")
    # what could not be removed then is removed by the next start
    copy.simulate(resume=True)
    demand_intact(copy, [2025, 2026, 2027])


def test_a_full_disk_keeps_the_finished_years(copy: Project) -> None:
    size = copy.database.stat().st_size
    result = copy.run("--engine", "dbt", "--resume", preexec_fn=partial(limit_files, size + 100_000))
    said = result.stdout + result.stderr
    assert result.returncode == 1, said
    assert "Traceback" not in said
    assert "File too large" in said or "the disk is full" in said
    copy.simulate(resume=True)
    demand_intact(copy, [2025, 2026, 2027])


def test_an_interrupt_stops_the_child_and_removes_the_year(copy: Project) -> None:
    def interrupt(event: ProgressEvent) -> None:
        if event.stage == WorkflowStage.EVENT_GENERATION and not event.finished:
            children.append(run._dbt.process_id)
            signal.raise_signal(signal.SIGINT)

    children: list[int | None] = []
    run = orchestrator(copy, interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.execute_multi_year_simulation(resume_from_checkpoint=True)
    demand_intact(copy, [2025, 2026])
    assert children[0] is not None
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)


def test_a_missing_executable(copy: Project) -> None:
    config = load_simulation_config(copy.config, overrides={"runtime.engine": "dbt"})
    run = build_orchestrator(config, dbt_executable="no-such-dbt")
    with pytest.raises(Exception, match=r"`no-such-dbt` was not found.*engine `native`, which needs no dbt"):
        run.execute_multi_year_simulation(resume_from_checkpoint=True)
    demand_intact(copy, [2025, 2026])


def test_a_runner_of_another_database_is_refused(copy: Project) -> None:
    with pytest.raises(ConfigurationError, match="dbt would build into"):
        orchestrator(copy, dbt=DbtRunner(project.dbt_project())).execute_multi_year_simulation(
            resume_from_checkpoint=True
        )
    demand_intact(copy, [2025, 2026])


@pytest.fixture(scope="module")
def killed(shop: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run with dbt that was killed after the marts of 2027 were built; tests work on copies of it."""
    folder = shutil.copytree(shop.folder, tmp_path_factory.mktemp("killed") / "copy")
    copy = Project.create(folder, simulation={"start_year": 2025, "end_year": 2027})
    runtime = {"database": str(copy.database), "threads": 1, "engine": "dbt"}
    copy.configure(simulation={"start_year": 2025, "end_year": 2027}, runtime=runtime)
    assert copy.run_child("--resume", "--kill", "2027:validation:begin").returncode == -signal.SIGKILL
    return copy


@pytest.fixture
def half_built(killed: Project, tmp_path: Path) -> Project:
    shutil.copytree(killed.folder, tmp_path / "copy")
    return Project.create(tmp_path / "copy", simulation={"start_year": 2025, "end_year": 2027})


def test_a_year_that_dbt_left_half_built_is_removed_by_the_next_start(half_built: Project) -> None:
    with DatabaseConnectionManager(half_built.database, read_only=True) as db:
        count = db.get_connection().execute("select count(*) from fct_yearly_events where simulation_year = 2027")
        assert count.fetchall()[0][0] > 0
    artifacts = half_built.simulate(resume=True)
    assert any("unfinished year" in note for note in artifacts.notes)
    demand_intact(half_built, [2025, 2026, 2027])


def test_a_half_built_year_is_not_in_the_backup(half_built: Project) -> None:
    half_built.simulate()
    backup = Project(half_built.folder, half_built.database.with_name("simulation_backup.duckdb"))
    demand_intact(backup, [2025, 2026])
