"""Finds the plan of the installed project: shipped with the wheel, compiled before, or compiled now."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from planalign_orchestrator import project
from planalign_orchestrator.errors import PlanCompilationError
from planalign_orchestrator.plan_compiler.plan import Plan
from planalign_orchestrator.plan_compiler.sources import compiler_versions, source_key


def load_plan() -> Plan:
    """Return the plan of the installed dbt project: shipped with the wheel, from the user's cache, or compiled now."""
    project_dir = project.dbt_project()
    key = source_key(project_dir)
    shipped = project.shipped_plan()
    if shipped.is_file():
        plan = Plan.from_json(shipped.read_text(encoding="utf-8"))
        if plan.key == key:
            return plan
    versions = compiler_versions()
    name = hashlib.sha256(json.dumps([key, versions]).encode()).hexdigest()[:32]
    folder = cache_directory()
    cached = folder / f"plan-{name}.json"
    if not cached.is_file():
        from planalign_orchestrator.plan_compiler.compiling import compile_plan

        if "none" in versions.values():
            missing = ", ".join(package for package, found in versions.items() if found == "none")
            raise PlanCompilationError(
                f"the model in {project_dir} has to be compiled, and {missing} is not installed; "
                "install planalign-orchestrator[dbt]"
            )
        _store(cached, compile_plan(project_dir))
    return Plan.from_json(cached.read_text(encoding="utf-8"))


def cache_directory() -> Path:
    """Return the folder of compiled plans: the user's cache, or a temporary folder where that cannot be written."""
    import platformdirs

    preferred = Path(platformdirs.user_cache_dir("planalign"))
    for folder in (preferred, Path(tempfile.gettempdir()) / f"planalign-{os.getuid()}"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    raise PlanCompilationError(
        f"no folder for the compiled plan: neither {preferred} nor the temporary folder can be written"
    )


def _store(path: Path, text: str) -> None:
    """Write under a temporary name and rename: another process sees the whole plan or none."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
