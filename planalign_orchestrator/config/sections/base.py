"""What the sections of a configuration share: their base class, and the numbers, dates and paths that several have.

Every model is frozen and refuses unknown keys. Rates are exact decimals (0.03 is 3 %), money is US dollars.
"""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from planalign_orchestrator.config.collection_types import MonthWeights, TextList, Weights
from planalign_orchestrator.config.types import Day, FilePath, Flag, Memory, MonthDay, Number, Text

YEAR = Number("calendar year", Decimal(1990), Decimal(2100), places=0)
SEED = Number("whole number", Decimal(0), Decimal(2**63 - 1), places=0)
LEVEL = Number("level", Decimal(1), Decimal(99), places=0)
AGE = Number("whole number of years", Decimal(14), Decimal(120), places=0)
COUNT = Number("whole number", Decimal(0), Decimal(1000), places=0)
THREADS = Number("whole number", Decimal(1), Decimal(1024), places=0)
RATE = Number("rate", Decimal(0), Decimal(1))
GROWTH = Number("rate", Decimal(-1), Decimal(1), lower_open=True)
SHARE_BELOW_ONE = Number("rate", Decimal(0), Decimal(1), upper_open=True)
FACTOR = Number("factor", Decimal(0), Decimal(100))
THRESHOLD = Number("rate", Decimal(0), Decimal(10))
SERVICE_YEARS = Number("whole number of years", Decimal(0), Decimal(60), places=0)
DOLLARS = Number("US dollar amount", Decimal(0), Decimal(10**9), places=2)
HOURS = Number("number of hours", Decimal(0), Decimal(168), lower_open=True, places=2)
IDENTIFIER = Text("an identifier: up to 100 letters, digits, `_`, `.` or `-`", "[A-Za-z0-9_.-]{1,100}")
HEADINGS = TextList("a list of column headings", Text("a column heading"), "[Cost center, Badge]")
DATE_FORMAT = Text(
    "a strptime format with year, month and day, such as %m/%d/%Y", "(?=.*%-?[Yy])(?=.*%-?[mbB])(?=.*%-?d).*"
)
MEMORY = Memory()
Year = Annotated[int, YEAR]
Rate = Annotated[Decimal, RATE]
Threshold = Annotated[Decimal, THRESHOLD]
ServiceYears = Annotated[int, SERVICE_YEARS]
WeeklyHours = Annotated[Decimal, HOURS]
TwelveWeights = Annotated[Weights, MonthWeights()]
EveryYearDate = Annotated[str, MonthDay()]
Location = Annotated[Path, FilePath()]
OnOff = Annotated[bool, Flag()]


class Section(BaseModel):
    """A part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


CalendarDate = Annotated[dt.date, Day()]
Dollars = Annotated[Decimal, DOLLARS]
