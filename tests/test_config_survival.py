"""What no run survives is refused before it begins, and what overflows all the same says where and what to look at."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from planalign_orchestrator.cli import main
from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.database import checkpoints
from planalign_orchestrator.errors import CensusError, ConfigurationError, DatabaseError, PipelineStageError
from planalign_orchestrator.parameters import load_parameters
from tests.companies import configure, people, write_rows
from tests.laboratory import simulate


def refusal(folder: Path, overrides: Mapping[str, object]) -> str:
    """What is wrong with a configuration of five people, by itself or with its parameter tables."""
    with pytest.raises(ConfigurationError) as caught:
        load_parameters(configure(folder, people(5), overrides))
    return str(caught.value)


def written(folder: Path, text: str) -> Path:
    (folder / "config.yaml").write_text(f"census: {{path: census.csv}}\n{text}", encoding="utf-8")
    return folder / "config.yaml"


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["50MB", "64MB", "0.05GB", "63.9 MiB", "65535KiB", "0.00005TiB", "1kb"])
def test_too_little_memory_is_refused(tmp_path: Path, text: str) -> None:
    refused = refusal(tmp_path, {"runtime.memory_limit": text})
    assert f"runtime.memory_limit = {text}: is " in refused
    assert "with which nothing can be simulated; it must be at least 64MiB" in refused


@pytest.mark.parametrize("text", ["64", "64M", "1%", "-1", "none", "lots", "0MB", "1e3MB"])
def test_what_is_no_amount_of_memory_is_refused(tmp_path: Path, text: str) -> None:
    assert "must be an amount of memory such as 4GB or 512MiB" in refusal(tmp_path, {"runtime.memory_limit": text})


def test_more_memory_than_there_can_be_is_refused(tmp_path: Path) -> None:
    assert "is more than the 1024TiB that can be used" in refusal(tmp_path, {"runtime.memory_limit": "99999999TB"})


@pytest.mark.model
@pytest.mark.parametrize("text", ["64MiB", "67.2MB", "64 mib", "0.0625GiB", "65536KiB"])
def test_the_least_memory_is_enough_for_a_few_people(tmp_path: Path, text: str) -> None:
    assert simulate(tmp_path, people(20), {"runtime.memory_limit": text}).verdicts().keys() == {2025}


@pytest.mark.model
def test_people_who_do_not_fit_into_the_memory_end_the_run_in_words(
    tmp_path: Path, generated: Callable[[int], Path]
) -> None:
    with pytest.raises(DatabaseError, match=r"out of memory; raise runtime\.memory_limit or use a larger machine"):
        simulate(tmp_path, generated(5000), {"runtime.memory_limit": "64MiB", "simulation.end_year": 2029})


# --- people -----------------------------------------------------------------------------------------------------------


def test_more_hires_than_ten_times_the_headcount_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "workforce:\n  total_termination_rate: 0.5\n  new_hire_termination_rate: 0.95\n")
    with pytest.raises(ConfigurationError) as caught:
        load_simulation_config(file)
    assert str(caught.value).startswith(
        f"configuration problem: {file}:4: workforce.new_hire_termination_rate = 0.95: the hires of a year would be "
        "(target_growth_rate 0.03 + total_termination_rate 0.5) / (1 - new_hire_termination_rate 0.95) = 10.6 times "
        "the headcount, and at most 10 times can be simulated; lower one of the three"
    )


@pytest.mark.model
def test_ten_times_the_headcount_can_be_hired(tmp_path: Path) -> None:
    rates = {"simulation.target_growth_rate": 0, "workforce.total_termination_rate": 1}
    result = simulate(tmp_path, people(20), {**rates, "workforce.new_hire_termination_rate": 0.9})
    assert result.metrics(2025)["hires"] == 200


# --- the law ----------------------------------------------------------------------------------------------------------


def test_annual_additions_below_deferrals_are_refused_with_their_place(tmp_path: Path) -> None:
    limits = "irs_limits:\n  by_year:\n    2026: {annual_additions_limit: 20000}\n    2027:\n"
    file = written(tmp_path, f"{limits}      elective_deferral_limit: 900000\n      catch_up_limit: 1\n")
    with pytest.raises(ConfigurationError) as caught:
        load_parameters(load_simulation_config(file))
    first, second = caught.value.problems
    assert first == (
        f"{file}:4: irs_limits.by_year.2026: annual_additions_limit 20000.00 is below elective_deferral_limit "
        "24500.00, but deferrals count towards 415(c); change one of them"
    )
    assert second.startswith(f"{file}:5: irs_limits.by_year.2027: annual_additions_limit ")


@pytest.mark.model
def test_equal_limits_are_survived(tmp_path: Path) -> None:
    limits = {"annual_additions_limit": 10_000, "elective_deferral_limit": 10_000}
    rows = [{**usual, "employee_gross_compensation": 200_000, "employee_deferral_rate": 0.5} for usual in people(20)]
    assert simulate(tmp_path, rows, {"irs_limits.by_year": {2025: limits}}).verdicts().keys() == {2025}


# --- money ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {
                "compensation.structure_increase_rate": None,
                "compensation.cola_rate": 1,
                "simulation.end_year": 2045,
            },
            "cola_rate, with its changes, in the years 2026-2045 multiplies",
        ),
        (
            {
                "compensation.structure_increase_rate": None,
                "changes": {2030: {"compensation": {"cola_rate": 1}}},
                "simulation.end_year": 2050,
            },
            "cola_rate, with its changes, in the years 2026-2050 multiplies",
        ),
        (
            {"compensation.structure_increase_rate": 0.5, "simulation.end_year": 2060},
            "structure_increase_rate, with its changes, in the years 2026-2060 multiplies amounts by 1,456,110, and",
        ),
        (
            {"irs_limits.inflation_rate": 1, "simulation.end_year": 2055},
            "irs_limits.inflation_rate = 1: the projected compensation_limit of 2055 is 195,661,768,835,000 US dollars",
        ),
        (
            {"irs_limits.wage_growth_rate": 1, "simulation.end_year": 2064},
            "irs_limits.wage_growth_rate = 1: the projected social_security_wage_base of 2062 is ",
        ),
    ],
)
def test_growth_that_overflows_for_certain_is_refused(
    tmp_path: Path, settings: Mapping[str, object], message: str
) -> None:
    assert message in refusal(tmp_path, settings)


@pytest.mark.model
def test_growth_that_does_not_overflow_is_survived(tmp_path: Path) -> None:
    grown = {"compensation.cola_rate": 1, "compensation.merit_budget": 0, "simulation.end_year": 2040}
    limits = {"irs_limits.inflation_rate": 1, "irs_limits.wage_growth_rate": 1}
    rows = [{**usual, "employee_gross_compensation": 12_000} for usual in people(5)]
    assert len(simulate(tmp_path, rows, {**grown, **limits}).verdicts()) == 16


@pytest.mark.parametrize(
    "column",
    ["employee_gross_compensation", "employee_account_balance", "match_account_balance", "core_account_balance"],
)
def test_an_amount_that_cannot_be_computed_with_is_refused_with_its_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str
) -> None:
    first, *others = people(4)
    rows = [{**first, column: "46000000000.01"}, *others]
    message = f"{column} is 46,000,000,000.01 US dollars for P0001; more than 46,000,000,000 cannot be computed with"
    with pytest.raises(CensusError, match=message):
        simulate(tmp_path, rows)
    with pytest.raises(SystemExit) as left:
        main(["validate", "-c", str(tmp_path / "simulation_config.yaml")])
    assert left.value.code == 2
    assert message in capsys.readouterr().out


@pytest.mark.model
def test_an_amount_that_nothing_can_compute_with_leaves_the_results_before(tmp_path: Path) -> None:
    before = simulate(tmp_path, people(3)).digests()
    with pytest.raises(CensusError, match="cannot be computed with"):
        simulate(tmp_path, [{**one, "employee_gross_compensation": 999_999_999_999} for one in people(3)])
    assert checkpoints.read_status(tmp_path / "simulation.duckdb").checkpoints[0]["digests"] == before[2025]
    assert not (tmp_path / "simulation_backup.duckdb").exists()


@pytest.mark.model
@pytest.mark.parametrize(
    ("row", "settings", "message"),
    [
        (
            {"employee_gross_compensation": 45_000_000_000, "employee_deferral_rate": 0.5},
            {"compensation.cola_rate": 1},
            "year 202[56], stage ",
        ),
        ({"employee_account_balance": 40_000_000_000}, {"plan.annual_return": 1}, "year 2027, stage validation: "),
    ],
)
def test_what_overflows_in_a_run_says_where_and_what_to_look_at(
    tmp_path: Path, row: Mapping[str, object], settings: Mapping[str, object], message: str
) -> None:
    rows = [{**usual, **row} for usual in people(10)]
    with pytest.raises(PipelineStageError, match=f"^{message}") as caught:
        simulate(tmp_path, rows, {**settings, "simulation.end_year": 2027})
    assert "Look at the largest pay and balances of the census" in str(caught.value)
    assert str(caught.value).endswith("; the year was rolled back")


# --- folders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reports", "runtime"),
    [
        ("{directory: out}", "{checkpoint_directory: ./below/../out}"),
        ("{directory: linked}", "{checkpoint_directory: out}"),
        ("{directory: .navigator_checkpoints}", "{database: simulation.duckdb}"),
        ("{directory: out/.navigator_checkpoints}", "{database: linked/simulation.duckdb}"),
        ("{directory: null}", "{database: simulation.duckdb, checkpoint_directory: reports}"),
    ],
)
def test_one_folder_for_reports_and_checkpoints_is_refused(tmp_path: Path, reports: str, runtime: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "linked").symlink_to("out")
    file = written(tmp_path, f"reports: {reports}\nruntime: {runtime}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_simulation_config(file)
    assert f"{file}:2: reports.directory" in str(caught.value)
    assert f"reports and checkpoint copies would both be year_<YEAR>.json in {tmp_path.resolve()}" in str(caught.value)


def test_two_folders_are_two_although_one_is_in_the_other(tmp_path: Path) -> None:
    text = "reports: {directory: out}\nruntime: {checkpoint_directory: out/checkpoints}\n"
    assert load_simulation_config(written(tmp_path, text)).reports.directory == tmp_path / "out"


# --- by the commands --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setting",
    [
        "irs_limits.by_year={2025: {annual_additions_limit: 20000}}",
        "runtime.memory_limit=50MB",
        "workforce.new_hire_termination_rate=0.99",
        "compensation.structure_increase_rate=1",
        "irs_limits.inflation_rate=1",
        "reports.directory=.navigator_checkpoints",
    ],
)
def test_validate_and_run_refuse_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "census.csv", people(5))
    written(tmp_path, "")
    arguments = ["-c", "config.yaml", "--set", "simulation.end_year=2060", "--set", setting]
    for command in ("validate", "run"):
        with pytest.raises(SystemExit) as left:
            main([command, *arguments])
        said = "".join(capsys.readouterr())
        assert left.value.code == 2, said
        assert setting.partition("=")[0] in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["census.csv", "config.yaml"]
