"""The stages of a year: their names, what dbt selects for each, and how a run reports that one began or finished."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

from planalign_orchestrator.model import STAGES


class WorkflowStage(StrEnum):
    """The stages of a year, in order."""

    INITIALIZATION = "initialization"
    FOUNDATION = "foundation"
    EVENT_GENERATION = "event_generation"
    STATE_ACCUMULATION = "state_accumulation"
    VALIDATION = "validation"
    REPORTING = "reporting"
    CLEANUP = "cleanup"


@dataclass(frozen=True)
class StageDefinition:
    """A stage that runs models: those that `selector` selects in dbt."""

    stage: WorkflowStage
    selector: str


MODEL_STAGES = tuple(StageDefinition(WorkflowStage(name), f"tag:{name}") for name in STAGES)


@dataclass(frozen=True)
class ProgressEvent:
    """A stage of a year began or finished; `seconds` is its duration when finished.

    Events come one at a time. The validation and reporting of a year come among the stages of the next year.
    """

    year: int
    stage: WorkflowStage
    finished: bool
    seconds: float


@dataclass(frozen=True)
class Progress:
    """Tells a listener of the stages, one event at a time, from whichever thread they come."""

    listener: Callable[[ProgressEvent], None] | None
    _one_at_a_time: Lock = field(default_factory=Lock)

    @contextmanager
    def stage(self, year: int, stage: WorkflowStage, seconds: dict[str, float]) -> Iterator[None]:
        """Tell that a stage begins and, unless it fails, that it finished; put its duration into `seconds`."""
        self._tell(ProgressEvent(year, stage, finished=False, seconds=0.0))
        with timing(seconds, stage):
            yield
        self._tell(ProgressEvent(year, stage, finished=True, seconds=seconds[stage]))

    def _tell(self, event: ProgressEvent) -> None:
        if self.listener is not None:
            with self._one_at_a_time:
                self.listener(event)


@contextmanager
def timing(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Put the duration of the block into `seconds`, unless it fails."""
    started = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - started, 6)
