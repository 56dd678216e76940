"""Builds models on several connections at a time, each model as soon as those that it reads are built."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from planalign_orchestrator.model import Model

if TYPE_CHECKING:
    import duckdb

Execute = Callable[["duckdb.DuckDBPyConnection", Model], object]


class Builders:
    """Connections that build models together: one in the caller's thread, each of the others in one of its own."""

    def __init__(self, connections: Sequence["duckdb.DuckDBPyConnection"]) -> None:
        self.connections = connections
        self._threads = ThreadPoolExecutor(max(1, len(connections) - 1), thread_name_prefix="builder")

    def build(self, models: Sequence[Model], execute: Execute) -> dict[str, float]:
        """Execute every model once; return seconds by model.

        After an error the models that were begun are finished and no more are begun. Errors: those of `execute`.
        """
        work = _Work(models, execute)
        first, *others = self.connections
        helpers = [self._threads.submit(work.share, connection) for connection in others]
        try:
            work.share(first)
        finally:
            failures = [helper.exception() for helper in helpers]
        for failure in failures:
            if failure is not None:
                raise failure
        return {model.name: work.seconds[model.name] for model in models}

    def close(self) -> None:
        """End the threads and close the connections."""
        self._threads.shutdown()
        for connection in self.connections:
            connection.close()


class _Work:
    """What is left of some models, shared by threads."""

    def __init__(self, models: Sequence[Model], execute: Execute) -> None:
        self.seconds: dict[str, float] = {}
        self._execute = execute
        self._models = {model.name: model for model in models}
        self._chains = _chains(models)
        self._order = TopologicalSorter({model.name: self._models.keys() & set(model.reads) for model in models})
        self._order.prepare()
        self._ready = list(self._order.get_ready())
        self._is_over = not models
        self._changed = threading.Condition()

    def share(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Execute models until none is left or one has failed."""
        try:
            while (model := self._take()) is not None:
                started = time.perf_counter()
                self._execute(connection, model)
                self._finish(model, time.perf_counter() - started)
        except BaseException:
            with self._changed:
                self._end()
            raise

    def _take(self) -> Model | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._is_over)
            if self._is_over:
                return None
            # the one for which the longest chain of others waits
            name = max(self._ready, key=self._chains.__getitem__)
            self._ready.remove(name)
            return self._models[name]

    def _finish(self, model: Model, seconds: float) -> None:
        with self._changed:
            self.seconds[model.name] = seconds
            self._order.done(model.name)
            self._ready += self._order.get_ready()
            if self._order.is_active():
                self._changed.notify_all()
            else:
                self._end()

    def _end(self) -> None:
        self._is_over = True
        self._changed.notify_all()


def _chains(models: Sequence[Model]) -> dict[str, int]:
    """Return for each model how many others wait for it at most, one after the other."""
    chains = {model.name: 0 for model in models}
    for model in reversed(models):
        for name in chains.keys() & set(model.reads):
            chains[name] = max(chains[name], chains[model.name] + 1)
    return chains
