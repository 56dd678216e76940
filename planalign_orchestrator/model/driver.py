"""What a run asks of a driver of the compiled model."""

from typing import Protocol


class Driver(Protocol):
    """Builds the years of a compiled model, stage by stage, and writes each into the simulation's file.

    A year is begun, its stages are run, and it is ended. Then, in a transaction of the file, it is pinned and its marts
    are written.
    """

    @property
    def name(self) -> str:
        """The value of `runtime.engine` that chooses it."""

    @property
    def builds_ahead(self) -> bool:
        """Whether a year can be built while the one before is still being judged and written."""

    def create_marts(self) -> None:
        """Begin a run, in a transaction of the file: create every mart from its contract, or check that it fits."""

    def adapt_to(self, people: int, threads: int | None = None) -> None:
        """Choose threads and settings for a population of this size; `threads` fixes their number."""

    def begin_year(self, year: int) -> None:
        """Prepare for the year's stages."""

    def run_stage(self, stage: str, year: int) -> dict[str, float]:
        """Build the stage's models; return seconds by model. Errors: PipelineStageError naming the model."""

    def end_year(self) -> None:
        """Leave the year where a transaction of the file can read it."""

    def pin_year(self) -> None:
        """Let the file's transaction see the year that was just built, also when the next one replaces it."""

    def write_marts(self, year: int, *, is_last: bool = False) -> None:
        """Write the year into the marts of the file, in its transaction. Errors: PipelineStageError naming the mart.

        Beside the last year nothing is built.
        """
