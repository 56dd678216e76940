"""Companies as census files: rows of people, the packaged tables they are judged by, and a configuration for them."""

import csv
import datetime as dt
import hashlib
import json
from calendar import monthrange
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from planalign_orchestrator import project
from planalign_orchestrator.config import SimulationConfig, load_simulation_config

Row = Mapping[str, object]
Overrides = Mapping[str, object]
# a year's exits are then those of the exit rate alone
NOBODY_RETIRES: Overrides = {
    "parameters.retirement_rates": [{"age_from": 0, "age_to": None, "retirement_rate": 0, "source": "nobody retires"}]
}
CENSUS_DATE = dt.date(2024, 12, 31)


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
    """Return the relative hazard of leaving under the packaged tables, and the yearly probability of retirement."""
    retirement = float(band("retirement_rates", age)["retirement_rate"])
    by_age = factor("termination_by_age", band("age_bands", age)["age_band"])
    by_tenure = factor("termination_by_tenure", band("tenure_bands", service)["tenure_band"])
    return factor("termination_by_level", level) * by_age * by_tenure, retirement


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


# The packaged tables, with whose numbers the tests of rules work. Tests of what is fitted to a census give FITTED.
PACKAGED: Overrides = {
    "parameters.job_levels": "default",
    "parameters.new_hire_pay": "default",
    "parameters.new_hire_ages": "default",
    "new_hires.pay_noise_sd": "0.05",
    "new_hires.part_time_share": 0,
    "new_hires.part_time_hours_per_week": 20,
}
FITTED: Overrides = dict.fromkeys(PACKAGED, "census")


def _with_packaged(overrides: Overrides) -> dict[str, object]:
    """The packaged tables under the overrides, whether these give single keys or whole mappings."""
    merged = dict(PACKAGED)
    for name, value in overrides.items():
        if name in ("parameters", "new_hires") and isinstance(value, Mapping):
            merged |= {f"{name}.{key}": entry for key, entry in value.items()}
        else:
            merged[name] = value
    return merged


def configure(folder: Path, census: Path | Iterable[Row], overrides: Overrides | None = None) -> SimulationConfig:
    """Return a configuration of the packaged tables for a census (a file, or rows to write), for the year 2025.

    `overrides` say otherwise: dotted keys, as for `load_simulation_config`. The database is `simulation.duckdb` in
    `folder`.
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
    return load_simulation_config(file, overrides={**usual, **_with_packaged(overrides or {})})
