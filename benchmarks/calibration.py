"""Ten years of the sample census under the defaults, beside the published figures that they are calibrated to.

Sources: Vanguard, How America Saves 2025 (plan year 2024), for participation (94 % of the eligible in plans with
automatic enrollment, 64 % in voluntary ones), the average deferral rate (7.7 %) and the rates by age. The bounds of the
economics are those of raise budgets of 3.5 % with positions that grow in proportion, so that pay drifts neither with
levels nor with hires.
Run it as `.venv/bin/python benchmarks/calibration.py`; the exit code is 1 where a figure is outside its bounds.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.factory import build_orchestrator

PROJECT = Path(__file__).parents[1]
YEARS = range(2025, 2035)
AUTOMATIC = "automatic enrollment of new hires"
DESIGNS: Mapping[str, tuple[float, dict[str, object]]] = {
    "automatic enrollment of everyone": (0.94, {"plan.automatic_enrollment.scope": "all_eligible"}),
    AUTOMATIC: (0.94, {}),
    "voluntary": (0.64, {"plan.automatic_enrollment.enabled": False, "plan.escalation.enabled": False}),
}
DEFERRAL = 0.077
BY_AGE = {"<25": 0.055, "25-34": 0.068, "35-44": 0.073, "45-54": 0.079, "55-64": 0.093, "65+": 0.101}
CLOSE = "from fct_workforce_snapshot where employment_status = 'active'"


@dataclass(frozen=True)
class Demand:
    """A figure and the bounds that it must keep."""

    name: str
    found: float
    lowest: float
    highest: float

    @property
    def holds(self) -> bool:
        """Whether the figure is within its bounds."""
        return self.lowest <= self.found <= self.highest

    def __str__(self) -> str:
        verdict = "within" if self.holds else "OUTSIDE"
        return f"{self.name}: {self.found:.2%}, {verdict} {self.lowest:.2%} to {self.highest:.2%}"


def near(name: str, found: Any, published: float, tolerance: float) -> Demand:
    """Return the demand that a figure is at most so far from a published one."""
    return Demand(name, float(found), published - tolerance, published + tolerance)


def behaviour(last: Mapping[str, Any], rates: Mapping[str, Any], participation: float, name: str) -> Iterator[Demand]:
    """Yield what the tenth year of a design must show of participation and deferral rates."""
    yield near("participation", last["participation_rate"], participation, 0.03)
    yield near("average deferral rate", last["average_deferral_rate"], DEFERRAL, 0.01)
    if name == AUTOMATIC:
        for band, published in BY_AGE.items():
            yield near(f"average deferral rate, {band}", rates[band], published, 0.01)


def economics(query: Any) -> Iterator[Demand]:
    """Yield what the ten years must show of pay, levels, highly compensated people and ages."""
    averages = query(f"select avg(current_compensation) {CLOSE} group by simulation_year order by simulation_year")
    opening = query("select avg(employee_gross_compensation) from inputs.census where is_simulated")
    pay = [float(value) for (value,) in (*opening, *averages)]
    yield Demand("average pay, a year", (pay[-1] / pay[0]) ** (1 / len(YEARS)) - 1, 0.02, 0.035)
    for year, (before, after) in zip(YEARS, pairwise(pay), strict=True):
        yield Demand(f"average pay, {year}", after / before - 1, 0.01, 0.045)
    shares = "closing_headcount / sum(closing_headcount) over (partition by simulation_year)"
    levels = query(f"select level_id, simulation_year, {shares} from fct_level_headcount order by all")
    for (level, _, first), *_, (_, _, last) in (
        levels[at : at + len(YEARS)] for at in range(0, len(levels), len(YEARS))
    ):
        yield near(f"share of level {level}", last, float(first), 0.02)
    columns = "avg(is_hce::integer), avg((current_age < 25)::integer), avg((current_age >= 55)::integer)"
    hce, young, old = zip(
        *query(f"select {columns} {CLOSE} group by simulation_year order by simulation_year"), strict=True
    )
    yield near("highly compensated people", hce[-1], hce[0], 0.015)
    yield near("people under 25", young[-1], young[0], 0.04)
    yield near("people of 55 and over", old[-1], old[0], 0.04)


def demands(name: str) -> Iterator[Demand]:
    """Simulate a design for ten years, print its trend and yield what it must keep."""
    published, settings = DESIGNS[name]
    with tempfile.TemporaryDirectory() as folder:
        overrides = {
            "simulation.start_year": YEARS[0],
            "simulation.end_year": YEARS[-1],
            "runtime.database": f"{folder}/calibration.duckdb",
            "reports.directory": f"{folder}/reports",
        }
        config = load_simulation_config(
            PROJECT / "config" / "simulation_config.yaml", overrides={**overrides, **settings}
        )
        summary = build_orchestrator(config).execute_multi_year_simulation()
        with DatabaseConnectionManager(config.runtime.database, read_only=True) as db:
            query = db.execute_with_retry
            enrolled = f"{CLOSE} and is_enrolled and simulation_year = {YEARS[-1]}"
            rates = dict(query(f"select age_band, avg(current_deferral_rate) {enrolled} group by age_band"))
            ((at_limit,),) = query(f"select avg((contribution_limit_reason is not null)::integer) {enrolled}")
            print("year  participation  average deferral")
            for report in summary.years:
                trend = [
                    report.value(figure) or Decimal(0) for figure in ("participation_rate", "average_deferral_rate")
                ]
                print(f"{report.simulation_year}  {trend[0]:>13.1%}  {trend[1]:>16.2%}")
            # published: 14 %; not demanded, because one in fourteen people of the sample is highly compensated
            print(f"at the legal maximum in the last year: {at_limit:.1%} of the participants")
            last = {figure: report.value(figure) for figure in ("participation_rate", "average_deferral_rate")}
            yield from behaviour(last, rates, published, name)
            if name == AUTOMATIC:
                yield from economics(query)


def main() -> int:
    """Print the trend of each design and what it must keep; return whether a figure is outside its bounds."""
    missed = 0
    for name in DESIGNS:
        print(f"\n{name}")
        for demand in demands(name):
            print(demand)
            missed += not demand.holds
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
