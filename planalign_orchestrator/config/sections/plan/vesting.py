"""The section `plan.vesting`."""

from typing import Annotated

from pydantic import Field

from planalign_orchestrator.config.lists import VestingSchedule, VestingSetting
from planalign_orchestrator.config.sections.base import Section

Vesting = Annotated[VestingSetting, VestingSchedule()]


class VestingSection(Section):
    """How employer money vests with completed years of service."""

    match: Vesting = Field(default="immediate", description="Vesting of the match: a named schedule or rates by year.")
    core: Vesting = Field(
        default="immediate", description="Vesting of the core contribution: a named schedule or rates by year."
    )
