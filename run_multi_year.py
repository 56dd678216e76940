"""The legacy entry point, kept for scripts that call it: `planalign run` under its old name.

Run it from the folder of the project. It takes the options below and says which command takes its place.
"""

import argparse
import shlex
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.dbt_runner import DbtResult, DbtRunner

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig


class LegacyDbtResult(DbtResult):
    """A result that is true if the command succeeded: the legacy function returned nothing more."""

    def __bool__(self) -> bool:
        return self.success


def run_dbt_command(
    command: Sequence[str] | str,
    description: str = "",
    simulation_year: int | None = None,
    dbt_vars: Mapping[str, Any] | None = None,
    *,
    working_dir: str | Path | None = None,
    threads: int = 4,
    executable: str = "dbt",
    **options: Any,
) -> LegacyDbtResult:
    """Return the result of a dbt command, as arguments or as one text, with or without the leading `dbt`.

    Deprecated: it is `DbtRunner.execute_command`, which takes the `options`. The default folder is the project's own.
    Errors: DbtError when dbt cannot be started.
    """
    _deprecate("run_dbt_command", "planalign_orchestrator.dbt_runner.DbtRunner.execute_command")
    from planalign_orchestrator.project import dbt_project

    arguments = shlex.split(command) if isinstance(command, str) else list(command)
    if arguments[:1] == ["dbt"]:
        del arguments[0]
    runner = DbtRunner(dbt_project() if working_dir is None else working_dir, threads, executable)
    result = runner.execute_command(
        arguments, description=description, simulation_year=simulation_year, dbt_vars=dbt_vars, **options
    )
    return LegacyDbtResult(**asdict(result))


def extract_dbt_vars_from_config(
    full_config: "SimulationConfig | Mapping[str, Any] | str | Path",
) -> dict[str, Any]:
    """Return the dbt variables of a configuration: a loaded one, its file, or nested mappings with today's keys.

    Deprecated: it is `planalign_orchestrator.config.to_dbt_vars`. Errors: ConfigurationError with every problem.
    """
    _deprecate("extract_dbt_vars_from_config", "planalign_orchestrator.config.to_dbt_vars")
    from planalign_orchestrator.config import config_from_mapping, load_simulation_config, to_dbt_vars

    if isinstance(full_config, (str, Path)):
        return to_dbt_vars(load_simulation_config(full_config))
    if isinstance(full_config, Mapping):
        # The legacy loader returned the file's contents under `config`. No variable depends on the census.
        values = full_config.get("config", full_config)
        return to_dbt_vars(config_from_mapping({"census": {"path": "unknown"}, **values}))
    return to_dbt_vars(full_config)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the new program with the options of the legacy one and leave with its exit code."""
    from planalign_orchestrator.cli import main as planalign

    command = ["run", *_translated(arguments)]
    sys.stderr.write(f"run_multi_year.py is deprecated; use: planalign {shlex.join(command)}\n")
    planalign(command)


def _translated(arguments: Sequence[str] | None) -> list[str]:
    """The options of `planalign run`."""
    parser = argparse.ArgumentParser(
        prog="run_multi_year.py", description="Deprecated: the same as `planalign run`, which has more options."
    )
    parser.add_argument("-c", "--config", default="config/simulation_config.yaml", help="configuration file")
    parser.add_argument("--start-year", help="first year")
    parser.add_argument("--end-year", help="last year")
    parser.add_argument("--years", metavar="FIRST-LAST", help="years, such as 2025-2027")
    parser.add_argument("--resume", action="store_true", help="go on after the last finished year")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, with the dbt commands; run nothing"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show details")
    given = parser.parse_args(arguments)
    options = ["--config", given.config]
    for name, value in (("--start-year", given.start_year), ("--end-year", given.end_year), ("--years", given.years)):
        options += [] if value is None else [name, value]
    switches = {"--resume": given.resume, "--dry-run": given.dry_run, "--verbose": given.verbose or given.dry_run}
    return options + [name for name, wanted in switches.items() if wanted]


def _deprecate(name: str, successor: str) -> None:
    warnings.warn(f"{name} is deprecated; use {successor}", DeprecationWarning, stacklevel=3)


if __name__ == "__main__":
    main()
