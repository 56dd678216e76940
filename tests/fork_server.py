"""Runs commands of the program in processes of their own without loading it each time: each is a fork of one that did.

`run` has a server of the test's process carry a command out. The server has imported every module, holds no database
and has one thread, which it checks before each fork: a fork would inherit the locks of other threads, but not the
threads that release them. What concerns how the program starts or is killed does not go through here: tests of crashes,
signals and imports start Python.
"""

import atexit
import importlib
import os
import pickle
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# seconds, after which SIGALRM kills a command
TIMEOUT = 120
STARTED = "tests.fork_server.run"


@dataclass(frozen=True)
class Command:
    """Arguments of `planalign`, its working directory and its environment."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


def run(command: Command) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, with nothing on its standard input."""
    # for who counts the processes of a test, because it is another process that forks
    sys.audit(STARTED)
    reading, writing = zip(os.pipe(), os.pipe(), strict=True)
    with (
        os.fdopen(reading[0], encoding="utf-8") as output,
        os.fdopen(reading[1], encoding="utf-8") as errors,
        ThreadPoolExecutor(1) as reader,
    ):
        server = _server()
        server.begin(command, writing)
        said = reader.submit(errors.read)
        answer = output.read()
        return subprocess.CompletedProcess(command.arguments, server.end(), answer, said.result())


class _Server:
    """The client's end of a server of its own."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(other.fileno())],
                cwd=Path(__file__).parent.parent,
                pass_fds=[other.fileno()],
            )
        self._stream = self._socket.makefile("rwb")

    def begin(self, command: Command, outputs: tuple[int, ...]) -> None:
        """Start a command that writes to these descriptors, which are closed here."""
        socket.send_fds(self._socket, [b"\0"], outputs)
        for descriptor in outputs:
            os.close(descriptor)
        pickle.dump(command, self._stream)
        self._stream.flush()

    def end(self) -> int:
        """Return the exit code of the command, negative when a signal ended it."""
        code = pickle.load(self._stream)
        assert isinstance(code, int)
        return code

    def close(self) -> None:
        """End the server."""
        self._stream.close()
        self._socket.close()
        self._process.wait()


@cache
def _server() -> _Server:
    server = _Server()
    atexit.register(server.close)
    return server


def _serve(connection: socket.socket) -> None:
    """Carry out commands, one after the other, until the client has gone."""
    stream = connection.makefile("rwb")
    while True:
        _, outputs, _, _ = socket.recv_fds(connection, 1, 2)
        if not outputs:
            return
        command = pickle.load(stream)
        _check_one_thread()
        child = os.fork()
        if child == 0:
            connection.close()
            _become(command, outputs)
        for descriptor in outputs:
            os.close(descriptor)
        _, status = os.waitpid(child, 0)
        pickle.dump(os.waitstatus_to_exitcode(status), stream)
        stream.flush()


def _check_one_thread() -> None:
    threads = Path("/proc/self/status")
    assert threading.active_count() == 1
    # threads that a library started without Python's knowledge
    assert not threads.exists() or "\nThreads:\t1\n" in threads.read_text(encoding="ascii")


def _become(command: Command, outputs: list[int]) -> None:
    """Be `planalign` with these arguments; does not return."""
    from planalign_orchestrator.__main__ import program

    signal.alarm(TIMEOUT)
    for target, descriptor in zip((1, 2), outputs, strict=True):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)
    sys.argv = ["planalign", *command.arguments]
    program()


def _load() -> None:
    """Import every module of the program, and what it imports when it needs it."""
    import planalign_orchestrator

    for module in pkgutil.walk_packages(planalign_orchestrator.__path__, "planalign_orchestrator."):
        importlib.import_module(module.name)
    for name in ("duckdb", "pydantic", "rich.console", "rich.table", "tenacity"):
        importlib.import_module(name)


if __name__ == "__main__":
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    # commands have nothing on their standard input
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    _load()
    with socket.socket(fileno=descriptor) as connection:
        _serve(connection)
