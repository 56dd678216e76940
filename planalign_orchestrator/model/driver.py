"""What a simulation asks of whatever carries out the model."""

from typing import Protocol


class Engine(Protocol):
    """Builds the years of a plan one after the other, stage by stage, and brings each into the simulation's file.

    A year is begun, its stages are run, and it is ended; then, in a transaction of the file, it is held and adopted.
    """

    @property
    def name(self) -> str:
        """The value of `runtime.engine` that chooses it."""

    @property
    def builds_ahead(self) -> bool:
        """Whether a year can be built while the one before is still being adopted and judged."""

    def create_marts(self) -> None:
        """Begin a run, in a transaction of the file: create every mart from its contract, or demand that it fits."""

    def suit(self, people: int, threads: int | None = None) -> None:
        """Be as quick as may be for a population of this size; `threads` says how many there are to be."""

    def begin_year(self, year: int) -> None:
        """Prepare for the year's stages."""

    def run_stage(self, stage: str, year: int) -> dict[str, float]:
        """Build the stage's models; return seconds by model. Errors: PipelineStageError naming the model."""

    def end_year(self) -> None:
        """Leave the year as a transaction of the file can take it over."""

    def hold_year(self) -> None:
        """Let the file's transaction see the year that was just built, also when the next one replaces it."""

    def adopt_year(self, year: int, *, is_last: bool = False) -> None:
        """Write the year into the marts of the file, in its transaction. Errors: PipelineStageError naming the mart.

        Beside the last year nothing is built.
        """
