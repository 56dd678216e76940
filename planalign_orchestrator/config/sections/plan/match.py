"""The sections `plan.match` and `plan.previous_match`."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from planalign_orchestrator.config.sections.base import Dollars, OnOff, Rate, Section, key
from planalign_orchestrator.config.sections.plan.gates import GatesSection
from planalign_orchestrator.config.sections.plan.tiers import MATCH_TIERS, MatchTierEntry
from planalign_orchestrator.config.types import Number

PERIODS = Number("whole number", Decimal(1), Decimal(366), places=0)
MatchName = Literal["none", "custom", "simple", "safe_harbor_basic", "safe_harbor_enhanced", "qaca", "stretch"]
TiersBy = Literal["none", "service", "points", "age"]
_TIERS_EXAMPLE = """\
tiers_by: service
tiers:
  - {from: 0, to: 5, lower: 0, upper: 0.06, rate: 0.5}
  - {from: 5, lower: 0, upper: 0.06, rate: 1.0}"""


class MatchFormulaSection(Section):
    """A formula of a match."""

    formula: MatchName | None = key(None, "Formula, as for the match; null is not stated.")
    tiers: Annotated[tuple[MatchTierEntry, ...], MATCH_TIERS] = key(
        (),
        "Tiers of formula `custom`, as for the match.",
        narrower="rates from 0 to 10 (2 is 200 %), bounds from 0 to 1",
    )
    tiers_by: TiersBy = key(
        "none",
        "What a tier's band `from`-`to` counts: completed years of service, points (age + service) or age, each at the "
        "end of the year.",
    )
    cap_rate: Rate | None = key(None, "Largest match as a share of pay; null is no such cap.")
    cap_amount: Dollars | None = key(None, "Largest match in US dollars a year; null is no such cap.")


class PresentMatchSection(MatchFormulaSection):
    """The formula of the match that the plan pays, and how it is computed."""

    formula: MatchName = key(
        "safe_harbor_basic",
        "Formula. simple: 50 % of deferrals to 6 % of pay. safe_harbor_basic: 100 % to 3 %, 50 % from 3 to 5 %. "
        "safe_harbor_enhanced: 100 % to 4 %. qaca: 100 % to 1 %, 50 % from 1 to 6 %. stretch: 25 % to 12 %. custom:"
        " tiers.",
    )
    tiers: Annotated[tuple[MatchTierEntry, ...], MATCH_TIERS] = key(
        (),
        "Tiers of formula `custom`: `rate` on the deferrals from `lower` to `upper`, as shares of pay. With tiers_by, "
        "each belongs to a band `from`-`to` (no `to`: open); the bands cover everybody once.",
        narrower="rates from 0 to 10 (2 is 200 %), bounds from 0 to 1",
        example=_TIERS_EXAMPLE,
    )
    safe_harbor: OnOff = key(
        False,
        "Whether formula `custom` is a safe harbor of 401(k)(12)(B)(iii): the same for everybody, at rates that do not "
        "rise, and at every deferral rate at least what `safe_harbor_basic` pays.",
    )
    computed: Literal["annual", "per_payroll"] = key(
        "annual",
        "`annual` matches the year as a whole (with a true-up), `per_payroll` each pay period by itself (without).",
        "match_computed",
    )
    deferrals_from: Literal["year", "match_entry"] = key(
        "year",
        "Deferrals that are matched: those of the whole year, or those from the entry date of the match on.",
        "match_deferrals_from",
    )
    pay_periods: Annotated[int, PERIODS] = key(26, "Pay periods of a year, for `computed: per_payroll`.", "pay_periods")


class MatchSection(GatesSection, PresentMatchSection):
    """The match, and who gets it."""

    formula_keys: ClassVar[tuple[str, ...]] = ("tiers", "tiers_by", "cap_rate", "cap_amount", "safe_harbor")


class PreviousMatchSection(MatchFormulaSection):
    """The match before the first simulated year.

    Where it is stated, participants answer the change to the present one.
    """

    of_all_years: ClassVar[bool] = True
