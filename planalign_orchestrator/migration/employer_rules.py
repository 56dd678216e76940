"""Translates what the employer adds: the active match formula, the core contribution, and the gates of both."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from planalign_orchestrator.config.presets import MATCH_PRESETS, MatchTier, largest_match
from planalign_orchestrator.config.sections.base import RATE, SERVICE_YEARS
from planalign_orchestrator.config.sections.plan.tiers import MATCH_RATE, MATCH_TIERS
from planalign_orchestrator.config.types import kind_of, plain_number
from planalign_orchestrator.migration.draft import Draft
from planalign_orchestrator.migration.legacy_file import Entry
from planalign_orchestrator.problems import RefusedError

_MATCH, _CORE = "employer_match", "employer_core_contribution"
# The law ties names to the first two, so that a formula of another type never becomes one of them.
_PRESETS_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "safe_harbor": ("safe_harbor_basic", "safe_harbor_enhanced"),
    "qaca": ("qaca",),
    "simple": ("simple", "stretch"),
    "tiered": ("simple", "stretch"),
}
_CORE_FORMULAS = {"flat": "flat", "graded_by_service": "service", "none": "none"}
_VESTING = {"qaca_2_year": "cliff_2"}
_HOURS = {Decimal(0): False, Decimal(1000): True}


def translate_match(draft: Draft) -> None:
    """The active formula with its gates; the other formulas are not part of the plan."""
    active = draft.find(f"{_MATCH}.active_formula")
    if active is not None and not isinstance(active.value, str):
        draft.refuse(active, f"is {kind_of(active.value)}; must be the name of a formula")
    formulas = draft.below(f"{_MATCH}.formulas")
    mine = {} if active is None else draft.below(f"{_MATCH}.formulas.{active.value}")
    for key, entry in formulas.items():
        if active is None:
            draft.lose(entry, "No active_formula says which formula the plan has, so that none is translated.")
        elif key.partition(".")[0] != str(active.value):
            draft.settle(entry, f"`{active.value}` is the active formula; a plan has one.", action="dropped")
    if active is not None and not mine:
        draft.lose(active, f"The file does not define the formula {active.value}: set `plan.match` yourself.")
    translated = active is not None and bool(mine) and _translate_formula(draft, active, mine)
    reason = "" if translated else "The file names no match formula that could have gates."
    if mine and not translated:
        reason = "Its formula is not translated."
    apply = draft.find(f"{_MATCH}.apply_eligibility")
    if not draft.flag(apply, default=True):
        reason = "apply_eligibility is false, so that the match has no gates."
    draft.settle(apply, reason or "The gates of the match hold.", action="dropped")
    _translate_gates(draft, _MATCH, "match", reason, differs=not translated)


def _translate_formula(draft: Draft, active: Entry, mine: Mapping[str, Entry]) -> bool:
    """Whether the formula became part of the new plan."""
    kind = mine.get("type")
    if kind is None:
        draft.refuse(active, f"the formula has no type; add one of {', '.join(_PRESETS_OF_TYPE)}")
        return False
    if not isinstance(kind.value, str) or kind.value not in _PRESETS_OF_TYPE:
        draft.refuse(kind, f"is no type that can be translated; those are {', '.join(_PRESETS_OF_TYPE)}")
        return False
    tiers = _simple_tiers(draft, active, mine) if kind.value == "simple" else _listed_tiers(draft, active, mine)
    if tiers is None:
        return False
    presets = _PRESETS_OF_TYPE[str(kind.value)]
    formula = next((name for name in presets if set(MATCH_PRESETS[name]) == set(tiers)), "custom")
    if formula == "custom" and kind.value in ("safe_harbor", "qaca"):
        text = (
            f"its tiers are not those of {' or '.join(presets)}; correct them, or write tiered for a `custom` formula"
        )
        draft.refuse(kind, text)
        return False
    draft.put("plan.match.formula", formula, active)
    draft.settle(active, f"`{active.value}` is now `{formula}`.", new_keys=("plan.match.formula",))
    draft.settle(kind, f"{kind.value} is now `{formula}`.")
    read, unread = ("match_rate", "tiers") if kind.value == "simple" else ("tiers", "match_rate")
    draft.settle(mine[read], new_keys=(f"plan.match.{'tiers' if formula == 'custom' else 'formula'}",))
    draft.settle(mine.get(unread), f"Type {kind.value} does not read it.", action="dropped")
    if formula == "custom":
        rows = [{"lower": tier.lower, "upper": tier.upper, "rate": tier.rate} for tier in tiers]
        draft.put("plan.match.tiers", rows, mine[read])
    _translate_cap(draft, mine, tiers, is_simple=kind.value == "simple")
    _translate_vesting(draft, mine)
    draft.settle(mine.get("name"))
    return True


def _simple_tiers(draft: Draft, active: Entry, mine: Mapping[str, Entry]) -> list[MatchTier] | None:
    missing = [name for name in ("match_rate", "max_match_percentage") if name not in mine]
    if missing:
        draft.refuse(active, f"the formula has no {' and no '.join(missing)}; type simple needs both")
        return None
    upper = draft.number(mine["max_match_percentage"], RATE)
    rate = draft.number(mine["match_rate"], MATCH_RATE)
    if upper is None or rate is None:
        return None
    return _read_tiers(draft, mine["max_match_percentage"], [{"lower": 0, "upper": upper, "rate": rate}])


def _listed_tiers(draft: Draft, active: Entry, mine: Mapping[str, Entry]) -> list[MatchTier] | None:
    entry = mine.get("tiers")
    if entry is None:
        draft.refuse(active, f"the formula has no tiers; type {mine['type'].value} needs them")
        return None
    names = {"employee_min": "lower", "employee_max": "upper", "match_rate": "rate"}
    tiers = _renamed_tiers(draft, entry, names, ignored=("tier",))
    return None if tiers is None else _read_tiers(draft, entry, tiers)


def _read_tiers(draft: Draft, entry: Entry, tiers: Sequence[Mapping[str, object]]) -> list[MatchTier] | None:
    try:
        parsed = MATCH_TIERS.parse(tiers)
    except RefusedError as error:
        draft.refuse(entry, str(error))
        return None
    return [MatchTier(Decimal(tier["lower"]), Decimal(tier["upper"]), Decimal(tier["rate"])) for tier in parsed]


def _renamed_tiers(
    draft: Draft, entry: Entry, names: Mapping[str, str], ignored: Sequence[str] = ()
) -> list[dict[str, object]] | None:
    """The rows of a list with today's names of their columns, or None after refusing what has other columns."""
    rows = entry.value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        draft.refuse(entry, f"is {kind_of(rows)}; must be a list of tiers with {', '.join(names)}")
        return None
    for number, row in enumerate(rows, start=1):
        odd = [*(f"no {name}" for name in names if name not in row)]
        odd += [f"the unknown {name}" for name in row if name not in names and name not in ignored]
        if odd:
            draft.refuse(entry, f"tier {number} has {' and '.join(odd)}; its columns are {', '.join(names)}")
            return None
    return [{new: row[old] for old, new in names.items()} for row in rows]


def _translate_cap(draft: Draft, mine: Mapping[str, Entry], tiers: Sequence[MatchTier], *, is_simple: bool) -> None:
    entry = mine.get("max_match_percentage")
    if entry is None:
        return
    if is_simple:
        draft.settle(
            entry, "The upper end of the tier: deferrals above it are not matched.", new_keys=("plan.match.tiers",)
        )
        return
    cap, most = draft.number(entry, RATE), largest_match(tuple(tiers))
    if cap is not None and cap < most:
        draft.put("plan.match.cap_rate", cap, entry)
        draft.settle(entry, "The largest match as a share of pay.", new_keys=("plan.match.cap_rate",))
    elif cap is not None:
        note = f"The tiers never pay more than {plain_number(most)} of pay, so that a cap has no effect."
        draft.settle(entry, note, action="dropped")


def _translate_vesting(draft: Draft, mine: Mapping[str, Entry]) -> None:
    at_once, schedule = mine.get("immediate_vesting"), mine.get("vesting_schedule")
    if schedule is not None:
        draft.put("plan.vesting.match", _VESTING.get(str(schedule.value), schedule.value), schedule)
        draft.settle(schedule)
    if at_once is not None and draft.flag(at_once, default=True):
        draft.put("plan.vesting.match", "immediate", at_once)
        draft.settle(at_once)
    elif schedule is None:
        draft.lose(at_once, "It names no schedule; set `plan.vesting.match`, which is immediate by default.")
    else:
        draft.settle(at_once, "The schedule is stated.")


def translate_core(draft: Draft) -> None:
    """The core contribution by its status, its rate or schedule, and its gates."""
    enabled, status = draft.find(f"{_CORE}.enabled"), draft.find(f"{_CORE}.status")
    if enabled is not None and not draft.flag(enabled, default=True):
        formula: str | None = "none"
        draft.settle(status, "enabled is false.", action="dropped")
        status = None
    else:
        formula = _core_formula(draft, status)
    part = {"flat": "contribution_rate", "service": "graded_schedule"}.get(formula or "")
    if part is not None and draft.find(f"{_CORE}.{part}") is None:
        for entry in (enabled, status):
            draft.lose(entry, f"The file states no {part}; set `plan.core` yourself.")
        formula = None
    if formula is not None and not _translate_core_amount(draft, formula):
        formula = None
    stated = [entry for entry in (status, draft.find(f"{_CORE}.{part}"), enabled) if entry is not None]
    if formula is not None and stated:
        draft.put("plan.core.formula", formula, *stated)
        draft.settle(enabled, f"The formula is `{formula}`.")
        draft.settle(status, f"The formula is `{formula}`.")
    for name in ("contribution_rate", "graded_schedule"):
        entry = draft.find(f"{_CORE}.{name}")
        if name != part or formula is None:
            note = f"The core contribution has formula `{formula or 'none'}`."
            draft.settle(entry, note, action="dropped", differs=formula is None)
    _translate_integration(draft, formula)
    reason = "" if formula not in (None, "none") else "The file states no core contribution that could have gates."
    _translate_gates(draft, _CORE, "core", reason, differs=formula is None)


def _core_formula(draft: Draft, status: Entry | None) -> str | None:
    """Today's formula; a rate without a status was paid flat. None after refusing the status."""
    if status is None:
        return "flat"
    formula = _CORE_FORMULAS.get(str(status.value))
    if formula is None:
        draft.refuse(status, f"is no status that can be translated; those are {', '.join(_CORE_FORMULAS)}")
    return formula


def _translate_core_amount(draft: Draft, formula: str) -> bool:
    """Whether what the formula needs could be translated; what it does not need is left."""
    rate, schedule = draft.find(f"{_CORE}.contribution_rate"), draft.find(f"{_CORE}.graded_schedule")
    if formula == "flat" and rate is not None:
        draft.put("plan.core.rate", rate.value, rate)
        draft.settle(rate)
    elif formula == "service" and schedule is not None:
        tiers = _service_tiers(draft, schedule)
        if tiers is None:
            return False
        draft.put("plan.core.tiers", tiers, schedule)
        draft.settle(schedule)
    return True


def _service_tiers(draft: Draft, entry: Entry) -> list[dict[str, object]] | None:
    """Tiers whose `to` is the year after the last one, as the next tier says; None after refusing the schedule."""
    names = {"service_years_min": "from", "service_years_max": "to", "contribution_rate": "rate"}
    rows = _renamed_tiers(draft, entry, names)
    if rows is None:
        return None
    for number, (row, after) in enumerate(zip(rows, [*rows[1:], None], strict=True), start=1):
        last, first_after = row["to"], None if after is None else after["from"]
        if last is None and after is None:
            del row["to"]
        elif isinstance(last, int) and isinstance(first_after, int) and first_after - last in (0, 1):
            row["to"] = first_after
        else:
            next_one = "there is no next one" if after is None else f"the next one begins at {first_after}"
            text = f"tier {number} ends at {last}, and {next_one}; every year of service needs one tier"
            draft.refuse(entry, f"{text}, and the last tier no service_years_max")
            return None
    return rows


def _translate_integration(draft: Draft, formula: str | None) -> None:
    enabled = draft.find(f"{_CORE}.integration.enabled")
    mode = draft.find(f"{_CORE}.integration.level_mode")
    disparity = draft.find(f"{_CORE}.integration.disparity_rate")
    on = draft.flag(enabled, default=False)
    if not on or formula in (None, "none"):
        if enabled is not None and formula not in (None, "none"):
            draft.put("plan.core.integration_level", "none", enabled)
            draft.settle(enabled)
        for entry in (enabled, mode, disparity):
            if entry is not None and entry.key not in draft.outcomes:
                draft.settle(entry, "The core contribution is not integrated.", action="dropped", differs=on)
        return
    draft.settle(enabled)
    if mode is not None and mode.value != "ss_wage_base":
        text = "is no level that can be translated; write ss_wage_base, or remove the integration and set "
        draft.refuse(mode, f"{text}`plan.core.integration_level`")
    elif enabled is not None:
        draft.put("plan.core.integration_level", "wage_base", mode or enabled)
        draft.settle(mode)
    if disparity is not None:
        draft.put("plan.core.disparity_rate", disparity.value, disparity)
        draft.settle(disparity)


def _translate_gates(draft: Draft, section: str, source: Literal["match", "core"], reason: str, differs: bool) -> None:
    """The gates of a contribution, or the reason why there are none."""
    gates = draft.below(f"{section}.eligibility")
    if reason:
        for entry in gates.values():
            draft.settle(entry, reason, action="dropped", differs=differs)
        return
    _translate_service(draft, source, gates)
    _translate_last_day(draft, source, gates)
    hours = gates.get("minimum_hours_annual")
    if hours is not None:
        gate = _HOURS.get(Decimal(hours.value)) if isinstance(hours.value, (int, Decimal)) else None
        if gate is None:
            draft.refuse(hours, "the gate is 1,000 hours a year or none; write 1000 or 0")
        else:
            draft.put(f"plan.{source}.hours_gate", gate, hours)
            draft.settle(hours)


def _translate_service(draft: Draft, source: str, gates: Mapping[str, Entry]) -> None:
    service, hires = gates.get("minimum_tenure_years"), gates.get("allow_new_hires")
    years = None if service is None else draft.number(service, SERVICE_YEARS)
    if service is not None and years is not None:
        draft.put(f"plan.eligibility.{source}.service", int(years), service)
        draft.put(f"plan.eligibility.{source}.service_unit", "years", service)
        draft.settle(service)
    if hires is None:
        return
    allowed = draft.flag(hires, default=True)
    if allowed and years:
        draft.refuse(hires, "nobody is exempt from minimum_tenure_years any more; write false, or 0 years")
    elif not allowed and not years:
        draft.refuse(hires, "hires are kept out by service alone; write true, or 1 for minimum_tenure_years")
    draft.settle(hires, "It follows from the service that is needed.", new_keys=(f"plan.eligibility.{source}.service",))


def _translate_last_day(draft: Draft, source: str, gates: Mapping[str, Entry]) -> None:
    """One gate for all who leave: the two kinds of leavers must be treated alike."""
    asked = gates.get("require_active_at_year_end")
    leavers = [
        gates[name] for name in ("allow_terminated_new_hires", "allow_experienced_terminations") if name in gates
    ]
    stated = [*([] if asked is None else [asked]), *leavers]
    if not stated:
        return
    paid = {draft.flag(entry, default=False) for entry in leavers}
    closed = draft.flag(asked, default=False in paid)
    if len(leavers) == 2 and paid == {True}:
        closed = False
    elif (closed and True in paid) or (not closed and False in paid):
        text = "one gate holds for all who leave before 31 December; write require_active_at_year_end true and both "
        draft.refuse(
            leavers[0], f"{text}allow_terminated_new_hires and allow_experienced_terminations false, or vice versa"
        )
        return
    draft.put(f"plan.{source}.last_day_gate", closed, *stated)
    if closed:
        draft.put(f"plan.{source}.last_day_exceptions", [], *stated)
    for entry in stated:
        draft.settle(entry)
