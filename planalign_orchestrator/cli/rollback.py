"""`planalign backup` and `planalign restore`: keep a copy of a database, and put it back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign_orchestrator.cli.database import locate
from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    JsonOption,
    VerboseOption,
)
from planalign_orchestrator.cli.output import note, show, show_json

if TYPE_CHECKING:
    from planalign_orchestrator.checkpoints import DatabaseStatus


def backup(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write the copy here, not beside the database.", show_default=False)
    ] = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Copy a database to simulation_backup.duckdb beside it.

    The backup before is replaced in one step, when the new one is whole.
    """
    places = locate(config, database)
    from planalign_orchestrator.backup import back_up

    target, status = back_up(places.database, to)
    if as_json:
        show_json({"database": str(places.database), "backup": str(target), **_contents(status)})
    else:
        show(f"{target} holds a copy of {places.database}: {_described(status)}.")


def restore(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Put a copy of this file back; it stays where it is.", show_default=False),
    ] = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put the backup back; the present database takes its place.

    Restoring twice therefore returns to where one was. The year files beside the database follow.
    """
    places = locate(config, database)
    from planalign_orchestrator.backup import restore as put_back

    done = put_back(places.database, source, reports=places.reports, copies=places.checkpoints)
    for text in done.notes:
        note(f"Note: {text}")
    if as_json:
        document = {"database": str(done.database), "backup": done.backup and str(done.backup)}
        replaced = None if done.replaced is None else _contents(done.replaced)
        reports = [str(path) for path in done.reports]
        show_json({**document, **_contents(done.status), "replaced": replaced, "reports": reports})
        return
    show(f"{done.database} is restored: {_described(done.status)}.")
    if done.replaced is not None:
        show(f"What it held is now {done.backup}: {_described(done.replaced)}.")
    elif done.backup is None:
        show("It held no finished year, so there is no backup now.")
    else:
        show(f"It held no finished year; {done.backup} is the backup.")


def _described(status: "DatabaseStatus") -> str:
    run = status.runs[-1]
    return f"scenario {run['scenario_id']}, {status.years[0]}-{status.years[-1]}, run {run['run_id'][:7]}"


def _contents(status: "DatabaseStatus") -> dict[str, object]:
    run = status.runs[-1]
    return {"scenario_id": run["scenario_id"], "run_id": run["run_id"], "years": status.years}
