"""The key figures of groups of people: by job level, bands, or a group that the census names.

A figure of a group has the expression of the register that `fct_annual_metrics` has it from. Figures that are not made
of people alone, such as forfeitures used, do not exist for a group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.model import load_compiled_model
from planalign_orchestrator.report_templates import ReportDimension
from planalign_orchestrator.reports.figures import METRICS, KeyFigure, key_figures
from planalign_orchestrator.reports.year import Metric

NOT_GIVEN: Final = "not given"

# SQL of the groups; what stands in the census is compared without case and outer blanks, as exclusions compare it
_OF_THE_YEAR: Final = {
    "level": ("people.level_id", "'level ' || people.level_id"),
    "age_band": ("people.current_age", "people.age_band"),
    "tenure_band": ("people.current_tenure", "people.tenure_band"),
}
_ENTRY: Final = "planalign.main.dim_employee"


@dataclass(frozen=True)
class GroupFigures:
    """The key figures of one group in one year, by name."""

    simulation_year: int
    group: str
    metrics: Mapping[str, Metric]

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "simulation_year": self.simulation_year,
            "group": self.group,
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
        }


@dataclass(frozen=True)
class Breakdown:
    """The figures of years by one dimension: the groups of a year in order, those without a value last."""

    dimension: ReportDimension
    groups: tuple[GroupFigures, ...]

    @property
    def is_of_census(self) -> bool:
        """Whether the groups are those of the census, which simulated hires do not have."""
        return self.dimension not in _OF_THE_YEAR

    @property
    def note(self) -> str:
        """What is to be known of the groups; empty where nothing is."""
        if not self.is_of_census:
            return ""
        return f"Simulated hires have no {self.dimension}; they and blanks of the census are '{NOT_GIVEN}'."

    @property
    def figures(self) -> tuple[KeyFigure, ...]:
        """The figures of every group, in the order of the register."""
        return tuple(figure for figure in key_figures() if figure.is_by_group)

    def to_dict(self) -> dict[str, Any]:
        """The breakdown as JSON values."""
        return {"dimension": self.dimension, "note": self.note, "groups": [group.to_dict() for group in self.groups]}


def read_breakdown(db: DatabaseConnectionManager, years: Sequence[int], dimension: ReportDimension) -> Breakdown:
    """Return the figures of years by a dimension. Errors: DatabaseError."""
    names = {figure.name for figure in key_figures() if figure.is_by_group}
    figures = [row for row in _register() if row["name"] in names]
    units = {row["name"]: row["unit"] for row in figures}
    rows = db.get_connection().execute(_statement(figures, dimension), {"years": sorted(set(years))}).fetchall()
    groups = []
    for year, group, *values in rows:
        metrics = {name: Metric(_exact(value), units[name]) for name, value in zip(units, values, strict=True)}
        groups.append(GroupFigures(year, group, metrics))
    return Breakdown(dimension, tuple(groups))


def _statement(figures: Sequence[Mapping[str, Any]], dimension: ReportDimension) -> str:
    """SQL of one row for each year and group, with the figures in their order."""
    joined = ""
    if dimension in _OF_THE_YEAR:
        order, label = _OF_THE_YEAR[dimension]
        key = label
    else:
        joined = f"inner join {_ENTRY} as entries on people.employee_id = entries.employee_id"
        order = label = f"nullif(trim(entries.{dimension}), '')"
        key = f"lower({label})"
    of_people = [f"{row['expression']} as {row['name']}" for row in figures if row.get("of") == "people"]
    totals = [f"{sql} as {name}" for row in figures for name, sql in row.get("totals", {}).items()]
    values = [f"({row['name'] if row.get('of') else row['expression']})::decimal(38, 6)" for row in figures]
    return f"""
        with people as (
            select people.*, {key} as group_key, {label} as group_label, {order} as group_order
            from planalign.main.fct_workforce_snapshot as people {joined}
            where list_contains($years, people.simulation_year)
        ),
        totals as (
            select
                simulation_year,
                group_key,
                coalesce(min(group_label), '{NOT_GIVEN}') as group_label,
                min(group_order) as group_order,
                {", ".join([*of_people, *totals])}
            from people group by simulation_year, group_key
        )
        select simulation_year, group_label, {", ".join(values)}
        from totals order by simulation_year, group_order nulls last, group_key nulls last
    """


def _register() -> Sequence[Mapping[str, Any]]:
    (mart,) = (model for model in load_compiled_model().marts if model.name == METRICS)
    return mart.register


def _exact(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
