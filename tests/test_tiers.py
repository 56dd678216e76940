"""A test that does what its marks do not say fails, so that the fast tier stays fast."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT

pytestmark = pytest.mark.process

TESTS = """
import subprocess
import pytest
from tests.companies import person
from tests.laboratory import Laboratory

def simulate(folder):
    Laboratory(folder, [person("P")]).run(until="initialization")

def start():
    subprocess.run(["true"], check=True)

@pytest.fixture
def simulated(tmp_path, simulates):
    simulate(tmp_path)

def test_simulating(tmp_path): simulate(tmp_path)
def test_starting(): start()
def test_neither(): pass
def test_simulating_by_fixture(simulated): pass

@pytest.mark.model
def test_marked_and_simulating(tmp_path): simulate(tmp_path)

@pytest.mark.model
def test_simulating_and_starting(): start()

@pytest.mark.process
def test_marked_and_starting(): start()
"""
FAILING = {
    "test_simulating": "the test simulated 1 years and is not marked `model`",
    "test_starting": "the test started 1 processes and is not marked `process` or `dbt`",
    "test_simulating_and_starting": "the test started 1 processes and is not marked `process` or `dbt`",
}


def run_tests(folder: Path, *options: str) -> list[str]:
    """Run the tests above under the tiers alone and return the lines of the summary."""
    (folder / "test_tiers_of.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n model\n process\n dbt\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-rA", "--no-header", "--tb=line", "-p", "tests.tiers", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def test_what_a_test_does_without_its_mark_fails_it(tmp_path: Path) -> None:
    said = run_tests(tmp_path)
    failed = dict(line.removeprefix("FAILED test_tiers_of.py::").split(" - Failed: ") for line in said if " - " in line)
    assert {name: message.partition(":")[0] for name, message in failed.items()} == FAILING
    assert sum(line.startswith("PASSED") for line in said) == 4
    assert any("3 model-years" in line for line in said)


def test_fixtures_bring_their_marks(tmp_path: Path) -> None:
    said = run_tests(tmp_path, "-m", "model")
    passed = {line.rpartition("::")[2] for line in said if line.startswith("PASSED")}
    assert passed == {"test_simulating_by_fixture", "test_marked_and_simulating"}
