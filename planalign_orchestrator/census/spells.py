"""Several rows of one person: the employments of somebody hired again, of whom `latest_spell` keeps the newest row.

Rows of one id are ranked by hire date before any is set aside: a bad newest row never makes an older one count.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.records import Finding
from planalign_orchestrator.census.sql import REPEATED_IDS_TABLE, SPELLS_TABLE, TYPED_TABLE, fetch_one

if TYPE_CHECKING:
    import duckdb

# What the rows of one id say together, for the checks of each: beside `dated`, the typed values with their texts.
SPELLS: Final = f"""
    spells as (
        select
            employee_id_text as spell_id,
            bool_or(employee_hire_date is null) as has_unknown_hire,
            min(first_birth) <> max(last_birth) as has_two_births,
            coalesce(list(employee_hire_date) filter (rows > 1), []) as repeated_hires
        from (
            select
                employee_id_text, employee_hire_date, count(*) as rows,
                min(employee_birth_date) as first_birth, max(employee_birth_date) as last_birth
            from dated
            where employee_id_text in (select employee_id from {REPEATED_IDS_TABLE})
            group by employee_id_text, employee_hire_date
        )
        group by employee_id_text
    )
"""
# The rules of a row that shares its id: condition, what it says, the fix.
SPELL_RULES: Final = (
    (
        "list_contains(repeated_hires, employee_hire_date)",
        "is used by more than one row with the same hire date",
        "one row per employment: which of them is the newest cannot be told",
    ),
    (
        "has_two_births",
        "is used by rows with different birth dates",
        "are they two people? Give each an id",
    ),
    (
        "has_unknown_hire",
        "is used by a row without a readable hire date",
        "which row is the newest cannot be told without it",
    ),
)


@dataclass(frozen=True)
class EarlierSpells:
    """How many good rows were left out because a newer one of the same person counts, and what is doubtful in them."""

    rows: int
    warnings: tuple[Finding, ...]


def keep_latest_spells(connection: "duckdb.DuckDBPyConnection") -> EarlierSpells:
    """Take the good rows of earlier employments out of the typed table and give the newest row the oldest hire date.

    The newest row keeps a service date of its own. Bad rows of earlier employments stay, to be named, and their hire
    dates do not count.
    """
    connection.execute(f"""
        create or replace temp table {SPELLS_TABLE} as
        select
            row_number,
            problems,
            row_number() over newest_first as place,
            min(employee_hire_date) filter (problems = 0) over (partition by employee_id) as first_hire,
            case
                when employee_termination_date is not null then employee_termination_date
                when coalesce(active, true) then date '2199-12-31'
            end >= lag(employee_hire_date) over newest_first as is_overlapping
        from {TYPED_TABLE}
        where employee_id in (select employee_id from {REPEATED_IDS_TABLE})
        window newest_first as (partition by employee_id order by employee_hire_date desc nulls last, row_number)
    """)
    connection.execute(f"""
        update {TYPED_TABLE} as typed
        set employee_service_date = coalesce(typed.employee_service_date, spells.first_hire)
        from {SPELLS_TABLE} as spells
        where typed.row_number = spells.row_number and spells.place = 1
    """)
    connection.execute(f"""
        delete from {TYPED_TABLE}
        where row_number in (select row_number from {SPELLS_TABLE} where place > 1 and problems = 0)
    """)
    rows, overlapping, examples = fetch_one(
        connection,
        f"""
        select
            count(*),
            count(*) filter (is_overlapping),
            (list(row_number order by row_number) filter (is_overlapping))[:3]
        from {SPELLS_TABLE} where place > 1 and problems = 0
        """,
    )
    return EarlierSpells(rows, tuple(_overlap_warnings(overlapping, examples)))


def _overlap_warnings(overlapping: int, examples: list[int]) -> list[Finding]:
    if not overlapping:
        return []
    named = ", ".join(f"row {row}" for row in examples) + (", ..." if overlapping > len(examples) else "")
    people = "1 row of an earlier employment does" if overlapping == 1 else f"{overlapping:,} earlier employments do"
    text = (
        f"{people} not end before the next hire of the same id ({named}): is it a second job? Only the newest row of a"
        " person counts (census.duplicates), with its pay alone"
    )
    return [Finding.plain("warning", text)]
