"""The gates of an employer contribution: what else is asked of an eligible person for a share of it.

Match and core have the same gates, each with keys of its own. A gate is a row of GATES, its key in GatesSection, and a
branch of the macro `failed_gate` (dbt/macros/plan.sql), which reads the parameters that are named here.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

from planalign_orchestrator.config.collection_types import WordList
from planalign_orchestrator.config.sections.base import OnOff, Parameter, Section, key

LastDayExceptions = Annotated[tuple[str, ...], WordList(("retirement", "age_55", "death", "disability"))]

# the key of a gate -> what it demands, in words that follow "demands"
GATES: Mapping[str, str] = {"hours_gate": "1,000 hours", "last_day_gate": "employment on 31 December"}


class GatesSection(Section):
    """The gates of a contribution. A section that has them names this class first, so that their keys come last."""

    hours_gate: OnOff = key(False, "Whether 1,000 scheduled hours in the year are needed.", "{source}_hours_gate")
    last_day_gate: OnOff = key(False, "Whether employment on 31 December is needed.", "{source}_last_day_gate")
    last_day_exceptions: LastDayExceptions = key(
        ("retirement", "age_55"),
        "Who gets the contribution all the same when leaving before 31 December.",
        Parameter("{source}_retirement_exception", lambda excepted, config: "retirement" in excepted, "boolean"),
        Parameter("{source}_age_exception", lambda excepted, config: "age_55" in excepted, "boolean"),
        Parameter("{source}_death_exception", lambda excepted, config: "death" in excepted, "boolean"),
        Parameter("{source}_disability_exception", lambda excepted, config: "disability" in excepted, "boolean"),
    )
    last_day_includes_exits_on: OnOff = key(
        False,
        "Whether those who leave on 31 December itself count as employed on it.",
        "{source}_last_day_includes_exits_on",
    )

    def closed_gates(self) -> Iterator[tuple[str, str]]:
        """Yield the key of every gate that is on, and what it demands."""
        return ((name, GATES[name]) for name, value in self if name in GATES and value)
