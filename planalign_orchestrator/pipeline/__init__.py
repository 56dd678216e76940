"""Runs a configuration on one database: inputs are checked, years are built and committed, files are published.

`orchestrator` decides what is run, `year` builds and commits years, `inputs` holds what they are made from, `publish`
writes the files that follow a commit; `backup`, `backup_files` and `setting_aside` keep what was simulated before.
"""

from planalign_orchestrator.database.checkpoints import WorkflowCheckpoint
from planalign_orchestrator.errors import PipelineStageError
from planalign_orchestrator.pipeline.orchestrator import PipelineOrchestrator, RunArtifacts
from planalign_orchestrator.pipeline.stages import ProgressEvent, StageDefinition, WorkflowStage

__all__ = [
    "PipelineOrchestrator",
    "PipelineStageError",
    "ProgressEvent",
    "RunArtifacts",
    "StageDefinition",
    "WorkflowCheckpoint",
    "WorkflowStage",
]
