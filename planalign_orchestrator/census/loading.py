"""Load a census: read, judge and store it, or say everything that is wrong with it."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from planalign_orchestrator.census.checking import (
    Check,
    checks_for,
    count_bad_rows,
    describe_problems,
    hours_problem,
    write_quarantine,
    write_typed_rows,
)
from planalign_orchestrator.census.columns import COLUMNS, COLUMNS_BY_NAME
from planalign_orchestrator.census.columns_judged import judge_columns, settings_problems
from planalign_orchestrator.census.dates import DateRules, date_format_problem, plan_date
from planalign_orchestrator.census.headings import Layout, resolve_headings, rows_left_out
from planalign_orchestrator.census.ids import forget_id_key, set_id_key
from planalign_orchestrator.census.reading import CensusFile, RawRows, open_census, read_rows
from planalign_orchestrator.census.records import NO_GROUPS, CensusSource, CensusSummary, Finding, Group
from planalign_orchestrator.census.spells import EarlierSpells, keep_latest_spells
from planalign_orchestrator.census.sql import RAW_VIEW, TYPED_TABLE, WORKING_TABLES, days_table, qualified_name
from planalign_orchestrator.census.summarising import not_available_notes, rounding_notes, select_list, summarise
from planalign_orchestrator.census.values import read_column, read_plain
from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.files.spilling import private_connection

if TYPE_CHECKING:
    import duckdb

FULL_TIME_HOURS = Decimal(40)
# the days of a person's employment, which none but an announced exit puts after the census date
_LAST_DAYS = ("employee_hire_date", "employee_termination_date")


@dataclass(frozen=True)
class _Dates:
    """How date columns are read, by column, which of them cannot be, and what is to be said about it."""

    readings: dict[str, str]
    undecided: list[str]
    problems: list[str]
    notes: list[Finding]


@dataclass(frozen=True)
class _Judgement:
    layout: Layout
    checks: list[Check]
    summary: CensusSummary


def load_census(
    connection: "duckdb.DuckDBPyConnection",
    source: CensusSource,
    *,
    census_date: date,
    level_ids: Collection[int],
    named_groups: Mapping[Group, str] = NO_GROUPS,
    full_time_hours: Decimal = FULL_TIME_HOURS,
    create_id_key: bool = False,
    schema: str = "planalign.inputs",
    quarantine_table: str = "planalign.main.census_quarantine",
) -> CensusSummary:
    """Write the typed census to `<schema>.census` and bad rows to the quarantine table, replacing both.

    Runs on the given connection and inside its transaction, if there is one. The quarantine table exists, without rows,
    when every row is good. Raises CensusError with all problems: of the file always, of rows unless
    `source.on_invalid_rows` is `quarantine`; nothing is replaced then.
    """
    schema, quarantine_table = qualified_name(schema), qualified_name(quarantine_table)
    with _judged(
        connection, source, census_date, level_ids, named_groups, full_time_hours, create_id_key=create_id_key
    ) as judgement:
        connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"""
            create or replace table {schema}.census as
            select {select_list(source, census_date)}, row_number from {TYPED_TABLE} where problems = 0
        """)
        write_quarantine(
            connection,
            quarantine_table,
            judgement.layout,
            judgement.checks,
            bad_rows=judgement.summary.quarantined,
            hash_ids=source.hash_ids,
        )
        return judgement.summary


def add_people(
    connection: "duckdb.DuckDBPyConnection",
    source: CensusSource,
    table: str,
    values_before: str,
    *,
    census_date: date,
    level_ids: Collection[int],
    full_time_hours: Decimal = FULL_TIME_HOURS,
) -> CensusSummary:
    """Add the simulated people of another census to a table: the columns `values_before` (SQL), then the census's.

    Errors: CensusError as `load_census`; rows that are set aside are kept nowhere, and the summary says why.
    """
    with _judged(connection, source, census_date, level_ids, NO_GROUPS, full_time_hours) as judgement:
        connection.execute(f"""
            insert into {qualified_name(table)}
            select {values_before}, people.* from (
                select {select_list(source, census_date)}, row_number from {TYPED_TABLE} where problems = 0
            ) as people
            where people.is_simulated
        """)
        return judgement.summary


def check_census(
    source: CensusSource,
    *,
    census_date: date,
    level_ids: Collection[int],
    named_groups: Mapping[Group, str] = NO_GROUPS,
    full_time_hours: Decimal = FULL_TIME_HOURS,
) -> CensusSummary:
    """Judge a census as `load_census` does, on a private in-memory database, and keep nothing.

    Raises CensusError as `load_census` does.
    """
    with (
        private_connection() as connection,
        _judged(connection, source, census_date, level_ids, named_groups, full_time_hours) as judgement,
    ):
        return judgement.summary


@contextlib.contextmanager
def _judged(
    connection: "duckdb.DuckDBPyConnection",
    source: CensusSource,
    census_date: date,
    level_ids: Collection[int],
    named_groups: Mapping[Group, str],
    full_time_hours: Decimal,
    *,
    create_id_key: bool = False,
) -> Iterator[_Judgement]:
    """Read and judge a census; its working tables exist until the end of the block."""
    import duckdb

    try:
        set_id_key(connection, source, create=create_id_key)
        yield _judge(connection, source, census_date, level_ids, named_groups, full_time_hours)
    finally:
        # After an error of DuckDB the transaction takes no more statements, and its rollback drops the tables; after a
        # fatal one the whole database takes none, and the error to be raised is the first.
        with contextlib.suppress(duckdb.TransactionException, duckdb.FatalException):
            forget_id_key(connection)
            connection.execute(f"drop view if exists {RAW_VIEW}")
            for table in (*WORKING_TABLES, *(days_table(c.name) for c in COLUMNS if c.kind == "date")):
                connection.execute(f"drop table if exists {table}")


def _judge(
    connection: "duckdb.DuckDBPyConnection",
    source: CensusSource,
    census_date: date,
    level_ids: Collection[int],
    named_groups: Mapping[Group, str],
    full_time_hours: Decimal,
) -> _Judgement:
    file = open_census(connection, source)
    layout = resolve_headings(file.headings, source, file.heading_row)
    left_out, problems = rows_left_out(file.headings, layout, source)
    problems = [*_no_headings(file, layout), *layout.problems, *problems]
    if wrong := settings_problems(layout, source):
        # without its units and codes no value can be judged
        raise CensusError([*problems, *wrong], source=str(source.path))
    problems += hours_problem(layout, source)
    rows = read_rows(
        connection,
        file,
        layout.positions,
        mark_dates=source.date_format is not None,
        left_out=left_out,
        codes={name: [code.casefold() for code in codes] for name, codes in source.values.items()},
    )
    if not rows.people:
        problems.append("there is no employee in it: the census is empty")
        raise CensusError(problems, source=str(source.path))
    readings = _simple_readings(layout, rows.plain, source, full_time_hours)
    dates = _plan_dates(connection, layout, readings, _date_rules(source, census_date, file))
    problems += dates.problems
    checks = checks_for(
        layout,
        undecided=dates.undecided,
        plain=rows.plain,
        census_date=census_date,
        level_ids=level_ids,
        source=source,
    )
    judged = judge_columns(
        connection, layout, source, census_date, readings | dates.readings, _tables(readings, dates.readings)
    )
    problems += judged.problems
    write_typed_rows(connection, layout, readings, dates.readings, checks, source)
    spells = keep_latest_spells(connection) if source.duplicates == "latest_spell" else EarlierSpells(0, ())
    quarantined = rows.malformed + count_bad_rows(connection)
    row_problems = describe_problems(connection, layout, checks) if quarantined else []
    too_many = _too_many_set_aside(quarantined, rows.people, source)
    if source.on_invalid_rows == "fail" or problems or too_many:
        problems += [*too_many, *(finding.text for finding in row_problems)]
    if problems:
        raise CensusError(problems, source=str(source.path))
    said = [*layout.notes, *_file_notes(rows, file), *rounding_notes(connection, layout, source, rows.plain)]
    said += _unit_notes(source)
    said += not_available_notes(connection, layout, rows.plain)
    notes = [*(Finding.plain("note", text) for text in said), *dates.notes]
    summary = summarise(
        connection,
        source,
        census_date,
        layout,
        quarantined=quarantined,
        earlier_spells=spells.rows,
        findings=[*row_problems, *judged.findings, *spells.warnings, *notes],
        named_groups=named_groups,
        full_time_hours=full_time_hours,
    )
    return _Judgement(layout, checks, summary)


def _date_rules(source: CensusSource, census_date: date, file: CensusFile) -> DateRules:
    epoch = None
    if file.kind == "excel":
        from planalign_orchestrator.files import excel

        epoch = excel.epoch(file.path)
    return DateRules(census_date, source.date_format, typed_dates=file.kind != "text", epoch=epoch)


def _simple_readings(
    layout: Layout, plain: frozenset[str], source: CensusSource, full_time_hours: Decimal = FULL_TIME_HOURS
) -> dict[str, str]:
    """Return the SQL that reads each column value by value: all but the dates that are not plain."""
    readings = {}
    for name in layout.positions:
        column = COLUMNS_BY_NAME[name]
        if column.kind == "date":
            if source.date_format is None and name in plain:
                readings[name] = read_plain(column)
        elif column.stored:
            readings[name] = read_column(column, source, full_time_hours, plain=name in plain)
    return readings


def _tables(readings: Collection[str], looked_up: Collection[str]) -> dict[str, str]:
    """Return the table that the SQL of each column reads."""
    return dict.fromkeys(readings, RAW_VIEW) | {name: days_table(name) for name in looked_up}


def _plan_dates(
    connection: "duckdb.DuckDBPyConnection", layout: Layout, readings: Mapping[str, str], rules: DateRules
) -> _Dates:
    """Plan the date columns that have no reading yet."""
    columns = [name for name in layout.positions if COLUMNS_BY_NAME[name].kind == "date" and name not in readings]
    if rules.date_format is not None and (problem := date_format_problem(connection, rules.date_format)):
        return _Dates({}, columns, [problem], [])
    plans = {name: plan_date(connection, name, rules) for name in columns}
    return _Dates(
        readings={name: plan.expression for name, plan in plans.items() if plan.expression is not None},
        undecided=[name for name, plan in plans.items() if plan.expression is None],
        problems=[plan.problem for plan in plans.values() if plan.problem is not None],
        notes=[note for plan in plans.values() for note in plan.notes],
    )


def _no_headings(file: CensusFile, layout: Layout) -> list[str]:
    """Say of a file that begins with a person that it has no headings."""
    if not file.looks_like_data or layout.positions:
        return []
    first = ", ".join(file.headings[:3])
    problem = f"row {file.heading_row} looks like data ({first}, ...): put a row above it that names the columns"
    return [problem]


def _too_many_set_aside(quarantined: int, people: int, source: CensusSource) -> list[str]:
    if source.on_invalid_rows == "fail" or quarantined <= source.most_set_aside * people:
        return []
    return [
        (
            f"{quarantined:,} of {people:,} rows cannot be used, more than the share of {source.most_set_aside} that"
            " census.most_set_aside allows to be set aside: correct them, or raise it"
        )
    ]


def _unit_notes(source: CensusSource) -> list[str]:
    """Say by which units and basis numbers were read."""
    notes = [f"{name} read as {unit} (census.units)" for name, unit in source.units.items()]
    if source.hash_ids:
        notes.append(f"ids are hashed with the key in {source.id_key}: keep that file, another key gives other ids")
    if source.pay_basis != "actual":
        notes.append("part-time pay is the scheduled share of the full-time pay in the file (census.pay_basis)")
    return notes


def _file_notes(rows: RawRows, file: CensusFile) -> list[str]:
    notes = list(file.notes)
    if rows.left_out:
        notes.append(f"rows left out by census.ignore_rows: {rows.left_out:,}")
    if file.strays.count:
        notes.append(f"not used, because outside the table: {file.strays}")
    if rows.blank:
        notes.append(f"blank rows left out: {rows.blank}")
    if rows.embedded_line_breaks:
        notes.append(
            f"line breaks inside quoted values: {rows.embedded_line_breaks} (each row still counts as one row)"
        )
    return notes


def latest_date(source: CensusSource) -> date | None:
    """Return the last day on which anybody in a census was hired or left; None when no column says so.

    Raises CensusError when the file cannot be read or its headings do not say which column is which.
    """
    import duckdb

    with duckdb.connect(":memory:") as connection:
        file = open_census(connection, source)
        layout = resolve_headings(file.headings, source, file.heading_row)
        if layout.problems:
            raise CensusError(layout.problems, source=str(source.path))
        wanted = {name: at for name, at in layout.positions.items() if name in _LAST_DAYS}
        layout = replace(layout, positions=wanted)
        rows = read_rows(connection, file, wanted, mark_dates=source.date_format is not None)
        readings = _simple_readings(layout, rows.plain, source)
        today = datetime.now(UTC).date()
        looked_up = _plan_dates(connection, layout, readings, _date_rules(source, today, file)).readings
        tables = _tables(readings, looked_up)
        days = ", ".join(
            f"(select max({reading}) from {tables[name]})" for name, reading in (readings | looked_up).items()
        )
        found = connection.execute(f"select {days}").fetchone() if days else None
        return max(filter(None, found or ()), default=None)
