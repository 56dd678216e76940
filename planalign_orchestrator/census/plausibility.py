"""What is probably a mistake of a census as a whole: pay or hours of another unit, an old file, rates nobody has."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.headings import Layout
from planalign_orchestrator.census.records import CensusSource, Finding
from planalign_orchestrator.census.sql import TYPED_TABLE, fetch_one

if TYPE_CHECKING:
    import duckdb

# A year of full-time work at the federal minimum wage of 7.25 is 15,080 US dollars.
LOW_PAY: Final = 15_000
HIGH_PAY: Final = 2_000_000
# Pay that low is a slip even for one person.
LEAST_PAY: Final = 1_000
LONG_WEEK: Final = 60
HIGH_RATE: Final = "0.5"
# Somebody joins, leaves or enrolls within a year where there are so many people.
MANY_PEOPLE: Final = 200


def implausible(
    connection: "duckdb.DuckDBPyConnection",
    source: CensusSource,
    layout: Layout,
    census_date: date,
    *,
    simulated: str,
    full_time_hours: Decimal,
) -> list[Finding]:
    """Return the warnings about the good rows of the typed table; `simulated` is SQL for who is simulated."""
    hours = f"coalesce(scheduled_hours_per_week, {source.default_hours or full_time_hours})"
    pay = f"employee_gross_compensation * {full_time_hours} / least({hours}, {full_time_hours})"
    people, low, high, median, least, long_weeks, high_rates, youngest = fetch_one(
        connection,
        f"""
        select
            count(*),
            count(*) filter (full_time_pay < {LOW_PAY}),
            count(*) filter (full_time_pay > {HIGH_PAY}),
            median(full_time_pay),
            count(*) filter (employee_gross_compensation < {LEAST_PAY}),
            count(*) filter (scheduled_hours_per_week > {LONG_WEEK}),
            count(*) filter (employee_deferral_rate >= {HIGH_RATE}),
            max(greatest(
                employee_hire_date,
                employee_enrollment_date,
                case when employee_termination_date <= date '{census_date}' then employee_termination_date end
            ))
        from (select *, {pay} as full_time_pay, {simulated} as is_counted from {TYPED_TABLE} where problems = 0)
        where is_counted or employee_termination_date <= date '{census_date}'
        """,
    )
    said = _about_pay(people, low, high, least, median, source)
    if 2 * long_weeks > people:
        said.append(
            f"{long_weeks:,} of {people:,} people have more than {LONG_WEEK} scheduled hours a week: are they the hours"
            " of two weeks or of a month?"
        )
    if high_rates:
        said.append(f"{_people(high_rates)} a deferral rate of 50 % or more: is the unit of the column right?")
    if people >= MANY_PEOPLE and youngest is not None and (census_date - youngest).days > 365:
        said.append(
            f"the youngest hire, exit or enrollment date is {youngest}, over a year before the census date"
            f" {census_date}: does simulation.start_year follow the date of the file?"
        )
    if "employee_deferral_rate" not in layout.positions:
        said.append(
            "the census gives no deferral rates (employee_deferral_rate): everybody starts as a non-participant, so the"
            " trend of participation and employer cost in the first years is an artefact"
        )
    return [Finding.plain("warning", text) for text in said]


def _about_pay(people: int, low: int, high: int, least: int, median: float, source: CensusSource) -> list[str]:
    """Return what the level of pay says about its unit."""
    unit = source.units.get("employee_gross_compensation")
    told = f"a year, the median is {median:,.2f}" if people else ""
    if 2 * low > people:
        ask = (
            f"is {unit} the right unit?"
            if unit
            else "is it monthly, biweekly, weekly or hourly pay? Then set census.units: {employee_gross_compensation:"
            " monthly} (or biweekly, weekly, hourly)"
        )
        return [f"{low:,} of {people:,} people have a full-time pay below {LOW_PAY:,} {told}: {ask}"]
    if 2 * high > people:
        return [f"{high:,} of {people:,} people have a full-time pay above {HIGH_PAY:,} {told}: is it in cents?"]
    if least:
        return [f"{_people(least)} an annual pay below {LEAST_PAY:,}: is it monthly or hourly pay?"]
    return []


def _people(count: int) -> str:
    return "1 person has" if count == 1 else f"{count:,} people have"
