"""The section `plan.vesting`."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar

from planalign_orchestrator.config.collection_types import ListOf
from planalign_orchestrator.config.sections.base import RATE, Parameter, Section, key
from planalign_orchestrator.config.types import Kind
from planalign_orchestrator.problems import RefusedError, did_you_mean

if TYPE_CHECKING:
    from planalign_orchestrator.config.configuration import SimulationConfig

VESTING_WORDS = ("immediate", "cliff_2", "cliff_3", "graded_4", "graded_5", "graded_6")
VestingSetting = str | tuple[Decimal, ...]


def _full_in_the_end(rates: list[Decimal]) -> Sequence[Decimal]:
    if any(later < earlier for earlier, later in pairwise(rates)):
        raise RefusedError("has a rate that is lower than the one before; vested rates never fall")
    if not rates or rates[-1] != 1:
        raise RefusedError("does not end at 1; everybody is fully vested in the end")
    return rates


def _read_vesting(value: object) -> VestingSetting:
    """Return a named schedule, or vested rates by completed years of service from 0, which rise to 1."""
    if isinstance(value, str):
        if value not in VESTING_WORDS:
            raise RefusedError(did_you_mean(value, VESTING_WORDS, f"must be {_RATES.allowed}"))
        return value
    rates: tuple[Decimal, ...] = _RATES.parse(value)
    return rates


_RATES = ListOf(
    f"{', '.join(f'`{word}`' for word in VESTING_WORDS)} or a list of vested rates by completed year from 0, such as "
    "[0, 0.5, 1]",
    RATE,
    "rate",
    _full_in_the_end,
    schema={"minItems": 1},
)
VESTING = Kind(_RATES.allowed, _read_vesting, {"anyOf": [{"enum": list(VESTING_WORDS)}, _RATES.json_schema()]})
Vesting = Annotated[VestingSetting, VESTING]


def _vests_as(config: "SimulationConfig") -> "Callable[[SimulationConfig], bool]":
    plan = config.plan
    return lambda other: (
        (other.plan.vesting, other.plan.normal_retirement_age)
        == (
            plan.vesting,
            plan.normal_retirement_age,
        )
    )


class VestingSection(Section):
    """How employer money vests with completed years of service.

    graded_4 is 25 50 75 100 % from the first year on, graded_5 20 40 60 80 100 %, graded_6 0 20 40 60 80 100 %.
    Safe-harbor money vests at once, QACA money at the latest by cliff_2, other money by cliff_3 or graded_6. After a
    change nobody has less than on the day before, and who has three years of service the best of all schedules so far,
    411(a)(10).
    """

    becomes: ClassVar[tuple[Parameter, ...]] = (
        # the year in which the schedules, or the age of full vesting, last changed
        Parameter("vesting_year", lambda section, config: config.first_year_with(_vests_as(config)), "integer"),
    )

    match: Vesting = key(
        "immediate",
        "Vesting of the match: a named schedule, or vested rates by completed year.",
    )
    core: Vesting = key(
        "immediate", "Vesting of the core contribution: a named schedule, or vested rates by completed year."
    )
