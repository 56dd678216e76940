"""Positions computed again, from census and ledger alone, for random companies with levels of 0 and 1 people.

Each company is computed a second time in Python: the headcount path, the exits and retirements of the year, what is
promoted and hired into each level, and how many of the hires leave again. Exact mode must close each level with its
positions, save for a surplus and what is given up for it.
"""

import datetime as dt
import math
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.companies import Row, band, completed_years, draw, person
from tests.laboratory import Laboratory
from tests.tiers import sampled

pytestmark = pytest.mark.model

LEVELS = range(1, 6)
COMPANIES = 1000
IN_A_TEST = 20
TESTED = 3
PLACES = Decimal("1E-12")


@dataclass(frozen=True)
class Worker:
    """Somebody employed on 1 January."""

    level: int
    born: dt.date
    hired: dt.date
    leaves: dt.date | None


@dataclass(frozen=True)
class Settings:
    """What a company is simulated with."""

    seed: int
    growth: Decimal
    exit_rate: Decimal
    hire_exit_rate: Decimal
    fill_share: Decimal
    exact: bool
    years: range

    @property
    def overrides(self) -> Mapping[str, object]:
        """Return them as keys of the configuration."""
        return {
            "simulation.random_seed": self.seed,
            "simulation.end_year": self.years[-1],
            "simulation.target_growth_rate": self.growth,
            "workforce.total_termination_rate": self.exit_rate,
            "workforce.new_hire_termination_rate": self.hire_exit_rate,
            "compensation.promotion.fill_share": self.fill_share,
            "workforce.headcount_mode": "exact" if self.exact else "stochastic",
        }


@dataclass(frozen=True)
class Year:
    """A year by level, as the ledger has it or as it is computed from who leaves."""

    hires: Counter[int]
    promoted: Counter[int]
    hire_exits: Counter[int]
    closing: Counter[int]


def rounded(number: Fraction | Decimal) -> int:
    """Return a number of 0 or more as a whole one, halves away from zero."""
    return math.floor(Fraction(number) + Fraction(1, 2))


def day_from(chance: random.Random, first: dt.date, last: dt.date) -> dt.date:
    return first + dt.timedelta(days=chance.randint(0, (last - first).days))


def drawn_company(number: int) -> tuple[list[Row], Settings]:
    """Return a company of up to five levels of 0 to 12 people, a tenth of them with a date to leave on."""
    chance = random.Random(number)
    sizes = [chance.choice((0, 0, 1, 1, 2, chance.randint(3, 12))) for _ in LEVELS]
    if not any(sizes):
        sizes[chance.randrange(5)] = 1
    rows = []
    for level, size in zip(LEVELS, sizes, strict=True):
        for place in range(size):
            born = day_from(chance, dt.date(1950, 1, 1), dt.date(2004, 12, 31))
            hired = max(
                born + dt.timedelta(days=18 * 366), day_from(chance, dt.date(2015, 1, 1), dt.date(2024, 12, 31))
            )
            leaves = day_from(chance, dt.date(2025, 1, 1), dt.date(2025, 12, 31)) if chance.random() < 0.1 else ""
            columns = {"level_id": level, "employee_termination_date": leaves}
            rows.append(person(f"P{level}{place:02}", born=str(born), hired=str(hired), **columns))
    settings = Settings(
        seed=number,
        growth=Decimal(chance.randint(-3000, 3000)) / 10000,
        exit_rate=Decimal(chance.randint(0, 3000)) / 10000,
        hire_exit_rate=Decimal(chance.choice((0, chance.randint(0, 5000)))) / 10000,
        fill_share=Decimal(chance.choice((0, 5000, 10000, chance.randint(0, 10000)))) / 10000,
        exact=chance.random() < 0.8,
        # every third a second year, so that the path is carried
        years=range(2025, 2026 + (number % 3 == 0)),
    )
    return rows, settings


def largest_remainder(shares: Mapping[int, Fraction], total: int) -> dict[int, int]:
    """Return shares in whole people that sum to the total, ties to the lower level."""
    whole = {level: math.floor(share) for level, share in shares.items()}
    left = total - sum(whole.values())
    for level in sorted(shares, key=lambda level: (whole[level] - shares[level], level))[:left]:
        whole[level] += 1
    return whole


def flows(
    workers: Mapping[str, Worker],
    leavers: set[str],
    positions: Mapping[int, int],
    settings: Settings,
    year: int,
) -> Year:
    """Return what is promoted and hired into each level, given who leaves."""
    stayers = {name: worker for name, worker in workers.items() if name not in leavers}
    staying = Counter(worker.level for worker in stayers.values())
    net = max(sum(positions.values()) - len(stayers), 0)
    per_net = 1 / (1 - Fraction(settings.hire_exit_rate))
    hired = math.ceil(net * per_net) if settings.exact else rounded(net * per_net)
    day = dt.date(year, 2, 1)
    ready = Counter(
        worker.level + 1
        for worker in stayers.values()
        if completed_years(worker.hired, day) >= 1 and completed_years(worker.born, day) < 65
    )
    fill = settings.fill_share if hired else Decimal(1)
    promoted: dict[int, int] = {}
    for level in reversed(LEVELS):
        openings = max(positions[level] - staying[level] + promoted.get(level + 1, 0), 0)
        luck = draw(settings.seed, "promotion_fill", str(level), year)
        promoted[level] = min(ready[level] if level > 1 else 0, math.floor(float(fill * openings) + luck))
    left = {level: positions[level] - staying[level] + promoted.get(level + 1, 0) - promoted[level] for level in LEVELS}
    to_give = sum(max(-count, 0) for count in left.values())
    nets = {}
    for level in LEVELS:
        given_up = min(to_give, max(left[level], 0))
        to_give -= given_up
        nets[level] = max(left[level], 0) - given_up
    assert sum(nets.values()) == net
    shares = {level: Fraction(hired * nets[level], net) if net else Fraction(0) for level in LEVELS}
    hires = (
        largest_remainder(shares, hired)
        if settings.exact
        else {level: rounded(nets[level] * per_net) for level in LEVELS}
    )
    hire_exits = {level: hires[level] - nets[level] for level in LEVELS}
    assert not settings.exact or min(hire_exits.values()) >= 0
    closing = {level: staying[level] - promoted.get(level + 1, 0) + promoted[level] + nets[level] for level in LEVELS}
    # counters are equal where they differ by zeros only
    return Year(Counter(hires), Counter(promoted), Counter(hire_exits), Counter(closing))


def exits_of(workers: Mapping[str, Worker], target: int, settings: Settings, year: int) -> tuple[int, int]:
    """Return how many people leave and how many of them retire, in exact mode."""
    first = dt.date(year, 1, 1)
    announced = [worker for worker in workers.values() if worker.leaves is not None and worker.leaves.year == year]
    at_55 = sum(completed_years(worker.born, first) >= 55 for worker in announced)
    rates = sum(
        Decimal(band("retirement_rates", completed_years(worker.born, first))["retirement_rate"])
        for worker in workers.values()
        if worker.leaves is None
    )
    retirements = max(math.floor(float(rates) + draw(settings.seed, "retirement_count", "", year)) - at_55, 0)
    asked = rounded(len(workers) * settings.exit_rate)
    return max(asked, len(announced) + retirements, len(workers) - target), retirements


def ledger_year(workers: dict[str, Worker], events: list[dict[str, Any]]) -> tuple[Year, set[str], int]:
    """Return the year by level, who of 1 January leaves and how many retire; `workers` become those of the close."""
    hires, promoted, hire_exits = Counter[int](), Counter[int](), Counter[int]()
    leavers, new, retirements = set[str](), set[str](), 0
    for event in events:
        name = event["employee_id"]
        match event["event_type"]:
            case "hire":
                hires[event["level_after"]] += 1
                new.add(name)
                born = dt.date.fromisoformat(event["born"])
                workers[name] = Worker(event["level_after"], born, event["effective_date"], None)
            case "promotion":
                promoted[event["level_after"]] += 1
                was = workers[name]
                workers[name] = Worker(event["level_after"], was.born, was.hired, was.leaves)
            case "termination" if name in new:
                hire_exits[workers.pop(name).level] += 1
            case "termination":
                leavers.add(name)
                retirements += event["event_category"] == "retirement"
                workers.pop(name)
    return Year(hires, promoted, hire_exits, Counter(worker.level for worker in workers.values())), leavers, retirements


EVENTS = """
    select
        simulation_year, employee_id, event_type, event_category, effective_date, level_after,
        event_details->>'employee_birth_date' as born
    from fct_yearly_events where event_type in ('hire', 'promotion', 'termination')
    order by simulation_year, employee_id, event_sequence
"""


def workers_of(rows: list[Row]) -> dict[str, Worker]:
    """Return the people of a census by id."""

    def day(row: Row, name: str) -> dt.date | None:
        return dt.date.fromisoformat(str(row[name])) if row[name] else None

    found = {}
    for row in rows:
        born, hired = day(row, "employee_birth_date"), day(row, "employee_hire_date")
        assert born is not None
        assert hired is not None
        leaves = day(row, "employee_termination_date")
        found[str(row["employee_id"])] = Worker(int(str(row["level_id"])), born, hired, leaves)
    return found


def equation(laboratory: Laboratory, year: int) -> list[int]:
    """Return the printed figures: opening, exits, hires, their exits, closing and target headcount."""
    names = (
        "opening_headcount",
        "terminations",
        "hires",
        "new_hire_terminations",
        "closing_headcount",
        "target_headcount",
    )
    found = dict(laboratory.query(f"select metric, value from fct_annual_metrics where simulation_year = {year}"))
    return [int(found[name]) for name in names]


def differences(laboratory: Laboratory, rows: list[Row], settings: Settings) -> list[str]:
    """Compute every year of a company again from its census and its ledger; return what is not as computed."""
    events = laboratory.records(EVENTS)
    workers = workers_of(rows)
    counts = Counter(worker.level for worker in workers.values())
    path = {level: Decimal(counts[level]) for level in LEVELS}
    said = []
    for year in settings.years:
        path = {level: (share * (1 + settings.growth)).quantize(PLACES, ROUND_HALF_UP) for level, share in path.items()}
        target = rounded(sum(path.values(), Decimal(0)))
        positions = largest_remainder({level: Fraction(share) for level, share in path.items()}, target)
        opening = dict(workers)
        of_year = [event for event in events if event["simulation_year"] == year]
        found, leavers, retirements = ledger_year(workers, of_year)
        computed = flows(opening, leavers, positions, settings, year)
        pairs: list[tuple[str, object, object]] = [
            ("hires", found.hires, computed.hires),
            ("promotions", found.promoted, computed.promoted),
        ]
        counted = [len(opening), len(leavers), found.hires.total(), found.hire_exits.total(), len(workers), target]
        pairs.append(("printed", equation(laboratory, year), counted))
        pairs.append(("equation", counted[4], counted[0] - counted[1] + counted[2] - counted[3]))
        if settings.exact:
            pairs += [
                ("hires' exits", found.hire_exits, computed.hire_exits),
                ("closing", found.closing, computed.closing),
                ("exits and retirements", (len(leavers), retirements), exits_of(opening, target, settings, year)),
                ("target", len(workers), target),
            ]
        said += [f"{year} {what}: {one}, not {other}" for what, one, other in pairs if one != other]
    return said


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("levels"), [person("P")])


@pytest.mark.parametrize("first", sampled(range(0, COMPANIES, IN_A_TEST), TESTED))
def test_every_level_closes_with_its_positions(laboratory: Laboratory, first: int) -> None:
    exact = surplus = 0
    for number in range(first, first + IN_A_TEST):
        rows, settings = drawn_company(number)
        laboratory.open_census(rows, settings.overrides).run(settings.overrides)
        assert differences(laboratory, rows, settings) == [], number
        exact += settings.exact
        closing = "select bool_and(closing_headcount = positions), bool_or(surplus > 0) from fct_level_headcount"
        ((closed, has_surplus),) = laboratory.query(closing)
        assert closed or has_surplus or not settings.exact, number
        surplus += has_surplus
    assert exact > IN_A_TEST / 2
    assert 0 < surplus < IN_A_TEST, "both kinds occur"


FAULTS = {
    "a rounded path": (
        "fct_level_headcount",
        "targets.headcount_path",
        "round(targets.headcount_path, 0) as headcount_path",
    ),
    "announced exits at 55 beside retirements": ("int_headcount_target", ".age >= 55", ".age >= 155"),
    "a net that nobody gives up": ("int_positions", "least(\n            net,", "least(\n            0,"),
    "levels from the bottom up": ("int_positions", "order by targets.level_id desc", "order by targets.level_id"),
    "retirements within a round number": ("int_headcount_target", "floor(", "ceil("),
    "a fill share where nobody is hired": ("int_positions", "plan.hires = 0 then 1", "plan.hires = 0 then 0"),
    "candidates who leave": ("int_positions", "where is_staying", "where true"),
}


@pytest.mark.parametrize("fault", sampled(FAULTS, 3))
def test_a_fault_in_positions_is_noticed(laboratory: Laboratory, fault: str) -> None:
    with laboratory.faulty_model(*FAULTS[fault]):
        for number in range(COMPANIES, COMPANIES + 40):
            rows, settings = drawn_company(number)
            laboratory.open_census(rows, settings.overrides).run(settings.overrides)
            if differences(laboratory, rows, settings):
                return
    pytest.fail("no company shows the fault")
