"""Executes the statements of the compiled model in memory, on connections of their own.

The driver knows no model by name and holds no rule: stages, order, contracts and values come from the compiled model. A
year that is built stays in memory until `write_marts` writes it into the file. The next year can be built meanwhile.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from planalign_orchestrator.config.sections.runtime import PEOPLE_OF_A_THREAD, PEOPLE_OF_TWO_MODELS
from planalign_orchestrator.errors import DatabaseError, PipelineStageError
from planalign_orchestrator.model import Model, ModelOfYears, session
from planalign_orchestrator.model.builders import Builders
from planalign_orchestrator.model.overflow import explained

if TYPE_CHECKING:
    import duckdb

# The models name their tables in the order in which they are to be joined and say nothing twice, so these searches cost
# a sixth of a small company's year and gain nothing at 100,000 people. A draw is looked up in a dozen months or bands:
# comparing it with each is quicker than sorting all people.
_NEVER_SEARCHED = "join_order,common_subplan,projection_pullup,join_filter_pushdown,join_elimination,aggregate_reuse"
_NESTED_LOOP_JOIN_THRESHOLD = 64
# these pay for themselves only where a model takes longer to execute than to plan
_NOT_SEARCHED_FOR_FEW = "statistics_propagation,common_subexpressions"
# a thread's people while a year that is the last is judged
_PEOPLE_OF_A_JUDGE = 2_500


class NativeDriver:
    """Builds the years of a compiled model with its values, one after the other; an error ends its use.

    `connection` is that of the simulation's file. What is built here never looks at an open transaction of it. Without
    `adapt_to` one model at a time is built, with the threads that the connection has.
    """

    name = "native"
    builds_ahead = True

    _parsed: ClassVar["Mapping[str, Future[list[duckdb.Statement]]]"] = {}
    """The statements of the latest engine by their texts: the next design of a comparison shares most of them."""

    def __init__(self, models: ModelOfYears, connection: "duckdb.DuckDBPyConnection") -> None:
        self._models = models
        self.compiled = next(iter(models.from_year.values()))
        self._file = connection
        session.open_working_memory(connection)
        connection.execute(
            f"set disabled_optimizers = '{_NEVER_SEARCHED}'; "
            f"set global nested_loop_join_threshold = {_NESTED_LOOP_JOIN_THRESHOLD}"
        )
        self.builders = Builders([connection.cursor()])
        # parsed once a run, while the inputs are written: parsing is a fifth of the time of a small company's year
        self._parser = ThreadPoolExecutor(1, thread_name_prefix="parser")
        parse = connection.cursor().extract_statements
        known = {text: parsed for text, parsed in self._parsed.items() if _has_succeeded(parsed)}
        # by their texts, those of the first year first; most are the same in every year
        texts = dict.fromkeys(_build(model) for compiled in models.from_year.values() for model in compiled.models)
        self._statements = {text: known.get(text) or self._parser.submit(parse, text) for text in texts}
        NativeDriver._parsed = self._statements
        self._made: set[str] = set()
        self._people: int | None = None
        self._cores = 1

    def __enter__(self) -> "NativeDriver":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parser.shutdown(cancel_futures=True)
        self.builders.close()
        if error is None:
            self._file.execute("detach working")

    def create_marts(self) -> None:
        """Begin a run, in a transaction of the file: create every mart from its contract, or check that it fits."""
        session.create_marts(self._file, self.compiled)

    def adapt_to(self, people: int, threads: int | None = None) -> None:
        """Choose threads and settings for a population of this size; `threads` fixes their number.

        None divides the cores: among two models at a time, or among the threads of one.
        """
        if people < PEOPLE_OF_A_THREAD:
            self._file.execute(f"set disabled_optimizers = '{_NEVER_SEARCHED},{_NOT_SEARCHED_FOR_FEW}'")
        if threads is not None:
            return
        self._people = people
        self._cores = self._file.execute("select current_setting('threads')").fetchall()[0][0]
        builders = 2 if self._cores > 1 and people <= PEOPLE_OF_TWO_MODELS else 1
        self._use_threads(self._cores // builders, PEOPLE_OF_A_THREAD)
        if builders > 1:
            self.builders.close()
            self.builders = Builders([self._file.cursor() for _ in range(builders)])

    def begin_year(self, year: int) -> None:
        """Set the year; before the first one, bring what it reads of earlier years from the file into memory."""
        self._use_values_of(year)
        for connection in self.builders.connections:
            connection.execute(f"set variable simulation_year = {year}")
        if not self._made:
            for mart in self.compiled.marts:
                years = f"< {year}" if mart.is_remembered else f"= {year - 1}"
                self.builders.connections[0].execute(
                    f"create or replace table working.main.{mart.name} as "
                    f"from planalign.main.{mart.name} where simulation_year {years}"
                )

    def _use_values_of(self, year: int) -> None:
        """Take the values of a year; what holds the same rows in every year is built again if they change it."""
        compiled = self._models.of_year(year)
        before = {model.name: model for model in self.compiled.models}
        changed: set[str] = set()
        for model in compiled.models:
            if model != before[model.name] or changed.intersection(model.reads):
                changed.add(model.name)
        self.compiled = compiled
        self._made -= changed

    def run_stage(self, stage: str, year: int) -> dict[str, float]:
        """Execute the stage's models; return seconds by model. Errors: PipelineStageError naming the model."""

        def execute(connection: "duckdb.DuckDBPyConnection", model: Model) -> None:
            with _naming(model, year):
                connection.execute(self._statements[_build(model)].result()[0])

        models = [
            model
            for model in self.compiled.models
            if model.stage == stage and (model.is_yearly or model.name not in self._made)
        ]
        seconds = self.builders.build(models, execute)
        self._made.update(seconds)
        return seconds

    def end_year(self) -> None:
        """There is nothing to do: the year is in memory, where the file's connection sees it."""

    def pin_year(self) -> None:
        """Let the file's transaction see the year that was just built, also when the next one replaces it in memory."""
        self._file.execute(f"from working.main.{self.compiled.marts[0].name} limit 0")

    def write_marts(self, year: int, *, is_last: bool = False) -> None:
        """Write the year into the marts of the file, in its transaction. Errors: PipelineStageError naming the mart.

        Nothing is built while the last year is written and judged, so it has all cores.
        """
        if is_last:
            self._use_threads(self._cores, PEOPLE_OF_A_THREAD)
        for mart in self.compiled.marts:
            columns = ", ".join(column.name for column in mart.columns)
            with _naming(mart, year):
                self._file.execute(
                    f"insert into planalign.main.{mart.name} ({columns}) "
                    f"select {columns} from working.main.{mart.name} where simulation_year = {year}"
                )
        if is_last:
            self._use_threads(self._cores, _PEOPLE_OF_A_JUDGE)

    def _use_threads(self, most: int, people_of_a_thread: int) -> None:
        """Set DuckDB's threads, unless it was said how many there are to be."""
        if self._people is not None:
            self._file.execute(f"set threads = {min(most, max(1, self._people // people_of_a_thread))}")


@contextmanager
def _naming(model: Model, year: int) -> Iterator[None]:
    """Give an error of DuckDB the name of the model; a full disk is not the model's doing."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.FatalException):
        raise
    except duckdb.OutOfMemoryException as error:
        raise DatabaseError(
            f"year {year}, stage {model.stage}, model {model.name}: out of memory; raise runtime.memory_limit or use a "
            f"larger machine ({str(error).splitlines()[0]}); the year was rolled back"
        ) from error
    except duckdb.Error as error:
        text = str(error)
        if (refusal := session.refusal_in(text)) is not None:
            raise refusal from error
        raise PipelineStageError(
            f"year {year}, stage {model.stage}, model {model.name}: {explained(text)}; the year was rolled back"
        ) from error


def _has_succeeded(work: "Future[list[duckdb.Statement]]") -> bool:
    return work.done() and not work.cancelled() and work.exception() is None


def _build(model: Model) -> str:
    if model.is_remembered:
        return f"insert into working.main.{model.name} by name\n{model.sql}"
    return f"create or replace table working.main.{model.name} as\n{model.sql}"
