"""Runs dbt commands: builds the command line, streams what dbt says, tries again what may work a moment later."""

import importlib.util
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from planalign_orchestrator.dbt_runner.children import Outcome, WarmChild, find_executable, run_once
from planalign_orchestrator.dbt_runner.results import DbtLockError, DbtResult

_LOGGER = logging.getLogger(__name__)

# Seconds before the second attempt; later ones wait up to twice as long each time, with jitter.
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0


class DbtRunner:
    """Runs dbt commands in a project folder, in a child process. The caller has closed the database before.

    `executable` is the command to call; `dbt` is the one installed beside this interpreter, else on PATH. With `warm`
    one child imports dbt and parses the project once and then serves every command, until `close`. `database` is the
    file that the shipped profile attaches, `artifacts` the folder for what dbt writes beside it. `timeout` (seconds) is
    for each attempt of a command. A locked database is tried `attempts` times, with exponential backoff and jitter.
    """

    def __init__(
        self,
        working_dir: str | Path = "dbt",
        threads: int = 4,
        executable: str = "dbt",
        *,
        database: Path | None = None,
        artifacts: Path | None = None,
        warm: bool = False,
        timeout: float | None = None,
        attempts: int = 3,
    ) -> None:
        self.working_dir = Path(working_dir)
        self.threads = threads
        self.executable = executable
        self.timeout = timeout
        self.attempts = attempts
        self.database = database
        self.artifacts = None if artifacts is None else artifacts.absolute()
        self._environment = {} if database is None else {"PLANALIGN_DATABASE": str(database.absolute())}
        self._warm = WarmChild(self.working_dir, self._environment) if warm else None

    def __enter__(self) -> "DbtRunner":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_installed(self) -> bool:
        """Whether the dbt that the warm child would import is there; of another executable, whether it is called."""
        return self._warm is None or importlib.util.find_spec("dbt") is not None

    @property
    def process_id(self) -> int | None:
        """The warm child's process id; None while there is none."""
        return None if self._warm is None else self._warm.process_id

    def close(self) -> None:
        """End the warm child, if there is one."""
        if self._warm is not None:
            self._warm.close()

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
        timeout: float | None = None,
    ) -> DbtResult:
        """Run one dbt command and return its result, whose `error` says what kind of failure it was.

        Each line that dbt says goes to `on_line` as it appears, or with `stream_output` to the log. Errors:
        DbtExecutableError without dbt, DbtTimeoutError; an interrupt stops the child first.
        """
        command = self.command_line(args, simulation_year=simulation_year, dbt_vars=dbt_vars)
        level = logging.INFO if stream_output else logging.DEBUG
        tell = on_line or (lambda line: _LOGGER.log(level, "%s", line))
        if description:
            _LOGGER.debug("dbt is to %s", description)
        started = time.perf_counter()

        def once() -> DbtResult:
            outcome = self._run(command[1:], tell, self.timeout if timeout is None else timeout)
            return DbtResult(
                success=outcome.return_code == 0,
                stdout=outcome.stdout,
                stderr=outcome.stderr,
                execution_time=time.perf_counter() - started,
                return_code=outcome.return_code,
                command=tuple(command),
            )

        return once() if self.attempts == 1 else _with_patience(once, self.attempts)

    def run_model(
        self,
        name: str,
        *,
        simulation_year: int | None = None,
        dbt_vars: Mapping[str, Any] | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> DbtResult:
        """Run one model and return the result."""
        return self.run_models([name], simulation_year=simulation_year, dbt_vars=dbt_vars, on_line=on_line)[0]

    def run_models(
        self,
        names: Sequence[str],
        parallel: bool = False,
        *,
        simulation_year: int | None = None,
        dbt_vars: Mapping[str, Any] | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> list[DbtResult]:
        """Run models and return the results: one of each, in the order of `names`, up to the first failure.

        With `parallel` it is the one result of one dbt call with several threads, which keeps the order of the
        references; two dbt processes cannot share the database.
        """
        batches = [list(names)] if parallel else [[name] for name in names]
        threads = self.threads if parallel else 1
        results: list[DbtResult] = []
        for batch in batches:
            result = self.execute_command(
                ["run", "--select", *batch, "--threads", str(threads)],
                description=f"run {', '.join(batch)}",
                simulation_year=simulation_year,
                dbt_vars=dbt_vars,
                on_line=on_line,
            )
            results.append(result)
            if not result.success:
                break
        return results

    def _run(self, arguments: Sequence[str], tell: Callable[[str], None], timeout: float | None) -> Outcome:
        options = ["--no-use-colors", "--profiles-dir", str(self.working_dir.absolute())]
        if self.artifacts is not None:
            options += ["--target-path", str(self.artifacts / "target"), "--log-path", str(self.artifacts / "logs")]
        full = [*arguments, *options]
        if self._warm is not None:
            return self._warm.run(full, on_line=tell, timeout=timeout)
        return run_once(
            [find_executable(self.executable), *full],
            folder=self.working_dir,
            environment=self._environment,
            on_line=tell,
            timeout=timeout,
        )


def _with_patience(once: Callable[[], DbtResult], attempts: int) -> DbtResult:
    """Call until the database is not locked, at most `attempts` times; return the last result."""
    import tenacity

    def tell(state: tenacity.RetryCallState) -> None:
        _LOGGER.warning("the database is locked; attempt %d of %d failed", state.attempt_number, attempts)

    def last(state: tenacity.RetryCallState) -> DbtResult:
        assert state.outcome is not None
        result: DbtResult = state.outcome.result()
        return result

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_exponential_jitter(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT, jitter=_FIRST_WAIT),
        retry=tenacity.retry_if_result(lambda result: isinstance(result.error, DbtLockError)),
        before_sleep=tell,
        retry_error_callback=last,
    )
    return retrying(once)
