"""The program `planalign` as tests run it: in this process, or in one of its own."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from planalign_orchestrator.cli import main

if TYPE_CHECKING:
    from tests.laboratory import Result

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said on standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Planalign = Callable[..., Done]


@pytest.fixture
def planalign(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Planalign:
    """Return a function that runs the program in this process, with its standard input as `answers`."""

    def call(*arguments: str | Path, answers: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Done(int(left.value.code or 0), written.out, written.err)

    return call


def write_project(folder: Path, census: Path) -> None:
    """Make a project for 2025-2026 with the usual paths."""
    (folder / "config").mkdir()
    (folder / "data").mkdir()
    shutil.copy(census, folder / "data" / "census.csv")
    settings = {
        "scenario_id": "test",
        "plan_design_id": "none",
        "simulation": {"end_year": 2026},
        "census": {"path": "../data/census.csv"},
        "runtime": {"database": "../simulation.duckdb", "threads": 1},
    }
    (folder / "config" / "simulation_config.yaml").write_text(json.dumps(settings), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, generated: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory: a project of 200 people for 2025-2026 with the usual paths."""
    write_project(tmp_path, generated(200))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def finished(sample_run: "Result", monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """Return the options that name the database of `sample_run`, seen from an empty working directory."""
    monkeypatch.chdir(sample_run.database.parent)
    return ("-c", "simulation_config.yaml", "--database", "simulation.duckdb")


def start(*arguments: str | Path, folder: Path) -> "subprocess.Popen[str]":
    """Start the program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "planalign_orchestrator", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> Done:
    """Wait for a started program."""
    out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every file below a folder with its size and the time of its last change."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def wait_for(process: "subprocess.Popen[str]", line: str) -> None:
    """Read standard error up to a line that begins with `line`."""
    assert process.stderr is not None
    for text in process.stderr:
        if text.startswith(line):
            return
    raise AssertionError(f"the program ended before it said {line!r}")


@pytest.fixture
def long_run(
    project: Path, generated: Callable[[int], Path], starts_processes: None
) -> Iterator["subprocess.Popen[str]"]:
    """A run of 20,000 people and 20 years, of which the first year is finished."""
    census = f"census.path={generated(20_000)}"
    process = start("run", "--years", "2025-2044", "--set", census, folder=project)
    try:
        wait_for(process, "2025 finished")
        yield process
    finally:
        process.kill()
        process.communicate()
