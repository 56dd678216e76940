"""PlanAlign Orchestrator: projects a workforce and its 401(k) plan year by year, every change an event."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planalign_orchestrator.reports import MultiYearSummary, YearAuditReport

__all__ = ["run_multi_year", "run_year"]


def run_multi_year(
    config_path: str | Path, start_year: int | None = None, end_year: int | None = None
) -> "MultiYearSummary":
    """Simulate the years of a configuration, or others, into its database and return their summary.

    Errors: PlanAlignError of the kind that `PipelineOrchestrator.execute_multi_year_simulation` names.
    """
    from planalign_orchestrator.config import load_simulation_config
    from planalign_orchestrator.factory import build_orchestrator

    orchestrator = build_orchestrator(load_simulation_config(config_path))
    return orchestrator.execute_multi_year_simulation(start_year, end_year)


def run_year(config_path: str | Path, year: int) -> "YearAuditReport":
    """Simulate one year on top of the finished ones of the configuration's database and return its report.

    The first year begins anew; any other must follow the last finished year. A database that holds later years is
    refused. Errors: ResumeError, and as `run_multi_year`.
    """
    from planalign_orchestrator.config import load_simulation_config
    from planalign_orchestrator.database.checkpoints import read_status
    from planalign_orchestrator.database.connection import DatabaseConnectionManager
    from planalign_orchestrator.errors import ResumeError
    from planalign_orchestrator.factory import build_orchestrator
    from planalign_orchestrator.reports import YearAuditor

    config = load_simulation_config(config_path)
    database, first = config.runtime.database, config.simulation.start_year
    finished = read_status(database).years if year != first or database.exists() else []
    if any(found > year for found in finished):
        raise ResumeError(
            f"{database} holds {finished[0]}-{finished[-1]}, and {year} alone would take their place; use another "
            "database, or move that file away"
        )
    if year != first and finished[-1:] != [year - 1]:
        raise ResumeError(
            f"{database} holds {finished or 'no year'}, so {year} cannot follow; simulate {year - 1} first"
        )
    orchestrator = build_orchestrator(config)
    orchestrator.execute_multi_year_simulation(end_year=year, resume_from_checkpoint=year != first)
    with DatabaseConnectionManager(database, read_only=True) as db:
        return YearAuditor(db).generate_report(year)
