"""The key `workforce.reductions`: people who are laid off on a day, on top of the year's exits."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from planalign_orchestrator.config.collection_types import ListOf, Record
from planalign_orchestrator.config.sections.base import LEVEL, RATE
from planalign_orchestrator.config.types import DATE, Kind, Number, text
from planalign_orchestrator.problems import RefusedError, did_you_mean

PEOPLE = Number("whole number of people", Decimal(1), Decimal(10**7), places=0)
RANKED_BY = ("hazard", "last_in", "random")
FULLY_VESTED = ("auto", "true", "false")
EXAMPLE = """\
reductions:
  - {date: 2026-03-31, people: 300, levels: [1, 2], departments: [Plant], by: hazard, fully_vested: auto}"""


class Reduction(TypedDict):
    """`people`, or a `share` of the named group on 1 January, are laid off on a `date`."""

    date: dt.date
    people: NotRequired[int]
    share: NotRequired[Decimal]
    levels: NotRequired[tuple[int, ...]]
    departments: NotRequired[tuple[str, ...]]
    by: NotRequired[Literal["hazard", "last_in", "random"]]
    fully_vested: NotRequired[Literal["auto", "true", "false"]]


def _one_of(words: Sequence[str]) -> Kind:
    def read(value: object) -> str:
        word = str(value).lower() if isinstance(value, bool) else value
        if word not in words:
            raise RefusedError(f"is {value}; {did_you_mean(value, words, f'must be one of {chr(44).join(words)}')}")
        return str(word)

    return Kind(f"one of {', '.join(words)}", read, {"enum": list(words)})


def _check_amount(entry: dict[str, Any]) -> None:
    if ("people" in entry) == ("share" in entry):
        raise RefusedError("must have either `people` or `share`")


_ENTRY = Record(
    "a mapping such as {date: 2026-03-31, people: 300}",
    {
        "date": DATE,
        "people": PEOPLE,
        "share": RATE,
        "levels": ListOf("a list such as [1, 2]", LEVEL, "level"),
        "departments": ListOf("a list such as [Plant]", text("a department of the census"), "department"),
        "by": _one_of(RANKED_BY),
        "fully_vested": _one_of(FULLY_VESTED),
    },
    otherwise="its keys are date, people, share, levels, departments, by and fully_vested",
    required=("date",),
    check=lambda entry: _check_amount(dict(entry)),
)
Reductions = Annotated[tuple[Reduction, ...], ListOf("a list of reductions", _ENTRY, "reduction")]
