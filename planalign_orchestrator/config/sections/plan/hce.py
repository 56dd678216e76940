"""The section `plan.hce`."""

from pydantic import Field

from planalign_orchestrator.config.sections.base import OnOff, Section


class HceSection(Section):
    """Who is a highly compensated employee."""

    top_paid_group: OnOff = Field(
        default=False,
        description="Whether only the top-paid 20 % are highly compensated by pay, 414(q)(1)(B)(ii).",
    )
