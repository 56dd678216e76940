"""Assumptions fitted to a census: the same values computed in Python from its rows, and what is said of them."""

import datetime as dt
import math
import random
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from planalign_orchestrator import api
from planalign_orchestrator.errors import CensusError, ConfigurationError, PlanAlignError, ResumeError
from planalign_orchestrator.parameters import ParameterTable, load_parameters
from planalign_orchestrator.pipeline.inputs import LoadedInputs, judge_census
from planalign_orchestrator.project import designs
from tests.companies import FITTED, Overrides, Row, completed_years, configure, default_table, person, write_rows
from tests.laboratory import Laboratory, simulate

CUTS = ("0.60", "0.85", "0.95", "0.99")
RECENT = dt.date(2023, 1, 1)


def fit(folder: Path, census: Path | Iterable[Row], overrides: Overrides | None = None) -> LoadedInputs:
    return judge_census(load_parameters(configure(folder, census, {**FITTED, **(overrides or {})})))


def warnings(loaded: LoadedInputs) -> list[str]:
    """What is said of the tables; other warnings are of the census itself."""
    return [text for text in loaded.summary.warnings if text.startswith("parameters.")]


def table(loaded: LoadedInputs, name: str) -> ParameterTable:
    (found,) = (one for one in loaded.tables.of_year(loaded.tables.years[0]) if one.name == name)
    return found


def rows(loaded: LoadedInputs, name: str) -> list[dict[str, str | None]]:
    return table(loaded, name).records()


def staff(pays: Sequence[object], **columns: object) -> list[Row]:
    return [{**person(f"P{number:05d}", pay=pay), **columns} for number, pay in enumerate(pays)]


# --- the fit, once more, in Python ------------------------------------------------------------------------------------


def company(seed: int, size: int, *, named: bool, median: float = 60_000) -> list[Row]:
    """A company of five levels, a tenth of it part-time, hired over twenty years; named or unnamed levels."""
    chance = random.Random(seed)
    found = []
    for number in range(size):
        level = chance.choices((1, 2, 3, 4, 5), (60, 22, 10, 6, 2))[0]
        hours = chance.choices((40, 20, 24, 8), (90, 5, 4, 1))[0]
        hired = dt.date(2005, 1, 1) + dt.timedelta(days=int(7304 * chance.random() ** 0.4))
        pay = median * 1.45 ** (level - 1) * math.exp(chance.gauss(0, 0.08)) * hours / 40
        born = hired - dt.timedelta(days=chance.randint(19 * 366, 45 * 365))
        level_column = {"level_id": level} if named else {}
        found.append(
            person(
                f"P{number:05d}",
                born=max(born, dt.date(1945, 1, 1)).isoformat(),
                hired=hired.isoformat(),
                pay=f"{pay:.2f}",
                scheduled_hours_per_week=hours,
                **level_column,
            )
        )
    return found


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def percentile(values: Sequence[int], share: str) -> int:
    place = Fraction(share) * (len(values) - 1)
    low = math.floor(place)
    high = values[min(low + 1, len(values) - 1)]
    return half_up(values[low] + (high - values[low]) * (place - low))


def full_time_cents(row: Row) -> int:
    hours = Fraction(str(row.get("scheduled_hours_per_week", 40)))
    return half_up(Fraction(str(row["employee_gross_compensation"])) * 100 * max(Fraction(1), 40 / hours))


def python_levels(people: Sequence[Row]) -> dict[int, list[Row]]:
    """The people of each level who count, by level_id or else by the cuts."""
    counted = [row for row in people if float(str(row.get("scheduled_hours_per_week", 40))) >= 10]
    by_level: dict[int, list[Row]] = defaultdict(list)
    starts = [0]
    pays = sorted(map(full_time_cents, counted))
    for cut in CUTS:
        above = [pay for pay in pays if pay > percentile(pays, cut)]
        if len(above) >= 3 and above[0] > starts[-1]:
            starts.append(above[0])
    for row in counted:
        by_pay = sum(start <= full_time_cents(row) for start in starts)
        by_level[int(str(row.get("level_id", by_pay)))].append(row)
    return by_level


def expected_hire_pay(levels: dict[int, list[Row]]) -> dict[int, tuple[float, float]]:
    """Target and standard deviation of log pay by level, in double precision."""
    medians = {level: percentile(sorted(map(full_time_cents, people)), "0.5") / 100 for level, people in levels.items()}
    logs = {
        level: [
            math.log(full_time_cents(row) / 100)
            for row in people
            if dt.date.fromisoformat(str(row["employee_hire_date"])) >= RECENT
        ]
        for level, people in levels.items()
    }
    count = sum(map(len, logs.values()))
    if count < 20:
        return {level: (median * 0.97, 0.05) for level, median in medians.items()}
    gaps = [log - math.log(medians[level]) for level, of_level in logs.items() for log in of_level]
    ratio_of_all = math.exp(statistics.fmean(gaps))
    variance = {level: statistics.pvariance(of_level) if of_level else 0.0 for level, of_level in logs.items()}
    spread_of_all = math.sqrt(sum(len(logs[level]) * variance[level] for level in logs) / count)
    found = {}
    for level, median in medians.items():
        n = len(logs[level])
        own = math.exp(statistics.fmean(logs[level])) / median if n else 0
        ratio = (n * own + 5 * ratio_of_all) / (n + 5)
        spread = (n * math.sqrt(variance[level]) + 5 * spread_of_all) / (n + 5)
        found[level] = (median * ratio, min(max(spread, 0.03), 0.25))
    return found


@pytest.mark.parametrize("named", [True, False], ids=["levels named", "levels cut"])
@pytest.mark.parametrize(("seed", "size"), [(1, 12), (2, 150), (3, 900)])
def test_the_fit_is_that_of_python(tmp_path: Path, seed: int, size: int, named: bool) -> None:
    people = company(seed, size, named=named)
    loaded = fit(tmp_path, people)
    levels = python_levels(people)
    ranges = {int(row["level_id"] or 0): row for row in rows(loaded, "job_levels")}
    assert ranges.keys() >= levels.keys()
    for level, members in levels.items():
        pays = sorted(map(full_time_cents, members))
        median = percentile(pays, "0.5")
        ends = [half_up(median * Fraction(share)) for share in ("0.85", "1.15")]
        if len(pays) >= 20:
            ends = [percentile(pays, share) for share in ("0.05", "0.95")]
        found = (ranges[level]["range_minimum"], ranges[level]["range_maximum"])
        assert found == tuple(f"{Decimal(end) / 100:.2f}" for end in ends), level
    for row in rows(loaded, "new_hire_pay"):
        if int(row["level_id"] or 0) in levels:
            target, spread = expected_hire_pay(levels)[int(row["level_id"] or 0)]
            assert float(row["target_pay"] or 0) == pytest.approx(target, rel=2e-6)
            assert float(row["log_sd"] or 0) == pytest.approx(spread, abs=2e-5)
            assert str(row["source"]).startswith("census: ")


def test_ages_and_hours_are_those_of_the_recent_hires(tmp_path: Path) -> None:
    people = company(4, 400, named=True)
    recent = [row for row in people if dt.date.fromisoformat(str(row["employee_hire_date"])) >= RECENT]
    assert len(recent) > 20
    ages = [
        completed_years(*(dt.date.fromisoformat(str(row[f"employee_{day}_date"])) for day in ("birth", "hire")))
        for row in recent
    ]
    packaged = {int(row["age"]): Fraction(row["weight"]) for row in default_table("new_hire_ages")}
    loaded = fit(tmp_path, people)
    weights = {int(row["age"] or 0): Fraction(row["weight"] or 0) for row in rows(loaded, "new_hire_ages")}
    assert sum(weights.values()) == 1
    for age in {*ages, *packaged}:
        share = (ages.count(age) + 20 * packaged.get(age, Fraction(0))) / (len(ages) + 20)
        assert abs(weights.get(age, 0) - share) < Fraction(1, 1_000_000), age
    hours = sorted(int(str(row["scheduled_hours_per_week"])) for row in recent if row["scheduled_hours_per_week"] != 40)
    (found,) = rows(loaded, "new_hire_hours")
    assert found["part_time_share"] == f"{round(Decimal(len(hours)) / len(recent), 6):f}"
    assert found["part_time_hours_per_week"] == f"{statistics.median(hours):.2f}"


# --- levels -----------------------------------------------------------------------------------------------------------


def test_the_printed_cuts(tmp_path: Path) -> None:
    loaded = fit(tmp_path, staff([30_000 + 1_000 * number for number in range(20)]))
    assert [row["pay_from"] for row in rows(loaded, "job_levels")] == ["0.00", "42000.00", "47000.00"]


@pytest.mark.parametrize(
    ("pays", "starts"),
    [
        ([50_000] * 30, ["0.00"]),
        ([50_000] * 28 + [90_000] * 2, ["0.00"]),
        ([50_000] * 28 + [90_000] * 3, ["0.00", "90000.00"]),
        ([50_000], ["0.00"]),
    ],
    ids=["all alike", "two above", "three above", "one person"],
)
def test_a_cut_needs_three_people_above_it(tmp_path: Path, pays: list[int], starts: list[str]) -> None:
    assert [row["pay_from"] for row in rows(fit(tmp_path, staff(pays)), "job_levels")] == starts


def test_the_cuts_are_configured(tmp_path: Path) -> None:
    pays = [30_000 + 1_000 * number for number in range(20)]
    loaded = fit(tmp_path, staff(pays), {"census.level_cuts": ["0.5"]})
    assert [row["pay_from"] for row in rows(loaded, "job_levels")] == ["0.00", "40000.00"]


def test_a_level_without_people_lies_between_its_neighbours(tmp_path: Path) -> None:
    people = [*staff([40_000] * 25, level_id=1)]
    people += [person(f"Q{number}", pay=90_000, level_id=3) for number in range(25)]
    found = rows(fit(tmp_path, people), "job_levels")
    # the packaged midpoints of levels 1 and 2 are 68,000 and 100,000
    middle = Decimal(40_000) * 100_000 / 68_000
    assert [row["level_id"] for row in found] == ["1", "2", "3"]
    assert found[1]["range_minimum"] == f"{round(middle, 2) * Decimal('0.85'):.2f}"
    assert "nobody" in str(found[1]["source"])


def test_ranges_that_fall_are_refused_by_name(tmp_path: Path) -> None:
    people = [*staff([90_000] * 20, level_id=1), person("Q", pay=40_000, level_id=2)]
    with pytest.raises(CensusError, match=r"job level 2 ends at 46000\.00, below that of level 1 at 90000\.00"):
        fit(tmp_path, people)


@pytest.mark.model
def test_a_sixth_level_takes_the_factors_of_the_fifth_and_runs(tmp_path: Path) -> None:
    people = [person(f"P{number}", pay=50_000 + 10_000 * number, level_id=1 + number // 2) for number in range(12)]
    result = simulate(tmp_path, people, FITTED)
    tables = ("termination_by_level", "promotion_by_level", "merit_by_level", "participation_by_level")
    for name in tables:
        factors = dict(
            result.query(
                f"select level_id, columns(* exclude (simulation_year, level_id, source)) from parameters.{name}"
            )
        )
        assert factors[6] == factors[5], name
    (notes,) = result.query("select notes from run_metadata")
    assert f"job level 6 takes the factors of level 5 in {', '.join(tables)}" in str(notes)


@pytest.mark.model
def test_part_timers_are_placed_by_full_time_pay(tmp_path: Path) -> None:
    """Half of 60,000 for half of the hours is no level of its own, and no pay below the range."""
    people = staff([60_000] * 30 + [100_000] * 10)
    people += [person(f"H{number}", pay=50_000, scheduled_hours_per_week=20) for number in range(5)]
    laboratory = Laboratory(tmp_path, people, FITTED).run(until="initialization")
    levels = "select level_id, count(*) from stg_census where employee_id like 'H%' group by 1"
    assert laboratory.query(levels) == [(2, 5)]


# --- hires ------------------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_part_time_hires_are_paid_their_share(tmp_path: Path) -> None:
    people = staff([60_000] * 200)
    settings = {**FITTED, "new_hires.part_time_share": "0.5", "new_hires.part_time_hours_per_week": 15}
    laboratory = Laboratory(tmp_path, people, settings).run({"new_hires.pay_noise_sd": 0}, until="event_generation")
    found = laboratory.query("select scheduled_hours_per_week, compensation, count(*) from int_hires group by all")
    # everybody is paid the same, so that the range is one amount and hire pay lies below it
    assert {(float(hours), float(pay)) for hours, pay, _ in found} == {(40, 60_000), (15, 22_500)}


SPREADS = [(1, 250, 18_000), (2, 700, 60_000), (3, 2_000, 250_000)]


def mean_log_pay_holds(folder: Path, seed: int, size: int, median: float) -> None:
    """Hires of a generated company are paid as fitted, and the fit is what its recent hires are paid."""
    people = company(seed, size, named=seed % 2 == 0, median=median)
    loaded = fit(folder, people)
    wide = [
        {**row, "range_minimum": "1", "range_maximum": "99000000"}
        for row in ({k: v for k, v in row.items() if v is not None} for row in rows(loaded, "job_levels"))
    ]
    pays = [{key: value for key, value in row.items() if value is not None} for row in rows(loaded, "new_hire_pay")]
    settings = {
        **FITTED,
        "parameters": {"job_levels": wide, "new_hire_pay": pays},
        "workforce.total_termination_rate": "0.4",
        "new_hires.part_time_share": 0,
    }
    laboratory = Laboratory(folder, people, settings).run(until="event_generation")
    logs = defaultdict(list)
    for level, pay in laboratory.query("select level_id, compensation from int_hires"):
        logs[level].append(math.log(float(pay)))
    assert sum(map(len, logs.values())) > size / 4
    levels = python_levels(people)
    for row in pays:
        level, target, spread = int(row["level_id"]), float(row["target_pay"]), float(row["log_sd"])
        hired = logs[level]
        if hired:
            assert abs(statistics.fmean(hired) - math.log(target)) < 3 * spread / math.sqrt(len(hired)), level
        recent = [
            math.log(full_time_cents(one) / 100)
            for one in levels.get(level, [])
            if dt.date.fromisoformat(str(one["employee_hire_date"])) >= RECENT
        ]
        if len(recent) >= 20:
            error = statistics.stdev(recent) / math.sqrt(len(recent))
            assert abs(statistics.fmean(recent) - math.log(target)) < 3 * error, level


@pytest.mark.model
@pytest.mark.parametrize(("seed", "size", "median"), SPREADS)
def test_hires_are_paid_as_the_client_hires(tmp_path: Path, seed: int, size: int, median: float) -> None:
    mean_log_pay_holds(tmp_path, seed, size, median)


@pytest.mark.model
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(30))
def test_hires_of_thirty_companies_are_paid_as_the_clients_hire(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    mean_log_pay_holds(tmp_path, seed, int(200 * 100 ** chance.random()), 18_000 * (250 / 18) ** chance.random())


# --- what is said, and what is compared -------------------------------------------------------------------------------


def test_a_low_wage_company_is_told_that_the_packaged_tables_do_not_fit(tmp_path: Path) -> None:
    packaged = {"parameters.job_levels": "default", "parameters.new_hire_pay": "default"}
    below, above = warnings(fit(tmp_path, staff([26_000 + 40 * number for number in range(400)]), packaged))
    assert below.startswith("parameters.job_levels: all 400 people are paid less than the range minimum")
    assert "hires of level 1 are planned at 190 % of the median pay of the level's people" in above


def test_hires_at_the_end_of_a_range_are_told(tmp_path: Path) -> None:
    level = {"level_id": 1, "level_name": "All", "pay_from": 0, "range_minimum": 50_000, "range_maximum": 60_000}
    pay = {"level_id": 1, "target_pay": 61_000, "log_sd": "0.05"}
    tables: Overrides = {"parameters.job_levels": [level], "parameters.new_hire_pay": [pay]}
    (warning,) = warnings(fit(tmp_path, staff([55_000] * 20), tables))
    assert "63 % of the hires of level 1 will be paid an end of the level's range" in warning


def test_a_fitted_company_is_told_nothing(tmp_path: Path) -> None:
    assert warnings(fit(tmp_path, company(5, 600, named=True))) == []


def test_only_some_tables_can_be_fitted(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"merit_by_level.*cannot be fitted to the census; only job_levels"):
        fit(tmp_path, staff([50_000]), {"parameters.merit_by_level": "census"})


def test_a_level_that_nobody_is_on_cannot_be_excluded(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"excluded_levels: level 4 is not in parameters\.job_levels; it has 1"
    ):
        fit(tmp_path, staff([50_000] * 30), {"plan.eligibility.excluded_levels": [4]})


# --- profile and project ----------------------------------------------------------------------------------------------


def test_the_profile_is_what_a_run_is_made_from(tmp_path: Path) -> None:
    people = company(6, 300, named=True)
    loaded = fit(tmp_path, people)
    profile = api.profile_census(tmp_path / "census.csv").to_dict()
    assert profile["people"] == 300
    for name, key in (("job_levels", "range_maximum"), ("new_hire_pay", "target_pay")):
        fitted = [row["fitted"][key] for row in profile["tables"][name]]
        assert fitted == [row[key] for row in rows(loaded, name)], name
    assert profile["tables"]["job_levels"][0]["packaged"]["range_maximum"] == "80000.00"
    # (56,000 + 24,000 x .30) x 1.02
    assert profile["tables"]["new_hire_pay"][0]["packaged"]["target_pay"] == "64464.00"


def test_the_profile_fits_what_a_configuration_replaces(tmp_path: Path) -> None:
    configure(tmp_path, staff([50_000] * 30))
    profile = api.profile_census(tmp_path / "census.csv", tmp_path / "simulation_config.yaml")
    assert profile.of("job_levels")[0].fitted["range_minimum"] == "50000.00"


@pytest.mark.model
@pytest.mark.parametrize("design", designs())
def test_a_project_of_a_client_runs_at_once(tmp_path: Path, design: str) -> None:
    headings = {
        "employee_id": "Emp #",
        "employee_hire_date": "Hire Date",
        "employee_gross_compensation": "Annual Salary",
    }
    people = [row for row in company(7, 80, named=False) if str(row["employee_hire_date"]) < "2024"]
    people.append(person("Z", hired="2023-11-30"))
    census = write_rows(
        tmp_path / "client.csv",
        [{headings.get(name, name): value for name, value in row.items()} for row in people],
    )
    answers, _ = api.answers_for_census(census)
    assert (answers.start_year, answers.end_year) == (2024, 2028)
    api.init_project(tmp_path / "project", replace(answers, design=api.check_design(design), end_year=2024))
    config = api.load_configuration(tmp_path / "project" / "config" / "simulation_config.yaml")
    assert config.plan_design_id == ("default_plan" if design == "default" else design)
    summary = api.run(config).summary
    assert [year.simulation_year for year in summary.years] == [2024]


def test_a_census_that_cannot_be_used_makes_no_project(tmp_path: Path) -> None:
    census = write_rows(tmp_path / "client.csv", [person("A", pay=-1, hired="2024-05-01")])
    with pytest.raises(CensusError, match="employee_gross_compensation"):
        api.answers_for_census(census)


def test_a_design_that_there_is_not_is_answered_with_those_there_are() -> None:
    with pytest.raises(PlanAlignError, match="there is no design 'stretch'"):
        api.check_design("stretch")


@pytest.mark.model
def test_a_resumed_run_fits_again_and_refuses_other_rows(tmp_path: Path) -> None:
    people = company(8, 200, named=False)
    simulate(tmp_path, people, FITTED)
    longer = {**FITTED, "simulation.end_year": 2026}

    api.run(configure(tmp_path, tmp_path / "census.csv", longer), resume=True)
    other = configure(tmp_path, tmp_path / "census.csv", {**longer, "census.level_cuts": ["0.5"]})
    with pytest.raises(ResumeError, match=r"parameters\.job_levels: the table has other rows"):
        api.run(other, resume=True)
    summary = api.run(configure(tmp_path, tmp_path / "census.csv", longer), resume=True).summary
    assert [year.simulation_year for year in summary.years] == [2025, 2026]


def test_nobody_with_ten_hours_leaves_nothing_to_fit_levels_to(tmp_path: Path) -> None:
    with pytest.raises(CensusError, match="nobody is scheduled for 10 hours a week or more"):
        fit(tmp_path, staff([9_000] * 30, scheduled_hours_per_week=8))
