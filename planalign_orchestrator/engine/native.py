"""Runs the compiled model natively: the plan's statements, in order, on one DuckDB connection.

It knows no model by name and holds no rule: stages, order, contracts and parameters all come from the plan.
"""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.engine import session
from planalign_orchestrator.errors import PipelineStageError
from planalign_orchestrator.plan_compiler import Model, Plan

if TYPE_CHECKING:
    import duckdb

# The models name their tables in the order in which they are to be joined and say nothing twice, so these searches cost
# a sixth of a small company's year and gain nothing at 100,000 people. A draw is looked up in a dozen months or bands:
# comparing it with each is quicker than sorting all people.
_SETTINGS = """
set disabled_optimizers =
    'join_order,common_subplan,projection_pullup,join_filter_pushdown,join_elimination,aggregate_reuse';
set nested_loop_join_threshold = 64;
"""


class NativeEngine:
    """Executes a plan year by year inside the caller's transactions; after a rollback another engine must be made."""

    name = "native"

    def __init__(self, plan: Plan, connection: "duckdb.DuckDBPyConnection") -> None:
        self.plan = plan
        self._connection = connection
        connection.execute(_SETTINGS)
        # parsed once a run: parsing is a fifth of the time of a small company's year
        self._statements = {model.name: connection.extract_statements(_statement(model))[0] for model in plan.models}
        self._made: set[str] = set()
        self._values: dict[str, Any] = {}

    def create_marts(self) -> None:
        """Begin a run: create every mart from its contract; a mart that exists must have exactly these columns."""
        self._made.clear()
        session.create_marts(self._connection, self.plan)

    def begin_year(self, year: int, parameters: Mapping[str, Any]) -> None:
        """Set every parameter of the plan, typed. The marts hold nothing of the year yet.

        Errors: PlanCompilationError when the parameters are not exactly those the plan reads, or one is None.
        """
        values = session.values_of_year(self.plan, year, parameters)
        # variables outlive a transaction, so from the second year on only the year has changed
        session.set_parameters(self._connection, self.plan, values, self._values)
        self._values = values

    def run_stage(self, stage: str, year: int) -> dict[str, float]:
        """Execute the stage's models in order; return seconds by model. Errors: PipelineStageError naming the model."""
        timings: dict[str, float] = {}
        for model in self.plan.models:
            if model.stage == stage and not self._stands(model):
                started = time.perf_counter()
                self._execute(model, year)
                timings[model.name] = time.perf_counter() - started
        return timings

    def _stands(self, model: Model) -> bool:
        """Whether what an earlier year of this run made is this year's too: the rule is off, or knows no years."""
        if model.name not in self._made:
            return False
        if model.only_when is not None:
            parameter, value = model.only_when
            return str(self._values[parameter]).lower() != value.lower()
        return not model.is_yearly

    def _execute(self, model: Model, year: int) -> None:
        import duckdb

        try:
            self._connection.execute(self._statements[model.name])
            self._made.add(model.name)
        except (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException):
            raise
        except duckdb.Error as error:
            text = str(error)
            if (refusal := session.refusal_in(text)) is not None:
                raise refusal from error
            raise PipelineStageError(
                f"year {year}, stage {model.stage}, model {model.name}: {text}; the year was rolled back"
            ) from error


def _statement(model: Model) -> str:
    if not model.is_mart:
        return f"create or replace temp table {model.name} as\n{model.sql}"
    columns = ", ".join(column.name for column in model.columns)
    return f"insert into planalign.main.{model.name} ({columns})\n{model.sql}"
