"""The migration guide as its reader follows it: every command runs, every name is there, every file appears."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator import run_multi_year, run_year
from planalign_orchestrator.database.checkpoints import read_status
from planalign_orchestrator.errors import ConfigurationError, ResumeError
from planalign_orchestrator.factory import OrchestratorBuilder
from planalign_orchestrator.validation import ValidationResult, ValidationSeverity

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "MIGRATION_GUIDE_S038.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL))
COMMANDS = [text for text in QUOTED if text.startswith("python -m ")]
MODULES = (
    "config", "utils", "dbt_runner", "registries", "validation", "reports", "pipeline", "cli", "factory", "migration"
)  # fmt: skip
# Names that the guide gives without their module, and names of the legacy runner, which are in run_multi_year.py.
HOMES = {
    "DbtRunner": "dbt_runner",
    "DatabaseConnectionManager": "utils",
    "ExecutionMutex": "utils",
    "SimulationConfig": "config",
    "MigrationManager": "migration",
    "execute_with_retry": "utils.DatabaseConnectionManager",
}
LEGACY = {"run_dbt_command", "extract_dbt_vars_from_config"}
NAME = re.compile(r"^(?P<path>[A-Za-z_]\w*(?:(?:\(\))?\.[A-Za-z_]\w*)*)(?:\(.*\))?$")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Iterator[Path]:
    """A project that `planalign init` made, in which the guide is followed from its beginning."""
    folder = tmp_path_factory.mktemp("guide") / "project"
    run("python -m planalign_orchestrator init project", folder.parent)
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def run(command: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, *shlex.split(command)[1:]],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


def names() -> list[str]:
    """Every name in the guide's code marks that belongs to the package or to the legacy runner."""
    found = []
    for text in QUOTED:
        for part in re.split(r"; | import ", text.removeprefix("from ")):
            match = NAME.match(part)
            if match is None or part.endswith(("/", ".yaml", ".json", ".csv", ".md", ".duckdb", ".py")):
                continue
            path = match["path"].replace("()", "")
            head = path.split(".")[0]
            if head == "planalign_orchestrator" or head in HOMES or head in LEGACY or head in MODULES:
                found.append(path)
    return sorted(set(found))


def resolve(path: str) -> Any:
    head = path.split(".")[0]
    if head in LEGACY:
        return getattr(importlib.import_module("run_multi_year"), head)
    if head in HOMES:
        path = f"planalign_orchestrator.{HOMES[head]}.{path}"
    elif head != "planalign_orchestrator":
        path = f"planalign_orchestrator.{path}"
    parts = path.split(".")
    value: Any = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], start=2):
        if not hasattr(value, part):
            importlib.import_module(".".join(parts[:number]))
        value = getattr(value, part)
    return value


def test_the_guide_is_read() -> None:
    assert len(COMMANDS) == 8
    assert {"DbtRunner.execute_command", "planalign_orchestrator.config.to_dbt_vars", "reports.YearAuditor"} <= set(
        names()
    )
    assert len(names()) >= 20


@pytest.mark.parametrize("path", names())
def test_every_name_of_the_guide_is_there(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    assert resolve(path) is not None


def test_every_command_of_the_guide_runs_in_its_order(folder: Path) -> None:
    for command in COMMANDS:
        said = run(command, folder)
        if "--dry-run" in command:
            assert "dbt run --select tag:event_generation" in said
        if " checkpoint " in command:
            assert "202" in said
    years = range(2025, 2030)
    reports = folder / "reports"
    assert all((reports / f"year_{year}.json").is_file() for year in years)
    assert (reports / "multi_year_summary_2025_2029.csv").is_file()
    assert all((folder / ".navigator_checkpoints" / f"year_{year}.json").is_file() for year in years)
    assert read_status(folder / "simulation_backup.duckdb").years == [2025, 2026, 2027]
    counts = run("python -m planalign_orchestrator status", folder)
    assert "2029" in counts


@pytest.mark.model
def test_the_python_of_the_guide_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(compile(block, "guide", "exec"), {})
    assert "compound_annual_growth_rate" in capsys.readouterr().out
    (line,) = [text for text in QUOTED if text.startswith("from planalign_orchestrator.migration")]
    exec(compile(line, "guide", "exec"), {})
    assert read_status(folder / "simulation.duckdb").years == list(range(2025, 2030))


def test_the_identifiers_of_the_guide_can_be_enforced(folder: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    (folder / "config" / "named.yaml").write_text(f"census: {{path: ../data/sample_census.csv}}\n{block}", "utf-8")
    resolve("planalign_orchestrator.config").load_simulation_config("config/named.yaml").require_identifiers()


class NobodyLeaves:
    """A rule of a user that every year breaks."""

    name = "nobody_leaves"

    def check(self, connection: Any, year: int) -> ValidationResult:
        query = "select count(*) from fct_yearly_events where simulation_year = ? and event_type = 'termination'"
        (found,) = connection.execute(query, [year]).fetchone()
        return ValidationResult(self.name, ValidationSeverity.WARNING, found == 0, found, (), False, "Nobody leaves.")


@pytest.mark.model
def test_the_builder_puts_together_what_it_was_given(folder: Path) -> None:
    builder = OrchestratorBuilder().with_database("built.duckdb").with_rules(NobodyLeaves()).with_dbt_threads(1)
    with pytest.raises(ConfigurationError, match="no configuration: call with_config"):
        builder.build()
    orchestrator = builder.with_config("config/simulation_config.yaml").with_dbt_executable("other-dbt").build()
    assert orchestrator.planned_commands()[0].startswith("other-dbt run")
    summary = orchestrator.execute_multi_year_simulation(2025, 2025)
    verdicts = {verdict.rule: verdict.passed for verdict in summary.validation[2025]}
    assert verdicts["nobody_leaves"] is False
    assert orchestrator.artifacts.database.name == "built.duckdb"
    again = OrchestratorBuilder().with_config(orchestrator.config).with_database("again.duckdb").build()
    assert again.artifacts.database.name == "again.duckdb"


@pytest.mark.model
def test_single_years_follow_each_other(folder: Path) -> None:
    text = (folder / "config" / "simulation_config.yaml").read_text(encoding="utf-8")
    path = folder / "config" / "singles.yaml"
    path.write_text(text.replace("simulation.duckdb", "singles.duckdb"), encoding="utf-8")
    first = run_year(path, 2025)
    assert first.simulation_year == 2025
    with pytest.raises(ResumeError, match=r"holds \[2025\], so 2027 cannot follow; simulate 2026 first"):
        run_year(path, 2027)
    second = run_year(path, 2026)
    assert second.workforce_breakdown.opening == first.workforce_breakdown.closing
    both = run_multi_year(path, 2025, 2026)
    assert both.workforce_progression[-1].closing == second.workforce_breakdown.closing
