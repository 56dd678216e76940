"""What a run shows while it works: a bar with the time left on a terminal, a line for each finished year elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from planalign_orchestrator.cli.output import note

if TYPE_CHECKING:
    from rich.progress import Progress

    from planalign_orchestrator.pipeline import ProgressEvent, WorkflowStage


class Display(Protocol):
    """Receives every beginning and end of a stage."""

    def __call__(self, event: "ProgressEvent") -> None:
        """Show the event."""


class YearClock:
    """Follows the years and stages of a run: which years are finished and how much of the current one is done."""

    def __init__(self) -> None:
        self.finished: list[int] = []
        self.seconds: dict[WorkflowStage, float] = {}
        self._earlier: dict[WorkflowStage, float] = {}

    def advance(self, event: "ProgressEvent") -> bool:
        """Take an event in; returns whether it finished a year."""
        from planalign_orchestrator.pipeline import WorkflowStage

        if not event.finished:
            return False
        self.seconds[event.stage] = event.seconds
        if event.stage is not list(WorkflowStage)[-1]:
            return False
        self.finished.append(event.year)
        self._earlier, self.seconds = self.seconds, {}
        return True

    @property
    def done(self) -> float:
        """Years done, with the part of the current year: by the seconds its stages took last year, else by their number."""
        from planalign_orchestrator.pipeline import WorkflowStage

        weights = self._earlier or dict.fromkeys(WorkflowStage, 1.0)
        total = sum(weights.values())
        part = sum(weights.get(stage, 0.0) for stage in self.seconds)
        return len(self.finished) + (part / total if total else 0.0)


@contextmanager
def display(clock: YearClock, years: int, *, quiet: bool, verbose: bool) -> Iterator[Display]:
    """The display that fits standard error and the wishes of the user; every one keeps `clock` up to date."""
    if quiet:
        yield _silent(clock)
    elif verbose or not sys.stderr.isatty():
        yield _lines(clock, stages=verbose)
    else:
        with _bar() as progress:
            yield _on_bar(clock, progress, years)


def _silent(clock: YearClock) -> Display:
    def show(event: "ProgressEvent") -> None:
        clock.advance(event)

    return show


def _lines(clock: YearClock, *, stages: bool) -> Display:
    def show(event: "ProgressEvent") -> None:
        if event.finished and stages:
            note(f"  {event.year} {_words(event.stage)}: {event.seconds:.2f} s")
        seconds = sum(clock.seconds.values()) + event.seconds
        if clock.advance(event):
            note(f"{event.year} finished in {seconds:.2f} s")

    return show


def _on_bar(clock: YearClock, progress: "Progress", years: int) -> Display:
    task = progress.add_task("starting", total=years)

    def show(event: "ProgressEvent") -> None:
        clock.advance(event)
        progress.update(task, completed=clock.done, description=f"{event.year} {_words(event.stage)}")

    return show


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} years"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _words(stage: "WorkflowStage") -> str:
    return stage.value.replace("_", " ")
