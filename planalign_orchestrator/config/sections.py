"""The sections of a configuration and their keys: the only place where a default, a bound or a meaning is written down.

Every model is frozen and refuses unknown keys. Rates are exact decimals (0.03 is 3 %), money is US dollars.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from planalign_orchestrator.config.collection_types import (
    ColumnNames,
    MonthWeights,
    NumberByNumber,
    TextList,
    Weights,
)
from planalign_orchestrator.config.rules import RuleSetting, RuleSettings
from planalign_orchestrator.config.types import FilePath, Flag, Memory, MonthDay, Number, Text
from planalign_orchestrator.report_templates import ReportTemplate

# with fewer people, another thread costs more than it does
PEOPLE_OF_A_THREAD = 25_000
# with more people, two models at a time need more memory than they save time; three find little to do
PEOPLE_OF_TWO_MODELS = 250_000

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

# folders beside the database, where the configuration names no others
REPORTS_FOLDER = "reports"
CHECKPOINTS_FOLDER = ".navigator_checkpoints"

# The profile .28 .03 .07 .18 .04 .05 .23 .03 .04 .08 .02 .02 sums to 1.07; these are its shares, by largest remainder.
_RAISE_PROFILE = tuple(
    Decimal(share) / 10_000 for share in (2617, 280, 654, 1682, 374, 467, 2150, 280, 374, 748, 187, 187)
)


class Section(BaseModel):
    """A part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SimulationSection(Section):
    """Which years, which luck, how much growth."""

    start_year: Year = Field(
        default=2025, description="First simulated year. The census is as of 31 December of the year before."
    )
    end_year: Year = Field(default=2029, description="Last simulated year.")
    random_seed: Annotated[int, SEED] = Field(
        default=42,
        description="Seed of every random draw: equal seeds give equal results, scenarios with one seed share luck.",
    )
    target_growth_rate: Annotated[Decimal, GROWTH] = Field(
        default=Decimal("0.03"), description="Growth of the active headcount from one 31 December to the next."
    )


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


class WorkforceSection(Section):
    """How many people leave, and when."""

    headcount_mode: Literal["exact", "stochastic"] = Field(
        default="exact",
        description="`exact` meets the growth target to the person; `stochastic` meets it in expectation only.",
    )
    total_termination_rate: Rate = Field(
        default=Decimal("0.12"), description="Share of the headcount of 1 January that leaves within the year."
    )
    new_hire_termination_rate: Annotated[Decimal, SHARE_BELOW_ONE] = Field(
        default=Decimal("0.25"), description="Share of a year's hires who leave before 31 December."
    )
    voluntary_share: Rate = Field(
        default=Decimal("0.75"), description="Share of the exits other than retirements that are voluntary."
    )
    exit_timing: TwelveWeights = Field(
        default="even", description="Weights of the months, January first, in which people leave."
    )


class PromotionSection(Section):
    """Who moves up a level, and what it pays."""

    effective_date: EveryYearDate = Field(
        default="02-01", description="Day on which promotions take effect (month-day)."
    )
    base_rate: Rate = Field(
        default=Decimal("0.04"), description="Yearly probability of a promotion before age, tenure and level count."
    )
    rate_multiplier: Annotated[Decimal, FACTOR] = Field(
        default=Decimal("1.0"), description="Factor on every promotion probability."
    )
    minimum_service_years: ServiceYears = Field(
        default=1, description="Completed years of service needed on the promotion date."
    )
    maximum_age: Annotated[int, AGE] = Field(
        default=65, description="Age on the promotion date from which nobody is promoted any more."
    )
    base_increase: Rate = Field(
        default=Decimal("0.20"), description="Pay increase at a promotion: the middle of the drawn range."
    )
    increase_spread: Rate = Field(
        default=Decimal("0.05"),
        description="Half the width of the drawn range: the increase is base_increase plus or minus at most this.",
    )
    maximum_increase_rate: Rate = Field(
        default=Decimal("0.30"),
        description="Largest increase as a share of pay, before the lift to the minimum of the new level.",
    )
    maximum_increase_amount: Annotated[Decimal, DOLLARS] = Field(
        default=Decimal(500000),
        description="Largest increase in US dollars a year, before the lift to the minimum of the new level.",
    )


class CompensationSection(Section):
    """How pay changes."""

    cola_rate: Rate = Field(default=Decimal("0.02"), description="Cost-of-living part of every raise.")
    cola_rate_by_year: Annotated[Mapping[int, Decimal], NumberByNumber(YEAR, RATE, "{2026: 0.025}")] = Field(
        default={}, description="Simulated year -> rate that replaces cola_rate in that year."
    )
    merit_budget: Rate = Field(
        default=Decimal("0.035"),
        description="Merit part of the raises: the payroll-weighted average over everyone eligible.",
    )
    structure_increase_rate: Rate | None = Field(
        default=None, description="Yearly increase of the pay ranges of the levels; null is the COLA of the year."
    )
    promotion: PromotionSection = Field(default_factory=PromotionSection)


class RaiseTimingSection(Section):
    """When raises take effect, and who gets one."""

    methodology: Literal["realistic", "fixed", "anniversary"] = Field(
        default="realistic",
        description="Raise day: by month_weights (`realistic`), fixed_date (`fixed`) or hire day (`anniversary`).",
    )
    fixed_date: EveryYearDate = Field(
        default="07-01", description="Day of every raise with methodology `fixed` (month-day)."
    )
    month_weights: TwelveWeights = Field(
        default=_RAISE_PROFILE,
        description="Weights of the months, January first, in which raises fall with methodology `realistic`.",
    )
    minimum_service_years: ServiceYears = Field(
        default=1, description="Completed years of service needed on the raise date."
    )


class NewHiresSection(Section):
    """Who is hired, when and at what pay."""

    level_mix: Annotated[Mapping[int, Decimal], NumberByNumber(LEVEL, RATE, "{1: 0.6, 2: 0.4}", shares=True)] = Field(
        default={}, description="Level -> share of the hires; empty is the mix of the opening workforce."
    )
    hire_timing: TwelveWeights = Field(
        default="even", description="Weights of the months, January first, in which people are hired."
    )
    pay_noise_sd: Rate = Field(
        default=Decimal("0.05"), description="Standard deviation of the logarithm of a hire's pay around its target."
    )
    part_time_share: Rate = Field(default=Decimal(0), description="Share of the hires who work part-time.")
    part_time_hours_per_week: WeeklyHours = Field(
        default=Decimal(20), description="Scheduled weekly hours of a part-time hire."
    )
    full_time_hours_per_week: WeeklyHours = Field(
        default=Decimal(40), description="Scheduled weekly hours of every other hire."
    )


class ValidationSection(Section):
    """What a year must look like to be plausible."""

    fail_on_validation_error: OnOff = Field(
        default=False,
        description="Whether a rule of severity error stops the run when it fails; a broken invariant always does.",
    )
    maximum_hire_rate: Threshold = Field(
        default=Decimal("0.60"),
        description="Hires of a year as a share of its opening headcount, above which the year is reported.",
    )
    maximum_average_pay_growth: Threshold = Field(
        default=Decimal("0.15"), description="Growth of average pay in a year, above which the year is reported."
    )
    examples: Annotated[int, COUNT] = Field(default=3, description="How many employees a reported violation names.")
    rules: Annotated[Mapping[str, RuleSetting], RuleSettings()] = Field(
        default={},
        description="Rule -> error, warning, info or off, or severity and thresholds; invariants stay errors.",
    )
    custom_rules_file: Location | None = Field(
        default=None,
        description="Own rules: a Python file with a list RULES, a .sql query of offending rows, or a folder of those.",
    )


class ReportsSection(Section):
    """Where reports go, and how much they show."""

    directory: Location | None = Field(
        default=None, description="Folder of the reports; null is the folder `reports` beside the database."
    )
    template: ReportTemplate = Field(
        default="detailed",
        description="`executive` shows headline figures and failed checks only, `detailed` everything.",
    )


class RuntimeSection(Section):
    """How the run is carried out. No key of this section changes a result."""

    database: Location = Field(default=Path("simulation.duckdb"), description="Database file that a run writes.")
    engine: Literal["native", "dbt"] = Field(
        default="native",
        description="`native` executes the compiled models itself, `dbt` calls dbt; both give the same results.",
    )
    threads: Annotated[int, THREADS] | None = Field(
        default=None,
        description="Threads of the database, which then builds one model at a time; null is all cores for more than "
        f"{PEOPLE_OF_TWO_MODELS:,} people, otherwise two models at a time with one thread each for every "
        f"{PEOPLE_OF_A_THREAD:,} people, at least one, together at most all cores.",
    )
    memory_limit: Annotated[str, MEMORY] | None = Field(
        default=None,
        description="Memory the database may use before it spills to disk, 64MiB or more; null is a share of the "
        "machine's.",
    )
    checkpoint_directory: Location | None = Field(
        default=None,
        description="Folder of the checkpoint copies; null is the folder `.navigator_checkpoints` beside the database.",
    )
