"""The section `runtime`."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from planalign_orchestrator.config.sections.base import Location, Section, key
from planalign_orchestrator.config.types import MEMORY, Number

# with fewer people, another thread costs more than it does
PEOPLE_OF_A_THREAD = 25_000
# with more people, two models at a time need more memory than they save time; three find little to do
PEOPLE_OF_TWO_MODELS = 250_000
# the folder beside the database, where the configuration names no other
CHECKPOINTS_FOLDER = ".navigator_checkpoints"
THREADS = Number("whole number", Decimal(1), Decimal(1024), places=0)


class RuntimeSection(Section):
    """How the run is carried out; nothing here changes a result."""

    changes_results: ClassVar[bool] = False
    of_all_years: ClassVar[bool] = True

    database: Location = key(
        Path("simulation.duckdb"),
        "Database file that a run writes; the default is in the working directory.",
        in_file="../simulation.duckdb",
    )
    engine: Literal["native", "dbt"] = key(
        "native",
        "`native` executes the compiled models itself and is fast; `dbt` calls dbt. Both give the same results.",
    )
    threads: Annotated[int, THREADS] | None = key(
        None,
        "Threads of the database, which then builds one model at a time; null is all cores for more than "
        f"{PEOPLE_OF_TWO_MODELS:,} people, otherwise two models at a time with one thread each for every "
        f"{PEOPLE_OF_A_THREAD:,} people, at least one, together at most all cores.",
    )
    memory_limit: Annotated[str, MEMORY] | None = key(
        None,
        "Memory the database may use before it spills to disk, such as 4GB or 512MiB, at least 64MiB; null is 70 % "
        "of the machine's, at most 6 GiB.",
    )
    checkpoint_directory: Location | None = key(
        None, f"Folder of the checkpoint copies; null is the folder `{CHECKPOINTS_FOLDER}` beside the database."
    )
