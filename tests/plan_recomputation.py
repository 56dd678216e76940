"""Bonuses, deferrals, match and core by person and year, from the census, the ledger and the published limits alone.

Written from the specification, day by day and in exact fractions; it shares no line with the model. Whether people
enroll, leave or are paid more is read from the ledger; who may be in, from when, and every amount is worked out here.
"""

import datetime as dt
import json
from bisect import bisect_right
from calendar import isleap, monthrange
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from itertools import accumulate, groupby, pairwise
from math import cos, log, pi, sqrt
from typing import Any

from tests.companies import Row, anniversary, completed_years, default_table, draw
from tests.plan_designs import ELIGIBILITY_KEYS, NONELECTIVE, SAFE_HARBOR_MATCHES, SOURCES, Design, design_of_year

Event = Mapping[str, Any]
Tiers = Sequence[tuple[Fraction, Fraction, Fraction]]
Amounts = dict[str, Any]

NOTHING = Fraction(0)
# a week of which is full-time: ranges of levels are of the pay for it
FULL_TIME_HOURS = Fraction(40)
MATCH_PRESETS = {
    "none": (),
    "simple": (("0", "0.06", "0.5"),),
    "safe_harbor_basic": (("0", "0.03", "1"), ("0.03", "0.05", "0.5")),
    "safe_harbor_enhanced": (("0", "0.04", "1"),),
    "qaca": (("0", "0.01", "1"), ("0.01", "0.06", "0.5")),
    "stretch": (("0", "0.12", "0.25"),),
}
RATE_EVENTS = ("enrollment", "enrollment_change", "deferral_escalation", "deferral_match_response")
# percent vested by completed years of service, the last one for good
SCHEDULES: Mapping[str, Sequence[int]] = {
    "immediate": (100,),
    "cliff_2": (0, 0, 100),
    "cliff_3": (0, 0, 0, 100),
    "graded_4": (0, 25, 50, 75, 100),
    "graded_5": (0, 20, 40, 60, 80, 100),
    "graded_6": (0, 0, 20, 40, 60, 80, 100),
}
VESTING_KEYS = ("plan.vesting.match", "plan.vesting.core", "plan.normal_retirement_age")
PAY_EVENTS = ("hire", "promotion", "raise")


def cents(amount: Fraction) -> Fraction:
    """Round an amount of 0 or more to cents, half away from zero."""
    return Fraction((200 * amount.numerator + amount.denominator) // (2 * amount.denominator), 100)


@cache
def limits(year: int) -> Mapping[str, Fraction | None]:
    """Return the published limits of a year by name, None for a rule that was not in force."""
    (row,) = [row for row in default_table("irs_limits") if row["limit_year"] == str(year)]
    return {
        name: Fraction(text) if text else None
        for name, text in row.items()
        if name.endswith(("_limit", "_base", "_threshold"))
    }


def limit(year: int, name: str) -> Fraction:
    value = limits(year)[name]
    assert value is not None
    return value


def later(day: dt.date, months: int) -> dt.date:
    """Return the same day a number of months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass
class Life:
    """What is known of a person on 1 January, or on the day of hire."""

    born: dt.date
    hired: dt.date
    serves_from: dt.date
    hours: Fraction
    department: str | None
    employee_class: str | None
    level: int
    pay: int = 0
    election: Fraction = NOTHING
    is_refunded: bool = False
    is_census_participant: bool = False
    override: bool | None = None
    wages: Fraction | None = None
    base_wages: Fraction = NOTHING
    bonus_share: Fraction | None = None
    entry_level: int = 0
    entries: dict[str, dt.date | None] = field(default_factory=dict)
    vested_floors: dict[str, Fraction] = field(default_factory=dict)


@dataclass
class Year:
    """A person's calendar year by day, 1 January first: the rate of pay in cents and the deferral rate in force.

    A bonus that the plan counts is in the pay of its day, times the days of the year.
    """

    number: int
    life: Life
    first: int
    last: int
    pay: list[int]
    rates: list[Fraction]
    exit_reason: str | None
    bonus: Fraction = NOTHING
    bonus_day: int = 0
    is_bonus_counted: bool = True

    @property
    def as_of(self) -> dt.date:
        return dt.date(self.number, 1, 1) + dt.timedelta(self.last)

    @property
    def days(self) -> int:
        return len(self.pay)

    @cached_property
    def _paid(self) -> list[int]:
        return list(accumulate(self.pay, initial=0))

    @cached_property
    def _millionths(self) -> list[int]:
        """The rates of the days in millionths; only a change of the rate costs a multiplication of fractions."""
        return [part for rate, days in groupby(self.rates) for part in [int(rate * 10**6)] * len(list(days))]

    @cached_property
    def _elected(self) -> list[int]:
        return list(accumulate((pay * rate for pay, rate in zip(self.pay, self._millionths, strict=True)), initial=0))

    @cached_property
    def _electing_pay(self) -> list[int]:
        return list(
            accumulate((pay if rate else 0 for pay, rate in zip(self.pay, self._millionths, strict=True)), initial=0)
        )

    def paid(self, start: int = 0, end: int | None = None) -> Fraction:
        """Return the pay of the days from `start` up to, not including, `end`."""
        end = self.days if end is None else end
        return Fraction(self._paid[max(start, end)] - self._paid[start], 100 * self.days)

    def compensation(self) -> Fraction:
        """Return all that is paid in the year, whatever the plan counts of it, in whole cents."""
        return cents(self.paid()) + (NOTHING if self.is_bonus_counted else self.bonus)

    def elected(self, end: int | None = None) -> Fraction:
        return Fraction(self._elected[self.days if end is None else end], 100 * 10**6 * self.days)

    def electing_pay(self) -> Fraction:
        """Return the pay of the days on which an election is in force."""
        return Fraction(self._electing_pay[-1], 100 * self.days)

    def completed(self, kind: str) -> int:
        """Return completed years of age or service, or their sum, on 31 December or at the exit."""
        age, service = completed_years(self.life.born, self.as_of), completed_years(self.life.serves_from, self.as_of)
        return {"age": age, "service": service, "points": age + service, "none": 0}[kind]


# ---- who may be in, and from when


def first_entry(day: dt.date, entry_dates: str) -> dt.date:
    """Return the first entry date on or after a day."""
    if entry_dates == "immediate":
        return day
    step = {"monthly": 1, "quarterly": 3, "semiannual": 6, "annual": 12}[entry_dates]
    return next(
        date
        for date in (dt.date(day.year + (month > 12), (month - 1) % 12 + 1, 1) for month in range(1, 26, step))
        if date >= day
    )


def rule_of(design: Design, source: str) -> dict[str, Any]:
    """Return the eligibility rule of a source, its blanks filled from the rule for deferrals."""
    return {
        key: design[f"plan.eligibility.{'deferral' if own is None else source}.{key}"]
        for key in ELIGIBILITY_KEYS
        for own in [design[f"plan.eligibility.{source}.{key}"]]
    }


def follows_deferral(design: Design, source: str) -> bool:
    return all(design[f"plan.eligibility.{source}.{key}"] is None for key in ELIGIBILITY_KEYS) or source == "deferral"


def entry_by_rule(life: Life, rule: Mapping[str, Any]) -> dt.date | None:
    """Return the entry date by age and service; None when the hours are never enough."""
    count, unit = int(rule["service"]), rule["service_unit"]
    if rule["method"] == "hours" and count and life.hours * 52 < 1000:
        return None
    served = {
        "days": life.serves_from + dt.timedelta(count),
        "months": later(life.serves_from, count),
        "years": anniversary(life.serves_from, life.serves_from.year + count),
    }[unit]
    birthday = later(life.born, int(rule["minimum_age"] * 12))
    return first_entry(max(birthday, served, life.hired), rule["entry_dates"])


def is_long_term_part_timer(life: Life, rule: Mapping[str, Any]) -> bool:
    return rule["method"] == "hours" and rule["service"] > 0 and 500 <= life.hours * 52 < 1000


def entry_of_long_term_part_timer(life: Life, rule: Mapping[str, Any]) -> dt.date | None:
    """Return the entry date of 401(k)(2)(D)(ii); None for those whom it does not concern."""
    if not is_long_term_part_timer(life, rule):
        return None
    since = life.serves_from
    began = since.year if since.year >= 2021 else 2021
    began += anniversary(since, began) < dt.date(2021, 1, 1)
    earliest = max(anniversary(life.born, life.born.year + 21), life.hired)
    three = first_entry(max(earliest, anniversary(since, began + 3)), rule["entry_dates"])
    two = first_entry(max(earliest, anniversary(since, began + 2), dt.date(2025, 1, 1)), rule["entry_dates"])
    return min(two, three)


def rule_entries(life: Life, design: Design, year: int) -> None:
    """Set the day from which a person is in for each source; on a later 1 January anew, but for what is past."""
    if not life.entries:
        life.entries = {source: first_ruled(life, design, source) for source in SOURCES}
    elif life.override is None:
        today = dt.date(year, 1, 1)
        for source, before in life.entries.items():
            if before is None or before >= today:
                by_rule = ruled(life, design, source)
                life.entries[source] = None if by_rule is None else max(by_rule, today)


def ruled(life: Life, design: Design, source: str) -> dt.date | None:
    """Return the day from which the rules of a source let a person in; None for never."""
    rule = rule_of(design, source)
    ways = [entry_by_rule(life, rule)]
    if source == "deferral":
        ways.append(entry_of_long_term_part_timer(life, rule))
    return min((day for day in ways if day is not None), default=None)


def first_ruled(life: Life, design: Design, source: str) -> dt.date | None:
    """Return the day from which somebody who enters the simulation is in, exclusion apart; None for never."""
    start = dt.date(design["simulation.start_year"], 1, 1)
    if life.override is not None:
        return max(life.hired, start) if life.override else None
    ways = [ruled(life, design, source)]
    defers_only = source != "deferral" and is_long_term_part_timer(life, rule_of(design, source))
    if life.is_census_participant and follows_deferral(design, source) and not defers_only:
        ways.append(max(life.hired, start))
    return min((day for day in ways if day is not None), default=None)


def is_excluded(life: Life, design: Design) -> bool:
    """Whether the level of 1 January or hire, or a group of the census, keeps a person out for the year."""
    return life.override is None and (
        life.level in design["plan.eligibility.excluded_levels"]
        or any(
            value.strip().lower() == (getattr(life, group["column"]) or "").lower()
            for group in design["plan.eligibility.excluded"]
            for value in group["values"]
        )
    )


def entry_day(year: Year, design: Design, source: str) -> int | None:
    """Return the first day of the year, counted from 0, on which a person is in; None when not this year."""
    entry = None if is_excluded(year.life, design) else year.life.entries[source]
    if entry is None or entry > year.as_of:
        return None
    return max(year.first, (entry - dt.date(year.number, 1, 1)).days)


# ---- elective deferrals


@dataclass
class Deferrals:
    """What a person defers, after the limits of 402(g), 414(v) and the plan."""

    elected: Fraction
    base: Fraction
    catch_up_limit: Fraction
    is_roth_catch_up: bool
    amount: Fraction
    after_tax: Fraction
    reason: str | None

    @property
    def catch_up(self) -> Fraction:
        return max(NOTHING, self.amount - self.base)


def catch_up_limit(life: Life, year: int, design: Design) -> Fraction:
    age = year - life.born.year
    special = limits(year)["super_catch_up_limit"]
    if special is not None and design["plan.deferrals.super_catch_up"] and 60 <= age <= 63:
        return special
    return limit(year, "catch_up_limit") if age >= 50 else NOTHING


def base_limit(year: Year, design: Design, entry: int, end: int) -> Fraction:
    """Return the limit without catch-up on what is deferred before the day `end`, in whole cents."""
    most = cents(Fraction(design["plan.deferrals.maximum_rate"]) * cents(year.paid(entry, end)))
    return min(limit(year.number, "elective_deferral_limit"), most)


def must_be_roth(life: Life, year: int) -> bool:
    threshold = limits(year)["roth_catch_up_wage_threshold"]
    return threshold is not None and life.hired.year < year and life.wages is not None and life.wages > threshold


def deferrals(year: Year, design: Design) -> Deferrals:
    entry = entry_day(year, design, "deferral")
    if entry is None:
        return Deferrals(NOTHING, NOTHING, NOTHING, False, NOTHING, NOTHING, None)
    elected = cents(year.elected())
    base = base_limit(year, design, entry, year.days)
    by_age = catch_up_limit(year.life, year.number, design)
    is_roth = must_be_roth(year.life, year.number)
    allowed = NOTHING if is_roth and not design["plan.deferrals.roth_feature"] else by_age
    amount = min(elected, base + allowed)
    reason = None
    if elected > amount:
        if allowed < by_age:
            reason = "414(v)(7) no Roth feature"
        elif base < limit(year.number, "elective_deferral_limit"):
            reason = "plan_maximum_rate"
        else:
            reason = "402(g) and 414(v)" if allowed else "402(g)"
    found = Deferrals(elected, base, allowed, is_roth, amount, NOTHING, reason)
    if design["plan.after_tax.spill_over"]:
        most = cents(Fraction(design["plan.deferrals.maximum_rate"]) * cents(year.paid(entry)))
        found.after_tax = max(NOTHING, min(elected, most) - amount)
    else:
        after_tax = cents(Fraction(design["plan.after_tax.rate"]) * year.electing_pay())
        found.after_tax = min(after_tax, cents(year.paid(entry)) - found.amount)
        if found.after_tax < after_tax and reason is None:
            found.reason = "compensation"
    return found


# ---- employer money


def plan_compensation(year: Year, design: Design, entry: int, end: int) -> Fraction:
    """Return the pay before the day `end` that a source counts, within 401(a)(17)."""
    start = entry if design["plan.compensation_from"] == "entry_date" else 0
    return min(limit(year.number, "compensation_limit"), cents(year.paid(start, end)))


def failed_gate(year: Year, design: Design, source: str) -> str | None:
    length = year.days
    hours = year.life.hours * 52 * (year.last - year.first + 1) / length
    if design[f"plan.{source}.hours_gate"] and hours < 1000:
        return "hours_requirement"
    if design[f"plan.{source}.last_day_gate"] and year.exit_reason is not None:
        excused = design[f"plan.{source}.last_day_exceptions"]
        counts = design[f"plan.{source}.last_day_includes_exits_on"] and year.last == length - 1
        is_retired = "retirement" in excused and (
            year.exit_reason == "retirement"
            or (year.exit_reason == "announced" and year.completed("age") >= design["plan.normal_retirement_age"])
        )
        is_excused = is_retired or (year.exit_reason in ("death", "disability") and year.exit_reason in excused)
        if not counts and not is_excused and not ("age_55" in excused and year.completed("age") >= 55):
            return "last_day_requirement"
    return None


def in_band(tiers: Iterable[Mapping[str, Any]], value: int) -> list[Mapping[str, Any]]:
    return [
        tier
        for tier in tiers
        if "from" not in tier or (tier["from"] <= value and (tier["to"] is None or value < tier["to"]))
    ]


def match_tiers(year: Year, design: Design) -> Tiers:
    formula = design["plan.match.formula"]
    if formula != "custom":
        return [(Fraction(lower), Fraction(upper), Fraction(share)) for lower, upper, share in MATCH_PRESETS[formula]]
    found = in_band(design["plan.match.tiers"], year.completed(design["plan.match.tiers_by"]))
    return [(Fraction(tier["lower"]), Fraction(tier["upper"]), Fraction(tier["rate"])) for tier in found]


def tiered(amount: Fraction, pay: Fraction, tiers: Tiers) -> Fraction:
    return sum(
        (share * (min(amount, upper * pay) - min(amount, lower * pay)) for lower, upper, share in tiers), NOTHING
    )


def capped(match: Fraction, pay: Fraction, design: Design) -> Fraction:
    cap = design["plan.match.cap_rate"]
    return match if cap is None else min(match, Fraction(cap) * pay)


def match_of(year: Year, design: Design, found: Deferrals) -> Fraction:
    """Return the match before 415(c)."""
    entry = entry_day(year, design, "match")
    deferral_entry = entry_day(year, design, "deferral")
    if entry is None or deferral_entry is None or not found.amount or failed_gate(year, design, "match"):
        return NOTHING
    tiers = match_tiers(year, design)
    dollars = design["plan.match.cap_amount"]
    most = None if dollars is None else Fraction(dollars)
    before = deferred_before_match(year, design, found)
    if design["plan.match.computed"] == "annual":
        pay = plan_compensation(year, design, entry, year.days)
        match = capped(tiered(found.amount - before, pay, tiers), pay, design)
        return cents(match if most is None else min(match, most))
    total = NOTHING
    ends = period_ends(year.days, design["plan.match.pay_periods"])
    for (pay_before, deferred_before), (pay_after, deferred_after) in pairwise(
        [(NOTHING, NOTHING), *(up_to(year, design, found, entry, deferral_entry, end) for end in ends)]
    ):
        pay = pay_after - pay_before
        deferred = max(NOTHING, deferred_after - before) - max(NOTHING, deferred_before - before)
        match = cents(capped(tiered(deferred, pay, tiers), pay, design))
        total += match if most is None else min(match, most - total)
    return total


def deferred_before_match(year: Year, design: Design, found: Deferrals) -> Fraction:
    """Return what is deferred before the entry date of the match, where the plan does not match that."""
    entry, deferral_entry = entry_day(year, design, "match"), entry_day(year, design, "deferral")
    if design["plan.match.deferrals_from"] == "year" or entry is None or deferral_entry is None:
        return NOTHING
    return up_to(year, design, found, entry, deferral_entry, entry)[1] if entry > deferral_entry else NOTHING


def period_ends(length: int, periods: int) -> Iterator[int]:
    return (k * length // periods for k in range(1, periods + 1))


def up_to(
    year: Year, design: Design, found: Deferrals, entry: int, deferral_entry: int, end: int
) -> tuple[Fraction, Fraction]:
    """Return plan compensation and deferrals of the days before `end`, within the limits of the whole year."""
    base = base_limit(year, design, deferral_entry, end)
    return (
        plan_compensation(year, design, entry, end),
        cents(min(year.elected(end), base + found.catch_up_limit)),
    )


def core_of(year: Year, design: Design) -> Fraction:
    """Return the core contribution before forfeitures and 415(c)."""
    entry = entry_day(year, design, "core")
    formula = design["plan.core.formula"]
    if entry is None or formula == "none" or failed_gate(year, design, "core"):
        return NOTHING
    pay = plan_compensation(year, design, entry, year.days)
    if formula in NONELECTIVE:
        return cents(Fraction(NONELECTIVE[formula]) * pay)
    if formula != "flat":
        (tier,) = in_band(design["plan.core.tiers"], year.completed(formula))
        return cents(Fraction(tier["rate"]) * pay)
    amount = Fraction(design["plan.core.rate"]) * pay
    base = limit(year.number, "social_security_wage_base")
    kind = design["plan.core.integration_level"]
    if kind != "none":
        level = {
            "wage_base": lambda: base,
            "percent_of_wage_base": lambda: base * Fraction(design["plan.core.integration_percent"]),
            "dollars": lambda: Fraction(design["plan.core.integration_dollars"]),
        }[kind]()
        amount += Fraction(design["plan.core.disparity_rate"]) * max(NOTHING, pay - level)
    return cents(amount)


def cut_to_415(parts: Mapping[str, Fraction], excess: Fraction, design: Design) -> dict[str, Fraction]:
    """Return what is cut from each part; where a part is safe-harbor money it goes last, after unmatched deferrals."""
    is_safe = {
        "match": design["plan.match.formula"] in SAFE_HARBOR_MATCHES or design["plan.match.safe_harbor"],
        "core": design["plan.core.formula"] in NONELECTIVE,
    }
    first: list[str] = []
    last: list[str] = []
    for name in design["plan.limit_415_order"]:
        first += ["reallocated"] if name == "core" else []
        (last if is_safe.get(name) else first).append(name)
    cuts = {}
    for name in (*first, "unmatched", *last):
        cuts[name] = min(max(NOTHING, excess), parts[name])
        excess -= cuts[name]
    return cuts


# ---- the whole of a person's year


@dataclass
class Recomputation:
    """Every amount by (year, person, type of event), the vested part by (year, person, source), how often each rule had
    something to decide, and the forfeitures that are still to be reallocated."""

    amounts: dict[tuple[int, str, str], Amounts] = field(default_factory=dict)
    vested: dict[tuple[int, str, str], Fraction] = field(default_factory=dict)
    uses: Counter[str] = field(default_factory=Counter)
    carried: Fraction = NOTHING


def contribution_of(year: Year, design: Design, reallocated: Fraction, result: Recomputation) -> dict[str, Amounts]:
    """Return the events of a person's year by type, without those of nothing."""
    found = deferrals(year, design)
    core, match = core_of(year, design), match_of(year, design, found)
    allowed = min(limit(year.number, "annual_additions_limit"), year.compensation())
    additions = found.amount - found.catch_up + found.after_tax + match + core + reallocated
    # 414(v)(3)(A): what is above the limit of 415(c) is catch-up while there is room for it
    room = min(found.catch_up_limit - found.catch_up, found.amount - found.catch_up)
    turned = min(max(NOTHING, additions - allowed), room)
    catch_up = found.catch_up + turned
    below = found.amount - catch_up
    parts = {
        "unmatched": max(NOTHING, below - matched(year, design, found)),
        "after_tax": found.after_tax,
        "match": match,
        "core": core,
        "reallocated": reallocated,
    }
    cuts = cut_to_415(parts, additions - turned - allowed, design)
    result.uses.update(rules_used(year, design, found, cuts))
    if turned:
        result.uses["415(c) turns into Roth catch-up" if found.is_roth_catch_up else "415(c) turns into catch-up"] += 1
    left = {name: amount - cuts[name] for name, amount in parts.items()}
    result.carried -= left["reallocated"]
    share = Fraction(design["plan.deferrals.roth_share"])
    roth = cents(share * below) + (catch_up if found.is_roth_catch_up else cents(share * catch_up))
    pre_tax = found.amount - roth
    events: dict[str, Amounts] = {
        "contribution": {
            "amount": found.amount - cuts["unmatched"] + left["after_tax"],
            "pre_tax": max(NOTHING, pre_tax - cuts["unmatched"]),
            "roth": roth - max(NOTHING, cuts["unmatched"] - pre_tax),
            "after_tax": left["after_tax"],
            "catch_up": catch_up,
            "elected": found.elected,
            "limit_reason": "415(c)" if cuts["unmatched"] or cuts["after_tax"] else found.reason,
        },
        "employer_match": {"amount": left["match"]},
        "employer_core": {"amount": left["core"] + left["reallocated"]},
    }
    return {kind: {**event, "date": year.as_of} for kind, event in events.items() if event["amount"]}


def rules_used(year: Year, design: Design, found: Deferrals, cuts: Mapping[str, Fraction]) -> Iterator[str]:
    """Name the rules that had something to decide for a person in a year."""
    life = year.life
    yield from (f"415(c) cuts {name}" for name, cut in cuts.items() if cut)
    if found.reason:
        yield found.reason
    if found.catch_up:
        yield "Roth catch-up" if found.is_roth_catch_up else "catch-up"
        if found.catch_up_limit > limit(year.number, "catch_up_limit"):
            yield "catch-up at 60 to 63"
    if found.after_tax:
        yield "spill-over" if design["plan.after_tax.spill_over"] else "after-tax"
    if life.is_refunded:
        yield "refund"
    if life.override is not None:
        yield f"override {life.override}"
    if is_excluded(life, design):
        yield "exclusion"
    for source in ("match", "core"):
        entry = entry_day(year, design, source)
        if entry is None:
            continue
        yield f"{source}: {failed_gate(year, design, source) or 'paid'}"
        if plan_compensation(year, design, entry, year.days) < cents(year.paid()):
            yield f"{source}: part of the pay"
    if found.amount and design["plan.match.formula"] != "none":
        if design["plan.match.safe_harbor"]:
            yield "match of a safe harbor of its own"
        yield f"match {design['plan.match.formula']} by {design['plan.match.tiers_by']}"
        yield f"match {design['plan.match.computed']}"
        if deferred_before_match(year, design, found):
            yield f"match {design['plan.match.computed']}, deferred before its entry"
    yield f"core {design['plan.core.formula']}, level {design['plan.core.integration_level']}"
    if entry_of_long_term_part_timer(life, rule_of(design, "deferral")) == life.entries["deferral"] is not None:
        yield "long-term part-time"


def bonus_rules_used(year: Year, design: Design) -> Iterator[str]:
    """Name the rules that decided a bonus and what the plan made of it."""
    yield "bonus of a level" if year.life.bonus_share is None else "bonus of the person"
    if design["compensation.bonus.standard_deviation"]:
        yield "bonus drawn"
    if year.exit_reason is not None and year.bonus_day == year.last:
        yield "bonus on the exit day"
    if not year.is_bonus_counted:
        yield "bonus left out"
        return
    entry = entry_day(year, design, "match")
    if entry is not None:
        yield f"bonus before entry, {design['plan.compensation_from']}" if year.bonus_day < entry else "bonus counted"
    if year.elected() > year.elected(year.bonus_day):
        yield f"bonus deferred from, match {design['plan.match.computed']}"


def matched(year: Year, design: Design, found: Deferrals) -> Fraction:
    """Return the part of a deferral that some tier matches, the formula having no gap above its first tier."""
    deferral = found.amount - deferred_before_match(year, design, found)
    entry = entry_day(year, design, "match")
    pay = NOTHING if entry is None else plan_compensation(year, design, entry, year.days)
    return min(deferral, pay * max((upper for _, upper, _ in match_tiers(year, design)), default=NOTHING))


def shares_of(pool: Fraction, years: Mapping[str, Year], design: Design) -> dict[str, Fraction]:
    """Return how a pool is shared out in cents, pro rata to the core pay of those who are in at the year's end."""
    pay = {}
    for employee_id, year in years.items():
        entry = entry_day(year, design, "core")
        if entry is not None and year.exit_reason is None:
            pay[employee_id] = plan_compensation(year, design, entry, year.days)
    total = sum(pay.values(), NOTHING)
    if not total or design["plan.forfeitures.use"] != "reallocate":
        return {}
    exact = {employee_id: 100 * pool * amount / total for employee_id, amount in pay.items()}
    whole = {employee_id: int(amount) for employee_id, amount in exact.items()}
    by_remainder = sorted(exact, key=lambda employee_id: (whole[employee_id] - exact[employee_id], employee_id))
    for employee_id in by_remainder[: int(100 * pool) - sum(whole.values())]:
        whole[employee_id] += 1
    return {employee_id: Fraction(amount, 100) for employee_id, amount in whole.items()}


def to_places(value: Fraction, places: int) -> Fraction:
    """Round a number of 0 or more to decimal places, half away from zero."""
    unit = 10**places
    return Fraction((2 * unit * value.numerator + value.denominator) // (2 * value.denominator), unit)


def bonus_share(life: Life, level: int, design: Design) -> Fraction:
    """Return the share of variable pay of somebody in a level, before the draw."""
    targets = design["compensation.bonus.target_share"]
    if life.bonus_share is None:
        return Fraction(targets.get(level, 0))
    reached = (Fraction(share) for at, share in targets.items() if life.entry_level < at <= level)
    return max((life.bonus_share, *reached))


def pay_bonus(employee_id: str, year: Year, promotions: Iterable[tuple[int, int]], design: Design) -> None:
    """Put the bonus of a year into it; `promotions` are days, counted from 0, with the level after them."""
    month, day = (int(part) for part in design["compensation.bonus.pay_date"].split("-"))
    day = min(day, monthrange(year.number, month)[1])
    year.bonus_day = (dt.date(year.number, month, day) - dt.date(year.number, 1, 1)).days
    year.is_bonus_counted = "bonus" in design["plan.compensation"]
    if year.first or year.life.hired.year == year.number or year.bonus_day > year.last:
        return
    level = max((level for when, level in promotions if when <= year.bonus_day), default=year.life.level)
    share = bonus_share(year.life, level, design)
    spread = float(design["compensation.bonus.standard_deviation"])
    if spread:
        seed = design["simulation.random_seed"]
        first, second = (draw(seed, "bonus", employee_id, year.number, part) for part in (0, 1))
        drawn = round(1 + spread * round(sqrt(-2 * log(1 - first)) * cos(2 * pi * second), 12), 12)
        share = to_places(share * Fraction(f"{max(0.0, drawn):.12f}"), 12)
    year.bonus = cents(share * year.life.base_wages)
    if year.is_bonus_counted:
        year.pay[year.bonus_day] += int(100 * year.bonus) * year.days


def live(employee_id: str, life: Life, number: int, events: Iterable[Event], design: Design) -> Year:
    """Carry a life through a year's events, in ledger order, and return the year by day."""
    length = 366 if isleap(number) else 365
    promotions = []
    is_hire = life.hired.year == number and not life.pay
    pay = [0 if is_hire else life.pay] * length
    year = Year(number, Life(**vars(life)), 0, length - 1, pay, [life.election] * length, None)
    if life.is_refunded:
        year.rates = [NOTHING] * length
    for event in events:
        day = (event["effective_date"] - dt.date(number, 1, 1)).days
        kind = event["event_type"]
        if kind in PAY_EVENTS:
            life.pay = int(event["compensation_after"] * 100)
            life.level = event["level_after"]
            year.pay[day:] = [life.pay] * (length - day)
            if kind == "hire":
                year.first = day
            if kind == "promotion":
                promotions.append((day, life.level))
        elif kind in RATE_EVENTS:
            life.election = Fraction(event["deferral_rate_after"])
            if kind == "enrollment":
                life.is_refunded = json.loads(event["event_details"])["will_be_refunded"]
            year.rates[day:] = [NOTHING if life.is_refunded else life.election] * (length - day)
        elif kind == "termination":
            year.last, year.exit_reason = day, event["event_category"]
            year.pay[day + 1 :] = [0] * (length - day - 1)
    life.base_wages = cents(Fraction(sum(year.pay), 100 * length))
    pay_bonus(employee_id, year, promotions, design)
    life.wages = year.compensation()
    return year


def lives_of_census(rows: Iterable[Row], start: int) -> dict[str, Life]:
    return {str(row["employee_id"]): life_of_row(row, start) for row in rows}


def life_of_row(row: Row, start: int) -> Life:
    pay = Decimal(str(row["employee_gross_compensation"]))
    levels = [(Decimal(level["pay_from"]), int(level["level_id"])) for level in default_table("job_levels")]
    hours = Fraction(str(row["scheduled_hours_per_week"]))
    full_time_pay = cents(Fraction(pay) * FULL_TIME_HOURS / min(hours, FULL_TIME_HOURS))
    by_pay = levels[bisect_right([low for low, _ in levels], full_time_pay) - 1][1]
    election = Fraction(str(row.get("employee_deferral_rate") or 0))
    override, wages = row["plan_eligible_override"], row["prior_year_compensation"]
    hired = dt.date.fromisoformat(str(row["employee_hire_date"]))
    days = 366 if isleap(start - 1) else 365
    days_paid = (dt.date(start, 1, 1) - max(hired, dt.date(start - 1, 1, 1))).days
    level = int(str(row["level_id"])) if row["level_id"] else by_pay
    given = str(row["employee_variable_compensation"])
    variable = Fraction(given or 0)
    return Life(
        born=dt.date.fromisoformat(str(row["employee_birth_date"])),
        hired=hired,
        serves_from=dt.date.fromisoformat(str(row.get("employee_service_date") or hired)),
        hours=hours,
        department=str(row["department"]),
        employee_class=str(row["employee_class"]),
        level=level,
        pay=int(pay * 100),
        election=election,
        is_census_participant=election > 0,
        override=None if override == "" else bool(override),
        wages=cents((Fraction(pay) + variable) * days_paid / days) if wages == "" else Fraction(str(wages)),
        base_wages=cents(Fraction(pay) * days_paid / days),
        bonus_share=to_places(variable / Fraction(pay), 12) if given else None,
        entry_level=level,
    )


def life_of_hire(event: Event) -> Life:
    details = json.loads(event["event_details"], parse_float=Decimal)
    return Life(
        born=dt.date.fromisoformat(details["employee_birth_date"]),
        hired=event["effective_date"],
        serves_from=event["effective_date"],
        hours=Fraction(str(details["scheduled_hours_per_week"])),
        department=None,
        employee_class=None,
        level=event["level_after"],
    )


# ---- vesting


def scheduled(design: Design, source: str, service: int) -> Fraction:
    steps = SCHEDULES[design[f"plan.vesting.{source}"]]
    return Fraction(steps[min(service, len(steps) - 1)], 100)


def vested_part(year: Year, designs: Sequence[Design], source: str) -> Fraction:
    """Return what of a source is vested at the close or exit; `designs` are those of all years, up to this one."""
    design = designs[-1]
    if year.completed("age") >= design["plan.normal_retirement_age"] or year.exit_reason in ("death", "disability"):
        return Fraction(1)
    service = year.completed("service")
    changed = [later for later in range(1, len(designs)) if vests_otherwise(designs[later - 1], designs[later])]
    considered = [design]
    if changed:
        latest = dt.date(year.number - len(designs) + 1 + changed[-1], 1, 1)
        if completed_years(year.life.serves_from, latest) >= 3:
            considered = list(designs)
    best = max(scheduled(one, source, service) for one in considered)
    return max(best, year.life.vested_floors.get(source, NOTHING))


def vests_otherwise(before: Design, after: Design) -> bool:
    return any(before[key] != after[key] for key in VESTING_KEYS)


def vest(employee_id: str, year: Year, life: Life, designs: Sequence[Design], result: Recomputation) -> None:
    """Note what a person is vested by, and keep it as the floor of all later years if the rules then change.

    The floor is kept whether they change or not: on one schedule service only grows, and so does the vested part.
    """
    for source in ("match", "core"):
        part = vested_part(year, designs, source)
        result.vested[year.number, employee_id, source] = life.vested_floors[source] = part


def recompute(rows: Iterable[Row], plan: Design, ledger: Iterable[Event]) -> Recomputation:
    """Return every contribution, match and core of a run; `ledger` is in the order of its event sequences."""
    start = plan["simulation.start_year"]
    lives = lives_of_census(rows, start)
    events: dict[tuple[int, str], list[Event]] = defaultdict(list)
    result = Recomputation(carried=Fraction(plan["plan.forfeitures.opening_balance"]))
    designs: list[Design] = []
    for event in ledger:
        events[event["simulation_year"], event["employee_id"]].append(event)
        if event["event_type"] == "hire":
            lives[event["employee_id"]] = life_of_hire(event)
    for number in range(start, plan["simulation.end_year"] + 1):
        designs.append(design := design_of_year(plan, number))
        present = {employee_id: life for employee_id, life in lives.items() if life.hired.year <= number}
        for life in present.values():
            rule_entries(life, design, number)
        years = {
            employee_id: live(employee_id, life, number, events[number, employee_id], design)
            for employee_id, life in present.items()
        }
        reallocated = shares_of(result.carried, years, design)
        for employee_id, year in years.items():
            vest(employee_id, year, present[employee_id], designs, result)
            if year.exit_reason is not None:
                del lives[employee_id]
            share = reallocated.get(employee_id, NOTHING)
            for kind, amounts in contribution_of(year, design, share, result).items():
                result.amounts[number, employee_id, kind] = amounts
            if year.bonus:
                paid_on = dt.date(number, 1, 1) + dt.timedelta(year.bonus_day)
                result.amounts[number, employee_id, "bonus"] = {"amount": year.bonus, "date": paid_on}
                result.uses.update(bonus_rules_used(year, design))
            result.carried += forfeited(events[number, employee_id])
    return result


def forfeited(events: Iterable[Event]) -> Fraction:
    return sum((Fraction(event["amount"]) for event in events if event["event_type"] == "forfeiture"), NOTHING)
