"""The section `census`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from planalign_orchestrator.config.collection_types import HEADING, ListOf, MappingOf
from planalign_orchestrator.config.sections.base import REQUIRED, Location, Section, key
from planalign_orchestrator.config.types import text
from planalign_orchestrator.problems import Finding, RefusedError

DATE_FORMAT = text(
    "a strptime format with year, month and day, such as %m/%d/%Y", "(?=.*%-?[Yy])(?=.*%-?[mbB])(?=.*%-?d).*"
)
HEADINGS = ListOf("a list of column headings, such as [Cost center, Badge]", HEADING)


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
    on_invalid_rows: Literal["fail", "quarantine"] = key(
        "fail",
        "What happens to rows that cannot be used: `fail` stops and lists them, `quarantine` sets them aside in "
        "table census_quarantine with their reasons.",
    )
