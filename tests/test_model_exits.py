"""Who leaves and when, over many seeds, against chances worked out in Python with its own random numbers."""

import datetime as dt
import heapq
import math
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.companies import NOBODY_RETIRES, band, completed_years, draw, exit_hazard, people, read_rows
from tests.laboratory import Laboratory, simulate

pytestmark = pytest.mark.model

SEEDS = range(20)
FEW_SEEDS = range(5)
REPLICATIONS = 400
LIMIT = 4.0
NEW_YEAR = dt.date(2025, 1, 1)


@dataclass(frozen=True)
class Candidate:
    """Somebody who may leave: the cells they are counted in, and their hazard."""

    employee_id: str
    age: int
    cells: tuple[str, ...]
    hazard: float
    retirement_rate: float


@dataclass(frozen=True)
class Trial:
    """What a seed gave: the exits of the opening population and the hires of the year."""

    seed: int
    exits: list[dict[str, Any]]
    hires: list[dict[str, Any]]


@pytest.fixture(scope="module")
def laboratory(
    tmp_path_factory: pytest.TempPathFactory, generated: Callable[[int], Path], simulates: None
) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("exits"), generated(3000))


@pytest.fixture(scope="module")
def candidates(generated: Callable[[int], Path]) -> list[Candidate]:
    """Everyone of the census who is still there, judged with the packaged tables."""
    found = []
    for row in read_rows(generated(3000)):
        if not row["employee_termination_date"]:
            age = completed_years(dt.date.fromisoformat(row["employee_birth_date"]), NEW_YEAR)
            service = completed_years(dt.date.fromisoformat(row["employee_hire_date"]), NEW_YEAR)
            cells = (
                f"age {band('age_bands', age)['age_band']}",
                f"service {band('tenure_bands', service)['tenure_band']}",
                f"level {row['level_id']}",
            )
            found.append(Candidate(row["employee_id"], age, cells, *exit_hazard(int(row["level_id"]), age, service)))
    return found


def trials(laboratory: Laboratory, seeds: range, overrides: dict[str, object]) -> Iterator[Trial]:
    """Run the model's decisions of 2025 once for each seed."""
    for seed in seeds:
        laboratory.run({"simulation.random_seed": seed, **overrides}, until="event_generation")
        yield Trial(
            seed,
            laboratory.records("select * from int_exits"),
            laboratory.records("""
                select hires.*, leavers.termination_date
                from int_hires as hires left join int_new_hire_exits as leavers using (employee_id)
            """),
        )


@pytest.fixture(scope="module")
def exact_trials(laboratory: Laboratory) -> list[Trial]:
    return list(trials(laboratory, SEEDS, {}))


@pytest.fixture(scope="module")
def stochastic_trials(laboratory: Laboratory) -> list[Trial]:
    return list(trials(laboratory, SEEDS, {"workforce.headcount_mode": "stochastic"}))


def cells_of(leavers: Sequence[str], candidates: Sequence[Candidate]) -> Counter[str]:
    left = set(leavers)
    return Counter(cell for one in candidates if one.employee_id in left for cell in one.cells)


def test_exits_follow_the_hazard(exact_trials: list[Trial], candidates: list[Candidate]) -> None:
    """Two exponential races decide who leaves: mean and spread of each cell come from 400 pairs run in Python."""
    exits = len(exact_trials[0].exits)
    source = random.Random(2024)
    races: list[Counter[str]] = []
    rates = sum(one.retirement_rate for one in candidates)
    for _ in range(REPLICATIONS):
        clock = (
            (source.expovariate(-math.log(1 - one.retirement_rate)), place)
            for place, one in enumerate(candidates)
            if one.retirement_rate
        )
        retired = {place for _, place in heapq.nsmallest(int(rates + source.random()), clock)}
        clock = (
            (source.expovariate(one.hazard), place) for place, one in enumerate(candidates) if place not in retired
        )
        first = {place for _, place in heapq.nsmallest(exits - len(retired), clock)}
        races.append(Counter(cell for place in retired | first for cell in candidates[place].cells))
    observed = [cells_of([leaver["employee_id"] for leaver in trial.exits], candidates) for trial in exact_trials]
    assert {sum(counts.values()) for counts in observed} == {3 * exits}
    scores = {}
    for cell in sorted({cell for one in candidates for cell in one.cells}):
        expected = [race[cell] for race in races]
        error = statistics.stdev(expected) * (1 / len(observed) + 1 / REPLICATIONS) ** 0.5
        mean = statistics.fmean(counts[cell] for counts in observed)
        scores[cell] = (mean - statistics.fmean(expected)) / error
    assert len(scores) == 16
    assert {cell: z for cell, z in scores.items() if abs(z) >= LIMIT} == {}


def score(found: float, chances: Sequence[float]) -> float:
    """Return how many standard deviations a count lies from the sum of independent chances."""
    return (found - sum(chances)) / math.sqrt(sum(chance * (1 - chance) for chance in chances))


def demand_causes(observed: Sequence[Trial], candidates: Sequence[Candidate]) -> None:
    """Retirements are as many as the rates of the ages say, and three quarters of the rest are voluntary."""
    leavers = [leaver for trial in observed for leaver in trial.exits]
    causes = Counter(leaver["termination_reason"] for leaver in leavers)
    assert causes.keys() == {"retirement", "voluntary", "involuntary"}
    rates = [one.retirement_rate for one in candidates if one.retirement_rate] * len(observed)
    assert abs(score(causes["retirement"], rates)) < LIMIT
    others = causes["voluntary"] + causes["involuntary"]
    assert abs(score(causes["voluntary"], [0.75] * others)) < LIMIT


def test_retirements_are_the_sum_of_the_rates_in_whole_people(
    exact_trials: list[Trial], candidates: list[Candidate]
) -> None:
    demand_causes(exact_trials, candidates)
    rates = sum(one.retirement_rate for one in candidates)
    for trial in exact_trials:
        retired = [leaver for leaver in trial.exits if leaver["termination_reason"] == "retirement"]
        assert len(retired) == math.floor(rates + draw(trial.seed, "retirement_count", "", 2025))


@pytest.mark.parametrize(
    ("announced", "retiring"), [pytest.param(0, 20, id="nobody announced"), pytest.param(8, 12, id="eight announced")]
)
def test_retirements_come_before_other_exits_and_announced_ones_count_among_them(
    tmp_path: Path, announced: int, retiring: int
) -> None:
    """All of twenty people over 70 retire: more than the ten exits of the rate, so that the year has as many."""
    old = [{**row, "employee_birth_date": "1950-01-01"} for row in people(20)]
    rows = [{**row, "employee_termination_date": "2025-05-01"} for row in old[:announced]] + old[announced:]
    young = [{**row, "employee_id": f"Y{row['employee_id']}"} for row in people(80)]
    certain = [
        {"age_from": 0, "age_to": 70, "retirement_rate": 0},
        {"age_from": 70, "age_to": None, "retirement_rate": 1},
    ]
    settings = {"parameters.retirement_rates": certain, "workforce.total_termination_rate": "0.1"}
    result = simulate(tmp_path, [*rows, *young], {**settings, "simulation.target_growth_rate": 0})
    figures = result.metrics(2025)
    # twenty less eight are still here, and eight announced exits count against their twelve
    drawn = retiring if not announced else retiring - announced
    assert (figures["retirements"], figures["announced_terminations"]) == (drawn, announced)
    assert figures["terminations"] == max(10, drawn + announced)
    (verdict,) = [rule for rule in result.verdicts()[2025] if rule["rule"] == "assert_retirements_fit_the_exits"]
    assert verdict["passed"] == (drawn + announced <= 10)


DECREMENTS: list[dict[str, object]] = [
    {"age_from": 0, "age_to": 40, "male_death_rate": "0.01", "female_death_rate": "0.03"},
    {"age_from": 40, "age_to": None, "male_death_rate": "0.04", "female_death_rate": "0.06"},
]
DYING: dict[str, object] = {
    "parameters.decrement_rates": [
        {**row, "male_disability_rate": "0.002", "female_disability_rate": "0.018"} for row in DECREMENTS
    ],
    "workforce.total_termination_rate": "0.2",
}
# nobody has a sex here, so the means count
DISABLED = 0.01


def death_rate(one: Candidate) -> float:
    return 0.02 if one.age < 40 else 0.05


def causes_of(trial: Trial) -> dict[str, set[str]]:
    causes: dict[str, set[str]] = defaultdict(set)
    for leaver in trial.exits:
        causes[leaver["termination_reason"]].add(leaver["employee_id"])
    return causes


def test_deaths_disability_and_retirements_come_in_this_order_in_whole_people(
    laboratory: Laboratory, candidates: list[Candidate]
) -> None:
    """Each race is of those whom the ones before it left, and all are within the exits of the rate."""
    for trial in trials(laboratory, FEW_SEEDS, DYING):
        here = {one.employee_id: one for one in candidates}
        causes = causes_of(trial)

        def race(cause: str, rates: dict[str, float], share: float, seed: int = trial.seed) -> set[str]:
            count = math.floor(sum(rates.values()) + share)
            keys = {one: math.log(1 - draw(seed, cause, one, 2025)) / math.log(1 - rate) for one, rate in rates.items()}
            return set(sorted(keys, key=keys.__getitem__)[:count])

        for cause, rate in (("death", death_rate), ("disability", lambda one: DISABLED)):
            share = draw(trial.seed, "decrement_count", cause, 2025)
            expected = race(cause, {name: rate(one) for name, one in here.items()}, share)
            assert causes[cause] == expected
            here = {name: one for name, one in here.items() if name not in expected}
        retiring = {name: one.retirement_rate for name, one in here.items() if one.retirement_rate}
        assert causes["retirement"] == race("retirement", retiring, draw(trial.seed, "retirement_count", "", 2025))
        assert len(trial.exits) == math.floor(len(candidates) * 0.2 + 0.5)


def test_stochastic_deaths_and_disability_follow_their_probabilities(
    laboratory: Laboratory, candidates: list[Candidate]
) -> None:
    observed = list(trials(laboratory, SEEDS, {**DYING, "workforce.headcount_mode": "stochastic"}))
    for trial in observed:
        causes = causes_of(trial)
        dead = {one.employee_id for one in candidates if lucky(trial, "death", one) < death_rate(one)}
        assert causes["death"] == dead
        disabled = {one.employee_id for one in candidates if lucky(trial, "disability", one) < DISABLED}
        assert causes["disability"] == disabled - dead
    # the other exits leave room for them
    exits = sum(len(trial.exits) for trial in observed)
    assert abs(score(exits, [0.2] * len(candidates) * len(observed))) < LIMIT


def lucky(trial: Trial, stream: str, one: Candidate) -> float:
    return draw(trial.seed, stream, one.employee_id, 2025)


def test_more_deaths_than_the_exits_of_the_rate_make_the_year_have_as_many(tmp_path: Path) -> None:
    old = [{**row, "employee_birth_date": "1950-01-01"} for row in people(20)]
    young = [{**row, "employee_id": f"Y{row['employee_id']}"} for row in people(80)]
    rates = [f"{sex}_{cause}_rate" for sex in ("male", "female") for cause in ("death", "disability")]
    none: dict[str, object] = dict.fromkeys(rates, 0)
    certain = [
        {"age_from": 0, "age_to": 70, **none},
        {"age_from": 70, "age_to": None, **none, "male_death_rate": 1, "female_death_rate": 1},
    ]
    settings = {"parameters.decrement_rates": certain, "workforce.total_termination_rate": "0.1", **NOBODY_RETIRES}
    result = simulate(tmp_path, [*old, *young], {**settings, "simulation.target_growth_rate": 0})
    figures = result.metrics(2025)
    assert (figures["deaths"], figures["terminations"], figures["closing_headcount"]) == (20, 20, 100)
    (verdict,) = [rule for rule in result.verdicts()[2025] if rule["rule"] == "assert_retirements_fit_the_exits"]
    assert not verdict["passed"]


def calibrated(candidates: Sequence[Candidate], expected: float) -> float:
    """Return c with sum of min(1, c h) = expected, by halving an interval."""
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if sum(min(1, middle * one.hazard) for one in candidates) < expected else (low, middle)
        )
    return high


def demand_calibrated(observed: Sequence[Trial], candidates: Sequence[Candidate], rate: float) -> None:
    """People retire by the rate of their age; whoever does not leaves with probability min(1, c h).

    c is such that the expected number is the rate's less the expected retirements.
    """
    expected = len(candidates) * rate - sum(one.retirement_rate for one in candidates)
    counts, by_cell = [], Counter[str]()
    chances: dict[str, list[float]] = defaultdict(list)
    for trial in observed:
        retired = {
            one.employee_id
            for one in candidates
            if draw(trial.seed, "retirement", one.employee_id, 2025) < one.retirement_rate
        }
        staying = [one for one in candidates if one.employee_id not in retired]
        scale = calibrated(staying, expected)
        chance = {one.employee_id: min(1, scale * one.hazard) for one in staying}
        assert sum(chance.values()) == pytest.approx(expected)
        assert (max(chance.values()) == 1) == (rate > 0.5), "the higher rates are to reach the cap"
        reasons = {leaver["employee_id"]: leaver["termination_reason"] for leaver in trial.exits}
        assert {one for one, reason in reasons.items() if reason == "retirement"} == retired
        others = [leaver for leaver in trial.exits if leaver["employee_id"] not in retired]
        probabilities = {leaver["employee_id"]: float(leaver["exit_probability"]) for leaver in others}
        assert probabilities == pytest.approx({one: chance[one] for one in probabilities}, abs=1e-6)
        assert probabilities.keys() == {
            one for one, probability in chance.items() if draw(trial.seed, "termination", one, 2025) < probability
        }
        counts.append(len(others))
        for one in staying:
            for cell in one.cells:
                chances[cell].append(chance[one.employee_id])
        by_cell += cells_of([*probabilities], candidates)
    assert len(set(counts)) > len(observed) / 2, "the number of exits varies with the seed"
    for cell, of_cell in chances.items():
        if min(of_cell) < 1:
            assert abs(score(by_cell[cell], of_cell)) < LIMIT, cell


def test_stochastic_exits_have_the_calibrated_probability(
    stochastic_trials: list[Trial], candidates: list[Candidate]
) -> None:
    demand_calibrated(stochastic_trials, candidates, 0.12)
    demand_causes(stochastic_trials, candidates)


@pytest.mark.parametrize("rate", [0.6, 0.98])
def test_high_rates_make_some_leave_for_certain_and_the_others_share_the_rest(
    laboratory: Laboratory, candidates: list[Candidate], rate: float
) -> None:
    overrides = {"workforce.headcount_mode": "stochastic", "workforce.total_termination_rate": rate}
    demand_calibrated(list(trials(laboratory, FEW_SEEDS, overrides)), candidates, rate)


def test_at_a_rate_of_one_everybody_leaves_in_stochastic_mode_too(
    laboratory: Laboratory, candidates: list[Candidate]
) -> None:
    overrides = {"workforce.headcount_mode": "stochastic", "workforce.total_termination_rate": 1, **NOBODY_RETIRES}
    laboratory.run(overrides, until="event_generation")
    assert laboratory.query("select count(*), min(exit_probability) from int_exits") == [(len(candidates), 1)]


def test_stochastic_hires_answer_the_exits_and_leave_by_chance(
    stochastic_trials: list[Trial], candidates: list[Candidate]
) -> None:
    opening = len(candidates)
    target = int(opening * 1.03 + 0.5)
    hired = left = 0
    closings = []
    for trial in stochastic_trials:
        leaving = {hire["employee_id"] for hire in trial.hires if hire["termination_date"] is not None}
        ids = [hire["employee_id"] for hire in trial.hires]
        assert leaving == {one for one in ids if draw(trial.seed, "new_hire_termination", one, 2025) < 0.25}
        gone = len(leaving)
        # hires are rounded in each of five levels, so their sum may be off by half of one in each
        assert abs(len(trial.hires) - (target - opening + len(trial.exits)) / 0.75) <= 5 / 2
        closings.append(opening - len(trial.exits) + len(trial.hires) - gone)
        hired, left = hired + len(trial.hires), left + gone
    assert abs(score(left, [0.25] * hired)) < LIMIT
    assert len(set(closings)) > len(closings) / 2
    assert abs(statistics.fmean(closings) - target) < LIMIT * statistics.stdev(closings) / len(closings) ** 0.5


def test_announced_exits_count_within_the_expected_ones_in_stochastic_mode(tmp_path: Path) -> None:
    rows = [
        {**row, "employee_termination_date": "2025-06-30" if number < 50 else ""}
        for number, row in enumerate(people(500))
    ]
    laboratory = Laboratory(tmp_path, rows, {"workforce.headcount_mode": "stochastic"})
    laboratory.run({"workforce.total_termination_rate": "0.2"}, until="event_generation")
    drawn = laboratory.query("select distinct exit_probability from int_exits where termination_reason <> 'announced'")
    assert [round(float(probability), 6) for (probability,) in drawn] == [round((500 * 0.2 - 50) / 450, 6)]
    laboratory.run({"workforce.total_termination_rate": "0.05"}, until="event_generation")
    assert laboratory.query("select termination_reason, count(*) from int_exits group by all") == [("announced", 50)]


def by_month(days: Sequence[dt.date]) -> list[int]:
    counts = Counter(day.month for day in days)
    return [counts[month] for month in range(1, 13)]


def test_exit_days_are_even_and_never_the_last_of_the_year(exact_trials: list[Trial]) -> None:
    days = [leaver["termination_date"] for trial in exact_trials for leaver in trial.exits]
    assert max(abs(score(count, [1 / 12] * len(days))) for count in by_month(days)) < LIMIT
    assert (min(days), max(days)) == (dt.date(2025, 1, 1), dt.date(2025, 12, 30))


def test_hire_days_are_even_and_new_hires_leave_between_hire_and_year_end(exact_trials: list[Trial]) -> None:
    hires = [hire for trial in exact_trials for hire in trial.hires]
    days = [hire["hire_date"] for hire in hires]
    assert max(abs(score(count, [1 / 12] * len(days))) for count in by_month(days)) < LIMIT
    assert (min(days), max(days)) == (dt.date(2025, 1, 1), dt.date(2025, 12, 29))
    leavers = [hire for hire in hires if hire["termination_date"] is not None]
    assert all(hire["hire_date"] < hire["termination_date"] < dt.date(2025, 12, 31) for hire in leavers)
    assert {(hire["termination_date"] - hire["hire_date"]).days for hire in leavers} >= {1, 2, 300}


WEIGHTS = [0.05, 0, 0.3, 0, 0.1, 0, 0, 0.2, 0, 0, 0, 0.35]


def test_months_follow_their_weights(laboratory: Laboratory) -> None:
    raises_by_month = {"raise_timing.month_weights": WEIGHTS, "raise_timing.minimum_service_months": 0}
    months = {"workforce.exit_timing": WEIGHTS, "new_hires.hire_timing": WEIGHTS[::-1]}
    observed = list(trials(laboratory, FEW_SEEDS, {**months, **raises_by_month}))
    exits = [leaver["termination_date"] for trial in observed for leaver in trial.exits]
    hires = [hire["hire_date"] for trial in observed for hire in trial.hires]
    raises = [day for (day,) in laboratory.query("select raise_date from int_raises")]
    for days, weights in ((exits, WEIGHTS), (hires, WEIGHTS[::-1])):
        for count, weight in zip(by_month(days), weights, strict=True):
            assert count == 0 if weight == 0 else abs(score(count, [weight] * len(days))) < LIMIT
    assert {day.month for day in raises} == {month for month, weight in enumerate(WEIGHTS, 1) if weight}
    assert max(exits) == dt.date(2025, 12, 30)
    assert max(raises) == dt.date(2025, 12, 31)


def test_people_hired_in_december_leave_in_december(laboratory: Laboratory) -> None:
    december = {"new_hires.hire_timing": [0] * 11 + [1], "workforce.new_hire_termination_rate": "0.9"}
    laboratory.run(december, until="event_generation")
    rows = laboratory.query("""
        select hires.hire_date, leavers.termination_date
        from int_new_hire_exits as leavers inner join int_hires as hires using (employee_id)
    """)
    assert len(rows) > 1000
    assert all(hired < left <= dt.date(2025, 12, 30) for hired, left in rows)
    assert max(hired for hired, _ in rows) == dt.date(2025, 12, 29)
