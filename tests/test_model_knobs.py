"""Every knob matters: each key and each parameter column that may change results is changed, and a result moves."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from planalign_orchestrator.config import PARAMETER_TABLES, config_fingerprint, config_from_mapping, effective_values
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.model import load_compiled_model
from tests.companies import Row, people, person, read_rows, write_rows
from tests.knobs import DYING, Knob, changed_tables, columns_with_numbers
from tests.laboratory import Digests, Laboratory, simulate
from tests.test_plan_knobs import PARTICIPATION_TABLES, PLAN_KNOBS

pytestmark = pytest.mark.model

WORKFORCE_TABLES = [table for table in PARAMETER_TABLES if table not in PARTICIPATION_TABLES]
UNEVEN = [0.2, 0, *[0.08] * 10]


RATES: Mapping[str, object] = {"workforce.structure": "rates"}
PART_TIME = {"new_hires.part_time_share": 0.5}
BONUS = {"compensation.bonus.target_share": {1: 0.1}}

KNOBS = {
    "scenario_id": Knob("other"),
    "plan_design_id": Knob("other"),
    "simulation.random_seed": Knob(7),
    "simulation.target_growth_rate": Knob(0.04),
    "workforce.headcount_mode": Knob("stochastic"),
    "workforce.structure": Knob("rates"),
    "workforce.level_mix": Knob({1: 0.5, 2: 0.5}),
    "workforce.total_termination_rate": Knob(0.13),
    "workforce.new_hire_termination_rate": Knob(0.3),
    "workforce.voluntary_share": Knob(0.5),
    "workforce.reductions": Knob([{"date": "2025-03-31", "people": 20}]),
    "workforce.announced_exits": Knob("lower_target"),
    "workforce.exit_timing": Knob(UNEVEN),
    "compensation.cola_rate": Knob(0.03),
    "compensation.merit_budget": Knob(0.04),
    "compensation.structure_increase_rate": Knob(0.05, {"simulation.end_year": 2026}),
    "compensation.promotion.effective_date": Knob("03-01"),
    "compensation.promotion.fill_share": Knob(1),
    "compensation.promotion.base_rate": Knob(0.1, RATES),
    "compensation.promotion.rate_multiplier": Knob(2, RATES),
    "compensation.promotion.minimum_service_years": Knob(5),
    "compensation.promotion.maximum_age": Knob(40),
    "compensation.promotion.base_increase": Knob(0.25),
    "compensation.promotion.increase_spread": Knob(0.01),
    "compensation.promotion.maximum_increase_rate": Knob(0.1),
    "compensation.promotion.maximum_increase_amount": Knob(10_000),
    "compensation.bonus.target_share": Knob({1: 0.1}),
    "compensation.bonus.pay_date": Knob("06-30", BONUS),
    "compensation.bonus.standard_deviation": Knob(0.2, BONUS),
    "raise_timing.methodology": Knob("anniversary"),
    "raise_timing.fixed_date": Knob("04-01", {"raise_timing.methodology": "fixed"}),
    "raise_timing.month_weights": Knob(UNEVEN),
    "raise_timing.minimum_service_months": Knob(36),
    "new_hires.level_mix": Knob({1: 0.5, 2: 0.5}, RATES),
    "new_hires.hire_timing": Knob(UNEVEN),
    "new_hires.pay_noise_sd": Knob(0.1),
    "new_hires.part_time_share": Knob(0.5),
    "new_hires.part_time_hours_per_week": Knob(10, PART_TIME),
    "new_hires.full_time_hours_per_week": Knob(38),
}
# these decide how the census is read, so that each needs a census of its own; see `CENSUS_KNOBS`
_READING = "columns ignore_columns date_format sheet encoding last_row ignore_rows values units pay_basis default_hours"
_ROWS = "no_end_date on_invalid_rows most_set_aside duplicates"
CENSUS_KEYS = {f"census.{key}" for key in (*_READING.split(), *_ROWS.split())}
# these decide which verdict a year gets, and no mart
THRESHOLDS = {"validation.maximum_hire_rate": "hiring", "validation.maximum_average_pay_growth": "pay_growth"}
WITHOUT_EFFECT = {
    "simulation.end_year": 2027,
    "validation.examples": 0,
    "validation.fail_on_validation_error": True,
    # what is said of 414A
    "plan.established": "2023-01-01",
    "plan.exempt_from_414a": True,
    "reports.directory": "elsewhere too",
    "reports.template": "executive",
    "runtime.database": "another name.duckdb",
    "runtime.threads": 3,
    "runtime.memory_limit": "1GB",
    "runtime.checkpoint_directory": "elsewhere",
}
# judged in tests of their own: another year, another census, what is fitted to it, and the engines against each other
ELSEWHERE = {
    "simulation.start_year",
    "census.path",
    "census.header_row",
    "census.hash_ids",
    "census.level_cuts",
    "parameters",
    # a second census, in tests/test_acquisitions.py
    "workforce.acquisitions",
    # every key of it, in tests/test_changes.py
    "changes",
    "runtime.engine",
    "validation.rules",
    "validation.custom_rules_file",
}


def test_every_key_has_a_case_here() -> None:
    config = config_from_mapping({"census.path": "census.csv"})
    keys = {value.key for value in effective_values(config)}
    covered = KNOBS.keys() | PLAN_KNOBS.keys() | CENSUS_KEYS | THRESHOLDS.keys() | WITHOUT_EFFECT.keys() | ELSEWHERE
    assert keys == covered, "a key needs a case that moves a result, or one that proves it does not"
    assert config_fingerprint(config).keys() <= keys - WITHOUT_EFFECT.keys()


@pytest.fixture(scope="module")
def laboratory(
    tmp_path_factory: pytest.TempPathFactory, generated: Callable[[int], Path], simulates: None
) -> Laboratory:
    """A thousand people in 2025, one of whom has announced an exit.

    Every fifth level is to be found from pay, so that its table is read.
    """
    rows = [
        {**row, "level_id": "" if n % 5 == 0 else row["level_id"]} for n, row in enumerate(read_rows(generated(1000)))
    ]
    rows[1] |= {"active": "true", "employee_termination_date": "2025-11-30"}
    return Laboratory(tmp_path_factory.mktemp("knobs"), rows)


def test_a_model_whose_rule_is_off_has_no_rows(laboratory: Laboratory) -> None:
    """A run keeps the first year's table of such a model, which is right only while that is empty."""
    off = [model.name for model in load_compiled_model().models if model.only_when is not None]
    # these have rows in tests/test_acquisitions.py and in the cases of a QACA
    elsewhere = {"int_acquired", "int_qaca_minima"}
    assert elsewhere < set(off)
    laboratory.run({"simulation.end_year": 2026})
    assert [laboratory.query(f"select count(*) from working.main.{name}") for name in off] == [[(0,)]] * len(off)
    sweep = {"plan.automatic_enrollment.reenroll_non_participants": True, "plan.match.computed": "per_payroll"}
    layoff = {"workforce.reductions": [{"date": "2025-03-31", "people": 20}]}
    laboratory.run(
        {**sweep, **layoff, **PLAN_KNOBS["plan.match.deferrals_from"].given, "plan.match.deferrals_from": "match_entry"}
    )
    found = {name: laboratory.query(f"select count(*) > 0 from working.main.{name}") for name in off}
    assert {name for name, has_rows in found.items() if has_rows != [(True,)]} == elsewhere


@pytest.fixture(scope="module")
def usual(laboratory: Laboratory) -> Callable[[Mapping[str, object]], Digests]:
    """Return a function from settings to their digests, each computed once."""
    known: dict[str, Digests] = {}

    def digests(given: Mapping[str, object]) -> Digests:
        if str(given) not in known:
            known[str(given)] = laboratory.run(given).digests()
        return known[str(given)]

    return digests


@pytest.mark.parametrize("key", KNOBS)
def test_every_key_moves_a_result(
    laboratory: Laboratory, usual: Callable[[Mapping[str, object]], Digests], key: str
) -> None:
    knob = KNOBS[key]
    before = usual(knob.given)
    assert laboratory.run({**knob.given, key: knob.value}).digests() != before


def test_the_first_year_moves_every_result(tmp_path: Path, generated: Callable[[int], Path]) -> None:
    first = simulate(tmp_path / "2025", generated(500)).metrics(2025)
    later = simulate(tmp_path / "2026", generated(500), {"simulation.start_year": 2026}).metrics(2026)
    assert later["opening_headcount"] == first["opening_headcount"]
    assert later["total_compensation"] != first["total_compensation"]


@pytest.mark.parametrize(("table", "column"), columns_with_numbers(WORKFORCE_TABLES))
def test_every_number_of_every_parameter_table_moves_a_result(
    laboratory: Laboratory, usual: Callable[[Mapping[str, object]], Digests], table: str, column: str
) -> None:
    needed: Mapping[str, Mapping[str, object]] = {"promotion_by_level": RATES, "decrement_rates": DYING}
    given = needed.get(table, {})
    before = usual(given)
    assert laboratory.run({**given, **changed_tables(table, column)}).digests() != before


def test_every_parameter_table_has_a_number_that_counts() -> None:
    assert {table for table, _ in columns_with_numbers(PARAMETER_TABLES)} == set(PARAMETER_TABLES)


def test_a_table_from_a_file_counts_like_its_rows(tmp_path: Path, laboratory: Laboratory) -> None:
    ((key, rows),) = changed_tables("retirement_rates", "retirement_rate").items()
    from_rows = laboratory.run({key: rows}).digests()
    assert laboratory.run({key: str(write_rows(tmp_path / "hazard.csv", rows))}).digests() == from_rows


def workbook(folder: Path) -> Path:
    """An Excel file with two sheets of two companies."""
    book = openpyxl.Workbook()
    for name, pay in (("East", 60_000), ("West", 70_000)):
        sheet = book.create_sheet(name)
        rows = [person("P", pay=pay)]
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    del book["Sheet"]
    path = folder / "census.xlsx"
    book.save(path)
    return path


AMBIGUOUS = [person("P", born="03/04/1980", hired="05/06/2010")]
TWO_PAYS: list[Row] = [{**person("P", pay=60_000), "Total cash": 65_000}]
RENAMED: list[Row] = [{("Base" if name.endswith("compensation") else name): v for name, v in TWO_PAYS[0].items()}]


def encoded(folder: Path) -> Path:
    """A file whose departments are other words in each encoding."""
    path = write_rows(folder / "team.csv", [{**row, "department": "Caf\u00e9"} for row in people(20)])
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    return path


def part_timers(count: int) -> list[Row]:
    """People of twenty hours a week."""
    return [{**row, "scheduled_hours_per_week": "20"} for row in people(count)]


CENSUS_KNOBS: dict[str, tuple[Callable[[Path], Path | list[Row]], object, object]] = {
    "census.columns": (
        lambda folder: RENAMED,
        {"employee_gross_compensation": "Base"},
        {"employee_gross_compensation": "Total cash"},
    ),
    "census.ignore_columns": (lambda folder: [person("P", level_id=3)], [], ["level_id"]),
    "census.date_format": (lambda folder: AMBIGUOUS, "%d/%m/%Y", "%m/%d/%Y"),
    "census.sheet": (workbook, "East", "West"),
    "census.encoding": (encoded, "windows-1252", "mac-roman"),
    "census.last_row": (lambda folder: people(20), 11, 21),
    "census.ignore_rows": (
        lambda folder: people(20),
        {"column": "employee_id", "values": ["P0003"]},
        {"column": "employee_id", "values": ["P0004", "P0005"]},
    ),
    "census.values": (
        lambda folder: [{**row, "active": "Q" if at % 3 else "A"} for at, row in enumerate(people(20))],
        {"active": {"A": True, "Q": True}},
        {"active": {"A": True, "Q": False}},
    ),
    "census.units": (
        lambda folder: [{**row, "employee_deferral_rate": "0.5"} for row in people(20)],
        {"employee_deferral_rate": "fraction"},
        {"employee_deferral_rate": "percent"},
    ),
    "census.pay_basis": (lambda folder: part_timers(20), "actual", "full_time_equivalent"),
    "census.default_hours": (lambda folder: people(20), 40, 20),
    "census.no_end_date": (
        lambda folder: [
            {**row, "employee_termination_date": f"2025-0{at % 9 + 1}-15"} for at, row in enumerate(people(20))
        ],
        "2025-01-15",
        "2025-02-15",
    ),
}


@pytest.mark.parametrize("key", CENSUS_KNOBS)
def test_every_census_key_moves_a_result(tmp_path: Path, key: str) -> None:
    census, value, other = CENSUS_KNOBS[key]
    before = simulate(tmp_path / "a", census(tmp_path), {key: value}).digests()
    assert simulate(tmp_path / "b", census(tmp_path), {key: other}).digests() != before


def test_invalid_rows_stop_the_run_or_are_set_aside(tmp_path: Path) -> None:
    rows = [*people(20), person("BAD", pay=-1)]
    with pytest.raises(CensusError, match="employee_gross_compensation is not above 0: 1 row"):
        simulate(tmp_path / "a", rows)
    result = simulate(tmp_path / "b", rows, {"census.on_invalid_rows": "quarantine", "census.most_set_aside": 1})
    assert result.metrics(2025)["opening_headcount"] == 20
    assert result.query("select employee_id from census_quarantine") == [("BAD",)]


def test_rows_of_one_id_stop_the_run_or_are_employments(tmp_path: Path) -> None:
    rows = [*people(20), person("P0001", hired="2024-06-01")]
    with pytest.raises(CensusError, match="employee_id is used by more than one row: 2 rows"):
        simulate(tmp_path / "a", rows)
    result = simulate(tmp_path / "b", rows, {"census.duplicates": "latest_spell"})
    dates = "select employee_hire_date::varchar, employee_service_date::varchar from dim_employee"
    assert result.query(f"{dates} where employee_id = 'P0001'") == [("2024-06-01", "2015-03-01")]
    assert result.metrics(2025)["opening_headcount"] == 20


@pytest.mark.parametrize("key", THRESHOLDS)
def test_thresholds_change_the_verdict_and_nothing_else(
    tmp_path: Path, generated: Callable[[int], Path], key: str
) -> None:
    results = [simulate(tmp_path / value, generated(500), {key: value}) for value in ("0.9", "0.001")]
    failed = [[rule["rule"] for rule in result.verdicts()[2025] if not rule["passed"]] for result in results]
    assert failed == [[], [f"assert_{THRESHOLDS[key]}_is_plausible"]]
    assert results[0].digests() == results[1].digests()


def test_what_is_not_part_of_the_fingerprint_moves_nothing(tmp_path: Path, generated: Callable[[int], Path]) -> None:
    two_years: dict[str, Any] = {"simulation.end_year": 2026}
    before = simulate(tmp_path / "a", generated(500), two_years).digests()
    folder = tmp_path / "b"
    paths = {
        key: str(folder / str(value))
        for key, value in WITHOUT_EFFECT.items()
        if key.endswith(("directory", "database"))
    }
    after = simulate(folder, generated(500), {**WITHOUT_EFFECT, **paths}).digests()
    assert after.keys() == {2025, 2026, 2027}
    assert {year: after[year] for year in before} == before
