"""Finds the compiled model of the installed project: the committed one, one compiled before, or one compiled now.

A compiled model is executed as it is read. One that is cut, or that somebody else may have written, is not used.
"""

import hashlib
import json
import logging
import os
import stat
import tempfile
from pathlib import Path

from planalign_orchestrator import project
from planalign_orchestrator.errors import ModelCompilationError
from planalign_orchestrator.model.compiled import CompiledModel
from planalign_orchestrator.model.sources import compiler_versions, source_key
from planalign_orchestrator.system import user_id

_LOGGER = logging.getLogger(__name__)


def load_compiled_model() -> CompiledModel:
    """Return the compiled model of the dbt project: the committed one, that of the user's cache, or compiled now.

    The committed one is used while the project is what it was compiled from. One that is cut, empty or changed is
    compiled anew. Errors: ModelCompilationError when that cannot be done.
    """
    project_dir = project.dbt_project()
    key = source_key(project_dir)
    committed = project.committed_model()
    compiled, damage = _read(committed) if committed.is_file() else (None, None)
    if compiled is not None and compiled.key == key:
        return compiled
    versions = compiler_versions()
    name = hashlib.sha256(json.dumps([key, versions]).encode()).hexdigest()[:32]
    cached = cache_directory() / f"model-{name}.json"
    compiled, reason = _read_own(cached)
    if compiled is not None and compiled.key == key:
        return compiled
    if reason is not None:
        _LOGGER.info("%s is not used, and the model is compiled anew: %s", cached, reason)
    text = _compile(project_dir, None if damage is None else f"{committed}: {damage}")
    _store(cached, text)
    return CompiledModel.from_json(text)


def cache_directory() -> Path:
    """Return the folder of compiled models: the user's cache, or a temporary folder where that cannot be written.

    Errors: ModelCompilationError when neither is a folder that only this user writes.
    """
    import platformdirs

    preferred = Path(platformdirs.user_cache_dir("planalign"))
    if _is_writable(preferred):
        return preferred
    temporary = Path(tempfile.gettempdir()) / f"planalign-{user_id()}"
    if _is_writable(temporary, private=True):
        return temporary
    raise ModelCompilationError(
        f"no folder for the compiled model: {preferred} cannot be written, and {temporary} is not a folder of this "
        "user alone (mode 0700); make one of them so"
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


def _read_own(path: Path) -> tuple[CompiledModel | None, str | None]:
    """Read a compiled model of the cache as `_read` does, but only from a regular file that this user owns."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None, None
    if not stat.S_ISREG(found.st_mode) or found.st_uid != user_id():
        return None, "it is not a file of this user"
    return _read(path)


def _read(path: Path) -> tuple[CompiledModel | None, str | None]:
    """Return the compiled model of a file, or None and what is wrong with it."""
    try:
        return CompiledModel.from_json(path.read_text(encoding="utf-8")), None
    except (OSError, UnicodeDecodeError, ModelCompilationError) as error:
        return None, str(error)


def _compile(project_dir: Path, damaged: str | None) -> str:
    """Return the project's compiled model as JSON text; `damaged` says what is wrong with the committed one."""
    from planalign_orchestrator.model.compile import compile_model

    missing = ", ".join(package for package, found in compiler_versions().items() if found == "none")
    if missing and damaged is not None:
        raise ModelCompilationError(
            f"the installation is damaged: {damaged}. Install planalign-orchestrator again "
            f"(pip install --force-reinstall --no-deps); to compile the model here, {missing} is not installed"
        )
    if missing:
        raise ModelCompilationError(
            f"the model in {project_dir} is not the one that was compiled with this version, and {missing} is not "
            "installed to compile it; install planalign-orchestrator[dbt], or undo the change"
        )
    return compile_model(project_dir)


def _store(path: Path, text: str) -> None:
    """Write under a temporary name and rename: another process sees the whole file or none.

    A compiled model that cannot be kept is still good for this run; the next one compiles it again, and says so again.
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
