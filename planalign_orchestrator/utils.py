"""The names that the migration guide promises; the package itself imports them from where they are."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.lock import ExecutionMutex

__all__ = ["DatabaseConnectionManager", "ExecutionMutex", "time_block"]

_LOGGER = logging.getLogger(__name__)


@contextmanager
def time_block(label: str) -> Iterator[Callable[[], float]]:
    """Log how long the block took; the yielded function returns the seconds so far."""
    started = time.perf_counter()
    yield lambda: time.perf_counter() - started
    _LOGGER.debug("%s took %.3f s", label, time.perf_counter() - started)
