"""The section `census`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from planalign_orchestrator.config.collection_types import HEADING, ListOf, MappingOf, Record, rising
from planalign_orchestrator.config.sections.base import REQUIRED, CalendarDate, Location, OnOff, Rate, Section, key
from planalign_orchestrator.config.types import Kind, Number, text
from planalign_orchestrator.problems import Finding, RefusedError

DATE_FORMAT = text(
    "a strptime format with year, month and day, such as %m/%d/%Y", "(?=.*%-?[Yy])(?=.*%-?[mbB])(?=.*%-?d).*"
)


def _code(value: object) -> str:
    """Return a code of the file as text; YAML reads some, such as 7 or true, as numbers and truth values."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, Decimal)) or not str(value).strip():
        raise RefusedError("must be a value as the file writes it")
    return str(value).strip()


CODE = Kind("a value as the file writes it", _code, {"type": ["string", "number", "boolean"]})
HEADINGS = ListOf("a list of column headings, such as [Cost center, Badge]", HEADING)
LEVEL_CUTS = ListOf(
    "a list of rising shares between 0 and 1, such as [0.6, 0.85]",
    Number("share", Decimal(0), Decimal(1), lower_open=True, upper_open=True),
    "share",
    rising,
)


def _check_headings(columns: Mapping[str, str]) -> None:
    """Raise RefusedError if two columns would be read from one heading."""
    headings = list(columns.values())
    twice = [key for key, heading in columns.items() if headings.count(heading) > 1]
    if twice:
        named = " and ".join(f"`{key}`" for key in twice)
        raise RefusedError([Finding(f"{named} are read from the same heading", tuple((key,) for key in twice))])


COLUMN_NAMES = MappingOf(
    "a mapping of standard column names to headings, such as {employee_id: Badge}",
    lambda name, heading: (HEADING.parse(name), HEADING.parse(heading)),
    {"additionalProperties": HEADING.json_schema()},
    _check_headings,
    entries_text_only=True,
)


ROWS_TO_IGNORE = Record(
    "a column and values in it, such as {column: employee_id, values: [Total]}",
    {
        "column": HEADING,
        "values": ListOf("a list of values, such as [Total, Subtotal]", CODE),
    },
    "known are column and values",
    required=("column", "values"),
)


def _meaning(value: object) -> str | None:
    return None if value is None else _code(value)


def _codes(name: object, value: object) -> tuple[object, object]:
    """Return the codes of one column with their meanings; null is a blank."""
    rule = MappingOf(
        "a mapping of codes to their meanings, such as {A: true, T: false}; null is a blank",
        lambda code, meaning: (_code(code), _meaning(meaning)),
        {"additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
    )
    return HEADING.parse(name), rule.parse(value)


CODES = MappingOf(
    "a mapping of standard column names to codes and their meanings, such as {active: {A: true, L: true, T: false}}",
    _codes,
    {"additionalProperties": {"type": "object"}},
)
UNITS = MappingOf(
    "a mapping of standard column names to units, such as {employee_deferral_rate: percent}",
    lambda name, unit: (HEADING.parse(name), HEADING.parse(unit)),
    {"additionalProperties": {"type": "string"}},
    entries_text_only=True,
)


class CensusSection(Section):
    """Where the opening workforce comes from and how the file is read."""

    # the people themselves are compared
    changes_results: ClassVar[bool] = False

    path: Location = key(
        REQUIRED, "Census file: CSV, Parquet or Excel, one row per employee.", in_file="../data/sample_census.csv"
    )
    columns: Annotated[Mapping[str, str], COLUMN_NAMES] = key(
        {},
        "Standard column name -> heading in your file, for headings that are not the standard names. "
        "`planalign census map` suggests them.",
        narrower="each heading once",
    )
    ignore_columns: Annotated[tuple[str, ...], HEADINGS] = key(
        (), "Headings of your file that are not read although they resemble a standard column."
    )
    date_format: Annotated[str, DATE_FORMAT] | None = key(
        None, "Format of the dates, needed where day and month cannot be told apart; null finds it out."
    )
    sheet: Annotated[str, text("the name of a sheet")] | None = key(
        None,
        "Sheet of an Excel file; null is the only sheet that holds anything (several are an error that names them).",
    )
    encoding: Literal["utf-8", "windows-1252", "utf-16", "mac-roman"] | None = key(
        None,
        "Encoding of a text file; null finds UTF-8 and UTF-16, and takes other text for Windows-1252, which it says.",
    )
    header_row: Annotated[int, Number("row", Decimal(1), Decimal(10_000), places=0)] | None = key(
        None,
        "Row that holds the headings, as a spreadsheet numbers them; null finds it among the first 50. Headings over "
        "two rows are joined.",
    )
    last_row: Annotated[int, Number("row", Decimal(1), Decimal(100_000_000), places=0)] | None = key(
        None, "Last row that holds a person, where totals or notes stand below; null reads to the end."
    )
    ignore_rows: Annotated[Mapping[str, Any], ROWS_TO_IGNORE] | None = key(
        None,
        "Rows that are no people, such as totals: a column (standard name or heading) and its values in them. Case and "
        "blanks around a value do not matter.",
        example="{column: employee_id, values: [Total]}",
    )
    level_cuts: Annotated[tuple[Decimal, ...], LEVEL_CUTS] = key(
        (Decimal("0.60"), Decimal("0.85"), Decimal("0.95"), Decimal("0.99")),
        "Shares of the people below each level but the first, by full-time pay, where levels are fitted and the census "
        "names none. A cut with fewer than 3 people above it is dropped.",
    )
    values: Annotated[Mapping[str, Mapping[str, str | None]], CODES] = key(
        {},
        "What the codes of your file mean, by standard column: the value, or null for a blank. A code without a "
        "meaning is an error that lists all of them. Case does not matter.",
        example="{active: {A: true, L: true, T: false}, level_id: {G7: 2}}",
    )
    units: Annotated[Mapping[str, str], UNITS] = key(
        {},
        "Units of numbers, by standard column. employee_gross_compensation: annual, monthly, semimonthly, biweekly, "
        "weekly or hourly (x scheduled hours x 52). employee_deferral_rate: percent (6 is 6 %), fraction (0.06 is 6 %) "
        "or mixed (both are; 1 is 1 %).",
        example="{employee_deferral_rate: percent, employee_gross_compensation: monthly}",
    )
    pay_basis: Literal["actual", "full_time_equivalent"] = key(
        "actual",
        "What a part-timer's pay is for: the scheduled hours (`actual`) or full-time work (`full_time_equivalent`, of "
        "which the person is paid min(1, hours / new_hires.full_time_hours_per_week)).",
    )
    default_hours: (
        Annotated[Decimal, Number("number of hours", Decimal(0), Decimal(168), lower_open=True, places=2)] | None
    ) = key(None, "Scheduled weekly hours of people without any; null is 40, where pay does not depend on the hours.")
    no_end_date: CalendarDate | None = key(
        None, "Exit date that means that no exit is planned, such as 2099-12-31.", example="2099-12-31"
    )
    on_invalid_rows: Literal["fail", "quarantine"] = key(
        "fail",
        "What happens to rows that cannot be used: `fail` stops and lists them, `quarantine` sets them aside in "
        "table census_quarantine with their reasons.",
    )
    duplicates: Literal["fail", "latest_spell"] = key(
        "fail",
        "What several rows of one id mean: a mistake (`fail`), or the employments of somebody hired again "
        "(`latest_spell`). Of these the row with the newest hire date counts, with service from the oldest hire date, "
        "unless that row has an employee_service_date.",
    )
    most_set_aside: Rate = key(
        Decimal("0.05"), "Largest share of the rows that `quarantine` may set aside; more of them stop the run."
    )
    hash_ids: OnOff = key(
        False,
        "Whether results carry a keyed hash of each id in place of the id. The key is made once, in planalign_id.key "
        "beside this file, and is in no database: keep it, because another key gives other ids.",
    )
