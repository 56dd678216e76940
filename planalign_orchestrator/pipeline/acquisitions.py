"""The people of companies that are bought: read like the census, each file on its own date, and kept beside it."""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.census import CensusSource, add_people
from planalign_orchestrator.census.records import Finding
from planalign_orchestrator.config import SimulationConfig
from planalign_orchestrator.errors import CensusError

if TYPE_CHECKING:
    import duckdb

    from planalign_orchestrator.config.sections.acquisitions import Acquisition

# what an acquisition may say of its own file
_READING = ("sheet", "columns", "values", "units")
# columns of a census that say what somebody had in a plan, which is not taken over
_OF_ANOTHER_PLAN = (
    "employee_deferral_rate",
    "employee_account_balance",
    "match_account_balance",
    "core_account_balance",
)


def load_acquired(
    connection: "duckdb.DuckDBPyConnection",
    config: SimulationConfig,
    census: CensusSource,
    level_ids: Collection[int],
    database: str,
) -> tuple[dict[int, str], list[Finding]]:
    """Write `<database>.inputs.acquired`, a row for each person; return a digest of each year's people, and findings.

    The files are read with the settings of `census` unless an acquisition has its own. Errors: CensusError, also for
    ids that are in the census or in two files.
    """
    held = f"{database}.inputs.acquired"
    connection.execute(f"""
        create or replace table {held} as
        select
            null::integer as item, null::date as acquired_on,
            null::boolean as credits_service, null::boolean as credits_pay, *
        from {database}.inputs.census limit 0
    """)
    findings: list[Finding] = []
    for item, entry in enumerate(config.workforce.acquisitions, start=1):
        summary = add_people(
            connection,
            _source(census, entry),
            held,
            f"{item}, date '{entry['date']}', {_flag(entry.get('credit_service', True))}, "
            f"{_flag(entry.get('credit_compensation', False))}",
            census_date=entry["date"] - dt.timedelta(days=1),
            level_ids=level_ids,
            full_time_hours=config.new_hires.full_time_hours_per_week,
        )
        said = [*summary.problems, *_not_taken_over(connection, held, item, entry)]
        findings += [Finding.plain("warning", f"acquisition of {entry['date']}: {text}") for text in said]
    _refuse_clashes(connection, config, database)
    rows = connection.execute(f"""
        select year(acquired_on), count(*) || ':' || sum(hash(people))::varchar from {held} as people group by 1
    """).fetchall()
    return {int(year): str(digest) for year, digest in rows}, findings


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _source(census: CensusSource, entry: "Acquisition") -> CensusSource:
    own: dict[str, Any] = {name: value for name, value in entry.items() if name in _READING}
    # where its rows stand is another file's
    plain = replace(census, sheet=None, header_row=None, last_row=None, ignore_rows=None, ignore_columns=[])
    return replace(plain, path=entry["census"], **own)


def _not_taken_over(connection: "duckdb.DuckDBPyConnection", held: str, item: int, entry: "Acquisition") -> list[str]:
    """Say what the file holds of another plan, and whose exits fall into the year, in which nobody of them leaves."""
    counts = ", ".join(f"count(*) filter (where {name} > 0)" for name in _OF_ANOTHER_PLAN)
    leaving = "count(*) filter (where year(employee_termination_date) <= year(acquired_on))"
    (found,) = connection.execute(f"select {counts}, {leaving} from {held} where item = {item}").fetchall()
    given = [name for name, count in zip(_OF_ANOTHER_PLAN, found, strict=False) if count]
    said = []
    if given:
        said.append(f"{', '.join(given)} of {entry['census'].name} are of another plan and are not taken over")
    if found[-1]:
        said.append(f"{found[-1]:,} announced exits in the year of the acquisition are not simulated")
    return said


def _refuse_clashes(connection: "duckdb.DuckDBPyConnection", config: SimulationConfig, database: str) -> None:
    clashes = connection.execute(f"""
        select employee_id from (
            select employee_id from {database}.inputs.acquired
            union all select employee_id from {database}.inputs.census
        ) group by employee_id having count(*) > 1 order by employee_id
    """).fetchall()
    if clashes:
        shown = ", ".join(employee_id for (employee_id,) in clashes[:3])
        text = (
            f"workforce.acquisitions: {len(clashes):,} ids are in the census, or in two files of acquisitions, such as "
            f"{shown}; give the people of the acquisition other ids"
        )
        raise CensusError([text], source=str(config.census.path))
