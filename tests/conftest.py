"""What the tests share: censuses and a finished run, made once for all workers of a session."""

import fcntl
import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from planalign_orchestrator.census import write_census
from tests.companies import CENSUS_DATE, read_rows, write_rows
from tests.laboratory import Result, simulate

T = TypeVar("T")
pytest_plugins = ("tests.tiers", "tests.program")


def pytest_configure() -> None:
    """Heed SIGINT: a shell starts what it puts in the background without it, and every child would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Shared:
    """Makes what several tests need once for all workers of a session, in a folder that they share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def once(self, name: str, make: Callable[[Path], T]) -> T:
        """Return what `make` returned when it was given a folder of this name, by whichever worker came first."""
        folder = self._folder / name
        kept = folder.with_suffix(".pickle")
        with (self._folder / f"{name}.lock").open("w") as lock:
            # waits for the worker that makes it, which a mutex of the program would not
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                # it is there where making it failed before
                folder.mkdir(exist_ok=True)
                kept.write_bytes(pickle.dumps(make(folder)))
            made: T = pickle.loads(kept.read_bytes())
            return made


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """Return what the workers of this session share."""
    own = tmp_path_factory.getbasetemp()
    # the folders of workers lie in the one of the session
    return Shared(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def generated(shared: Shared) -> Callable[[int], Path]:
    """Return a function from a size to a generated census of that many people, as of 31 December 2024."""

    def made(size: int) -> Path:
        def make(folder: Path) -> Path:
            path = folder / f"census_{size}.csv"
            write_census(path, size, seed=1, census_date=CENSUS_DATE)
            return path

        return shared.once(f"generated_{size}", make)

    return made


@pytest.fixture(scope="session")
def mixed_census(generated: Callable[[int], Path], shared: Shared) -> Path:
    """Return a census of 500 people with every oddity that is allowed.

    Among them are people born and hired on 29 February, hired on the census date, with service from before the hire or
    from a later day, with the level left to be found from pay, with announced exits on the first and last day of a year
    and long after, part-timers, and former employees.
    """
    plan = ("employee_enrollment_date", "enrollment_method", "employee_deferral_rate")
    rows = [{name: value for name, value in row.items() if name not in plan} for row in read_rows(generated(500))]
    for row in rows[::5]:
        row["level_id"] = ""
    for row in rows[3::40]:
        row["employee_birth_date"] = "1972-02-29"
    for row in rows[5::40]:
        row["employee_hire_date"] = "2020-02-29"
    for row, hired in zip(
        rows[7::100], ("2024-12-31", "2024-02-29", "2024-02-28", "2015-12-31", "2016-01-01"), strict=True
    ):
        row["employee_hire_date"] = hired
    for row in rows:
        row["employee_service_date"] = ""
    for row in rows[11::40]:
        year, rest = row["employee_hire_date"].split("-", 1)
        row["employee_service_date"] = f"{int(year) - 3}-02-28" if rest == "02-29" else f"{int(year) - 3}-{rest}"
    for row in rows[13::40]:
        row["employee_service_date"] = "2024-02-29"
    staying = [row for row in rows if not row["employee_termination_date"]]
    days = ("2025-01-01", "2025-02-28", "2025-12-31", "2026-02-28", "2027-06-30", "2028-02-29", "2031-05-01")
    for row, day in zip(staying[4::60], days, strict=False):
        row["employee_termination_date"] = day
    return shared.once("mixed", lambda folder: write_rows(folder / "census.csv", rows))


@pytest.fixture(scope="session")
def sample_run(generated: Callable[[int], Path], shared: Shared, simulates: None) -> Result:
    """A run of 1,000 generated people over 2025-2029 with the default configuration; not to be changed."""
    return shared.once("sample", lambda folder: simulate(folder, generated(1000), {"simulation.end_year": 2029}))
