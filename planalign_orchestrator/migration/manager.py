"""What the legacy runner left behind: its checkpoint files, and whether a configuration is still one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.errors import ConfigurationError, DatabaseError
from planalign_orchestrator.files.atomic import make_folder

if TYPE_CHECKING:
    from planalign_orchestrator.database.checkpoints import DatabaseStatus

ASIDE = "legacy"
_PATTERNS = ("*.json", "*.checkpoint*")

Copy = dict[str, Any]


@dataclass(frozen=True)
class MigrationResult:
    """Whether everything was done, else why not; and each step that was, in words."""

    success: bool
    error: str | None = None
    completed_steps: tuple[str, ...] = ()


class MigrationManager:
    """Tidies the folder of the checkpoint copies. Files are moved, never removed, and no database is opened."""

    def __init__(self, checkpoints_dir: str | Path = ".navigator_checkpoints") -> None:
        self.checkpoints_dir = Path(checkpoints_dir)

    def validate_config_compatibility(self, path: str | Path) -> dict[str, Any]:
        """Whether a configuration loads today (`compatible`), else every `problem`; its years and identifiers.

        `simulation_years` is None and `has_identifiers` false for a configuration that does not load.
        """
        from planalign_orchestrator.config import load_simulation_config

        try:
            config = load_simulation_config(path)
        except ConfigurationError as error:
            return {
                "compatible": False,
                "problems": error.problems,
                "has_identifiers": False,
                "simulation_years": None,
            }
        return {
            "compatible": True,
            "problems": [],
            "has_identifiers": {"scenario_id", "plan_design_id"} <= config.model_fields_set,
            "simulation_years": (config.simulation.start_year, config.simulation.end_year),
        }

    def migrate_checkpoints(self) -> MigrationResult:
        """Move every file that is no copy of a checkpoint of the present databases into the subfolder `legacy`.

        Moved are files of the legacy runner, half-written and unreadable ones, and copies that the database beside the
        folder contradicts. A missing folder is nothing to do. A file that cannot be moved ends it; the steps until then
        are in the result.
        """
        steps: list[str] = []
        try:
            stale, kept, unsure = self._sort()
            for name, reason in stale.items():
                target = _free_name(self.checkpoints_dir / ASIDE / name)
                make_folder(target.parent)
                (self.checkpoints_dir / name).rename(target)
                steps.append(f"moved {name} to {ASIDE}/{target.name}: {reason}")
        except OSError as error:
            return MigrationResult(False, f"{error.filename or self.checkpoints_dir}: {error.strerror}", tuple(steps))
        steps += unsure
        steps.append(f"kept {kept} checkpoint cop{'y' if kept == 1 else 'ies'} in {self.checkpoints_dir}")
        return MigrationResult(True, None, tuple(steps))

    def list_checkpoints(self) -> list[Copy]:
        """The files `year_*.json` by name: the `file` and what it holds, or as `error` why it cannot be read."""
        listed = []
        for path in sorted(self.checkpoints_dir.glob("year_*.json")):
            content, reason = _read(path)
            listed.append({"file": path.name, **({"error": reason} if content is None else content)})
        return listed

    def _sort(self) -> tuple[dict[str, str], int, list[str]]:
        """The stale files with their reasons, the number of the others, and what could not be compared."""
        stale: dict[str, str] = {}
        copies: dict[str, Copy] = {}
        for path in sorted({path for pattern in _PATTERNS for path in self.checkpoints_dir.glob(pattern)}):
            if not path.is_file() or path.name.startswith("."):
                continue
            content, reason = _read(path)
            reason = reason or _foreign(path, content or {})
            if reason or content is None:
                stale[path.name] = reason
            else:
                copies[path.name] = content
        unsure = []
        for database in sorted({copy["database"] for copy in copies.values()}):
            mine = {name: copy for name, copy in copies.items() if copy["database"] == database}
            try:
                stale |= self._contradicted(database, mine, copies)
            except DatabaseError as error:
                unsure.append(f"kept the copies of {database} without comparing them: {error}")
        return stale, len(copies.keys() - stale.keys()), unsure

    def _contradicted(self, database: str, mine: Mapping[str, Copy], copies: Mapping[str, Copy]) -> dict[str, str]:
        """The copies of a database that it does not confirm. Without the database, its copies must be the latest."""
        path = self.checkpoints_dir.parent / database
        if path.is_file():
            runs = _runs_of_years(path)
            return {
                name: f"{database} has no such checkpoint"
                for name, copy in mine.items()
                if runs.get(copy["simulation_year"]) != copy["run_id"]
            }
        latest = max(copies.values(), key=lambda copy: str(copy["completed_at"]))["database"]
        if latest == database:
            return {}
        return dict.fromkeys(mine, f"a checkpoint of {database}, while the latest is of {latest}")


def _runs_of_years(database: Path) -> dict[int, str]:
    from planalign_orchestrator.database.checkpoints import read_state
    from planalign_orchestrator.database.connection import DatabaseConnectionManager

    with DatabaseConnectionManager(database, read_only=True) as db:
        state: DatabaseStatus | None = read_state(db)
    return {} if state is None else {row["simulation_year"]: row["run_id"] for row in state.checkpoints}


def _read(path: Path) -> tuple[Copy | None, str]:
    """The mapping in a JSON file, or None and why there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return None, f"it cannot be read ({error.strerror})"
    except (ValueError, RecursionError) as error:
        return None, f"it is no JSON, or half of one ({error})"
    return (content, "") if isinstance(content, dict) else (None, "it holds no checkpoint")


def _foreign(path: Path, content: Copy) -> str:
    """Why a file is no copy of a checkpoint of ours; empty if it is one."""
    from planalign_orchestrator.database.checkpoints import WorkflowCheckpoint

    if {field.name for field in fields(WorkflowCheckpoint)} != content.keys():
        return "a file of the legacy runner or of another program"
    if path.name != f"year_{content['simulation_year']}.json":
        return f"it holds the year {content['simulation_year']}, which its name does not say"
    if not all(isinstance(content[name], str) for name in ("run_id", "completed_at", "database")):
        return "it names no run or no database"
    return ""


def _free_name(path: Path) -> Path:
    """The path, numbered if there is such a file already: nothing is replaced."""
    taken, number = path, 1
    while taken.exists():
        taken = path.with_name(f"{path.stem}.{number}{path.suffix}")
        number += 1
    return taken
