"""Suggest which of a client's headings is which standard column, from the names and from the values below them.

A name speaks for a column to the degree in `match_name`; the values confirm it or speak against it. Without a telling
name the values alone give a weak suggestion, at most `VALUES_ALONE`. Each heading and each standard column is used once,
the surest pair first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.columns import COLUMNS, COLUMNS_BY_NAME, Column, match_name, nearest_column
from planalign_orchestrator.census.dates import day_text, looks_like_date, rough_year
from planalign_orchestrator.census.headings import yaml_line
from planalign_orchestrator.census.reading import open_census, read_rows
from planalign_orchestrator.census.records import CensusSource
from planalign_orchestrator.census.sql import RAW_VIEW, fetch_one
from planalign_orchestrator.census.values import READABLE, read_value

if TYPE_CHECKING:
    import duckdb

SAMPLE_ROWS: Final = 20_000
CONFIDENT: Final = 0.6
VALUES_ALONE: Final = 0.5
