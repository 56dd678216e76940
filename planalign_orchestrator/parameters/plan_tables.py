"""The tables that the plan's formulas become: tiers of match and core, vesting schedules, excluded groups."""

from decimal import Decimal
from typing import TYPE_CHECKING

from planalign_orchestrator.parameters.tables import CONFIGURATION, FACTOR, MONEY, ParameterTable

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.config.sections.plan import PlanSection
    from planalign_orchestrator.config.sections.plan.match import MatchFormulaSection

Row = tuple[str | None, ...]


def plan_tables(config: "SimulationConfig", previous: "MatchFormulaSection | None") -> tuple[ParameterTable, ...]:
    """Return the tables of the plan: formulas and tiers of match and core, vesting schedules, excluded groups.

    `previous` is the match that participants answer the change of.
    """
    plan = config.plan
    stated: dict[str, MatchFormulaSection] = {"current": plan.match}
    if previous is not None:
        stated["previous"] = previous
    return (
        _match_formulas(stated),
        _match_tiers(stated),
        _core_formulas(plan),
        _core_tiers(plan),
        _vesting_schedules(plan),
        _excluded_groups(plan),
    )


def previous_match(config: "SimulationConfig") -> "MatchFormulaSection | None":
    """Return the match of the year before this configuration began, where participants answer to another one."""
    from planalign_orchestrator.config.presets import pays_alike

    before = config.before
    if before is None:
        stated = config.plan.previous_match
        return None if stated.formula is None else stated
    return None if pays_alike(before.plan.match, config.plan.match) else before.plan.match


def _match_formulas(stated: "dict[str, MatchFormulaSection]") -> ParameterTable:
    from planalign_orchestrator.config.presets import match_kind

    columns = (
        ("formula", "varchar"),
        ("name", "varchar"),
        ("kind", "varchar"),
        ("tiers_by", "varchar"),
        ("cap_rate", FACTOR),
        ("cap_amount", MONEY),
        ("source", "varchar"),
    )
    rows: list[Row] = [
        (
            which,
            section.formula,
            match_kind(section),
            section.tiers_by,
            _text(section.cap_rate),
            _text(section.cap_amount),
            CONFIGURATION,
        )
        for which, section in stated.items()
    ]
    return ParameterTable("match_formulas", columns, tuple(rows))


def _match_tiers(stated: "dict[str, MatchFormulaSection]") -> ParameterTable:
    from planalign_orchestrator.config.presets import MATCH_PRESETS, match_tiers

    columns = (
        ("formula", "varchar"),
        ("value_from", "integer"),
        ("value_to", "integer"),
        ("tier", "integer"),
        ("lower_bound", FACTOR),
        ("upper_bound", FACTOR),
        ("match_rate", FACTOR),
        ("source", "varchar"),
    )
    rows: list[Row] = []
    for which, section in stated.items():
        source = f"preset {section.formula}" if section.formula in MATCH_PRESETS else CONFIGURATION
        number, band = 0, -1
        for tier in match_tiers(section):
            number = number + 1 if tier.value_from == band else 1
            band = tier.value_from
            bounds = (_text(tier.lower), _text(tier.upper), _text(tier.rate))
            rows.append((which, str(tier.value_from), _text(tier.value_to), str(number), *bounds, source))
    return ParameterTable("match_tiers", columns, tuple(rows))


def _core_formulas(plan: "PlanSection") -> ParameterTable:
    from planalign_orchestrator.config.presets import core_kind, core_tiers_by

    core = plan.core
    columns = (
        ("name", "varchar"),
        ("kind", "varchar"),
        ("tiers_by", "varchar"),
        ("integration_level", "varchar"),
        ("integration_percent", FACTOR),
        ("integration_amount", MONEY),
        ("disparity_rate", FACTOR),
        ("source", "varchar"),
    )
    row = (
        core.formula,
        core_kind(core),
        core_tiers_by(core),
        core.integration_level,
        _text(core.integration_percent),
        _text(core.integration_dollars),
        _text(core.disparity_rate or Decimal(0)),
        CONFIGURATION,
    )
    return ParameterTable("core_formulas", columns, (row,))


def _core_tiers(plan: "PlanSection") -> ParameterTable:
    from planalign_orchestrator.config.presets import SAFE_KINDS, core_kind, core_tiers

    columns = (("value_from", "integer"), ("value_to", "integer"), ("core_rate", FACTOR), ("source", "varchar"))
    source = f"preset {plan.core.formula}" if core_kind(plan.core) in SAFE_KINDS else CONFIGURATION
    rows = tuple(
        (str(tier.value_from), _text(tier.value_to), _text(tier.rate), source) for tier in core_tiers(plan.core)
    )
    return ParameterTable("core_tiers", columns, rows)


def _vesting_schedules(plan: "PlanSection") -> ParameterTable:
    from planalign_orchestrator.config.presets import vesting_rates

    columns = (
        ("contribution_source", "varchar"),
        ("years_from", "integer"),
        ("years_to", "integer"),
        ("vested_rate", FACTOR),
        ("source", "varchar"),
    )
    rows: list[Row] = []
    for contribution, setting in (("match", plan.vesting.match), ("core", plan.vesting.core)):
        source = f"preset {setting}" if isinstance(setting, str) else CONFIGURATION
        rates = vesting_rates(setting)
        for years, rate in enumerate(rates):
            end = None if years == len(rates) - 1 else str(years + 1)
            rows.append((contribution, str(years), end, _text(rate), source))
    return ParameterTable("vesting_schedules", columns, tuple(rows))


def _excluded_groups(plan: "PlanSection") -> ParameterTable:
    from planalign_orchestrator.config.sections.plan.eligibility import folded

    columns = (
        ("kind", "varchar"),
        ("name", "varchar"),
        ("collectively_bargained", "boolean"),
        ("source", "varchar"),
    )
    eligibility = plan.eligibility
    levels = [("level", str(level), "false", CONFIGURATION) for level in eligibility.excluded_levels]
    groups = [
        (entry["column"], folded(value), str(entry.get("collectively_bargained", False)).lower(), CONFIGURATION)
        for entry in eligibility.excluded
        for value in entry["values"]
    ]
    return ParameterTable("excluded_groups", columns, (*levels, *groups))


def _text(value: Decimal | int | None) -> str | None:
    """Return the digits of a number, the same for equal numbers however they were written."""
    from planalign_orchestrator.config.types import plain_number

    return None if value is None else plain_number(value)
