"""The tables that the configuration's own lists become."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from planalign_orchestrator.parameters.tables import CONFIGURATION, FACTOR, ParameterTable

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig

_SLICE = "decimal(18,12)"


def workforce_tables(config: "SimulationConfig") -> tuple[ParameterTable, ...]:
    """Return the level mixes of positions and of hires, bonuses by level, the slices of the months, rates by year."""
    return (
        _shares_by_level("level_mix", config.workforce.level_mix),
        _shares_by_level("new_hire_level_mix", config.new_hires.level_mix),
        _shares_by_level("bonus_targets", config.compensation.bonus.target_share),
        _month_weights(config),
        _annual_rates(config),
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


def _annual_rates(config: "SimulationConfig") -> ParameterTable:
    pay = config.compensation
    rates = []
    for year in range(config.simulation.start_year, config.simulation.end_year + 1):
        cola = pay.cola_rate_by_year.get(year, pay.cola_rate)
        structure = cola if pay.structure_increase_rate is None else pay.structure_increase_rate
        rates.append((str(year), f"{cola:f}", f"{structure:f}", CONFIGURATION))
    columns = (
        ("simulation_year", "integer"),
        ("cola_rate", FACTOR),
        ("structure_increase_rate", FACTOR),
        ("source", "varchar"),
    )
    return ParameterTable("annual_rates", columns, tuple(rates))


def _month_slices(purpose: str, weights: Sequence[Decimal] | str, source: str) -> list[tuple[str, ...]]:
    """Cut [0, 1) into the months' slices; `even` is a twelfth each."""
    shares = [Fraction(1, 12)] * 12 if isinstance(weights, str) else [Fraction(weight) for weight in weights]
    bounds = [sum(shares[:month], Fraction(0)) for month in range(13)]
    texts = [f"{round(Decimal(bound.numerator) / Decimal(bound.denominator), 12):f}" for bound in bounds]
    return [(purpose, str(month), texts[month - 1], texts[month], source) for month in range(1, 13)]
