"""Commands that read a simulation's database: `checkpoint`, `status`, `report`. None of them changes it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    ForceOption,
    JsonOption,
    Override,
    UnverifiedOption,
    VerboseOption,
    YearsOption,
    as_path,
    load_config,
    read_years,
)
from planalign_orchestrator.cli.output import end_with_failure, note, show, show_json, show_summary, show_table
from planalign_orchestrator.errors import DatabaseBusyError, DatabaseError
from planalign_orchestrator.report_templates import ReportTemplate
from planalign_orchestrator.reports.formats import ReportFormat, format_of, kind_of

if TYPE_CHECKING:
    from planalign_orchestrator.database.verification import Verification
    from planalign_orchestrator.reports import MultiYearSummary

_SHORT = 7
# what a verification reads in about a second
_QUICKLY_VERIFIED_ROWS = 1_000_000


@dataclass(frozen=True)
class Places:
    """A database, the folders of its reports and of the JSON copies of its checkpoints, and the reports' template.

    `inputs` are the files that a configuration names or is, with what they are: no output replaces them.
    """

    database: Path
    reports: Path
    checkpoints: Path
    template: ReportTemplate = "detailed"
    inputs: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Answer:
    """The finished years of a database, and whether they come from itself or, while it is busy, from the JSON copies.

    A year has the columns of `checkpoints`; the copies lack timings and validation. `verification` says whether the
    marts still are what the checkpoints recorded.
    """

    database: Path
    source: str
    runs: Sequence[dict[str, Any]]
    years: Sequence[dict[str, Any]]
    verification: "Verification | None" = None


def status(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    verify: Annotated[bool, typer.Option("--verify", help="Recompute the digests of a database of any size.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show which years a database holds and what they come from.

    The digests of its tables are recomputed where that takes a moment only, up to a million rows; a database that
    differs from what was recorded is shown, and the exit code is 1. While another process writes the database, the
    answer comes from the JSON copies of its checkpoints.
    """
    answer = _ask(locate(config, database), most_rows=None if verify else _QUICKLY_VERIFIED_ROWS)
    if as_json:
        show_json(asdict(answer))
    else:
        _show_answer(answer)
    if answer.verification is not None and answer.verification.has_failed:
        end_with_failure(answer.verification.line, "DamagedDatabaseError", 1)


def _show_answer(answer: _Answer) -> None:
    if answer.runs:
        run = answer.runs[-1]
        show(
            f"{answer.database}: scenario {run['scenario_id']}, plan design {run['plan_design_id']}, seed"
            f" {run['random_seed']}, asked for {run['requested_start_year']}-{run['requested_end_year']},"
            f" planalign {run['planalign_version']}, DuckDB {run['duckdb_version']}\n"
        )
    headings = ("Year", "Finished (UTC)", "Engine", "Seconds", "Checks", "Run", "Settings", "Census", "Model")
    show_table(headings, [_status_cells(year) for year in answer.years], left=(0, 1, 2, 4, 5, 6, 7, 8))
    if answer.verification is not None:
        show(f"\n{answer.verification.line}")


def checkpoint(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    list_all: Annotated[bool, typer.Option("--list", help="Show every checkpoint, not the last one only.")] = False,
    year: Annotated[
        int | None, typer.Option("--year", help="Show the checkpoint of this year.", show_default=False)
    ] = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove the JSON copies of this database's checkpoints; it keeps its own.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --clean removes files.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the last finished year; `--resume` goes on after it."""
    if sum((list_all, year is not None, clean)) > 1:
        raise typer.BadParameter("--list, --year and --clean exclude each other")
    if clean and as_json and not yes:
        raise typer.BadParameter("--clean asks before it removes files; with --json say --yes")
    places = locate(config, database)
    path = places.database
    if clean:
        _clean(places, yes=yes, as_json=as_json)
        return
    answer = _ask(places)
    chosen = [row for row in answer.years if year in (None, row["simulation_year"])]
    if not chosen:
        held = ", ".join(str(row["simulation_year"]) for row in answer.years) or "none"
        raise DatabaseError(f"{path} has no checkpoint of {year or 'any year'}; its finished years are {held}")
    chosen = chosen if list_all else chosen[-1:]
    if as_json:
        show_json({"database": str(answer.database), "source": answer.source, "checkpoints": chosen})
    else:
        show("\n\n".join(_checkpoint_text(path, row) for row in chosen))


def report(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    years: YearsOption = None,
    rendering: Annotated[
        ReportFormat | None, typer.Option("--format", "-f", help="How to render; a file's ending says it too.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file: .html, .xlsx, .json, .csv, .txt.",
            show_default=False,
            parser=as_path,
            metavar="<path>",
        ),
    ] = None,
    force: ForceOption = False,
    template: Annotated[
        ReportTemplate | None,
        typer.Option("--template", help="How much to show, instead of the configured one.", show_default=False),
    ] = None,
    unverified: UnverifiedOption = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a year's JSON report.")] = False,
    verbose: VerboseOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Report on the years of a database; a single year in detail.

    The digests of what is shown are recomputed first. The template `executive` shows the headline figures and failed
    checks only. JSON always holds everything.
    """
    if as_json and rendering not in (None, ReportFormat.JSON):
        raise typer.BadParameter(f"--json and --format {rendering} contradict each other")
    chosen = format_of(output, ReportFormat.JSON if as_json else rendering)
    if chosen is ReportFormat.JSON and template == "executive":
        raise typer.BadParameter("--template executive and JSON contradict each other: JSON always holds everything")
    if chosen is ReportFormat.EXCEL and output is None:
        raise typer.BadParameter("--format excel needs a file: --output summary.xlsx")
    if schema:
        from planalign_orchestrator.reports import report_schema

        show_json(report_schema())
        return
    span = read_years(years)
    places = locate(config, database)
    summary, verification, census = _summary(places, span, unverified=unverified)
    if output is not None:
        from planalign_orchestrator.files.replacing import check_replaceable

        protected = {places.database: "the database", census: "the census of the run", **places.inputs}
        check_replaceable(output, kind_of(chosen), force=force, protected=protected)
    _give_out(summary, verification, chosen, template or places.template, output)
    if verification.has_failed and as_json:
        end_with_failure(verification.line, "DamagedDatabaseError", 1)
    note(verification.line)
    if verification.has_failed:
        raise typer.Exit(1)


def _summary(
    places: Places, span: tuple[int, int] | None, *, unverified: bool
) -> "tuple[MultiYearSummary, Verification, Path]":
    """The summary of the years, whether the database still holds what was recorded of them, and the run's census.

    Errors: DamagedDatabaseError when it does not, unless the user wants to see it all the same.
    """
    from planalign_orchestrator.database.checkpoints import read_status_of
    from planalign_orchestrator.database.connection import DatabaseConnectionManager
    from planalign_orchestrator.database.verification import verify
    from planalign_orchestrator.reports import MultiYearReporter

    with DatabaseConnectionManager(places.database, read_only=True) as db:
        status = read_status_of(db)
        wanted = range(span[0], span[1] + 1) if span else status.years
        verification = verify(db, status, wanted)
        if not unverified:
            verification.check(places.database)
        census = Path(str(status.runs[-1]["census"].get("path", "")))
        return MultiYearReporter(db).generate_summary(wanted), verification, census


def _give_out(
    summary: "MultiYearSummary",
    verification: "Verification",
    rendering: ReportFormat,
    template: ReportTemplate,
    output: Path | None,
) -> None:
    """Write the report to the file or to standard output."""
    if output is not None:
        from planalign_orchestrator.files.atomic import write_atomically
        from planalign_orchestrator.validation.results import name_people

        content = _rendered(summary, verification, rendering, template)
        if rendering is ReportFormat.CONSOLE:
            content = f"{content!s}\n{verification.line}\n"
        named = rendering is not ReportFormat.CSV and any(name_people(report.validation) for report in summary.years)
        write_atomically(output, content, private=named)
        note(f"Written: {output}")
    elif rendering is ReportFormat.CONSOLE and len(summary.years) > 1:
        show_summary(summary, template)
    elif rendering is ReportFormat.JSON:
        show_json(_document(summary, verification))
    else:
        show(str(_rendered(summary, verification, rendering, template)), end="", wrap=False)


def _document(summary: "MultiYearSummary", verification: "Verification") -> dict[str, Any]:
    """The report as JSON values."""
    from planalign_orchestrator.files.replacing import PRODUCT

    return {
        "product": PRODUCT,
        "verification": verification.to_dict(),
        "summary": summary.to_dict(),
        "years": [year.to_dict() for year in summary.years],
    }


def _rendered(
    summary: "MultiYearSummary", verification: "Verification", rendering: ReportFormat, template: ReportTemplate
) -> str | bytes:
    """The report as text with a final newline, or as the bytes of a workbook."""
    from planalign_orchestrator.reports import ConsoleReporter

    if rendering is ReportFormat.CSV:
        return summary.to_csv(template)
    if rendering is ReportFormat.JSON:
        return json.dumps(_document(summary, verification), indent=2, ensure_ascii=False) + "\n"
    if rendering is ReportFormat.HTML:
        from planalign_orchestrator.reports.formats.html import html_report

        return html_report(summary, template, verification.line)
    if rendering is ReportFormat.EXCEL:
        from planalign_orchestrator.reports.formats.excel import excel_report

        return excel_report(summary, template, verification.line)
    if len(summary.years) == 1:
        return ConsoleReporter(template).format_year_audit(summary.years[0]) + "\n"
    return ConsoleReporter(template).format_summary(summary) + "\n"


def locate(config: Path, database: Path | None) -> Places:
    """The database and what lies beside it. Without a configuration file, `--database` alone is enough."""
    if database is not None and not config.is_file():
        return Places(database, database.parent / "reports", database.parent / ".navigator_checkpoints")
    loaded = load_config(config, [Override("--database", "runtime.database", database and str(database))])
    from planalign_orchestrator.factory import build_orchestrator

    orchestrator = build_orchestrator(loaded)
    return Places(
        database=loaded.runtime.database,
        reports=orchestrator.reports_directory,
        checkpoints=orchestrator.checkpoint_directory,
        template=loaded.reports.template,
        inputs={config: "the configuration", loaded.census.path: "the census of the run"},
    )


def _ask(places: Places, most_rows: int | None = 0) -> _Answer:
    """What the database says of itself or, while it is busy, what the copies of its checkpoints say.

    It is verified when it has at most so many rows; None is any number.
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
        note(f"{error}\nThis answer comes from the checkpoint copies in {directory}.")
        years = [asdict(copy) for copy in copies]
        return _Answer(path, "checkpoint copies", (), years, unverified("the database is busy"))
    return _Answer(path, "database", found.runs, found.checkpoints, verification)


def _clean(places: Places, *, yes: bool, as_json: bool) -> None:
    from planalign_orchestrator.database.checkpoint_copies import clean_checkpoint_files

    directory, name = places.checkpoints, places.database.name
    question = f"Remove the JSON copies of the checkpoints of {name} in {directory}? The database is not touched."
    if not yes and not typer.confirm(question, err=True):
        note("Nothing was removed.")
        raise typer.Exit(1)
    removed, kept = clean_checkpoint_files(directory, name)
    if as_json:
        show_json({"directory": str(directory), "removed": len(removed), "kept": [path.name for path in kept]})
        return
    show(f"Removed {len(removed)} files from {directory}.")
    if kept:
        names = ", ".join(path.name for path in kept)
        show(f"Not copies of the checkpoints of {name}, so they stay: {names}.")


def _status_cells(year: dict[str, Any]) -> tuple[str, ...]:
    made_from = year["fingerprints"]
    return (
        str(year["simulation_year"]),
        _moment(year["completed_at"]),
        year["engine"],
        _seconds(year),
        _checks(year),
        year["run_id"][:_SHORT],
        _short(made_from["configuration"]),
        _short(made_from["census"]),
        _short(made_from["model"]),
    )


def _checkpoint_text(database: Path, year: dict[str, Any]) -> str:
    lines = [
        f"{year['simulation_year']} of {database}, finished {_moment(year['completed_at'])} UTC",
        f"  run {year['run_id']}, engine {year['engine']}, DuckDB {year['duckdb_version']}",
        *(f"  {name}: {mart['rows']:,} rows, digest {mart['digest']}" for name, mart in year["digests"].items()),
    ]
    return "\n".join(lines)


def _moment(value: object) -> str:
    return str(value).replace("T", " ")[:16]


def _seconds(year: dict[str, Any]) -> str:
    return f"{sum(year['timings']['stages'].values()):.2f}" if "timings" in year else "-"


def _checks(year: dict[str, Any]) -> str:
    if "validation" not in year:
        return "-"
    failed = sum(not verdict["passed"] and verdict["severity"] != "info" for verdict in year["validation"])
    passed = sum(verdict["passed"] for verdict in year["validation"])
    return f"{failed} of {len(year['validation'])} failed" if failed else f"{passed} passed"


def _short(fingerprint: object) -> str:
    """The beginning of a digest: of the fingerprint itself if it is one, else of its JSON text."""
    if isinstance(fingerprint, str):
        return fingerprint.rpartition(":")[2][:_SHORT]
    return hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()[:_SHORT]
