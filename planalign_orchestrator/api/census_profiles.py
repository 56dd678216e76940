"""Fitted assumptions beside the packaged ones, as `planalign census profile` shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from planalign_orchestrator.parameters.reading import packaged_table

if TYPE_CHECKING:
    from planalign_orchestrator.pipeline.inputs import LoadedInputs

Values = Mapping[str, str | None]


@dataclass(frozen=True)
class FittedRow:
    """A fitted row with its source, and the packaged row of the same level, by column; None where there is none."""

    table: str
    fitted: Values
    packaged: Values | None
    source: str


@dataclass(frozen=True)
class CensusProfile:
    """What would be fitted to a census of so many simulated people, and what would be said of it before a run."""

    path: str
    people: int
    rows: Sequence[FittedRow]
    warnings: Sequence[str]

    def of(self, table: str) -> list[FittedRow]:
        """Return the rows of a table."""
        return [row for row in self.rows if row.table == table]

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as JSON values; amounts and rates are texts with all their digits."""
        tables = {
            name: [
                {"fitted": dict(row.fitted), "packaged": row.packaged and dict(row.packaged), "source": row.source}
                for row in self.of(name)
            ]
            for name in dict.fromkeys(row.table for row in self.rows)
        }
        return {"path": self.path, "people": self.people, "tables": tables, "warnings": list(self.warnings)}


def profile_of(loaded: "LoadedInputs") -> CensusProfile:
    """Return the profile of what was fitted to a census."""
    tables = {table.name: table.records() for table in loaded.tables.of_year(loaded.tables.years[0])}
    packaged: dict[str, dict[str | None, Values]] = {
        "job_levels": {row["level_id"]: row for row in packaged_table("job_levels").records()},
        "new_hire_pay": {row["level_id"]: row for row in _packaged_hire_pay()},
        "new_hire_hours": {None: {"part_time_share": "0.000000", "part_time_hours_per_week": "20.00"}},
    }
    rows = [_row(name, row, packaged[name].get(row.get("level_id"))) for name in packaged for row in tables[name]]
    ages = packaged_table("new_hire_ages").records()
    fitted_ages = tables["new_hire_ages"]
    rows.append(
        FittedRow(
            "new_hire_ages",
            {"mean_age": _mean_age(fitted_ages)},
            {"mean_age": _mean_age(ages)},
            _source(fitted_ages[0]),
        )
    )
    return CensusProfile(loaded.summary.path, loaded.summary.simulated, rows, loaded.summary.warnings)


def _packaged_hire_pay() -> list[dict[str, str | None]]:
    """The packaged pay of hires as the amounts that it gives in the packaged ranges."""
    ranges = {row["level_id"]: row for row in packaged_table("job_levels").records()}
    rows = []
    for row in packaged_table("new_hire_pay").records():
        low, high = (Decimal(ranges[row["level_id"]][f"range_{end}"] or 0) for end in ("minimum", "maximum"))
        target = (low + (high - low) * Decimal(row["percentile"] or 0)) * Decimal(row["market_factor"] or 0)
        rows.append({"level_id": row["level_id"], "target_pay": f"{target:.2f}"})
    return rows


def _row(table: str, row: Values, packaged: Values | None) -> FittedRow:
    fitted = {name: value for name, value in row.items() if name != "source" and value is not None}
    return FittedRow(table, fitted, packaged, _source(row))


def _source(row: Values) -> str:
    return row["source"] or ""


def _mean_age(rows: Sequence[Values]) -> str:
    mean = sum(int(row["age"] or 0) * Decimal(row["weight"] or 0) for row in rows)
    return f"{mean:.1f}"
