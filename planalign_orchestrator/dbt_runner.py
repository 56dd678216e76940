"""The one module that touches dbt. It runs in a child process, so nothing else ever imports it or shares its state."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planalign_orchestrator.errors import PlanAlignError

_MODULE_CALL = (sys.executable, "-c", "from dbt.cli.main import cli; cli()")


class DbtError(PlanAlignError):
    """A dbt command failed; the message holds what dbt said."""


@dataclass(frozen=True)
class DbtResult:
    """What a dbt command did. `execution_time` is in seconds."""

    success: bool
    stdout: str
    stderr: str
    execution_time: float
    return_code: int
    command: tuple[str, ...]


class DbtRunner:
    """Runs dbt commands in a project folder, each as a child process.

    `executable` is the command to call; the default, `dbt`, is this interpreter's own dbt, so that the versions match.
    """

    def __init__(self, working_dir: str | Path = "dbt", threads: int = 4, executable: str = "dbt") -> None:
        self.working_dir = Path(working_dir)
        self.threads = threads
        self.executable = executable

    def command_line(
        self,
        args: Sequence[str],
        *,
        simulation_year: int | None = None,
        dbt_vars: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Return `dbt` and its arguments, as one would type them; the year and the variables become `--vars`."""
        variables = dict(dbt_vars or {})
        if simulation_year is not None:
            variables["simulation_year"] = simulation_year
        options = ["--vars", json.dumps(variables, sort_keys=True)] if variables else []
        return [self.executable, *args, *options]

    def execute_command(
        self,
        args: Sequence[str],
        *,
        description: str = "",
        simulation_year: int | None = None,
        dbt_vars: Mapping[str, Any] | None = None,
        stream_output: bool = False,
        on_line: Callable[[str], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> DbtResult:
        """Run one dbt command and return its result; a non-zero exit is a result, a missing executable an error.

        With `stream_output` each line goes to `on_line` as it appears. Errors: DbtError when dbt cannot be started.
        """
        command = self.command_line(args, simulation_year=simulation_year, dbt_vars=dbt_vars)
        call = [*_MODULE_CALL, *command[1:]] if self.executable == "dbt" else command
        started = time.perf_counter()
        lines: list[str] = []
        try:
            with subprocess.Popen(
                call,
                cwd=self.working_dir,
                env={**os.environ, **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    lines.append(line)
                    if stream_output and on_line is not None:
                        on_line(line.rstrip("\n"))
        except FileNotFoundError as error:
            what = f" to {description}" if description else ""
            raise DbtError(
                f"`{self.executable}` was not found, and dbt is needed{what}; install it or name its path"
            ) from error
        return DbtResult(
            success=process.returncode == 0,
            stdout="".join(lines),
            stderr="",
            execution_time=time.perf_counter() - started,
            return_code=process.returncode,
            command=tuple(command),
        )
