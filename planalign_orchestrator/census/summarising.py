"""What the loaded rows say: counts, warnings, and the fingerprint by which a later run knows the same census."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.columns import COLUMNS_BY_NAME, OPTIONAL_COLUMNS, STORED_COLUMNS, Column
from planalign_orchestrator.census.headings import Layout
from planalign_orchestrator.census.ids import hashed
from planalign_orchestrator.census.plausibility import implausible
from planalign_orchestrator.census.records import CensusSource, CensusSummary, Example, Finding, Group, OptionalColumn
from planalign_orchestrator.census.sql import RAW_VIEW, TEXTS_TABLE, TYPED_TABLE, fetch_one, quoted_value, text_literal
from planalign_orchestrator.census.values import NOT_AVAILABLE, rounded_values
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.problems import nearest

if TYPE_CHECKING:
    import duckdb

# Three, two and four digits with hyphens, or nine digits that can have been issued: no area 000, 666 or 9xx, no group
# 00, no serial number 0000.
_SECURITY_NUMBER: Final = (
    r"\d{3}-\d{2}-\d{4}"
    r"|(00[1-9]|0[1-9]\d|[1-57-8]\d\d|6[0-57-9]\d|66[0-57-9])(0[1-9]|[1-9]\d)(000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})"
)

_FINAL_COLUMNS: Final = (*(column.name for column in STORED_COLUMNS), "is_simulated")


def select_list(source: CensusSource, census_date: date) -> str:
    """Return the typed census's columns, all but `row_number`, as a select list over the typed table."""
    return ", ".join(f"{value} as {name}" for name, value in _final_values(source, census_date).items())


def rounding_notes(
    connection: "duckdb.DuckDBPyConnection", layout: Layout, source: CensusSource, plain: Collection[str]
) -> list[str]:
    """Return one sentence per column whose values had more decimals than are kept; plain values never have.

    Numbers of another unit are rounded once, when they are yearly pay or fractions.
    """
    counted = {
        name: condition
        for name in layout.positions
        if name not in plain
        and name not in source.units
        and (condition := rounded_values(COLUMNS_BY_NAME[name])) is not None
    }
    if not counted:
        return []
    counts = ", ".join(f"count(*) filter ({condition})" for condition in counted.values())
    found = fetch_one(connection, f"select {counts} from {RAW_VIEW}")
    places = {name: "6 decimals" if COLUMNS_BY_NAME[name].kind == "rate" else "2 decimals" for name in counted}
    return [
        f"{name}: {count:,} values with more than {places[name]}, rounded half away from zero"
        for name, count in zip(counted, found, strict=True)
        if count
    ]


def not_available_notes(connection: "duckdb.DuckDBPyConnection", layout: Layout, plain: Collection[str]) -> list[str]:
    """Return one sentence per column with Excel's `#N/A`, which is read as a blank."""
    counted = [name for name in layout.positions if name not in plain and COLUMNS_BY_NAME[name].stored]
    if not counted:
        return []
    counts = ", ".join(f"count(*) filter (lower(trim({name})) = '{NOT_AVAILABLE}')" for name in counted)
    found = fetch_one(connection, f"select {counts} from {TEXTS_TABLE}")
    return [
        f"{name}: #N/A, read as blank, in {'1 row' if count == 1 else f'{count:,} rows'}"
        for name, count in zip(counted, found, strict=True)
        if count
    ]


def _simulated(census_date: date) -> str:
    left = f"coalesce(employee_termination_date <= date '{census_date}', false)"
    gone = "(employee_termination_date is null and coalesce(not active, false))"
    return f"not {left} and not {gone}"


def summarise(
    connection: "duckdb.DuckDBPyConnection",
    source: CensusSource,
    census_date: date,
    layout: Layout,
    *,
    quarantined: int,
    earlier_spells: int,
    findings: list[Finding],
    named_groups: Mapping[Group, str],
    full_time_hours: Decimal,
) -> CensusSummary:
    """Count the good rows of the typed table. Raises CensusError when none of them is to be simulated."""
    simulated = _simulated(census_date)
    announced = f"employee_termination_date > date '{census_date}'"
    participates = f"{simulated} and coalesce(employee_deferral_rate, 0) > 0"
    left = f"employee_termination_date <= date '{census_date}'"
    values = ", ".join(_final_values(source, census_date).values())
    given = ", ".join(f"count({column.name})" for column in OPTIONAL_COLUMNS)
    loaded, *counts = fetch_one(
        connection,
        f"""
        select
            count(*),
            count(*) filter ({simulated}),
            count(*) filter ({left}),
            count(*) filter (employee_termination_date is null and not active),
            count(*) filter ({announced}),
            count(*) filter ({simulated} and level_id is null),
            count(*) filter ({participates}),
            count(*) filter ({participates} and enrollment_method is null),
            count(*) filter ({participates} and employee_enrollment_date is null),
            count(*) filter ({simulated} and prior_year_compensation is null),
            count(*) filter ({left} and active),
            count(*) filter ({announced} and not active),
            coalesce(sum(hash({values})), 0)::varchar,
            {given}
        from {TYPED_TABLE} where problems = 0
        """,
    )
    people, left_before, inactive, exits, inferred, *plan_counts = counts[:9]
    left_active, exits_inactive, digest, *given_counts = counts[9:]
    participants, without_method, without_date, prior_pay_derived = plan_counts
    if not people:
        why = f"none of its {loaded + quarantined + earlier_spells:,} rows is a person employed on {census_date}"
        reasons = [finding.text for finding in findings if finding.kind == "problem"]
        raise CensusError([f"nobody is left to simulate: {why}", *reasons], source=str(source.path))
    if not source.hash_ids and (problems := _security_numbers_as_ids(connection)):
        raise CensusError(problems, source=str(source.path))
    warnings = [
        *_warnings(left_active, exits_inactive),
        *implausible(connection, source, layout, census_date, simulated=simulated, full_time_hours=full_time_hours),
        *_shared_security_numbers(connection, layout),
        *_unknown_groups(connection, named_groups, simulated),
    ]
    return CensusSummary(
        path=str(source.path),
        census_date=census_date,
        rows_read=loaded + quarantined + earlier_spells,
        rows_loaded=loaded,
        simulated=people,
        left_before_start=left_before,
        inactive_without_date=inactive,
        announced_exits=exits,
        quarantined=quarantined,
        earlier_spells=earlier_spells,
        levels_inferred=inferred,
        participants=participants,
        participants_without_method=without_method,
        participants_without_date=without_date,
        prior_year_pay_derived=prior_pay_derived,
        optional_columns=tuple(
            OptionalColumn(
                column.name, layout.headings.get(column.name), count, loaded - count, _default(column, source)
            )
            for column, count in zip(OPTIONAL_COLUMNS, given_counts, strict=True)
        ),
        findings=(*findings, *warnings),
        fingerprint=f"{loaded}:{digest}",
    )


def columns_missing_in(connection: "duckdb.DuckDBPyConnection", table: str) -> list[str]:
    """Return the columns that a typed census which another version stored lacks."""
    found = connection.execute(f"select name from pragma_table_info('{table}')").fetchall()
    present = {column for (column,) in found}
    return [column for column in _FINAL_COLUMNS if column not in present]


def fingerprint_of(connection: "duckdb.DuckDBPyConnection", table: str) -> str:
    """Return the fingerprint of a typed census as it is stored; equal to that of its summary unless it was changed."""
    columns = ", ".join(_FINAL_COLUMNS)
    return str(
        fetch_one(connection, f"select count(*) || ':' || coalesce(sum(hash({columns})), 0)::varchar from {table}")[0]
    )


def _default(column: Column, source: CensusSource) -> str | None:
    """Return SQL for what a blank value becomes."""
    if column.kind == "hours" and source.default_hours is not None:
        return str(source.default_hours)
    return column.default


def _final_values(source: CensusSource, census_date: date) -> dict[str, str]:
    """Return SQL by column name: defaults filled in, types exact."""
    values = {}
    for column in STORED_COLUMNS:
        default = _default(column, source)
        value = column.name if default is None else f"coalesce({column.name}, {default})"
        value = hashed(value) if source.hash_ids and column.name == "employee_id" else value
        values[column.name] = f"{value}::{column.sql_type}"
    return values | {"is_simulated": f"({_simulated(census_date)})"}


def _warnings(left_active: int, exits_inactive: int) -> list[Finding]:
    warnings = []
    if left_active:
        warnings.append(f"{left_active:,} people are marked active but have left: their exit date counts")
    if exits_inactive:
        warnings.append(
            f"{exits_inactive:,} people are marked inactive but their exit date is still to come: the date counts"
        )
    return [Finding.plain("warning", text) for text in warnings]


def _unknown_groups(
    connection: "duckdb.DuckDBPyConnection", named_groups: Mapping[Group, str], simulated: str
) -> list[Finding]:
    """Point out groups that the configuration names and nobody is in: probably the name is written otherwise."""
    findings = []
    for column in sorted({column for column, _ in named_groups}):
        found = f"select distinct {column} from {TYPED_TABLE} where problems = 0 and {simulated}"
        known = sorted(name for (name,) in connection.execute(found).fetchall() if name is not None)
        folded = {name.strip().lower() for name in known}
        shown = ", ".join(known[:10]) + (" and others" if len(known) > 10 else "")
        for (of, name), key in sorted(named_groups.items()):
            if of != column or name.strip().lower() in folded:
                continue
            text = f"nobody has {column} {name!r}, which {key} names"
            near = nearest(name, known)
            hint = f"did you mean {near!r}? The census has" if near is not None else "the census has"
            findings.append(Finding("warning", f"{text}; {hint} {shown or f'no {column}'}", text))
    return findings


def _shared_security_numbers(connection: "duckdb.DuckDBPyConnection", layout: Layout) -> list[Finding]:
    """Point out one social security number on two ids, without naming the number."""
    if not {"employee_ssn", "employee_id"} <= layout.positions.keys():
        return []
    count, rows, ids = fetch_one(
        connection,
        f"""
        with numbers as (
            select
                regexp_replace(employee_ssn, '[^0-9]', '', 'g') as number,
                min(row_number) as first_row,
                list(row_number order by row_number)[:3] as people,
                list({quoted_value("employee_id")} order by row_number)[:3] as ids
            from {RAW_VIEW}
            where employee_id is not null and employee_ssn is not null
            group by 1
            having count(distinct employee_id) > 1 and number <> ''
        )
        select count(*), arg_min(people, first_row), arg_min(ids, first_row) from numbers
        """,
    )
    if not count:
        return []
    examples = [Example(row, employee_id) for row, employee_id in zip(rows, ids, strict=True)]
    before = f"{count:,} social security numbers stand on more than one employee_id, for instance "
    return [Finding.with_examples("warning", before, examples, "")]


def _security_numbers_as_ids(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    """Return the problem that ids are probably social security numbers, without naming them: results carry the ids."""
    count, rows = fetch_one(
        connection,
        f"""
        select count(*), list(row_number order by row_number)[:3]
        from {TYPED_TABLE}
        where problems = 0 and regexp_full_match(employee_id, {text_literal(_SECURITY_NUMBER)})
        """,
    )
    if not count:
        return []
    examples = ", ".join(f"row {row}" for row in rows) + (", ..." if count > len(rows) else "")
    text = (
        f"{count:,} employee ids look like social security numbers ({examples}): use another identifier, because every"
        " result and report carries the ids, or set census.hash_ids: true"
    )
    return [text]
