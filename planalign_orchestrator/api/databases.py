"""What a simulation's database holds: its state, its checkpoints, its reports. None of it changes the database."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.api.configuration import Places
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError

if TYPE_CHECKING:
    from planalign_orchestrator.database.verification import Verification
    from planalign_orchestrator.report_templates import ReportDimension, ReportTemplate
    from planalign_orchestrator.reports.comparison import RunComparison
    from planalign_orchestrator.reports.formats import Report, ReportFormat

QUICKLY_VERIFIED_ROWS = 1_000_000
"""What a verification reads in about a second."""


@dataclass(frozen=True)
class DatabaseAnswer:
    """The finished years of a database, and whether they come from itself or, while it is busy, from the JSON copies.

    A year has the columns of `checkpoints`; the copies lack timings and validation. `changes` says what a year was made
    from otherwise than the year before, where it was. `verification` says whether the
    marts still are what the checkpoints recorded. `note` says why the answer does not come from the database.
    """

    database: Path
    source: str
    runs: Sequence[dict[str, Any]]
    years: Sequence[dict[str, Any]]
    changes: Mapping[int, Sequence[str]]
    verification: "Verification"
    note: str | None = None


def status(places: Places, *, most_rows: int | None = QUICKLY_VERIFIED_ROWS) -> DatabaseAnswer:
    """Return what a database says of itself or, while it is busy, what the copies of its checkpoints say.

    It is verified when it has at most `most_rows` rows; None is any number. Errors: DatabaseError.
    """
    from planalign_orchestrator.database.checkpoint_copies import read_checkpoint_files
    from planalign_orchestrator.database.checkpoints import read_status_of
    from planalign_orchestrator.database.connection import DatabaseConnectionManager
    from planalign_orchestrator.database.verification import rows_of, unverified, verify

    path, directory = places.database, places.checkpoints
    try:
        with DatabaseConnectionManager(path, read_only=True) as db:
            found = read_status_of(db)
            rows = rows_of(found)
            if most_rows is None or rows <= most_rows:
                verification = verify(db, found)
            else:
                verification = unverified(f"{rows:,} rows take a while; --verify recomputes their digests")
    except DatabaseBusyError as error:
        copies = [copy for copy in read_checkpoint_files(directory) if copy.database == path.name]
        years = [asdict(copy) for copy in copies]
        note = f"{error}\nThis answer comes from the checkpoint copies in {directory}."
        busy = unverified("the database is busy")
        return DatabaseAnswer(path, "checkpoint copies", (), years, _changes(years), busy, note)
    return DatabaseAnswer(path, "database", found.runs, found.checkpoints, _changes(found.checkpoints), verification)


def _changes(years: Sequence[Mapping[str, Any]]) -> dict[int, Sequence[str]]:
    from planalign_orchestrator.database.resuming import changes_by_year

    return {year: changes for year, changes in changes_by_year(years).items() if changes}


def checkpoints(places: Places, *, year: int | None = None) -> DatabaseAnswer:
    """Return the finished years of a database as `status` does, or one of them; nothing is verified.

    Errors: DatabaseError, also when the database has no such year.
    """
    found = status(places, most_rows=0)
    chosen = [row for row in found.years if year in (None, row["simulation_year"])]
    if not chosen:
        held = ", ".join(str(row["simulation_year"]) for row in found.years) or "none"
        raise DatabaseError(
            f"{places.database} has no checkpoint of {year or 'any year'}; its finished years are {held}"
        )
    return replace(found, years=chosen)


def clean_checkpoints(places: Places) -> tuple[list[Path], list[Path]]:
    """Remove the JSON copies of the database's checkpoints; return what went, and what stayed as it is no such copy."""
    from planalign_orchestrator.database.checkpoint_copies import clean_checkpoint_files

    return clean_checkpoint_files(places.checkpoints, places.database.name)


def report(
    places: Places,
    years: Sequence[int] | None = None,
    *,
    template: "ReportTemplate | None" = None,
    by: "ReportDimension | None" = None,
    unverified: bool = False,
) -> "tuple[Report, Path]":
    """Return the report of the finished years, or of `years`, and the census of the run.

    With `by` it holds the figures of the groups of a dimension, too.

    The digests of what is reported are recomputed. Errors: DatabaseError; DamagedDatabaseError when the database is not
    what was recorded, unless `unverified` asks to see it all the same.
    """
    from planalign_orchestrator.database.checkpoints import read_status_of
    from planalign_orchestrator.database.connection import DatabaseConnectionManager
    from planalign_orchestrator.database.verification import verify
    from planalign_orchestrator.reports import MultiYearReporter
    from planalign_orchestrator.reports.formats import Report
    from planalign_orchestrator.reports.groups import read_breakdown

    with DatabaseConnectionManager(places.database, read_only=True) as db:
        found = read_status_of(db)
        wanted = years or found.years
        # the groups of the census stand in the years in which people entered
        read = wanted if by is None else [year for year in found.years if year <= max(wanted)]
        verification = verify(db, found, read)
        if not unverified:
            verification.check(places.database)
        census = Path(str(found.runs[-1]["census"].get("path", "")))
        summary = MultiYearReporter(db).generate_summary(wanted)
        breakdown = None if by is None else read_breakdown(db, wanted, by)
    return Report(summary, verification, template or places.template, breakdown), census


def check_report_file(places: Places, census: Path, chosen: "ReportFormat", output: Path, *, force: bool) -> None:
    """Refuse a file for a report that is not to be replaced. Errors: OutputError saying what is there."""
    from planalign_orchestrator.files.replacing import OutputKind, check_replaceable

    protected = {places.database: "the database", census: "the census of the run", **places.inputs}
    check_replaceable(output, OutputKind(chosen.file, chosen.is_ours), force=force, protected=protected)


def write_report(found: "Report", chosen: "ReportFormat", output: Path) -> None:
    """Write a report, whole or not at all; one that names people is readable for this user alone."""
    from planalign_orchestrator.files.atomic import write_atomically
    from planalign_orchestrator.validation.results import name_people

    named = chosen.names_people and any(name_people(year.validation) for year in found.summary.years)
    write_atomically(output, chosen.render(found), private=named)


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of a year's JSON report."""
    from planalign_orchestrator import reports

    return reports.report_schema()


def compare_runs(
    a: Path, b: Path, *, years: Sequence[int] | None = None, limit: int = 10, unverified: bool = False
) -> "RunComparison":
    """Compare two databases: events, workforce, key figures and at most `limit` differing rows a table.

    Errors: ComparisonError when they cannot be compared; DamagedDatabaseError when one is not what was recorded.
    """
    from planalign_orchestrator.errors import ComparisonError, DamagedDatabaseError
    from planalign_orchestrator.reports.comparison import compare_runs as compare

    try:
        return compare(a, b, years=years, limit=limit, check=not unverified)
    except DamagedDatabaseError:
        raise
    except DatabaseError as error:
        raise ComparisonError(str(error)) from error
