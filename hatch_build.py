"""Puts the compiled dbt plan into the wheel, so that an installed package simulates without dbt.

An editable install gets no plan: it belongs to a checkout, whose models change, and compiles on its first run.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLAN_IN_WHEEL = "planalign_orchestrator/project/plan.json"


class PlanBuildHook(BuildHookInterface[Any]):
    """Compiles `dbt/` of the source tree and adds the result to a standard wheel."""

    _scratch: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the plan to `build_data["force_include"]`; do nothing for an editable install."""
        if version == "editable":
            return
        self._scratch = tempfile.TemporaryDirectory(prefix="planalign-build-")
        plan = Path(self._scratch.name) / "plan.json"
        plan.write_bytes(compile_plan_of(Path(self.root)).encode())
        build_data["force_include"][str(plan)] = PLAN_IN_WHEEL

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the scratch folder once the wheel is written."""
        if self._scratch is not None:
            self._scratch.cleanup()


def compile_plan_of(root: Path) -> str:
    """Return the plan of the dbt project in the source tree `root`, as JSON text.

    The compiler is imported from that same tree: the package is not installed yet in a build environment.
    """
    sys.path.insert(0, str(root))
    try:
        from planalign_orchestrator.model.compile import compile_plan

        return compile_plan(root / "dbt")
    finally:
        sys.path.remove(str(root))
