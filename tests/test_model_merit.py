"""The merit budget is spent to the cent that rounding allows, whatever the budget and the timing of the raises."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.laboratory import Laboratory

pytestmark = pytest.mark.model


@pytest.mark.parametrize("methodology", ["realistic", "fixed", "anniversary"])
@pytest.mark.parametrize("budget", ["0", "0.035", "0.051234"])
def test_the_merit_budget_is_spent_exactly(
    tmp_path: Path, generated: Callable[[int], Path], methodology: str, budget: str
) -> None:
    overrides = {"compensation.merit_budget": budget, "raise_timing.methodology": methodology}
    laboratory = Laboratory(tmp_path, generated(1000), overrides).run()
    ((raises, payroll, increase),) = laboratory.query("""
        select count(*), sum(compensation_before), sum(compensation_after - compensation_before)
        from fct_yearly_events where event_type = 'raise' and event_category = 'merit_and_cola'
    """)
    assert raises > 500
    assert abs(increase - payroll * (Decimal(budget) + Decimal("0.02"))) <= Decimal("0.005") * raises
