"""What a run shows while it works: a bar with the time left on a terminal, a line for each finished year elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from planalign_orchestrator.cli.output import note

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from planalign_orchestrator.api.types import ProgressEvent, WorkflowStage

    Display = Callable[[ProgressEvent], None]


class YearClock:
    """Follows the stages of a run that ends with `last_year`: what is committed, and how much of the work is done."""

    def __init__(self, last_year: int) -> None:
        self.committed: list[int] = []
        self.years_to_do = 0
        self._last_year = last_year
        self._finished = 0
        self._seconds: dict[int, dict[str, float]] = {}
        self._year_before: dict[str, float] = {}

    def advance(self, event: "ProgressEvent") -> float | None:
        """Take an event in; returns the seconds of its year if that is finished now, else None."""
        from planalign_orchestrator.api.types import WorkflowStage

        self.years_to_do = self.years_to_do or self._last_year - event.year + 1
        is_reporting = event.stage is WorkflowStage.REPORTING
        if is_reporting and not event.finished:
            # Reports are written after the commit only.
            self.committed.append(event.year)
        if not event.finished:
            return None
        seconds = self._seconds.setdefault(event.year, {})
        seconds[event.stage] = event.seconds
        if not is_reporting:
            return None
        self._finished += 1
        self._year_before = self._seconds.pop(event.year)
        return sum(self._year_before.values())

    @property
    def years_done(self) -> float:
        """Finished years and the parts of those begun, in which a stage counts what it took the year before."""
        from planalign_orchestrator.api.types import WorkflowStage

        weights = self._year_before or dict.fromkeys(map(str, WorkflowStage), 1.0)
        done = sum(weights.get(stage, 0.0) for stages in self._seconds.values() for stage in stages)
        return self._finished + done / max(sum(weights.values()), 1e-6)


@contextmanager
def display(clock: YearClock, *, quiet: bool, verbose: bool, as_json: bool = False) -> "Iterator[Display]":
    """The display that fits standard error and the user's wishes; each of them keeps `clock` going.

    With `as_json` the stages are told with `verbose` only: standard error then is for programs, too.
    """
    if quiet or (as_json and not verbose):
        yield lambda event: _only_advance(clock, event)
    elif verbose or not sys.stderr.isatty():
        yield lambda event: _print_lines(clock, event, stages=verbose)
    else:
        with _bar() as progress:
            task = progress.add_task("reading the inputs", total=None)
            yield lambda event: _move_bar(clock, progress, task, event)


def _only_advance(clock: YearClock, event: "ProgressEvent") -> None:
    clock.advance(event)


def _print_lines(clock: YearClock, event: "ProgressEvent", *, stages: bool) -> None:
    seconds = clock.advance(event)
    if stages and event.finished:
        note(f"{event.year} {_words(event.stage)}: {event.seconds:.2f} s")
    if seconds is not None:
        note(f"{event.year} finished in {seconds:.2f} s")


def _move_bar(clock: YearClock, progress: "Progress", task: "TaskID", event: "ProgressEvent") -> None:
    clock.advance(event)
    text = f"{event.year} {_words(event.stage)}"
    progress.update(task, total=clock.years_to_do, completed=clock.years_done, description=text)


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _words(stage: "WorkflowStage") -> str:
    return stage.value.replace("_", " ")
