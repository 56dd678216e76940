"""The key `workforce.acquisitions`: people of a company that is bought, from a census of their own."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NotRequired, TypedDict

from planalign_orchestrator.config.collection_types import ListOf, Record
from planalign_orchestrator.config.sections.census import CODES, COLUMN_NAMES, UNITS
from planalign_orchestrator.config.types import DATE, FLAG, PATH, text

EXAMPLE = """\
acquisitions:
  - {date: 2027-07-01, census: data/acquired.csv, credit_service: true}"""


class Acquisition(TypedDict):
    """The people of a census are employed from a `date` on; where given, its headings, codes and units are its own."""

    date: dt.date
    census: Path
    credit_service: NotRequired[bool]
    credit_compensation: NotRequired[bool]
    sheet: NotRequired[str]
    columns: NotRequired[Mapping[str, str]]
    values: NotRequired[Mapping[str, Mapping[str, str | None]]]
    units: NotRequired[Mapping[str, str]]


ENTRY = Record(
    "a mapping such as {date: 2027-07-01, census: data/acquired.csv}",
    {
        "date": DATE,
        "census": PATH,
        "credit_service": FLAG,
        "credit_compensation": FLAG,
        "sheet": text("the name of a worksheet"),
        "columns": COLUMN_NAMES,
        "values": CODES,
        "units": UNITS,
    },
    otherwise="its keys are date, census, credit_service, credit_compensation, sheet, columns, values and units",
    required=("date", "census"),
)
ACQUISITIONS = ListOf("a list of acquisitions", ENTRY, "acquisition")
Acquisitions = Annotated[tuple[Acquisition, ...], ACQUISITIONS]
