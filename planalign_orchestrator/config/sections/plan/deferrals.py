"""The section `plan.deferrals`."""

from decimal import Decimal
from typing import Annotated

from planalign_orchestrator.config.sections.base import OnOff, Rate, Section, key
from planalign_orchestrator.config.types import Number


class DeferralsSection(Section):
    """What elective deferrals the plan accepts."""

    maximum_rate: Annotated[Decimal, Number("rate", Decimal(0), Decimal(1), lower_open=True)] = key(
        Decimal("0.75"), "Largest elective deferral, as a share of pay while eligible.", "maximum_deferral_rate"
    )
    roth_feature: OnOff = key(
        True,
        "Whether the plan accepts Roth deferrals; without them, those whose catch-up must be Roth have none, "
        "414(v)(7).",
        "roth_feature",
    )
    roth_share: Rate = key(
        Decimal(0), "Share of deferrals that is Roth by choice; above 0 it needs roth_feature.", "roth_share"
    )
    super_catch_up: OnOff = key(
        True, "Whether the plan adopts the higher catch-up limit for ages 60 to 63.", "super_catch_up"
    )
