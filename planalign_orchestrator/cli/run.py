"""`planalign run`: simulate, show the progress, and end with the table and the paths of what was written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.pipeline import RunArtifacts
    from planalign_orchestrator.reports import MultiYearSummary


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
        from planalign_orchestrator.api.dry_run import foresee

        foreseen = foresee(config, loaded, resume=resume)
        if as_json:
            show_json(foreseen.to_dict())
        else:
            show("\n".join(foreseen.lines(with_commands=verbose)), wrap=not verbose)
    else:
        _simulate(loaded, resume=resume, verbose=verbose, quiet=quiet, as_json=as_json)


def _simulate(config: "SimulationConfig", *, resume: bool, verbose: bool, quiet: bool, as_json: bool) -> None:
    from planalign_orchestrator.cli.progress import YearClock, display
    from planalign_orchestrator.factory import build_orchestrator

    clock = YearClock(config.simulation.end_year)
    try:
        with display(clock, quiet=quiet, verbose=verbose, as_json=as_json) as on_progress:
            orchestrator = build_orchestrator(config, on_progress=on_progress)
            summary = orchestrator.execute_multi_year_simulation(resume_from_checkpoint=resume)
    except KeyboardInterrupt:
        raise CommandInterruptedError(_after_interrupt(clock.committed)) from None
    artifacts = orchestrator.artifacts
    failed = _failed_error_rules(summary)
    if as_json:
        failures = {str(year): rules for year, rules in failed.items()}
        written = _artifact_values(artifacts)
        show_json({"summary": summary.to_dict(), "artifacts": written, "failed_error_rules": failures})
        return
    if not quiet:
        for text in artifacts.notes:
            note(f"Note: {text}")
    show_summary(summary, config.reports.template)
    show("\n" + "\n".join(_written(artifacts)))
    if failed:
        show("\n" + _about_failed(failed, strict=config.validation.fail_on_validation_error))


def _failed_error_rules(summary: "MultiYearSummary") -> dict[int, list[str]]:
    """The rules of severity error that failed, by year: they are kept unless told otherwise."""
    failed = {
        year: [verdict.rule for verdict in verdicts if not verdict.passed and verdict.severity == "error"]
        for year, verdicts in summary.validation.items()
    }
    return {year: rules for year, rules in failed.items() if rules}


def _about_failed(failed: "dict[int, list[str]]", *, strict: bool) -> str:
    """The last line of a run that succeeds although its results are in doubt."""
    count = sum(map(len, failed.values()))
    subject = "1 validation rule" if count == 1 else f"{count} validation rules"
    rules = "; ".join(f"{year}: {', '.join(names)}" for year, names in failed.items())
    if strict:
        return f"{subject} of severity error failed in years that an earlier run kept ({rules})."
    return f"{subject} of severity error failed ({rules}); --fail-on-validation-error would have stopped the run."


def _written(artifacts: "RunArtifacts") -> list[str]:
    lines = [f"Database  {artifacts.database}"]
    if artifacts.backup is not None:
        lines.append(f"Backup    {artifacts.backup}")
    lines += [f"{'Reports' if at == 0 else '':<9} {path}" for at, path in enumerate(artifacts.reports)]
    return lines


def _artifact_values(artifacts: "RunArtifacts") -> dict[str, Any]:
    def text(path: Path | None) -> str | None:
        return None if path is None else str(path)

    return {
        "database": str(artifacts.database),
        "backup": text(artifacts.backup),
        "reports": [str(path) for path in artifacts.reports],
        "checkpoints": [str(path) for path in artifacts.checkpoints],
        "run_vars": text(artifacts.run_vars),
        "notes": list(artifacts.notes),
    }


def _after_interrupt(committed: list[int]) -> str:
    if not committed:
        return "Interrupted: this run finished no year."
    years = ", ".join(map(str, committed))
    return f"Interrupted: the finished years are kept ({years}); the same command with --resume goes on after them."
