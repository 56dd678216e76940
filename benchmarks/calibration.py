"""Ten years of the sample census under the default behaviour, beside the published participation it is calibrated to.

Source of the published figures: Vanguard, How America Saves 2025 (plan year 2024): 94 % of the eligible participate in
plans with automatic enrollment, 64 % in voluntary plans; participants defer 7.7 % of pay on average.
Run it as `.venv/bin/python benchmarks/calibration.py`; the exit code is 1 where a figure is outside its tolerance.
"""

import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.factory import build_orchestrator

PROJECT = Path(__file__).parents[1]
YEARS = range(2025, 2035)
DESIGNS: dict[str, tuple[Decimal, dict[str, object]]] = {
    "automatic enrollment of everyone": (Decimal("0.94"), {"plan.automatic_enrollment.scope": "all_eligible"}),
    "automatic enrollment of new hires": (Decimal("0.94"), {}),
    "voluntary": (
        Decimal("0.64"),
        {"plan.automatic_enrollment.enabled": False, "plan.escalation.enabled": False},
    ),
}
DEFERRAL = Decimal("0.077")
PARTICIPATION_TOLERANCE, DEFERRAL_TOLERANCE = Decimal("0.03"), Decimal("0.01")


def trend(settings: dict[str, object]) -> list[tuple[Decimal, Decimal]]:
    """Return participation rate and average deferral rate of the participants at the close of each year."""
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
    return [
        (report.value("participation_rate") or Decimal(0), report.value("average_deferral_rate") or Decimal(0))
        for report in summary.years
    ]


def main() -> int:
    """Print a line a year for each design, then whether the last year is within the tolerances."""
    missed = 0
    for name, (published, settings) in DESIGNS.items():
        rates = trend(settings)
        print(f"\n{name}: published participation {published:.0%}, average deferral {DEFERRAL:.1%}")
        print("year  participation  average deferral")
        for year, (participation, deferral) in zip(YEARS, rates, strict=True):
            print(f"{year}  {participation:>13.1%}  {deferral:>16.2%}")
        participation, deferral = rates[-1]
        holds = (
            abs(participation - published) <= PARTICIPATION_TOLERANCE and abs(deferral - DEFERRAL) <= DEFERRAL_TOLERANCE
        )
        print("within" if holds else "OUTSIDE", "3 points of participation and 1 point of deferral")
        missed += not holds
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
