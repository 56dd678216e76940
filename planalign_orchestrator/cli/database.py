"""Commands that read a simulation's database: `checkpoint`, `status`, `report`. None of them changes it."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from planalign_orchestrator import api
from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    ForceOption,
    JsonOption,
    UnverifiedOption,
    VerboseOption,
    YearsOption,
    as_format,
    as_path,
    read_years,
)
from planalign_orchestrator.cli.output import end_with_failure, note, show, show_json, show_report, show_table

_SHORT = 7


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
    answer = _noted(api.status(api.locate(config, database), most_rows=None if verify else api.QUICKLY_VERIFIED_ROWS))
    if as_json:
        show_json(_answer_values(answer))
    else:
        _show_answer(answer)
    if answer.verification.has_failed:
        end_with_failure(answer.verification.line, "DamagedDatabaseError", 1)


def _show_answer(answer: api.DatabaseAnswer) -> None:
    if answer.runs:
        run = answer.runs[-1]
        show(
            f"{answer.database}: scenario {run['scenario_id']}, plan design {run['plan_design_id']}, seed"
            f" {run['random_seed']}, asked for {run['requested_start_year']}-{run['requested_end_year']},"
            f" planalign {run['planalign_version']}, DuckDB {run['duckdb_version']}\n"
        )
    headings = ("Year", "Finished (UTC)", "Engine", "Seconds", "Checks", "Run", "Settings", "Census", "Model")
    show_table(headings, [_status_cells(year) for year in answer.years], left=(0, 1, 2, 4, 5, 6, 7, 8))
    if answer.changes:
        show("\n" + "\n".join(f"From {year} on: {', '.join(texts)}." for year, texts in answer.changes.items()))
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
    places = api.locate(config, database)
    if clean:
        _clean(places, yes=yes, as_json=as_json)
        return
    answer = _noted(api.checkpoints(places, year=year))
    chosen = answer.years if list_all else answer.years[-1:]
    if as_json:
        show_json({"database": str(answer.database), "source": answer.source, "checkpoints": chosen})
    else:
        show("\n\n".join(_checkpoint_text(places.database, row) for row in chosen))


def report(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    years: YearsOption = None,
    rendering: Annotated[
        api.ReportFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="How to render; a file's ending says it too.",
            parser=as_format,
            metavar=f"[{'|'.join(api.FORMATS)}]",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=f"Write to this file: {', '.join(api.SUFFIXES)}.",
            show_default=False,
            parser=as_path,
            metavar="<path>",
        ),
    ] = None,
    force: ForceOption = False,
    template: Annotated[
        api.ReportTemplate | None,
        typer.Option("--template", help="How much to show, instead of the configured one.", show_default=False),
    ] = None,
    by: Annotated[
        api.ReportDimension | None,
        typer.Option(
            "--by", help="The figures of groups of people, too; in CSV instead of the years'.", show_default=False
        ),
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
    if as_json and rendering is not None and rendering.name != "json":
        raise typer.BadParameter(f"--json and --format {rendering.name} contradict each other")
    chosen = api.format_of(output, api.FORMATS["json"] if as_json else rendering)
    if chosen.shows_everything and template == "executive":
        raise typer.BadParameter(
            f"--template executive and {chosen.name.upper()} contradict each other: {chosen.name.upper()} always holds "
            "everything"
        )
    if not chosen.is_printable and output is None:
        raise typer.BadParameter(f"--format {chosen.name} needs a file: --output summary{chosen.suffixes[0]}")
    if schema:
        show_json(api.report_schema())
        return
    span = read_years(years)
    places = api.locate(config, database)
    wanted = range(span[0], span[1] + 1) if span else None
    found, census = api.report(places, wanted, template=template, by=by, unverified=unverified)
    if output is not None:
        api.check_report_file(places, census, chosen, output, force=force)
        api.write_report(found, chosen, output)
        note(f"Written: {output}")
    else:
        _show_report(found, chosen)
    if found.verification.has_failed and as_json:
        end_with_failure(found.verification.line, "DamagedDatabaseError", 1)
    note(found.verification.line)
    if found.verification.has_failed:
        raise typer.Exit(1)


def _show_report(found: api.Report, chosen: api.ReportFormat) -> None:
    """Print a report; one as text fits the terminal, and what it says of the verification is a note."""
    if chosen is api.PRINTED:
        show_report(found)
    elif chosen.document is not None:
        show_json(chosen.document(found))
    else:
        show(str(chosen.render(found)), end="", wrap=False)


def _noted(answer: api.DatabaseAnswer) -> api.DatabaseAnswer:
    """The answer, after saying why it does not come from the database."""
    if answer.note is not None:
        note(answer.note)
    return answer


def _answer_values(answer: api.DatabaseAnswer) -> dict[str, Any]:
    return {name: value for name, value in asdict(answer).items() if name != "note"}


def _clean(places: api.Places, *, yes: bool, as_json: bool) -> None:
    directory, name = places.checkpoints, places.database.name
    question = f"Remove the JSON copies of the checkpoints of {name} in {directory}? The database is not touched."
    if not yes and not typer.confirm(question, err=True):
        note("Nothing was removed.")
        raise typer.Exit(1)
    removed, kept = api.clean_checkpoints(places)
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
    from planalign_orchestrator.problems import verdict_word, verdicts_in_words

    return verdicts_in_words([verdict_word(rule["severity"], rule["passed"]) for rule in year["validation"]])


def _short(fingerprint: object) -> str:
    """The beginning of a digest: of the fingerprint itself if it is one, else of its JSON text."""
    if isinstance(fingerprint, str):
        return fingerprint.rpartition(":")[2][:_SHORT]
    return hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()[:_SHORT]
