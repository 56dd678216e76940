"""`planalign run`: simulate, show the progress, and end with the table and the paths of what was written."""

from typing import TYPE_CHECKING, Annotated

import typer

from planalign_orchestrator import api
from planalign_orchestrator.cli.failures import CommandInterruptedError
from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    JsonOption,
    Override,
    SetOption,
    VerboseOption,
    YearsOption,
    load_config,
    read_settings,
    read_years,
)
from planalign_orchestrator.cli.output import note, show, show_json, show_summary

if TYPE_CHECKING:
    from planalign_orchestrator.api.types import SimulationConfig


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    years: YearsOption = None,
    start_year: Annotated[int | None, typer.Option("--start-year", help="First year.", show_default=False)] = None,
    end_year: Annotated[int | None, typer.Option("--end-year", help="Last year.", show_default=False)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last finished year.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would be read and written; with -v also the dbt command of every stage."
        ),
    ] = False,
    engine: Annotated[
        str | None, typer.Option("--engine", metavar="native|dbt", help="How the models are executed.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads of the database.", show_default=False)
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of every random draw.", show_default=False)] = None,
    settings: SetOption = None,
    fail_on_validation_error: Annotated[
        bool, typer.Option("--fail-on-validation-error", help="Stop at an implausible result (exit code 3).")
    ] = False,
    verbose: VerboseOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no notes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate the configured years and report on them.

    Every finished year is kept: after an interruption, the same command with --resume goes on. An existing database
    becomes the backup beside it. Options go before environment variables, these before the configuration file.
    """
    if verbose and quiet:
        raise typer.BadParameter("--verbose and --quiet contradict each other")
    span = read_years(years)
    loaded = load_config(
        config,
        [
            *read_settings(settings),
            Override("--years", "simulation.start_year", span and span[0]),
            Override("--years", "simulation.end_year", span and span[1]),
            Override("--start-year", "simulation.start_year", start_year),
            Override("--end-year", "simulation.end_year", end_year),
            Override("--seed", "simulation.random_seed", seed),
            Override("--database", "runtime.database", database and str(database)),
            Override("--engine", "runtime.engine", engine),
            Override("--threads", "runtime.threads", threads),
            Override(
                "--fail-on-validation-error", "validation.fail_on_validation_error", fail_on_validation_error or None
            ),
        ],
    )
    if dry_run:
        from planalign_orchestrator.cli.dry_run import foreseen_lines

        foreseen = api.dry_run(config, loaded, resume=resume)
        if as_json:
            show_json(foreseen.to_dict())
        else:
            show("\n".join(foreseen_lines(foreseen, with_commands=verbose)), wrap=not verbose)
    else:
        _simulate(loaded, resume=resume, verbose=verbose, quiet=quiet, as_json=as_json)


def _simulate(config: "SimulationConfig", *, resume: bool, verbose: bool, quiet: bool, as_json: bool) -> None:
    from planalign_orchestrator.cli.progress import YearClock, display

    clock = YearClock(config.simulation.end_year)
    try:
        with display(clock, quiet=quiet, verbose=verbose, as_json=as_json) as on_progress:
            done = api.run(config, resume=resume, on_progress=on_progress)
    except KeyboardInterrupt:
        raise CommandInterruptedError(_after_interrupt(clock.committed)) from None
    if as_json:
        show_json(done.to_dict())
        return
    if not quiet:
        for text in done.artifacts.notes:
            note(f"Note: {text}")
    show_summary(done.summary, config.reports.template)
    show("\n" + "\n".join(_written(done)))
    if failed := done.failed_error_rules:
        show("\n" + _about_failed(failed, strict=config.validation.fail_on_validation_error))


def _about_failed(failed: dict[int, list[str]], *, strict: bool) -> str:
    """The last line of a run that succeeds although its results are in doubt."""
    count = sum(map(len, failed.values()))
    subject = "1 validation rule" if count == 1 else f"{count} validation rules"
    rules = "; ".join(f"{year}: {', '.join(names)}" for year, names in failed.items())
    if strict:
        return f"{subject} of severity error failed in years that an earlier run kept ({rules})."
    return f"{subject} of severity error failed ({rules}); --fail-on-validation-error would have stopped the run."


def _written(done: api.RunResult) -> list[str]:
    artifacts = done.artifacts
    lines = [f"Database  {artifacts.database}"]
    if artifacts.backup is not None:
        lines.append(f"Backup    {artifacts.backup}")
    lines += [f"{'Reports' if at == 0 else '':<9} {path}" for at, path in enumerate(artifacts.reports)]
    return lines


def _after_interrupt(committed: list[int]) -> str:
    if not committed:
        return "Interrupted: this run finished no year."
    years = ", ".join(map(str, committed))
    return f"Interrupted: the finished years are kept ({years}); the same command with --resume goes on after them."
