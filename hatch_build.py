"""Lets no archive be built whose compiled model is not that of its dbt project: an installed package has no dbt."""

import json
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPILED_MODEL = "planalign_orchestrator/compiled_model.json"


class CompiledModelHook(BuildHookInterface[Any]):
    """Compares the key of the committed model with the sources in `dbt/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raise ValueError for a wheel with a model of other sources; an editable install compiles what is changed."""
        if version == "editable":
            return
        root = Path(self.root)
        compiled = json.loads((root / COMPILED_MODEL).read_text(encoding="utf-8"))
        if compiled["key"] != key_of_sources(root):
            raise ValueError(f"{COMPILED_MODEL} was compiled from other models than those in dbt/; run `make model`")


def key_of_sources(root: Path) -> str:
    """Return the key of the dbt project in the source tree `root`.

    The function is imported from that same tree: the package is not installed yet in a build environment.
    """
    sys.path.insert(0, str(root))
    try:
        from planalign_orchestrator.model.sources import source_key

        return source_key(root / "dbt")
    finally:
        sys.path.remove(str(root))
