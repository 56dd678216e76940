"""The section `plan.deferrals`."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from planalign_orchestrator.config.sections.base import OnOff, Rate, Section
from planalign_orchestrator.config.types import Number


class DeferralsSection(Section):
    """What elective deferrals the plan accepts."""

    maximum_rate: Annotated[Decimal, Number("rate", Decimal(0), Decimal(1), lower_open=True)] = Field(
        default=Decimal("0.75"), description="Largest elective deferral, as a share of pay while eligible."
    )
    roth_feature: OnOff = Field(default=True, description="Whether the plan accepts Roth deferrals.")
    roth_share: Rate = Field(default=Decimal(0), description="Share of deferrals that is Roth by choice.")
    super_catch_up: OnOff = Field(
        default=True, description="Whether the plan adopts the higher catch-up limit for ages 60-63."
    )
