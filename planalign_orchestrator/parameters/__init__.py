"""The assumption tables of a run: packaged defaults, replaced table by table from the configuration.

The tables are checked here, once, as a whole: bands that cover [0, infinity), labels that exist, weights that sum to
one. They are then written, each row with its source, to schema `parameters` of the simulation's file.
"""

from planalign_orchestrator.parameters.database import (
    changed_tables,
    fingerprints,
    write_parameters,
    write_years_from,
)
from planalign_orchestrator.parameters.loading import level_ids, load_parameters
from planalign_orchestrator.parameters.tables import TABLES, ColumnSpec, ParameterTable, TableSpec

__all__ = [
    "TABLES",
    "ColumnSpec",
    "ParameterTable",
    "TableSpec",
    "changed_tables",
    "fingerprints",
    "level_ids",
    "load_parameters",
    "write_parameters",
    "write_years_from",
]
