"""Translates every other legacy key that is neither copied nor dropped as the table says."""

import os
from decimal import Decimal
from pathlib import Path

from planalign_orchestrator.config.keys import known_keys
from planalign_orchestrator.config.sections.base import RATE
from planalign_orchestrator.migration.draft import Draft, Outcome

_SCOPES = {"all_eligible_employees": "all_eligible"}
_WAITING = ("plan_eligibility.waiting_period_days", "eligibility.waiting_period_days")
# A switch that, off, is a share of 0 today.
_SWITCHES = {
    "enrollment.proactive_enrollment.enabled": "plan.participation.automatic_enrollment_factor",
    "enrollment.voluntary_enrollment.deferral_rates.match_optimization": "plan.participation.ceiling_share",
}
_RESPONSE = "deferral_match_response"
# a key of earlier versions of today's program: the rate of each year that it names, and of no other
_RATES_BY_YEAR = "compensation.cola_rate_by_year."
_USUAL_RATE = "compensation.cola_rate"
_STANDARD_RATE = "employee_deferral_rate"


def translate_the_rest(draft: Draft) -> None:
    """Translate the keys that take more than copying a value."""
    _translate_census(draft)
    _translate_waiting_period(draft)
    _translate_switches(draft)
    _translate_promotion_draw(draft)
    _translate_match_response(draft)
    _translate_rates_by_year(draft)
    scope = draft.find("enrollment.auto_enrollment.scope")
    if scope is not None:
        draft.put("plan.automatic_enrollment.scope", _SCOPES.get(str(scope.value), scope.value), scope)
        draft.settle(scope)


def _translate_rates_by_year(draft: Draft) -> None:
    """A rate of single years becomes a change in its year, and one back to the usual rate in the year after it."""
    by_year = {
        key.removeprefix(_RATES_BY_YEAR): entry
        for key, entry in draft.entries.items()
        if key.startswith(_RATES_BY_YEAR)
    }
    rates = {int(year): entry for year, entry in by_year.items() if year.isdecimal()}
    stated = draft.find(_USUAL_RATE)
    usual = known_keys()[tuple(_USUAL_RATE.split("."))].field.default if stated is None else stated.value
    for first, entry in rates.items():
        key, key_after = (f"changes.{one}.{_USUAL_RATE}" for one in (first, first + 1))
        new_keys = (key,) if first + 1 in rates else (key, key_after)
        for new_key, value in zip(new_keys, (entry.value, usual), strict=False):
            draft.put(new_key, value, entry)
        draft.outcomes[entry.key] = Outcome(
            entry.key, entry.line, entry.shown, "renamed", new_keys, "A change holds on, so that another one ends it."
        )


def _translate_census(draft: Draft) -> None:
    census = draft.find("setup.census_parquet_path")
    if census is not None:
        path = Path(str(census.value)).expanduser() if isinstance(census.value, str) else None
        if path is None:
            draft.refuse(census, "is no path; put it in quotes")
        else:
            draft.put("census.path", os.path.normpath(path), census)
            draft.settle(census)
    field = draft.find("deferral_rates.census_rate_field")
    if field is not None and field.value != _STANDARD_RATE:
        draft.put(f"census.columns.{_STANDARD_RATE}", field.value, field)
        draft.settle(field)
    else:
        draft.settle(field, "It is the standard name of the column.", action="dropped")


def _translate_waiting_period(draft: Draft) -> None:
    for entry in filter(None, map(draft.find, _WAITING)):
        draft.put("plan.eligibility.deferral.service", entry.value, entry)
        draft.put("plan.eligibility.deferral.service_unit", "days", entry)
        draft.settle(entry)


def _translate_switches(draft: Draft) -> None:
    for key, new_key in _SWITCHES.items():
        entry = draft.find(key)
        if entry is None:
            continue
        if draft.flag(entry, default=True):
            draft.settle(entry, f"true is what happens anyway, by `{new_key}`.", action="dropped")
        else:
            draft.put(new_key, 0, entry)
            draft.settle(entry)


def _translate_promotion_draw(draft: Draft) -> None:
    """`deterministic` is a spread of 0, for any range."""
    section = "compensation.promotion_compensation"
    kind, spread = draft.find(f"{section}.distribution_type"), draft.find(f"{section}.distribution_range")
    if kind is None:
        return
    if kind.value == "deterministic":
        draft.put("compensation.promotion.increase_spread", 0, kind)
        draft.settle(kind)
        draft.settle(spread, "distribution_type is deterministic.", action="dropped")
    elif kind.value == "uniform":
        draft.settle(kind, "The draw is always uniform.", action="dropped")
    else:
        draft.lose(kind, "The draw is always uniform, between base_increase minus and plus increase_spread.")


def _translate_match_response(draft: Draft) -> None:
    full = {"up": ("upward_maximize_rate", "upward_partial_increase_rate", "increase_full_share")}
    full["down"] = ("downward_reduce_to_max_rate", "downward_partial_decrease_rate", "decrease_full_share")
    for whole, partial, new_name in full.values():
        entry, rest = draft.find(f"{_RESPONSE}.{whole}"), draft.find(f"{_RESPONSE}.{partial}")
        share = None if rest is None else draft.number(rest, RATE)
        stated = None if entry is None else draft.number(entry, RATE)
        if rest is None or share is None:
            continue
        if entry is None:
            draft.put(f"plan.match_response.{new_name}", 1 - share, rest)
        elif stated is not None and stated + share != Decimal(1):
            draft.refuse(rest, f"does not add up to 1 with {whole} {stated}: everybody who answers does one of the two")
        draft.settle(rest)
    down = draft.find(f"{_RESPONSE}.downward_enabled")
    if down is not None and not draft.flag(down, default=True):
        draft.put("plan.match_response.decrease_response_rate", 0, down)
        draft.settle(down)
        rate = draft.find(f"{_RESPONSE}.downward_participation_rate")
        draft.settle(rate, "downward_enabled is false.", action="dropped")
    else:
        draft.settle(
            down, "true is what happens anyway, by `plan.match_response.decrease_response_rate`.", action="dropped"
        )
