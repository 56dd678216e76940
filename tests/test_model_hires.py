"""Who is hired: levels in whole people, ages and hours by their shares, pay inside this year's ranges."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from tests.companies import Row, default_table, people, person
from tests.laboratory import Laboratory

pytestmark = pytest.mark.model

RANGES = {
    int(row["level_id"]): (Decimal(row["range_minimum"]), Decimal(row["range_maximum"]))
    for row in default_table("job_levels")
}
HIRING = {
    int(row["level_id"]): (Decimal(row["percentile"]), Decimal(row["market_factor"]))
    for row in default_table("new_hire_pay")
}


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.fixture(scope="module")
def laboratory(
    tmp_path_factory: pytest.TempPathFactory, generated: Callable[[int], Path], simulates: None
) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("hires"), generated(3000))


def whole_people(total: int, weights: Mapping[int, Fraction]) -> dict[int, int]:
    """Largest remainder, ties to the lower level."""
    quotas = {level: total * weight / sum(weights.values()) for level, weight in weights.items()}
    left = total - sum(math.floor(quota) for quota in quotas.values())
    first = sorted(quotas, key=lambda level: (math.floor(quotas[level]) - quotas[level], level))[:left]
    return {level: math.floor(quota) + (level in first) for level, quota in quotas.items()}


def test_the_reference_of_largest_remainder() -> None:
    assert whole_people(10, dict.fromkeys((1, 2, 3, 4), Fraction(1, 4))) == {1: 3, 2: 3, 3: 2, 4: 2}
    assert whole_people(7, {1: Fraction("0.6"), 2: Fraction("0.4")}) == {1: 4, 2: 3}


@pytest.mark.parametrize(
    ("mix", "hires"),
    [
        ({1: "0.25", 2: "0.25", 3: "0.25", 4: "0.25"}, 10),
        ({2: "1"}, 7),
        ({1: "0.333333", 2: "0.333333", 5: "0.333334"}, 100),
        ({1: "0.9", 3: "0.05", 5: "0.05"}, 11),
    ],
    ids=["ties", "one level", "thirds", "small shares"],
)
def test_a_configured_level_mix_is_met_in_whole_people(tmp_path: Path, mix: dict[int, str], hires: int) -> None:
    overrides = {
        "workforce.structure": "rates",
        "new_hires.level_mix": mix,
        "workforce.total_termination_rate": f"{hires / 200:.3f}",
        "workforce.new_hire_termination_rate": 0,
        "simulation.target_growth_rate": 0,
    }
    laboratory = Laboratory(tmp_path, people(200), overrides).run(until="event_generation")
    found = dict(laboratory.query("select level_id, count(*) from int_hires group by all"))
    expected = whole_people(hires, {level: Fraction(share) for level, share in mix.items()})
    assert found == {level: count for level, count in expected.items() if count}
    assert sum(found.values()) == hires


def test_the_opening_mix_is_met_in_whole_people(laboratory: Laboratory) -> None:
    for rate in ("0.05", "0.12", "0.17"):
        overrides = {"workforce.structure": "rates", "workforce.total_termination_rate": rate}
        laboratory.run(overrides, until="event_generation")
        opening = dict(laboratory.query("select level_id, count(*) from int_opening_workforce group by all"))
        found = dict(laboratory.query("select level_id, count(*) from int_hires group by all"))
        weights = {level: Fraction(count) for level, count in opening.items()}
        assert found == whole_people(sum(found.values()), weights)


def test_hires_are_numbered_from_one_in_each_year_and_level(laboratory: Laboratory) -> None:
    laboratory.run({"simulation.end_year": 2026})
    for year in (2025, 2026):
        ids = laboratory.query(f"""
            select employee_id, entry_level_id from dim_employee
            where origin = 'hire' and simulation_year = {year} order by entry_level_id, employee_id
        """)
        assert len(ids) > 400
        levels = Counter(level for _, level in ids)
        assert ids == [
            (f"NH_{year}_{level}_{number:06d}", level)
            for level in sorted(levels)
            for number in range(1, levels[level] + 1)
        ]


def test_one_more_hire_of_a_level_changes_nobody_of_another(laboratory: Laboratory) -> None:
    people_of = "select * from int_hires where level_id > 1 order by employee_id"
    rates = {"workforce.structure": "rates", "workforce.total_termination_rate": "0.1"}
    mixes = ({1: "0.7", 2: "0.3"}, {1: "0.71", 2: "0.29"})
    more, fewer = (
        laboratory.run({**rates, "new_hires.level_mix": mix}, until="event_generation").query(people_of)
        for mix in mixes
    )
    assert len(more) > len(fewer) > 50
    assert more[: len(fewer)] == fewer


def test_ages_and_hours_follow_their_shares(laboratory: Laboratory) -> None:
    hours = {"new_hires.part_time_hours_per_week": "17.5", "new_hires.full_time_hours_per_week": "37.5"}
    ages: Counter[int] = Counter()
    weekly: Counter[Decimal] = Counter()
    for seed in range(10):
        overrides = {"simulation.random_seed": seed, "new_hires.part_time_share": "0.3", **hours}
        laboratory.run(overrides, until="event_generation")
        for age, scheduled in laboratory.query("""
            select datesub('year', birth_date, hire_date), scheduled_hours_per_week from int_hires
        """):
            ages[age] += 1
            weekly[scheduled] += 1
    shares = {int(row["age"]): float(row["weight"]) for row in default_table("new_hire_ages")}
    total = ages.total()
    assert total > 4000
    assert ages.keys() == shares.keys()
    for age, share in shares.items():
        assert abs(ages[age] - total * share) < 4 * math.sqrt(total * share * (1 - share)), age
    assert weekly.keys() == {Decimal("17.5"), Decimal("37.5")}
    assert abs(weekly[Decimal("17.5")] - total * 0.3) < 4 * math.sqrt(total * 0.3 * 0.7)


def colas(rates: Mapping[int, str]) -> dict[int, object]:
    """Return the changes that give each year its COLA."""
    return {year: {"compensation": {"cola_rate": rate}} for year, rate in rates.items()}


def indexed(structure: Mapping[int, str], year: int) -> dict[int, tuple[Decimal, Decimal]]:
    """The pay ranges of a year: those of the table in 2025, then moved every year."""
    factor = Decimal(1)
    for moved in range(2026, year + 1):
        factor *= 1 + Decimal(structure[moved])
    return {level: (cents(low * factor), cents(high * factor)) for level, (low, high) in RANGES.items()}


@pytest.mark.parametrize(
    ("overrides", "structure"),
    [
        pytest.param({}, {2026: "0.03", 2027: "0.03", 2028: "0.03"}, id="by the default"),
        pytest.param(
            {
                "compensation.structure_increase_rate": None,
                "changes": colas({2025: "0.09", 2026: "0.05", 2027: "0.02", 2028: "0"}),
            },
            {2026: "0.05", 2027: "0.02", 2028: "0"},
            id="with the COLA of each year",
        ),
        pytest.param(
            {"compensation.structure_increase_rate": "0.031", "changes": colas({2026: "0.05"})},
            {2026: "0.031", 2027: "0.031", 2028: "0.031"},
            id="with a rate of its own",
        ),
    ],
)
def test_pay_without_noise_is_the_place_in_the_moved_range(
    laboratory: Laboratory, overrides: dict[str, object], structure: dict[int, str]
) -> None:
    laboratory.run({**overrides, "new_hires.pay_noise_sd": 0, "simulation.end_year": 2028})
    found = laboratory.query("""
        select simulation_year, entry_level_id, entry_compensation
        from dim_employee where origin = 'hire' group by all
    """)
    expected = set()
    for year in range(2025, 2029):
        for level, (low, high) in indexed(structure, year).items():
            percentile, market = HIRING[level]
            expected.add((year, level, min(max(cents((low + (high - low) * percentile) * market), low), high)))
    assert set(found) == expected
    assert len(found) == len(expected)


def test_pay_stays_inside_the_range_and_reaches_both_ends(laboratory: Laboratory) -> None:
    laboratory.run({"new_hires.pay_noise_sd": 1, "simulation.end_year": 2026})
    for year in (2025, 2026):
        found = laboratory.query(f"""
            select entry_level_id, min(entry_compensation), max(entry_compensation)
            from dim_employee where origin = 'hire' and simulation_year = {year} group by all
        """)
        ranges = indexed({2026: "0.03"}, year)
        assert {level: (low, high) for level, low, high in found} == ranges


def test_the_usual_noise_has_its_spread(laboratory: Laboratory) -> None:
    laboratory.run(
        {"workforce.structure": "rates", "workforce.total_termination_rate": "0.5"}, until="event_generation"
    )
    low, high = RANGES[2]
    percentile, market = HIRING[2]
    target = float((low + (high - low) * percentile) * market)
    pays = laboratory.query("select compensation from int_hires where level_id = 2")
    logs = [math.log(float(pay) / target) for (pay,) in pays]
    count = len(logs)
    assert count > 300
    mean = sum(logs) / count
    spread = math.sqrt(sum((log - mean) ** 2 for log in logs) / (count - 1))
    assert abs(mean) < 4 * 0.05 / math.sqrt(count)
    assert abs(spread - 0.05) < 4 * 0.05 / math.sqrt(2 * count)


LEVEL_CASES: list[tuple[object, object, int]] = [
    ("1.00", "", 1),
    ("79999.99", "", 1),
    ("80000.00", "", 2),
    ("119999.99", "", 2),
    ("120000.00", "", 3),
    ("160000", "", 4),
    ("299999.99", "", 4),
    ("300000", "", 5),
    ("12345678.90", "", 5),
    ("50000", 4, 4),
]


def test_a_level_is_the_census_s_or_the_one_whose_range_holds_the_pay(tmp_path: Path) -> None:
    rows: list[Row] = [
        person(f"L{place}", pay=pay, level_id=level) for place, (pay, level, _) in enumerate(LEVEL_CASES)
    ]
    laboratory = Laboratory(tmp_path, rows).run(until="initialization")
    found = dict(laboratory.query("select employee_id, level_id from stg_census"))
    assert found == {f"L{place}": level for place, (_, _, level) in enumerate(LEVEL_CASES)}
