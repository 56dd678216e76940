"""How the program ends when it is told to: by a signal at any moment, or because its reader went away."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from planalign_orchestrator.database.checkpoints import read_status
from tests.program import ROOT, Done, finish, start, wait_for, write_project

pytestmark = pytest.mark.process

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def made(generated: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """A project with a database and the backup of another run; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    write_project(folder, generated(200))
    for seed in ("5", "6"):
        done = finish(start("run", "-q", "--seed", seed, folder=folder))
        assert done.code == 0, done.err
    return folder


@pytest.fixture
def simulated(made: Path, tmp_path: Path) -> Path:
    """A copy of the project that was simulated."""
    return shutil.copytree(made, tmp_path / "simulated")


def shell(command: str, folder: Path) -> Done:
    """Run a line of bash in which $P is the program."""
    environment = {**ENVIRONMENT, "P": f"{sys.executable} -m planalign_orchestrator"}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_every_signal_keeps_the_finished_years(
    long_run: "subprocess.Popen[str]", project: Path, number: signal.Signals
) -> None:
    long_run.send_signal(number)
    done = finish(long_run)
    assert (done.code, done.out) == (130, "")
    said = done.err.splitlines()[-1]
    assert said.startswith("Interrupted: the finished years are kept (2025")
    assert [str(year) for year in read_status(project / "simulation.duckdb").years] == re.findall(r"\d{4}", said)


def test_a_second_signal_does_not_disturb_the_rollback(long_run: "subprocess.Popen[str]", project: Path) -> None:
    long_run.send_signal(signal.SIGINT)
    time.sleep(0.05)
    long_run.send_signal(signal.SIGTERM)
    done = finish(long_run)
    assert done.code == 130
    assert done.err.splitlines()[-1].startswith("Interrupted: the finished years are kept (2025")
    assert "Traceback" not in done.err
    assert read_status(project / "simulation.duckdb").years[0] == 2025


STUBBORN = """
import os, signal, sys, time
from planalign_orchestrator import signals
signals.install(as_json={as_json})
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("stopping", flush=True)
    for line in sys.stdin:
        print("went on", flush=True)
"""


@pytest.mark.parametrize("as_json", [False, True])
def test_the_second_signal_is_answered_and_the_third_leaves_at_once(as_json: bool) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN.format(as_json=as_json)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "stopping\n"
    process.send_signal(signal.SIGINT)
    answer = process.stderr.readline()
    assert "Already stopping" in (json.loads(answer)["note"] if as_json else answer)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "went on\n"
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=30) == 130
    process.communicate()


def test_what_the_parent_has_it_ignore_stays_ignored(project: Path) -> None:
    done = shell(
        "trap '' HUP; $P run --json --years 2025-2026 2> err & pid=$!; sleep 0.7; kill -HUP $pid; wait $pid", project
    )
    assert done.code == 0
    assert json.loads(done.out)["summary"]["end_year"] == 2026


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("command", ["status", "validate", "run"])
def test_a_signal_in_the_first_moments_is_answered_in_one_line(
    simulated: Path, command: str, number: signal.Signals
) -> None:
    ended = set()
    for step in range(6):
        process = start(command, "--database", "simulation.duckdb", folder=simulated)
        time.sleep(0.02 + 0.08 * step)
        process.send_signal(number)
        done = finish(process)
        ended.add(done.code)
        if done.code == 130:
            assert "Traceback" not in done.err, done.err
            said = done.err.splitlines()[-1]
            assert said == "Interrupted." or said.startswith("Interrupted: ")
        else:
            # before our code runs Python answers itself; a command may also be done already
            assert done.code in (-number, 0) or "planalign_orchestrator" not in done.err
            assert ", in program" not in done.err
    assert 130 in ended


@pytest.mark.parametrize("command", ["report", "compare-runs simulation.duckdb other.duckdb", "config show"])
def test_an_interrupt_with_json_is_a_document(simulated: Path, command: str) -> None:
    shutil.copy(simulated / "simulation.duckdb", simulated / "other.duckdb")
    found = []
    for step in range(8):
        process = start(*command.split(), "--json", folder=simulated)
        time.sleep(0.06 + 0.02 * step)
        process.send_signal(signal.SIGTERM)
        done = finish(process)
        assert done.code in (130, 0, -signal.SIGTERM)
        if done.code == 130:
            found.append(json.loads(done.err))
    assert found
    assert {(one["type"], one["exit_code"]) for one in found} == {("CommandInterruptedError", 130)}


@pytest.mark.model
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("$P report | head -1", 0),
        ("$P report --json | head -c 1", 0),
        ("$P run --seed 7 | head -1", 0),
        ("$P compare-runs simulation.duckdb simulation_backup.duckdb | head -1", 1),
        ("$P config show | head -1", 0),
        ("$P run -v 2> >(head -1 >&2) > out", 0),
        ("$P census check data/census.csv | true", 0),
        ("$P status 2>&- | head -1", 0),
        ("$P run --json >&- 2>&-", 0),
        ("$P validate --database missing/x.duckdb | head -1", 1),
    ],
)
def test_a_closed_pipe_or_stream_changes_no_exit_code(simulated: Path, command: str, code: int) -> None:
    done = shell(command, simulated)
    assert done.code == code
    assert not re.search(r"Traceback|Broken|Error", done.err)
    assert read_status(simulated / "simulation.duckdb").years == [2025, 2026]


def test_a_run_that_is_closed_from_all_sides_keeps_its_database_apart(project: Path) -> None:
    done = shell("$P run --years 2025 <&- >&- 2>&-", project)
    assert done.code == 0
    assert read_status(project / "simulation.duckdb").years == [2025]


@pytest.mark.dbt
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_no_dbt_is_left_behind(project: Path, generated: Callable[[int], Path], number: signal.Signals) -> None:
    census = f"census.path={generated(200)}"
    process = start("run", "-v", "--engine", "dbt", "--years", "2025-2030", "--set", census, folder=project)
    wait_for(process, "2025 initialization")
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert children
    process.send_signal(number)
    finish(process)
    assert process.returncode == (130 if number is signal.SIGTERM else -9)
    deadline = time.monotonic() + 60
    while any(Path("/proc", child).exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [child for child in children if Path("/proc", child).exists()]
