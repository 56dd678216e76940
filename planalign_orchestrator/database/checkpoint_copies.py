"""The JSON copies of checkpoints beside the database: for people, and nothing is ever decided by them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from planalign_orchestrator.database.checkpoints import WorkflowCheckpoint
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.files.atomic import write_atomically


def checkpoint_of(row: Mapping[str, Any], database: str) -> WorkflowCheckpoint:
    """Return the checkpoint of a row of the `checkpoints` table."""
    return WorkflowCheckpoint(
        simulation_year=row["simulation_year"],
        run_id=row["run_id"],
        completed_at=row["completed_at"].isoformat(timespec="seconds"),
        engine=row["engine"],
        duckdb_version=row["duckdb_version"],
        database=database,
        fingerprints=row["fingerprints"],
        digests=row["digests"],
    )


def write_checkpoint_file(directory: Path, checkpoint: WorkflowCheckpoint) -> Path:
    """Write the JSON copy of a checkpoint and return its path."""
    path = directory / f"year_{checkpoint.simulation_year}.json"
    write_atomically(path, json.dumps(asdict(checkpoint), indent=2, sort_keys=True) + "\n")
    return path


def read_checkpoint_files(directory: Path) -> list[WorkflowCheckpoint]:
    """Return the JSON copies in a folder, by year. Errors: DatabaseError naming a file that is not one."""
    from planalign_orchestrator.database.state_rows import check_copy

    found = []
    for path in sorted(directory.glob("year_*.json")):
        try:
            copy = WorkflowCheckpoint(**json.loads(path.read_text(encoding="utf-8")))
            check_copy(asdict(copy))
            found.append(copy)
        except (ValueError, TypeError, RecursionError) as error:
            raise DatabaseError(f"{path} is not a checkpoint ({error}); move it away") from error
    return sorted(found, key=lambda checkpoint: checkpoint.simulation_year)


def clean_checkpoint_files(directory: Path, database: str) -> tuple[list[Path], list[Path]]:
    """Remove the JSON copies of the checkpoints of a database, named like its file; return what went and what stayed.

    The database itself is not touched, nor is a copy of another database or a file that is no copy.
    """
    removed: list[Path] = []
    kept: list[Path] = []
    for path in sorted(directory.glob("year_*.json")):
        (removed if _database_of(path) == database else kept).append(path)
    for path in removed:
        path.unlink()
    return removed, kept


def _database_of(path: Path) -> str | None:
    """Return the name of the database that a copy of a checkpoint is of; None for a file that is no such copy."""
    try:
        return WorkflowCheckpoint(**json.loads(path.read_text(encoding="utf-8"))).database
    except (ValueError, TypeError, OSError, RecursionError):
        return None
