"""Rules that users write as code: executed only where the user asked for it, and held to reading."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from planalign_orchestrator.cli import main
from planalign_orchestrator.config import SimulationConfig
from planalign_orchestrator.database.checkpoints import read_status
from planalign_orchestrator.errors import ConfigurationError, PipelineStageError
from planalign_orchestrator.factory import build_orchestrator
from planalign_orchestrator.utils import DatabaseConnectionManager
from planalign_orchestrator.validation import DataValidator, SqlRule, ValidationResult, ValidationRule
from planalign_orchestrator.validation import ValidationSeverity as Severity
from tests.companies import configure, people
from tests.crash_child import Contents, contents
from tests.laboratory import simulate

FILE = "validation.custom_rules_file"
YEARS: Mapping[str, object] = {"simulation.end_year": 2026}
Connection = duckdb.DuckDBPyConnection


class Rule:
    """A rule that always passes, and does something else beside from the year `since` on."""

    def __init__(self, does: Callable[[Connection], object], since: int = 2026, name: str = "meddler") -> None:
        self.name = name
        self._does = does
        self._since = since

    def check(self, connection: Connection, year: int) -> ValidationResult:
        """Return that all is well."""
        if year >= self._since:
            self._does(connection)
        return ValidationResult(self.name, Severity.ERROR, True, 0, (), False, "")


def executing(*statements: str) -> Callable[[Connection], None]:
    def does(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return does


def by_another_connection(connection: Connection) -> None:
    connection.cursor().execute("update planalign.main.fct_annual_metrics set value = 0 where simulation_year = 2025")


def committing_and_raising(connection: Connection) -> None:
    connection.commit()
    raise ValueError("and that is that")


def swallowing(connection: Connection) -> None:
    with suppress(duckdb.Error):
        connection.execute("select nothing_like_this")


def closing(connection: Connection) -> None:
    connection.close()


def leaving(connection: Connection) -> None:
    raise SystemExit(0)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Contents:
    """What two years of thirty people leave where no rule meddles."""
    return contents(simulate(tmp_path_factory.mktemp("undisturbed"), people(30), YEARS).database)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Contents:
    """What the first of two years of thirty people leaves where a rule stops the second by raising."""
    config = configure(tmp_path_factory.mktemp("stopped"), people(30), YEARS)
    with pytest.raises(PipelineStageError, match="SystemExit"):
        run(config, Rule(leaving))
    return contents(config.runtime.database)


def run(config: SimulationConfig, *rules: ValidationRule, resume: bool = False) -> None:
    build_orchestrator(config, rules=rules).execute_multi_year_simulation(resume_from_checkpoint=resume)


ONLY_READS = "; a rule only reads; the year was rolled back"
MEDDLING = [
    (
        executing("delete from planalign.main.fct_yearly_events where simulation_year = 2026"),
        "validation rule meddler changed fct_yearly_events (",
    ),
    (
        executing("update planalign.main.fct_workforce_snapshot set employee_id = 'X' where simulation_year = 2025"),
        "changed fct_workforce_snapshot (75 rows before, 75 after)",
    ),
    (executing("delete from planalign.inputs.census where employee_id = 'P0001'"), "changed inputs.census (30 rows"),
    (executing("update planalign.parameters.irs_limits set source = ''"), "changed parameters.irs_limits ("),
    (executing("delete from planalign.main.enrollment_registry"), "changed enrollment_registry ("),
    (executing("update planalign.main.checkpoints set engine = 'dbt'"), "changed checkpoints (1 rows"),
    (executing("update planalign.main.run_metadata set random_seed = 1"), "changed run_metadata (1 rows"),
    (executing("create table planalign.main.mine as select 1 as a"), "left planalign.main.mine behind"),
    (executing("create temp table fct_yearly_events as select 1 as a"), "left temp.main.fct_yearly_events behind"),
    (executing("create macro planalign.main.abs(x) as 0"), "left planalign.main.abs behind"),
    (executing("drop table planalign.main.fct_plan_cost"), "dropped planalign.main.fct_plan_cost"),
    (
        executing("alter table planalign.main.fct_plan_cost add column mine integer"),
        "altered planalign.main.fct_plan_cost",
    ),
    (executing("set TimeZone = 'Asia/Tokyo'"), "set TimeZone from UTC to Asia/Tokyo"),
    (executing("use memory"), "set search_path from planalign.main to memory.main"),
    (executing("rollback", "begin"), "validation rule meddler ended the year's transaction"),
    (executing("rollback"), "validation rule meddler ended the year's transaction"),
]


@pytest.mark.parametrize(("does", "message"), MEDDLING, ids=[message for _, message in MEDDLING])
def test_a_rule_that_does_not_only_read_is_named_and_leaves_nothing(
    tmp_path: Path, stopped: Contents, does: Callable[[Connection], None], message: str
) -> None:
    config = configure(tmp_path, people(30), YEARS)
    with pytest.raises(PipelineStageError, match=r"^year 2026, validation rule meddler ") as caught:
        run(config, Rule(does))
    assert message in str(caught.value)
    assert str(caught.value).endswith(ONLY_READS)
    assert contents(config.runtime.database) == stopped


@pytest.mark.parametrize(
    "does",
    [executing("commit"), executing("commit", "begin"), committing_and_raising],
    ids=["commit", "commit and begin", "commit and raise"],
)
def test_what_a_rule_committed_of_a_year_does_not_stay(
    tmp_path: Path, undisturbed: Contents, stopped: Contents, does: Callable[[Connection], None]
) -> None:
    config = configure(tmp_path, people(30), YEARS)
    with pytest.raises(PipelineStageError, match=r"^year 2026, validation rule meddler"):
        run(config, Rule(does))
    assert contents(config.runtime.database) == stopped
    run(config, resume=True)
    assert contents(config.runtime.database) == undisturbed


@pytest.mark.model
def test_a_rule_that_writes_by_another_connection_is_named_and_found_out_again(tmp_path: Path) -> None:
    config = configure(tmp_path, people(30), YEARS)
    with pytest.raises(PipelineStageError) as caught:
        run(config, Rule(by_another_connection))
    message = "year 2026, validation rule meddler wrote to the file past the year's transaction; a rule only reads; "
    assert str(caught.value).startswith(message)
    assert "--resume refuses them if they were changed" in str(caught.value)


@pytest.mark.parametrize(
    ("does", "message"),
    [
        (swallowing, "it left the connection so that nothing can be read any more"),
        (closing, "it left the connection so that nothing can be read any more"),
        (leaving, "SystemExit: 0"),
        (executing("select * from read_csv('nowhere.csv')"), "IOException: IO Error: No files found"),
    ],
    ids=["swallowing", "closing", "leaving", "reading"],
)
def test_a_rule_that_fails_in_its_own_way_is_named(
    tmp_path: Path, stopped: Contents, does: Callable[[Connection], None], message: str
) -> None:
    config = configure(tmp_path, people(30), YEARS)
    with pytest.raises(PipelineStageError, match=r"^year 2026, validation rule meddler: ") as caught:
        run(config, Rule(does))
    assert message in str(caught.value)
    assert contents(config.runtime.database) == stopped


def test_a_verdict_that_no_report_can_hold_is_refused(tmp_path: Path) -> None:
    class Wrong(Rule):
        def check(self, connection: Connection, year: int) -> ValidationResult:
            return ValidationResult("wrong", Severity.ERROR, False, 1, cast(Any, ({1, 2},)), False, "")

    config = configure(tmp_path, people(5))
    with pytest.raises(
        ConfigurationError, match="validation rule wrong cannot be used: Object of type set is not JSON"
    ):
        run(config, Wrong(executing(), name="wrong"))


@pytest.mark.model
def test_a_meddling_rule_is_refused_at_its_trial_and_the_old_results_stay(tmp_path: Path) -> None:
    before = simulate(tmp_path, people(5))
    kept = contents(before.database)
    for statement in ("delete from planalign.inputs.census", "commit", "create table planalign.main.mine (a integer)"):
        with pytest.raises(ConfigurationError, match="validation rule meddler cannot be used: it "):
            run(before.config, Rule(executing(statement), since=2025))
        assert contents(before.database) == kept


def test_a_rule_that_only_reads_and_tidies_up_is_no_meddler(tmp_path: Path, undisturbed: Contents) -> None:
    config = configure(tmp_path, people(30), YEARS)
    tidy = executing(
        "create temp table mine as from planalign.main.fct_yearly_events",
        "from mine",
        "drop table mine",
        "attach ':memory:' as other",
        "detach other",
        "set variable simulation_year = 1999",
    )
    since_2026 = SqlRule("since_2026", "select 1 where getvariable('simulation_year')::integer not in (2025, 2026)")
    run(config, Rule(tidy, since=2025), since_2026)
    assert {name: rows for name, rows in contents(config.runtime.database).items() if "checkpoints" not in name} == {
        name: rows for name, rows in undisturbed.items() if "checkpoints" not in name
    }
    found = {
        (year["simulation_year"], verdict["rule"]): verdict["passed"]
        for year in read_status(config.runtime.database).checkpoints
        for verdict in year["validation"]
    }
    assert found[2026, "meddler"]
    assert found[2025, "since_2026"]
    assert found[2026, "since_2026"]


@pytest.mark.model
def test_a_rule_on_a_finished_database_is_held_to_reading_too(tmp_path: Path) -> None:
    result = simulate(tmp_path, people(5))
    before = contents(result.database)
    with DatabaseConnectionManager(result.database) as db:
        validator = DataValidator(db)
        validator.register_rule(Rule(executing("delete from planalign.main.fct_yearly_events"), since=2025))
        with pytest.raises(PipelineStageError, match="meddler changed fct_yearly_events"):
            validator.validate_year_results(2025)
    assert contents(result.database) == before


# --- only where the user asked for it ---------------------------------------------------------------------------------

MARKING = """
from pathlib import Path

with Path(__file__).with_name("executed").open("a") as file:
    file.write("x")

from planalign_orchestrator.validation import SqlRule

RULES = [SqlRule("mine", "select 1 where false")]
"""


@pytest.fixture
def planalign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a command on a project of five people with rules in Python: exit code and output."""
    configure(tmp_path, people(5))
    (tmp_path / "rules.py").write_text(MARKING, encoding="utf-8")
    file = tmp_path / "simulation_config.yaml"
    file.write_text(
        f"census: {{path: census.csv}}\nsimulation: {{end_year: 2025}}\nruntime: {{threads: 1}}\n"
        f"validation: {{custom_rules_file: {tmp_path / 'rules.py'}, rules: {{mine: warning}}}}\n",
        encoding="utf-8",
    )

    def call(*arguments: str) -> tuple[int, str]:
        database = ("--database", str(tmp_path / "simulation.duckdb"))
        with pytest.raises(SystemExit) as left:
            main([*arguments, "-c", str(file), *database])
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out + captured.err

    return call


def executions(folder: Path) -> int:
    marker = folder / "executed"
    return len(marker.read_text(encoding="utf-8")) if marker.exists() else 0


@pytest.mark.model
def test_only_a_run_and_a_trial_execute_a_rules_file(planalign: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, said = planalign("validate")
    assert code == 0, said
    assert f"{FILE} = {tmp_path / 'rules.py'} was not executed; --execute-rules tries it" in said
    assert "validation.rules: only --execute-rules tells whether there is mine" in said
    assert planalign("run", "--dry-run")[0] == 0
    assert planalign("config", "show")[0] == 0
    assert executions(tmp_path) == 0
    assert planalign("run")[0] == 0
    assert executions(tmp_path) == 1
    for command in (("status",), ("report",), ("report", "-f", "html"), ("checkpoint",), ("backup",), ("validate",)):
        code, said = planalign(*command)
        assert code == 0, said
    assert executions(tmp_path) == 1
    code, said = planalign("validate", "--execute-rules")
    assert (code, executions(tmp_path)) == (0, 2), said
    assert "1 validation rules of users were tried" in said
    assert "not executed" not in said


def test_only_a_run_and_a_trial_execute_the_rules_of_a_package(
    planalign: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "acme_rules-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n", encoding="utf-8")
    entry = "[planalign.validation_rules]\nmine = rules:RULES\n"
    (package / "entry_points.txt").write_text(entry, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    off = ("--set", f"{FILE}=null", "--set", "validation.rules={}")
    code, said = planalign("validate", *off)
    assert (code, executions(tmp_path)) == (0, 0), said
    assert "entry point mine = rules:RULES of planalign.validation_rules was not executed; --execute-rules" in said
    code, said = planalign("validate", "--execute-rules", *off)
    assert (code, executions(tmp_path)) == (0, 1), said
    assert "1 validation rules of users were tried" in said


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("mine.py", "RULES = [", "SyntaxError: "),
        ("mine.sql", "delete from planalign.main.fct_yearly_events", "a statement of the kind delete"),
        ("mine.sql", None, "there is no such file or folder"),
        ("mine.txt", "x", "must be a .py file, a .sql file or a folder of .sql files"),
    ],
)
def test_validate_judges_rules_as_they_are_written(
    planalign: Callable[..., tuple[int, str]], tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    code, said = planalign("validate", "--set", f"{FILE}={tmp_path / name}")
    assert code == 2
    assert message in said


def test_validate_tries_rules_as_a_run_does(planalign: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    query = tmp_path / "mine.sql"
    query.write_text("select employe_id from planalign.main.fct_yearly_events", encoding="utf-8")
    rule = ("--set", f"{FILE}={query}")
    assert planalign("validate", *rule)[0] == 0
    code, said = planalign("validate", "--execute-rules", *rule)
    assert code == 2
    assert "validation rule mine cannot be used: " in said
    assert 'Candidate bindings: "employee_id"' in said
    query.write_text("select 1 where not exists (from planalign.inputs.census)", encoding="utf-8")
    (tmp_path / "census.csv").write_text("employee_id\n", encoding="utf-8")
    code, said = planalign("validate", "--execute-rules", *rule)
    assert code == 2
    assert "the validation rules were loaded but not tried: correct the census first" in said
    assert not (tmp_path / "simulation.duckdb").exists()
