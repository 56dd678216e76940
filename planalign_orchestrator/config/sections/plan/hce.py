"""The section `plan.hce`."""

from planalign_orchestrator.config.sections.base import OnOff, Section, key


class HceSection(Section):
    """Who is a highly compensated employee."""

    top_paid_group: OnOff = key(
        False,
        "Whether only the top-paid 20 % are highly compensated employees by pay, 414(q)(1)(B)(ii).",
        "top_paid_group",
    )
