"""What reads a finished year reads it right: one of three people, written by hand, so that nothing is simulated.

Alma (6 % by the census) stops deferring in 2025. Bela is enrolled automatically at 4 % and raised to 5 %. Cleo is hired
and is not in the plan. These tests are the fast ones of the registries, the reports, the verification of a database and
the commands on one; what a real run leaves is tested where they have modules of their own.
"""

import datetime as dt
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from planalign_orchestrator.database import checkpoints
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.model import STAGES, ModelOfYears, load_compiled_model, session
from planalign_orchestrator.model.native_driver import NativeDriver
from planalign_orchestrator.pipeline.inputs import LoadedInputs, RunInputs
from planalign_orchestrator.registries import RegistryManager
from planalign_orchestrator.reports import ConsoleReporter, YearAuditor
from planalign_orchestrator.validation import PrimaryKeyUniquenessRule
from tests.companies import configure, person
from tests.program import Planalign

YEAR = 2025
CENSUS = [
    person("Alma", employee_deferral_rate="0.06", employee_enrollment_date="2020-01-01"),
    person("Bela", employee_deferral_rate="", employee_enrollment_date=""),
]
LEDGER: list[Mapping[str, object]] = [
    {
        "employee_id": "Alma",
        "event_type": "deferral_change",
        "event_category": "stop",
        "effective_date": dt.date(2025, 5, 1),
        "deferral_rate_after": 0,
    },
    {
        "employee_id": "Bela",
        "event_type": "enrollment",
        "event_category": "automatic",
        "effective_date": dt.date(2025, 2, 1),
        "deferral_rate_after": Decimal("0.04"),
    },
    {
        "employee_id": "Bela",
        "event_type": "deferral_escalation",
        "event_category": "automatic",
        "effective_date": dt.date(2025, 7, 1),
        "deferral_rate_after": Decimal("0.05"),
        "event_sequence": 2,
    },
    {
        "employee_id": "Cleo",
        "event_type": "hire",
        "event_category": "external",
        "effective_date": dt.date(2025, 3, 1),
    },
]
SNAPSHOT: list[Mapping[str, object]] = [
    {"employee_id": "Alma", "enrollment_date": dt.date(2020, 1, 1), "enrollment_method": "voluntary"},
    {
        "employee_id": "Bela",
        "is_enrolled": True,
        "current_deferral_rate": Decimal("0.05"),
        "enrollment_date": dt.date(2025, 2, 1),
        "enrollment_method": "auto",
        "escalation_count": 1,
    },
    {"employee_id": "Cleo", "detailed_status_code": "new_hire_active"},
]
METRICS = {
    "opening_headcount": 2,
    "terminations": 0,
    "layoffs": 0,
    "acquired": 0,
    "announced_terminations": 0,
    "hires": 1,
    "new_hire_terminations": 0,
    "closing_headcount": 3,
    "total_compensation": 180_000,
    "average_compensation": 60_000,
    "compensation_growth_all": 0,
    "compensation_growth_same_person": 0,
    "eligible_count": 3,
    "participant_count": 1,
    "participation_rate": Decimal("0.333333"),
    "average_deferral_rate": Decimal("0.05"),
    "average_deferral_rate_all_eligible": Decimal("0.016667"),
    "average_deferral_rate_payroll_weighted": Decimal("0.016667"),
    **dict.fromkeys(("deferral_coverage_ratio", "match_coverage_ratio", "core_coverage_ratio"), Decimal(1)),
    **dict.fromkeys(("compensation_ratio_hce", "compensation_ratio_others"), Decimal(1)),
}
# what a column that may not be null holds where a row does not say it
FILLING: Mapping[str, object] = {
    "VARCHAR": "-",
    "INTEGER": 1,
    "BOOLEAN": False,
    "DATE": dt.date(1985, 6, 15),
    "UUID": None,
}


def write_row(connection: "duckdb.DuckDBPyConnection", mart: str, values: Mapping[str, object]) -> None:
    """Insert a row of the year into a mart; the columns that it does not name hold nothing in particular."""
    (contract,) = (found for found in load_compiled_model().marts if found.name == mart)
    filled = {column.name: FILLING.get(column.type, 0) for column in contract.columns if column.not_null}
    row = {**filled, "simulation_year": YEAR, **({"event_id": uuid.uuid4()} if "event_id" in filled else {}), **values}
    marks = ", ".join("?" for _ in row)
    connection.execute(f"insert into planalign.main.{mart} ({', '.join(row)}) values ({marks})", list(row.values()))


def write_year(inputs: RunInputs, db: DatabaseConnectionManager) -> None:
    """Write what a run would: inputs, marts, registries, and the rows that say it is finished."""
    connection = db.get_connection()
    loaded = inputs.write(connection)
    session.create_marts(connection, inputs.model)
    checkpoints.create_state_tables(connection)
    registries = RegistryManager(db)
    registries.create_for_year(YEAR)
    people = {"employment_status": "active", "detailed_status_code": "continuous_active", "escalation_count": 0}
    for mart, rows in (("fct_yearly_events", LEDGER), ("fct_workforce_snapshot", [{**people, **r} for r in SNAPSHOT])):
        for row in rows:
            write_row(connection, mart, row)
    for metric, value in METRICS.items():
        write_row(connection, "fct_annual_metrics", {"metric": metric, "value": value, "unit": "people"})
    registries.update_post_year(YEAR)
    record(inputs, connection, loaded)


def record(inputs: RunInputs, connection: "duckdb.DuckDBPyConnection", loaded: LoadedInputs) -> None:
    """Write the rows of the run and of its year."""
    common = {"run_id": "by hand", "engine": "native", "duckdb_version": checkpoints.duckdb_version()}
    run = {
        "started_at": checkpoints.now(),
        "requested_start_year": YEAR,
        "requested_end_year": YEAR,
        "scenario_id": "-",
        "plan_design_id": "-",
        "random_seed": 1,
        "planalign_version": "0",
        "configuration": inputs.config.model_dump(mode="json"),
        "census": loaded.summary.to_dict(),
        "plan_testing": [],
        "notes": [],
    }
    checkpoints.record_run(connection, {**common, **run})
    year = {
        "simulation_year": YEAR,
        "completed_at": checkpoints.now(),
        "fingerprints": inputs.fingerprints(loaded, YEAR),
        "digests": checkpoints.mart_digests(connection, inputs.model.marts, YEAR),
        "timings": {"stages": {}, "models": {}},
        "validation": [],
    }
    checkpoints.record_checkpoint(connection, {**common, **year})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the year; not to be changed."""
    folder = tmp_path_factory.mktemp("written")
    config = configure(folder, CENSUS)
    with DatabaseConnectionManager(config.runtime.database, threads=1) as db, db.transaction():
        write_year(RunInputs.read(config), db)
    return folder


@pytest.fixture
def database(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the year's database, from its own folder."""
    shutil.copytree(written, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy" / "simulation.duckdb"


@pytest.fixture
def db(database: Path) -> Iterator[DatabaseConnectionManager]:
    with DatabaseConnectionManager(database, threads=1) as manager:
        yield manager


def change(database: Path, statement: str) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(statement)


def test_the_registries_fold_the_ledger(db: DatabaseConnectionManager) -> None:
    manager = RegistryManager(db)
    enrollment, escalation = manager.get_enrollment_registry(), manager.get_deferral_registry()
    assert enrollment.get_enrolled_employees(YEAR - 1) == ["Alma"]
    assert enrollment.get_enrolled_employees(YEAR) == ["Bela"]
    assert escalation.get_escalation_participants(YEAR) == ["Bela"]
    assert [escalation.get_escalation_count(name) for name in ("Alma", "Bela")] == [0, 1]
    assert [registry.validate_integrity().errors for registry in manager.registries] == [(), ()]


def test_a_registry_names_who_differs_from_the_snapshot(db: DatabaseConnectionManager) -> None:
    db.get_connection().execute("update planalign.main.fct_workforce_snapshot set is_enrolled = employee_id = 'Cleo'")
    errors = RegistryManager(db).get_enrollment_registry().validate_integrity(YEAR).errors
    assert [error.partition(" by ")[0] for error in errors] == [
        "2025: Bela: is_enrolled is false",
        "2025: Cleo: is_enrolled is true",
    ]


def test_a_rule_finds_a_person_who_is_there_twice(db: DatabaseConnectionManager) -> None:
    rule = PrimaryKeyUniquenessRule("fct_workforce_snapshot", ("simulation_year", "employee_id"))
    assert rule.check(db.get_connection(), YEAR).passed
    write_row(db.get_connection(), "fct_workforce_snapshot", {"employee_id": "Cleo"})
    found = rule.check(db.get_connection(), YEAR)
    assert not found.passed
    assert "Cleo" in str(found.examples)


def test_a_report_counts_people_and_events(db: DatabaseConnectionManager) -> None:
    report = YearAuditor(db).generate_report(YEAR)
    assert report.workforce_breakdown.equation == "2 - 0 + 1 - 0 = 3"
    assert report.workforce_breakdown.by_status == {"continuous_active": 2, "new_hire_active": 1}
    assert report.event_summary.by_type == {"deferral_change": 1, "enrollment": 1, "deferral_escalation": 1, "hire": 1}
    assert "2 - 0 + 1 - 0 = 3" in ConsoleReporter().format_year_audit(report)
    with pytest.raises(DatabaseError, match="does not hold 2026; its finished years are 2025"):
        YearAuditor(db).generate_report(YEAR + 1)


def test_the_commands_read_the_year(planalign: Planalign, database: Path) -> None:
    options = ("--database", database)
    assert planalign("status", *options, "--json").document["years"][0]["simulation_year"] == YEAR
    assert planalign("checkpoint", *options).out.startswith("2025 of ")
    done = planalign("report", *options, "--years", "2025", "--format", "json")
    assert done.code == 0, done.err
    document = done.document
    assert document["years"][0]["metrics"]["hires"] == {"value": 1, "unit": "people"}
    shutil.copy(database, "other.duckdb")
    assert planalign("compare-runs", database, "other.duckdb").code == 0
    change(Path("other.duckdb"), "delete from fct_yearly_events where event_type = 'hire'")
    assert planalign("compare-runs", database, "other.duckdb").code == 1


def test_a_changed_row_is_not_shown_as_if_it_were_right(planalign: Planalign, database: Path) -> None:
    change(database, "update fct_annual_metrics set value = 4 where metric = 'hires'")
    done = planalign("report", "--database", database)
    assert (done.code, done.out) == (1, "")
    assert "fct_annual_metrics" in done.err


def test_a_backup_is_restored(planalign: Planalign, database: Path) -> None:
    options = ("-c", "simulation_config.yaml")
    kept = planalign("backup", *options, "--to", "kept.duckdb")
    assert kept.code == 0, kept.err
    right = read_year(database)
    change(database, "delete from fct_yearly_events")
    restored = planalign("restore", *options, "--from", "kept.duckdb")
    assert restored.code == 0, restored.err
    assert read_year(database) == right


def read_year(database: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("from fct_yearly_events order by all").fetchall()


def test_the_staging_models_read_the_inputs(tmp_path: Path) -> None:
    """The first stage of the compiled model alone, on its driver: what the law, the calendar and the census say."""
    inputs = RunInputs.read(configure(tmp_path, CENSUS, {"simulation.end_year": 2028}))
    staging = [model for model in inputs.models.of_year(2028).models if model.name.startswith("stg_")]
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("attach ':memory:' as planalign")
        inputs.write(connection)
        with NativeDriver(
            ModelOfYears({2028: replace(inputs.models.of_year(2028), models=tuple(staging))}), connection
        ) as driver:
            driver.begin_year(2028)
            for stage in STAGES:
                driver.run_stage(stage, 2028)
            read = {model.name: connection.execute(f"from working.main.{model.name}").fetchall() for model in staging}
            calendar = connection.execute("select days_in_year, year_end from working.main.stg_calendar").fetchall()
    assert calendar == [(366, dt.date(2028, 12, 31))]
    assert len(read["stg_census"]) == len(CENSUS)
    assert [name for name, rows in read.items() if not rows] == []
