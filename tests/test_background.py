"""Work beside the caller's: one piece at a time, nobody's error lost, nothing left running."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from planalign_orchestrator.background import BackgroundWork


def fail(text: str, kind: type[Exception] = ValueError) -> None:
    raise kind(text)


def never() -> None:
    pytest.fail("nobody interrupted")


def test_work_runs_beside_the_caller_and_one_piece_at_a_time() -> None:
    done: list[str] = []
    going_on = threading.Event()

    def first() -> None:
        assert going_on.wait(10)
        done.append("first")

    with BackgroundWork(never) as beside:
        beside.start(first)
        assert done == []
        beside.check()
        going_on.set()
        beside.start(lambda: done.append(f"second after {done[-1]}"))
        beside.wait()
        beside.wait()
    assert done == ["first", "second after first"]


def run(
    work: Callable[[], object], then: Callable[[BackgroundWork], object], interrupt: Callable[[], object] = never
) -> None:
    """Do `work` beside `then`."""
    with BackgroundWork(interrupt) as beside:
        beside.start(work)
        then(beside)


def test_the_block_ends_when_the_work_is_done() -> None:
    done: list[bool] = []

    def slow() -> None:
        time.sleep(0.05)
        done.append(True)

    with pytest.raises(KeyError):
        run(slow, lambda _: fail("the caller's own error", KeyError))
    assert done == [True]


def check_until_it_fails(beside: BackgroundWork) -> None:
    while True:
        beside.check()


@pytest.mark.parametrize(
    "then", [check_until_it_fails, BackgroundWork.wait, lambda beside: beside.start(never), lambda _: None]
)
def test_the_error_of_the_work_reaches_the_caller(then: Callable[[BackgroundWork], object]) -> None:
    with pytest.raises(ValueError, match="of the work"):
        run(lambda: fail("of the work"), then)


def test_the_error_of_the_work_comes_before_that_of_what_was_begun_later() -> None:
    with pytest.raises(ValueError, match="of the work") as raised:
        run(lambda: fail("of the work"), lambda _: fail("of the next year", KeyError))
    assert isinstance(raised.value.__cause__, KeyError)


def test_an_interrupt_stops_the_work_that_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = threading.Event()

    def work() -> None:
        assert interrupted.wait(10)
        fail("interrupted")

    def wait(beside: BackgroundWork) -> None:
        def interrupt_at_once(_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Future, "result", interrupt_at_once)
            beside.wait()

    with pytest.raises(KeyboardInterrupt):
        run(work, wait, interrupted.set)
    assert interrupted.is_set()


def test_an_interrupt_of_the_caller_lets_the_work_end() -> None:
    done: list[bool] = []

    def interrupt_at_once(_: BackgroundWork) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(lambda: done.append(True), interrupt_at_once)
    assert done == [True]
