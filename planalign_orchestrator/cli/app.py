"""The program `planalign`: its commands, and what becomes of an error.

Commands import the library inside their bodies: help and usage errors answer without DuckDB, Pydantic or Rich.
"""

import gc
import logging
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from planalign_orchestrator.cli import census, database, migrate
from planalign_orchestrator.cli.compare import compare_runs
from planalign_orchestrator.cli.failures import Failure, failure_of, interruption
from planalign_orchestrator.cli.init import init
from planalign_orchestrator.cli.output import log_to_standard_error, tell_failure, write_notes_as
from planalign_orchestrator.cli.rollback import backup, restore
from planalign_orchestrator.cli.run import run
from planalign_orchestrator.cli.settings import show_config
from planalign_orchestrator.cli.validate import validate
from planalign_orchestrator.files.names import is_text
from planalign_orchestrator.signals import INTERRUPTED

_LOGGER = logging.getLogger(__name__)

app = typer.Typer(
    help="Project a workforce and its retirement plan year by year, event by event, from a census file.",
    epilog="Begin with: planalign init demo && cd demo && planalign run",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
config_app = typer.Typer(help="Show the configuration.", no_args_is_help=True, rich_markup_mode=None)
census_app = typer.Typer(help="Read, make and map census files.", no_args_is_help=True, rich_markup_mode=None)
migrate_app = typer.Typer(
    help="Translate what the legacy runner left behind.", no_args_is_help=True, rich_markup_mode=None
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and leave with its exit code.

    0 done, 1 failed, 2 usage or configuration, 3 validation stopped the run, 130 interrupted. An error is one message
    on standard error, with `--json` one JSON document; its stack trace appears with `-v` only.
    """
    # A command is over before reference cycles could fill the memory; looking for them would cost each start-up.
    gc.set_threshold(100_000)
    words = list(sys.argv[1:] if arguments is None else arguments)
    write_notes_as(as_json="--json" in words)
    log_to_standard_error(logging.WARNING)
    odd = next((word for word in words if not is_text(word)), None)
    if odd is not None:
        _leave(Failure(f"{odd!r} is not valid UTF-8, which no option or name may be; rename the file", "UsageError", 2))
    try:
        code = app(args=words, prog_name="planalign", standalone_mode=False)
    except Exception as error:
        _LOGGER.debug("stack trace", exc_info=True)
        _leave(failure_of(error))
    if code == INTERRUPTED:
        _leave(interruption())
    sys.exit(code or 0)


def _leave(failure: Failure) -> NoReturn:
    tell_failure(failure.text, failure.document)
    sys.exit(failure.exit_code)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"planalign {version('planalign-orchestrator')}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself; its help text is that of `app`."""


app.command(epilog="Example: planalign run --years 2025-2027 --set workforce.total_termination_rate=0.10")(run)
app.command(epilog="Example: planalign validate -c config/simulation_config.yaml")(validate)
app.command(epilog="Example: planalign checkpoint --list")(database.checkpoint)
app.command(epilog="Example: planalign status --database simulation.duckdb")(database.status)
app.command(epilog="Example: planalign report --format csv --output summary.csv")(database.report)
app.command(epilog="Example: planalign backup --to before_the_change.duckdb")(backup)
app.command(epilog="Example: planalign restore --database simulation.duckdb")(restore)
app.command("compare-runs", epilog="Example: planalign compare-runs simulation.duckdb simulation_backup.duckdb")(
    compare_runs
)
app.command(epilog="Example: planalign init demo && cd demo && planalign run")(init)
app.add_typer(config_app, name="config")
app.add_typer(census_app, name="census")
app.add_typer(migrate_app, name="migrate")
config_app.command("show", epilog="Example: planalign config show --set simulation.random_seed=7")(show_config)
census_app.command(epilog="Example: planalign census check data/census.csv")(census.check)
census_app.command(epilog="Example: planalign census generate -o census.csv --size 1000 --seed 7")(census.generate)
census_app.command(epilog="Example: planalign census profile data/census.csv")(census.profile)
census_app.command("map", epilog="Example: planalign census map client.xlsx")(census.suggest)
migrate_app.command(epilog="Example: planalign migrate config old.yaml -o config/simulation_config.yaml")(
    migrate.config
)
migrate_app.command(epilog="Example: planalign migrate checkpoints")(migrate.checkpoints)
