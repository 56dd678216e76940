"""The registries: they agree with the snapshot and the ledger, answer questions, and name what does not agree."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.factory import build_orchestrator
from planalign_orchestrator.registries import RegistryManager
from tests.laboratory import Result, simulate

pytestmark = pytest.mark.model

YEARS = range(2025, 2030)
SNAPSHOT = "planalign.main.fct_workforce_snapshot"
LEDGER = "planalign.main.fct_yearly_events"
TABLES = ("enrollment_registry", "deferral_escalation_registry")


@contextmanager
def opened(database: Path) -> Iterator[DatabaseConnectionManager]:
    with DatabaseConnectionManager(database, threads=1) as manager:
        yield manager


@pytest.fixture(scope="module")
def database(sample_run: Result, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseConnectionManager]:
    """A copy of the sample run, open for damage that is always rolled back."""
    copy = Path(shutil.copy(sample_run.database, tmp_path_factory.mktemp("registries")))
    with opened(copy) as manager:
        yield manager


def errors_after(database: DatabaseConnectionManager, *damage: str) -> tuple[str, ...]:
    """What the registries find after damage, which is undone."""
    connection = database.get_connection()
    connection.execute("begin")
    try:
        for statement in damage:
            connection.execute(statement)
        return RegistryManager(database).validate_all_registries(2029).errors
    finally:
        connection.execute("rollback")


def rows(database: DatabaseConnectionManager) -> list[object]:
    return [database.get_connection().execute(f"from {table} order by all").fetchall() for table in TABLES]


# --- they agree -------------------------------------------------------------------------------------------------------


def test_a_real_run_agrees_in_every_year(database: DatabaseConnectionManager) -> None:
    manager = RegistryManager(database)
    for registry in manager.registries:
        result = registry.validate_integrity()
        assert (result.is_valid, result.errors, result.warnings) == (True, (), ())
    assert all(manager.validate_all_registries(year).is_valid for year in YEARS)


VARIED = {
    "plan.automatic_enrollment.reenroll_non_participants": True,
    "plan.automatic_enrollment.reenrollment_opt_out_rate": "0.4",
    "plan.own_changes.stop_rate": "0.2",
    "plan.escalation.delay_years": 0,
}


def test_every_way_into_and_out_of_the_plan_agrees(tmp_path: Path, mixed_census: Path) -> None:
    """Sweeps, opt-outs, refusals, announced exits and part-timers: the rule that runs each year found nothing."""
    result = simulate(tmp_path, mixed_census, {"simulation.end_year": 2027, **VARIED})
    assert result.query("select 1 from fct_yearly_events where event_category = 'reenrollment' limit 1")
    with opened(result.database) as manager:
        assert [registry.validate_integrity().errors for registry in RegistryManager(manager).registries] == [(), ()]


def test_a_row_stands_for_a_change_and_not_for_a_year(database: DatabaseConnectionManager) -> None:
    connection = database.get_connection()
    for table in TABLES:
        overlapping = f"""
            select a.employee_id from {table} as a
            inner join {table} as b on a.employee_id = b.employee_id and a.from_year < b.from_year
            where coalesce(a.to_year, 9999) >= b.from_year
        """
        assert connection.execute(overlapping).fetchall() == []
        ((kept, people),) = connection.execute(f"select count(*), count(distinct employee_id) from {table}").fetchall()
        assert people < kept < len(YEARS) * people


# --- questions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
def test_questions_about_a_year_have_the_answers_of_the_snapshot(
    database: DatabaseConnectionManager, year: int
) -> None:
    connection = database.get_connection()
    manager = RegistryManager(database)

    def ids(condition: str) -> list[str]:
        query = (
            f"select employee_id from {SNAPSHOT} where simulation_year = {year} and {condition} order by employee_id"
        )
        return [employee_id for (employee_id,) in connection.execute(query).fetchall()]

    enrollment, deferral = manager.get_enrollment_registry(), manager.get_deferral_registry()
    assert enrollment.get_enrolled_employees(year) == ids("is_enrolled")
    assert deferral.get_escalation_participants(year) == ids("escalation_count > 0")
    enrolled, other = ids("is_enrolled")[0], ids("not is_enrolled")[0]
    assert enrollment.is_employee_enrolled(enrolled, year)
    assert not enrollment.is_employee_enrolled(other, year)
    assert not enrollment.is_employee_enrolled("nobody", year)


def test_a_leaver_is_enrolled_in_the_year_of_the_exit_and_not_after(
    database: DatabaseConnectionManager,
) -> None:
    query = f"""
        select min(employee_id) from {SNAPSHOT}
        where simulation_year = 2026 and employment_status = 'terminated' and is_enrolled
    """
    ((leaver,),) = database.get_connection().execute(query).fetchall()
    enrollment = RegistryManager(database).get_enrollment_registry()
    assert [year for year in YEARS if enrollment.is_employee_enrolled(leaver, year)][-1] == 2026


def test_escalations_are_counted_over_all_years(database: DatabaseConnectionManager) -> None:
    query = f"select employee_id, count(*) from {LEDGER} where event_type = 'deferral_escalation' group by 1"
    employee_id, count = database.get_connection().execute(f"{query} order by 2, 1").fetchall()[-1]
    deferral = RegistryManager(database).get_deferral_registry()
    assert count > 1
    assert deferral.get_escalation_count(employee_id) == count
    assert deferral.get_escalation_count("nobody") == 0


# --- damage -----------------------------------------------------------------------------------------------------------

PRESENT = f"employee_id in (select employee_id from {SNAPSHOT} where simulation_year = 2029)"
DAMAGES = {
    "a rate in the snapshot": (
        f"from {SNAPSHOT} where simulation_year = 2029 and current_deferral_rate = 0.06",
        f"update {SNAPSHOT} set current_deferral_rate = 0.07 where simulation_year = 2029 and employee_id = '{{who}}'",
        "2029: {who}: current_deferral_rate is 0.070000 by fct_workforce_snapshot and 0.060000 by enrollment_registry",
    ),
    "an enrollment in the snapshot": (
        f"from {SNAPSHOT} where simulation_year = 2029 and is_enrolled",
        f"update {SNAPSHOT} set is_enrolled = false where simulation_year = 2029 and employee_id = '{{who}}'",
        "2029: {who}: is_enrolled is false by fct_workforce_snapshot and true by enrollment_registry",
    ),
    "a date in the registry": (
        "from enrollment_registry where from_year = 2029 and enrollment_date > '2029-01-01'",
        "update enrollment_registry set enrollment_date = null where from_year = 2029 and employee_id = '{who}'",
        "2029: {who}: enrollment_date is 2029-",
    ),
    "an opt-out in the registry": (
        f"from enrollment_registry where to_year is null and has_opted_out and {PRESENT}",
        "update enrollment_registry set has_opted_out = false where to_year is null and employee_id = '{who}'",
        "2029: {who}: has_opted_out is true by fct_workforce_snapshot and false by enrollment_registry",
    ),
    "a count in the registry": (
        f"from deferral_escalation_registry where to_year is null and escalation_count = 2 and {PRESENT}",
        "update deferral_escalation_registry set escalation_count = 3 where to_year is null and employee_id = '{who}'",
        "2029: {who}: escalation_count is 2 by fct_workforce_snapshot and 3 by deferral_escalation_registry",
    ),
    "a deleted increase": (
        f"from {LEDGER} where event_type = 'deferral_escalation' and simulation_year = 2027",
        f"delete from {LEDGER} where event_category = 'automatic_increase' and employee_id = '{{who}}'",
        "the last year: {who}: escalation_count is nothing by fct_yearly_events and ",
    ),
    "a deleted enrollment": (
        f"from {LEDGER} where event_type = 'enrollment' and employee_id like 'NH_2028%'",
        f"delete from {LEDGER} where deferral_rate_after is not null and employee_id = '{{who}}'",
        "the last year: {who}: deferral_rate is nothing by fct_yearly_events and ",
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_found_and_named(database: DatabaseConnectionManager, what: str) -> None:
    whom, damage, says = DAMAGES[what]
    ((who,),) = database.get_connection().execute(f"select min(employee_id) {whom}").fetchall()
    assert who is not None, "there is somebody to damage"
    errors = errors_after(database, damage.replace("{who}", who))
    assert any(error.startswith(says.replace("{who}", who)) for error in errors), errors


def test_much_damage_is_not_a_flood(database: DatabaseConnectionManager) -> None:
    assert 0 < len(errors_after(database, "update enrollment_registry set deferral_rate = deferral_rate + 1")) < 50


def test_an_empty_registry_and_an_unknown_year_are_reported(database: DatabaseConnectionManager) -> None:
    connection = database.get_connection()
    connection.execute("begin")
    try:
        connection.execute("delete from deferral_escalation_registry")
        result = RegistryManager(database).validate_all_registries(2040)
    finally:
        connection.execute("rollback")
    assert result.warnings == ("deferral_escalation_registry is empty",)
    assert any("2040: fct_workforce_snapshot has no such year" in error for error in result.errors)


def test_a_file_without_a_registry_is_refused_in_words(database: DatabaseConnectionManager) -> None:
    connection = database.get_connection()
    connection.execute("begin")
    try:
        connection.execute("drop table enrollment_registry")
        with pytest.raises(DatabaseError, match=r"enrollment_registry has no deferral_rate, employee_id, .* Restore"):
            RegistryManager(database).check_agreement_with_ledger()
    finally:
        connection.execute("rollback")


# --- again and on -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2025, 2027, 2029])
def test_folding_years_again_leaves_nothing_stale(database: DatabaseConnectionManager, year: int) -> None:
    before = rows(database)
    connection = database.get_connection()
    connection.execute("begin")
    try:
        manager = RegistryManager(database)
        for again in range(year, YEARS[-1] + 1):
            manager.update_post_year(again)
        assert rows(database) == before
        manager.create_for_year(YEARS[0])
        for again in YEARS:
            manager.update_post_year(again)
        assert rows(database) == before
    finally:
        connection.execute("rollback")


def test_a_resumed_run_has_the_registries_of_one_that_was_not_interrupted(tmp_path: Path, mixed_census: Path) -> None:
    whole = simulate(tmp_path / "whole", mixed_census, {"simulation.end_year": 2027, **VARIED})
    part = simulate(tmp_path / "part", mixed_census, {"simulation.end_year": 2026, **VARIED})
    config = part.config.with_years(2025, 2027)
    build_orchestrator(config).execute_multi_year_simulation(resume_from_checkpoint=True)
    for table in TABLES:
        query = f"from {table} order by all"
        assert part.query(query) == whole.query(query)


@pytest.mark.parametrize("table", TABLES)
def test_a_run_is_not_resumed_from_a_registry_that_was_changed(tmp_path: Path, mixed_census: Path, table: str) -> None:
    part = simulate(tmp_path, mixed_census, {"simulation.end_year": 2026, **VARIED})
    with opened(part.database) as manager:
        connection = manager.get_connection()
        ((who,),) = connection.execute(f"select min(employee_id) from {table} where to_year is null").fetchall()
        connection.execute(f"delete from {table} where employee_id = '{who}'")
    config = part.config.with_years(2025, 2027)
    with pytest.raises(DatabaseError, match=f"{who}: .* by fct_yearly_events and nothing by {table}"):
        build_orchestrator(config).execute_multi_year_simulation(resume_from_checkpoint=True)
    assert sorted(part.digests()) == [2025, 2026]
