"""What the people of a census say about their company: levels, pay, hires, hours. Sets of rows, in SQL.

Pay is full-time pay in whole cents: pay for fewer hours is what it would be for full-time hours. Percentiles are
linear between two people, rounded to a cent, half away from zero. Logarithms are rounded to 6 places before they are
summed, so that no order of the rows changes a sum. Pay of people with fewer than 10 hours a week is left out.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import duckdb

MINIMUM_HOURS: Final = 10
RECENT_YEARS: Final = 2
_PEOPLE: Final = "temp.planalign_fitting_people"
_WHOLE: Final = 1_000_000


@dataclass(frozen=True)
class LevelStatistics:
    """The people of a level: full-time pay in cents, and of its recent hires the sums of log pay and of its square."""

    people: int
    low: int
    median: int
    high: int
    hires: int
    log_sum: Decimal
    log_square_sum: Decimal


@dataclass(frozen=True)
class HoursStatistics:
    """How many of `people` work part-time, and the median of their weekly hours in hundredths (None: nobody does)."""

    people: int
    part_time: int
    median: int | None
    are_hires: bool


class Workforce:
    """The simulated people of a typed census on a connection, `table` being its qualified name."""

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection", table: str, *, first_year: int, full_time_hours: Decimal
    ) -> None:
        self.first_year = first_year
        self._connection = connection
        self._full_time = int(full_time_hours * 100)
        recent = dt.date(first_year - RECENT_YEARS, 1, 1)
        hours, cents = "(scheduled_hours_per_week * 100)::bigint", "(employee_gross_compensation * 100)::bigint"
        full_time_cents = f"(2 * {cents}::hugeint * {self._full_time} + {hours}) // (2 * {hours})"
        connection.execute(f"""
            create or replace temp table {_PEOPLE} as
            select
                row_number,
                level_id,
                {hours} as hours,
                case when {hours} < {self._full_time} then {full_time_cents} else {cents} end::bigint as cents,
                employee_hire_date >= date '{recent}' as is_recent,
                datesub('year', employee_birth_date, employee_hire_date) as age_at_hire
            from {table} where is_simulated
        """)

    def close(self) -> None:
        """Drop the working table."""
        self._connection.execute(f"drop table if exists {_PEOPLE}")

    def given_levels(self) -> dict[int, int]:
        """Return the levels that the census names with the median pay of their people in cents."""
        rows = self._rows(f"""
            with levels as (
                select level_id, cents, {_ranked("cents", "level_id")}
                from {_PEOPLE} where level_id is not null and hours >= {MINIMUM_HOURS * 100}
            )
            select level_id, {_percentile("cents", Decimal("0.5"))} from levels group by level_id order by level_id
        """)
        return dict(rows)

    def starts_above(self, shares: Sequence[Decimal]) -> list[tuple[int | None, int]]:
        """Return for each share the lowest pay above that percentile of all pay, or None, and how many have more."""
        cuts = ", ".join(_percentile("cents", share) for share in shares)
        pays = f"from {_PEOPLE} where hours >= {MINIMUM_HOURS * 100}"
        return self._rows(f"""
            with people as (select cents, {_ranked("cents")} {pays}),
            cuts as (select unnest([{cuts}]) as cut, unnest(range({len(shares)})) as number from people)
            select min(people.cents), count(people.cents)
            from cuts left join people on people.cents > cuts.cut
            group by cuts.number order by cuts.number
        """)

    def levels(self, starts: Mapping[int, int]) -> dict[int, LevelStatistics]:
        """Return the statistics of every level with people; who has no level is on that whose start the pay reaches."""
        found = self._rows(f"""
            with levels as (
                select
                    {_level(starts)} as level_id, cents, is_recent, row_number,
                    round(ln(cents / 100), 6)::decimal(9, 6) as log_pay
                from {_PEOPLE} where hours >= {MINIMUM_HOURS * 100}
            ),
            ranked as (select *, {_ranked("cents", "level_id")} from levels)
            select
                level_id, count(*),
                {", ".join(_percentile("cents", Decimal(share)) for share in ("0.05", "0.5", "0.95"))},
                count(*) filter (is_recent),
                coalesce(sum(log_pay) filter (is_recent), 0),
                coalesce(sum(log_pay * log_pay) filter (is_recent), 0)
            from ranked group by level_id order by level_id
        """)
        return {level: LevelStatistics(*rest) for level, *rest in found}

    def below(self, starts: Mapping[int, int], minima: Mapping[int, int]) -> tuple[int, int]:
        """Return how many people are paid less than the minimum of their level, and how many there are."""
        cases = " ".join(f"when {level} then {cents}" for level, cents in minima.items())
        ((below, people),) = self._rows(f"""
            select count(*) filter (cents < case {_level(starts)} {cases} end), count(*)
            from {_PEOPLE} where hours >= {MINIMUM_HOURS * 100}
        """)
        return below, people

    def ages_at_hire(self) -> dict[int, int]:
        """Return how many of the recent hires were hired at each age."""
        return dict(self._rows(f"select age_at_hire, count(*) from {_PEOPLE} where is_recent group by 1 order by 1"))

    def hours(self, fewest: int) -> HoursStatistics:
        """Return the hours of the recent hires, or of everybody where fewer than `fewest` were hired."""
        found = self._rows(f"""
            with counted as (select count(*) filter (is_recent) as hires from {_PEOPLE}),
            chosen as (
                select people.hours, people.row_number, counted.hires
                from {_PEOPLE} as people cross join counted
                where people.is_recent or counted.hires < {fewest}
            ),
            part as (select hours, {_ranked("hours")} from chosen where hours < {self._full_time})
            select
                (select count(*) from chosen),
                (select count(*) from part),
                (select {_percentile("hours", Decimal("0.5"))} from part),
                (select hires >= {fewest} from counted)
        """)
        return HoursStatistics(*found[0])

    def _rows(self, statement: str) -> list[Any]:
        return self._connection.execute(statement).fetchall()


def _ranked(value: str, group: str | None = None) -> str:
    """Return SQL for what a percentile of a value needs: the place of each, from 0, and how many there are."""
    over = "" if group is None else f"partition by {group}"
    return f"row_number() over ({over} order by {value}, row_number) - 1 as place, count(*) over ({over}) as people"


def _percentile(value: str, share: Decimal) -> str:
    """Return SQL for a percentile of ranked whole numbers: linear, rounded half away from zero; NULL of none."""
    exact = f"({int(share * _WHOLE)} * (people - 1))"
    rest = f"({exact} % {_WHOLE})"
    parts = f"when 0 then {value}::hugeint * ({_WHOLE} - {rest}) when 1 then {value}::hugeint * {rest}"
    weighed = f"sum(case place - {exact} // {_WHOLE} {parts} else 0 end)"
    return f"((2 * {weighed} + {_WHOLE}) // {2 * _WHOLE})::bigint"


def _level(starts: Mapping[int, int]) -> str:
    """Return SQL for a person's level: the given one, or the highest whose start the pay reaches."""
    first, *others = sorted(starts)
    cases = " ".join(f"when cents >= {starts[level]} then {level}" for level in reversed(others))
    return f"coalesce(level_id, case {cases} else {first} end)" if others else f"coalesce(level_id, {first})"
