"""The plan's parameter tables: published and projected limits, formulas as rows, what the limits of a year forbid."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planalign_orchestrator import parameters
from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.config.sections.irs_limits import LIMITS
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.parameters import ParameterTable, RunTables
from planalign_orchestrator.parameters.limits import indexing, published_limits
from planalign_orchestrator.parameters.tables import YEARLY
from planalign_orchestrator.parameters.yearly_law import largest_disparity
from tests.companies import PACKAGED

Settings = Mapping[str, object]
Load = Callable[..., dict[str, ParameterTable]]
Row = Mapping[str, str | None]

TO_2030: Settings = {"simulation.end_year": 2030}
FLAT: Settings = {"plan.core.formula": "flat", "plan.core.rate": 0.06}


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads the tables of a minimal configuration with these settings."""

    def load_tables(settings: Settings | None = None) -> dict[str, ParameterTable]:
        path = tmp_path / "c.yaml"
        path.write_text("census: {path: census.csv}\n", encoding="utf-8")
        config = load_simulation_config(path, overrides={**PACKAGED, **(settings or {})})
        return {table.name: table for table in parameters.load_parameters(config).tables}

    return load_tables


def problems_of(load: Load, settings: Settings) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(settings)
    return caught.value.problems


def rows_of(table: ParameterTable) -> list[Row]:
    names = [name for name, _ in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def limits_of(tables: Mapping[str, ParameterTable]) -> dict[int, Row]:
    return {int(row["limit_year"] or 0): row for row in rows_of(tables["irs_limits"])}


def amount(row: Row, name: str) -> Decimal:
    return Decimal(row[name] or 0)


def without_source(table: ParameterTable) -> list[tuple[str | None, ...]]:
    return [row[:-1] for row in table.rows]


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "unrounded", "published"),
    [
        ("elective_deferral_limit", 24_682, 24_500),
        ("catch_up_limit", 8_227, 8_000),
        ("super_catch_up_limit", 11_574, 11_250),
        ("compensation_limit", 364_448, 360_000),
        ("annual_additions_limit", 72_890, 72_000),
        ("hce_threshold", 164_677, 160_000),
        ("key_employee_threshold", 236_891, 235_000),
        ("roth_catch_up_wage_threshold", 153_081, 150_000),
    ],
)
def test_the_rule_reproduces_the_amounts_published_for_2026(name: str, unrounded: int, published: int) -> None:
    rule = indexing()[name]
    amounts = published_limits()[2026].amounts
    assert round(rule.unrounded(amounts[name] or Fraction(0))) == unrounded
    assert rule.rounded(rule.unrounded(amounts[name] or Fraction(0))) == published == amounts[name]


def test_every_limit_has_its_rule() -> None:
    assert max(published_limits()) == 2026
    # the eight of the test above, and the wage base, which follows wages from its last published amount
    assert len(indexing()) == 9
    assert indexing()["social_security_wage_base"].unrounded(Fraction(184_500)) == 184_500


# Unrounded amount of 2026 x 1.025 ** years, then the multiple below it (rule of its section).
PROJECTED = {
    # 25,298.81  25,931.28  26,579.57  27,244.06, multiples of 500
    "elective_deferral_limit": (25_000, 25_500, 26_500, 27_000),
    # 8,432.94  8,643.76  8,859.86  9,081.35, multiples of 500
    "catch_up_limit": (8_000, 8_500, 8_500, 9_000),
    # 11,863.04  12,159.61  12,463.60  12,775.19: 11,250 and the increases 613, 909, 1,213, 1,525 in multiples of 500
    "super_catch_up_limit": (11_750, 11_750, 12_250, 12_750),
    # 373,559.66  382,898.65  392,471.11  402,282.89, multiples of 5,000
    "compensation_limit": (370_000, 380_000, 390_000, 400_000),
    # 74,711.93  76,579.73  78,494.22  80,456.58, multiples of 1,000
    "annual_additions_limit": (74_000, 76_000, 78_000, 80_000),
    # 168,793.80  173,013.64  177,338.98  181,772.46, multiples of 5,000
    "hce_threshold": (165_000, 170_000, 175_000, 180_000),
    # 242,813.78  248,884.12  255,106.22  261,483.88, multiples of 5,000
    "key_employee_threshold": (240_000, 245_000, 255_000, 260_000),
    # 184,500 x 1.035 ** years = 190,957.50  197,641.01  204,558.45  211,717.99, the nearest multiple of 300:
    # 636.53  658.80  681.86  705.73 multiples
    "social_security_wage_base": (191_100, 197_700, 204_600, 211_800),
    # 156,907.78  160,830.47  164,851.23  168,972.51, multiples of 5,000
    "roth_catch_up_wage_threshold": (155_000, 160_000, 160_000, 165_000),
}


def test_later_years_are_projected_from_the_unrounded_amounts(load: Load) -> None:
    limits = limits_of(load(TO_2030))
    assert list(limits) == list(range(2024, 2031))
    assert PROJECTED.keys() == indexing().keys()
    for name, amounts in PROJECTED.items():
        assert [amount(limits[year], name) for year in range(2027, 2031)] == [Decimal(item) for item in amounts], name
    assert [limits[year]["is_projected"] for year in (2024, 2026, 2027)] == ["false", "false", "true"]
    assert limits[2027]["reference"] == "projected from 2026: prices 0.025 a year, wages 0.035 a year"


def test_published_years_are_those_of_their_notices(load: Load) -> None:
    limits = limits_of(load({"simulation.start_year": 2020}))
    # IRS Notice 2018-83 and the Social Security Administration
    assert [amount(limits[2019], name) for name in indexing()] == [
        19_000,
        6_000,
        0,
        280_000,
        56_000,
        125_000,
        180_000,
        132_900,
        0,
    ]
    assert (limits[2019]["super_catch_up_limit"], limits[2025]["super_catch_up_limit"]) == (None, "11250.00")
    assert (limits[2025]["roth_catch_up_wage_threshold"], limits[2026]["roth_catch_up_wage_threshold"]) == (
        None,
        "150000.00",
    )
    assert limits[2025]["reference"] == "IRS Notice 2024-80; SSA"


def test_a_year_before_the_first_published_one_is_an_error(load: Load) -> None:
    (problem,) = problems_of(load, {"simulation.start_year": 2019})
    assert problem == (
        "simulation.start_year = 2019: the statutory limits are known from 2019 on, and those of the year before are "
        "needed too (414(q)); start in 2020 or later"
    )


def test_a_replacement_counts_for_its_year_alone(load: Load) -> None:
    usual = limits_of(load(TO_2030))
    given = {"catch_up_limit": 20_000, "social_security_wage_base": 1_000}
    limits = limits_of(load({**TO_2030, "irs_limits.by_year": {2027: given, 2025: {"catch_up_limit": 7_600.5}}}))
    assert {year: limits[year] for year in limits if year not in (2025, 2027)} == {
        year: usual[year] for year in usual if year not in (2025, 2027)
    }
    assert [limits[2027][name] for name in given] == ["20000.00", "1000.00"]
    assert limits[2027]["hce_threshold"] == usual[2027]["hce_threshold"]
    assert limits[2027]["is_projected"] == "true"
    assert (limits[2027]["reference"] or "").endswith(
        "; irs_limits.by_year for catch_up_limit, social_security_wage_base"
    )
    assert (limits[2025]["catch_up_limit"], limits[2025]["is_projected"]) == ("7600.50", "false")
    assert limits[2025]["source"] == "published; configuration"


def test_a_year_that_is_replaced_as_a_whole_is_no_projection(load: Load) -> None:
    limits = limits_of(load({"irs_limits.by_year": {2027: dict.fromkeys(LIMITS, 200_000)}}))
    assert (limits[2027]["is_projected"], limits[2028]["is_projected"]) == ("false", "true")


@given(inflation=st.integers(-90, 300), wages=st.integers(-90, 300))
def test_no_limit_ever_falls(inflation: int, wages: int) -> None:
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.parameters.limits import yearly_limits

    rates = {"inflation_rate": Decimal(inflation) / 1000, "wage_growth_rate": Decimal(wages) / 1000}
    sections: Any = {"census": {"path": "x"}, "simulation": {"end_year": 2060}, "irs_limits": rates}
    problems: list[str] = []
    limits = yearly_limits(SimulationConfig.model_validate(sections), problems)
    assert problems == []
    for name, rule in indexing().items():
        amounts = [limits[year].amounts[name] or Fraction(0) for year in range(2026, 2061)]
        assert amounts == sorted(amounts)
        assert all((item - amounts[0]) % rule.multiple == 0 for item in amounts)
        if (wages if rule.base is None else inflation) <= 0:
            assert set(amounts) == {amounts[0]}


def run_tables(tables: Mapping[str, ParameterTable]) -> RunTables:
    """Return tables that hold from 2025 on, for the years that they have rates of."""
    yearly = [table for table in tables.values() if table.name in YEARLY]
    held = [table for table in tables.values() if table.name not in YEARLY]
    last = max(int(year or 0) for year in tables["annual_rates"].column("simulation_year"))
    return RunTables(range(2025, last + 1), {2025: tuple(held)}, tuple(yearly))


def test_limits_and_rates_grow_with_the_horizon(load: Load) -> None:
    short, long = run_tables(load({"simulation.end_year": 2026})), run_tables(load(TO_2030))
    assert parameters.fingerprints(short.of_year(2025)) == parameters.fingerprints(long.of_year(2025))
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as planalign")
        parameters.write_parameters(connection, short)
        assert parameters.changed_tables(connection, long, 2026) == []
        parameters.write_years_from(connection, long, 2027)
        assert parameters.changed_tables(connection, long, 2030) == []
        years = connection.execute("select limit_year from planalign.parameters.irs_limits order by all").fetchall()
        assert [year for (year,) in years] == list(range(2024, 2031))


def test_a_changed_limit_of_a_finished_year_is_noticed_and_one_to_come_is_not(load: Load) -> None:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as planalign")
        parameters.write_parameters(connection, run_tables(load(TO_2030)))
        later = run_tables(load({**TO_2030, "irs_limits.by_year.2028": {"catch_up_limit": 9_500}}))
        assert parameters.changed_tables(connection, later, 2027) == []
        assert parameters.changed_tables(connection, later, 2028) == ["irs_limits"]
        parameters.write_years_from(connection, later, 2028)
        assert parameters.changed_tables(connection, later, 2030) == []


# --- what the limits of a year forbid ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "wage_base", "expected"),
    [
        (176_100, 176_100, "0.057"),
        (176_100.01, 176_100, None),
        (176_099.99, 176_100, "0.054"),
        (140_880.01, 176_100, "0.054"),  # 80 % is 140,880
        (140_880, 176_100, "0.043"),
        (35_220.01, 176_100, "0.043"),  # 20 % is 35,220
        (35_220, 176_100, "0.057"),
        (10_000, 40_000, "0.057"),  # 20 % is 8,000, but 10,000 is always low
        (10_000.01, 40_000, "0.043"),
        (0, 176_100, "0.057"),
    ],
)
def test_the_largest_disparity_depends_on_the_level(level: float, wage_base: int, expected: str | None) -> None:
    found = largest_disparity(Fraction(str(level)), Fraction(wage_base))
    assert found == (None if expected is None else Decimal(expected))


def integrated(level: str, disparity: float, **setting: float) -> Settings:
    keys = {f"plan.core.{name}": value for name, value in setting.items()}
    return {**FLAT, "plan.core.integration_level": level, "plan.core.disparity_rate": disparity, **keys}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(
            integrated("wage_base", 0.058),
            "plan.core.disparity_rate = 0.058: 401(l)(2) allows at most 0.057 in 2025, 2026, 2027, 2028, 2029 with "
            "plan.core.integration_level wage_base (in 2025 the wage base is 176100.00); lower the rate",
            id="wage base",
        ),
        pytest.param(
            integrated("percent_of_wage_base", 0.055, integration_percent=0.81),
            "plan.core.disparity_rate = 0.055: 401(l)(2) allows at most 0.054 in 2025, 2026, 2027, 2028, 2029",
            id="above 80 %",
        ),
        pytest.param(
            integrated("percent_of_wage_base", 0.044, integration_percent=0.8),
            "plan.core.disparity_rate = 0.044: 401(l)(2) allows at most 0.043 in 2025",
            id="80 %",
        ),
        pytest.param(
            integrated("percent_of_wage_base", 0.05, integration_percent=1.1),
            "plan.core.integration_percent = 1.1: the integration level is above the Social Security wage base in 2025",
            id="above the wage base",
        ),
        pytest.param(
            # above 176,100 of 2025, below 184,500 of 2026
            integrated("dollars", 0.05, integration_dollars=180_000),
            "plan.core.integration_dollars = 180000: the integration level is above the Social Security wage base in "
            "2025 (in 2025 the wage base is 176100.00), which 401(l)(5)(A)(ii) does not allow",
            id="dollars above the wage base of the first year",
        ),
        pytest.param(
            # 80 % of the wage base: 140,880 in 2025, 147,600 in 2026, 152,880 in 2027
            integrated("dollars", 0.05, integration_dollars=150_000),
            "plan.core.disparity_rate = 0.05: 401(l)(2) allows at most 0.043 in 2027, 2028, 2029 with "
            "plan.core.integration_dollars 150000 (in 2027 the wage base is 191100.00)",
            id="dollars that fall behind",
        ),
    ],
)
def test_disparity_is_checked_in_every_simulated_year(load: Load, settings: Settings, expected: str) -> None:
    (problem,) = problems_of(load, settings)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    "settings",
    [
        integrated("wage_base", 0.057),
        integrated("percent_of_wage_base", 0.057, integration_percent=1),
        integrated("percent_of_wage_base", 0.054, integration_percent=0.81),
        integrated("percent_of_wage_base", 0.043, integration_percent=0.8),
        integrated("percent_of_wage_base", 0.057, integration_percent=0.2),
        integrated("dollars", 0.057, integration_dollars=10_000),
        {**integrated("dollars", 0.05, integration_dollars=150_000), "simulation.end_year": 2026},
        # the year before the first is not simulated
        {**integrated("dollars", 0.05, integration_dollars=170_000)} | {"simulation.end_year": 2026},
    ],
)
def test_permitted_disparity_is_accepted(load: Load, settings: Settings) -> None:
    load(settings)


def test_a_dollar_cap_below_a_safe_harbor_formula(load: Load) -> None:
    # 4 % of the compensation limits 350,000 and 360,000 and 370,000
    cap = {"plan.match.cap_amount": 14_400, "simulation.end_year": 2027}
    (problem,) = problems_of(load, cap)
    assert problem == (
        "plan.match.cap_amount = 14400: is below what `safe_harbor_basic` must be able to pay under 401(k)(12)(B) in "
        "2027 (14800.00 in 2027); remove it or use formula `custom`"
    )
    load({**cap, "simulation.end_year": 2026})
    load({**cap, "plan.match.formula": "simple"})


# --- formulas as rows -------------------------------------------------------------------------------------------------


def test_a_preset_match_is_rows_with_its_name_as_source(load: Load) -> None:
    tables = load({"plan.previous_match.formula": "simple", "plan.previous_match.cap_amount": 4000})
    assert without_source(tables["match_formulas"]) == [
        ("current", "safe_harbor_basic", "safe_harbor", "none", None, None),
        ("previous", "simple", "other", "none", None, "4000"),
    ]
    assert list(tables["match_tiers"].rows) == [
        ("current", "0", None, "1", "0", "0.03", "1", "preset safe_harbor_basic"),
        ("current", "0", None, "2", "0.03", "0.05", "0.5", "preset safe_harbor_basic"),
        ("previous", "0", None, "1", "0", "0.06", "0.5", "preset simple"),
    ]


def test_no_match_has_a_formula_and_no_tiers(load: Load) -> None:
    tables = load({"plan.match.formula": "none"})
    assert without_source(tables["match_formulas"]) == [("current", "none", "none", "none", None, None)]
    assert tables["match_tiers"].rows == ()


def test_tiers_are_numbered_within_their_band(load: Load) -> None:
    tiers = [
        {"from": 10, "lower": 0, "upper": 0.06, "rate": 1},
        {"from": 0, "to": 10, "lower": 0.03, "upper": 0.06, "rate": 0.25},
        {"from": 0, "to": 10, "lower": 0, "upper": 0.03, "rate": 0.50},
    ]
    custom = {"plan.match.formula": "custom", "plan.match.tiers_by": "service", "plan.match.tiers": tiers}
    tables = load({**custom, "plan.match.cap_rate": 0.05})
    assert without_source(tables["match_formulas"]) == [("current", "custom", "other", "service", "0.05", None)]
    assert list(tables["match_tiers"].rows) == [
        ("current", "0", "10", "1", "0", "0.03", "0.5", "configuration"),
        ("current", "0", "10", "2", "0.03", "0.06", "0.25", "configuration"),
        ("current", "10", None, "1", "0", "0.06", "1", "configuration"),
    ]


@pytest.mark.parametrize(
    ("settings", "formula", "tiers"),
    [
        ({}, ("none", "none", "none", "none", None, None, "0"), []),
        (FLAT, ("flat", "other", "none", "none", None, None, "0"), [("0", None, "0.06")]),
        (
            {"plan.core.formula": "safe_harbor_nonelective"},
            ("safe_harbor_nonelective", "safe_harbor", "none", "none", None, None, "0"),
            [("0", None, "0.03")],
        ),
        (
            integrated("percent_of_wage_base", 0.043, integration_percent=0.5),
            ("flat", "other", "none", "percent_of_wage_base", "0.5", None, "0.043"),
            [("0", None, "0.06")],
        ),
        (
            integrated("dollars", 0.043, integration_dollars=100_000),
            ("flat", "other", "none", "dollars", None, "100000", "0.043"),
            [("0", None, "0.06")],
        ),
        (
            {
                "plan.core.formula": "points",
                "plan.core.tiers": [{"from": 50, "rate": 0.04}, {"from": 0, "to": 50, "rate": 0}],
            },
            ("points", "other", "points", "none", None, None, "0"),
            [("0", "50", "0"), ("50", None, "0.04")],
        ),
    ],
)
def test_a_core_contribution_is_rows(load: Load, settings: Settings, formula: object, tiers: object) -> None:
    tables = load(settings)
    assert without_source(tables["core_formulas"]) == [formula]
    assert without_source(tables["core_tiers"]) == tiers


@pytest.mark.parametrize(
    ("setting", "percents"),
    [
        ("immediate", [100]),
        ("cliff_2", [0, 0, 100]),
        ("cliff_3", [0, 0, 0, 100]),
        ("graded_4", [0, 25, 50, 75, 100]),
        ("graded_5", [0, 20, 40, 60, 80, 100]),
        ("graded_6", [0, 0, 20, 40, 60, 80, 100]),
        ([0, 0.5, 1.0], [0, 50, 100]),
    ],
)
def test_vesting_is_rows_by_completed_year(load: Load, setting: object, percents: list[int]) -> None:
    rows = rows_of(load({"plan.vesting.core": setting})["vesting_schedules"])
    core = [row for row in rows if row["contribution_source"] == "core"]
    assert [Decimal(row["vested_rate"] or 0) * 100 for row in core] == percents
    assert [row["years_from"] for row in core] == [str(year) for year in range(len(percents))]
    assert [row["years_to"] for row in core] == [*(str(year) for year in range(1, len(percents))), None]
    assert {row["source"] for row in core} == {f"preset {setting}" if isinstance(setting, str) else "configuration"}
    assert [(row["years_from"], row["years_to"], row["vested_rate"]) for row in rows if row not in core] == [
        ("0", None, "1")
    ]


GROUPS = [
    {"column": "department", "values": [" R & D"]},
    {"column": "employee_class", "values": ["Union"], "collectively_bargained": True},
]


def test_excluded_groups_are_rows_and_levels_must_exist(load: Load) -> None:
    excluded = {"plan.eligibility.excluded_levels": [5, 1], "plan.eligibility.excluded": GROUPS}
    assert without_source(load(excluded)["excluded_groups"]) == [
        ("level", "1", "false"),
        ("level", "5", "false"),
        ("department", "r & d", "false"),
        ("employee_class", "union", "true"),
    ]
    assert problems_of(load, {"plan.eligibility.excluded_levels": [9]}) == [
        "plan.eligibility.excluded_levels: level 9 is not in parameters.job_levels; it has 1, 2, 3, 4, 5"
    ]


# --- tables of participation ------------------------------------------------------------------------------------------


def ages(*bounds: tuple[int, int | None], rate: object = 0.5) -> list[dict[str, object]]:
    names = ("join_rate", "second_chance_rate", "opt_out_rate")
    return [{"age_from": start, "age_to": end, **dict.fromkeys(names, rate)} for start, end in bounds]


def incomes(*bounds: tuple[object, object], value: object = 1) -> list[dict[str, object]]:
    names = ("join_factor", "second_chance_factor", "opt_out_factor")
    return [{"income_from": start, "income_to": end, **dict.fromkeys(names, value)} for start, end in bounds]


def choices(*rows: tuple[object, object, object]) -> list[dict[str, object]]:
    return [dict(zip(("age_from", "income_from", "deferral_rate"), row, strict=True)) for row in rows]


def test_the_default_rates_cover_every_age_and_income(load: Load) -> None:
    rows = without_source(load()["deferral_choice"])
    assert len(rows) == 20
    assert rows[0] == ("0", "0.00", "0.040000")
    assert rows[-1] == ("56", "200000.00", "0.200000")


def test_bands_may_be_cut_otherwise_where_the_rates_follow(load: Load) -> None:
    tables = {
        "parameters.participation_by_age": ages((0, 40), (40, None)),
        "parameters.participation_by_income": incomes((0, "75000.5"), ("75000.50", None)),
    }
    rates = choices((0, 0, 0.05), (0, "75000.50", 0.06), ("40.0", "0.00", 0.07), (40, 75000.5, 0.08))
    assert len(load({**tables, "parameters.deferral_choice": rates})["deferral_choice"].rows) == 4
    unknown, missing = problems_of(load, {**tables, "parameters.deferral_choice": rates[:-1] + choices((56, 0, 0.1))})
    assert unknown == (
        "parameters.deferral_choice: age_from '56', income_from '0.00' is not in participation_by_age and "
        "participation_by_income; it has 0, 40; 0.00, 75000.50"
    )
    assert missing == (
        "parameters.deferral_choice: age_from '40', income_from '75000.50' of participation_by_age and "
        "participation_by_income is missing"
    )


@pytest.mark.parametrize(
    ("table", "rows", "expected"),
    [
        ("participation_by_age", ages((0, None), rate=2), "`join_rate` is 2; it must be at most 1: rates and shares"),
        ("participation_by_age", ages((0, 30), (31, None)), "row 2: age_from is 31, which leaves a gap; it must be 30"),
        (
            "participation_by_income",
            incomes((0, 100), (90, None)),
            "row 2: income_from is 90.00, which leaves an overlap",
        ),
        ("participation_by_income", incomes((0, 100)), "the last row ends at 100.00; leave its income_to blank"),
        ("participation_by_income", incomes((0, None), value=-1), "`join_factor` is -1; it must be 0 or more"),
        ("participation_by_level", [{"level_id": 9, "join_factor": 1}], "level_id '9' is not in job_levels"),
        ("second_chance_by_service", [{"tenure_from": 1, "factor": 1}], "tenure_from is 1, which leaves a gap"),
        ("deferral_choice", choices((0, 0, 6)), "`deferral_rate` is 6; it must be at most 1: rates and shares"),
        ("deferral_choice", choices((0, 0, 0)), "a deferral_rate of 0 is no election; set it above 0"),
        (
            "deferral_choice",
            choices((0, 0, 0.1), (0, 0, 0.2)),
            "age_from 0, income_from 0.00 appears 2 times; once is enough",
        ),
    ],
)
def test_a_table_of_participation_that_cannot_be(load: Load, table: str, rows: object, expected: str) -> None:
    found = problems_of(load, {f"parameters.{table}": rows})
    assert any(problem.startswith(f"parameters.{table}") and expected in problem for problem in found), found


def test_factors_may_exceed_one(load: Load) -> None:
    load(
        {
            "parameters.participation_by_income": incomes(
                (0, 30000), (30000, 50000), (50000, 100000), (100000, 200000), (200000, None), value=3
            )
        }
    )
