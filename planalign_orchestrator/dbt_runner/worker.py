"""The program of the warm child: imports dbt and parses the project once, then serves one command after another.

A request is a line of JSON on standard input, a list of arguments. What dbt says goes to standard output line by line;
after it comes one line that begins with END and holds the exit code. Standard error goes there too, because only what
comes before that line belongs to the command. The end of standard input ends the child. When its parent was killed,
the child stops in the middle of a command, too: otherwise it would hold the database that nobody uses any more. The
database is released after every command.
"""

import itertools
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from planalign_orchestrator.dbt_runner.children import END
from planalign_orchestrator.system import kill_own_group

# how long a command may take to stop after an interrupt
_SECONDS_TO_STOP = 10.0
_SUCCEEDED, _FAILED, _HAD_AN_EXCEPTION = 0, 1, 2
# Options of dbt itself that come with a value; the project is parsed with those of the first command.
_OF_THE_PROJECT = ("--vars", "--target-path", "--log-path", "--profiles-dir", "--target")


def serve() -> None:
    """Serve commands until standard input ends."""
    from dbt.cli.main import dbtRunner

    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
    manifest: Any = None
    requests: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(requests, os.getppid()), daemon=True).start()
    while (line := requests.get()) is not None:
        arguments: list[str] = json.loads(line)
        if manifest is None:
            parsed = dbtRunner().invoke(["--quiet", "parse", "--no-partial-parse", *_of_the_project(arguments)])
            if not parsed.success:
                _answer(parsed)
                continue
            manifest = parsed.result
        _answer(dbtRunner(manifest=manifest).invoke(arguments))


def _read_requests(requests: "queue.SimpleQueue[str | None]", parent: int) -> None:
    """Queue the requests and, as the last, None; end this process and its children if the parent was killed.

    A parent that is alive stops this process in its own way.
    """
    for line in sys.stdin:
        requests.put(line)
    requests.put(None)
    if os.getppid() == parent:
        return
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_SECONDS_TO_STOP)
    # The parent gave it a group of its own; started by hand it may be in that of a shell.
    kill_own_group(_FAILED)


def _of_the_project(arguments: Sequence[str]) -> list[str]:
    """The options of a command that decide how the project is parsed."""
    pairs = itertools.pairwise(arguments)
    return [part for option, value in pairs if option in _OF_THE_PROJECT for part in (option, value)]


def _answer(outcome: Any) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if outcome.exception is not None:
        sys.stdout.write(f"{type(outcome.exception).__name__}: {outcome.exception}\n")
    close: Callable[[], None] = DuckDBConnectionManager.close_all_connections
    close()
    code = _SUCCEEDED if outcome.success else _FAILED if outcome.exception is None else _HAD_AN_EXCEPTION
    sys.stdout.write(f"{END}{code}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
