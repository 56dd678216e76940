"""The section `simulation`."""

from decimal import Decimal
from typing import Annotated, ClassVar

from planalign_orchestrator.config.sections.base import GROWTH, Parameter, Section, Year, key
from planalign_orchestrator.config.types import Number

SEED = Number("whole number", Decimal(0), Decimal(2**63 - 1), places=0)


class SimulationSection(Section):
    """The simulated years, the seed of every draw, and the growth of the headcount."""

    becomes: ClassVar[tuple[Parameter, ...]] = (
        # the year whose rows of the parameter tables hold
        Parameter("configuration_year", lambda section, config: config.first_year, "integer"),
    )

    start_year: Year = key(
        2025,
        "First simulated year. The census is as of 31 December of the year before.",
        "start_year",
        of_all_years=True,
    )
    end_year: Year = key(
        2029, "Last simulated year.", narrower="start_year to 2100", changes_results=False, of_all_years=True
    )
    random_seed: Annotated[int, SEED] = key(
        42,
        "Seed of every random draw: equal seeds give equal results, and scenarios with the same seed share their luck.",
        "random_seed",
        of_all_years=True,
    )
    target_growth_rate: Annotated[Decimal, GROWTH] = key(
        Decimal("0.03"), "Growth of the active headcount from one 31 December to the next.", "target_growth_rate"
    )
