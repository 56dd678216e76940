"""What a plan is compiled from, and with: the same sources and versions give the same plan."""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from planalign_orchestrator.plan_compiler.plan import PLAN_FORMAT

_SOURCES = ("*.sql", "*.yml", "*.csv")
_RUN_ARTEFACTS = {"target", "logs", "dbt_packages"}


def source_key(project_dir: Path) -> str:
    """Return a digest of the bytes of the project's sources and of the plan format."""
    digest = hashlib.sha256(f"plan format {PLAN_FORMAT}".encode())
    for path in _source_files(project_dir):
        digest.update(path.relative_to(project_dir).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def compiler_versions() -> dict[str, str]:
    """Return the versions of dbt-core, dbt-duckdb and duckdb; `none` for what is not installed."""
    return {name: _installed_version(name) for name in ("dbt-core", "dbt-duckdb", "duckdb")}


def _installed_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _source_files(project_dir: Path) -> list[Path]:
    found = (path for pattern in _SOURCES for path in project_dir.rglob(pattern))
    return sorted(path for path in found if not _RUN_ARTEFACTS & set(path.relative_to(project_dir).parts))
