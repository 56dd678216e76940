"""What is printed: it fits 80 columns without breaking a number, and nothing in it commands the terminal."""

import fcntl
import json
import logging
import os
import pty
import re
import select
import struct
import sys
import termios
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planalign_orchestrator.cli.output import log_to_standard_error, show_table, write_notes_as
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.escaping import visible, visible_json, visible_line
from planalign_orchestrator.reports import ConsoleReporter, MultiYearReporter
from planalign_orchestrator.reports.tables import aligned, blocks, wrapped
from tests.companies import people, write_rows
from tests.laboratory import Result
from tests.program import ROOT, Planalign

# recolours, clears the screen, sets the title, reverses the direction, ends a C1 sequence, is no text at all
HOSTILE = "a\x1b[31mb\x07c\x9b2Jd\u202ee\u2066f\x7fg\rh"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
MILLION = "1,000,000 - 120,000 + 200,000 - 50,000 = 1,030,000"


# --- control characters ---------------------------------------------------------------------------------------------


@given(st.text())
def test_text_is_safe_and_escaping_it_again_changes_nothing(text: str) -> None:
    shown = visible(text)
    assert not UNSAFE.search(shown)
    assert visible(shown) == shown
    assert shown.count("\n") == text.count("\n")
    assert "\n" not in visible_line(text)
    assert shown.encode().decode() == shown
    if text.isprintable():
        assert shown == text


@given(st.text())
def test_json_is_safe_and_holds_the_same_value(text: str) -> None:
    written = visible_json({"text": text})
    assert not UNSAFE.search(written)
    assert json.loads(written) == {"text": text}


def test_escapes_say_what_was_there() -> None:
    assert visible(HOSTILE) == r"a\x1b[31mb\x07c\x9b2Jd\u202ee\u2066f\x7fg\rh"
    assert visible(os.fsdecode(b"caf\xe9.csv")) == r"caf\xe9.csv"
    assert visible("1\t2\n3 é 漢") == "1\\t2\n3 é 漢"


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--years", HOSTILE),
        ("run", "--set", f"simulation.{HOSTILE}=1"),
        ("run", f"--{HOSTILE}"),
        (HOSTILE,),
        ("status", "-c", HOSTILE),
        ("status", "--database", HOSTILE, "-c", HOSTILE),
        ("census", "check", f"{HOSTILE}.csv"),
        ("report", "--format", HOSTILE),
        ("compare-runs", HOSTILE, "b.duckdb"),
        ("migrate", "config", HOSTILE),
    ],
    ids=lambda arguments: visible_line(" ".join(arguments)),
)
@pytest.mark.parametrize("as_json", [False, True])
def test_no_error_commands_the_terminal(
    planalign: Planalign, project: Path, arguments: Sequence[str], as_json: bool
) -> None:
    done = planalign(*arguments, *(["--json"] if as_json else []))
    assert done.code in (1, 2)
    assert not UNSAFE.search(done.out + done.err)
    assert "b" in done.err


def test_no_id_or_heading_of_a_census_commands_the_terminal(planalign: Planalign, project: Path) -> None:
    hostile = HOSTILE.replace("\r", "")
    rows = [{**row, "employee_id": f"{hostile}{at}", hostile: "x"} for at, row in enumerate(people(3))]
    rows.append({**rows[0], "employee_gross_compensation": "-5"})
    write_rows(project / "bad.csv", rows)
    for arguments in (
        ("census", "check", "bad.csv"),
        ("census", "map", "bad.csv"),
        ("validate", "--census", "bad.csv"),
    ):
        for options in ((), ("--json",)):
            done = planalign(*arguments, *options)
            assert not UNSAFE.search(done.out + done.err), arguments
            assert "31mb" in done.out + done.err


def test_reports_escape_names_but_the_data_keeps_them(sample_run: Result) -> None:
    with DatabaseConnectionManager(sample_run.database, read_only=True) as db:
        summary = MultiYearReporter(db).generate_summary([2025])
    hostile = replace(summary, scenario_id=HOSTILE, years=(replace(summary.years[0], scenario_id=HOSTILE),))
    text = ConsoleReporter().format_summary(hostile) + ConsoleReporter().format_year_audit(hostile.years[0])
    assert not UNSAFE.search(text)
    assert text.count(r"a\x1b[31mb") == 2
    assert hostile.to_dict()["scenario_id"] == HOSTILE


def test_the_log_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    write_notes_as(as_json=False)
    log_to_standard_error(logging.WARNING)
    logging.getLogger("planalign_orchestrator.test").warning("found %s", HOSTILE)
    assert capsys.readouterr().err == f"found {visible(HOSTILE)}\n"
    write_notes_as(as_json=True)
    logging.getLogger("planalign_orchestrator.test").warning("found %s", HOSTILE)
    write_notes_as(as_json=False)
    assert json.loads(capsys.readouterr().err) == {"note": f"found {HOSTILE}"}


# --- tables ----------------------------------------------------------------------------------------------------------

CELL = st.one_of(
    st.from_regex(r"-?[0-9]{1,3}(,[0-9]{3}){0,4}(\.[0-9]{2})?", fullmatch=True),
    st.lists(st.from_regex(r"[a-z_]{1,20}|[0-9,]{1,9}", fullmatch=True), min_size=1, max_size=12).map(" ".join),
)


@given(st.integers(1, 9).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=4)))
def test_a_table_loses_no_word_and_breaks_no_number(rows: list[list[str]]) -> None:
    left = range(0, len(rows[0]), 2)
    found = blocks(rows, left=left, keys=1)
    shown = [" ".join(cell.split()) for block in found for row in block.rows for cell in row]
    assert {" ".join(cell.split()) for row in rows for cell in row} == set(shown)
    # Only a word or number that has no place to break runs over, beside the key.
    parts = [
        part for row in rows for at, cell in enumerate(row) for part in (wrapped(cell, 1) if at in left else [cell])
    ]
    if max(map(len, parts)) <= 24:
        assert max(map(len, aligned(rows, left=left, keys=1))) <= 80


@pytest.mark.parametrize("equation", ["4,872 - 585 + 975 - 244 = 5,018", MILLION])
def test_an_equation_stays_on_one_line(equation: str) -> None:
    headings = ("Year", "Headcount", "Growth", "Average pay", "Pay growth", "Paid in the year", "Checks")
    row = ("2025", equation, "3.0 %", "123,456", "7.3 %", "123,456,789,012", "32 passed, 1 noted")
    lines = aligned([headings, row], left=(0, 1, 6), keys=1)
    assert any(equation in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert {number for line in lines for number in NUMBER.findall(line)} == set(NUMBER.findall(" ".join(row)))
    assert all(line.startswith(("Year", "2025")) or not line for line in lines)


def test_a_table_that_fits_stays_whole_and_a_wide_terminal_has_room() -> None:
    rows = [["Year", *(f"heading number {n}" for n in range(8))], ["2025", *("1,234,567" for _ in range(8))]]
    assert len(blocks(rows, keys=1)) > 1
    assert len(blocks(rows, keys=1, width=200)) == 1
    assert len(blocks([row[:4] for row in rows], keys=1)) == 1


def test_blocks_are_about_equally_wide() -> None:
    rows = [["Year", *("x" * 12 for _ in range(6))]]
    assert [len(block.rows[0]) for block in blocks(rows, keys=1)] == [4, 4]


def test_wide_and_combining_characters_are_measured_as_a_terminal_shows_them() -> None:
    assert aligned([["漢字", "1"], ["e\u0301te", "2"]], left=(0,)) == ["漢字  1", "e\u0301te   2"]


def test_a_long_name_is_repeated_in_each_block(capsys: pytest.CaptureFixture[str]) -> None:
    """Compared runs: the year and the name of a figure belong to every number."""
    names = ("detailed_status_code: experienced_termination", "total_compensation", "employee_contribution_total")
    rows = [("2025", name, "123,456,789,012.34", "123,456,789,013.45", "-987,654,321.123456") for name in names]
    show_table(("Year", "Workforce", "A", "B", "B - A"), rows, left=(0, 1))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("2025") for line in lines) % len(names) == 0
    assert all(number in " ".join(lines) for row in rows for number in row[2:])


# --- terminals -------------------------------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, folder: Path, columns: int) -> list[str]:
    """Run the program on a terminal of so many columns and return the lines that it showed there, without colours."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
        environment |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        os.execve(sys.executable, [sys.executable, "-m", "planalign_orchestrator", *arguments], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    shown = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            break
    os.waitpid(pid, 0)
    os.close(terminal)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).replace("\r", "").splitlines()


TABLES = [
    ("report", "-c", "simulation_config.yaml"),
    ("report", "-c", "simulation_config.yaml", "--template", "executive"),
    ("report", "-c", "simulation_config.yaml", "--years", "2029"),
    ("config", "show", "-c", "simulation_config.yaml"),
    ("migrate", "config", str(ROOT / "tests" / "legacy_configuration.yaml")),
]


@pytest.mark.parametrize("arguments", TABLES, ids=" ".join)
def test_what_a_terminal_of_80_columns_shows_fits_it(sample_run: Result, arguments: tuple[str, ...]) -> None:
    lines = on_a_terminal(*arguments, folder=sample_run.database.parent, columns=80)
    assert len(lines) > 5
    # A path or a single long word may run over, and a sentence below the tables; a line of numbers may not.
    too_long = [line for line in lines if len(line) > 80 and len(line.split()) > 3]
    assert [line for line in too_long if not line.endswith(".")] == []


def test_a_wide_terminal_shows_tables_in_one_piece(sample_run: Result) -> None:
    options = ("report", "-c", "simulation_config.yaml")
    wide, narrow = (
        "\n".join(on_a_terminal(*options, folder=sample_run.database.parent, columns=columns)) for columns in (140, 80)
    )
    assert len(re.findall(r"(?m)^ *2027 ", wide)) == 4
    assert len(re.findall(r"(?m)^ *2027 ", narrow)) == 6
