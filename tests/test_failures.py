"""What is said when something goes wrong: in words, with what to do, as JSON on demand; bad paths above all."""

import errno
import json
import os
import re
import shutil
import signal
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest
import typer
from pydantic_core import SchemaError

from planalign_orchestrator.cli.failures import failure_of
from planalign_orchestrator.errors import CensusError, ConfigurationError, DatabaseBusyError
from tests.companies import people, write_rows
from tests.laboratory import Result
from tests.program import Planalign

# --- errors as JSON --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "kind", "said"),
    [
        (("run", "-c", "nowhere.yaml"), 2, "ConfigurationError", "nowhere.yaml"),
        (("run", "--set", "simulation.sed=4"), 2, "ConfigurationError", "simulation.sed"),
        (("run", "--years", "25"), 2, "BadParameter", "'25' is no year"),
        (("run", "--yers", "25"), 2, "NoSuchOption", "--yers"),
        (("simulate",), 2, "UsageError", "simulate"),
        (("census", "map"), 2, "MissingParameter", "FILE"),
        (("census", "check", "nowhere.csv"), 2, "CensusError", "nowhere.csv"),
        (("census", "map", "nowhere.csv"), 2, "CensusError", "nowhere.csv"),
        (("status",), 1, "DatabaseError", "does not exist"),
        (("report",), 1, "DatabaseError", "does not exist"),
        (("checkpoint",), 1, "DatabaseError", "does not exist"),
        (("backup",), 1, "DatabaseError", "does not exist"),
        (("restore",), 1, "DatabaseError", "there is no backup"),
        (("compare-runs", "a.duckdb", "b.duckdb"), 2, "ComparisonError", "does not exist"),
        (("config", "show", "-c", "nowhere.yaml"), 2, "ConfigurationError", "nowhere.yaml"),
        (("migrate", "config", "nowhere.yaml"), 2, "ConfigurationError", "nowhere.yaml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_error_with_json_is_one_document_with_the_same_exit_code(
    planalign: Planalign, project: Path, arguments: Sequence[str], code: int, kind: str, said: str
) -> None:
    done = planalign(*arguments, "--json")
    assert done.code == planalign(*arguments).code == code
    document = json.loads(done.err)
    assert (document["exit_code"], document["type"]) == (code, kind)
    assert said in document["error"]
    # What `census check` finds is its result, too.
    assert done.out == "" or done.document["problems"] == document["problems"]


def test_the_problems_of_an_error_are_a_list(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "--json", "--set", "simulation.sed=4", "--set", "workforce.voluntary_share=7")
    problems = json.loads(done.err)["problems"]
    assert len(problems) == 2
    write_rows(project / "bad.csv", [{**row, "employee_gross_compensation": "-5"} for row in people(2)])
    checked = planalign("census", "check", "bad.csv", "--json")
    assert json.loads(checked.err)["problems"] == checked.document["problems"] != []


@pytest.mark.model
def test_with_json_standard_error_holds_documents_only(planalign: Planalign, project: Path) -> None:
    done = planalign("run", "--json", "-v", "--years", "2025")
    notes = [json.loads(line)["note"] for line in done.err.splitlines()]
    assert any(note.startswith("2025 validation: ") for note in notes)
    assert planalign("run", "--json", "--years", "2025").err == ""
    failed = planalign("run", "--json", "-v", "-c", "nowhere.yaml")
    *notes, error = [json.loads(line) for line in failed.err.splitlines()]
    assert any("Traceback" in note["note"] for note in notes)
    assert error["exit_code"] == 2


# --- errors of others, in words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block"), "raise runtime.memory_limit"),
        (duckdb.SerializationException("Serialization Error: Failed to deserialize"), "`planalign restore`"),
        (duckdb.InternalException("INTERNAL Error: something"), "the database file is damaged"),
        (duckdb.FatalException("FATAL Error: something"), "the database file is damaged"),
        (duckdb.IOException("IO Error: Corrupt database file: checksum"), "the database file is damaged"),
        (duckdb.IOException("IO Error: Could not read from file"), "cannot be read or written"),
        (duckdb.IOException("IO Error: No space left on device"), "the disk is full"),
        (duckdb.IOException("IO Error: Could not set lock on file"), "in use by another process"),
        (duckdb.CatalogException("Catalog Error: Table x does not exist"), "changed by hand"),
        (duckdb.BinderException("Binder Error: no column x"), "changed by hand"),
        (MemoryError(), "out of memory"),
        (PermissionError(errno.EACCES, "Permission denied", "x.yaml"), "x.yaml: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"), "cannot be expressed in utf-8"),
        (ValueError("embedded null byte"), "null byte"),
        (typer.Abort(), "not answered"),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, Exception) else "",
)
def test_what_went_wrong_is_said_in_words(error: Exception, said: str) -> None:
    failure = failure_of(error)
    assert said in failure.text
    assert "unexpected" not in failure.text
    assert failure.exit_code == 1
    assert failure.document == {"error": failure.message, "type": type(error).__name__, "exit_code": 1}


@pytest.mark.parametrize("error", [TypeError("x"), KeyError("x"), ZeroDivisionError(), duckdb.ParserException("x")])
def test_a_mistake_in_the_program_is_called_unexpected(error: Exception) -> None:
    assert failure_of(error).text.startswith(f"Error: unexpected {type(error).__name__}: ")


def test_an_interrupt_is_one_even_where_a_library_makes_another_error_of_it() -> None:
    aborted = typer.Abort()
    aborted.__context__ = KeyboardInterrupt()
    schema = SchemaError('Error building "definitions" validator:\n  KeyboardInterrupt: ')
    for error in (aborted, RuntimeError("Query interrupted"), duckdb.InterruptException("x"), schema):
        assert (failure_of(error).exit_code, failure_of(error).text) == (130, "Interrupted.")


@pytest.mark.parametrize("error", [ConfigurationError(["a", "b"]), CensusError("c"), DatabaseBusyError("d")])
def test_an_error_of_the_package_says_itself(error: ConfigurationError | CensusError | DatabaseBusyError) -> None:
    assert failure_of(error).text == f"Error: {error}"
    assert failure_of(error).exit_code == error.exit_code


@pytest.mark.model
def test_a_damaged_database_is_called_damaged(planalign: Planalign, project: Path) -> None:
    planalign("run", "-q")
    content = (project / "simulation.duckdb").read_bytes()
    # the pages after the header, in turn: whatever is hit, it is no surprise
    codes = []
    for at in range(12_288, len(content), len(content) // 25):
        damaged = bytearray(content)
        damaged[at : at + 4096] = b"\xa5" * 4096
        (project / "damaged.duckdb").write_bytes(damaged)
        for command in ("status", "report", "checkpoint"):
            done = planalign(command, "--database", "damaged.duckdb")
            codes.append(done.code)
            assert "unexpected" not in done.err
            assert done.code == 0 or "planalign restore" in done.err
    assert 1 in codes


# --- the last line of a run whose results are in doubt ---------------------------------------------------------------


@pytest.mark.model
def test_a_failed_rule_of_severity_error_is_the_last_line(planalign: Planalign, project: Path) -> None:
    rule = "row_count_drift"
    options = ("--set", f"validation.rules={{{rule}: {{severity: error, maximum_drift: 0.000001}}}}")
    done = planalign("run", *options)
    assert done.code == 0
    last = done.out.splitlines()[-1]
    assert re.fullmatch(
        rf"\d+ validation rules? of severity error failed \(.*202\d: {rule}.*\); "
        r"--fail-on-validation-error would have stopped the run\.",
        last,
    )
    failed = planalign("run", "--json", *options).document["failed_error_rules"]
    assert failed
    assert {name for names in failed.values() for name in names} == {rule}
    assert planalign("run", "--json").document["failed_error_rules"] == {}
    assert planalign("run", *options, "--fail-on-validation-error").code == 3


# --- paths -----------------------------------------------------------------------------------------------------------

BAD_PATHS = {
    "empty": "",
    "blank": " ",
    "question mark": "what?.x",
    "star": "a*.x",
    "bracket": "a[b.x",
    "backslash": "a\\b.x",
    "quotes": "a'b\"c.x",
    "line feed": "a\nb.x",
    "long name": "n" * 300,
    "long path": "/".join(["d" * 200] * 25),
    "not UTF-8": "caf\udce9.x",
    "null byte": "a\0b",
    "folder": "folder",
    "folder with slash": "folder/",
    "endless device": "/dev/zero",
    "pipe": "pipe",
    "below a file": "file.txt/x",
    "no permission": "closed/x",
    "home of nobody": "~nobody-of-that-name/x",
}
# Each takes the path in the place of {}; those that write come with a database to read.
USES = {
    "run config": ("run", "-q", "-c", "{}"),
    "run database": ("run", "-q", "--years", "2025", "--database", "{}"),
    "run census": ("run", "-q", "--years", "2025", "--set", "census.path={}"),
    "run reports": ("run", "-q", "--years", "2025", "--set", "reports.directory={}"),
    "run checkpoints": ("run", "-q", "--years", "2025", "--set", "runtime.checkpoint_directory={}"),
    "run rules": ("run", "-q", "--years", "2025", "--set", "validation.custom_rules_file={}"),
    "run table": ("run", "-q", "--years", "2025", "--set", "parameters.job_levels={}"),
    "dry run": ("run", "--dry-run", "--database", "{}"),
    "dry run of a census": ("run", "--dry-run", "--set", "census.path={}"),
    "validate": ("validate", "--database", "{}"),
    "validate census": ("validate", "--census", "{}"),
    "validate config": ("validate", "-c", "{}"),
    "checkpoint": ("checkpoint", "--database", "{}"),
    "status": ("status", "--database", "{}"),
    "report": ("report", "--database", "{}"),
    "report output": ("report", "--database", "kept.duckdb", "-o", "{}"),
    "backup": ("backup", "--database", "{}"),
    "backup to": ("backup", "--database", "kept.duckdb", "--to", "{}"),
    "restore": ("restore", "--database", "{}"),
    "restore from": ("restore", "--database", "simulation.duckdb", "--from", "{}"),
    "compare runs": ("compare-runs", "kept.duckdb", "{}"),
    "init": ("init", "{}"),
    "config show": ("config", "show", "-c", "{}"),
    "config show database": ("config", "show", "--database", "{}"),
    "census check": ("census", "check", "{}"),
    "census check config": ("census", "check", "data/census.csv", "-c", "{}"),
    "census map": ("census", "map", "{}"),
    "census generate": ("census", "generate", "--size", "10", "-o", "{}"),
    "migrate config": ("migrate", "config", "{}"),
    "migrate config census": ("migrate", "config", "legacy.yaml", "--census", "{}"),
    "migrate config output": ("migrate", "config", "legacy.yaml", "-o", "{}"),
    "migrate checkpoints": ("migrate", "checkpoints", "--directory", "{}"),
}

WRITERS = ("run database", "restore", "report output", "backup to", "census generate", "migrate config output")


@pytest.fixture
def littered(project: Path, sample_run: Result) -> Iterator[Path]:
    """Return a project with a folder, a pipe, a file and a place without permission in it."""
    shutil.copy(sample_run.database, project / "kept.duckdb")
    (project / "legacy.yaml").write_text("simulation: {start_year: 2025, end_year: 2026}\n", encoding="utf-8")
    (project / "folder").mkdir()
    (project / "file.txt").write_text("text", encoding="utf-8")
    os.mkfifo(project / "pipe")
    (project / "closed").mkdir(mode=0o000)
    # A pipe that is opened without anybody at its other end waits for ever.
    signal.setitimer(signal.ITIMER_REAL, 60)
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("the command hangs"))
    yield project
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    (project / "closed").chmod(0o700)


# each use gets every third path, the next use those after them
STEP = 3


@pytest.mark.parametrize(("place", "use"), [*enumerate(USES)], ids=USES)
def test_any_path_works_or_is_refused_in_words(planalign: Planalign, littered: Path, place: int, use: str) -> None:
    demand_words(planalign, littered, use, [*BAD_PATHS][place % STEP :: STEP])


@pytest.mark.soak
@pytest.mark.parametrize("use", USES)
def test_every_path_works_or_is_refused_in_words(planalign: Planalign, littered: Path, use: str) -> None:
    demand_words(planalign, littered, use, [*BAD_PATHS])


def demand_words(planalign: Planalign, littered: Path, use: str, names: Sequence[str]) -> None:
    """Use each path; no command hangs, ends unexpectedly, or touches what is no file of ours."""
    for name in names:
        path = BAD_PATHS[name]
        if path.startswith("/dev") and use in WRITERS:
            # The pipe stands for devices here: a mistake would replace one of this machine's.
            continue
        done = planalign(*(word.replace("{}", path) for word in USES[use]))
        where = f"{use} with {name}: {done.err[:400]}"
        assert done.code in (0, 1, 2), where
        assert "unexpected" not in done.err, where
        assert "Traceback" not in done.err, where
        assert done.code == 0 or done.err or "problem" in done.out, where
    assert (littered / "file.txt").read_text(encoding="utf-8") == "text"
    assert stat.S_ISFIFO((littered / "pipe").stat().st_mode)
