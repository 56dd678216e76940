"""Finds the plan of the installed project: shipped with the wheel, compiled before, or compiled now.

A plan is executed as it is read. So one that is not whole, or that somebody else may have written, is as good as none.
"""

import hashlib
import json
import logging
import os
import stat
import tempfile
from pathlib import Path

from planalign_orchestrator import project
from planalign_orchestrator.errors import PlanCompilationError
from planalign_orchestrator.model.compiled import Plan
from planalign_orchestrator.model.sources import compiler_versions, source_key
from planalign_orchestrator.system import user_id

_LOGGER = logging.getLogger(__name__)


def load_plan() -> Plan:
    """Return the plan of the installed dbt project: shipped with the wheel, from the user's cache, or compiled now.

    A plan that is cut, empty or changed is compiled anew. Errors: PlanCompilationError when that cannot be done.
    """
    project_dir = project.dbt_project()
    key = source_key(project_dir)
    shipped = project.shipped_plan()
    plan, damage = _read(shipped) if shipped.is_file() else (None, None)
    if plan is not None and plan.key == key:
        return plan
    versions = compiler_versions()
    name = hashlib.sha256(json.dumps([key, versions]).encode()).hexdigest()[:32]
    cached = cache_directory() / f"plan-{name}.json"
    plan, reason = _read_own(cached)
    if plan is not None and plan.key == key:
        return plan
    if reason is not None:
        _LOGGER.info("%s is not used, and the model is compiled anew: %s", cached, reason)
    text = _compile(project_dir, None if damage is None else f"{shipped}: {damage}")
    _store(cached, text)
    return Plan.from_json(text)


def cache_directory() -> Path:
    """Return the folder of compiled plans: the user's cache, or a temporary folder where that cannot be written.

    Errors: PlanCompilationError when neither is a folder that only this user writes.
    """
    import platformdirs

    preferred = Path(platformdirs.user_cache_dir("planalign"))
    if _is_writable(preferred):
        return preferred
    temporary = Path(tempfile.gettempdir()) / f"planalign-{user_id()}"
    if _is_writable(temporary, private=True):
        return temporary
    raise PlanCompilationError(
        f"no folder for the compiled plan: {preferred} cannot be written, and {temporary} is not a folder of this user "
        "alone (mode 0700); make one of them so"
    )


def _is_writable(folder: Path, *, private: bool = False) -> bool:
    """Whether this user owns the folder, which is made if missing, and can write it; a private one nobody else enters.

    The name of a private one may be a link that somebody else made, so it is not followed.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat() if private else folder.stat()
    except OSError:
        return False
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user_id() or not os.access(folder, os.W_OK | os.X_OK):
        return False
    return not private or stat.S_IMODE(found.st_mode) & 0o077 == 0


def _read_own(path: Path) -> tuple[Plan | None, str | None]:
    """Read a plan of the cache as `_read` does, but only from a regular file that this user owns."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None, None
    if not stat.S_ISREG(found.st_mode) or found.st_uid != user_id():
        return None, "it is not a file of this user"
    return _read(path)


def _read(path: Path) -> tuple[Plan | None, str | None]:
    """Return the plan of a file, or None and what is wrong with it."""
    try:
        return Plan.from_json(path.read_text(encoding="utf-8")), None
    except (OSError, UnicodeDecodeError, PlanCompilationError) as error:
        return None, str(error)


def _compile(project_dir: Path, damaged: str | None) -> str:
    """Return the project's plan as JSON text; `damaged` says what is wrong with the one that was installed."""
    from planalign_orchestrator.model.compile import compile_plan

    missing = ", ".join(package for package, found in compiler_versions().items() if found == "none")
    if missing and damaged is not None:
        raise PlanCompilationError(
            f"the installation is damaged: {damaged}. Install planalign-orchestrator again "
            f"(pip install --force-reinstall --no-deps); to compile the model here, {missing} is not installed"
        )
    if missing:
        raise PlanCompilationError(
            f"the model in {project_dir} has to be compiled, and {missing} is not installed; "
            "install planalign-orchestrator[dbt]"
        )
    return compile_plan(project_dir)


def _store(path: Path, text: str) -> None:
    """Write under a temporary name and rename: another process sees the whole plan or none.

    A plan that cannot be kept is still good for this run; the next one compiles it again, and says so again.
    """
    draft = None
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except OSError as error:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)
        _LOGGER.warning("the compiled model cannot be kept as %s (%s); the next run compiles it again", path, error)
