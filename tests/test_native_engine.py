"""How the native engine uses the machine: models at a time, each after those it reads, and threads by population."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from planalign_orchestrator.model import CompiledModel, Model, ModelOfYears, load_compiled_model
from planalign_orchestrator.model.builders import Builders
from planalign_orchestrator.model.native_driver import NativeDriver


def model(name: str, *reads: str, sql: str = "") -> Model:
    sums = " + ".join(["1", *(f"(select x from {read})" for read in reads)])
    return Model(name, "foundation", sql or f"create table {name} as select {sums} as x", reads, (), True, None, False)


@pytest.fixture
def builders() -> Iterator[Builders]:
    with duckdb.connect(config={"threads": 1}) as connection:
        builders = Builders([connection.cursor(), connection.cursor()])
        yield builders
        builders.close()


def built(builders: Builders) -> list[tuple[str, int]]:
    names = builders.connections[0].execute("select table_name from duckdb_tables() order by all").fetchall()
    return [(name, builders.connections[0].execute(f"from {name}").fetchall()[0][0]) for (name,) in names]


def run(connection: "duckdb.DuckDBPyConnection", model: Model) -> None:
    connection.execute(model.sql)


def test_models_are_built_after_those_they_read(builders: Builders) -> None:
    models = [model("a"), model("b"), model("c", "a", "b"), model("d", "c", "not_of_this_stage", sql="select 1")]
    chain = [model(f"m{number}", f"m{number - 1}" if number else "c") for number in range(50)]
    seconds = builders.build([*models, *chain], run)
    assert list(seconds) == [one.name for one in [*models, *chain]]
    assert all(spent > 0 for spent in seconds.values())
    assert built(builders) == sorted(
        [("a", 1), ("b", 1), ("c", 3), *((f"m{number}", number + 4) for number in range(50))]
    )


def test_two_models_are_built_at_a_time_by_the_caller_and_another_thread(builders: Builders) -> None:
    both = threading.Barrier(2, timeout=10)
    threads: dict[str, str] = {}

    def meet(connection: "duckdb.DuckDBPyConnection", model: Model) -> None:
        both.wait()
        threads[model.name] = threading.current_thread().name
        connection.execute(model.sql)

    builders.build([model("a"), model("b")], meet)
    assert sorted(name.partition("_")[0] for name in threads.values()) == ["MainThread", "builder"]
    assert builders.build([], run) == {}


@pytest.mark.parametrize("failing", ["MainThread", "builder_0"])
def test_after_an_error_no_more_is_begun(builders: Builders, failing: str) -> None:
    both = threading.Barrier(2, timeout=10)
    begun: list[str] = []

    def meet(connection: "duckdb.DuckDBPyConnection", model: Model) -> None:
        begun.append(model.name)
        both.wait()
        if threading.current_thread().name == failing:
            connection.execute("select error('broken')")
        connection.execute(model.sql)

    # the third waits for both, so whoever has nothing to do is waiting when the other one fails
    with pytest.raises(duckdb.InvalidInputException, match="broken"):
        builders.build([model("a"), model("b"), model("c", "a", "b")], meet)
    assert sorted(begun) == ["a", "b"]
    assert len(built(builders)) == 1


CORES = 4
NOTHING = replace(load_compiled_model(), models=())


def years_of(compiled: CompiledModel) -> ModelOfYears:
    """Return a compiled model that is the same in every year."""
    return ModelOfYears({2025: compiled})


@pytest.mark.parametrize(
    ("people", "threads", "builders", "threads_of_the_last_judgement"),
    [
        (0, 1, 2, 1),
        (4_999, 1, 2, 1),
        (5_000, 1, 2, 2),
        (50_000, 2, 2, 4),
        (250_000, 2, 2, 4),
        (250_001, CORES, 1, CORES),
    ],
)
def test_cores_are_divided_by_the_number_of_people(
    people: int, threads: int, builders: int, threads_of_the_last_judgement: int
) -> None:
    def used() -> int:
        rows: list[tuple[int]] = connection.execute("select current_setting('threads')").fetchall()
        return rows[0][0]

    with duckdb.connect(config={"threads": CORES}) as connection, NativeDriver(years_of(NOTHING), connection) as engine:
        engine.adapt_to(people)
        assert len(engine.builders.connections) == builders
        engine.write_marts(2025)
        assert used() == threads
        engine.write_marts(2026, is_last=True)
        assert used() == threads_of_the_last_judgement


def test_a_number_of_threads_that_is_given_holds_and_builds_one_model_at_a_time() -> None:
    with duckdb.connect(config={"threads": 3}) as connection, NativeDriver(years_of(NOTHING), connection) as engine:
        engine.adapt_to(10, threads=3)
        engine.write_marts(2025, is_last=True)
        assert connection.execute("select current_setting('threads')").fetchall() == [(3,)]
        assert len(engine.builders.connections) == 1


@pytest.mark.parametrize(("people", "are_off"), [(24_999, True), (25_000, False)])
def test_for_few_people_less_is_searched(people: int, are_off: bool) -> None:
    with (
        duckdb.connect(config={"threads": 1}) as connection,
        NativeDriver(years_of(load_compiled_model()), connection) as engine,
    ):
        engine.adapt_to(people)
        ((off,),) = connection.execute("select current_setting('disabled_optimizers')").fetchall()
    assert "join_order" in off
    assert ("statistics_propagation" in off) is are_off


def test_what_an_engine_parsed_serves_the_next_one_whatever_became_of_the_first() -> None:
    for value in (1, 2, 1):
        models = tuple(replace(model(f"m{number}"), sql=f"select {value} + {number} as x") for number in range(20))
        compiled = replace(NOTHING, models=models)
        with duckdb.connect(config={"threads": 1}) as connection:
            with NativeDriver(years_of(compiled), connection):
                # it ends before it has parsed everything
                pass
            with NativeDriver(years_of(compiled), connection) as engine:
                engine.begin_year(2025)
                engine.run_stage("foundation", 2025)
                found = [connection.execute(f"from working.main.{one.name}").fetchall() for one in models]
        assert found == [[(value + number,)] for number in range(20)]
