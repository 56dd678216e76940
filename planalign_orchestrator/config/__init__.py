"""The typed configuration of a run: loaded from YAML, environment and overrides, checked once, then immutable.

    config = load_simulation_config("config/simulation_config.yaml", overrides={"simulation.random_seed": 7})

Everything that can be wrong is reported in one ConfigurationError. The folder `sections` holds
the sections and their keys.
"""

from planalign_orchestrator.config.checks.testing_status import testing_status
from planalign_orchestrator.config.configuration import SimulationConfig
from planalign_orchestrator.config.dbt_vars import to_dbt_vars
from planalign_orchestrator.config.load import config_from_mapping, load_simulation_config
from planalign_orchestrator.config.sections.parameters import PARAMETER_TABLES
from planalign_orchestrator.config.show import (
    EffectiveValue,
    changes_in_words,
    config_fingerprint,
    config_json_schema,
    describe_change,
    describe_differences,
    effective_values,
)

__all__ = [
    "PARAMETER_TABLES",
    "EffectiveValue",
    "SimulationConfig",
    "changes_in_words",
    "config_fingerprint",
    "config_from_mapping",
    "config_json_schema",
    "describe_change",
    "describe_differences",
    "effective_values",
    "load_simulation_config",
    "testing_status",
    "to_dbt_vars",
]
