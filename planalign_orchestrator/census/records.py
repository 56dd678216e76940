"""What goes into a census load and what comes out of it: plain, frozen values."""

import dataclasses
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class CensusSource:
    """Where a census lies and how to read it; the fields are the keys of the configuration's `census` section.

    `columns` maps standard names to the client's headings. `date_format` is a strptime format that every date text
    must have. `sheet` names the worksheet of an Excel file. `on_invalid_rows` says whether a bad row stops the load.
    """

    path: Path
    columns: dict[str, str] = field(default_factory=dict)
    ignore_columns: list[str] = field(default_factory=list)
    date_format: str | None = None
    sheet: str | None = None
    on_invalid_rows: Literal["fail", "quarantine"] = "fail"


@dataclass(frozen=True)
class OptionalColumn:
    """How often an optional column had a value among the loaded rows; `default` is what blanks became, if anything."""

    name: str
    heading: str | None
    given: int
    defaulted: int
    default: str | None


@dataclass(frozen=True)
class CensusSummary:
    """What a census holds. All counts are rows; `rows_read = rows_loaded + quarantined` and
    `rows_loaded = simulated + left_before_start + inactive_without_date`.

    `announced_exits` and everything after `quarantined` count simulated people; participants are those with a deferral
    rate above 0. `problems` says why rows were quarantined.
    `fingerprint` depends on the typed rows only, not on their order or on the file's bytes; fingerprints made by
    different DuckDB versions are not comparable.
    """

    path: str
    census_date: date
    rows_read: int
    rows_loaded: int
    simulated: int
    left_before_start: int
    inactive_without_date: int
    announced_exits: int
    quarantined: int
    levels_inferred: int
    participants: int
    participants_without_method: int
    participants_without_date: int
    prior_year_pay_derived: int
    optional_columns: tuple[OptionalColumn, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    fingerprint: str

    @property
    def level_inferred_share(self) -> float:
        """The share of simulated people whose level comes from their pay, 0..1."""
        return round(self.levels_inferred / self.simulated, 6) if self.simulated else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON-ready values, with the date as ISO text."""
        content = dataclasses.asdict(self)
        content["census_date"] = self.census_date.isoformat()
        content["level_inferred_share"] = self.level_inferred_share
        for key in ("optional_columns", "problems", "warnings", "notes"):
            content[key] = list(content[key])
        return content
