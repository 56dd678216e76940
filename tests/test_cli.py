"""The program as its users meet it: what it prints where, its exit codes, and what it leaves behind.

Most tests call `main` in this process; a process of its own is started where signals, terminals or start-up matter.
"""

import csv
import importlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from planalign_orchestrator.database.checkpoints import read_status
from tests.companies import people, person, read_rows, write_rows
from tests.laboratory import Result
from tests.program import ROOT, Done, Planalign, files, finish, start

COMMANDS = [
    ("run",),
    ("validate",),
    ("checkpoint",),
    ("status",),
    ("report",),
    ("backup",),
    ("restore",),
    ("compare-runs",),
    ("init",),
    ("config", "show"),
    ("census", "check"),
    ("census", "generate"),
    ("census", "map"),
    ("migrate", "config"),
    ("migrate", "checkpoints"),
]


# Help and usage


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_an_example(planalign: Planalign, command: Sequence[str]) -> None:
    done = planalign(*command, "--help")
    assert done.code == 0
    assert f"Example: planalign {' '.join(command)}" in " ".join(done.out.split())
    assert done.err == ""


def test_help_lists_every_command_in_whole_sentences(planalign: Planalign) -> None:
    done = planalign("--help")
    assert all(f"\n  {command[0]} " in done.out for command in COMMANDS)
    assert "..." not in done.out.partition("Commands:")[2]


def last_line_of(program: str) -> str:
    """The last line that a Python program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.process
def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom planalign_orchestrator.cli import main\ntry:\n    main(['run', '--help'])\n"
        "except SystemExit:\n    print([n for n in ('duckdb', 'rich', 'yaml', 'tenacity') if n in sys.modules])"
    )
    assert last_line_of(program) == "[]"


@pytest.mark.process
def test_run_does_not_load_what_other_commands_need() -> None:
    modules = ("reports.comparison", "census.mapping", "cli.preflight", "migration.translation")
    program = (
        "import sys\nimport planalign_orchestrator.cli.app, planalign_orchestrator.factory\n"
        f"print([n for n in {modules} if f'planalign_orchestrator.{{n}}' in sys.modules])"
    )
    assert last_line_of(program) == "[]"


@pytest.mark.parametrize("package", ["census", "reports"])
def test_what_is_loaded_late_is_there_all_the_same(package: str) -> None:
    module = importlib.import_module(f"planalign_orchestrator.{package}")
    assert all(getattr(module, name).__name__ == name for name in module.__all__)
    with pytest.raises(AttributeError, match=f"planalign_orchestrator.{package}' has no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.process
def test_completion_is_offered_and_completes(planalign: Planalign, tmp_path: Path) -> None:
    assert "--install-completion" in planalign("--help").out
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_PLANALIGN_COMPLETE": "complete_bash"}
    for words, place, expected in (
        ("planalign re", "1", {"report", "restore"}),
        ("planalign run --res", "2", {"--resume"}),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "planalign_orchestrator"],
            env={**environment, "COMP_WORDS": words, "COMP_CWORD": place},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(done.stdout.split()) == expected


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(planalign: Planalign, option: str) -> None:
    done = planalign(option)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"planalign \d+\.\d+\.\d+\n", done.out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--years", "25"], "'25' is no year such as 2025"),
        (["run", "--years", "2027-2025"], "2027-2025: the first year is after the last"),
        (
            ["run", "--years", "2025", "--end-year", "2026"],
            "simulation.end_year is set twice, by --years and by --end-year",
        ),
        (["run", "--seed", "1", "--set", "simulation.random_seed=2"], "is set twice, by --set and by --seed"),
        (["run", "--set", "simulation.random_seed"], "'simulation.random_seed' is not KEY=VALUE"),
        (["run", "-v", "-q"], "--verbose and --quiet contradict each other"),
        (["run", "--threads", "many"], "valid integer"),
        (["checkpoint", "--list", "--clean"], "--list, --year and --clean exclude each other"),
        (["report", "--json", "--format", "csv"], "--json and --format csv contradict each other"),
        (["report", "--format", "xlsx"], "'xlsx' is not one of"),
        (["report", "--format", "excel"], "--format excel needs a file: --output summary.xlsx"),
        (["report", "--json", "--template", "executive"], "JSON always holds everything"),
        (["report", "--template", "short"], "'short' is not one of"),
        (["census", "generate"], "Missing option '--output'"),
        (["census", "generate", "-o", "x.csv", "--census-date", "31.12.2024"], "'31.12.2024' is not a date"),
        (["simulate"], "No such command 'simulate'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors(planalign: Planalign, project: Path, arguments: list[str], said: str) -> None:
    before = files(project)
    done = planalign(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert files(project) == before


# run


@pytest.mark.model
def test_run_reports_on_standard_output_and_progress_on_standard_error(planalign: Planalign, project: Path) -> None:
    done = planalign("run")
    assert done.code == 0
    assert re.fullmatch(r"2025 finished in \d+\.\d\d s\n2026 finished in \d+\.\d\d s\n", done.err)
    assert done.out.startswith("Workforce 2025-2026: scenario test, plan design none\n")
    summary = planalign("report").out
    assert done.out.startswith(summary)
    written = ["simulation.duckdb", "reports/year_2025.json", "reports/year_2026.json"]
    written.append("reports/multi_year_summary_2025_2026.csv")
    assert all(name in done.out.removeprefix(summary) for name in written)
    assert all((project / name).is_file() for name in written)
    people = json.loads((project / "reports" / "year_2026.json").read_text(encoding="utf-8"))["workforce_breakdown"]
    assert f"2026  {people['equation']}" in done.out


@pytest.mark.model
def test_run_without_a_terminal_writes_plain_text(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "--years", "2025")
    assert (done.out + done.err).isascii()
    assert "\x1b" not in done.out + done.err


@pytest.mark.model
def test_quiet_run_says_nothing_but_its_results(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "-q", "--years", "2025")
    assert (done.code, done.err) == (0, "")
    assert "Workforce 2025:" in done.out


@pytest.mark.model
def test_verbose_run_names_the_stages(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "-v", "--years", "2025")
    stages = ["initialization", "foundation", "event generation", "state accumulation", "validation", "reporting"]
    assert re.findall(r"(?m)^2025 ([a-z ]+): [0-9.]+ s$", done.err) == stages


@pytest.mark.model
def test_run_as_json_is_one_document(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "--json", "--start-year", "2025", "--end-year", "2026", "--seed", "7")
    assert done.document["summary"]["growth_analysis"]["years_analyzed"] == 2
    assert done.document["artifacts"]["database"] == "simulation.duckdb"
    assert [Path(path).name for path in done.document["artifacts"]["reports"]] == [
        "year_2025.json",
        "year_2026.json",
        "multi_year_summary_2025_2026.csv",
    ]
    assert read_status(project / "simulation.duckdb").runs[0]["random_seed"] == 7


@pytest.mark.model
def test_options_go_before_the_environment_and_this_before_the_file(
    planalign: Planalign, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANALIGN__SIMULATION__RANDOM_SEED", "8")
    monkeypatch.setenv("PLANALIGN__SCENARIO_ID", "from_environment")
    planalign("run", "-q", "--seed", "9", "--years", "2025", "--set", "simulation.target_growth_rate=0.5")
    (run,) = read_status(project / "simulation.duckdb").runs
    assert (run["random_seed"], run["scenario_id"]) == (9, "from_environment")
    (year,) = planalign("report", "--json").document["years"]
    assert year["workforce_breakdown"]["closing"] == round(year["workforce_breakdown"]["opening"] * 1.5)


@pytest.mark.model
@pytest.mark.parametrize("name", ["2025 run.duckdb", "it's.duckdb", 'a "quoted" name.duckdb', "-x.duckdb"])
def test_any_name_of_a_database_works(planalign: Planalign, project: Path, name: str) -> None:
    path = project / name
    assert planalign("run", "-q", "--years", "2025", "--database", path).code == 0
    assert planalign("status", "--database", path, "--json").document["database"] == str(path)
    assert planalign("report", "--database", path).code == 0


@pytest.mark.model
def test_a_second_run_keeps_the_first_as_backup(planalign: Planalign, project: Path) -> None:
    planalign("run", "-q")
    first = read_status(project / "simulation.duckdb").runs
    done = planalign("run", "-q")
    assert "Backup    simulation_backup.duckdb" in done.out
    assert read_status(project / "simulation_backup.duckdb").runs == first


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("simulation.randm_seed=4", "did you mean `random_seed`?"),
        ("workforce.total_termination_rate=3", "rates are decimals: 3 % is 0.03"),
        ("simulation.start_year=2030", "simulation.start_year 2030 is after simulation.end_year 2026"),
        ("census.path=nowhere.csv", "nowhere.csv"),
        ("runtime.engine=spark", "must be `native` or `dbt`"),
    ],
)
def test_run_refuses_what_it_cannot_use(planalign: Planalign, project: Path, setting: str, said: str) -> None:
    before = files(project)
    done = planalign("run", "--set", setting)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: ")
    assert said in done.err
    assert "Traceback" not in done.err
    kept = files(project)
    assert {name: kept[name] for name in before} == before


def test_all_problems_of_a_configuration_are_told_at_once(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "--set", "simulation.sed=4", "--set", "workforce.voluntary_share=7")
    assert "2 configuration problems" in done.err
    assert "simulation.sed" in done.err
    assert "workforce.voluntary_share = 7" in done.err


def test_a_missing_configuration_says_how_to_make_one(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "-c", "nowhere.yaml")
    assert done.code == 2
    assert "nowhere.yaml: the file does not exist" in done.err
    assert "planalign init" in done.err


def test_verbose_adds_the_stack_trace_to_an_error(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "-v", "-c", "nowhere.yaml")
    assert done.code == 2
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in planalign("run", "-c", "nowhere.yaml").err


def test_dry_run_lists_the_dbt_command_of_every_stage(
    planalign: Planalign, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    before = files(project)
    done = planalign("run", "--dry-run", "-v", "--years", "2025-2027")
    assert done.code == 0
    lines = done.out.splitlines()[-12:]
    assert all(line.startswith("dbt ") and '"simulation_year": 202' in line for line in lines)
    stages = ["initialization", "foundation", "event_generation", "state_accumulation"]
    assert re.findall(r"--select tag:(\w+)", done.out) == stages * 3
    assert planalign("run", "--dry-run", "--years", "2025-2027", "--json").document["commands"] == lines
    assert "dbt run" not in planalign("run", "--dry-run").out
    assert files(project) == before


@pytest.mark.model
def test_dry_run_says_what_is_read_written_and_how_long_it_takes(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "--dry-run")
    assert "Configuration  config/simulation_config.yaml\n" in done.out
    foreseen = planalign("run", "--dry-run", "--json").document
    assert 150 < foreseen["people"] <= 200
    assert f"Reads          data/census.csv: {foreseen['people']} people, 0.0 MB\n" in done.out
    assert "Simulates      2025-2026, 2 years, engine native\n" in done.out
    assert "Database       simulation.duckdb is made\n" in done.out
    assert re.search(r"Takes          about \d+ seconds; an estimate, from a rule of thumb for two cores\n", done.out)
    assert (foreseen["census_exists"], foreseen["database_exists"]) == (True, False)
    assert planalign("run", "-q").code == 0
    held = planalign("status", "--json").document
    assert held["runs"][-1]["census"]["simulated"] == foreseen["people"]
    for name in foreseen["writes"]:
        names = [name.replace("{2025..2026}", str(year)) for year in (2025, 2026)]
        assert all((project / one).is_file() for one in names), name


@pytest.mark.model
def test_dry_run_says_what_becomes_of_the_database(planalign: Planalign, project: Path) -> None:
    planalign("run", "-q", "--years", "2025")
    before = files(project)

    def fate(*options: str) -> str:
        return str(planalign("run", "--dry-run", "--json", *options).document["database_fate"])

    assert fate() == "holds 2025 and becomes simulation_backup.duckdb"
    resumed = planalign("run", "--dry-run", "--json", "--resume").document
    assert (resumed["database_fate"], resumed["years"]) == ("holds 2025 and is continued", [2026])
    assert resumed["seconds_from"] == "the years that the database holds"
    assert "no folder missing" in fate("--database", "missing/x.duckdb")
    assert files(project) == before
    (project / "simulation.duckdb").write_text("not a database at all", encoding="utf-8")
    assert "is not a simulation database" in fate()


def test_dry_run_says_what_would_stop_the_run(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "--dry-run", "--set", "census.path=nowhere.csv")
    assert done.code == 0
    assert "Reads          nowhere.csv: the run would stop there; see the problems below\n" in done.out
    assert "Problem: there is no such file" in done.out
    assert "Takes          unknown" in done.out
    later = planalign("run", "--dry-run", "--json", "--years", "2020-2021").document
    assert (later["people"], later["seconds"]) == (None, None)
    assert any("is a hire date after the start of the simulation" in problem for problem in later["problems"])
    rule = planalign("run", "--dry-run", "--json", "--set", "validation.rules.event_spik=off").document
    assert rule["problems"] == [
        "command line: validation.rules.event_spik: there is no such rule; did you mean `event_spike`?"
    ]


@pytest.mark.model
def test_validate_and_run_call_a_warning_and_a_row_set_aside_by_their_names(
    planalign: Planalign, project: Path
) -> None:
    rows = [{**person(f"L{n}"), "employee_gross_compensation": "oops" if n < 2 else "60000"} for n in range(400)]
    write_rows(project / "bad.csv", rows)
    told = ("--set", "census.path=bad.csv", "--set", "census.on_invalid_rows=quarantine")
    judged = planalign("validate", *told)
    ran = planalign("run", *told, "--years", "2025")
    assert (judged.code, ran.code) == (0, 0)
    assert "  set aside: employee_gross_compensation is not an amount of money: 2 rows" in judged.out
    assert "  warning: the census gives no deferral rates" in judged.out
    assert "Note: census, set aside: 2 of 400 rows" in ran.err
    assert "Note: census, warning: the census gives no deferral rates" in ran.err


def test_dry_run_says_what_does_not_fit(planalign: Planalign, project: Path) -> None:
    """400 people paid at most 42,000, with the packaged levels, whose lowest begins at 56,000."""
    write_rows(project / "low.csv", [{**person(f"L{n}", pay=26_000 + 40 * n), "employee_ssn": ""} for n in range(400)])
    told = ("--set", "census.path=low.csv", "--set", "parameters.job_levels=default")
    done = planalign("run", "--dry-run", *told, "--set", "parameters.new_hire_pay=default")
    assert "Warning: parameters.job_levels: all 400 people are paid less than the range minimum" in done.out
    assert re.search(r"Warning: parameters.new_hire_pay: hires of level 1 are planned at \d+ % of the median", done.out)
    ends = planalign("run", "--dry-run", *told)
    assert re.search(r"Warning: parameters.new_hire_pay: \d+ % of the hires of level 1 will be paid an end", ends.out)
    rows = [{**person(f"L{n}"), "employee_gross_compensation": "oops" if n < 2 else "60000"} for n in range(400)]
    write_rows(project / "bad.csv", rows)
    done = planalign("run", "--dry-run", "--set", "census.path=bad.csv", "--set", "census.on_invalid_rows=quarantine")
    assert "Set aside: employee_gross_compensation is not an amount of money: 2 rows" in done.out


@pytest.mark.model
def test_the_readme_shows_what_a_run_of_the_sample_prints(planalign: Planalign, tmp_path: Path) -> None:
    config = ROOT / "config" / "simulation_config.yaml"
    done = planalign("run", "-q", "-c", config, "--database", tmp_path / "simulation.duckdb")
    (shown,) = re.findall(r"```\n(Workforce 2025.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert done.out.startswith(shown)


# Interruption, resumption, a database in use


@pytest.mark.model
def test_an_interrupted_run_keeps_its_years_and_can_be_resumed(
    long_run: "subprocess.Popen[str]", planalign: Planalign, project: Path, generated: Callable[[int], Path]
) -> None:
    long_run.send_signal(signal.SIGINT)
    done = finish(long_run)
    assert (done.code, done.out) == (130, "")
    said = done.err.splitlines()[-1]
    assert re.fullmatch(
        r"Interrupted: the finished years are kept \(2025.*\); the same command with --resume goes on after them\.",
        said,
    )
    kept = planalign("status", "--json").document["years"]
    assert [str(year["simulation_year"]) for year in kept] == re.findall(r"\d{4}", said)
    last = kept[-1]["simulation_year"]
    resumed = planalign(
        "run", "--resume", "--years", f"2025-{last + 1}", "--set", f"census.path={generated(20_000)}", "--json"
    )
    assert resumed.code == 0
    assert f"resumed after {last}" in resumed.document["artifacts"]["notes"]
    assert resumed.err == ""
    assert planalign("status", "--json").document["years"][: len(kept)] == kept
    assert resumed.document["summary"]["end_year"] == last + 1


def test_a_database_in_use_is_left_alone_and_status_answers_from_the_copies(
    long_run: "subprocess.Popen[str]", planalign: Planalign, project: Path
) -> None:
    refused = planalign("run")
    assert (refused.code, refused.out) == (1, "")
    assert f"process {long_run.pid}" in refused.err

    status = planalign("status", "--json")
    assert status.code == 0
    assert status.document["source"] == "checkpoint copies"
    assert status.document["years"][0]["simulation_year"] == 2025
    assert "This answer comes from the checkpoint copies in .navigator_checkpoints." in status.err
    assert planalign("status").out.splitlines()[1].startswith("2025")
    assert planalign("checkpoint", "--year", "2025").code == 0

    report = planalign("report")
    assert (report.code, report.out) == (1, "")
    assert "in use by another process" in report.err

    found = planalign("validate", "--json")
    assert found.code == 1
    assert "in use by another process" in found.document["environment"]["problems"][0]
    assert long_run.poll() is None


# What a terminal shows


def on_a_terminal(*arguments: str, folder: Path, columns: int = 120) -> str:
    """Run the program on a terminal and return everything that it showed there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": str(columns)}
        os.execve(sys.executable, [sys.executable, "-m", "planalign_orchestrator", *arguments], environment)
    shown = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            break
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    return shown.decode()


def test_a_terminal_shows_a_bar_with_the_time_left_and_a_table(project: Path) -> None:
    shown = on_a_terminal("run", folder=project)
    assert "reading the inputs" in shown
    assert re.search(r"2026 [a-z ]+", shown)
    assert "%" in shown
    assert " left " in shown
    assert "finished in" not in shown
    assert "─" * 20 in shown.rpartition("Workforce 2025-2026")[2]


# validate


def test_validate_finds_nothing_wrong_and_leaves_no_file(planalign: Planalign, project: Path) -> None:
    before = files(project)
    done = planalign("validate")
    assert (done.code, done.err) == (0, "")
    assert "Census: data/census.csv\n  200 rows, " in done.out
    assert "simulation.duckdb will be made" in done.out
    assert done.out.endswith("\nNo problems.\n")
    assert files(project) == before


@pytest.mark.model
def test_validate_leaves_an_existing_database_untouched(planalign: Planalign, project: Path) -> None:
    planalign("run", "-q")
    before = files(project)
    done = planalign("validate")
    assert done.code == 0
    assert "simulation.duckdb holds 2025-2026; a new run makes it the backup" in done.out
    assert files(project) == before


def test_validate_lists_the_problems_of_all_three_at_once(planalign: Planalign, project: Path) -> None:
    write_rows(project / "data" / "census.csv", [person("A", pay="-5"), person("A"), person("B", born="1990-13-01")])
    (project / "simulation.duckdb").write_text("not a database at all", encoding="utf-8")
    before = files(project)
    done = planalign("validate", "--set", "workforce.total_termination_rate=12", "--set", "simulation.sed=1", "--json")
    assert done.code == 2
    configuration, census, environment = (
        "\n".join(done.document[part]["problems"]) for part in ("configuration", "census", "environment")
    )
    assert "12 % is 0.12" in configuration
    assert "simulation.sed" in configuration
    assert "employee_gross_compensation" in census
    assert "employee_id" in census
    assert "employee_birth_date" in census
    assert "is not a simulation database" in environment
    assert done.document["problems"] == sum(
        len(done.document[part]["problems"]) for part in ("configuration", "census", "environment")
    )
    assert files(project) == before
    text = planalign("validate", "--set", "workforce.total_termination_rate=12")
    assert text.code == 2
    assert len(re.findall(r"(?m)^  problem: ", text.out)) == int(text.out.splitlines()[-1].split()[0])


def test_validate_does_not_judge_a_census_by_a_faulty_mapping(planalign: Planalign, project: Path) -> None:
    config = project / "config" / "simulation_config.yaml"
    settings = json.loads(config.read_text(encoding="utf-8"))
    settings["census"]["colums"] = {"employee_id": "Badge"}
    config.write_text(json.dumps(settings), encoding="utf-8")
    done = planalign("validate", "--json")
    assert done.code == 2
    assert "did you mean `columns`?" in done.document["configuration"]["problems"][0]
    assert done.document["census"]["problems"] == []
    assert "correct the configuration first" in done.document["census"]["facts"][0]


def test_validate_says_when_only_the_environment_stands_in_the_way(planalign: Planalign, project: Path) -> None:
    done = planalign("validate", "--database", "missing/simulation.duckdb")
    assert done.code == 1
    assert "problem: the folder missing does not exist; make it or choose another --database" in done.out


def test_validate_judges_another_census(planalign: Planalign, project: Path) -> None:
    write_rows(project / "other.csv", people(3))
    assert planalign("validate", "--census", "other.csv", "--json").document["census"]["summary"]["simulated"] == 3
    done = planalign("validate", "--census", "nowhere.csv")
    assert done.code == 2
    assert "nowhere.csv" in done.out


def test_validate_judges_a_census_without_any_configuration_file(planalign: Planalign, project: Path) -> None:
    write_rows(project / "other.csv", [person("A", pay="0")])
    done = planalign("validate", "-c", "nowhere.yaml", "--census", "other.csv", "--json")
    assert done.code == 2
    assert "nowhere.yaml" in done.document["configuration"]["problems"][0]
    assert "employee_gross_compensation" in done.document["census"]["problems"][0]


def test_validate_prints_the_schema(planalign: Planalign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = planalign("validate", "--schema")
    assert done.code == 0
    assert {"scenario_id", "simulation", "census", "runtime"} <= done.document["properties"].keys()


# checkpoint and status


def test_checkpoint_shows_the_last_year(planalign: Planalign, finished: Sequence[str]) -> None:
    done = planalign("checkpoint", *finished)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("2029 of simulation.duckdb, finished ")
    assert re.search(r"fct_workforce_snapshot: [\d,]+ rows, digest \d+", done.out)


def test_checkpoint_lists_and_picks_years(planalign: Planalign, finished: Sequence[str]) -> None:
    listed = planalign("checkpoint", *finished, "--list", "--json").document["checkpoints"]
    assert [row["simulation_year"] for row in listed] == [2025, 2026, 2027, 2028, 2029]
    assert planalign("checkpoint", *finished, "--year", "2027", "--json").document["checkpoints"] == [listed[2]]
    missing = planalign("checkpoint", *finished, "--year", "2031")
    assert missing.code == 1
    assert "has no checkpoint of 2031; its finished years are 2025, 2026" in missing.err


@pytest.mark.model
def test_checkpoint_clean_asks_and_removes_the_copies_only(planalign: Planalign, project: Path) -> None:
    planalign("run", "-q")
    copies = [f".navigator_checkpoints/year_{year}.json" for year in (2025, 2026)]
    for answer, code in (("n\n", 1), ("", 1)):
        kept = planalign("checkpoint", "--clean", answers=answer)
        assert kept.code == code
        assert "Remove the JSON copies of the checkpoints of simulation.duckdb" in kept.err
        assert all((project / name).is_file() for name in copies)
    before = files(project)
    assert "Removed 2 files" in planalign("checkpoint", "--clean", answers="y\n").out
    assert files(project) == {name: stamp for name, stamp in before.items() if name not in copies}
    assert planalign("checkpoint").out.startswith("2026 of simulation.duckdb")
    assert planalign("checkpoint", "--clean", "--yes", "--json").document["removed"] == 0


def test_status_shows_a_line_a_year(planalign: Planalign, finished: Sequence[str]) -> None:
    done = planalign("status", *finished)
    assert (done.code, done.err) == (0, "")
    assert "scenario baseline, plan design default_plan, seed 42, asked for 2025-2029" in done.out
    lines = [line.split() for line in done.out.splitlines() if line.startswith("202")]
    assert [line[0] for line in lines] == ["2025", "2026", "2027", "2028", "2029"] * 2
    assert {(line[3], line[6].rstrip(",")) for line in lines[:5]} == {("native", "passed")}
    assert max(map(len, done.out.partition("\n\n")[2].splitlines())) <= 80


def test_status_as_json_holds_everything(planalign: Planalign, finished: Sequence[str], sample_run: Result) -> None:
    document = planalign("status", *finished, "--json").document
    assert document["source"] == "database"
    assert document["runs"][0]["census"]["rows_read"] == 1000
    assert {year["simulation_year"]: year["digests"] for year in document["years"]} == sample_run.digests()
    assert set(document["years"][0]["fingerprints"]) == {"configuration", "parameters", "census", "acquired", "model"}


def test_a_database_can_be_read_without_a_configuration(
    planalign: Planalign, sample_run: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert planalign("status", "--database", sample_run.database).code == 0
    assert planalign("report", "--database", sample_run.database).code == 0
    done = planalign("status")
    assert done.code == 2
    assert "config/simulation_config.yaml: the file does not exist" in done.err


@pytest.mark.parametrize("command", ["status", "checkpoint", "report"])
def test_reading_makes_no_database(planalign: Planalign, project: Path, command: str) -> None:
    before = files(project)
    done = planalign(command)
    assert (done.code, done.out) == (1, "")
    assert "simulation.duckdb does not exist; `planalign run` makes one" in done.err
    assert files(project) == before


# report


def test_report_shows_the_years_or_one_year_in_detail(planalign: Planalign, finished: Sequence[str]) -> None:
    every = planalign("report", *finished)
    assert (every.code, every.err) == (0, "Verified: the digests of 2025-2029 were recomputed and agree.\n")
    assert every.out.startswith("Workforce 2025-2029")
    assert planalign("report", *finished, "--years", "2026-2027").out.startswith("Workforce 2026-2027")
    one = planalign("report", *finished, "--years", "2026")
    assert one.out.startswith("Year 2026: scenario baseline")
    assert "Active people by level" in one.out


def test_report_as_json_and_csv_agree_with_the_files_of_the_run(
    planalign: Planalign, finished: Sequence[str], sample_run: Result
) -> None:
    reports = sample_run.database.parent / "reports"
    document = planalign("report", *finished, "--format", "json").document
    assert document["years"] == [
        json.loads((reports / f"year_{year}.json").read_text(encoding="utf-8")) for year in range(2025, 2030)
    ]
    assert planalign("report", *finished, "--json").document == document
    written = (reports / "multi_year_summary_2025_2029.csv").read_text(encoding="utf-8")
    assert planalign("report", *finished, "-f", "csv").out == written


def test_report_writes_a_file(planalign: Planalign, finished: Sequence[str], tmp_path: Path) -> None:
    path = tmp_path / "new" / "summary.csv"
    done = planalign("report", *finished, "--format", "csv", "-o", path)
    assert (done.code, done.out) == (0, "")
    assert f"Written: {path}" in done.err
    with path.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 5


def test_report_in_each_format_and_template(planalign: Planalign, finished: Sequence[str], tmp_path: Path) -> None:
    for name, start_of_file in (("html", b"<!doctype html>"), ("excel", b"PK")):
        path = tmp_path / name
        assert planalign("report", *finished, "--format", name, "-o", path).code == 0
        assert path.read_bytes().startswith(start_of_file)
    brief = planalign("report", *finished, "--template", "executive")
    headings = " ".join(line for line in brief.out.splitlines() if line.startswith("Year "))
    assert headings.split() == (
        [
            "Year",
            "Headcount",
            "Growth",
            "Participation",
            "Deferrals",
            "Year",
            "Net",
            "employer",
            "cost",
            "Net",
            "rate",
            "Checks",
        ]
    )
    assert planalign("report", *finished, "--template", "executive", "--years", "2026").out.count("\n") == 12


@pytest.mark.model
def test_the_configured_template_is_that_of_run_and_report(planalign: Planalign, project: Path) -> None:
    setting = ("--set", "reports.template=executive")
    ran = planalign("run", *setting)
    assert ran.code == 0
    assert "Net employer cost" in ran.out
    assert "Pay growth" not in ran.out
    heading = (project / "reports" / "multi_year_summary_2025_2026.csv").read_text(encoding="utf-8").splitlines()[0]
    assert heading.endswith("net_employer_cost_rate,failed_checks,warnings")
    assert "metrics" in json.loads((project / "reports" / "year_2025.json").read_text(encoding="utf-8"))
    assert "Pay growth" in planalign("report").out


def test_report_prints_the_schema_without_a_database(planalign: Planalign, tmp_path: Path) -> None:
    done = planalign("report", "--schema", "--database", tmp_path / "absent.duckdb")
    assert (done.code, done.document["title"]) == (0, "PlanAlign year report, version 1")


def test_report_names_the_years_that_are_missing(planalign: Planalign, finished: Sequence[str]) -> None:
    done = planalign("report", *finished, "--years", "2029-2031")
    assert (done.code, done.out) == (1, "")
    assert "does not hold 2030, 2031; its finished years are 2025, 2026, 2027, 2028, 2029" in done.err


# init


@pytest.mark.model
def test_init_makes_a_project_that_runs(planalign: Planalign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = planalign("init", "demo")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("Go on with:\n  cd demo\n  planalign run\n")
    assert sorted(files(tmp_path / "demo")) == [
        ".gitignore",
        "README.md",
        "config/simulation_config.yaml",
        "data/sample_census.csv",
    ]
    monkeypatch.chdir(tmp_path / "demo")
    assert planalign("validate").code == 0
    assert planalign("run", "-q").code == 0
    assert (tmp_path / "demo" / "reports" / "year_2029.json").is_file()


def test_init_never_overwrites(planalign: Planalign, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    done = planalign("init", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "already holds README.md; nothing was written" in done.err
    assert sorted(files(tmp_path)) == ["README.md"]
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"
    done = planalign("init", tmp_path / "README.md")
    assert done.code == 2
    assert "is a file; name a folder" in done.err


def test_init_asks_until_the_answers_can_be_used(
    planalign: Planalign, tmp_path: Path, generated: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["nowhere.csv", str(generated(200)), "2026", "2025", "2027", "3%", "0.5", "12", ""]
    done = planalign("init", tmp_path / "demo", "--interactive", answers="\n".join(answers) + "\n")
    assert done.code == 0
    refused = [
        "nowhere.csv is not a file",
        "2025 is before the first year 2026",
        "3% has a percent sign",
        "12 must be a rate",
    ]
    assert all(text in done.err for text in refused)
    assert not (tmp_path / "demo" / "data").exists()
    monkeypatch.chdir(tmp_path / "demo")
    values = planalign("config", "show", "--json").document
    chosen = ("census.path", "simulation.start_year", "simulation.end_year", "simulation.target_growth_rate")
    assert [values[key]["value"] for key in chosen] == [str(generated(200).resolve()), 2026, 2027, 0.5]
    assert values["workforce.total_termination_rate"]["value"] == 0.12


def test_init_with_default_answers_is_init(planalign: Planalign, tmp_path: Path) -> None:
    planalign("init", tmp_path / "asked" / "demo", "-i", answers="\n" * 5)
    planalign("init", tmp_path / "plain" / "demo")
    asked, plain = ((tmp_path / name / "demo").rglob("*.*") for name in ("asked", "plain"))
    assert [path.read_bytes() for path in sorted(asked)] == [path.read_bytes() for path in sorted(plain)]


def test_the_first_year_is_the_one_after_the_census(planalign: Planalign, tmp_path: Path) -> None:
    def years(*answers: str) -> tuple[str, str]:
        folder = tmp_path / f"project {len(list(tmp_path.iterdir()))}"
        done = planalign("init", folder, "-i", answers="\n".join(answers) + "\n")
        assert done.code == 0, done.err
        config = (folder / "config" / "simulation_config.yaml").read_text(encoding="utf-8")
        found = re.findall(r"(?m)^  (?:start|end)_year: (\d+)$", config)
        return found[0], found[1]

    rows = [{**row, "employee_hire_date": "2022-06-30"} for row in people(3)]
    write_rows(tmp_path / "hires.csv", rows)
    assert years(str(tmp_path / "hires.csv"), "", "", "", "") == ("2023", "2027")
    write_rows(tmp_path / "exits.csv", [{**row, "employee_termination_date": "3/25/2023"} for row in rows])
    assert years(str(tmp_path / "exits.csv"), "", "", "", "") == ("2024", "2028")
    assert years("sample", "", "", "", "") == ("2025", "2029")


def test_the_sample_is_as_old_as_the_template_says(planalign: Planalign, tmp_path: Path) -> None:
    planalign("init", tmp_path / "demo")
    hires = [row["employee_hire_date"] for row in read_rows(tmp_path / "demo" / "data" / "sample_census.csv")]
    config = (tmp_path / "demo" / "config" / "simulation_config.yaml").read_text(encoding="utf-8")
    assert f"\n  start_year: {int(max(hires)[:4]) + 1}\n" in config
    assert config == (ROOT / "config" / "simulation_config.yaml").read_text(encoding="utf-8")


def test_a_census_that_does_not_tell_its_date_has_no_default(planalign: Planalign, tmp_path: Path) -> None:
    write_rows(tmp_path / "foreign.csv", [{"EE": row["employee_id"], "Start": "2020-01-01"} for row in people(3)])
    answers = [str(tmp_path / "foreign.csv"), "", "2026", "", "", ""]
    done = planalign("init", tmp_path / "demo", "-i", answers="\n".join(answers) + "\n")
    assert done.code == 0
    assert "So its date is not known; `planalign census map` suggests the mapping of its headings." in done.err
    assert "First year to simulate: " in done.err
    assert "an empty answer" in done.err
    assert "Last year to simulate [2030]: " in done.err


def test_init_without_answers_writes_nothing(planalign: Planalign, tmp_path: Path) -> None:
    done = planalign("init", tmp_path / "demo", "-i", answers="sample\n2025\n")
    assert (done.code, done.out) == (1, "")
    assert "there was no answer to `Last year to simulate`; nothing was written" in done.err
    assert not (tmp_path / "demo").exists()


# config show


def test_config_show_tells_where_each_value_comes_from(
    planalign: Planalign, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANALIGN__COMPENSATION__COLA_RATE", "0.01")
    arguments = ("config", "show", "--set", "simulation.random_seed=7", "--database", "other.duckdb")
    values = planalign(*arguments, "--json").document
    assert {
        key: (values[key]["value"], values[key]["origin"]) for key in values if values[key]["origin"] != "default"
    } == {
        "scenario_id": ("test", "file"),
        "plan_design_id": ("none", "file"),
        "simulation.end_year": (2026, "file"),
        "simulation.random_seed": (7, "command line"),
        "census.path": ("data/census.csv", "file"),
        "compensation.cola_rate": (0.01, "environment"),
        "runtime.database": ("other.duckdb", "command line"),
        "runtime.threads": (1, "file"),
        "plan.match.tiers": (
            [{"lower": 0, "upper": 0.03, "rate": 1}, {"lower": 0.03, "upper": 0.05, "rate": 0.5}],
            "preset",
        ),
    }
    first, empty, *lines = planalign(*arguments).out.splitlines()
    assert (first, empty) == ("Line numbers are those of config/simulation_config.yaml.", "")
    assert re.search(r"(?m)^scenario_id +\"test\" +line 1$", "\n".join(lines))
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(values)
    assert max(map(len, lines)) <= 80
    assert re.search(
        r"(?m)^compensation\.cola_rate +0\.01\n    environment PLANALIGN__COMPENSATION__COLA_RATE$", "\n".join(lines)
    )


# census


def test_census_check_counts_what_a_run_will_read(planalign: Planalign, project: Path) -> None:
    done = planalign("census", "check", "data/census.csv")
    assert (done.code, done.err) == (0, "")
    assert re.search(r"(?m)^  rows read +200$", done.out)
    assert re.search(r"(?m)^level_id +level_id +200 +0$", done.out)
    document = planalign("census", "check", "data/census.csv", "--json").document
    assert document["rows_read"] == 200
    assert document["census_date"] == "2024-12-31"


def test_census_check_lists_every_problem(planalign: Planalign, project: Path) -> None:
    write_rows(project / "bad.csv", [person("A", pay="-5"), person("A"), person("B", hired="2031-01-01")])
    done = planalign("census", "check", "bad.csv")
    assert (done.code, done.out) == (2, "")
    assert "census bad.csv cannot be used" in done.err
    found = planalign("census", "check", "bad.csv", "--json")
    assert found.code == 2
    assert len(found.document["problems"]) == 3
    assert all(problem in done.err for problem in found.document["problems"])


def test_census_check_reads_by_the_configuration(planalign: Planalign, project: Path) -> None:
    rows = [{"Badge": row["employee_id"], **row} for row in people(3)]
    write_rows(project / "foreign.csv", [{key: row[key] for key in row if key != "employee_id"} for row in rows])
    assert planalign("census", "check", "foreign.csv").code == 2
    config = project / "config" / "simulation_config.yaml"
    settings = json.loads(config.read_text(encoding="utf-8"))
    settings["census"]["columns"] = {"employee_id": "Badge"}
    settings["simulation"]["start_year"] = 2026
    config.write_text(json.dumps(settings), encoding="utf-8")
    document = planalign("census", "check", "foreign.csv", "-c", config, "--json").document
    assert (document["simulated"], document["census_date"]) == (3, "2025-12-31")
    dated = planalign("census", "check", "foreign.csv", "-c", config, "--census-date", "2023-12-31", "--json")
    assert dated.document["census_date"] == "2023-12-31"


def test_census_generate_is_repeatable_and_replaces_its_own(planalign: Planalign, project: Path) -> None:
    done = planalign("census", "generate", "-o", "a.csv", "--size", "50", "--seed", "3")
    assert (done.code, done.out) == (0, "Wrote 50 employees as of 2024-12-31 to a.csv.\n")
    planalign("census", "generate", "-o", "b.csv", "--size", "50", "--seed", "3")
    assert (project / "a.csv").read_bytes() == (project / "b.csv").read_bytes()
    assert planalign("census", "generate", "-o", "a.csv", "--size", "60").code == 0
    assert len((project / "a.csv").read_text(encoding="utf-8").splitlines()) == 61
    assert planalign("census", "check", "a.csv").code == 0


FOREIGN = {
    "employee_id": "EE Number",
    "employee_birth_date": "DOB",
    "employee_hire_date": "Date of Hire",
    "employee_gross_compensation": "Annual Salary",
}


def test_census_map_suggests_what_census_check_then_accepts(planalign: Planalign, project: Path) -> None:
    rows = read_rows(project / "data" / "census.csv")
    foreign = [{heading: row[name] for name, heading in FOREIGN.items()} | {"Shoe size": "42"} for row in rows]
    write_rows(project / "client.csv", foreign)
    suggested = planalign("census", "map", "client.csv", "--json").document
    named = {found["standard_name"]: found["heading"] for found in suggested["suggestions"]}
    assert named.pop(None) == "Shoe size"
    assert named == FOREIGN
    assert all(0 <= found["confidence"] <= 1 and found["evidence"] for found in suggested["suggestions"])

    done = planalign("census", "map", "client.csv")
    assert (done.code, done.err) == (0, "")
    assert re.search(r"(?m)^DOB +employee_birth_date +\d+% +\S", done.out)
    assert done.out.endswith(suggested["yaml"])

    (project / "client.yaml").write_text(suggested["yaml"] + "  path: client.csv\n", encoding="utf-8")
    checked = planalign("census", "check", "client.csv", "-c", "client.yaml", "--json")
    assert checked.document["rows_read"] == len(rows)


def test_census_map_refuses_a_file_that_it_cannot_read(planalign: Planalign, project: Path) -> None:
    done = planalign("census", "map", "nowhere.csv")
    assert (done.code, done.out) == (2, "")
    assert "nowhere.csv" in done.err


# Errors that nobody foresaw


@pytest.mark.process
def test_an_unexpected_error_is_one_line_that_names_the_option_for_more(tmp_path: Path) -> None:
    damaged = tmp_path / "installation"
    shutil.copytree(ROOT / "planalign_orchestrator", damaged / "planalign_orchestrator")
    shutil.copytree(ROOT / "data", damaged / "data")
    shutil.copytree(ROOT / "dbt", damaged / "dbt")
    environment = {**os.environ, "PYTHONPATH": str(damaged)}

    def init(*options: str) -> Done:
        command = [sys.executable, "-m", "planalign_orchestrator", "init", "demo", *options]
        done = subprocess.run(command, cwd=damaged, env=environment, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    done = init()
    assert (done.code, done.out) == (1, "")
    missing = re.escape(str(damaged / "config" / "simulation_config.yaml"))
    assert re.fullmatch(rf"Error: {missing}: No such file or directory; .*\n", done.err)
    module = damaged / "planalign_orchestrator" / "project.py"
    module.write_text(module.read_text(encoding="utf-8").replace("def config_template", "def other"), "utf-8")
    done = init()
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r"Error: unexpected NameError: .*; run the same command with -v to see where\n", done.err)
    assert "Traceback" in init("-v").err
    assert not (damaged / "demo").exists()


@pytest.mark.process
def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    process = start("validate", "--schema", folder=project)
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert said == ""


@pytest.mark.process
@pytest.mark.parametrize("command", [["census", "map", "--help"], ["config", "show", "-c", "simulation.yaml"]])
def test_output_that_cannot_be_written_is_an_error_without_a_stack_trace(tmp_path: Path, command: list[str]) -> None:
    write_rows(tmp_path / "census.csv", people(3))
    (tmp_path / "simulation.yaml").write_text("census: {path: census.csv}\n", encoding="utf-8")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "planalign_orchestrator", *command],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
