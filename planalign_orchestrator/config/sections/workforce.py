"""The section `workforce`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from planalign_orchestrator.config.sections.acquisitions import EXAMPLE as ACQUISITIONS_EXAMPLE
from planalign_orchestrator.config.sections.acquisitions import Acquisitions
from planalign_orchestrator.config.sections.base import LEVEL_MIX, Parameter, Rate, Section, TwelveWeights, key
from planalign_orchestrator.config.sections.reductions import EXAMPLE as REDUCTIONS_EXAMPLE
from planalign_orchestrator.config.sections.reductions import Reductions
from planalign_orchestrator.config.types import Number

SHARE_BELOW_ONE = Number("rate", Decimal(0), Decimal(1), upper_open=True)


class WorkforceSection(Section):
    """How many people leave, and when."""

    headcount_mode: Literal["exact", "stochastic"] = key(
        "exact",
        "`exact` meets the growth target to the person every year; `stochastic` meets it in expectation, so that "
        "headcount varies with the seed.",
        "headcount_mode",
        of_all_years=True,
    )
    structure: Literal["positions", "rates"] = key(
        "positions",
        "`positions` keeps the positions of each level on the headcount path: people are promoted into openings and "
        "hired for what is left; `rates` promotes by rates and hires by a mix of levels, so that levels drift.",
        "workforce_structure",
        of_all_years=True,
    )
    level_mix: Annotated[Mapping[int, Decimal], LEVEL_MIX] = key(
        {},
        "Level -> share of the positions from the first simulated year on; empty keeps the shares of the opening "
        "workforce. With structure `positions`.",
        narrower="the shares sum to 1",
    )
    total_termination_rate: Rate = key(
        Decimal("0.12"), "Share of the headcount of 1 January that leaves within the year.", "total_termination_rate"
    )
    new_hire_termination_rate: Annotated[Decimal, SHARE_BELOW_ONE] = key(
        Decimal("0.25"),
        "Share of a year's hires who leave before 31 December of that year.",
        "new_hire_termination_rate",
    )
    voluntary_share: Rate = key(
        Decimal("0.75"),
        "Share of the exits other than deaths, disability and retirements that are voluntary; the rest are "
        "involuntary.",
        "voluntary_share",
    )
    reductions: Reductions = key(
        (),
        "People who are laid off on a day of 1 January's people without an earlier announced exit, on top of the exits "
        "of the year; they are not hired back. `by` ranks them: the hazard of leaving (the default), `last_in`, or "
        "`random`. `fully_vested: auto` vests everybody who leaves in a year whose employer-initiated exits are 20 % "
        "of the participants or more, 411(d)(3) and Rev. Rul. 2007-43; true and false override it.",
        Parameter("has_reductions", lambda reductions, config: bool(reductions), "boolean"),
        narrower="no date before start_year; either people or share, the share of the named group on 1 January",
        example=REDUCTIONS_EXAMPLE,
        of_all_years=True,
    )
    acquisitions: Acquisitions = key(
        (),
        "People of companies that are bought, each from a census of its own. They are hired on the `date`, above the "
        "headcount path; nobody of them leaves or is paid more in that year. Service before it counts where it is "
        "credited (`credit_service`, true unless given), and pay of the year before for 414(q) and 414(v)(7) where "
        "that is (`credit_compensation`, false unless given). Elections and accounts are not taken over.",
        Parameter("has_acquisitions", lambda acquisitions, config: bool(acquisitions), "boolean"),
        narrower="no date before start_year",
        example=ACQUISITIONS_EXAMPLE,
        of_all_years=True,
    )
    announced_exits: Literal["within_target", "lower_target"] = key(
        "within_target",
        "What exits that the census announces are to the headcount: part of the exits of the year, or on top of them, "
        "so that the headcount path falls by them.",
        "announced_exits",
    )
    exit_timing: TwelveWeights = key("even", "Weights of the months in which people leave.")
