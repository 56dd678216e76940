"""What a compiled model is compiled from, and with: the same sources and versions give the same bytes."""

import hashlib
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from planalign_orchestrator.model.compiled import FORMAT

_SOURCES = (".sql", ".yml", ".csv", ".md")
_RUN_ARTEFACTS = {"target", "logs", "dbt_packages"}


def source_key(project_dir: Path) -> str:
    """Return a digest of the names and bytes of the project's sources and of the compiled model format."""
    digest = hashlib.sha256(f"compiled model, format {FORMAT}".encode())
    for name in _source_files(project_dir):
        digest.update(name.encode() + b"\0")
        digest.update(hashlib.sha256((project_dir / name).read_bytes()).digest())
    return digest.hexdigest()[:32]


def compiler_versions() -> dict[str, str]:
    """Return the versions of dbt-core, dbt-duckdb and duckdb; `none` for what is not installed."""
    return {name: _installed_version(name) for name in ("dbt-core", "dbt-duckdb", "duckdb")}


@cache
def _installed_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _source_files(project_dir: Path) -> list[str]:
    """Return the paths of the sources below the project, with slashes, sorted; folders of artefacts are not entered."""
    found = []
    for folder, folders, files in os.walk(project_dir):
        folders[:] = set(folders) - _RUN_ARTEFACTS
        below = Path(folder).relative_to(project_dir)
        found += [(below / name).as_posix() for name in files if name.endswith(_SOURCES)]
    return sorted(found)
