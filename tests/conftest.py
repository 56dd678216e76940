"""What the tests share: companies as census files, and their simulation by the real model on a real database.

`simulate` runs everything a user runs. `Laboratory` keeps one census open and runs the model alone, for tests that need
many runs of one company. Both use one thread, because the tests already run side by side.
"""

import csv
import datetime as dt
import hashlib
import json
import signal
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from planalign_orchestrator import parameters, project
from planalign_orchestrator.census import load_census, write_census
from planalign_orchestrator.config import SimulationConfig, load_simulation_config
from planalign_orchestrator.database import checkpoints
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.factory import build_orchestrator
from planalign_orchestrator.model import STAGES, load_compiled_model
from planalign_orchestrator.model.native_driver import NativeDriver
from planalign_orchestrator.pipeline.inputs import RunInputs

Row = Mapping[str, object]
Overrides = Mapping[str, object]
Digests = dict[int, dict[str, dict[str, Any]]]

# the program `planalign`, started by tests
pytest_plugins = ("tests.program",)

CENSUS_DATE = dt.date(2024, 12, 31)


def pytest_configure() -> None:
    """Heed SIGINT: a shell starts what it puts in the background without it, and every child would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest module: the worker that got it last would keep the other one waiting."""
    items.sort(key=lambda item: item.path.stem != "test_plan_recomputation")


def person(
    employee_id: str,
    *,
    born: str = "1985-06-15",
    hired: str = "2015-03-01",
    pay: object = "60000.00",
    **columns: object,
) -> Row:
    """Return one census row; `columns` are further standard columns, such as `level_id`."""
    return {
        "employee_id": employee_id,
        "employee_birth_date": born,
        "employee_hire_date": hired,
        "employee_gross_compensation": pay,
        **columns,
    }


def people(size: int) -> list[Row]:
    """Return `size` equal employees with the ids P0001, P0002, ..."""
    return [person(f"P{number:04d}") for number in range(1, size + 1)]


def write_rows(path: Path, rows: Iterable[Row]) -> Path:
    """Write rows as CSV, blank where a row lacks a column of another row."""
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file as they are written."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def default_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a packaged parameter table."""
    return read_rows(project.default_tables() / f"{name}.csv")


@cache
def band(table: str, years: int) -> dict[str, str]:
    """Return the row of a packaged band table (by age or tenure) that holds a number of completed years."""
    low, high = [name for name in default_table(table)[0] if name.endswith(("_from", "_to"))]
    (found,) = [
        row for row in default_table(table) if int(row[low]) <= years and (row[high] == "" or years < int(row[high]))
    ]
    return found


@cache
def factor(table: str, key: object) -> float:
    """Return the factor that a packaged table gives to a level or band, its first column."""
    (found,) = [row for row in default_table(table) if next(iter(row.values())) == str(key)]
    return float(found["multiplier" if "multiplier" in found else "factor"])


def exit_hazard(level: int, age: int, service: int) -> tuple[float, float]:
    """Return the relative hazard of leaving under the packaged tables, and the retirement part of it."""
    retirement = float(band("retirement_hazard", age)["hazard"])
    by_age = factor("termination_by_age", band("age_bands", age)["age_band"])
    by_tenure = factor("termination_by_tenure", band("tenure_bands", service)["tenure_band"])
    return factor("termination_by_level", level) * by_age * by_tenure + retirement, retirement


def draw(seed: int, stream: str, employee_id: str, year: int, part: int = 0) -> float:
    """Return a draw of the model, as the specification words it; `part` 1 is the second of the two in one md5."""
    digest = hashlib.md5(f"{seed}|{stream}|{employee_id}|{year}".encode()).hexdigest()
    return int(digest[13 * part : 13 * part + 13], 16) / 2**52


def anniversary(day: dt.date, year: int) -> dt.date:
    """Return the day's anniversary in a year; 29 February is 28 February in common years."""
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))


def completed_years(since: dt.date, until: dt.date) -> int:
    """Return how many anniversaries lie between two days, the last day included."""
    return until.year - since.year - (anniversary(since, until.year) > until)


def configure(folder: Path, census: Path | Iterable[Row], overrides: Overrides | None = None) -> SimulationConfig:
    """Return the default configuration for a census (a file, or rows to write), for the year 2025 unless overridden.

    `overrides` are dotted keys, as for `load_simulation_config`. The database is `simulation.duckdb` in `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = census if isinstance(census, Path) else write_rows(folder / "census.csv", census)
    file = folder / "simulation_config.yaml"
    file.write_text(json.dumps({"census": {"path": str(path.resolve())}}), encoding="utf-8")
    usual = {
        "simulation.end_year": (overrides or {}).get("simulation.start_year", 2025),
        "runtime.database": str(folder / "simulation.duckdb"),
        "runtime.threads": 1,
    }
    return load_simulation_config(file, overrides={**usual, **(overrides or {})})


@dataclass(frozen=True)
class Result:
    """A finished run: its census file, its configuration and the database it wrote."""

    census: Path
    config: SimulationConfig
    database: Path

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query; bare names are the marts, `parameters.x` and `inputs.census` the inputs."""
        with DatabaseConnectionManager(self.database, read_only=True, threads=1) as db:
            return db.get_connection().execute(sql).fetchall()

    def records(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query by column name."""
        with DatabaseConnectionManager(self.database, read_only=True, threads=1) as db:
            return records(db.get_connection(), sql)

    def metrics(self, year: int) -> dict[str, Any]:
        """Return the year's key figures by name; people and events as whole numbers."""
        rows = self.query(f"select metric, value, unit from fct_annual_metrics where simulation_year = {year}")
        return {name: int(value) if unit in ("people", "events") else value for name, value, unit in rows}

    def digests(self) -> Digests:
        """Return year -> mart -> rows and digest."""
        return {row["simulation_year"]: row["digests"] for row in checkpoints.read_status(self.database).checkpoints}

    def verdicts(self) -> dict[int, list[dict[str, Any]]]:
        """Return year -> the verdict of every validation rule."""
        return {row["simulation_year"]: row["validation"] for row in checkpoints.read_status(self.database).checkpoints}


def simulate(folder: Path, census: Path | Iterable[Row], overrides: Overrides | None = None) -> Result:
    """Simulate a company in a folder of its own and return the result; see `configure` for the arguments."""
    config = configure(folder, census, overrides)
    build_orchestrator(config).execute_multi_year_simulation()
    return Result(config.census.path, config, config.runtime.database)


def records(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query by column name."""
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Laboratory:
    """The compiled model on one open database with one census, which each run simulates under another configuration.

    It leaves out what lies around the model: checkpoints, validation and reports. Configurations may not differ in what
    decides how the census is read: census keys, start year and the job levels that exist.
    """

    def __init__(self, folder: Path, census: Path | Iterable[Row], overrides: Overrides | None = None) -> None:
        self._folder = folder
        self._overrides = overrides or {}
        config = configure(folder, census, overrides)
        self._census = config.census.path
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("attach ':memory:' as planalign")
        self.connection.execute("attach ':memory:' as working")
        self.connection.execute("set search_path = 'planalign.main,working.main'")
        self._compiled = load_compiled_model()
        RunInputs.read(config).write(self.connection)

    def run(self, overrides: Overrides | None = None, *, until: str = STAGES[-1]) -> "Laboratory":
        """Simulate every year of the configuration, the last one up to and including the stage `until`."""
        config = configure(self._folder, self._census, {**self._overrides, **(overrides or {})})
        inputs = RunInputs.read(config)
        self._years = range(config.simulation.start_year, config.simulation.end_year + 1)
        self.connection.execute("drop schema parameters cascade")
        parameters.write_parameters(self.connection, inputs.tables)
        self.valued_model = self._compiled.with_values(inputs.variables)
        engine = NativeDriver(self.valued_model, self.connection)
        engine.create_marts()
        ((people,),) = self.query("select count(*) from planalign.inputs.census")
        engine.adapt_to(people, threads=1)
        for mart in self._compiled.marts:
            self.connection.execute(f"truncate planalign.main.{mart.name}")
        for year in self._years:
            engine.begin_year(year)
            last = STAGES.index(until) if year == self._years[-1] else len(STAGES) - 1
            for stage in STAGES[: last + 1]:
                engine.run_stage(stage, year)
            if stage == STAGES[-1]:
                engine.write_marts(year)
        # the rules of the plan read it
        self.connection.execute(f"set variable simulation_year = {year}")
        return self

    def open_census(self, census: Path | Iterable[Row], overrides: Overrides | None = None) -> "Laboratory":
        """Put another census, of any start year, in the place of the present one; the compiled model stays."""
        config = configure(self._folder, census, {**self._overrides, **(overrides or {})})
        self._census = config.census.path
        inputs = RunInputs.read(config)
        load_census(
            self.connection,
            inputs.source,
            census_date=inputs.census_date,
            level_ids=parameters.level_ids(inputs.tables),
        )
        return self

    @contextmanager
    def faulty_model(self, name: str, old: str, new: str) -> Iterator[None]:
        """Replace a part of a compiled model's text for a while, to show that a test would notice."""
        compiled = self._compiled
        assert any(model.name == name and old in model.sql for model in compiled.models)
        models = (
            replace(model, sql=model.sql.replace(old, new)) if model.name == name else model
            for model in compiled.models
        )
        self._compiled = replace(compiled, models=tuple(models))
        try:
            yield
        finally:
            self._compiled = compiled

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the last run; working models can be read too."""
        return self.connection.execute(sql).fetchall()

    def records(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query on the last run by column name."""
        return records(self.connection, sql)

    def digests(self) -> Digests:
        """Return year -> mart -> rows and digest of the last run."""
        return {year: checkpoints.mart_digests(self.connection, self._compiled.marts, year) for year in self._years}


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return a function from a size to a generated census of that many people, as of 31 December 2024."""
    folder = tmp_path_factory.mktemp("generated")

    def census(size: int) -> Path:
        path = folder / f"census_{size}.csv"
        if not path.exists():
            write_census(path, size, seed=1, census_date=CENSUS_DATE)
        return path

    return census


@pytest.fixture(scope="session")
def mixed_census(generated: Callable[[int], Path]) -> Path:
    """Return a census of 500 people with every oddity that is allowed.

    Among them are people born and hired on 29 February, hired on the census date, with the level left to be found from
    pay, with announced exits on the first and last day of a year and long after, part-timers, and former employees.
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
    staying = [row for row in rows if not row["employee_termination_date"]]
    days = ("2025-01-01", "2025-02-28", "2025-12-31", "2026-02-28", "2027-06-30", "2028-02-29", "2031-05-01")
    for row, day in zip(staying[4::60], days, strict=False):
        row["employee_termination_date"] = day
    return write_rows(generated(500).with_name("mixed.csv"), rows)


@pytest.fixture(scope="session")
def sample_run(generated: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A run of 1,000 generated people over 2025-2029 with the default configuration; not to be changed."""
    return simulate(tmp_path_factory.mktemp("sample"), generated(1000), {"simulation.end_year": 2029})
