"""Companies and plan designs at random, each one legal: a function of the draws of a generator, such as hypothesis's.

The draws go where rules begin and end: ages around 21, 50, 55 and 60-63, pay around the limits, hours around 500 and
1,000 a year, hires and exits on the first and last day of a year and on 29 February.
"""

import datetime as dt
from calendar import monthrange
from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from tests.companies import Row, anniversary, person

Design = Mapping[str, Any]
Item = TypeVar("Item")

SOURCES = ("deferral", "match", "core")
ELIGIBILITY_KEYS = ("minimum_age", "method", "service", "service_unit", "entry_dates")
BANDS = {"service": (0, 3, 10), "points": (0, 45, 65), "age": (0, 30, 50)}
SAFE_HARBOR_MATCHES = ("safe_harbor_basic", "safe_harbor_enhanced", "qaca")
# formula -> rate
NONELECTIVE = {"safe_harbor_nonelective": "0.03", "safe_harbor_nonelective_late": "0.04", "qaca_nonelective": "0.03"}
SAFE_HARBORS = (*SAFE_HARBOR_MATCHES, *NONELECTIVE)
# lower, upper, rate of tiers that are a safe harbor together
SAFE_TIERS = (
    (("0", "0.03", "1"), ("0.03", "0.05", "0.5")),
    (("0", "0.08", "1"),),
    (("0", "0.01", "2.5"), ("0.01", "0.1", "0.5")),
)
EXCLUDED_B = {"column": "department", "values": ["B"]}
EXCLUDED_UNION = {"column": "employee_class", "values": [" UNION"], "collectively_bargained": True}
EXCEPTIONS = ("retirement", "age_55", "death", "disability")
DECREMENTS = (
    {"age_from": 0, "age_to": 50, **dict.fromkeys(("male_death_rate", "female_disability_rate"), "0.02")},
    {"age_from": 50, "age_to": None, **dict.fromkeys(("male_death_rate", "female_disability_rate"), "0.1")},
)
# keys that do not change, and the uses of forfeitures, whose pool is known only where they are reallocated in all years
FOR_ALL_YEARS = (
    "simulation.start_year",
    "simulation.end_year",
    "simulation.random_seed",
    "plan.previous_match.",
    "plan.forfeitures.",
)
_CENT = Decimal("0.01")


def rate(text: str) -> Decimal:
    return Decimal(text)


def _some(random: Random, items: Sequence[Item]) -> list[Item]:
    return [item for item in items if random.random() < 0.5]


def _day(random: Random, first: dt.date, last: dt.date) -> dt.date:
    return first + dt.timedelta(random.randint(0, (last - first).days))


def _edge_day(random: Random, year: int) -> dt.date:
    month, day = random.choice(((1, 1), (2, 28), (2, 29), (7, 1), (12, 30), (12, 31)))
    return dt.date(year, month, min(day, monthrange(year, month)[1]))


def _birth_date(random: Random, start: int) -> dt.date:
    kind = random.random()
    if kind < 0.05:
        return dt.date(random.choice((1960, 1964, 1972, 1976, 1996, 2004)), 2, 29)
    ages = ((0.45, 18, 72), (0.65, 47, 50), (0.8, 57, 64), (0.92, 19, 22), (1, 53, 56))
    youngest, oldest = next((low, high) for share, low, high in ages if kind < share)
    year = start - random.randint(youngest, oldest)
    return (
        _edge_day(random, year) if random.random() < 0.2 else _day(random, dt.date(year, 1, 1), dt.date(year, 12, 31))
    )


def _hire_date(random: Random, born: dt.date, start: int) -> dt.date:
    earliest, latest = anniversary(born, born.year + 16), dt.date(start - 1, 12, 31)
    spans = ((0.2, 180), (0.6, 4 * 365), (1, 40 * 365))
    kind = random.random()
    days = next(days for share, days in spans if kind < share)
    if random.random() < 0.2:
        return max(earliest, _edge_day(random, random.randint(start - 4, start - 1)))
    return _day(random, max(earliest, latest - dt.timedelta(days)), latest)


def _pay(random: Random) -> Decimal:
    spans = ((0.45, 24_000, 90_000), (0.65, 90_000, 170_000), (0.85, 260_000, 380_000), (0.95, 600, 12_000))
    kind = random.random()
    low, high = next(((low, high) for share, low, high in spans if kind < share), (380_000, 900_000))
    return (Decimal(random.randint(low * 100, high * 100)) * _CENT).quantize(_CENT)


def _election(random: Random, hired: dt.date, start: int) -> dict[str, object]:
    kind = random.random()
    joined = _day(random, hired, dt.date(start - 1, 12, 31))
    if kind < 0.3:
        return {}
    if kind < 0.37:
        return {"employee_deferral_rate": 0, "employee_enrollment_date": joined, "enrollment_method": "auto"}
    if kind < 0.42:
        return {"employee_deferral_rate": 0}
    return {
        "employee_deferral_rate": random.choice(
            ("0.01", "0.03", "0.035", "0.05", "0.06", "0.0725", "0.1", "0.15", "0.25", "0.4", "0.8", "0.99")
        ),
        "employee_enrollment_date": random.choice((joined, joined, "")),
        "enrollment_method": random.choice(("auto", "auto", "voluntary", "")),
        "auto_escalation_opt_out": random.random() < 0.1,
    }


def _employee(random: Random, employee_id: str, start: int) -> Row:
    born = _birth_date(random, start)
    hired = _hire_date(random, born, start)
    pay = _pay(random)
    years_ahead = range(start, start + 3)
    announced = random.choice(
        (_edge_day, lambda random, year: _day(random, dt.date(year, 1, 1), dt.date(year, 12, 31)))
    )
    return person(
        employee_id,
        born=born.isoformat(),
        hired=hired.isoformat(),
        employee_service_date=_service_date(random, born, hired, start),
        pay=pay,
        level_id=random.choice(("", "", 1, 2, 3, 4, 5)),
        department=random.choice(("A", "B", "C")),
        employee_class=random.choice(("", "Union", "union", "Staff")),
        sex=random.choice(("", "M", "female")),
        scheduled_hours_per_week=random.choice((40, 40, 40, 40, "37.5", 24, 20, "19.23", 15, 10, 9)),
        employee_termination_date=announced(random, random.choice(years_ahead)) if random.random() < 0.12 else "",
        plan_eligible_override=random.choice((*[""] * 30, True, False)),
        is_five_percent_owner=random.random() < 0.02,
        prior_year_compensation=_prior_pay(random, pay, hired, start),
        employee_account_balance=random.choice((0, 10_000, "12345.67")),
        match_account_balance=random.choice((0, 5_000, "2345.67")),
        core_account_balance=random.choice((0, 5_000, "345.67")),
        **_election(random, hired, start),
        employee_variable_compensation=random.choice(
            ("", "", "", 0, (pay * random.randint(1, 99) / 100).quantize(_CENT))
        ),
    )


def _service_date(random: Random, born: dt.date, hired: dt.date, start: int) -> dt.date | str:
    """Return a day before the hire, after it, or a blank."""
    kind = random.random()
    if kind < 0.1:
        return _day(random, anniversary(born, born.year + 14), hired)
    return _day(random, hired, dt.date(start - 1, 12, 31)) if kind < 0.15 else ""


def _prior_pay(random: Random, pay: Decimal, hired: dt.date, start: int) -> Decimal | str:
    if random.random() < 0.2:
        return ""
    last = dt.date(start - 1, 12, 31)
    days = min(365, (last - hired).days + 1)
    return (pay * days / 365 * random.choice((Decimal("0.94"), Decimal("0.97"), Decimal("1.01")))).quantize(_CENT)


def company(number: int, size: int) -> tuple[int, list[Row]]:
    """Return a first simulated year and a census of `size` people as of the day before it."""
    random = Random(f"company {number}")
    start = random.choice((2021, 2022, 2023, 2023, 2024, 2024, 2025, 2025, 2026, 2026))
    return start, [_employee(random, f"P{index:04d}", start) for index in range(size)]


def numbered_design(number: int, start: int) -> Design:
    """Return the design that a number stands for."""
    return design(Random(f"design {number}"), start)


def design(random: Random, start: int) -> Design:
    """Return every setting of a plan, and of a lively workforce, for one to three years from `start` to 2026."""
    years = min(random.choice((1, 1, 1, 1, 1, 1, 1, 2, 3)), 2027 - start)
    match = _match(random)
    core = _core(random)
    # a formula of its own that is a safe harbor is under the same law as the preset
    name = "safe_harbor_basic" if match["plan.match.safe_harbor"] else str(match["plan.match.formula"])
    formulas = (name, str(core["plan.core.formula"]))
    vesting = _vesting(random, *formulas)
    deferrals = _deferrals(random)
    # nothing is forfeited before the first year
    uses = ("offset_employer", "pay_expenses", "reallocate", *(["reallocate"] * 2 if years > 1 else []))
    forfeiture_use = random.choice(uses)
    return {
        "simulation.start_year": start,
        "simulation.end_year": start + years - 1,
        **_workforce(random),
        "plan.automatic_enrollment.effective_date": random.choice((None, None, f"{start}-04-01")),
        "plan.annual_return": random.choice((rate("0"), rate("0.05"), rate("-0.1"))),
        "plan.normal_retirement_age": random.choice((65, 62)),
        "plan.compensation_from": random.choice(("entry_date", "entry_date", "plan_year")),
        "plan.limit_415_order": random.sample(["after_tax", "core", "match"], 3),
        **_eligibility(random, vesting, formulas),
        **_participation(random, formulas, deferrals["plan.deferrals.maximum_rate"]),
        **deferrals,
        **match,
        **core,
        **vesting,
        "plan.forfeitures.use": forfeiture_use,
        "plan.forfeitures.annual_expenses": random.choice((0, 500)) if forfeiture_use == "pay_expenses" else 0,
        "plan.hce.top_paid_group": random.random() < 0.3,
        "plan.forfeitures.opening_balance": random.choice((0, 0, 12_345)),
        **_bonus(random),
    }


def changing_design(random: Random, start: int) -> Design:
    """Return a design of three years, or those up to 2026, in which another one may take its place every year."""
    found = {**design(random, start), "simulation.end_year": min(start + 2, 2026)}
    for year in range(start + 1, found["simulation.end_year"] + 1):
        other = design(random, start)
        if random.random() < 0.8:
            found |= {
                f"changes.{year}.{key}": value for key, value in other.items() if not key.startswith(FOR_ALL_YEARS)
            }
    return found


def design_of_year(plan: Design, year: int) -> Design:
    """Return what holds in a year of a design with changes."""
    found = {key: value for key, value in plan.items() if not key.startswith("changes.")}
    for changed in range(plan["simulation.start_year"] + 1, year + 1):
        prefix = f"changes.{changed}."
        found |= {key.removeprefix(prefix): value for key, value in plan.items() if key.startswith(prefix)}
    return found


def _bonus(random: Random) -> dict[str, object]:
    rising = {1: rate("0.05"), 2: rate("0.1"), 3: rate("0.155555"), 4: rate("0.3"), 5: rate("0.75")}
    return {
        "compensation.bonus.target_share": random.choice(({}, {}, rising, {2: rate("0.2"), 4: rate("0.1")})),
        "compensation.bonus.pay_date": random.choice(("03-15", "03-15", "01-01", "02-29", "12-31")),
        "compensation.bonus.standard_deviation": random.choice((rate("0"), rate("0"), rate("0.5"))),
        "plan.compensation": random.choice((["base", "bonus"], ["base", "bonus"], ["base"])),
    }


def _workforce(random: Random) -> dict[str, object]:
    decrements = [{"female_death_rate": "0.01", "male_disability_rate": "0.03", **row} for row in DECREMENTS]
    return {
        "parameters.decrement_rates": random.choice(("default", decrements)),
        "simulation.random_seed": random.randint(0, 10**9),
        "simulation.target_growth_rate": random.choice((rate("0"), rate("0.1"))),
        "workforce.total_termination_rate": random.choice((rate("0.15"), rate("0.25"))),
        "workforce.new_hire_termination_rate": random.choice((rate("0.2"), rate("0.4"))),
        "compensation.promotion.fill_share": random.choice((rate("0.5"), rate("1"))),
        "raise_timing.methodology": random.choice(("realistic", "fixed", "anniversary")),
        "new_hires.part_time_share": random.choice((rate("0"), rate("0.3"))),
        "new_hires.part_time_hours_per_week": random.choice((20, 15)),
    }


def _rule(random: Random, longest: int) -> dict[str, object]:
    """Return an eligibility rule that 410(a) allows; `longest` is the service in years that may be asked for."""
    entry_dates = random.choice(("immediate", "immediate", "monthly", "quarterly", "semiannual", "annual"))
    is_annual = entry_dates == "annual"
    age = random.choice(("0", "18", "20.5", "20.5" if is_annual else "21"))
    if random.random() < 0.4:
        service, unit, method = 0 if is_annual else random.randint(0, longest), "years", "hours"
    else:
        unit, method = random.choice(("days", "months", "months", "years")), "elapsed"
        most = {"days": 180, "months": 6, "years": 0} if is_annual else {"days": 360, "months": 12, "years": longest}
        service = random.choice((0, most[unit] // 4, most[unit] // 2, most[unit]))
    return dict(zip(ELIGIBILITY_KEYS, (rate(age), method, service, unit, entry_dates), strict=True))


def _eligibility(random: Random, vesting: Design, formulas: tuple[str, str]) -> dict[str, object]:
    found: dict[str, object] = {
        "plan.eligibility.excluded_levels": random.choice(([], [], [], [1], [5], [2, 3])),
        "plan.eligibility.excluded": random.choice(
            ([], [], [], [EXCLUDED_B], [EXCLUDED_UNION], [EXCLUDED_B, EXCLUDED_UNION])
        ),
    }
    at_once = [source for source, formula in zip(SOURCES[1:], formulas, strict=True) if formula in SAFE_HARBORS]
    for source in SOURCES:
        kind = random.random()
        rule: dict[str, object] = dict.fromkeys(ELIGIBILITY_KEYS)
        if source == "deferral":
            rule = _rule(random, longest=1)
        elif kind < 0.3:
            rule = _rule(
                random, longest=1 if source in at_once or vesting[f"plan.vesting.{source}"] != "immediate" else 2
            )
        elif kind < 0.5:
            rule |= random.choice(({"minimum_age": 20}, {"entry_dates": "monthly"}, {"entry_dates": "quarterly"}))
        found |= {f"plan.eligibility.{source}.{key}": value for key, value in rule.items()}
    return found


def _participation(random: Random, formulas: tuple[str, str], maximum_rate: Decimal) -> dict[str, object]:
    is_qaca = any(formula.startswith("qaca") for formula in formulas)
    is_automatic = is_qaca or random.random() < 0.75
    default_rate = random.choice((rate("0.03"), rate("0.06"), rate("0.045"), rate("0.1")))
    cap = rate("0.1") if is_qaca else max(default_rate, random.choice((rate("0.1"), rate("0.15"), rate("0.08"))))
    own_changes = random.choice(((rate("0.1"), rate("0.05"), rate("0.025")), (rate("0.4"), rate("0.2"), rate("0.2"))))
    previous = random.choice((None, None, "none", "simple", "stretch", "safe_harbor_enhanced"))
    return {
        "plan.participation.automatic_enrollment_factor": random.choice((rate("0.5"), rate("1"))),
        "plan.participation.ceiling_share": rate("0.45"),
        "plan.automatic_enrollment.enabled": is_automatic,
        "plan.automatic_enrollment.scope": "all_eligible"
        if is_qaca
        else random.choice(("all_eligible", "new_hires_only")),
        "plan.automatic_enrollment.default_deferral_rate": default_rate,
        "plan.automatic_enrollment.window_days": random.choice((0, 30, 45, 120)),
        "plan.automatic_enrollment.permissible_withdrawal_days": random.choice((30, 60, 90)),
        "plan.automatic_enrollment.reenroll_non_participants": is_automatic and random.random() < 0.4,
        "plan.automatic_enrollment.reenrollment_date": random.choice(("07-01", "11-15", "02-29")),
        "plan.automatic_enrollment.reenrollment_opt_out_rate": random.choice((rate("0.1"), rate("0.6"))),
        "plan.escalation.enabled": is_qaca or random.random() < 0.8,
        "plan.escalation.scope": random.choice(("auto_enrolled", "all_participants")),
        "plan.escalation.effective_day": "01-01" if is_qaca else random.choice(("01-01", "04-01", "02-29")),
        "plan.escalation.delay_years": random.choice((0, 1) if is_qaca else (0, 1, 2)),
        "plan.escalation.increment": rate("0.01") if is_qaca else random.choice((rate("0.01"), rate("0.025"))),
        "plan.escalation.cap": min(maximum_rate, cap),
        "plan.own_changes.raise_rate": own_changes[0],
        "plan.own_changes.halve_rate": own_changes[1],
        "plan.own_changes.stop_rate": own_changes[2],
        "plan.previous_match.formula": previous,
    }


def _deferrals(random: Random) -> dict[str, Any]:
    has_roth = random.random() < 0.7
    after_tax = random.choice((*[rate("0")] * 3, rate("0.04"), rate("0.3")))
    return {
        "plan.deferrals.maximum_rate": random.choice(
            (rate("0.75"), rate("0.75"), rate("1"), rate("0.5"), rate("0.1"), rate("0.2"))
        ),
        "plan.deferrals.roth_feature": has_roth,
        "plan.deferrals.roth_share": random.choice((rate("0"), rate("0.2"), rate("0.333333")))
        if has_roth
        else rate("0"),
        "plan.deferrals.super_catch_up": random.random() < 0.7,
        "plan.after_tax.rate": after_tax,
        "plan.after_tax.spill_over": not after_tax and random.random() < 0.7,
    }


def _tiers(random: Random, band: dict[str, object]) -> list[dict[str, object]]:
    """Return up to three tiers of a match, with or without gaps between them and below them."""
    count = random.randint(1, 3)
    bounds = sorted(
        random.sample(("0", "0.01", "0.02", "0.03", "0.04", "0.05", "0.06", "0.08", "0.1", "0.12"), count + 1)
    )
    rates = random.choices(("0.25", "0.5", "1", "1.5", "0.333333", "2.5", "0"), k=count)
    lowest = random.choice(("0", bounds[0]))
    lowers = [lowest, *bounds[1:count]]
    return [
        {**band, "lower": rate(lower), "upper": rate(upper), "rate": rate(share)}
        for lower, upper, share in zip(lowers, bounds[1:], rates, strict=True)
        if count == 1 or lower != "0.04"
    ] or [{**band, "lower": rate("0"), "upper": rate("0.06"), "rate": rate("0.5")}]


def _bands(kind: str) -> list[dict[str, object]]:
    if kind == "none":
        return [{}]
    starts = BANDS[kind]
    return [{"from": low, "to": high} for low, high in zip(starts, (*starts[1:], None), strict=True)]


def _gates(random: Random, source: str, *, allowed: bool) -> dict[str, object]:
    return {
        f"plan.{source}.hours_gate": allowed and random.random() < 0.3,
        f"plan.{source}.last_day_gate": allowed and random.random() < 0.3,
        f"plan.{source}.last_day_exceptions": _some(random, EXCEPTIONS),
        f"plan.{source}.last_day_includes_exits_on": random.random() < 0.5,
    }


def _match(random: Random) -> dict[str, object]:
    formula = random.choice(
        ("none", "simple", "safe_harbor_basic", "safe_harbor_enhanced", "qaca", "stretch", *["custom"] * 5)
    )
    by = random.choice(("none", "none", "service", "points", "age")) if formula == "custom" else "none"
    is_safe = formula == "custom" and by == "none" and random.random() < 0.4
    is_free = formula in ("simple", "stretch", "custom") and not is_safe
    tiers = [tier for band in _bands(by) for tier in _tiers(random, band)] if formula == "custom" else []
    if is_safe:
        tiers = [
            {"lower": rate(lower), "upper": rate(upper), "rate": rate(share)}
            for lower, upper, share in random.choice(SAFE_TIERS)
        ]
    return {
        "plan.match.formula": formula,
        "plan.match.safe_harbor": is_safe,
        "plan.match.tiers": tiers,
        "plan.match.tiers_by": by,
        "plan.match.cap_rate": random.choice((None, None, rate("0.03"), rate("0.0175"))) if is_free else None,
        "plan.match.cap_amount": random.choice((None, None, rate("2500"), rate("999.99"))) if is_free else None,
        "plan.match.deferrals_from": random.choice(("year", "match_entry")),
        "plan.match.computed": random.choice(("annual", "annual", "per_payroll")),
        "plan.match.pay_periods": random.choice((12, 24, 26, 26, 27, 52, 1, 366)),
        **_gates(random, "match", allowed=is_free),
    }


def _core(random: Random) -> dict[str, object]:
    formula = random.choice(
        ("none", "none", "flat", "flat", "flat", "service", "points", "age", random.choice([*NONELECTIVE]))
    )
    base = random.choice((rate("0.03"), rate("0.055"), rate("0.25"), rate("0.0333")))
    by = formula in BANDS
    level = random.choice(("none", "wage_base", "percent_of_wage_base", "dollars")) if formula == "flat" else "none"
    return {
        "plan.core.formula": formula,
        "plan.core.rate": base if formula == "flat" else None,
        "plan.core.tiers": [
            {**band, "rate": random.choice((rate("0"), rate("0.02"), rate("0.045"), rate("0.1")))}
            for band in _bands(formula)
        ]
        if by
        else [],
        "plan.core.integration_level": level,
        "plan.core.integration_percent": random.choice((rate("0.2"), rate("0.5"), rate("0.81"), rate("1")))
        if level == "percent_of_wage_base"
        else None,
        "plan.core.integration_dollars": random.choice((8_000, 60_000, 110_000)) if level == "dollars" else None,
        "plan.core.disparity_rate": min(base, rate("0.043")) if level != "none" else None,
        **_gates(random, "core", allowed=formula not in ("none", *NONELECTIVE)),
    }


def _vesting(random: Random, match: str, core: str) -> dict[str, str]:
    """Return schedules that 411(a)(2)(B), 401(k)(12) and 401(k)(13) allow."""
    usual = ("immediate", "cliff_2", "cliff_3", "graded_4", "graded_5", "graded_6")
    matches = {"qaca": usual[:2], "safe_harbor_basic": usual[:1], "safe_harbor_enhanced": usual[:1]}
    cores = {"qaca_nonelective": usual[:2], **{name: usual[:1] for name in NONELECTIVE if name.startswith("safe")}}
    return {
        "plan.vesting.match": random.choice(matches.get(match, usual)),
        "plan.vesting.core": random.choice(cores.get(core, usual)),
    }
