"""The two drivers of the one model: `native` executes the compiled statements, `dbt` has dbt build them."""

from planalign_orchestrator.engine.dbt import DbtEngine
from planalign_orchestrator.engine.native import NativeEngine
from planalign_orchestrator.engine.protocol import Engine

__all__ = ["DbtEngine", "Engine", "NativeEngine"]
