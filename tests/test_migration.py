"""The way from the legacy runner: every key accounted for, only certain translations, no file of anybody lost."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planalign_orchestrator.cli import main
from planalign_orchestrator.config import PARAMETER_TABLES, SimulationConfig, load_simulation_config
from planalign_orchestrator.config.keys import known_keys, known_sections
from planalign_orchestrator.config.legacy_keys import legacy_keys
from planalign_orchestrator.config.yaml_lines import Plain, read_yaml
from planalign_orchestrator.database.checkpoint_copies import checkpoint_of, write_checkpoint_file
from planalign_orchestrator.database.checkpoints import read_status
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.migration import MigrationManager
from planalign_orchestrator.migration.draft import NewSetting
from planalign_orchestrator.migration.translation import Translation, translate
from planalign_orchestrator.migration.writing import yaml_text
from tests.companies import Row, person, write_rows
from tests.laboratory import Result
from tests.program import Planalign

LEGACY_FILE = Path(__file__).with_name("legacy_configuration.yaml")
SAMPLE_CENSUS = Path(__file__).parents[1] / "data" / "sample_census.csv"


def flat(tree: Mapping[Any, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """Every key of nested mappings by its dotted name."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def nested(values: Mapping[str, object]) -> dict[str, Any]:
    """Dotted keys as nested mappings."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *sections, name = key.split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[name] = value
    return tree


USUAL = dict(flat(yaml.safe_load(LEGACY_FILE.read_text(encoding="utf-8"))))

TIERS = {
    "basic": [(0, 0.03, 1), (0.03, 0.05, 0.5)],
    "qaca": [(0, 0.01, 1), (0.01, 0.06, 0.5)],
    "own": [(0, 0.02, 0.75), (0.02, 0.08, 0.25)],
}


def legacy_tiers(name: str) -> list[dict[str, object]]:
    return [
        {"tier": number, "employee_min": low, "employee_max": high, "match_rate": rate}
        for number, (low, high, rate) in enumerate(TIERS[name], start=1)
    ]


def match(**formula: object) -> dict[str, object]:
    """The legacy keys of one formula, which is the active one."""
    keys = {f"employer_match.formulas.ours.{name}": value for name, value in formula.items()}
    return {"employer_match.active_formula": "ours", **keys}


@pytest.fixture
def translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, object]], Translation]:
    """Return a function that translates dotted legacy keys, written to old.yaml in the working directory."""
    monkeypatch.chdir(tmp_path)

    def call(values: Mapping[str, object]) -> Translation:
        Path("old.yaml").write_text(yaml.safe_dump(nested(values), sort_keys=False), encoding="utf-8")
        return translate(Path("old.yaml"))

    return call


Translated = Callable[[Mapping[str, object]], Translation]


def loaded(translation: Translation) -> SimulationConfig:
    """The translation, written to new.yaml and loaded from there."""
    assert not translation.problems
    Path("new.yaml").write_text(yaml_text(translation, Path()), encoding="utf-8")
    return load_simulation_config("new.yaml")


def run_program(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_holds_every_legacy_key_and_no_other() -> None:
    assert legacy_keys().keys() == USUAL.keys()


def test_every_row_of_the_table_is_consistent() -> None:
    for row in legacy_keys().values():
        for key in row.new_keys:
            path = tuple(key.split("."))
            assert path in known_keys() or path in known_sections() or path[1] in PARAMETER_TABLES, row
        assert (row.action == "dropped") == (not row.new_keys), row
        assert (row.action == "kept") == (row.new_keys == (row.key,)), row
        assert row.action != "renamed" or len(row.new_keys) == 1, row
        assert row.action in ("dropped", "merged") or not row.same_as_today, row
        assert row.note.endswith("."), row


# --- whole files and single keys --------------------------------------------------------------------------------------


def test_the_usual_configuration_is_translated_and_validates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    new = tmp_path / "config" / "new.yaml"
    assert run_program("migrate", "config", LEGACY_FILE, "-o", new, "--census", SAMPLE_CENSUS) == 0
    report = capsys.readouterr().out
    for key in USUAL:
        assert f" {key} " in report
    assert new.read_text(encoding="utf-8").startswith(f"# Translated from {LEGACY_FILE}")
    assert run_program("validate", "-c", new) == 0
    config = load_simulation_config(new)
    assert config.census.path == SAMPLE_CENSUS
    assert (config.simulation.start_year, config.simulation.end_year) == (2025, 2029)
    assert config.plan.match.formula == "simple"
    assert config.plan.match.hours_gate
    assert config.plan.match.last_day_gate
    assert config.plan.match.last_day_exceptions == ()
    assert (config.plan.core.formula, float(config.plan.core.rate or 0)) == ("flat", 0.01)
    assert float(config.plan.automatic_enrollment.default_deferral_rate) == 0.02
    assert str(config.plan.automatic_enrollment.hire_date_cutoff) == "2020-01-01"
    assert float(config.compensation.promotion.base_increase) == 0.2
    by_age = config.parameters["participation_by_age"]
    assert isinstance(by_age, tuple)
    assert [float(str(row["opt_out_rate"])) for row in by_age] == [0.1, 0.07, 0.05, 0.03]
    assert [float(str(row["join_rate"])) for row in by_age] == [0.24, 0.45, 0.57, 0.65]


def test_every_key_alone_is_translated_and_loads(translated: Translated) -> None:
    for key, value in USUAL.items():
        translation = translated({key: value})
        (outcome,) = translation.outcomes
        assert outcome.key == key
        assert outcome.action in ("kept", "renamed", "merged", "dropped")
        loaded(translation)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(sorted(USUAL)), max_size=120))
def test_any_part_of_the_usual_configuration_loads_or_says_why_not(translated: Translated, keys: set[str]) -> None:
    translation = translated({key: USUAL[key] for key in sorted(keys)})
    assert {outcome.key for outcome in translation.outcomes} == keys
    if not translation.problems:
        assert all("has a problem" not in outcome.note for outcome in translation.outcomes)
        loaded(translation)


def test_a_key_without_a_value_has_its_default(translated: Translated) -> None:
    translation = translated(dict.fromkeys(USUAL))
    assert {outcome.action for outcome in translation.outcomes} == {"dropped"}
    assert loaded(translation).model_fields_set == {"census"} | set(known_fields())


def known_fields() -> set[str]:
    """The sections, which the loader always passes to the model."""
    return {path[0] for path in known_sections() if path}


def test_keys_of_today_are_kept_and_their_paths_followed(translated: Translated) -> None:
    Path("elsewhere").mkdir()
    translation = translated(
        {"scenario_id": "base", "runtime.database": "x/a.duckdb", "census.columns.level_id": "Grade"}
    )
    new = Path("elsewhere/new.yaml")
    new.write_text(yaml_text(translation, new.parent), encoding="utf-8")
    config = load_simulation_config(new)
    assert config.scenario_id == "base"
    assert config.runtime.database == Path("x/a.duckdb")
    assert config.census.columns == {"level_id": "Grade"}
    assert config.census.path == Path("data/census_preprocessed.parquet")
    assert any("names no census" in note for note in translation.notes)


# --- the employer's money ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "preset"),
    [
        pytest.param({"type": "simple", "match_rate": 0.5, "max_match_percentage": 0.06}, "simple", id="simple"),
        pytest.param({"type": "simple", "match_rate": 0.25, "max_match_percentage": 0.12}, "stretch", id="stretch"),
        pytest.param({"type": "safe_harbor", "tiers": legacy_tiers("basic")}, "safe_harbor_basic", id="safe harbor"),
    ],
)
def test_a_formula_that_is_a_preset_becomes_it(
    translated: Translated, formula: Mapping[str, object], preset: str
) -> None:
    section = loaded(translated(match(**formula))).plan.match
    assert (section.formula, section.tiers, section.cap_rate) == (preset, (), None)


@pytest.mark.parametrize(
    ("formula", "tiers", "cap"),
    [
        pytest.param(
            {"type": "simple", "match_rate": 0.4, "max_match_percentage": 0.05}, [(0, 0.05, 0.4)], None, id="simple"
        ),
        pytest.param({"type": "tiered", "tiers": legacy_tiers("own")}, TIERS["own"], None, id="without a cap"),
        # never a safe harbor by accident: its name has consequences in the law
        pytest.param({"type": "tiered", "tiers": legacy_tiers("basic")}, TIERS["basic"], None, id="looks like one"),
        pytest.param(
            {"type": "tiered", "tiers": legacy_tiers("own"), "max_match_percentage": 0.02}, TIERS["own"], 0.02, id="cap"
        ),
        pytest.param(
            {"type": "tiered", "tiers": legacy_tiers("own"), "max_match_percentage": 0.03},
            TIERS["own"],
            None,
            id="cap that never binds",
        ),
    ],
)
def test_other_formulas_become_tiers(
    translated: Translated, formula: Mapping[str, object], tiers: list[tuple[float, float, float]], cap: float | None
) -> None:
    section = loaded(translated(match(**formula))).plan.match
    assert section.formula == "custom"
    assert [(float(tier["lower"]), float(tier["upper"]), float(tier["rate"])) for tier in section.tiers] == tiers
    assert (None if section.cap_rate is None else float(section.cap_rate)) == cap


def test_qaca_takes_its_vesting_along(translated: Translated) -> None:
    keys = match(type="qaca", tiers=legacy_tiers("qaca"), max_match_percentage=0.035, vesting_schedule="qaca_2_year")
    keys["enrollment.auto_enrollment.scope"] = "all_eligible_employees"
    plan = loaded(translated(keys)).plan
    assert (plan.match.formula, plan.vesting.match) == ("qaca", "cliff_2")
    assert plan.automatic_enrollment.scope == "all_eligible"


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        pytest.param(match(type="tiered"), "has no tiers", id="no tiers"),
        pytest.param(match(type="simple", match_rate=0.5), "has no max_match_percentage", id="no limit"),
        pytest.param(match(match_rate=0.5), "has no type", id="no type"),
        pytest.param(match(type="stretchy", match_rate=0.5), "is no type that can be translated", id="type"),
        pytest.param(match(type="safe_harbor", tiers=legacy_tiers("own")), "are not those of", id="no safe harbor"),
        pytest.param(match(type="simple", match_rate=50, max_match_percentage=0.06), "50 % is 0.5", id="percent"),
        pytest.param(
            match(type="simple", match_rate=0.5, max_match_percentage=6),
            "ours.max_match_percentage = 6: must be a rate from 0 to 1; rates are decimals: 6 % is 0.06",
            id="percent as limit",
        ),
        pytest.param(
            match(type="tiered", tiers=[{"employee_min": 0, "employee_max": 3, "match_rate": 1}]),
            "3 % is 0.03",
            id="percent in tiers",
        ),
        pytest.param(
            match(type="tiered", tiers=[{"employee_min": 0, "employe_max": 0.03, "match_rate": 1}]),
            "no employee_max and the unknown employe_max",
            id="column",
        ),
        pytest.param(
            {
                **match(type="safe_harbor", tiers=legacy_tiers("basic")),
                "employer_match.eligibility.minimum_hours_annual": 1000,
            },
            "401(k)(12)(B) gives to every eligible employee",
            id="gate of a safe harbor",
        ),
    ],
)
def test_a_formula_that_cannot_be_translated_is_refused(
    translated: Translated, keys: Mapping[str, object], refused: str
) -> None:
    translation = translated(keys)
    assert refused in "\n".join(translation.problems)
    assert any(outcome.action == "refused" for outcome in translation.outcomes)


SIMPLE = match(type="simple", match_rate=0.5, max_match_percentage=0.06)
GATES = "employer_match.eligibility."


@pytest.mark.parametrize(
    ("gates", "closed"),
    [
        ({"require_active_at_year_end": True}, True),
        ({"require_active_at_year_end": False}, False),
        ({"allow_terminated_new_hires": False}, True),
        ({"allow_terminated_new_hires": True, "allow_experienced_terminations": True}, False),
        (
            {
                "require_active_at_year_end": True,
                "allow_terminated_new_hires": True,
                "allow_experienced_terminations": True,
            },
            False,
        ),
    ],
)
def test_the_last_day_gate_says_who_of_the_leavers_is_paid(
    translated: Translated, gates: Mapping[str, bool], closed: bool
) -> None:
    section = loaded(translated({**SIMPLE, **{GATES + name: value for name, value in gates.items()}})).plan.match
    assert section.last_day_gate is closed
    assert section.last_day_exceptions == (() if closed else ("retirement", "age_55"))


@pytest.mark.parametrize(
    ("gates", "refused"),
    [
        ({"allow_terminated_new_hires": True, "allow_experienced_terminations": False}, "one gate holds for all"),
        ({"require_active_at_year_end": True, "allow_experienced_terminations": True}, "one gate holds for all"),
        ({"require_active_at_year_end": False, "allow_experienced_terminations": False}, "one gate holds for all"),
        ({"minimum_hours_annual": 500}, "1,000 hours a year or none"),
        ({"minimum_tenure_years": 2, "allow_new_hires": True}, "nobody is exempt"),
        ({"minimum_tenure_years": 0, "allow_new_hires": False}, "kept out by service alone"),
        ({"minimum_tenure_years": "two"}, "is not a number"),
        ({"allow_new_hires": "no one"}, "must be true or false"),
    ],
)
def test_gates_without_an_equivalent_are_refused(
    translated: Translated, gates: Mapping[str, object], refused: str
) -> None:
    translation = translated({**SIMPLE, **{GATES + name: value for name, value in gates.items()}})
    assert refused in "\n".join(translation.problems)


def test_gates_that_were_not_applied_are_not_translated(translated: Translated) -> None:
    keys = {**SIMPLE, "employer_match.apply_eligibility": False, f"{GATES}minimum_hours_annual": 1000}
    assert not loaded(translated(keys)).plan.match.hours_gate


CORE = "employer_core_contribution."
SCHEDULE: list[dict[str, object]] = [
    {"service_years_min": 0, "service_years_max": 2, "contribution_rate": 0.01},
    {"service_years_min": 3, "service_years_max": None, "contribution_rate": 0.03},
]


def test_a_graded_core_is_paid_by_service(translated: Translated) -> None:
    core = loaded(translated({f"{CORE}status": "graded_by_service", f"{CORE}graded_schedule": SCHEDULE})).plan.core
    assert core.formula == "service"
    assert [(tier["from"], tier.get("to"), float(tier["rate"])) for tier in core.tiers] == [
        (0, 3, 0.01),
        (3, None, 0.03),
    ]


def test_an_integrated_core_is_integrated_at_the_wage_base(translated: Translated) -> None:
    keys = {
        f"{CORE}status": "flat",
        f"{CORE}contribution_rate": 0.04,
        f"{CORE}integration.enabled": True,
        f"{CORE}integration.level_mode": "ss_wage_base",
        f"{CORE}integration.disparity_rate": 0.03,
    }
    core = loaded(translated(keys)).plan.core
    assert (core.formula, core.integration_level, float(core.disparity_rate or 0)) == ("flat", "wage_base", 0.03)


def test_a_disabled_core_is_none(translated: Translated) -> None:
    keys = {f"{CORE}enabled": False, f"{CORE}status": "flat", f"{CORE}contribution_rate": 0.04}
    assert loaded(translated(keys)).plan.core.formula == "none"


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        pytest.param(
            {"graded_schedule": [{**SCHEDULE[0], "service_years_max": 1}, SCHEDULE[1]]}, "begins at 3", id="gap"
        ),
        pytest.param({"graded_schedule": SCHEDULE[:1]}, "there is no next one", id="closed end"),
        pytest.param({"status": "by_points", "contribution_rate": 0.01}, "is no status", id="status"),
        pytest.param({"status": "flat", "contribution_rate": 3}, "3 % is 0.03", id="percent"),
        pytest.param(
            {
                "status": "flat",
                "contribution_rate": 0.04,
                "integration.enabled": True,
                "integration.level_mode": "half_wage_base",
            },
            "is no level",
            id="level",
        ),
    ],
)
def test_a_core_that_cannot_be_translated_is_refused(
    translated: Translated, keys: Mapping[str, object], refused: str
) -> None:
    stated = {"status": "graded_by_service", **keys}
    translation = translated({CORE + name: value for name, value in stated.items()})
    assert refused in "\n".join(translation.problems)


# --- other rules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "new_key", "value"),
    [
        ({"compensation.promotion_compensation.distribution_type": "deterministic"}, "increase_spread", 0),
        ({"enrollment.proactive_enrollment.enabled": False}, "automatic_enrollment_factor", 0),
        ({"enrollment.voluntary_enrollment.deferral_rates.match_optimization": False}, "ceiling_share", 0),
        ({"new_hire_compensation.percentile_strategy.variance_enabled": False}, "pay_noise_sd", 0),
        ({"deferral_match_response.downward_enabled": False}, "decrease_response_rate", 0),
        ({"deferral_match_response.upward_partial_increase_rate": 0.25}, "increase_full_share", 0.75),
        ({"eligibility.waiting_period_days": 90}, "service_unit", "days"),
        ({"deferral_rates.census_rate_field": "Rate"}, "employee_deferral_rate", "Rate"),
    ],
)
def test_a_switch_becomes_the_value_that_does_the_same(
    translated: Translated, keys: Mapping[str, object], new_key: str, value: object
) -> None:
    translation = translated(keys)
    loaded(translation)
    values = {path[-1]: new.value for path, new in translation.settings.items()}
    found = values[new_key]
    assert (found if isinstance(value, str) else float(str(found))) == value


def test_hires_pay_is_the_table_of_percentiles_and_market_factors(translated: Translated) -> None:
    section = "new_hire_compensation."
    keys = {
        f"{section}percentile_strategy.default_percentile": 0.25,
        f"{section}percentile_strategy.level_overrides.2": 0.6,
        f"{section}market_adjustments.base_adjustment": 1.1,
        f"{section}market_adjustments.level_adjustments.3": 0.9,
    }
    table = loaded(translated(keys)).parameters["new_hire_pay"]
    assert isinstance(table, tuple)
    rows = [(row["level_id"], float(str(row["percentile"])), float(str(row["market_factor"]))) for row in table]
    assert rows == [(1, 0.25, 1.122), (2, 0.6, 1.1), (3, 0.25, 0.99), (4, 0.25, 1.155), (5, 0.25, 1.21)]


def test_conversion_that_is_off_gives_no_second_chance(translated: Translated) -> None:
    table = loaded(translated({"enrollment.year_over_year_conversion.enabled": False})).parameters
    rows = table["participation_by_age"]
    assert isinstance(rows, tuple)
    assert {row["second_chance_rate"] for row in rows} == {0}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"workforce.total_termination_rate": 12}, "rates are decimals: 12 % is 0.12"),
        ({"compensation.cola_rate": 50}, "50 % is 0.5"),
        ({"deferral_rates.plan_deferral_cap": 75}, "75 % is 0.75"),
        ({"new_hire_compensation.percentile_strategy.level_overrides.1": 30}, "30 % is 0.3"),
        ({"enrollment.auto_enrollment.opt_out_rates.by_age.young": "5%"}, "write 0.05"),
        ({"deferral_auto_escalation.increment_amount": 5}, "5 % is 0.05"),
        ({"raise_timing.methodology": "legacy"}, "must be `realistic`, `fixed` or `anniversary`"),
        ({"plan_eligibility.minimum_age": 25}, "410(a)(1)(A)(i)"),
        (
            {"eligibility.waiting_period_days": 30, "plan_eligibility.waiting_period_days": 60},
            "contradicts `plan_eligibility.waiting_period_days`",
        ),
        (
            {
                "deferral_match_response.upward_maximize_rate": 0.6,
                "deferral_match_response.upward_partial_increase_rate": 0.3,
            },
            "does not add up to 1",
        ),
        ({"setup.census_parquet_path": "a.parquet", "census.path": "b.csv"}, "contradicts"),
    ],
)
def test_a_value_that_is_not_certain_is_refused_with_its_line(
    translated: Translated, keys: Mapping[str, object], said: str
) -> None:
    translation = translated(keys)
    assert any(problem.startswith("old.yaml:") and said in problem for problem in translation.problems)


def test_a_dropped_value_says_whether_results_may_differ(translated: Translated) -> None:
    keys = {"plan_year.start_date": "2024-01-01", "plan_year.end_date": "2024-06-30"}
    assert [outcome.differs for outcome in translated(keys).outcomes] == [False, True]


# --- unknown keys and the command -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "contribution", "columns", "told"),
    [
        ("true", "0.05", {"plan_eligible_override", "employee_deferral_rate"}, "is read as employee_deferral_rate"),
        ("", "3000", {"plan_eligible_override"}, "of amounts a year employee_contribution / employee_gross_comp"),
        ("maybe", "0.05", {"employee_deferral_rate"}, "eligibility_override of the census is not true or false"),
    ],
    ids=["rates", "amounts", "no truth values"],
)
def test_legacy_columns_of_the_census_are_mapped_where_they_hold_the_same(
    tmp_path: Path, override: str, contribution: str, columns: set[str], told: str
) -> None:
    rows: list[Row] = [
        {**person(f"P{n}"), "eligibility_override": override if n % 2 else "", "employee_contribution": contribution}
        for n in range(6)
    ]
    old = tmp_path / "old.yaml"
    old.write_text("simulation: {start_year: 2025}\n", encoding="utf-8")
    translation = translate(old, write_rows(tmp_path / "census.csv", rows))
    assert {path[-1] for path in translation.settings if path[:2] == ("census", "columns")} == columns
    assert any(told in note for note in translation.notes)
    new = tmp_path / "new.yaml"
    new.write_text(yaml_text(translation, tmp_path), encoding="utf-8")
    assert set(load_simulation_config(new).census.columns) == columns


def test_a_census_of_today_is_left_alone_and_the_structure_is_said(tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text("simulation: {start_year: 2025}\n", encoding="utf-8")
    rows = [{**person("A"), "employee_deferral_rate": "0.04", "employee_contribution": "2400"}]
    translation = translate(old, write_rows(tmp_path / "census.csv", rows))
    assert not any(path[:2] == ("census", "columns") for path in translation.settings)
    assert any("workforce.structure: rates is nearer to what it did" in note for note in translation.notes)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"none")
    assert any("cannot be read, so that its columns" in note for note in translate(old, broken).notes)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("compensation.cola_rates", "compensation.cola_rate"),
        ("enrollment.auto_enrollment.window_day", "enrollment.auto_enrollment.window_days"),
        ("plan.match.formulla", "plan.match.formula"),
        ("setup.random_seed", "simulation.random_seed"),
        ("employer_match.formulas.simple_match.match_rat", "employer_match.formulas.simple_match.match_rate"),
    ],
)
def test_an_unknown_key_stops_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str, meant: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(yaml.safe_dump(nested({key: 1})), encoding="utf-8")
    assert run_program("migrate", "config", "old.yaml", "-o", "new.yaml") == 2
    said = capsys.readouterr()
    assert f"did you mean `{meant}`?" in said.err
    assert key in said.out
    assert not Path("new.yaml").exists()


@pytest.mark.parametrize("section", ["setup", "enrollment", "plan.vesting", "employer_match.formulas.ours"])
def test_a_section_that_holds_a_value_is_refused(translated: Translated, section: str) -> None:
    (problem,) = translated({section: 5}).problems
    assert problem.endswith(f"{section}: is a section; write its keys below it, indented")


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        pytest.param({"cola_rate": 0.01, "cola_rate_by_year.2026": 0.03}, ["0.01", "0.03", "0.01"], id="one year"),
        pytest.param(
            {"cola_rate_by_year.2026": 0.03, "cola_rate_by_year.2027": 0.04}, ["0.02", "0.03", "0.04"], id="two years"
        ),
        pytest.param(
            {"cola_rate_by_year.2025": 0.03, "cola_rate_by_year.2027": 0.04}, ["0.03", "0.02", "0.04"], id="with a gap"
        ),
    ],
)
def test_rates_by_year_become_changes(translated: Translated, given: Mapping[str, object], rates: list[str]) -> None:
    years = {"simulation.start_year": 2025, "simulation.end_year": 2027}
    translation = translated(years | {f"compensation.{key}": value for key, value in given.items()})
    config = loaded(translation)
    assert [str(config.of_year(year).compensation.cola_rate) for year in (2025, 2026, 2027)] == rates
    by_year = [outcome for outcome in translation.outcomes if "by_year" in outcome.key]
    assert all(outcome.action == "renamed" and outcome.new_keys[0] in yaml_keys() for outcome in by_year)


def test_a_rate_of_a_year_that_is_none_is_refused_at_its_line(translated: Translated) -> None:
    (problem,) = translated({"compensation.cola_rate_by_year.2026": 3}).problems
    assert problem.startswith("old.yaml:3: ")
    assert "changes.2026.compensation.cola_rate = 3: from 2026 on: must be a rate from 0 to 1" in problem


def yaml_keys() -> set[str]:
    """The dotted keys of new.yaml."""
    return {key for key, _ in flat(yaml.safe_load(Path("new.yaml").read_text(encoding="utf-8")))}


def test_an_unknown_key_without_a_value_loses_nothing(translated: Translated) -> None:
    translation = translated({"compensation.colour": None, "compensation.cola_rate": 0.01})
    loaded(translation)
    assert [outcome.action for outcome in translation.outcomes] == ["unknown", "kept"]


def test_a_file_is_replaced_on_request_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text("simulation: {random_seed: 7}\n", encoding="utf-8")
    Path("new.yaml").write_text("mine\n", encoding="utf-8")
    assert run_program("migrate", "config", "old.yaml", "-o", "new.yaml") == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert Path("new.yaml").read_text(encoding="utf-8") == "mine\n"
    assert run_program("migrate", "config", "old.yaml", "-o", "old.yaml", "--force") == 2
    assert Path("old.yaml").read_text(encoding="utf-8") == "simulation: {random_seed: 7}\n"
    assert run_program("migrate", "config", "old.yaml", "-o", "new.yaml", "--force") == 0
    assert load_simulation_config("new.yaml").simulation.random_seed == 7


def test_a_terminal_gets_a_paragraph_for_each_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text("plan_eligibility: {minimum_age: 20}\n", encoding="utf-8")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run_program("migrate", "config", "old.yaml") == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "   1  plan_eligibility.minimum_age = 20"
    assert second.startswith("      renamed to plan.eligibility.deferral.minimum_age. Age before deferrals")


def test_the_report_is_also_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text("compensation: {cola_rate: 3}\nstorage: {max_runs_per_scenario: 3}\n", encoding="utf-8")
    assert run_program("migrate", "config", "old.yaml", "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert [key["action"] for key in document["keys"]] == ["refused", "dropped"]
    assert document["written"] is None
    assert len(document["problems"]) == 1
    Path("old.yaml").write_text("compensation: {cola_rate: 0.03}\n", encoding="utf-8")
    assert run_program("migrate", "config", "old.yaml", "--json", "-o", "new.yaml") == 0
    assert json.loads(capsys.readouterr().out)["written"] == "new.yaml"


@pytest.mark.parametrize("text", ["", "- 1\n", "a: b: c\n", "a: 1\na: 2\n"])
def test_a_file_that_is_no_configuration_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"old\.yaml"):
        translate(path)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029\ufeff")))
def test_a_text_is_written_so_that_it_is_read_as_itself(text: str) -> None:
    translation = Translation(Path("old.yaml"), (), {("scenario_id",): NewSetting(text, ())}, (), ())
    root, oddities = read_yaml(yaml_text(translation, Path()))
    assert root is not None
    read: Plain = root.plain()
    assert (read, oddities) == ({"scenario_id": text}, [])


# --- legacy keys where a configuration is expected --------------------------------------------------------------------


def test_loading_a_legacy_file_says_what_replaces_each_key(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_bytes(LEGACY_FILE.read_bytes())
    with pytest.raises(ConfigurationError) as caught:
        load_simulation_config(path)
    hint, *problems = caught.value.problems
    assert f"planalign migrate config {path} -o NEW.yaml" in hint
    retired = [row for row in legacy_keys().values() if row.action != "kept"]
    assert len(problems) == len(retired)
    for row, problem in zip(retired, problems, strict=True):
        assert f"{row.key}: {row.sentence}" in problem


def test_a_mistake_among_legacy_keys_is_still_named(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text("setup: {clear_mode: year, cleer_mode: all}\nsimulation: {start_yaer: 2025}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_simulation_config(path)
    said = "\n".join(caught.value.problems)
    assert "setup.clear_mode: is a key of the legacy runner" in said
    assert "cleer_mode" in said
    assert "did you mean `start_year`?" in said


def test_an_override_with_a_legacy_key_says_what_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("census: {path: c.csv}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"now `plan\.escalation\.cap`") as caught:
        load_simulation_config(path, overrides=["deferral_auto_escalation.maximum_rate=0.1"])
    assert len(caught.value.problems) == 1


@pytest.mark.process
def test_a_configuration_of_today_does_not_read_the_table() -> None:
    code = (
        "import sys\nfrom planalign_orchestrator.config import load_simulation_config\nload_simulation_config()\n"
        "sys.exit('planalign_orchestrator.migration' in sys.modules)"
    )
    root = LEGACY_FILE.parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    assert subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=False).returncode == 0


# --- checkpoint files -------------------------------------------------------------------------------------------------


@pytest.fixture
def copies(sample_run: Result, tmp_path: Path) -> Path:
    """Return a folder with the checkpoint copies of `sample_run`, without its database."""
    folder = tmp_path / ".navigator_checkpoints"
    for row in read_status(sample_run.database).checkpoints:
        write_checkpoint_file(folder, checkpoint_of(row, "simulation.duckdb"))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_missing_folder_is_nothing_to_do(tmp_path: Path) -> None:
    manager = MigrationManager(tmp_path / "none")
    assert manager.migrate_checkpoints().success
    assert manager.list_checkpoints() == []
    assert not (tmp_path / "none").exists()


def test_stale_files_are_moved_and_ours_are_kept(copies: Path) -> None:
    ours = contents(copies)
    stale = {
        "year_2030.json": b'{"year": 2030, "stage": "cleanup", "state_hash": "x"}',
        "year_2031.json": next(iter(ours.values()))[:200],
        "year_2032.json": next(iter(ours.values())),
        "year_2033.json": b"\xff\xfe",
        "year_2034.json": b"[1]",
        "latest_checkpoint.json": b"{}",
        "year_2025.checkpoint.gz": b"\x1f\x8b",
    }
    for name, content in stale.items():
        (copies / name).write_bytes(content)
    (copies / "notes.txt").write_bytes(b"mine")
    result = MigrationManager(copies).migrate_checkpoints()
    assert (result.success, result.error) == (True, None)
    assert contents(copies) == {
        **ours,
        "notes.txt": b"mine",
        **{f"legacy/{name}": content for name, content in stale.items()},
    }
    for name in stale:
        assert any(step.startswith(f"moved {name} to legacy/{name}: ") for step in result.completed_steps)
    again = MigrationManager(copies).migrate_checkpoints()
    assert again.completed_steps == (f"kept 5 checkpoint copies in {copies}",)


def test_a_second_file_of_a_name_replaces_nothing(copies: Path) -> None:
    for content in ("a", "b", "c"):
        (copies / "year_1999.json").write_text(content, encoding="utf-8")
        assert MigrationManager(copies).migrate_checkpoints().success
    moved = {path.read_text(encoding="utf-8") for path in (copies / "legacy").iterdir()}
    assert moved == {"a", "b", "c"}


def test_copies_that_the_database_contradicts_are_moved(copies: Path, sample_run: Result) -> None:
    (copies.parent / "simulation.duckdb").symlink_to(sample_run.database)
    rows = read_status(sample_run.database).checkpoints
    other_run = replace(checkpoint_of(rows[1], "simulation.duckdb"), run_id="another")
    no_year = replace(checkpoint_of(rows[1], "simulation.duckdb"), simulation_year=2040)
    write_checkpoint_file(copies, other_run)
    write_checkpoint_file(copies, no_year)
    assert MigrationManager(copies).migrate_checkpoints().success
    assert {path.name for path in (copies / "legacy").iterdir()} == {"year_2026.json", "year_2040.json"}
    listed = [item["simulation_year"] for item in MigrationManager(copies).list_checkpoints()]
    assert listed == [2025, 2027, 2028, 2029]


def test_copies_of_an_older_database_that_is_gone_are_moved(copies: Path, sample_run: Result) -> None:
    row = read_status(sample_run.database).checkpoints[0]
    old = replace(checkpoint_of(row, "old.duckdb"), simulation_year=2020, completed_at="2020-01-01T00:00:00")
    write_checkpoint_file(copies, old)
    assert MigrationManager(copies).migrate_checkpoints().success
    assert [path.name for path in (copies / "legacy").iterdir()] == ["year_2020.json"]


def test_copies_are_kept_when_their_database_cannot_be_read(copies: Path) -> None:
    (copies.parent / "simulation.duckdb").write_text("no database", encoding="utf-8")
    result = MigrationManager(copies).migrate_checkpoints()
    assert result.success
    assert "without comparing them" in result.completed_steps[0]
    assert len(MigrationManager(copies).list_checkpoints()) == 5


def test_a_file_that_cannot_be_moved_is_reported(copies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copies / "year_1999.json").write_text("{}", encoding="utf-8")
    (copies / "legacy").write_text("a file where the folder would be", encoding="utf-8")
    result = MigrationManager(copies).migrate_checkpoints()
    assert not result.success
    assert "legacy" in str(result.error)
    assert (copies / "year_1999.json").exists()
    assert run_program("migrate", "checkpoints", "--directory", copies) == 1
    assert "nothing was lost" in capsys.readouterr().err


def test_unreadable_checkpoints_are_listed_as_such(copies: Path) -> None:
    (copies / "year_2025.json").write_text("{", encoding="utf-8")
    first, *others = MigrationManager(copies).list_checkpoints()
    assert first["file"] == "year_2025.json"
    assert "half of one" in first["error"]
    assert [other["simulation_year"] for other in others] == [2026, 2027, 2028, 2029]


def test_the_command_says_what_it_moved(copies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copies / "year_1999.json").write_text("{}", encoding="utf-8")
    assert run_program("migrate", "checkpoints", "--directory", copies, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["success"] is True
    assert document["completed_steps"][0].startswith("moved year_1999.json")
    assert run_program("migrate", "checkpoints", "--directory", copies) == 0
    assert "kept 5 checkpoint copies" in capsys.readouterr().out


# --- compatibility ----------------------------------------------------------------------------------------------------


def test_compatibility_names_every_problem_of_a_legacy_file() -> None:
    report = MigrationManager().validate_config_compatibility(LEGACY_FILE)
    assert report["compatible"] is False
    assert any("planalign migrate config" in problem for problem in report["problems"])


def test_compatibility_of_a_configuration_of_today() -> None:
    path = LEGACY_FILE.parents[1] / "config" / "simulation_config.yaml"
    assert MigrationManager(checkpoints_dir="x").validate_config_compatibility(str(path)) == {
        "compatible": True,
        "problems": [],
        "has_identifiers": True,
        "simulation_years": (2025, 2029),
    }


@pytest.mark.process
def test_the_manager_imports_nothing_heavy() -> None:
    code = (
        "import sys\nimport planalign_orchestrator.migration\n"
        "sys.exit(str([name for name in ('duckdb', 'pydantic', 'yaml', 'rich') if name in sys.modules] or ''))"
    )
    environment = {**os.environ, "PYTHONPATH": str(LEGACY_FILE.parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


# --- values of the wrong kind ---------------------------------------------------------------------------------------

ODD_VALUES = [
    [], [1, 2], ["a", ["b"]], {}, {"a": 1}, {1: 2}, {None: 1}, {"a": {"b": [1]}}, None, dt.date(2024, 1, 5),
    dt.datetime(2024, 1, 5, 10, tzinfo=dt.UTC), 10**60, 1e300, float("nan"), float("inf"), True, False, "", "x",
    "\x1b[31m", "\u202e", -1, 0, 1, 0.5, "1", "2025", [{"employee_min": "a", "employee_max": 1, "match_rate": 1}],
    [{}], [None], [[]], [{1: 2}], b"bytes", {"set"},
]  # fmt: skip
ODDLY = st.recursive(
    st.sampled_from(ODD_VALUES) | st.floats() | st.integers() | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def translate_or_refuse(path: Path) -> None:
    """Translate, which may be refused in words only; the result can be shown and, without problems, be written."""
    refusals: list[str] = []
    try:
        found = translate(path)
    except ConfigurationError as error:
        refusals = error.problems
    else:
        assert len(found.problems) >= sum(item.action == "refused" for item in found.outcomes)
        assert json.dumps(found.to_dict())
        if not found.problems:
            assert yaml_text(found, path.parent)
    assert all(re.match(rf"{re.escape(str(path))}(:\d+)?: ", refusal) for refusal in refusals)


KEYS = (*legacy_keys(), "runtime.threads", "plan.match.tiers", "validation.rules")
# each key gets every twelfth value, the next key those after them
STEP = 12


def translate_or_refuse_each(folder: Path, key: str, values: Iterable[object]) -> None:
    path = folder / "old.yaml"
    for value in values:
        path.write_text(yaml.dump(nested({key: value}), allow_unicode=False), encoding="utf-8")
        translate_or_refuse(path)


@pytest.mark.parametrize(("number", "key"), [*enumerate(KEYS)], ids=KEYS)
def test_a_value_of_any_kind_is_translated_or_refused_at_each_legacy_key(tmp_path: Path, number: int, key: str) -> None:
    translate_or_refuse_each(tmp_path, key, ODD_VALUES[number % STEP :: STEP])


@pytest.mark.soak
@pytest.mark.parametrize("key", KEYS)
def test_every_value_is_translated_or_refused_at_each_legacy_key(tmp_path: Path, key: str) -> None:
    translate_or_refuse_each(tmp_path, key, ODD_VALUES)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.sampled_from([*USUAL, *legacy_keys()]), ODDLY, max_size=8))
def test_odd_values_among_usual_ones_are_translated_or_refused(tmp_path: Path, values: dict[str, object]) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(yaml.dump(nested({**USUAL, **values})), encoding="utf-8")
    translate_or_refuse(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 5000), junk=st.binary(min_size=1, max_size=6))
def test_a_file_with_any_bytes_in_it_is_translated_or_refused(tmp_path: Path, at: int, junk: bytes) -> None:
    content = LEGACY_FILE.read_bytes()
    path = tmp_path / "old.yaml"
    path.write_bytes(content[:at] + junk + content[at + len(junk) :])
    translate_or_refuse(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("simulation.random_seed", [42]),
        ("simulation.start_year", {"a": 1}),
        ("workforce.total_termination_rate", ["0.12"]),
        ("employer_match.active_formula", ["simple"]),
        ("setup.census_parquet_path", [1]),
        ("new_hire_compensation.percentile_strategy.default_percentile", [0.5]),
        ("enrollment.auto_enrollment.scope", ["all"]),
    ],
)
def test_a_list_where_a_scalar_belongs_is_told_with_line_key_and_value(
    planalign: Planalign, tmp_path: Path, key: str, value: object
) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(f"# a comment\n{yaml.dump(nested({key: value}), default_flow_style=None)}", encoding="utf-8")
    done = planalign("migrate", "config", path)
    assert done.code == 2
    assert "unexpected" not in done.err
    assert re.search(rf"old\.yaml:\d+: .*{re.escape(key)}", done.err)
