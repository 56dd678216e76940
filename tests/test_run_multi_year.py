"""The legacy entry point: the old command and the two functions that scripts import from it."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import run_multi_year
from planalign_orchestrator.config import load_simulation_config, to_dbt_vars
from planalign_orchestrator.database.checkpoints import read_status
from planalign_orchestrator.dbt_runner import DbtResult, DbtRunner
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.project import dbt_project

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path: Path, generated: Callable[[int], Path]) -> Path:
    """Return a project folder of 200 people for 2025-2026 with the usual paths."""
    (tmp_path / "config").mkdir()
    settings = {
        "simulation": {"end_year": 2026},
        "census": {"path": str(generated(200))},
        "runtime": {"database": "../simulation.duckdb", "threads": 1},
    }
    (tmp_path / "config" / "simulation_config.yaml").write_text(json.dumps(settings), encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the legacy command in a folder and wait for it."""
    command = [sys.executable, str(ROOT / "run_multi_year.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.process
def test_the_legacy_command_runs_the_new_program(project: Path) -> None:
    done = run(project, "--years", "2025")
    assert done.returncode == 0, done.stderr
    assert "deprecated; use: planalign run --config config/simulation_config.yaml --years 2025\n" in done.stderr
    assert "Headcount" in done.stdout
    assert "deprecated" not in done.stdout
    resumed = run(project, "--start-year", "2025", "--end-year", "2026", "--resume", "-v")
    assert resumed.returncode == 0, resumed.stderr
    assert read_status(project / "simulation.duckdb").years == [2025, 2026]


@pytest.mark.process
def test_a_dry_run_writes_nothing(project: Path) -> None:
    done = run(project, "-c", "config/simulation_config.yaml", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "\ndbt run --select tag:initialization" in done.stdout
    assert not (project / "simulation.duckdb").exists()


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--optimize",), "unrecognized arguments: --optimize"),
        (("--years", "soon"), "no year such as 2025"),
        (("--config", "none.yaml"), "the file does not exist"),
    ],
)
def test_a_wrong_option_is_a_usage_error(project: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(project, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.process
def test_a_legacy_configuration_is_not_run_but_explained(project: Path) -> None:
    done = run(project, "-c", str(ROOT / "tests" / "legacy_configuration.yaml"))
    assert done.returncode == 2
    assert "planalign migrate config" in done.stderr
    assert not (project / "simulation.duckdb").exists()


# --- functions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def dbt(tmp_path: Path) -> str:
    """Return a stand-in for dbt that prints its arguments and fails when told to."""
    path = tmp_path / "dbt-stand-in"
    path.write_text('#!/bin/sh\necho "$@"\n[ "$1" != fail ]\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.process
@pytest.mark.parametrize("command", [["run", "--select", "a b"], "run --select 'a b'", "dbt run --select 'a b'"])
def test_a_dbt_command_is_delegated(dbt: str, command: list[str] | str) -> None:
    runner = DbtRunner(dbt_project(), executable=dbt)
    expected = runner.execute_command(["run", "--select", "a b"], simulation_year=2026, dbt_vars={"x": 1})
    with pytest.warns(DeprecationWarning, match=r"DbtRunner\.execute_command"):
        result = run_multi_year.run_dbt_command(command, "building", 2026, {"x": 1}, executable=dbt)
    assert isinstance(result, DbtResult)
    assert result
    assert result.command == expected.command
    assert result.stdout == expected.stdout
    assert result.stdout.startswith("run --select a b ")


@pytest.mark.process
def test_a_dbt_command_that_fails_is_false_as_it_was(dbt: str, tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        result = run_multi_year.run_dbt_command(["fail"], working_dir=tmp_path, executable=dbt)
    assert not result
    assert (result.success, result.return_code) == (False, 1)


@pytest.mark.process
def test_the_options_of_the_runner_can_be_given(dbt: str) -> None:
    lines: list[str] = []
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        result = run_multi_year.run_dbt_command(["a"], executable=dbt, stream_output=True, on_line=lines.append)
    assert lines
    assert lines == result.stdout.splitlines()


def test_dbt_variables_are_those_of_the_configuration(project: Path) -> None:
    path = project / "config" / "simulation_config.yaml"
    config = load_simulation_config(path)
    values = {"simulation": {"end_year": 2026, "random_seed": 7}}
    with pytest.warns(DeprecationWarning, match=r"config\.to_dbt_vars"):
        assert run_multi_year.extract_dbt_vars_from_config(config) == to_dbt_vars(config)
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        assert run_multi_year.extract_dbt_vars_from_config(path) == to_dbt_vars(config)
    for mapping in (values, {"config": values}):
        with pytest.warns(DeprecationWarning, match="is deprecated"):
            found = run_multi_year.extract_dbt_vars_from_config(mapping)
        assert found == {**to_dbt_vars(config), "random_seed": 7}


def test_legacy_keys_in_a_mapping_are_refused() -> None:
    values = {"deferral_auto_escalation": {"maximum_rate": 0.1}, "compensation": {"cola_rate": 5}}
    with pytest.warns(DeprecationWarning, match="is deprecated"), pytest.raises(ConfigurationError) as caught:
        run_multi_year.extract_dbt_vars_from_config(values)
    first, second = caught.value.problems
    assert "now `plan.escalation.cap`" in first
    assert "5 % is 0.05" in second
