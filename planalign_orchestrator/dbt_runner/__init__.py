"""The one package that touches dbt. dbt runs in a child process, so nothing else imports it or shares its state."""

from planalign_orchestrator.dbt_runner.results import (
    DbtCompilationError,
    DbtDataQualityError,
    DbtError,
    DbtExecutableError,
    DbtExecutionError,
    DbtLockError,
    DbtResult,
    DbtTimeoutError,
    classify_dbt_error,
)
from planalign_orchestrator.dbt_runner.runner import DbtRunner

__all__ = [
    "DbtCompilationError",
    "DbtDataQualityError",
    "DbtError",
    "DbtExecutableError",
    "DbtExecutionError",
    "DbtLockError",
    "DbtResult",
    "DbtRunner",
    "DbtTimeoutError",
    "classify_dbt_error",
]
