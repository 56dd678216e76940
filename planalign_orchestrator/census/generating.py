"""A synthetic census: deterministic to the byte, and plausible enough that results look like a company's.

Every draw is eight hex digits of an md5 of seed, stream and row, and every step is integer arithmetic or a product and
quotient of doubles (no logarithms, whose last digit may differ between machines). A person depends on the seed and the
row only, so a smaller census is the beginning of a larger one.
"""

import re
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from planalign_orchestrator.census.columns import STORED_COLUMNS
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.files.atomic import copy_access, follow_umask
from planalign_orchestrator.files.replacing import OutputKind, csv_header
from planalign_orchestrator.files.spilling import private_connection

# Shares of the levels; for each level the ages at the 0th, 10th, ... 100th percentile, and the pay range in dollars.
LEVEL_SHARES: Final = (0.60, 0.22, 0.10, 0.06, 0.02)
AGES: Final = (
    (18, 22, 25, 28, 31, 35, 39, 44, 50, 57, 69),
    (24, 28, 31, 34, 37, 40, 44, 48, 53, 58, 69),
    (28, 32, 35, 38, 41, 44, 47, 51, 55, 60, 69),
    (32, 36, 39, 42, 45, 48, 51, 54, 58, 62, 69),
    (38, 42, 45, 48, 50, 53, 55, 58, 61, 64, 69),
)
PAY_RANGES: Final = ((56_000, 80_000), (80_000, 120_000), (120_000, 160_000), (160_000, 300_000), (300_000, 500_000))

# Service as a share of the years since age 18, at the 0th, 10th, ... 100th percentile: half have less than a fifth.
SERVICE_SHARES: Final = (0.0, 0.04, 0.08, 0.11, 0.15, 0.20, 0.27, 0.37, 0.51, 0.70, 1.0)
LONGEST_SERVICE_YEARS: Final = 44

# Weekly hours of part-timers, and how often.
PART_TIME_HOURS: Final = (20, 24, 30)
PART_TIME_SHARES: Final = (0.4, 0.3, 0.3)

# Rates that participants chose, in percent, and how often.
DEFERRAL_PERCENTS: Final = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15)
DEFERRAL_SHARES: Final = (0.04, 0.10, 0.08, 0.10, 0.26, 0.06, 0.10, 0.15, 0.05, 0.06)

DEPARTMENTS: Final = ("Operations", "Customer Service", "Sales", "Engineering", "Information Technology", "Finance",
                      "Marketing", "Human Resources")  # fmt: skip
DEPARTMENT_SHARES: Final = (0.30, 0.16, 0.15, 0.15, 0.09, 0.07, 0.05, 0.03)


def write_census(path: Path, size: int, *, seed: int, census_date: date) -> None:
    """Write a census of `size` people as CSV: every standard column but the social security number, in standard order.

    Ages run from 18 to 70, service fits age, pay lies in the range of the level (part-timers, all of level 1, have
    their share of it); about three quarters contribute, and 3 % left within the year before the census date. The same
    arguments give the same bytes. The file is replaced in one step. Raises CensusError for an unusable size or path.
    """
    import duckdb

    if size < 1:
        raise CensusError(f"a census of {size} people cannot be made: the size must be at least 1")
    if path.suffix.lower() != ".csv":
        raise CensusError("a synthetic census is written as CSV: give the file the ending .csv", source=str(path))
    try:
        with tempfile.TemporaryDirectory(prefix=".planalign-", dir=path.resolve().parent) as folder:
            written = Path(folder, "census.csv")
            with private_connection() as connection:
                relation = connection.sql(_people(size, seed, census_date))
                relation.to_csv(str(written), header=True)
            if path.exists():
                copy_access(path, written)
            else:
                follow_umask(written)
            written.replace(path.resolve())
    except (OSError, duckdb.Error) as error:
        raise CensusError(f"the census cannot be written: {error}", source=str(path)) from error


# a made-up company has departments and no other groups, pays no bonuses, and nobody in it was there before
NOT_MADE: Final = (
    "employee_service_date",
    "location",
    "employee_class",
    "sex",
    "employee_variable_compensation",
    "year_to_date_deferral",
)
MADE_COLUMNS: Final = tuple(column for column in STORED_COLUMNS if column.name not in NOT_MADE)


def generated_kind() -> OutputKind:
    """Return what tells a census that `write_census` made from one of a client: headings and the form of the ids."""
    return OutputKind("a made-up census", _is_generated)


def _is_generated(path: Path) -> bool:
    if csv_header(path) != tuple(column.name for column in MADE_COLUMNS):
        return False
    with path.open(encoding="utf-8") as file:
        file.readline()
        return re.match(r"E\d{7},", file.readline(200)) is not None


def _people(size: int, seed: int, census_date: date) -> str:
    columns = ", ".join(f"{column.name}::{column.sql_type} as {column.name}" for column in MADE_COLUMNS)
    day = f"date '{census_date}'"
    return f"""
        with draws as (
            select i, {_draws(seed, "person", _PERSON_DRAWS)}, {_draws(seed, "plan", _PLAN_DRAWS)}
            from range(1, {size} + 1) as people (i)
        ),
        persons as (
            select
                *,
                {_choice("u_level", LEVEL_SHARES, range(1, len(LEVEL_SHARES) + 1))} as level_id,
                u_left < 0.03 as has_left
            from draws
        ),
        dated as (
            select
                *,
                {day} - case when has_left then 1 + floor(u_left / 0.03 * 360)::integer else 0 end as last_day,
                {_by_level([_quantile("u_age", ages) for ages in AGES])} + u_age_day as age,
                {_quantile("u_service", SERVICE_SHARES)} as service_share
            from persons
        ),
        employed as (
            select
                *,
                least(service_share * (age - 18), {LONGEST_SERVICE_YEARS}) as service,
                last_day - floor(age * 365.25)::integer as birth,
                last_day - floor(least(service_share * (age - 18), {LONGEST_SERVICE_YEARS}) * 365.25)::integer as hire,
                level_id = 1 and u_hours < 0.06 as part_time
            from dated
        ),
        paid as (
            select
                *,
                case when part_time then {_choice("u_hours / 0.06", PART_TIME_SHARES, PART_TIME_HOURS)} else 40 end
                    as hours,
                0.05 + 0.35 * least(service / 20, 1) + 0.55 * (u_pay_a + u_pay_b) / 2 as place,
                greatest(hire, (birth + interval 21 year)::date) as may_join
            from employed
        ),
        enrolled as (
            select
                *,
                {_pay()}::decimal(18,2) as pay,
                may_join >= date '2016-01-01' and u_method < 0.6 as automatic,
                u_joins < 0.63 + 0.004 * (age - 30) + 0.03 * level_id as wants_plan
            from paid
        ),
        elected as (
            select
                *,
                may_join + case
                    when automatic then 45
                    else 7 + floor(u_joined * least(400, greatest(0, last_day - may_join - 7)))::integer
                end as joins,
                {_choice("u_rate", DEFERRAL_SHARES, DEFERRAL_PERCENTS)} as chosen_percent
            from enrolled
        ),
        participating as (
            select *, wants_plan and joins < last_day as participates, not wants_plan and automatic as opted_out
            from elected
        ),
        saved as (
            select
                *,
                case when automatic and u_rate < 0.6 then 6 else chosen_percent end as percent,
                greatest(0, last_day - joins) / 365.25 as years_in_plan,
                greatest(0, last_day - hire - 365) / 365.25 as years_with_core
            from participating
        ),
        columns as (
            select
                'E' || lpad(i::varchar, 7, '0') as employee_id,
                birth as employee_birth_date,
                hire as employee_hire_date,
                pay as employee_gross_compensation,
                case when has_left then last_day end as employee_termination_date,
                not has_left as active,
                level_id,
                {_choice("u_department", DEPARTMENT_SHARES, DEPARTMENTS)} as department,
                hours as scheduled_hours_per_week,
                case
                    when participates then percent * 0.01::decimal(3,2)
                    when opted_out and joins < last_day then 0
                    when u_blank < 0.5 then 0
                end as employee_deferral_rate,
                case when joins < last_day and (participates or opted_out) then joins end as employee_enrollment_date,
                case
                    when joins < last_day and (participates or opted_out)
                        then case when automatic then 'auto' else 'voluntary' end
                end as enrollment_method,
                automatic and participates and u_escalation < 0.15 as auto_escalation_opt_out,
                null as plan_eligible_override,
                level_id = 5 and u_owner < 0.02 as is_five_percent_owner,
                {_prior_year_pay(census_date)} as prior_year_compensation,
                {_balance("percent * 0.01", 20_000, "years_in_plan", "participates")} as employee_account_balance,
                {_balance("least(percent, 6) * 0.005", 8_000, "years_in_plan", "participates")}
                    as match_account_balance,
                {_balance("0.02", 5_000, "years_with_core", "true")} as core_account_balance,
                i
            from saved
        )
        select {columns} from columns order by i
    """


_PERSON_DRAWS: Final = ("level", "age", "age_day", "service", "left", "hours", "pay_a", "pay_b")
_PLAN_DRAWS: Final = ("joins", "joined", "method", "rate", "blank", "escalation", "owner", "department")


def _draws(seed: int, stream: str, names: Sequence[str]) -> str:
    """Return SQL for uniform draws in [0, 1), four from each md5: its hex digits 1-8, 9-16, 17-24 and 25-32."""
    columns = []
    for place, name in enumerate(names):
        digest = f"md5('{seed}|{stream}{place // 4}|' || i)"
        first = 1 + 8 * (place % 4)
        columns.append(f"('0x' || substr({digest}, {first}, 8))::bigint / 4294967296.0::double as u_{name}")
    return ", ".join(columns)


def _quantile(draw: str, values: Sequence[float]) -> str:
    """Return SQL for the value at quantile `draw`, straight lines between evenly spaced quantiles."""
    listed = ", ".join(f"{value}::double" for value in values)
    steps = len(values) - 1
    place = f"floor({draw} * {steps})"
    low, high = f"([{listed}])[{place}::integer + 1]", f"([{listed}])[{place}::integer + 2]"
    return f"({low} + ({high} - {low}) * ({draw} * {steps} - {place}))"


def _choice(draw: str, shares: Sequence[float], values: Sequence[object]) -> str:
    """Return SQL that picks one of the values with the given shares; the last one takes what is left."""
    cases, bound = [], 0.0
    for share, value in zip(shares[:-1], values[:-1], strict=True):
        bound += share
        cases.append(f"when {draw} < {bound:.4f} then {value!r}")
    return f"case {' '.join(cases)} else {values[-1]!r} end"


def _by_level(values: Sequence[str]) -> str:
    cases = " ".join(f"when {level} then {value}" for level, value in enumerate(values, start=1))
    return f"case level_id {cases} end"


def _pay() -> str:
    """Return SQL for annual pay: level 1 from hourly rates in cents, the others in hundreds, the top ones skewed."""
    lowest, highest = PAY_RANGES[0]
    hourly = f"({lowest} + ({highest} - {lowest}) * place)"
    values = [f"floor({hourly} / 20.80) / 100 * 52 * hours"]
    for level, (low, high) in enumerate(PAY_RANGES[1:], start=2):
        share = "place" if level < 4 else "place * place"
        values.append(f"floor(({low} + ({high} - {low}) * {share}) / 100) * 100")
    return _by_level(values)


def _prior_year_pay(census_date: date) -> str:
    """Return SQL for what was paid in the year of the census date: the rate for the days employed in it."""
    first = f"date '{census_date.year}-01-01'"
    days = f"(last_day - greatest(hire, {first}) + 1)"
    return f"case when last_day >= {first} then pay * {days} / (date '{census_date.year + 1}-01-01' - {first}) end"


def _balance(rate: str, yearly_limit: int, years: str, condition: str) -> str:
    """Return SQL for an account: contributions on four fifths of today's pay, growing 5 % a year for half the time."""
    yearly = f"least(pay * 0.8 * {rate}, {yearly_limit})"
    amount = f"{yearly} * {years} * (1 + 0.025 * {years}) * (0.75 + 0.5 * u_joined)"
    return f"case when {condition} then {amount} else 0 end"
