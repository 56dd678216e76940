"""Which files may be replaced: those of ours of the same kind, others by `--force`, and some never.

A command that writes to a path of the user's asks `check_replaceable` first: a mistyped path must not cost a file.
"""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from planalign_orchestrator.errors import OutputError
from planalign_orchestrator.files.atomic import real_path

PRODUCT = "PlanAlign Orchestrator"

_CONFIGURATIONS = (".yaml", ".yml")
_BESIDE_A_DATABASE = (".wal", ".lock", ".tmp", ".spare", ".draft")


@dataclass(frozen=True)
class OutputKind:
    """A kind of file that is written: its name with an article, and whether an existing file is one of ours."""

    name: str
    is_ours: Callable[[Path], bool]
    is_configuration: bool = False
    is_database: bool = False


def check_replaceable(
    path: Path, kind: OutputKind, *, force: bool | None = False, protected: Mapping[Path, str] | None = None
) -> None:
    """Refuse to write where something else would be lost; a path at which nothing is may be written.

    `protected` names files that are never replaced and says what they are, such as the census of a run. `force` None
    says that there is no such option. Errors: OutputError saying what is there and what to do.
    """
    try:
        exists, is_file = path.exists(), path.is_file()
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be the name of a file ({error}); choose another") from error
    for other, what in (protected or {}).items():
        if real_path(path) == real_path(other) or (exists and other.exists() and path.samefile(other)):
            raise OutputError(f"{path} is {what} and is never replaced; name another file")
    if path.suffix in _BESIDE_A_DATABASE:
        raise OutputError(f"{path} has the ending of a file beside a database; name another file")
    if not exists:
        return
    if not is_file:
        raise OutputError(f"{path} is no file; name another one, or leave the option out to print")
    if (never := _never_replaced(path, kind)) is not None:
        raise OutputError(f"{path} is {never} and is never replaced by {kind.name}; name another file")
    if not force and not kind.is_ours(path):
        advice = "move it away" if force is None else "--force replaces it, another name keeps it"
        raise OutputError(f"{path} already exists and is not {kind.name} of planalign's; {advice}")


def _never_replaced(path: Path, kind: OutputKind) -> str | None:
    """Return what a file is that not even `--force` replaces; None for any other."""
    if not kind.is_database and is_duckdb_file(path):
        return "a database"
    if path.suffix.lower() in _CONFIGURATIONS and not kind.is_configuration:
        return "a configuration"
    return None


def is_duckdb_file(path: Path) -> bool:
    """Return whether a file begins as a DuckDB database does. This process may not have it open as one."""
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def is_our_json(path: Path) -> bool:
    """Return whether a file is a JSON document of ours, by its `product`."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("product") == PRODUCT


def csv_header(path: Path) -> tuple[str, ...]:
    """Return the headings of a comma-separated file; none for a file that is something else."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(next(csv.reader([file.readline(1 << 16)], strict=True), ()))
    except (UnicodeDecodeError, csv.Error):
        return ()
