"""The tables that the configuration's own lists become."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from planalign_orchestrator.config.sections.plan.eligibility import folded
from planalign_orchestrator.parameters.tables import CONFIGURATION, FACTOR, ParameterTable

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig

_SLICE = "decimal(18,12)"


def workforce_tables(config: "SimulationConfig") -> tuple[ParameterTable, ...]:
    """Return the level mixes of positions and of hires, bonuses by level, and the slices of the months."""
    return (
        _shares_by_level("level_mix", config.workforce.level_mix),
        _shares_by_level("new_hire_level_mix", config.new_hires.level_mix),
        _shares_by_level("bonus_targets", config.compensation.bonus.target_share),
        _month_weights(config),
    )


def annual_rates(config: "SimulationConfig") -> ParameterTable:
    """Return the rates of every simulated year."""
    rates = []
    for year in range(config.simulation.start_year, config.simulation.end_year + 1):
        pay, plan = config.of_year(year).compensation, config.of_year(year).plan
        structure = pay.cola_rate if pay.structure_increase_rate is None else pay.structure_increase_rate
        rates.append(
            (
                str(year),
                str(config.of_year(year).first_year),
                f"{pay.cola_rate:f}",
                f"{structure:f}",
                f"{plan.annual_return:f}",
                str(plan.normal_retirement_age),
                CONFIGURATION,
            )
        )
    columns = (
        ("simulation_year", "integer"),
        # the first year that has the configuration of this one
        ("configuration_year", "integer"),
        ("cola_rate", FACTOR),
        ("structure_increase_rate", FACTOR),
        ("annual_return", FACTOR),
        ("normal_retirement_age", "integer"),
        ("source", "varchar"),
    )
    return ParameterTable("annual_rates", columns, tuple(rates))


def enrollment_terms(config: "SimulationConfig") -> ParameterTable:
    """Return the terms of automatic enrollment of every year: a window keeps those of the year in which it opened."""
    from planalign_orchestrator.config import to_dbt_vars

    columns = (
        ("simulation_year", "integer"),
        ("is_enabled", "boolean"),
        ("scope", "varchar"),
        ("hire_date_cutoff", "date"),
        ("opens_on", "date"),
        ("window_days", "integer"),
        ("default_deferral_rate", FACTOR),
        ("permissible_withdrawal_days", "integer"),
        ("source", "varchar"),
    )
    rows = []
    for year in range(config.simulation.start_year, config.simulation.end_year + 1):
        terms = config.of_year(year).plan.automatic_enrollment
        values = to_dbt_vars(config.of_year(year))
        rows.append(
            (
                str(year),
                str(terms.enabled).lower(),
                terms.scope,
                str(values["automatic_enrollment_cutoff"]),
                str(values["automatic_enrollment_opens"]),
                str(terms.window_days),
                f"{terms.default_deferral_rate:f}",
                str(terms.permissible_withdrawal_days),
                CONFIGURATION,
            )
        )
    return ParameterTable("automatic_enrollment_terms", columns, tuple(rows))


def reduction_tables(config: "SimulationConfig") -> tuple[ParameterTable, ParameterTable]:
    """Return the reductions of the simulated years in the order of their dates, and the groups that each is of."""
    last = config.simulation.end_year
    dated = sorted(
        (entry for entry in config.workforce.reductions if entry["date"].year <= last), key=lambda entry: entry["date"]
    )
    items: list[tuple[str | None, ...]] = []
    groups: list[tuple[str | None, ...]] = []
    for number, entry in enumerate(dated, start=1):
        year, people, share = str(entry["date"].year), entry.get("people"), entry.get("share")
        items.append(
            (
                year,
                str(number),
                entry["date"].isoformat(),
                None if people is None else str(people),
                None if share is None else f"{share:f}",
                entry.get("by", "hazard"),
                entry.get("fully_vested", "auto"),
                CONFIGURATION,
            )
        )
        named = [("level", str(level)) for level in entry.get("levels", ())]
        named += [("department", folded(name)) for name in entry.get("departments", ())]
        groups += [(year, str(number), kind, name, CONFIGURATION) for kind, name in named]
    return (
        ParameterTable(
            "reductions",
            (
                ("simulation_year", "integer"),
                ("item", "integer"),
                ("reduction_date", "date"),
                ("people", "integer"),
                ("share", FACTOR),
                ("ranked_by", "varchar"),
                ("fully_vested", "varchar"),
                ("source", "varchar"),
            ),
            tuple(items),
        ),
        ParameterTable(
            "reduction_groups",
            (
                ("simulation_year", "integer"),
                ("item", "integer"),
                ("kind", "varchar"),
                ("name", "varchar"),
                ("source", "varchar"),
            ),
            tuple(groups),
        ),
    )


def _shares_by_level(name: str, shares: Mapping[int, Decimal]) -> ParameterTable:
    rows = tuple((str(level), f"{share:f}", CONFIGURATION) for level, share in shares.items())
    columns = (("level_id", "integer"), ("share", FACTOR), ("source", "varchar"))
    return ParameterTable(name, columns, rows)


def _month_weights(config: "SimulationConfig") -> ParameterTable:
    months = (
        ("exit", config.workforce.exit_timing, "workforce.exit_timing"),
        ("hire", config.new_hires.hire_timing, "new_hires.hire_timing"),
        ("raise", config.raise_timing.month_weights, "raise_timing.month_weights"),
    )
    columns = (
        ("purpose", "varchar"),
        ("month", "integer"),
        ("lower_bound", _SLICE),
        ("upper_bound", _SLICE),
        ("source", "varchar"),
    )
    rows = tuple(row for purpose, weights, source in months for row in _month_slices(purpose, weights, source))
    return ParameterTable("month_weights", columns, rows)


def _month_slices(purpose: str, weights: Sequence[Decimal] | str, source: str) -> list[tuple[str, ...]]:
    """Cut [0, 1) into the months' slices; `even` is a twelfth each."""
    shares = [Fraction(1, 12)] * 12 if isinstance(weights, str) else [Fraction(weight) for weight in weights]
    bounds = [sum(shares[:month], Fraction(0)) for month in range(13)]
    texts = [f"{round(Decimal(bound.numerator) / Decimal(bound.denominator), 12):f}" for bound in bounds]
    return [(purpose, str(month), texts[month - 1], texts[month], source) for month in range(1, 13)]
