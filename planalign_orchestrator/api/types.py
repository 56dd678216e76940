"""The types of results, which a renderer annotates with. Importing them loads DuckDB and Pydantic."""

from planalign_orchestrator.census import CensusSummary, Proposal
from planalign_orchestrator.config import EffectiveValue, SimulationConfig
from planalign_orchestrator.database.checkpoints import DatabaseStatus
from planalign_orchestrator.pipeline import ProgressEvent, RunArtifacts, WorkflowStage
from planalign_orchestrator.pipeline.backup_files import BackupFile
from planalign_orchestrator.reports import MultiYearSummary
from planalign_orchestrator.reports.comparison import Figure, RunComparison
from planalign_orchestrator.reports.differing_rows import Difference, RowComparison

__all__ = [
    "BackupFile",
    "CensusSummary",
    "DatabaseStatus",
    "Difference",
    "EffectiveValue",
    "Figure",
    "MultiYearSummary",
    "ProgressEvent",
    "Proposal",
    "RowComparison",
    "RunArtifacts",
    "RunComparison",
    "SimulationConfig",
    "WorkflowStage",
]
