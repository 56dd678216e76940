"""What a command writes replaces nothing but files of ours of the same kind, and some files never."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.crash_child import contents
from tests.laboratory import Result
from tests.program import Done, Planalign
from tests.test_database import make_duckdb

REPORTS = ("x.html", "x.xlsx", "x.json", "x.csv", "x.txt")


@pytest.fixture
def options(sample_run: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """The options that name a copy of a finished run, its configuration and its census, in the working directory."""
    shutil.copy(sample_run.database, tmp_path / "simulation.duckdb")
    shutil.copy(sample_run.census, tmp_path / "census.csv")
    settings = {"census": {"path": "census.csv"}, "runtime": {"database": "simulation.duckdb"}}
    (tmp_path / "config.yaml").write_text(json.dumps(settings), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return ("-c", "config.yaml")


def refused(done: Done, path: str, said: str) -> None:
    """The command said no, and why, and the file is what it was."""
    assert (done.code, done.out) == (2, ""), done
    assert path in done.err
    assert said in done.err


# --- report -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "forced"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("simulation.duckdb", "the ending says the format of a report"),
        ("config.yaml", "the ending says the format of a report"),
        ("census.csv", "is the census of the run and is never replaced"),
        ("link.csv", "is the census of the run and is never replaced"),
        ("renamed.html", "is a database and is never replaced"),
        ("folder.html", "is no file"),
    ],
)
def test_a_report_never_replaces_what_it_is_made_from(
    planalign: Planalign, options: Sequence[str], tmp_path: Path, path: str, said: str, force: Sequence[str]
) -> None:
    (tmp_path / "link.csv").symlink_to("census.csv")
    shutil.copy("simulation.duckdb", "renamed.html")
    (tmp_path / "folder.html").mkdir()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    refused(planalign("report", *options, "-o", path, *force), path, said)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before


@pytest.mark.parametrize("path", REPORTS)
def test_a_report_replaces_a_report_of_its_kind_and_nothing_else_unless_forced(
    planalign: Planalign, options: Sequence[str], tmp_path: Path, path: str
) -> None:
    assert planalign("report", *options, "-o", path).code == 0
    first = (tmp_path / path).read_bytes()
    assert planalign("report", *options, "-o", path, "--years", "2025-2026").code == 0
    assert (tmp_path / path).read_bytes() != first
    for other in REPORTS:
        if other != path:
            assert planalign("report", *options, "-o", other).code == 0
            shutil.copy(other, path)
            refused(planalign("report", *options, "-o", path), path, "--force replaces it")
            assert (tmp_path / path).read_bytes() == (tmp_path / other).read_bytes()
    (tmp_path / path).write_text("a,b\n1,2\n", encoding="utf-8")
    refused(planalign("report", *options, "-o", path), path, "--force replaces it")
    assert planalign("report", *options, "-o", path, "--force").code == 0
    assert (tmp_path / path).read_bytes() == first or path == "x.xlsx"


def test_the_ending_says_the_format(planalign: Planalign, options: Sequence[str], tmp_path: Path) -> None:
    begins = {"x.html": b"<!doctype", "x.xlsx": b"PK", "x.json": b"{", "x.csv": b"scenario_id,", "x.txt": b"Workforce"}
    for path in REPORTS:
        assert planalign("report", *options, "-o", path).code == 0
        assert (tmp_path / path).read_bytes().startswith(begins[path])
    refused(planalign("report", *options, "-f", "csv", "-o", "y.html"), "y.html", "and csv was asked for")
    refused(planalign("report", *options, "--json", "-o", "y.html"), "y.html", "and json was asked for")
    refused(planalign("report", *options, "-o", "y.docx"), "y.docx", "it is one of .csv")
    assert not list(tmp_path.glob("y.*"))


def test_a_link_stays_a_link_to_the_new_report(planalign: Planalign, options: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert planalign("report", *options, "-o", "elsewhere/x.html", "--years", "2025").code == 0
    (tmp_path / "x.html").symlink_to("elsewhere/x.html")
    before = (tmp_path / "elsewhere" / "x.html").read_bytes()
    assert planalign("report", *options, "-o", "x.html").code == 0
    assert (tmp_path / "x.html").is_symlink()
    assert (tmp_path / "elsewhere" / "x.html").read_bytes() != before


def test_output_to_a_device_is_refused(planalign: Planalign, options: Sequence[str]) -> None:
    refused(planalign("report", *options, "-f", "csv", "-o", "/dev/null"), "/dev/null", "is no file")
    assert Path("/dev/null").is_char_device()


# --- the others -------------------------------------------------------------------------------------------------------


def test_a_made_up_census_replaces_only_another_one(
    planalign: Planalign, options: Sequence[str], tmp_path: Path
) -> None:
    generate = ("census", "generate", "-o", "people.csv", "--size", "20")
    assert planalign(*generate).code == planalign(*generate, "--seed", "7").code == 0
    lines = (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 21
    of_a_client = "\n".join([lines[0], lines[1].replace("E0000001", "4711", 1)])
    (tmp_path / "people.csv").write_text(of_a_client, encoding="utf-8")
    refused(planalign(*generate), "people.csv", "already exists and is not a made-up census of planalign's")
    assert (tmp_path / "people.csv").read_text(encoding="utf-8") == of_a_client
    assert planalign(*generate, "--force").code == 0


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "forced"])
def test_the_census_of_the_project_is_never_replaced(
    planalign: Planalign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: Sequence[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert planalign("init", "demo").code == 0
    monkeypatch.chdir(tmp_path / "demo")
    before = Path("data/sample_census.csv").read_bytes()
    generate = ("census", "generate", "-o", "data/sample_census.csv", "--size", "20", *force)
    refused(planalign(*generate), "data/sample_census.csv", "is the census of config/simulation_config.yaml")
    assert Path("data/sample_census.csv").read_bytes() == before


def test_a_translated_configuration_replaces_nothing_unless_forced(
    planalign: Planalign, options: Sequence[str], tmp_path: Path
) -> None:
    (tmp_path / "old.yaml").write_text("simulation:\n  start_year: 2025\n  end_year: 2026\n", encoding="utf-8")
    migrate = ("migrate", "config", "old.yaml", "--census", "census.csv", "-o")
    for path, force in (("simulation.duckdb", "--force"), ("census.csv", "--force")):
        before = (tmp_path / path).read_bytes()
        refused(planalign(*migrate, path, force), path, "a configuration has the ending .yaml")
        assert (tmp_path / path).read_bytes() == before
    shutil.copy("simulation.duckdb", "database.yaml")
    refused(planalign(*migrate, "database.yaml", "--force"), "database.yaml", "is a database and is never replaced")
    refused(planalign(*migrate, "config.yaml"), "config.yaml", "--force replaces it")
    refused(planalign(*migrate, "old.yaml", "--force"), "old.yaml", "is the file to translate and is never replaced")


def test_a_backup_replaces_only_what_the_database_holds_itself(
    planalign: Planalign, options: Sequence[str], tmp_path: Path
) -> None:
    backup = ("backup", *options, "--to")
    assert planalign(*backup, "kept.duckdb").code == planalign(*backup, "kept.duckdb").code == 0
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    refused(planalign(*backup, "notes.txt"), "notes.txt", "--force replaces it")
    assert planalign(*backup, "notes.txt", "--force").code == 0
    assert contents(tmp_path / "notes.txt") == contents(tmp_path / "simulation.duckdb")
    refused(planalign(*backup, "census.csv", "--force"), "census.csv", "is the census of the run and is never replaced")
    make_duckdb(tmp_path / "foreign.duckdb")
    of_others = planalign(*backup, "foreign.duckdb", "--force")
    assert (of_others.code, "foreign.duckdb is not a simulation database" in of_others.err) == (1, True)
    refused(planalign(*backup, "config.yaml", "--force"), "config.yaml", "is the configuration and is never replaced")
    assert planalign("run", *options, "--years", "2025", "-q").code == 0
    before = (tmp_path / "kept.duckdb").read_bytes()
    refused(planalign(*backup, "kept.duckdb"), "kept.duckdb", "already exists and is not a backup of this database")
    assert (tmp_path / "kept.duckdb").read_bytes() == before
    assert planalign(*backup, "kept.duckdb", "--force").code == 0


@pytest.mark.parametrize(
    "name", ["reports/multi_year_summary_2025_2025.csv", "reports/year_2025.json", "run_vars.json"]
)
def test_a_run_does_not_begin_where_it_would_replace_a_file_of_somebody_else(
    planalign: Planalign, options: Sequence[str], tmp_path: Path, name: str
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / name).write_text('{"mine": 1}', encoding="utf-8")
    before = (tmp_path / "simulation.duckdb").read_bytes()
    done = planalign("run", *options, "--years", "2025", "-q")
    assert done.code in (1, 2)
    assert name in done.err
    assert "move it away" in done.err
    assert (tmp_path / name).read_text(encoding="utf-8") == '{"mine": 1}'
    assert (tmp_path / "simulation.duckdb").read_bytes() == before
    assert not (tmp_path / "simulation_backup.duckdb").exists()
