"""The assumption tables of a run: packaged, fitted to the census, or given by the configuration, table by table.

The tables are checked here, once, as a whole: bands that cover [0, infinity), labels that exist, weights that sum to
one. They are then written, each row with its source, to schema `parameters` of the simulation's file.
"""

from planalign_orchestrator.parameters.database import (
    changed_tables,
    fingerprints,
    write_parameters,
    write_years_from,
)
from planalign_orchestrator.parameters.levels import level_ids
from planalign_orchestrator.parameters.loading import ANY_LEVEL, Assumptions, Fitted, load_parameters
from planalign_orchestrator.parameters.tables import TABLES, ColumnSpec, ParameterTable, RunTables, TableSpec

__all__ = [
    "ANY_LEVEL",
    "TABLES",
    "Assumptions",
    "ColumnSpec",
    "Fitted",
    "ParameterTable",
    "RunTables",
    "TableSpec",
    "changed_tables",
    "fingerprints",
    "level_ids",
    "load_parameters",
    "write_parameters",
    "write_years_from",
]
