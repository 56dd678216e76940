"""Simulates a configuration, and says what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.pipeline import ProgressEvent, RunArtifacts
    from planalign_orchestrator.reports import MultiYearSummary


@dataclass(frozen=True)
class RunResult:
    """The summary of the simulated years and what was written."""

    summary: "MultiYearSummary"
    artifacts: "RunArtifacts"

    @property
    def failed_error_rules(self) -> dict[int, list[str]]:
        """The rules of severity error that failed, by year: such years are kept unless told otherwise."""
        failed = {
            year: [verdict.rule for verdict in verdicts if not verdict.passed and verdict.severity == "error"]
            for year, verdicts in self.summary.validation.items()
        }
        return {year: rules for year, rules in failed.items() if rules}

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        artifacts = self.artifacts
        return {
            "summary": self.summary.to_dict(),
            "artifacts": {
                "database": str(artifacts.database),
                "backup": _text(artifacts.backup),
                "reports": [str(path) for path in artifacts.reports],
                "checkpoints": [str(path) for path in artifacts.checkpoints],
                "run_vars": _text(artifacts.run_vars),
                "notes": list(artifacts.notes),
            },
            "failed_error_rules": {str(year): rules for year, rules in self.failed_error_rules.items()},
        }


def run(
    config: "SimulationConfig", *, resume: bool = False, on_progress: "Callable[[ProgressEvent], None] | None" = None
) -> RunResult:
    """Simulate the years of a configuration into its database; with `resume` go on after the last finished year.

    Every finished year stays. Errors: ConfigurationError, CensusError, ResumeError, DatabaseError, PipelineStageError,
    ValidationFailedError.
    """
    from planalign_orchestrator.factory import build_orchestrator

    orchestrator = build_orchestrator(config, on_progress=on_progress)
    summary = orchestrator.execute_multi_year_simulation(resume_from_checkpoint=resume)
    return RunResult(summary, orchestrator.artifacts)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
