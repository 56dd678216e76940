"""People of a company that is bought: who they are, what they count for, and what is refused."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator.errors import CensusError, ConfigurationError, ResumeError
from planalign_orchestrator.factory import build_orchestrator
from tests.companies import NOBODY_RETIRES, Row, configure, default_table, people, person
from tests.laboratory import Result, simulate

pytestmark = pytest.mark.model

YEARS = {"simulation.start_year": 2025, "simulation.end_year": 2027}
# nobody leaves by chance, and nobody is hired but for growth
QUIET = {**YEARS, **NOBODY_RETIRES, "workforce.total_termination_rate": 0, "simulation.target_growth_rate": 0}
DATE = "2026-07-01"


def write(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list({name: None for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


def bought(number: int, **columns: Any) -> Row:
    values = {"pay": 60_000, "hired": "2015-03-01", **columns}
    return person(f"B{number}", **values)


def acquire(
    folder: Path, rows: Sequence[Row], settings: Mapping[str, object] | None = None, **entry: object
) -> dict[str, object]:
    """Return the settings of an acquisition of these people, whose file is written."""
    path = write(folder / "bought.csv", rows)
    return {**QUIET, **(settings or {}), "workforce.acquisitions": [{"date": DATE, "census": str(path), **entry}]}


def run(folder: Path, rows: Sequence[Row], settings: Mapping[str, object] | None = None, **entry: object) -> Result:
    return simulate(folder, people(40), acquire(folder, rows, settings, **entry))


def test_people_join_above_the_path_and_stay_on_it(tmp_path: Path) -> None:
    result = run(tmp_path, [bought(number) for number in range(10)])
    assert [result.metrics(year)["closing_headcount"] for year in (2025, 2026, 2027)] == [40, 50, 50]
    assert [result.metrics(year)["acquired"] for year in (2025, 2026, 2027)] == [0, 10, 0]
    assert [result.metrics(year)["hires"] for year in (2025, 2026, 2027)] == [0, 0, 0]
    events = result.query("""
        select distinct event_category, effective_date::varchar, compensation_after
        from fct_yearly_events where event_type = 'hire'
    """)
    assert events == [("acquired", DATE, 60_000)]
    states = (
        "select distinct simulation_year, detailed_status_code from fct_workforce_snapshot where employee_id like 'B%'"
    )
    assert result.query(f"{states} order by 1") == [(2026, "acquired_active"), (2027, "continuous_active")]
    assert all(verdict["passed"] for verdict in result.verdicts()[2027] if verdict["severity"] == "error")


def test_they_are_on_the_path_of_their_level_and_grow_with_it(tmp_path: Path) -> None:
    rows = [bought(number, level_id=3) for number in range(10)]
    result = run(tmp_path, rows, {"simulation.target_growth_rate": 0.1})
    # 40 x 1.1 = 44, x 1.1 + 10 = 58.4, x 1.1 = 64.24
    assert [result.metrics(year)["closing_headcount"] for year in (2025, 2026, 2027)] == [44, 58, 64]
    (path,) = result.query(
        "select headcount_path from fct_level_headcount where simulation_year = 2026 and level_id = 3"
    )
    (before,) = result.query(
        "select headcount_path from fct_level_headcount where simulation_year = 2025 and level_id = 3"
    )
    assert float(path[0]) == pytest.approx(float(before[0]) * 1.1 + 10)


def test_nobody_of_them_leaves_or_is_paid_more_in_the_year(tmp_path: Path) -> None:
    rows = [bought(number, employee_termination_date="2026-11-30" if number == 0 else "") for number in range(30)]
    result = run(tmp_path, rows, {"workforce.total_termination_rate": 0.3, "workforce.new_hire_termination_rate": 0.5})
    kinds = "select distinct event_type from fct_yearly_events where employee_id like 'B%' and simulation_year = 2026"
    assert {kind for (kind,) in result.query(kinds)} & {"termination", "raise", "promotion", "bonus"} == set()
    later = result.query(
        "select count(*) from fct_yearly_events where employee_id like 'B%' and event_type = 'termination'"
    )
    assert later[0][0] > 0
    assert "1 announced exits in the year of the acquisition are not simulated" in str(
        result.query("select notes from run_metadata")
    )


@pytest.mark.parametrize(
    ("is_credited", "tenure", "vested", "entered"), [(True, 12, 1, "2026-07-01"), (False, 1, 0, "2027-07-01")]
)
def test_service_before_counts_where_it_is_credited(
    tmp_path: Path, is_credited: bool, tenure: int, vested: int, entered: str
) -> None:
    plan = {
        "plan.eligibility.deferral.service": 12,
        "plan.match.formula": "simple",
        "plan.vesting.match": "cliff_3",
        "plan.core.formula": "flat",
        "plan.core.rate": "0.02",
    }
    result = run(tmp_path, [bought(1)], plan, credit_service=is_credited)
    facts = """
        select floor(current_tenure)::integer, match_vested_rate::integer, deferral_entry_date::varchar,
            people.employee_hire_date::varchar
        from fct_workforce_snapshot as closing inner join dim_employee as people using (employee_id)
        where closing.simulation_year = 2027 and employee_id = 'B1'
    """
    assert result.query(facts) == [(tenure, vested, entered, DATE)]


def test_a_level_is_that_of_the_file_else_of_full_time_pay(tmp_path: Path) -> None:
    rows = [
        bought(1, level_id=4),
        bought(2, pay=80_000, level_id=""),
        bought(3, pay=80_000, level_id="", scheduled_hours_per_week=20),
    ]
    result = run(tmp_path, rows)
    levels = dict(result.query("select employee_id, entry_level_id from dim_employee where origin = 'acquired'"))
    assert levels["B1"] == 4
    assert levels["B3"] > levels["B2"]


def test_groups_of_the_file_are_those_of_the_plan(tmp_path: Path) -> None:
    excluded = {"plan.eligibility.excluded": [{"column": "employee_class", "values": ["union"]}]}
    rows = [bought(1, employee_class="Union"), bought(2, employee_class="Staff")]
    result = run(tmp_path, rows, excluded)
    eligible = "select employee_id, is_eligible from fct_workforce_snapshot where simulation_year = 2026"
    assert result.query(f"{eligible} and employee_id like 'B%' order by 1") == [("B1", False), ("B2", True)]


def test_a_file_may_have_its_own_headings_codes_and_units(tmp_path: Path) -> None:
    rows = [{"Badge": "B1", "Born": "1980-05-05", "Start": "2015-03-01", "Monthly": "5000", "State": "A"}]
    columns = {
        "employee_id": "Badge",
        "employee_birth_date": "Born",
        "employee_hire_date": "Start",
        "employee_gross_compensation": "Monthly",
        "active": "State",
    }
    result = run(
        tmp_path,
        rows,
        columns=columns,
        values={"active": {"A": "true"}},
        units={"employee_gross_compensation": "monthly"},
    )
    assert result.query("select entry_compensation from dim_employee where employee_id = 'B1'") == [(60_000,)]


def test_an_id_that_is_in_the_census_is_refused(tmp_path: Path) -> None:
    taken = str(people(40)[0]["employee_id"])
    with pytest.raises(
        CensusError, match=rf"1 ids are in the census, or in two files of acquisitions, such as {taken}"
    ):
        run(tmp_path, [{**bought(1), "employee_id": taken}])


def test_what_is_wrong_with_the_file_is_told_as_of_a_census(tmp_path: Path) -> None:
    with pytest.raises(CensusError, match="employee_gross_compensation"):
        run(tmp_path, [{**bought(1), "employee_gross_compensation": "much"}])
    missing = {**QUIET, "workforce.acquisitions": [{"date": DATE, "census": str(tmp_path / "missing.csv")}]}
    with pytest.raises(CensusError, match=r"missing\.csv"):
        simulate(tmp_path, people(5), missing)
    early = {"workforce.acquisitions": [{"date": "2024-07-01", "census": "x.csv"}]}
    with pytest.raises(ConfigurationError, match="2024-07-01 is before the first simulated year 2025"):
        simulate(tmp_path, people(5), {**QUIET, **early})


def test_money_of_another_plan_is_not_taken_over(tmp_path: Path) -> None:
    result = run(tmp_path, [bought(1, employee_deferral_rate=0.06, employee_account_balance=1_000)])
    text = "employee_deferral_rate, employee_account_balance of bought.csv are of another plan and are not taken over"
    assert text in str(result.query("select notes from run_metadata"))
    assert "410(b)(6)(C)" in str(result.query("select plan_testing from run_metadata"))


@pytest.mark.parametrize("is_credited", [True, False])
def test_pay_elsewhere_makes_highly_compensated_where_it_is_credited(tmp_path: Path, is_credited: bool) -> None:
    rows = [bought(1, pay=300_000, prior_year_compensation=290_000)]
    result = run(tmp_path, rows, credit_compensation=is_credited)
    events = "select effective_date::varchar from fct_yearly_events where event_type = 'hce_status'"
    assert result.query(f"{events} and employee_id = 'B1' and simulation_year = 2026") == [(DATE,)] * is_credited


def test_deferrals_elsewhere_count_towards_the_limit_of_the_year(tmp_path: Path) -> None:
    enrolled = {
        "plan.automatic_enrollment.window_days": 0,
        "plan.automatic_enrollment.default_deferral_rate": 0.1,
        "plan.automatic_enrollment.scope": "all_eligible",
        "plan.participation.automatic_enrollment_factor": 0,
        "plan.escalation.enabled": False,
        "parameters.participation_by_age": [
            {"age_from": 0, "join_rate": 0, "second_chance_rate": 0, "opt_out_rate": 0}
        ],
        "parameters.deferral_choice": [
            {"age_from": 0, "income_from": row["income_from"], "deferral_rate": 0.1}
            for row in default_table("participation_by_income")
        ],
    }
    rows = [bought(1, pay=300_000), bought(2, pay=300_000, year_to_date_deferral=20_000)]
    result = run(tmp_path, rows, enrolled)
    deferred = result.query("""
        select employee_id, employee_contribution_amount from fct_workforce_snapshot
        where simulation_year = 2026 and employee_id like 'B%' order by 1
    """)
    # 300,000 x 184 / 365 x .1 = 15,123.29; 24,500 - 20,000
    assert [(who, float(amount)) for who, amount in deferred] == [("B1", 15_123.29), ("B2", 4_500.0)]


def test_an_acquisition_to_come_may_be_added_and_one_of_a_finished_year_not_changed(tmp_path: Path) -> None:
    settings = acquire(tmp_path, [bought(1)])
    first = configure(tmp_path, people(40), {**settings, "simulation.end_year": 2026})
    build_orchestrator(first).execute_multi_year_simulation()
    later = write(tmp_path / "later.csv", [bought(2)])
    entries: Any = settings["workforce.acquisitions"]
    longer = {**settings, "workforce.acquisitions": [*entries, {"date": "2027-02-01", "census": str(later)}]}
    config = configure(tmp_path, tmp_path / "census.csv", longer)
    build_orchestrator(config).execute_multi_year_simulation(resume_from_checkpoint=True)
    result = Result(config.census.path, config, config.runtime.database)
    assert result.metrics(2027)["acquired"] == 1
    write(tmp_path / "bought.csv", [bought(1, pay=70_000)])
    with pytest.raises(ResumeError, match="the people of an acquisition are not those of the run"):
        build_orchestrator(config).execute_multi_year_simulation(resume_from_checkpoint=True)
