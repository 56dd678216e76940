"""Sorts the tests into tiers by what they use, and holds each test to its tier.

A test without a mark is fast: it neither simulates nor starts a process. `model`, `process` and `dbt` say what a test
uses, `soak` that its sample is too large for every change. A test has the marks of the fixtures that it asks for: a
fixture that simulates asks for `simulates`, one that starts a process for `starts_processes`. A test that calls
`simulate` or `subprocess` itself is marked by hand, alone or with its module. What a test does without its mark fails
it, so no tier fills with what does not belong there.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from planalign_orchestrator.model import load_compiled_model
from planalign_orchestrator.model.native_driver import NativeDriver
from tests import fork_server

MARKS = {"simulates": "model", "starts_processes": "process", "runs_dbt": "dbt"}
ADVICE = "mark it, or take a fixture that asks for"
# what Python tells an audit hook when a process is started
_STARTS = ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system", fork_server.STARTED)
# so much of a core goes into a year of a small company
SECONDS_OF_A_YEAR = 0.25
MODULES_SHOWN = 20
_YEARS = "model-years"

# what the present test has done: model-years and started processes
_done = Counter[str]()
_years_of_modules = Counter[str]()


def sampled(cases: Iterable[Any], count: int) -> list[Any]:
    """Return cases as parameters of a test; those behind the first `count` are for `make soak`."""
    return [pytest.param(case, marks=[] if place < count else pytest.mark.soak) for place, case in enumerate(cases)]


@pytest.fixture(scope="session")
def simulates() -> None:
    """Asked for by fixtures that simulate with the compiled model."""


@pytest.fixture(scope="session")
def starts_processes() -> None:
    """Asked for by fixtures that start a process."""


@pytest.fixture(scope="session")
def runs_dbt() -> None:
    """Asked for by fixtures that run dbt."""


def pytest_configure() -> None:
    """Count model-years and processes from now on."""
    # after a change of the models this compiles them, which is no test's own doing
    load_compiled_model()
    begin_year = NativeDriver.begin_year

    def counted(driver: NativeDriver, year: int) -> None:
        # the tests of the driver itself build models of their own, without marts
        if driver.compiled.marts:
            _done["model"] += 1
        begin_year(driver, year)

    def listen(event: str, _: tuple[object, ...]) -> None:
        if event in _STARTS:
            _done["process"] += 1

    pytest.MonkeyPatch().setattr(NativeDriver, "begin_year", counted)
    sys.addaudithook(listen)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test the marks of its fixtures."""
    for item in items:
        for fixture in MARKS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKS[fixture])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Count from the test's fixtures on."""
    _done.clear()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that has done what its marks do not say."""
    try:
        yield
    finally:
        item.user_properties.append((_YEARS, _done["model"]))
    marks = {mark.name for mark in item.iter_markers()}
    if _done["model"] and "model" not in marks:
        pytest.fail(f"the test simulated {_done['model']} years and is not marked `model`: {ADVICE} `simulates`")
    if _done["process"] and not marks & {"process", "dbt"}:
        pytest.fail(f"the test started {_done['process']} processes and is not marked `process` or `dbt`: {ADVICE} one")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add the test's model-years to those of its module, in the process that reports."""
    if report.when == "call":
        _years_of_modules[report.nodeid.partition("::")[0]] += sum(
            value for name, value in report.user_properties if name == _YEARS and isinstance(value, int)
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show where the time goes that the model takes."""
    if total := _years_of_modules.total():
        terminalreporter.section(f"{total} model-years, of about {SECONDS_OF_A_YEAR} s of a core each")
        for module, years in (+_years_of_modules).most_common(MODULES_SHOWN):
            terminalreporter.line(f"{years:6}  {module}")
