"""The section `runtime`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.sections.base import MEMORY, THREADS, Location, Section

# with fewer people, another thread costs more than it does
PEOPLE_OF_A_THREAD = 25_000
# with more people, two models at a time need more memory than they save time; three find little to do
PEOPLE_OF_TWO_MODELS = 250_000
CHECKPOINTS_FOLDER = ".navigator_checkpoints"


class RuntimeSection(Section):
    """How the run is carried out. No key of this section changes a result."""

    database: Location = Field(default=Path("simulation.duckdb"), description="Database file that a run writes.")
    engine: Literal["native", "dbt"] = Field(
        default="native",
        description="`native` executes the compiled models itself, `dbt` calls dbt; both give the same results.",
    )
    threads: Annotated[int, THREADS] | None = Field(
        default=None,
        description="Threads of the database, which then builds one model at a time; null is all cores for more than "
        f"{PEOPLE_OF_TWO_MODELS:,} people, otherwise two models at a time with one thread each for every "
        f"{PEOPLE_OF_A_THREAD:,} people, at least one, together at most all cores.",
    )
    memory_limit: Annotated[str, MEMORY] | None = Field(
        default=None,
        description="Memory the database may use before it spills to disk, 64MiB or more; null is a share of the "
        "machine's.",
    )
    checkpoint_directory: Location | None = Field(
        default=None,
        description="Folder of the checkpoint copies; null is the folder `.navigator_checkpoints` beside the database.",
    )
