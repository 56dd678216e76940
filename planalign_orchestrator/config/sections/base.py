"""What the sections of a configuration share: how a key is declared, and the kinds of values that several have.

Every model is frozen and refuses unknown keys. Rates are exact decimals (0.03 is 3 %), money is US dollars.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from planalign_orchestrator.config.collection_types import MONTH_WEIGHTS, Weights, check_sum, mapping_by_number
from planalign_orchestrator.config.types import DATE, FLAG, MONTH_DAY, PATH, Number

if TYPE_CHECKING:
    from planalign_orchestrator.config.configuration import SimulationConfig

JsonScalar = str | int | float | bool

YEAR = Number("calendar year", Decimal(1990), Decimal(2100), places=0)
LEVEL = Number("level", Decimal(1), Decimal(99), places=0)
RATE = Number("rate", Decimal(0), Decimal(1))
GROWTH = Number("rate", Decimal(-1), Decimal(1), lower_open=True)
FACTOR = Number("factor", Decimal(0), Decimal(100))
SERVICE_YEARS = Number("whole number of years", Decimal(0), Decimal(60), places=0)
SERVICE_MONTHS = Number("whole number of months", Decimal(0), Decimal(720), places=0)
DOLLARS = Number("US dollar amount", Decimal(0), Decimal(10**9), places=2)

Year = Annotated[int, YEAR]
Rate = Annotated[Decimal, RATE]
ServiceYears = Annotated[int, SERVICE_YEARS]
ServiceMonths = Annotated[int, SERVICE_MONTHS]
Dollars = Annotated[Decimal, DOLLARS]
TwelveWeights = Annotated[Weights, MONTH_WEIGHTS]
EveryYearDate = Annotated[str, MONTH_DAY]
CalendarDate = Annotated[dt.date, DATE]
Location = Annotated[Path, PATH]
OnOff = Annotated[bool, FLAG]


def _check_mix(mix: Mapping[int, Decimal]) -> None:
    if mix:
        check_sum(list(mix.values()), "shares")


LEVEL_MIX = mapping_by_number(LEVEL, RATE, "a mapping such as {1: 0.6, 2: 0.4}", _check_mix)
# what Pydantic takes for a field without a default
REQUIRED: Any = ...


@dataclass(frozen=True)
class Parameter:
    """A parameter of the model that a key becomes. `{source}` in its name stands for the key's own section.

    `to` makes its value from the key's value and the whole configuration, where it is not the value itself; `sql_type`
    is its type, where it is not that of the key's rule.
    """

    name: str
    to: "Callable[[Any, SimulationConfig], JsonScalar] | None" = None
    sql_type: str = ""


@dataclass(frozen=True)
class Details:
    """What Pydantic does not keep of a key; see `key`."""

    becomes: tuple[Parameter, ...]
    narrower: str
    example: str
    in_file: object
    changes_results: bool
    replaces: str
    of_all_years: bool


class Section(BaseModel):
    """A part of the configuration.

    `becomes` are the parameters of the model that a section as a whole becomes. Where `null_is_as_in` names a section
    beside this one, a key that is null has the value of the same key there. Without `changes_results`, a run can be
    resumed with other values of its keys. With `of_all_years`, `changes` sets none of its keys. `formula_keys` make one
    formula together with the key `formula`: a change that names a formula replaces them all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    becomes: ClassVar[tuple[Parameter, ...]] = ()
    null_is_as_in: ClassVar[str] = ""
    changes_results: ClassVar[bool] = True
    of_all_years: ClassVar[bool] = False
    formula_keys: ClassVar[tuple[str, ...]] = ()


def key(
    default: object,
    description: str,
    *becomes: str | Parameter,
    narrower: str = "",
    example: str = "",
    in_file: object = REQUIRED,
    changes_results: bool = True,
    replaces: str = "",
    of_all_years: bool = False,
) -> Any:
    """Return the field of a key: its default (REQUIRED for none), its meaning, the parameters of the model it becomes.

    `narrower` says what the law or a check between keys asks beyond the rule: of a number the bounds in place of those
    of the rule, otherwise words that follow a semicolon. `example` is YAML that shows its use. `in_file` is the value
    in the default file, where it is not the default. Without `changes_results`, a run can be resumed with another
    value. `replaces` is the key whose place this one took, of the same section or dotted; using that one names this
    one. With `of_all_years`, `changes` cannot set it.
    """
    parameters = tuple(Parameter(item) if isinstance(item, str) else item for item in becomes)
    field: Any = Field(default, description=description)
    details = Details(parameters, narrower, example, in_file, changes_results, replaces, of_all_years)
    field.metadata = [*field.metadata, details]
    return field
