"""The form of the rows in `run_metadata` and `checkpoints`: what is read from a file is believed only in this form."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Digest(_Row):
    rows: int
    digest: str
    columns: list[str]


class _Fingerprints(_Row):
    configuration: dict[str, Any]
    parameters: dict[str, str]
    census: Any
    model: str


class _Timings(_Row):
    stages: dict[str, float]
    models: dict[str, float]


class _Verdict(_Row):
    rule: str
    severity: Literal["error", "warning", "info"]
    passed: bool
    failures: int
    examples: list[str]
    is_invariant: bool
    description: str


class _Census(_Row):
    quarantined: int
    # a run of an earlier version knew of none
    earlier_spells: int = 0


class _Run(_Row):
    run_id: str
    started_at: dt.datetime
    requested_start_year: int
    requested_end_year: int
    engine: str
    scenario_id: str
    plan_design_id: str
    random_seed: int
    planalign_version: str
    duckdb_version: str
    configuration: dict[str, Any]
    census: _Census
    plan_testing: list[str]
    notes: list[str]


class _Year(_Row):
    simulation_year: Annotated[int, Field(ge=1900, le=2200)]
    run_id: str
    engine: str
    duckdb_version: str
    fingerprints: _Fingerprints
    digests: dict[str, _Digest]


class _Copy(_Year):
    completed_at: str
    database: str


class _Checkpoint(_Year):
    completed_at: dt.datetime
    timings: _Timings
    validation: list[_Verdict]


def check_copy(values: Mapping[str, Any]) -> None:
    """Refuse the values of a JSON copy of a checkpoint that are not as a run writes them. Errors: ValueError."""
    _Copy.model_validate(values)


def problem_of_state(runs: Sequence[Mapping[str, Any]], checkpoints: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what is wrong with the rows first, naming table, row and column; None when they are as a run writes them.

    The order of the rows is that of `run_metadata` by insertion and of `checkpoints` by year.
    """
    for table, form, rows in (("run_metadata", _Run, runs), ("checkpoints", _Checkpoint, checkpoints)):
        for number, row in enumerate(rows, start=1):
            try:
                form.model_validate(row)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                return f"{table}, row {number}, {'.'.join(map(str, first['loc']))}: {first['msg']}"
    known = {run["run_id"] for run in runs}
    strangers = [row["run_id"] for row in checkpoints if row["run_id"] not in known]
    if strangers:
        return f"checkpoints has a year of the run {strangers[0]}, which run_metadata does not have"
    years = [row["simulation_year"] for row in checkpoints]
    return "checkpoints has a year twice" if len(set(years)) < len(years) else None
