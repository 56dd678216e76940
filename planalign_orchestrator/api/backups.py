"""Copies of databases: made, listed, and put back."""

from pathlib import Path
from typing import TYPE_CHECKING

from planalign_orchestrator.api.configuration import Places

if TYPE_CHECKING:
    from planalign_orchestrator.pipeline.backup import BackedUp, Restored
    from planalign_orchestrator.pipeline.backup_files import BackupFile


def backup(places: Places, to: Path | None = None, *, force: bool = False) -> "BackedUp":
    """Copy a database to a file that no run touches. Errors: DatabaseError, OutputError."""
    from planalign_orchestrator.pipeline.backup import copy_database

    return copy_database(places.database, to, force=force, protected=places.inputs)


def list_backups(places: Places) -> "list[BackupFile]":
    """Return the backups beside a database, with what each holds."""
    from planalign_orchestrator.pipeline import backup_files

    return backup_files.list_backups(places.database)


def restore(places: Places, source: Path | None = None) -> "Restored":
    """Put a backup in the place of the database, which becomes the backup. Errors: DatabaseError."""
    from planalign_orchestrator.pipeline import backup

    return backup.restore(places.database, source, reports=places.reports, copies=places.checkpoints)
