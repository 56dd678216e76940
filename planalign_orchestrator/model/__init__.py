"""The compiled model and its two drivers.

dbt compiles the project once per version of its files, so a native run needs neither dbt nor its start-up. `compiled`
says what a compiled model is. `cache` finds or makes one. `compile` makes it from `sources`, and `restrictions` refuses
what would make the two drivers disagree. `native_driver` executes the compiled statements, `dbt_driver` has dbt build
them; `driver` is what both promise.
"""

from planalign_orchestrator.model.cache import load_compiled_model
from planalign_orchestrator.model.compiled import (
    STAGES,
    Column,
    CompiledModel,
    DataTest,
    Model,
    ModelOfYears,
    Parameter,
    literal,
)

__all__ = [
    "STAGES",
    "Column",
    "CompiledModel",
    "DataTest",
    "Model",
    "ModelOfYears",
    "Parameter",
    "literal",
    "load_compiled_model",
]
