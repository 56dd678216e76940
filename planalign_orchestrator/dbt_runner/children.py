"""The child processes in which dbt runs: one for each command, or a warm one that serves many."""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from planalign_orchestrator.dbt_runner.results import DbtExecutableError, DbtTimeoutError
from planalign_orchestrator.system import interrupt_group, kill_group

OnLine = Callable[[str], None]

# What the line begins with that ends a warm child's answer.
END = "\x1e"

_SECONDS_TO_STOP = 10.0


@dataclass(frozen=True)
class Outcome:
    """What a child said and how it ended; a negative code is the signal that killed it."""

    stdout: str
    stderr: str
    return_code: int


def find_executable(name: str) -> str:
    """Return the path of the dbt to call; `dbt` is first looked for beside this interpreter, then on PATH.

    Errors: DbtExecutableError.
    """
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    path = shutil.which(name, path=beside)
    if path is None:
        raise DbtExecutableError(
            f"`{name}` was not found beside {sys.executable} or on PATH; install planalign-orchestrator[dbt], name "
            "another executable, or use the engine `native`, which needs no dbt"
        )
    return path


def run_once(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], on_line: OnLine, timeout: float | None
) -> Outcome:
    """Run one command to its end. Errors: DbtTimeoutError; an interrupt stops the child and goes on its way."""
    with _Child(command, folder, environment) as child:
        said = "".join(child.lines(on_line, timeout))
        code = child.wait()
    return Outcome(said, child.errors(), code)


class WarmChild:
    """A child that has imported dbt and parsed the project; started on first use and again after it was stopped."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._child: _Child | None = None

    @property
    def process_id(self) -> int | None:
        """The child's process id; None while there is none."""
        return None if self._child is None else self._child.process.pid

    def run(self, arguments: Sequence[str], *, on_line: OnLine, timeout: float | None) -> Outcome:
        """Have one command served. Errors and interrupts as `run_once`; the child then is gone."""
        if self._child is None:
            program = (sys.executable, "-m", "planalign_orchestrator.dbt_runner.worker")
            self._child = _Child(program, self._folder, self._environment)
        child = self._child
        lines: list[str] = []
        try:
            child.send(json.dumps(list(arguments)))
            for line in child.lines(on_line, timeout):
                if line.startswith(END):
                    return Outcome("".join(lines), "", int(line[len(END) :]))
                lines.append(line)
            code = child.wait() or 1
            self.close()
            return Outcome("".join(lines), child.errors(), code)
        except BaseException:
            self.close()
            raise
        finally:
            if child.process.poll() is not None:
                self.close()

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.stop()
            self._child = None


class _Child:
    """A process with pipes; its two outputs are read by threads, so that neither can block the other."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        try:
            # a session of its own: Ctrl-C reaches this process only, which then stops the child in an orderly way
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise DbtExecutableError(f"`{command[0]}` was not found ({error.strerror}: {error.filename})") from error
        except PermissionError as error:
            raise DbtExecutableError(f"`{command[0]}` may not be executed; name another dbt") from error
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._errors: list[str] = []
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_output, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._errors.extend, args=(self.process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def send(self, line: str) -> None:
        """Write a line to the child; one that has ended takes none, which its missing answer will tell."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()

    def lines(self, on_line: OnLine, timeout: float | None) -> Iterator[str]:
        """Yield what the child says, line by line, until it closes its output. Errors: DbtTimeoutError."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                self.stop()
                raise DbtTimeoutError(f"dbt was stopped: it took longer than {timeout:g} s") from None
            if line is None:
                return
            if not line.startswith(END):
                on_line(line.rstrip("\n"))
            yield line

    def wait(self) -> int:
        """Return the exit code of a child that has closed its output."""
        return self.process.wait()

    def errors(self) -> str:
        """Return what the child has written to its standard error; it is complete once the child was stopped."""
        return "".join(self._errors)

    def stop(self) -> None:
        """End the process: by the end of its input, then an interrupt, then by force; none of its children remains."""
        if self.process.poll() is None:
            assert self.process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self._signal(interrupt_group)
            try:
                self.process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self._signal(kill_group)
                self.process.wait()
        # processes that it started and left behind could hold the database
        self._signal(kill_group)
        for reader in self._readers:
            reader.join(_SECONDS_TO_STOP)

    def _signal(self, send: Callable[[int], None]) -> None:
        with contextlib.suppress(ProcessLookupError):
            send(self.process.pid)

    def _read_output(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._lines.put(line)
        self._lines.put(None)
