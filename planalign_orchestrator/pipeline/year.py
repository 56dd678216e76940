"""A simulated year: `build_year` builds its models in memory, `commit_year` makes it part of the database.

A year is one transaction. It holds the marts, the registries, the verdicts of the rules and the checkpoint, so a year
is in the database exactly when its checkpoint is.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from planalign_orchestrator.background import BackgroundWork
from planalign_orchestrator.database import checkpoints
from planalign_orchestrator.database.checkpoints import WorkflowCheckpoint, duckdb_version
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import ValidationFailedError
from planalign_orchestrator.model import CompiledModel
from planalign_orchestrator.model.driver import Driver
from planalign_orchestrator.pipeline.publish import Publisher
from planalign_orchestrator.pipeline.setting_aside import finish_setting_aside
from planalign_orchestrator.pipeline.stages import MODEL_STAGES, Progress, WorkflowStage, timing
from planalign_orchestrator.registries import RegistryManager
from planalign_orchestrator.validation import DataValidator, ValidationResult, ValidationSeverity


@dataclass(frozen=True)
class YearContext:
    """What the years of one run have in common. `is_strict` rolls a year back that a rule of severity error refuses."""

    run_id: str
    first_year: int
    last_year: int
    db: DatabaseConnectionManager
    model: CompiledModel
    driver: Driver
    registries: RegistryManager
    validator_of: Callable[[int], DataValidator]
    publisher: Publisher
    progress: Progress
    fingerprints_of: Callable[[int], dict[str, Any]]
    is_strict: bool


@dataclass(frozen=True)
class BuiltYear:
    """A year whose models are built; seconds by stage and by model."""

    year: int
    stages: dict[str, float]
    models: dict[str, float]


def build_year(context: YearContext, year: int, earlier: BackgroundWork) -> BuiltYear:
    """Build the models of a year, stage by stage. Errors: PipelineStageError, those of the earlier commit."""
    stages: dict[str, float] = {}
    models: dict[str, float] = {}
    context.driver.begin_year(year)
    for definition in MODEL_STAGES:
        earlier.check()
        with context.progress.stage(year, definition.stage, stages):
            models |= context.driver.run_stage(definition.stage, year)
    return BuiltYear(year, stages, models)


def begin_commit(context: YearContext, earlier: BackgroundWork) -> ExitStack:
    """Begin the transaction of the year that was just built; it sees the year as it is now.

    The next year may replace the working tables while this one is committed.
    """
    earlier.wait()
    context.driver.end_year()
    with ExitStack() as stack:
        stack.enter_context(context.db.transaction())
        context.driver.pin_year()
        return stack.pop_all()


def commit_year(context: YearContext, built: BuiltYear, transaction: ExitStack) -> None:
    """Write, judge and commit a year, then publish its files. Errors: ValidationFailedError, those of the stages."""
    year, stages, is_last = built.year, built.stages, built.year == context.last_year
    with transaction:
        with timing(stages, "writing"):
            context.driver.write_marts(year, is_last=is_last)
        with timing(stages, "registries"):
            context.registries.update_post_year(year)
        with context.progress.stage(year, WorkflowStage.VALIDATION, stages):
            results = context.validator_of(year).validate_year_results(year, is_final_year=is_last)
        check_verdicts(results, year, is_strict=context.is_strict)
        checkpoint = _checkpoint(context, year)
        verdicts = DataValidator.to_report_dict(results)["results"]
        timings = {"stages": stages, "models": built.models}
        row = {**asdict(checkpoint), "timings": timings, "validation": verdicts}
        checkpoints.record_checkpoint(context.db.get_connection(), row)
    if year == context.first_year:
        finish_setting_aside(context.db.db_path)
    with context.progress.stage(year, WorkflowStage.REPORTING, {}):
        context.publisher.publish(checkpoint)


def check_verdicts(results: Sequence[ValidationResult], year: int, *, is_strict: bool) -> None:
    """Refuse a year that breaks an invariant of the model, or when strict any rule of severity error.

    Errors: ValidationFailedError naming the rules and examples; the year is rolled back by it.
    """
    broken = [
        result
        for result in results
        if not result.passed and (result.is_invariant or (is_strict and result.severity is ValidationSeverity.ERROR))
    ]
    if broken:
        lines = "\n".join(
            f"  - {result.rule}: {result.failures} rows, such as {'; '.join(result.examples)}" for result in broken
        )
        raise ValidationFailedError(f"year {year} was rolled back, {len(broken)} validation rules failed:\n{lines}")


def _checkpoint(context: YearContext, year: int) -> WorkflowCheckpoint:
    return WorkflowCheckpoint(
        simulation_year=year,
        run_id=context.run_id,
        completed_at=checkpoints.now().isoformat(timespec="seconds"),
        engine=context.driver.name,
        duckdb_version=duckdb_version(),
        database=context.db.db_path.name,
        fingerprints=context.fingerprints_of(year),
        digests=checkpoints.mart_digests(context.db.get_connection(), context.model.marts, year),
    )
