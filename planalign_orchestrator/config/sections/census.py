"""The section `census`."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from planalign_orchestrator.config.collection_types import ColumnNames
from planalign_orchestrator.config.sections.base import DATE_FORMAT, HEADINGS, Location, Section
from planalign_orchestrator.config.types import Text


class CensusSection(Section):
    """Where the opening workforce comes from and how the file is read."""

    path: Location = Field(description="Census file: CSV, Parquet or Excel, one row per employee.")
    columns: Annotated[Mapping[str, str], ColumnNames()] = Field(
        default={},
        description="Standard column name -> heading in the file, for headings that are not the standard names.",
    )
    ignore_columns: Annotated[tuple[str, ...], HEADINGS] = Field(
        default=(), description="Headings of the file that are not read although they resemble a standard column."
    )
    date_format: Annotated[str, DATE_FORMAT] | None = Field(
        default=None,
        description="strptime format of the dates, needed where day and month cannot be told apart; null finds it out.",
    )
    sheet: Annotated[str, Text("the name of a sheet")] | None = Field(
        default=None, description="Sheet of an Excel file; null is the only one that holds anything."
    )
    on_invalid_rows: Literal["fail", "quarantine"] = Field(
        default="fail",
        description="Rows that cannot be used: `fail` stops, `quarantine` sets them aside in table census_quarantine.",
    )
