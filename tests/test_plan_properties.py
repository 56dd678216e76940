"""What holds in every plan: limits, who gets nothing, what a generous match costs, how long an opt-out lasts."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from planalign_orchestrator.validation.rules import SqlRule
from tests.companies import Row, default_table, person, read_rows
from tests.laboratory import Laboratory
from tests.plan_designs import company, design

CENT = Decimal("0.01")
COMPANY = 3
QUIET: Mapping[str, object] = {
    "workforce.total_termination_rate": 0,
    "simulation.target_growth_rate": 0,
    "plan.automatic_enrollment.enabled": False,
    "plan.escalation.enabled": False,
    "plan.own_changes.raise_rate": 0,
    "plan.own_changes.halve_rate": 0,
    "plan.own_changes.stop_rate": 0,
}


@pytest.fixture(scope="module")
def random_company(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> tuple[int, Laboratory]:
    start, rows = company(COMPANY, 150)
    return start, Laboratory(tmp_path_factory.mktemp("random"), rows, {"simulation.start_year": start})


@settings(max_examples=10, deadline=None, derandomize=True, database=None)
@given(random=st.randoms(use_true_random=False))
def test_no_limit_is_exceeded_and_every_sum_ties(random_company: tuple[int, Laboratory], random: Random) -> None:
    start, laboratory = random_company
    plan = {**design(random, start), "simulation.end_year": start + 2}
    note(f"{plan}")
    laboratory.run(plan)
    demand_limits(laboratory, plan)
    demand_nothing_for_the_ineligible(laboratory)
    demand_order(laboratory)
    demand_sums(laboratory)
    demand_invariants(laboratory)


def demand_invariants(laboratory: Laboratory) -> None:
    """The rules that the program ships find nothing in the last year, the replays from the ledger among them."""
    rules = [rule for rule in map(SqlRule.of, laboratory.valued_model.tests) if rule.is_invariant]
    broken = {rule.name: found for rule in rules if (found := laboratory.query(f"from ({rule.query()}) limit 2"))}
    assert broken == {}


def demand_limits(laboratory: Laboratory, plan: Mapping[str, Any]) -> None:
    rows = laboratory.records("""
        select
            snapshot.*,
            limits.*,
            simulation_year - year(employee_birth_date) as age_of_the_year,
            pre_tax_amount + roth_amount as deferral
        from fct_workforce_snapshot as snapshot
        inner join parameters.irs_limits as limits on limit_year = simulation_year
    """)
    maximum = Decimal(str(plan["plan.deferrals.maximum_rate"]))
    for row in rows:
        age = row["age_of_the_year"]
        catch_up = Decimal(0)
        if age >= 50:
            higher = plan["plan.deferrals.super_catch_up"] and 60 <= age <= 63
            catch_up = (row["super_catch_up_limit"] if higher else None) or row["catch_up_limit"]
        base = min(row["elective_deferral_limit"], maximum * row["prorated_annual_compensation"] + CENT)
        assert row["catch_up_amount"] <= catch_up
        assert row["deferral"] - row["catch_up_amount"] <= base
        assert row["plan_compensation"] <= row["compensation_limit"]
        assert row["annual_additions_amount"] <= min(row["annual_additions_limit"], row["prorated_annual_compensation"])
        assert row["employee_contribution_amount"] == row["deferral"] + row["after_tax_amount"]
        assert min(row[name] for name in row if name.endswith("_amount")) >= 0
        assert 0 <= row["current_deferral_rate"] <= 1


def demand_nothing_for_the_ineligible(laboratory: Laboratory) -> None:
    assert (
        laboratory.query("""
        select employee_id from fct_workforce_snapshot
        where not is_eligible and employee_contribution_amount > 0
    """)
        == []
    )
    assert (
        laboratory.query("""
        select money.employee_id from fct_yearly_events as money
        inner join fct_workforce_snapshot as snapshot using (employee_id, simulation_year)
        where money.event_type = 'contribution' and snapshot.current_deferral_rate = 0
        and not exists (
            select 1 from fct_yearly_events as change
            where change.employee_id = money.employee_id and change.simulation_year = money.simulation_year
            and greatest(change.deferral_rate_before, change.deferral_rate_after) > 0
        )
    """)
        == []
    )
    assert (
        laboratory.query("""
        select employee_id from fct_workforce_snapshot
        where match_status = 'not_eligible' and employer_match_amount > 0
        or core_status = 'not_eligible' and employer_core_amount > 0
    """)
        == []
    )


def demand_order(laboratory: Laboratory) -> None:
    """Nothing follows the exit, no automatic increase lowers a rate, every change goes on from the rate before."""
    assert (
        laboratory.query("""
        select event.employee_id from fct_yearly_events as event
        inner join fct_yearly_events as exit on event.employee_id = exit.employee_id
        where exit.event_type = 'termination'
        and (event.effective_date, event.simulation_year * 1000 + event.event_sequence)
        > (exit.effective_date, exit.simulation_year * 1000 + exit.event_sequence)
    """)
        == []
    )
    assert (
        laboratory.query("""
        select employee_id from fct_yearly_events
        where event_type = 'deferral_escalation' and deferral_rate_after <= deferral_rate_before
    """)
        == []
    )
    assert (
        laboratory.query("""
        select employee_id from (
            select
                employee_id,
                deferral_rate_before,
                lag(deferral_rate_after) over (
                    partition by employee_id order by simulation_year, event_sequence
                ) as rate_before
            from fct_yearly_events
            where deferral_rate_after is not null
        ) as changes
        where rate_before <> deferral_rate_before
    """)
        == []
    )


def demand_sums(laboratory: Laboratory) -> None:
    for event_type, column, metric in (
        ("contribution", "employee_contribution_amount", "employee_contribution_total"),
        ("employer_match", "employer_match_amount", "employer_match_total"),
        ("employer_core", "employer_core_amount", "employer_core_total"),
        ("forfeiture", "forfeiture_amount", "forfeiture_total"),
    ):
        totals = [
            dict(laboratory.query(query))
            for query in (
                f"select simulation_year, sum({column}) from fct_workforce_snapshot group by 1",
                f"select simulation_year, value from fct_annual_metrics where metric = '{metric}'",
                f"""
                    select years.simulation_year, coalesce(sum(amount), 0)
                    from (select distinct simulation_year from fct_annual_metrics) as years
                    left join fct_yearly_events as events
                        on years.simulation_year = events.simulation_year and event_type = '{event_type}'
                    group by 1
                """,
            )
        ]
        assert totals[0] == totals[1] == totals[2]
    for source in ("match", "core"):
        assert laboratory.query(f"""
            select simulation_year, level_id, sum(employer_{source}_amount) from fct_workforce_snapshot
            group by all order by all
        """) == laboratory.query(f"""
            select simulation_year, level_id, amount from fct_plan_cost
            where contribution_source = '{source}' order by all
        """)
    assert (
        laboratory.query("""
        select employee_id from fct_employer_match_detail
        inner join fct_workforce_snapshot using (employee_id, simulation_year)
        where match_amount <> employer_match_amount
    """)
        == []
    )


@pytest.fixture(scope="module")
def savers(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Laboratory:
    """Forty people whose elections never change and whom 415(c) does not touch."""
    rows: list[Row] = [
        person(
            f"S{number:02}",
            pay=30_000 + 5_000 * number,
            hired=f"{2000 + number % 24}-03-01",
            employee_deferral_rate=(number % 13) / 100,
        )
        for number in range(40)
    ]
    return Laboratory(tmp_path_factory.mktemp("savers"), rows, QUIET)


RATES = st.integers(0, 20).map(lambda steps: Decimal(steps) / 20)


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(rates=st.lists(RATES, min_size=2, max_size=2), more=st.lists(RATES, min_size=2, max_size=2), wider=st.booleans())
def test_more_generous_tiers_never_cost_less(
    savers: Laboratory, rates: list[Decimal], more: list[Decimal], wider: bool
) -> None:
    bounds = (Decimal("0.03"), Decimal("0.06"))
    poorer = [(Decimal(0), bounds[0], rates[0]), (bounds[0], bounds[1], rates[1])]
    richer = [(low, high, rate + extra) for (low, high, rate), extra in zip(poorer, more, strict=True)]
    if wider:
        richer.append((bounds[1], Decimal("0.10"), Decimal("0.5")))
    paid = [match_by_person(savers, tiers) for tiers in (poorer, richer)]
    assert paid[0].keys() == paid[1].keys()
    assert all(paid[0][name] <= paid[1][name] for name in paid[0])


def match_by_person(laboratory: Laboratory, tiers: list[tuple[Decimal, Decimal, Decimal]]) -> dict[str, Decimal]:
    """Return the match of each person, who must all be within 415(c)."""
    listed = [{"lower": low, "upper": high, "rate": rate} for low, high, rate in tiers]
    laboratory.run({"plan.match.formula": "custom", "plan.match.tiers": listed})
    assert laboratory.query("select 1 from fct_workforce_snapshot where match_status = 'limited_by_415c'") == []
    return dict(laboratory.query("select employee_id, employer_match_amount from fct_workforce_snapshot"))


@pytest.fixture(scope="module")
def decade(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Laboratory:
    """Four hundred people of the sample census over ten years."""
    census = read_rows(Path(__file__).parents[1] / "data" / "sample_census.csv")[:400]
    return Laboratory(tmp_path_factory.mktemp("decade"), census, {"simulation.end_year": 2034})


def test_without_automatic_enrollment_some_people_never_join(decade: Laboratory) -> None:
    decade.run({"plan.automatic_enrollment.enabled": False, "plan.escalation.enabled": False})
    staying = decade.query("""
        select employee_id, bool_or(is_enrolled), bool_and(is_eligible) from fct_workforce_snapshot
        group by employee_id having count(*) = 10
    """)
    assert any(is_eligible and not has_joined for _, has_joined, is_eligible in staying)
    assert any(has_joined for _, has_joined, _ in staying)
    assert decade.query("select 1 from fct_yearly_events where event_category in ('automatic', 'reenrollment')") == []


def test_an_opt_out_lasts_and_nothing_is_contributed_around_it(decade: Laboratory) -> None:
    ages = [{**row, "opt_out_rate": "0.5"} for row in default_table("participation_by_age")]
    decade.run({"plan.automatic_enrollment.scope": "all_eligible", "parameters.participation_by_age": ages})
    opted_out = decade.query("""
        select employee_id, min(simulation_year) from fct_yearly_events
        where event_category = 'opt_out' group by employee_id
    """)
    assert len(opted_out) > 50
    assert (
        decade.query("""
        select later.employee_id
        from fct_yearly_events as gone
        inner join fct_yearly_events as later on gone.employee_id = later.employee_id
        where gone.event_category = 'opt_out'
        and later.simulation_year * 1000 + later.event_sequence > gone.simulation_year * 1000 + gone.event_sequence
        and (later.event_type = 'enrollment' or later.event_type in ('contribution', 'employer_match'))
    """)
        == []
    )
    # an enrollment late in the year is opted out of in the next: nothing is contributed in either
    assert (
        decade.query("""
        select money.employee_id
        from fct_yearly_events as enrollment
        inner join fct_yearly_events as money
            on enrollment.employee_id = money.employee_id and enrollment.simulation_year = money.simulation_year
        where enrollment.event_details like '%"will_be_refunded":true%' and money.event_type = 'contribution'
    """)
        == []
    )
    assert decade.query("""
        select 1 from fct_yearly_events as enrollment inner join fct_yearly_events as gone using (employee_id)
        where enrollment.event_details like '%"will_be_refunded":true%'
        and gone.event_category = 'opt_out' and gone.simulation_year = enrollment.simulation_year + 1
    """)


def test_escalation_stops_at_the_cap_and_at_a_choice_of_ones_own(decade: Laboratory) -> None:
    decade.run({"plan.escalation.cap": "0.08", "plan.own_changes.raise_rate": "0.3"})
    increases = decade.records("select * from fct_yearly_events where event_type = 'deferral_escalation'")
    assert {row["deferral_rate_after"] for row in increases if row["deferral_rate_after"] == Decimal("0.08")}
    assert all(row["deferral_rate_before"] < row["deferral_rate_after"] <= Decimal("0.08") for row in increases)
    assert (
        decade.query("""
        select increase.employee_id
        from fct_yearly_events as choice
        inner join fct_yearly_events as increase on choice.employee_id = increase.employee_id
        where choice.event_category = 'own_change' and increase.event_type = 'deferral_escalation'
        and increase.effective_date > choice.effective_date
        and not exists (
            select 1 from fct_yearly_events as anew
            where anew.employee_id = choice.employee_id and anew.event_type = 'enrollment'
            and anew.effective_date between choice.effective_date and increase.effective_date
        )
    """)
        == []
    )


@pytest.mark.parametrize("use", ["offset_employer", "pay_expenses", "reallocate"])
def test_forfeitures_are_used_or_carried_and_never_twice(decade: Laboratory, use: str) -> None:
    decade.run(
        {
            "plan.core.formula": "flat",
            "plan.core.rate": "0.04",
            "plan.vesting.core": "cliff_3",
            "plan.forfeitures.use": use,
            "plan.forfeitures.annual_expenses": 20_000 if use == "pay_expenses" else 0,
        }
    )
    years: dict[int, dict[str, Decimal]] = {}
    for year, metric, value in decade.query("select simulation_year, metric, value from fct_annual_metrics"):
        years.setdefault(year, {})[metric] = value
    forfeited = [years[year]["forfeiture_total"] for year in sorted(years)]
    assert all(amount > 0 for amount in forfeited)
    carried = before = Decimal(0)
    for year in sorted(years):
        now = years[year]
        assert now["forfeitures_available"] == carried + before
        used = now["forfeitures_paid_expenses"] + now["forfeitures_offset"] + now["forfeitures_reallocated"]
        carried, before = now["forfeitures_carried_forward"], now["forfeiture_total"]
        assert now["forfeitures_available"] == used + carried
        assert now["net_employer_cost"] == (
            now["employer_match_total"]
            + now["employer_core_total"]
            - now["forfeitures_offset"]
            - now["forfeitures_reallocated"]
        )
    assert {
        "offset_employer": now["forfeitures_offset"] > 0,
        "pay_expenses": 0 < now["forfeitures_paid_expenses"] <= 20_000,
        "reallocate": now["forfeitures_reallocated"] > 0,
    }[use]
