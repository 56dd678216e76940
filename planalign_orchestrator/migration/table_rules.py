"""Translates settings that are rows of parameter tables today.

A table is stated as a whole: cells that the legacy file does not state are those of the packaged table.
"""

from collections.abc import Mapping
from decimal import Decimal

from planalign_orchestrator.config.sections.base import FACTOR, RATE
from planalign_orchestrator.migration.draft import Draft
from planalign_orchestrator.migration.legacy_file import Entry
from planalign_orchestrator.parameters.reading import default_rows

Row = dict[str, object]

# Legacy band -> where it begins in the packaged tables. The two lowest bands of pay were one.
_AGES = {"young": "0", "mid_career": "31", "mature": "46", "senior": "56"}
_INCOMES = {"low": ("0", "30000"), "moderate": ("50000",), "high": ("100000",), "executive": ("200000",)}
_HIRES = "new_hire_compensation"
_VOLUNTARY = "enrollment.voluntary_enrollment.deferral_rates.demographic_base_rates"
_CONVERSION = "enrollment.year_over_year_conversion"
_OPT_OUT = "enrollment.auto_enrollment.opt_out_rates.by_age"


def translate_tables(draft: Draft) -> None:
    """The tables of hires' pay, participation by age and chosen deferral rates, where the file states a cell."""
    _translate_hire_pay(draft)
    _translate_participation(draft)
    _translate_choices(draft)


def _translate_hire_pay(draft: Draft) -> None:
    strategy = f"{_HIRES}.percentile_strategy"
    rows = _rows("new_hire_pay")
    levels = {str(row["level_id"]): row for row in rows}
    default = draft.find(f"{strategy}.default_percentile")
    overrides = draft.below(f"{strategy}.level_overrides")
    usual = None if default is None else draft.number(default, RATE)
    for level, row in levels.items():
        percentile = draft.number(overrides[level], RATE) if level in overrides else usual
        row["percentile"] = row["percentile"] if percentile is None else percentile
    used = list(overrides.values())
    if default is not None and len(overrides) < len(levels):
        used.append(default)
    else:
        draft.settle(default, "Every level has an override.", action="dropped")
    used += _set_market_factors(draft, levels)
    _put_table(draft, "new_hire_pay", rows, used)
    variance = draft.find(f"{strategy}.variance_enabled")
    if variance is not None and not draft.flag(variance, default=True):
        draft.put("new_hires.pay_noise_sd", 0, variance)
        draft.settle(variance)
    else:
        draft.settle(variance, "Hires' pay varies by the default of `new_hires.pay_noise_sd`.", action="dropped")


def _set_market_factors(draft: Draft, levels: Mapping[str, Row]) -> list[Entry]:
    """Set the factors in the rows and return the entries they come from."""
    section = f"{_HIRES}.market_adjustments"
    enabled, base = draft.find(f"{section}.enabled"), draft.find(f"{section}.base_adjustment")
    adjustments = draft.below(f"{section}.level_adjustments")
    if enabled is not None and not draft.flag(enabled, default=True):
        for row in levels.values():
            row["market_factor"] = 1
        for entry in (base, *adjustments.values()):
            draft.settle(entry, "Market adjustments are not enabled.", action="dropped")
        return [enabled]
    draft.settle(enabled, "The market factors of the table hold.", action="dropped")
    for level, entry in adjustments.items():
        factor = draft.number(entry, FACTOR)
        if factor is not None:
            levels[level]["market_factor"] = factor
    multiplier = None if base is None else draft.number(base, FACTOR)
    if base is not None and multiplier == 1:
        draft.settle(base, "A factor of 1 changes nothing.", action="dropped")
    elif multiplier is not None:
        for row in levels.values():
            row["market_factor"] = round(Decimal(str(row["market_factor"])) * multiplier, 6)
    return [*adjustments.values(), *([base] if base is not None and multiplier not in (None, 1) else [])]


def _translate_participation(draft: Draft) -> None:
    rows = _rows("participation_by_age")
    rates = draft.below(f"{_CONVERSION}.base_rates_by_age")
    enabled = draft.find(f"{_CONVERSION}.enabled")
    used = _set_by_age(draft, rows, "opt_out_rate", draft.below(_OPT_OUT))
    if enabled is not None and not draft.flag(enabled, default=True):
        for row in rows:
            row["second_chance_rate"] = 0
        for entry in rates.values():
            draft.settle(entry, "Year-over-year conversion is not enabled.", action="dropped")
        used.append(enabled)
    else:
        draft.settle(enabled, "Non-participants have a second chance every year.", action="dropped")
        used += _set_by_age(draft, rows, "second_chance_rate", rates)
    _put_table(draft, "participation_by_age", rows, used)


def _set_by_age(draft: Draft, rows: list[Row], column: str, entries: Mapping[str, Entry]) -> list[Entry]:
    for band, entry in entries.items():
        rate = draft.number(entry, RATE)
        for row in rows:
            if row["age_from"] == _AGES[band] and rate is not None:
                row[column] = rate
    return list(entries.values())


def _translate_choices(draft: Draft) -> None:
    rows = _rows("deferral_choice")
    entries = draft.below(_VOLUNTARY)
    for bands, entry in entries.items():
        age, _, income = bands.rpartition("_")
        rate = draft.number(entry, RATE)
        for row in rows:
            if row["age_from"] == _AGES[age] and row["income_from"] in _INCOMES[income] and rate is not None:
                row["deferral_rate"] = rate
    _put_table(draft, "deferral_choice", rows, list(entries.values()))


def _rows(table: str) -> list[Row]:
    """The packaged rows without their source, which a changed row no longer has."""
    return [{name: value for name, value in row.items() if name != "source"} for row in default_rows(table)]


def _put_table(draft: Draft, table: str, rows: list[Row], used: list[Entry]) -> None:
    if not used:
        return
    filled = [{name: _number(value) for name, value in row.items() if value != ""} for row in rows]
    draft.put(f"parameters.{table}", filled, *dict.fromkeys(used))
    for entry in used:
        draft.settle(entry)


def _number(value: object) -> object:
    return Decimal(value) if isinstance(value, str) else value
