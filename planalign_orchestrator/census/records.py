"""What goes into a census load and what comes out of it: plain, frozen values."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

# how the note of a run begins that says which rows of the census were not used
SET_ASIDE: Final = "census, set aside: "
WARNING: Final = "census, warning: "

# a column of the census and a value in it
Group = tuple[str, str]
# groups that the configuration names, with the key that does
NO_GROUPS: Mapping[Group, str] = {}


@dataclass(frozen=True)
class CensusSource:
    """Where a census lies and how to read it; the fields are the keys of the configuration's `census` section.

    `columns` maps standard names to the client's headings. `date_format` is a strptime format that every date text
    must have. `sheet` names the worksheet of an Excel file. `on_invalid_rows` says whether a bad row stops the load.
    With `duplicates: latest_spell` rows of one id are its employments, of which the newest counts.
    `ignore_rows` holds a `column` (by standard name or heading) and the `values` in it of rows that are no people.
    `level_cuts` is for those who fit levels; the load itself does not read it.
    `values` gives the meaning of codes (a text that the column can hold, None for a blank) by column, `units` the unit
    of the numbers by column. `pay_basis` says what pay is for, `default_hours` are the weekly hours of people without
    any, and exits on the `no_end_date` are none. A
    larger share of rows than `most_set_aside` stops the load even where bad rows are set aside. With
    `hash_ids` the ids are hashed with the key in the file `id_key`, which is no key of the configuration.
    """

    path: Path
    columns: dict[str, str] = field(default_factory=dict)
    ignore_columns: list[str] = field(default_factory=list)
    date_format: str | None = None
    sheet: str | None = None
    on_invalid_rows: Literal["fail", "quarantine"] = "fail"
    duplicates: Literal["fail", "latest_spell"] = "fail"
    encoding: str | None = None
    header_row: int | None = None
    last_row: int | None = None
    ignore_rows: Mapping[str, Any] | None = None
    level_cuts: Sequence[Decimal] = ()
    values: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    pay_basis: Literal["actual", "full_time_equivalent"] = "actual"
    default_hours: Decimal | None = None
    no_end_date: date | None = None
    most_set_aside: Decimal = Decimal("0.05")
    hash_ids: bool = False
    id_key: Path | None = None

    @property
    def needs_hours(self) -> bool:
        """Whether the pay of a person is not known without the scheduled hours."""
        return self.units.get("employee_gross_compensation") == "hourly" or self.pay_basis != "actual"


@dataclass(frozen=True)
class OptionalColumn:
    """How often an optional column had a value among the loaded rows; `default` is what blanks became, if anything."""

    name: str
    heading: str | None
    given: int
    defaulted: int
    default: str | None


@dataclass(frozen=True)
class Example:
    """A row that stands for others, and the value in it that matters, quoted and escaped (see `sql.quoted_value`)."""

    row: int
    value: str | None

    def __str__(self) -> str:
        """Return the words for the screen."""
        return f"row {self.row}" if self.value is None else f"row {self.row} {self.value}"


FindingKind = Literal["problem", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """A sentence about the rows: why some were quarantined (`problem`), a `warning`, or a `note`.

    `text` shows values of the census and is for the screen; `without_values` has row numbers and counts only, and is
    what may be kept and passed on.
    """

    kind: FindingKind
    text: str
    without_values: str

    @classmethod
    def plain(cls, kind: FindingKind, text: str) -> "Finding":
        """Return a sentence in which there is no value."""
        return cls(kind, text, text)

    @classmethod
    def with_examples(cls, kind: FindingKind, before: str, examples: Sequence[Example], after: str) -> "Finding":
        """Return a sentence with examples in the middle of it."""
        rows = ", ".join(f"row {example.row}" for example in examples)
        return cls(kind, f"{before}{', '.join(map(str, examples))}{after}", f"{before}{rows}{after}")


@dataclass(frozen=True)
class CensusSummary:
    """What a census holds. All counts are rows; `rows_read = rows_loaded + quarantined + earlier_spells` and
    `rows_loaded = simulated + left_before_start + inactive_without_date`.

    `announced_exits` and everything after `earlier_spells` count simulated people; participants are those with a
    deferral rate above 0. `problems`, `warnings` and `notes` are the findings as the screen shows them.
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
    earlier_spells: int
    levels_inferred: int
    participants: int
    participants_without_method: int
    participants_without_date: int
    prior_year_pay_derived: int
    optional_columns: tuple[OptionalColumn, ...]
    findings: tuple[Finding, ...]
    fingerprint: str

    @property
    def problems(self) -> tuple[str, ...]:
        """Why rows were quarantined, with their values."""
        return tuple(finding.text for finding in self.findings if finding.kind == "problem")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is probably a mistake of the census, with values."""
        return tuple(finding.text for finding in self.findings if finding.kind == "warning")

    @property
    def notes(self) -> tuple[str, ...]:
        """How the file was read, with values."""
        return tuple(finding.text for finding in self.findings if finding.kind == "note")

    @property
    def level_inferred_share(self) -> float:
        """The share of simulated people whose level comes from their pay, 0..1."""
        return round(self.levels_inferred / self.simulated, 6) if self.simulated else 0.0

    def to_dict(self, *, with_values: bool = False) -> dict[str, Any]:
        """Return the summary as JSON-ready values, with the date as ISO text.

        No value of a row is in it, so that it can be stored and reported, unless the screen asks for them.
        """
        content = dataclasses.asdict(self)
        del content["findings"]
        content["census_date"] = self.census_date.isoformat()
        content["level_inferred_share"] = self.level_inferred_share
        content["optional_columns"] = list(content["optional_columns"])
        for kind in ("problem", "warning", "note"):
            found = [finding for finding in self.findings if finding.kind == kind]
            content[f"{kind}s"] = [finding.text if with_values else finding.without_values for finding in found]
        return content
