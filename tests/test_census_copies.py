"""The private copy of rows on their way into the database: only what is read of them, and no trace afterwards."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from planalign_orchestrator.files import spilling
from planalign_orchestrator.files.text import Selection, copy_rows
from tests.companies import Row, person, write_rows
from tests.test_census import as_lines, load, refusal, write_lines
from tests.test_census_files import workbook

PEOPLE: list[Row] = [person("A", private="123-45-6789", note=""), person("B", private="", note="hush")]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the one for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_only_what_is_read_is_copied() -> None:
    rows = [
        ["id", "ssn", "pay"],
        ["A", "123-45-6789", "1"],
        [],
        ["B", " ", "2"],
        ["C"],
        [" "],
        ["D", "x", "3", "4"],
        [],
    ]
    copy = io.StringIO()
    copy_rows(rows, Selection(3, (2, 0), frozenset({4})), copy)
    assert copy.getvalue().splitlines() == ["1,pay,id,", "1,1,A,", ",,,", "1,2,B,", "-", " ", ",,,,-"]


@pytest.mark.parametrize("kind", ["excel", "irregular text"])
@pytest.mark.parametrize("nameless", [True, False], ids=["nameless", "named"])
def test_the_copy_is_read_and_gone(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, kind: str, nameless: bool
) -> None:
    if not nameless:
        monkeypatch.setattr(spilling, "OPEN_FILES", tmp_path / "there is no such folder")
    heading, a, b = as_lines(PEOPLE)
    if kind == "excel":
        path = workbook(
            tmp_path / "team.xlsx", ("People", [list(PEOPLE[0]), [*PEOPLE[0].values()], [], [*PEOPLE[1].values()]])
        )
    else:
        path = write_lines(tmp_path / "team.csv", [heading, a, "", b])
    loaded = load(path)
    assert loaded.values("employee_id") == ["A", "B"]
    assert loaded.values("row_number") == [2, 4]
    assert list(temporary.iterdir()) == []


def test_rows_of_a_copy_are_numbered_and_refused_as_those_of_the_file(tmp_path: Path) -> None:
    heading, a, b = as_lines(PEOPLE)
    lines = [heading, a, "B,1985-06-15", "", b.replace("B,", "C,"), f"{b},x", " ", ",,,,,secret", a.replace("A,", "E,")]
    loaded = load(write_lines(tmp_path / "team.csv", lines), on_invalid_rows="quarantine")
    assert [(row["row_number"], row["employee_id"]) for row in loaded.rows] == [(2, "A"), (5, "C"), (9, "E")]
    assert [(row["row_number"], row["reasons"].split(";")[0]) for row in loaded.quarantine] == [
        (3, "the row has fewer than 6 values"),
        (6, "the row has more than 6 values"),
        (8, "employee_id is missing"),
    ]
    assert "blank rows left out: 2" in loaded.summary.notes


def test_a_carriage_return_in_a_value_is_named(tmp_path: Path) -> None:
    assert refusal([person("A\rB"), person("C")], tmp_path) == [
        r"employee_id contains a line break: 1 row (row 2 'A\x0dB'); is a quote not closed?"
    ]


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="files without a name are Linux's")
def test_a_kill_while_the_copy_is_read_leaves_nothing(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "team.csv", [person(f"P{number}", private="123-45-6789") for number in range(60_000)])
    path.write_text(path.read_text(encoding="utf-8").replace("\n", "\n\n", 1), encoding="utf-8")
    folder = tmp_path / "temporary"
    folder.mkdir()
    program = (
        "import datetime, pathlib, sys\n"
        "from planalign_orchestrator.census import CensusSource, check_census\n"
        "while True:\n"
        "    source = CensusSource(pathlib.Path(sys.argv[1]))\n"
        "    check_census(source, census_date=datetime.date(2024, 12, 31), level_ids=range(9))\n"
    )
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen([sys.executable, "-c", program, str(path)], env=environment) as process:
        deadline = time.monotonic() + 60
        while not copies_held_by(process.pid, folder):
            assert process.poll() is None
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)
    assert list(folder.iterdir()) == []


def copies_held_by(process: int, folder: Path) -> list[str]:
    """Return the files in a folder that a process holds open and that are not empty."""
    held = []
    for number in Path(f"/proc/{process}/fd").iterdir():
        try:
            if str(number.readlink()).startswith(str(folder)) and number.stat().st_size:
                held.append(str(number.readlink()))
        except FileNotFoundError:  # it was closed just now
            continue
    return held


@pytest.mark.process
def test_what_killed_processes_left_is_tidied_at_the_next_read(tmp_path: Path, temporary: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    long_ago = time.time() - 7200
    left = [temporary / f"planalign-census-{gone.pid}-abc.csv", temporary / "planalign-census-old"]
    kept = [
        temporary / f"planalign-census-{os.getpid()}-abc.csv",
        temporary / "planalign-census-new",
        temporary / "planalign-census-strange",
        temporary / "other.csv",
    ]
    for path in (*left, *kept):
        if path.suffix:
            path.write_text("x", encoding="utf-8")
        else:
            path.mkdir()
            (path / ("note.txt" if path.name.endswith("strange") else "rows.csv")).write_text("x", encoding="utf-8")
            if not path.name.endswith("new"):
                os.utime(path, (long_ago, long_ago))
    (temporary / f"planalign-census-{gone.pid}-link.csv").symlink_to(tmp_path / "census.csv")
    load(PEOPLE, tmp_path)
    assert [path for path in left if path.exists()] == []
    assert all(path.exists() for path in (*kept, tmp_path / "census.csv"))


LONG = {
    "a heading of 100 kB": f"{{headings}},{'h' * 100_000}\n{{person}},x\n",
    "20,000 headings": f"{{headings}},{','.join(f'h{number}' for number in range(20_000))}\n{{person}}\n",
    "one line of 50 MB": "x" * 50_000_000,
    "a last line of 50 MB": f"{{headings}}\n{{person}}\n{'x' * 50_000_000}\n",
    "a value of many lines and 5 MB": f'{{headings}},note\n{{person}},"{"x" * 1000}'
    + ("\n" + "x" * 1000) * 5000
    + '"\n',
}
LONG_PROBLEMS = [
    "the heading of column 5 is longer than 1,000 characters: shorten it",
    "row 1 names 20,004 columns, more than 1,000: remove what is no census",
    "line 1 is longer than 1,000,000 characters: a census has one person a line",
    "line 3 is longer than 1,000,000 characters: a census has one person a line",
    "row 2 cannot be split into values: is a quote not closed, or is this not a text file?",
]


@pytest.mark.parametrize(("text", "problem"), [*zip(LONG.values(), LONG_PROBLEMS, strict=True)], ids=LONG)
@pytest.mark.parametrize("mode", ["fail", "quarantine"])
def test_endless_lines_and_headings_are_refused(tmp_path: Path, text: str, problem: str, mode: str) -> None:
    headings, line = as_lines([person("A")])
    path = tmp_path / "team.csv"
    path.write_text(text.replace("{headings}", headings).replace("{person}", line), encoding="utf-8")
    assert refusal(path, on_invalid_rows=mode) == [problem]
