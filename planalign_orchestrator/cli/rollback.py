"""`planalign backup` and `planalign restore`: keep a copy of a database, and put it back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign_orchestrator import api
from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    JsonOption,
    VerboseOption,
    as_path,
)
from planalign_orchestrator.cli.output import note, show, show_json, show_table

if TYPE_CHECKING:
    from planalign_orchestrator.api.types import BackupFile, DatabaseStatus

_SHORT = 7


def backup(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            help="Write the copy here, not beside the database.",
            show_default=False,
            parser=as_path,
            metavar="<path>",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that holds something else.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="Show the backups of the database; copy nothing.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Copy a database to simulation.DATE-RUN.duckdb beside it.

    DATE is the day on which its last run began, RUN the beginning of that run's id. No later run touches the copy;
    simulation_backup.duckdb is the automatic one, which the next run replaces.
    """
    if list_all and (to is not None or force):
        raise typer.BadParameter("--list only shows; leave --to and --force out")
    places = api.locate(config, database)
    if list_all:
        _show_list(places.database, api.list_backups(places), as_json=as_json)
        return
    done = api.backup(places, to, force=force)
    if as_json:
        described = {"database": str(places.database), "backup": str(done.backup), **_contents(done.status)}
        show_json({**described, "verification": done.verification.to_dict()})
    else:
        show(f"{done.backup} holds a copy of {places.database}: {_described(done.status)}.\n{done.verification.line}")


def restore(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Put a copy of this backup back: a file, or a name or run of `backup --list`. It stays where it is.",
            show_default=False,
            parser=as_path,
            metavar="<path>",
        ),
    ] = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put the backup back; the present database takes its place.

    Restoring twice therefore returns to where one was; with --from, the second time changes nothing. The year files
    beside the database follow.
    """
    places = api.locate(config, database)
    done = api.restore(places, source)
    for text in done.notes:
        note(f"Note: {text}")
    if as_json:
        document = {"database": str(done.database), "backup": done.backup and str(done.backup)}
        replaced = None if done.replaced is None else _contents(done.replaced)
        rest = {"changed": done.changed, "verification": done.verification.to_dict()}
        reports = [str(path) for path in done.reports]
        show_json({**document, **_contents(done.status), "replaced": replaced, "reports": reports, **rest})
        return
    if not done.changed:
        show(f"{done.database} holds that run already: {_described(done.status)}. Nothing was changed.")
        return
    show(f"{done.database} is restored: {_described(done.status)}.")
    if done.replaced is not None:
        show(f"What it held is now {done.backup}: {_described(done.replaced)}.")
    elif done.backup is None:
        show("It held no finished year, so there is no backup now.")
    else:
        show(f"It held no finished year; {done.backup} is the backup.")
    show(done.verification.line)


def _show_list(database: Path, found: "list[BackupFile]", *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "database": str(database),
                "backups": [
                    {
                        "backup": str(item.path),
                        "kind": item.kind,
                        "problem": item.problem,
                        **({} if item.status is None or not item.status.runs else _contents(item.status)),
                    }
                    for item in found
                ],
            }
        )
        return
    if not found:
        show(f"There is no backup of {database}; `planalign backup` makes one.")
        return
    rows = [(item.path.name, item.kind, *_cells(item)) for item in found]
    show_table(("Backup", "Kind", "Years", "Run", "Begun (UTC)", "Scenario"), rows, left=range(6))
    for item in found:
        if item.problem is not None:
            show(f"\n{item.problem}")


def _cells(item: "BackupFile") -> tuple[str, ...]:
    if item.status is None or not item.status.runs:
        return ("unreadable" if item.problem else "none", "-", "-", "-")
    run, years = item.status.runs[-1], item.status.years
    span = f"{years[0]}-{years[-1]}" if years else "none"
    return (span, run["run_id"][:_SHORT], f"{run['started_at']:%Y-%m-%d %H:%M}", run["scenario_id"])


def _described(status: "DatabaseStatus") -> str:
    run = status.runs[-1]
    return f"scenario {run['scenario_id']}, {status.years[0]}-{status.years[-1]}, run {run['run_id'][:_SHORT]}"


def _contents(status: "DatabaseStatus") -> dict[str, object]:
    run = status.runs[-1]
    return {"scenario_id": run["scenario_id"], "run_id": run["run_id"], "years": status.years}
