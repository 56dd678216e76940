"""One simulated year as a report: headcount, events, key figures, verdicts of the validation rules, notes of the run.

Every figure is a row of `fct_annual_metrics`; the counts by status, level, type and category are counts of mart rows. A
report of many years costs the same queries as a report of one.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from planalign_orchestrator.census.records import SET_ASIDE
from planalign_orchestrator.database.checkpoints import read_state
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.database.resuming import changes_by_year
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.files.atomic import write_atomically
from planalign_orchestrator.files.replacing import PRODUCT
from planalign_orchestrator.validation import DataValidator, ValidationResult, ValidationSeverity
from planalign_orchestrator.validation.results import name_people

REPORT_VERSION = 1
_SCHEMA = Path(__file__).with_name("year_report.schema.json")

_METRICS = """
select simulation_year, metric, value, unit
from planalign.main.fct_annual_metrics
where list_contains($years, simulation_year)
order by simulation_year, metric
"""
_EVENTS = """
select simulation_year, event_type, event_category, count(*)
from planalign.main.fct_yearly_events
where list_contains($years, simulation_year)
group by all
order by all
"""
_LIMITS = """
select limit_year, to_json(limits)::varchar
from planalign.parameters.irs_limits as limits
where list_contains($years, limit_year)
"""
_PEOPLE = """
select simulation_year, detailed_status_code, level_id, employment_status = 'active', count(*)
from planalign.main.fct_workforce_snapshot
where list_contains($years, simulation_year)
group by all
order by all
"""


@dataclass(frozen=True)
class Metric:
    """A key figure: `value` is None for a ratio over nothing; `unit` is people, events, rate, USD or USD a year."""

    value: Decimal | None
    unit: str

    def to_dict(self) -> dict[str, Any]:
        """The figure as JSON values: a whole number where it is one."""
        return {"value": None if self.value is None else json_number(self.value), "unit": self.unit}


@dataclass(frozen=True)
class WorkforceBreakdown:
    """The people of a year: opening + acquired - terminations - layoffs + hires - new_hire_terminations = closing.

    `by_status` counts everyone employed at any time in the year; `by_level` those active at the close.
    """

    simulation_year: int
    opening: int
    acquired: int
    terminations: int
    layoffs: int
    hires: int
    new_hire_terminations: int
    closing: int
    equation: str
    by_status: dict[str, int]
    by_level: dict[int, int]


@dataclass(frozen=True)
class EventSummary:
    """Counts of the ledger's events of a year, by type and, within each type, by category."""

    total: int
    by_type: dict[str, int]
    by_category: dict[str, dict[str, int]]


@dataclass(frozen=True)
class YearAuditReport:
    """Everything that is reported about one simulated year; `database` is the name of the file it was read from.

    `irs_limits` are the limits of that year in USD by name, None for a rule that was not in force, and whether they are
    projected; `plan_testing` says which nondiscrimination tests the plan needs. `changes` says what the year was made
    from otherwise than the year before. `rows_set_aside` counts the rows of the census that were not used.
    """

    database: str
    run_id: str
    scenario_id: str
    plan_design_id: str
    simulation_year: int
    rows_set_aside: int
    workforce_breakdown: WorkforceBreakdown
    event_summary: EventSummary
    metrics: dict[str, Metric]
    irs_limits: dict[str, Any]
    plan_testing: tuple[str, ...]
    changes: tuple[str, ...]
    validation: tuple[ValidationResult, ...]
    notes: tuple[str, ...]

    @property
    def set_aside(self) -> list[str]:
        """How many rows of the census were set aside and why; nothing where all were used."""
        return [note for note in self.notes if note.startswith(SET_ASIDE)]

    def value(self, metric: str) -> Decimal | None:
        """The value of a key figure; raises DatabaseError if the year has no such figure."""
        if metric not in self.metrics:
            raise DatabaseError(f"fct_annual_metrics has no {metric} for {self.simulation_year}")
        return self.metrics[metric].value

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values, in a stable order of keys."""
        return {
            "product": PRODUCT,
            "report_version": REPORT_VERSION,
            "database": self.database,
            "run_id": self.run_id,
            "scenario_id": self.scenario_id,
            "plan_design_id": self.plan_design_id,
            "simulation_year": self.simulation_year,
            "rows_set_aside": self.rows_set_aside,
            "set_aside": self.set_aside,
            "workforce_breakdown": asdict(self.workforce_breakdown),
            "event_summary": asdict(self.event_summary),
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
            "irs_limits": self.irs_limits,
            "plan_testing": list(self.plan_testing),
            "changes": list(self.changes),
            "validation": [asdict(verdict) for verdict in self.validation],
            "notes": list(self.notes),
        }

    def export_json(self, path: str | Path) -> Path:
        """Write the report to `path`, whole or not at all; returns the path.

        One that names people, as examples of a broken rule, is readable for this user alone.
        """
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        write_atomically(Path(path), text, private=name_people(self.validation))
        return Path(path)


def report_schema() -> dict[str, Any]:
    """The JSON Schema of a year's JSON report, of the version that each report names in `report_version`."""
    schema: dict[str, Any] = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return schema


class YearAuditor:
    """Reports single years of a simulation database.

    The verdicts are those that the year's checkpoint keeps; other rules of `validator` are judged now.
    """

    def __init__(self, db: DatabaseConnectionManager, validator: DataValidator | None = None) -> None:
        self._db = db
        self._validator = validator

    def generate_report(self, year: int) -> YearAuditReport:
        """The report of `year`; raises DatabaseError if the database does not hold it."""
        report = read_years(self._db, [year])[0]
        if self._validator is None:
            return report
        known = {result.rule for result in report.validation}
        judged = self._validator.validate_year_results(year)
        return replace(report, validation=(*report.validation, *(found for found in judged if found.rule not in known)))


def read_years(db: DatabaseConnectionManager, years: Sequence[int]) -> list[YearAuditReport]:
    """The reports of `years`, in calendar order; raises DatabaseError naming the years the database does not hold."""
    wanted = sorted(set(years))
    status = read_state(db)
    held = status.years if status is not None else []
    missing = [str(year) for year in wanted if year not in held]
    if status is None or missing:
        finished = ", ".join(map(str, held)) or "none"
        raise DatabaseError(f"{db.db_path} does not hold {', '.join(missing)}; its finished years are {finished}")
    if not wanted:
        raise DatabaseError(f"{db.db_path}: no year to report was named")
    metrics, events, people, limits = (_by_year(db, query, wanted) for query in (_METRICS, _EVENTS, _PEOPLE, _LIMITS))
    runs = {run["run_id"]: run for run in status.runs}
    changes = changes_by_year(status.checkpoints)
    return [
        _report(
            row,
            runs[row["run_id"]],
            metrics.get(year, []),
            events.get(year, []),
            people.get(year, []),
            limits[year],
            changes[year],
            db.db_path.name,
        )
        for row in status.checkpoints
        if (year := row["simulation_year"]) in wanted
    ]


def json_number(value: Decimal) -> int | float:
    """`value` as JSON writes it: whole figures without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


def _report(
    checkpoint: dict[str, Any],
    run: dict[str, Any],
    metrics: list[tuple[Any, ...]],
    events: list[tuple[Any, ...]],
    people: list[tuple[Any, ...]],
    limits: list[tuple[Any, ...]],
    changes: tuple[str, ...],
    database: str,
) -> YearAuditReport:
    year = checkpoint["simulation_year"]
    figures = {name: Metric(value, unit) for name, value, unit in metrics}
    return YearAuditReport(
        database=database,
        run_id=run["run_id"],
        scenario_id=run["scenario_id"],
        plan_design_id=run["plan_design_id"],
        simulation_year=year,
        rows_set_aside=run["census"]["quarantined"] + run["census"].get("earlier_spells", 0),
        workforce_breakdown=_workforce(year, figures, people),
        event_summary=_events(events),
        metrics=figures,
        irs_limits=json.loads(limits[0][0], parse_float=lambda text: json_number(Decimal(text))),
        plan_testing=tuple(run["plan_testing"]),
        changes=changes,
        validation=tuple(_verdict(entry) for entry in checkpoint["validation"]),
        notes=tuple(run["notes"]),
    )


def _workforce(year: int, figures: dict[str, Metric], people: list[tuple[Any, ...]]) -> WorkforceBreakdown:
    """The headcounts are the year's metrics; only the counts by status and level are counted here."""
    opening, acquired, terminations, layoffs, hires, new_hire_terminations, closing = (
        _count(figures, name, year)
        for name in (
            "opening_headcount",
            "acquired",
            "terminations",
            "layoffs",
            "hires",
            "new_hire_terminations",
            "closing_headcount",
        )
    )
    beginning = f"{opening:,} + {acquired:,}" if acquired else f"{opening:,}"
    leaving = f"{terminations:,} - {layoffs:,}" if layoffs else f"{terminations:,}"
    by_status: dict[str, int] = {}
    by_level: dict[int, int] = {}
    for status, level, active, count in people:
        by_status[status] = by_status.get(status, 0) + count
        if active:
            by_level[level] = by_level.get(level, 0) + count
    return WorkforceBreakdown(
        simulation_year=year,
        opening=opening,
        acquired=acquired,
        terminations=terminations,
        layoffs=layoffs,
        hires=hires,
        new_hire_terminations=new_hire_terminations,
        closing=closing,
        equation=f"{beginning} - {leaving} + {hires:,} - {new_hire_terminations:,} = {closing:,}",
        by_status=by_status,
        by_level=dict(sorted(by_level.items())),
    )


def _count(figures: dict[str, Metric], name: str, year: int) -> int:
    value = figures[name].value if name in figures else None
    if value is None:
        raise DatabaseError(f"fct_annual_metrics has no {name} for {year}")
    return int(value)


def _events(rows: list[tuple[Any, ...]]) -> EventSummary:
    by_category: dict[str, dict[str, int]] = {}
    for event_type, category, count in rows:
        by_category.setdefault(event_type, {})[category] = count
    by_type = {event_type: sum(counts.values()) for event_type, counts in by_category.items()}
    return EventSummary(sum(by_type.values()), by_type, by_category)


def _verdict(entry: dict[str, Any]) -> ValidationResult:
    return ValidationResult(
        **{**entry, "severity": ValidationSeverity(entry["severity"]), "examples": tuple(entry["examples"])}
    )


def _by_year(db: DatabaseConnectionManager, query: str, years: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    """The rows of a query by their first column, the simulated year, without it."""
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for year, *rest in db.get_connection().execute(query, {"years": years}).fetchall():
        groups.setdefault(year, []).append(tuple(rest))
    return groups
