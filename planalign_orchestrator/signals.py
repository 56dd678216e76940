"""What ends the program from outside. SIGTERM and SIGHUP do what Ctrl-C does; the library itself sets no handler."""

import os
import signal
from contextlib import suppress
from types import FrameType

INTERRUPTED = 130

_STOPPING = "Already stopping; one more signal leaves at once."
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class _Stopper:
    """Counts signals: the first raises KeyboardInterrupt, the second only answers, the third leaves at once.

    A second one must not disturb the rollback that the first began. After the third the database is as after a kill:
    it has its finished years, and the next start removes what is left of another.
    """

    def __init__(self, answer: str) -> None:
        self._answer = answer
        self._count = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count == 1:
            raise KeyboardInterrupt
        if self._count > 2:
            os._exit(INTERRUPTED)
        # After a hang-up nobody is left to be told.
        with suppress(OSError):
            os.write(2, f"{self._answer}\n".encode())


def install(*, as_json: bool) -> None:
    """Let SIGINT, SIGTERM and SIGHUP interrupt the program, except those that its parent has it ignore, as nohup does.

    With `as_json` the answer to a second signal is a JSON document, as everything is then on standard error.
    """
    stopper = _Stopper(f'{{"note": "{_STOPPING}"}}' if as_json else _STOPPING)
    for number in _heeded():
        signal.signal(number, stopper)


def ignore() -> None:
    """Ignore the signals from now on: the program has its exit code and is leaving."""
    for number in _heeded():
        signal.signal(number, signal.SIG_IGN)


def _heeded() -> list[signal.Signals]:
    known = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
