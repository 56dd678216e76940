"""Work that is done in a thread beside the caller's: a year is judged and written while the next one is built."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType


class BackgroundWork:
    """Does one piece of work at a time; its error reaches the caller at `check` or `wait`, or when the block ends.

    The work that was begun is finished before the block ends. Only an interrupt while the caller has nothing
    left but to wait for it stops it, by `interrupt`.
    """

    def __init__(self, interrupt: Callable[[], object]) -> None:
        self._interrupt = interrupt
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="background")
        self._work: Future[object] | None = None

    def start(self, work: Callable[[], object]) -> None:
        """Begin a piece of work; the one before is waited for."""
        self.wait()
        self._work = self._pool.submit(work)

    def check(self) -> None:
        """Raise the error of the work if it has failed by now."""
        if self._work is not None and self._work.done():
            self._work.result()

    def wait(self) -> None:
        """Return when the work is done. Errors: those of the work."""
        if self._work is None:
            return
        try:
            self._work.result()
        except KeyboardInterrupt:
            if not self._work.done():
                self._interrupt()
            raise

    def __enter__(self) -> "BackgroundWork":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        failed = self._work.exception() if self._work is not None else None
        # the earlier year's error comes first; an interrupt is told alone
        if failed is not None and failed is not error and not isinstance(error, KeyboardInterrupt):
            raise failed from error
