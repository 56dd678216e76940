"""The runner of dbt: lines as they appear, patience with locks, timeouts, failures told apart.

A script stands in for dbt.
"""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from planalign_orchestrator.dbt_runner import (
    DbtCompilationError,
    DbtDataQualityError,
    DbtError,
    DbtExecutableError,
    DbtExecutionError,
    DbtLockError,
    DbtRunner,
    DbtTimeoutError,
    classify_dbt_error,
)

LOCKED = 'IO Error: Could not set lock on file "simulation.duckdb": Conflicting lock is held in python (PID 7)'
# as dbt 1.11 says it
DATABASE_ERROR = """\
15:29:17  1 of 4 ERROR creating sql table model working.int_hires ......... [ERROR in 0.05s]
15:29:17  Completed with 1 error, 0 partial successes, and 0 warnings:
15:29:17    Runtime Error in model int_hires (models/workforce/hires/int_hires.sql)
  Binder Error: Values list "keys" does not have a column named "no_such_column"

  LINE 58:         keys.no_such_column
  compiled code at target/run/planalign/models/workforce/hires/int_hires.sql
15:29:17  Done. PASS=0 WARN=0 ERROR=1 SKIP=3 NO-OP=0 TOTAL=4
"""
COMPILATION_ERROR = """\
15:29:17  Encountered an error:
Compilation Error in model int_exits (models/workforce/exits/int_exits.sql)
  Required var 'random_seed' not found in config:
  Vars supplied to int_exits = {}
"""
FAILED_TEST = """\
15:29:17  Failure in test assert_headcount_ties (tests/assert_headcount_ties.sql)
15:29:17    Got 3 results, configured to fail if != 0
15:29:17  Done. PASS=0 WARN=0 ERROR=1 SKIP=0 NO-OP=0 TOTAL=1
"""


def stand_in(folder: Path, script: str) -> Path:
    """Write a program that stands in for dbt."""
    path = folder / "dbt-stand-in"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def runner(folder: Path, script: str, *, attempts: int = 3, timeout: float | None = None) -> DbtRunner:
    return DbtRunner(folder, 2, str(stand_in(folder, script)), attempts=attempts, timeout=timeout)


@pytest.mark.parametrize(
    ("said", "kind", "model", "message"),
    [
        (DATABASE_ERROR, DbtExecutionError, "int_hires", 'model int_hires: Binder Error: Values list "keys" does not'),
        (COMPILATION_ERROR, DbtCompilationError, "int_exits", "Required var 'random_seed' not found"),
        (FAILED_TEST, DbtDataQualityError, "assert_headcount_ties", "3 rows break it"),
        (LOCKED, DbtLockError, None, "another process holds the database: IO Error: Could not set lock"),
        ("no idea", DbtExecutionError, None, "dbt ended with code 1: no idea"),
        ("", DbtExecutionError, None, "it said nothing"),
        ("\x1b[31mCompilation Error\x1b[0m\n  no such macro", DbtCompilationError, None, "no such macro"),
    ],
    ids=["database", "compilation", "data quality", "lock", "unknown", "silence", "colours"],
)
def test_a_failure_is_told_by_what_dbt_says(said: str, kind: type[DbtError], model: str | None, message: str) -> None:
    error = classify_dbt_error(said)
    assert type(error) is kind
    assert error.model == model
    assert message in str(error)
    assert "compiled code" not in str(error)


def test_a_killed_process_is_told_by_its_signal() -> None:
    assert "killed by signal 9" in str(classify_dbt_error("halfway through", return_code=-9))


@pytest.mark.process
def test_lines_come_while_dbt_is_still_running(tmp_path: Path) -> None:
    dbt = runner(tmp_path, "echo one; read line < fifo; echo two >&2; echo three; exit 4")
    os.mkfifo(tmp_path / "fifo")
    lines: list[str] = []

    def follow(line: str) -> None:
        lines.append(line)
        if line == "one":
            # it waits for this, so the line was here before it ended
            (tmp_path / "fifo").write_text("go on\n", encoding="utf-8")

    result = dbt.execute_command(["run"], on_line=follow)
    assert lines == ["one", "three"]
    assert (result.stdout, result.stderr, result.return_code, result.success) == ("one\nthree\n", "two\n", 4, False)
    assert isinstance(result.error, DbtExecutionError)


@pytest.mark.process
def test_what_dbt_says_last_is_not_lost(tmp_path: Path) -> None:
    result = runner(tmp_path, "exec 1>&-; sleep 0.2; echo it broke >&2; exit 4").execute_command(["run"])
    assert (result.stderr, result.return_code) == ("it broke\n", 4)


@pytest.mark.process
def test_the_command_is_what_one_would_type(tmp_path: Path) -> None:
    dbt = runner(tmp_path, 'echo "$@"; echo "$PLANALIGN_DATABASE"')
    result = dbt.execute_command(["run"], simulation_year=2026, dbt_vars={"random_seed": 7})
    assert result.command[1:] == ("run", "--vars", '{"random_seed": 7, "simulation_year": 2026}')
    assert result.stdout.startswith('run --vars {"random_seed": 7, "simulation_year": 2026} --no-use-colors')
    assert result.error is None


@pytest.mark.process
def test_a_lock_is_tried_again_and_then_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = f"echo x >> count; if [ $(wc -l < count) -lt 2 ]; then echo '{LOCKED}'; exit 1; fi; echo done"
    result = runner(tmp_path, script).execute_command(["run"])
    assert result.success
    assert "attempt 1 of 3 failed" in caplog.text
    always = runner(tmp_path, f"echo x >> tries; echo '{LOCKED}'; exit 1", attempts=2).execute_command(["run"])
    assert isinstance(always.error, DbtLockError)
    assert (tmp_path / "tries").read_text() == "x\nx\n"


@pytest.mark.process
def test_another_failure_is_not_tried_again(tmp_path: Path) -> None:
    assert not runner(tmp_path, "echo x >> tries; exit 1").execute_command(["run"]).success
    assert (tmp_path / "tries").read_text() == "x\n"


@pytest.mark.process
def test_a_timeout_stops_the_child_and_its_children(tmp_path: Path) -> None:
    dbt = runner(tmp_path, "sleep 60 & echo $! > pid; wait", timeout=0.5)
    with pytest.raises(DbtTimeoutError, match=r"took longer than 0\.5 s"):
        dbt.execute_command(["run"])
    demand_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.process
def test_an_interrupt_stops_the_child(tmp_path: Path) -> None:
    dbt = runner(tmp_path, "echo $$ > pid; echo ready; exec sleep 60")

    def interrupt(_: str) -> None:
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        dbt.execute_command(["run"], on_line=interrupt)
    demand_gone(int((tmp_path / "pid").read_text()))


def demand_gone(process: int) -> None:
    for _ in range(50):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.1)
    raise AssertionError(f"process {process} is still there")


def test_a_missing_or_forbidden_executable_is_named(tmp_path: Path) -> None:
    with pytest.raises(DbtExecutableError, match=r"`no-such-dbt` was not found beside .* or on PATH"):
        DbtRunner(tmp_path, executable="no-such-dbt").execute_command(["run"])


@pytest.mark.process
def test_models_run_one_by_one_or_in_one_call(tmp_path: Path) -> None:
    dbt = runner(tmp_path, 'echo "$@" >> calls; case "$*" in *bad*) exit 1;; esac')
    assert [result.success for result in dbt.run_models(["a", "bad", "c"])] == [True, False]
    assert [result.success for result in dbt.run_models(["a", "b"], parallel=True)] == [True]
    assert dbt.run_model("a").success
    calls = [line.split(" --no-use-colors")[0] for line in (tmp_path / "calls").read_text().splitlines()]
    assert calls == [
        "run --select a --threads 1",
        "run --select bad --threads 1",
        "run --select a b --threads 2",
        "run --select a --threads 1",
    ]
