"""The section `simulation`."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from planalign_orchestrator.config.sections.base import GROWTH, SEED, Section, Year


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
