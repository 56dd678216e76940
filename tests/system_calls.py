"""Kills a run at a system call of choice, with strace.

One run is traced first. Each thread counts its calls of each kind, and `when=N` strikes at the first thread that makes
its N-th call of a kind, so each pair of a kind and a number N is one moment. Those moments are kept at which the call
is about one of the run's own files: the database, its log, its lock, the reports, the copies and their drafts. They are
the same in every run of one project, because a run writes in one order.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import crash_child
from tests.crash_child import Project, finished

KINDS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "ftruncate")
# what a run only reads, and what is not there before it
NOT_WRITTEN = ("census.csv", "config.yaml")

# kind of call -> the numbers N of its moments
Calls = Mapping[str, list[int]]


def traced_calls(project: Project) -> Calls:
    """Trace a run and return the moments at which others can be killed; skip where strace is missing or not allowed."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    allowed = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if allowed.returncode != 0:
        pytest.skip(f"processes may not be traced here: {allowed.stderr.strip()}")
    trace = project.folder / "trace.txt"
    assert finished(start_traced(project, trace)).returncode == 0
    return moments(trace.read_text(encoding="utf-8"), project.folder)


def moments(trace: str, folder: Path) -> Calls:
    """Return by kind the numbers at which the first thread that gets so far does something to a file in the folder."""
    counts = Counter[tuple[str, str]]()
    reached = Counter[str]()
    found: dict[str, list[int]] = {}
    for thread, kind, what in re.findall(r"^(\d+) +(\w+)\((.*)$", trace, re.MULTILINE):
        counts[thread, kind] += 1
        if counts[thread, kind] > reached[kind]:
            reached[kind] += 1
            # the working directory, which `-y` puts before a path, is the folder itself
            if f"{folder}/" in what and not any(name in what for name in NOT_WRITTEN):
                found.setdefault(kind, []).append(reached[kind])
    return found


def killed_at_call(project: Project, kind: str, number: int) -> int:
    """Kill a run at a moment and return its exit code."""
    return finished(start_traced(project, Path("/dev/null"), f"--inject={kind}:signal=KILL:when={number}")).returncode


def start_traced(project: Project, trace: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a run under strace."""
    command = ["strace", "-f", "-qq", "-y", "-s", "0", f"--trace={','.join(KINDS)}", *options, "-o", str(trace)]
    return project.start_program([*command, sys.executable, crash_child.__file__, str(project.config)])
