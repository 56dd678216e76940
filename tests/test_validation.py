"""Rules as users meet them: severities and thresholds, rules of their own, and what a failed rule does to a run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

import duckdb
import pytest

from planalign_orchestrator.cli import main
from planalign_orchestrator.config.sections.validation import THRESHOLDS
from planalign_orchestrator.database.checkpoints import read_status
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import ConfigurationError, PipelineStageError
from planalign_orchestrator.factory import OrchestratorBuilder, build_orchestrator
from planalign_orchestrator.model import load_compiled_model
from planalign_orchestrator.pipeline import PipelineOrchestrator
from planalign_orchestrator.registries import RegistryManager
from planalign_orchestrator.reports import ConsoleReporter, YearAuditor
from planalign_orchestrator.validation import (
    DataValidator,
    EventSequenceRule,
    EventSpikeRule,
    HireTerminationRatioRule,
    PrimaryKeyUniquenessRule,
    RowCountDriftRule,
    SqlRule,
    ValidationResult,
    ValidationSeverity,
)
from planalign_orchestrator.validation.choosing import builtin_rules
from tests.companies import configure, people
from tests.laboratory import Result, simulate

INVARIANT = "assert_headcount_ties"
FILE = "validation.custom_rules_file"
# finds the hires of 2026, and nobody in 2025
HIRES_OF_2026 = """-- Nobody is hired after 2025.
select employee_id, effective_date
from planalign.main.fct_yearly_events
where
    simulation_year = getvariable('simulation_year')::integer
    and simulation_year > 2025
    and event_type = 'hire';
"""
PYTHON_RULES = """
from dataclasses import dataclass

from planalign_orchestrator.validation import SqlRule, ValidationResult, ValidationSeverity


@dataclass(frozen=True)
class Calm:
    name: str = "calm"

    def check(self, connection, year):
        query = "select count(*) from planalign.main.fct_yearly_events where simulation_year = ?"
        ((events,),) = connection.execute(query, [year]).fetchall()
        BODY
        return ValidationResult(self.name, ValidationSeverity.WARNING, False, events, (f"{events} events",), False, "")


RULES = [Calm(), SqlRule("has_census", "select 1 where not exists (from planalign.inputs.census)")]
"""


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def python_rules(folder: Path, body: str = "") -> Path:
    return written(folder, "company_rules.py", PYTHON_RULES.replace("BODY", body))


def refusal(folder: Path, overrides: Mapping[str, object]) -> str:
    """What is wrong with the rules of a configuration."""
    with pytest.raises(ConfigurationError) as caught:
        build_orchestrator(configure(folder, people(1), overrides)).validator_by(load_compiled_model())
    return str(caught.value)


def verdicts(result: Result, year: int) -> dict[str, dict[str, object]]:
    return {verdict["rule"]: verdict for verdict in result.verdicts()[year]}


# --- severities and thresholds ----------------------------------------------------------------------------------------


def test_every_threshold_of_the_configuration_is_one_of_its_rule() -> None:
    rules = {rule.name: {item.name for item in fields(rule)} for rule in builtin_rules()}
    assert all(thresholds.keys() <= rules[name] for name, thresholds in THRESHOLDS.items())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("event_spik", "off", "configuration problem: command line: validation.rules."),
        ("event_spik", "off", "validation.rules.event_spik: there is no such rule; did you mean `event_spike`?"),
        ("xyz", "info", "there is no such rule; `planalign status --json` lists the rules of a run"),
        ("event_spike", "warn", "is `warn`; did you mean `warning`?"),
        ("event_spike", "3", "is a number; must be error, warning, info or off"),
        ("event_spike", "{maximum_rato: 3}", "`maximum_rato` is unknown here; did you mean `maximum_ratio`?"),
        ("event_sequence", "{xyz: 3}", "`xyz` is unknown here; the keys are severity"),
        ("event_spike", "{maximum_ratio: -1}", "`maximum_ratio` must be a ratio from 0 to 1000"),
        (
            "hire_termination_ratio",
            "{minimum_ratio: 3, maximum_ratio: 2}",
            "a `minimum_ratio` above its `maximum_ratio`",
        ),
        (INVARIANT, "off", f"validation.rules.{INVARIANT} = off: this is an invariant of the model"),
        (INVARIANT, "{severity: warning}", "this is an invariant of the model, which always stops a run"),
        ("enrollment_registry_agrees", "info", "this is an invariant of the model"),
        ("event_sequence", "warning", "this is an invariant of the model"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(tmp_path: Path, key: str, value: str, message: str) -> None:
    assert message in refusal(tmp_path, {f"validation.rules.{key}": value})


@pytest.mark.model
def test_severity_and_thresholds_are_as_configured(tmp_path: Path) -> None:
    overrides: dict[str, object] = {
        "validation.rules.row_count_drift": "{severity: error, maximum_drift: 0.01}",
        "validation.rules.event_spike": "off",
        "validation.rules.assert_hiring_is_plausible": "warning",
        f"validation.rules.{INVARIANT}": "error",
        "validation.maximum_hire_rate": 0,
        "simulation.end_year": 2026,
        "simulation.target_growth_rate": "0.3",
    }
    result = simulate(tmp_path, people(200), overrides)
    found = verdicts(result, 2026)
    assert "event_spike" not in found
    for rule, severity in (("row_count_drift", "error"), ("assert_hiring_is_plausible", "warning")):
        assert (found[rule]["passed"], found[rule]["severity"]) == (False, severity)
    with DatabaseConnectionManager(result.database, read_only=True) as db:
        text = " ".join(ConsoleReporter().format_year_audit(YearAuditor(db).generate_report(2026)).split())
    assert "error row_count_drift: 1 found, for example table_name fct_workforce_snapshot, rows_before 312" in text
    assert "warning assert_hiring_is_plausible: 1 found, for example opening " in text


def test_projected_limits_are_a_note_and_no_failure(sample_run: Result) -> None:
    with DatabaseConnectionManager(sample_run.database, read_only=True) as db:
        report = YearAuditor(db).generate_report(2029)
    text = " ".join(ConsoleReporter().format_year_audit(report).split())
    assert f"{len(report.validation) - 1} passed, 1 noted" in text
    assert "info assert_irs_limits_are_published: 1 found, for example limit_year 2029, reference projected" in text
    counts = DataValidator.to_report_dict(report.validation)
    assert (counts["failed"], counts["notes"], counts["passed"]) == (0, 1, len(report.validation) - 1)


# --- on a finished database -------------------------------------------------------------------------------------------


def test_a_validator_needs_nothing_but_a_database(sample_run: Result) -> None:
    with DatabaseConnectionManager(sample_run.database, read_only=True) as db:
        validator = DataValidator(db)
        assert validator.validate_year_results(2027) == []
        for rule in (
            RowCountDriftRule(),
            HireTerminationRatioRule(),
            EventSequenceRule(),
            EventSpikeRule(),
            PrimaryKeyUniquenessRule("fct_workforce_snapshot", ["employee_id"]),
        ):
            validator.register_rule(rule)
        results = [*validator.validate_year_results(2025), *validator.validate_year_results(2029)]
        assert [result.rule for result in results if not result.passed] == []
        strict = DataValidator(db, examples=1)
        strict.register_rule(RowCountDriftRule("fct_yearly_events", maximum_drift=0))
        strict.register_rule(HireTerminationRatioRule(minimum_ratio=3))
        strict.register_rule(EventSpikeRule(maximum_ratio=0))
        strict.register_rule(PrimaryKeyUniquenessRule("fct_yearly_events", ["employee_id"]))
        report = DataValidator.to_report_dict(strict.validate_year_results(2027))
        report_of_first_year = DataValidator.to_report_dict(strict.validate_year_results(2025))
    assert (report["rules"], report["failed"], report["warnings"]) == (4, 1, 3)
    assert json.loads(json.dumps(report)) == {**report, "results": json.loads(json.dumps(report["results"]))}
    first = (report_of_first_year["failed"], report_of_first_year["warnings"])
    assert first == (1, 1), "drift and spikes cannot be told from one year"


@pytest.mark.model
def test_what_the_rules_excluded_in_the_first_year_is_no_spike_after_it(tmp_path: Path) -> None:
    """Nobody is in the plan at first, so that the first automatic increases, of all of them, come in 2027."""
    rows = [{**row, "employee_birth_date": f"{1965 + place % 30}-03-01"} for place, row in enumerate(people(600))]
    overrides = {"simulation.end_year": 2027, "plan.automatic_enrollment.scope": "all_eligible"}
    result = simulate(tmp_path, rows, overrides)
    changes = dict(
        result.query("""
        select simulation_year, count(*) filter (where event_type = 'deferral_escalation')
        from fct_yearly_events group by 1
    """)
    )
    assert (changes[2025], changes[2026]) == (0, 0)
    assert changes[2027] > 200
    found = [rule for year in (2025, 2026, 2027) for rule in result.verdicts()[year] if rule["rule"] == "event_spike"]
    assert [rule["passed"] for rule in found] == [True] * 3


@pytest.mark.model
def test_own_changes_that_nobody_could_make_in_the_first_year_are_no_spike(tmp_path: Path) -> None:
    """Changes of elections are of one type: those who opt out in the first year do not stand for the own changes."""
    rows = [{**row, "employee_birth_date": f"{1965 + place % 30}-03-01"} for place, row in enumerate(people(600))]
    overrides = {
        "simulation.end_year": 2026,
        "plan.automatic_enrollment.scope": "all_eligible",
        "plan.own_changes.raise_rate": 0.5,
    }
    result = simulate(tmp_path, rows, overrides)
    changes = result.query("""
        select simulation_year, event_category, count(*) from fct_yearly_events
        where event_type = 'enrollment_change' group by 1, 2 order by 1, 2
    """)
    assert [(year, category) for year, category, _ in changes] == [
        (2025, "opt_out"),
        (2026, "opt_out"),
        (2026, "own_change"),
    ]
    assert changes[-1][2] > 200
    (spike,) = (rule for rule in result.verdicts()[2026] if rule["rule"] == "event_spike")
    assert spike["passed"]


# --- rules of users ---------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_python_rules_are_judged_and_reported(tmp_path: Path) -> None:
    overrides = {FILE: str(python_rules(tmp_path)), "validation.rules.calm": "info"}
    found = verdicts(simulate(tmp_path, people(50), overrides), 2025)
    assert found["has_census"]["passed"]
    assert (found["calm"]["passed"], found["calm"]["severity"]) == (False, "info")
    report = json.loads((tmp_path / "reports" / "year_2025.json").read_text(encoding="utf-8"))
    assert [rule["examples"] for rule in report["validation"] if rule["rule"] == "calm"] == [found["calm"]["examples"]]


@pytest.mark.model
def test_a_folder_of_queries_is_a_rule_each(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    written(folder, "no_hires.sql", HIRES_OF_2026)
    written(folder, "nothing.sql", "select 1 where false")
    found = verdicts(simulate(tmp_path, people(50), {FILE: str(folder), "simulation.end_year": 2026}), 2026)
    assert found["nothing"]["passed"]
    assert (found["no_hires"]["passed"], found["no_hires"]["severity"]) == (False, "error")
    assert found["no_hires"]["description"] == "Nobody is hired after 2025."


@pytest.mark.model
def test_an_installed_package_brings_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python_rules(tmp_path)
    package = tmp_path / "acme_rules-1.0.dist-info"
    package.mkdir()
    written(package, "METADATA", "Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n")
    written(
        package,
        "entry_points.txt",
        "[planalign.validation_rules]\nall = company_rules:RULES\ncalm = company_rules:Calm\n",
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "two validation rules are called calm; rename one" in refusal(tmp_path, {})
    written(package, "entry_points.txt", "[planalign.validation_rules]\nmine = company_rules:Calm\n")
    assert "calm" in verdicts(simulate(tmp_path, people(20)), 2025)
    written(package, "entry_points.txt", "[planalign.validation_rules]\nmine = company_rules:Clam\n")
    assert "entry point mine = company_rules:Clam of planalign.validation_rules: AttributeError" in refusal(
        tmp_path, {}
    )


@pytest.mark.model
def test_a_rule_given_to_the_orchestrator_takes_the_place_of_a_built_in_one(tmp_path: Path) -> None:
    config = configure(tmp_path, people(50), {"simulation.end_year": 2026})
    db = DatabaseConnectionManager(config.runtime.database, threads=1)
    validator = DataValidator(db)
    validator.register_rule(RowCountDriftRule("fct_yearly_events", maximum_drift=0))
    runner = DbtRunner(tmp_path)
    PipelineOrchestrator(config, db, runner, RegistryManager(db), validator).execute_multi_year_simulation()
    found = read_status(config.runtime.database).checkpoints[-1]["validation"]
    drifts = [verdict for verdict in found if verdict["rule"] == "row_count_drift"]
    assert [drift["examples"][0].split(",")[0] for drift in drifts] == ["table_name fct_yearly_events"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.py", None, "there is no such file or folder"),
        ("rules.txt", "x", "must be a .py file, a .sql file or a folder of .sql files"),
        ("rules.py", "x = 1", "AttributeError: module 'planalign_custom_rules' has no attribute 'RULES'"),
        ("rules.py", "import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("rules.py", "RULES = [", "SyntaxError: "),
        ("rules.py", "RULES = [1]", "1 is no rule; it needs a name and a check(connection, year)"),
        ("rules.py", "import sys; sys.exit(0)", "SystemExit: 0"),
        ("empty.sql", " ; ", "is empty"),
        ("empty.sql", "-- nothing yet", "is empty or holds comments only"),
        (
            f"{INVARIANT}.sql",
            "select 1",
            f"a validation rule is called {INVARIANT}, which is an invariant of the model",
        ),
        (".", None, "the folder has no .sql file"),
    ],
)
def test_custom_rules_that_cannot_be_loaded_are_refused(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        written(tmp_path, name, text)
    refused = refusal(tmp_path, {FILE: str(tmp_path / name)})
    assert message in refused


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 1; select 2", "it holds 2 statements (select, select); a rule is one SELECT"),
        ("delete from planalign.main.fct_yearly_events", "a statement of the kind delete"),
        ("delete from planalign.main.fct_yearly_events returning employee_id", "a statement of the kind delete"),
        ("copy (select 1) to 'rows.csv'", "a statement of the kind copy"),
        ("attach 'other.duckdb'", "a statement of the kind attach"),
        ("pragma database_list", "a statement of the kind pragma"),
        ("call pragma_version()", "a statement of the kind call"),
        ("explain analyze select 1", "a statement of the kind explain"),
        ("set variable simulation_year = 2020", "a statement of the kind set"),
        ("commit", "a statement of the kind transaction"),
        (
            "with gone as (delete from t returning a) select a from gone",
            "statement of the kind delete; a rule only reads",
        ),
        ("with kept as (copy t to 'rows.csv') select 1 from kept", "statement of the kind copy; a rule only reads"),
        ("pivot t on a using sum(b)", "a PIVOT whose columns depend on the rows"),
        ("select $year", "it has parameters, and nothing gives them values"),
        ("select 1) union all (select 2", "it is not SQL: Parser Error"),
        ("select from", "it is not SQL: Parser Error"),
    ],
)
def test_a_query_that_is_not_one_select_is_refused(tmp_path: Path, sql: str, message: str) -> None:
    file = written(tmp_path, "my_rule.sql", sql)
    refused = refusal(tmp_path, {FILE: str(file)})
    assert f"{FILE}: {file}: " in refused
    assert message in refused
    with pytest.raises(ConfigurationError, match="configuration problem: validation rule my_rule: ") as caught:
        OrchestratorBuilder().with_config(configure(tmp_path, people(1))).with_rules(SqlRule("my_rule", sql)).build()
    assert message in str(caught.value)


@pytest.mark.model
def test_a_query_may_end_in_a_semicolon_and_a_comment(tmp_path: Path) -> None:
    written(tmp_path, "found.sql", "\ufeff-- Müller's rule.\nselect 'ü;' as umlaut; -- that's all; really")
    overrides = {FILE: str(tmp_path / "found.sql"), "validation.rules.found": "warning"}
    found = verdicts(simulate(tmp_path, people(5), overrides), 2025)["found"]
    assert (found["examples"], found["description"]) == (["umlaut ü;"], "Müller's rule.")


def test_every_query_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    written(folder, "one.sql", "checkpoint")
    (folder / "two.sql").write_bytes("select 'ü'".encode("latin-1"))
    (folder / "three.sql").mkdir()
    refused = refusal(tmp_path, {FILE: str(folder)})
    assert "3 configuration problems" in refused
    assert f"{folder / 'two.sql'}: it is not UTF-8 text; save it as UTF-8" in refused


# --- what it does to a run --------------------------------------------------------------------------------------------


@pytest.fixture
def planalign(
    tmp_path: Path, generated: Callable[[int], Path], capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs 200 people for 2025-2026 by the command line: exit code and what it said."""
    configure(tmp_path, generated(200))

    def call(*arguments: str | Path, end_year: int = 2026) -> tuple[int, str]:
        config = ("-c", tmp_path / "simulation_config.yaml", "--database", tmp_path / "simulation.duckdb")
        with pytest.raises(SystemExit) as left:
            main([str(part) for part in ("run", *config, "--end-year", end_year, *arguments)])
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out + captured.err

    return call


@pytest.mark.model
def test_a_failed_rule_is_reported_and_stops_a_strict_run(
    planalign: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    rule = ("--set", f"{FILE}={written(tmp_path, 'no_hires.sql', HIRES_OF_2026)}")
    code, said = planalign(*rule, "--fail-on-validation-error")
    assert code == 3
    assert "year 2026 was rolled back, 1 validation rules failed:" in said
    assert "no_hires: " in said
    assert "employee_id NH_2026_" in said
    database = tmp_path / "simulation.duckdb"
    assert read_status(database).years == [2025]
    code, said = planalign(
        *rule, "--resume", "--fail-on-validation-error", "--set", "validation.rules.no_hires=warning"
    )
    assert (code, read_status(database).years) == (0, [2025, 2026])
    code, said = planalign(*rule)
    assert code == 0
    assert "2026:  error no_hires: " in said
    report = json.loads((tmp_path / "reports" / "year_2026.json").read_text(encoding="utf-8"))
    assert [rule["passed"] for rule in report["validation"] if rule["rule"] == "no_hires"] == [False]


@pytest.mark.model
def test_a_broken_rule_is_refused_before_anything_is_simulated(
    planalign: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    assert planalign()[0] == 0
    database = tmp_path / "simulation.duckdb"
    before = read_status(database)
    broken = written(tmp_path, "broken.sql", "select employe_id from planalign.main.fct_yearly_events")
    for more, end_year in ((), 2026), (("--resume",), 2027):
        code, said = planalign("--set", f"{FILE}={broken}", *more, end_year=end_year)
        assert code == 2, said
        assert "validation rule broken cannot be used: " in said
        assert 'Candidate bindings: "employee_id"' in said
        assert read_status(database) == before
    code, said = planalign("--set", f"{FILE}={python_rules(tmp_path, 'return None')}")
    assert code == 2
    assert "validation rule calm cannot be used: its check returned NoneType, not a ValidationResult" in said


@pytest.mark.model
def test_a_rule_that_raises_names_itself_and_rolls_the_year_back(
    planalign: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    raising = python_rules(tmp_path, "assert year == 2025 or events == 0, 'no more'")
    code, said = planalign("--set", f"{FILE}={raising}")
    assert code == 1
    assert "year 2026, validation rule calm: AssertionError: no more; the year was rolled back" in said
    assert read_status(tmp_path / "simulation.duckdb").years == [2025]


def test_validate_lists_what_is_wrong_with_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(tmp_path, people(5))
    rules = ("--set", "validation.rules.event_spik=off", "--set", f"validation.rules.{INVARIANT}=off")
    with pytest.raises(SystemExit) as left:
        main(["validate", "-c", str(tmp_path / "simulation_config.yaml"), *rules])
    captured = capsys.readouterr()
    assert left.value.code == 2
    assert "event_spik: there is no such rule" in captured.out + captured.err
    assert f"{INVARIANT} = off" in captured.out + captured.err


def test_a_full_disk_or_an_interrupt_is_not_the_doing_of_a_rule(sample_run: Result) -> None:
    class Interrupted:
        name = "interrupted"

        def check(self, connection: duckdb.DuckDBPyConnection, year: int) -> ValidationResult:
            raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")

    with DatabaseConnectionManager(sample_run.database, read_only=True) as db:
        validator = DataValidator(db)
        validator.register_rule(Interrupted())
        with pytest.raises(duckdb.InterruptException):
            validator.validate_year_results(2025)
        other = DataValidator(db)
        other.register_rule(SqlRule("wrong", "select nothing", severity=ValidationSeverity.INFO))
        with pytest.raises(PipelineStageError, match="year 2025, validation rule wrong: BinderException"):
            other.validate_year_results(2025)
