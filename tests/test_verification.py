"""Nothing that people read is believed unchecked: verified, not verified and why, or differing and where."""

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from planalign_orchestrator import api
from tests.crash_child import Project, contents, edit, files, finished_years
from tests.laboratory import Result
from tests.program import Planalign
from tests.tiers import sampled

pytestmark = pytest.mark.model

# files with wrong bytes
DAMAGES, SOAK_DAMAGES = 6, 30

CHANGE = "update fct_annual_metrics set value = value + 1 where metric = 'hires' and simulation_year = 2026"
DIFFERS = "It differs from what was recorded: fct_annual_metrics in 2026."
AGREES = "Verified: the digests of 2025-2029 were recomputed and agree."
READS = ("status", "report", "backup", "checkpoint", "validate", "run --resume -q", "run -q", "restore")


@pytest.fixture
def copy(sample_run: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a finished run in the working directory, which may be changed."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(sample_run.database, tmp_path / "simulation.duckdb"))


def options(copy: Path) -> Sequence[str]:
    return ("--database", str(copy))


def test_what_is_shown_is_verified_first(planalign: Planalign, copy: Path, tmp_path: Path) -> None:
    assert planalign("report", *options(copy)).err == f"{AGREES}\n"
    assert planalign("report", *options(copy), "--years", "2026").err == f"{AGREES.replace('2025-2029', '2026')}\n"
    document = planalign("report", *options(copy), "--json").document
    assert document["verification"] == {"verdict": "verified", "line": AGREES}
    assert planalign("status", *options(copy)).out.endswith(f"\n{AGREES}\n")
    assert planalign("status", *options(copy), "--json").document["verification"]["verdict"] == "verified"
    assert AGREES in planalign("backup", *options(copy)).out
    assert planalign("report", *options(copy), "-o", tmp_path / "x.html").err.endswith(f"{AGREES}\n")


def test_digests_of_another_duckdb_are_not_verified_and_that_is_no_failure(planalign: Planalign, copy: Path) -> None:
    edit(copy, "update checkpoints set duckdb_version = '1.9.9'")
    for command in ("report", "status", "backup"):
        done = planalign(command, *options(copy))
        assert done.code == 0
        assert "Not verified: the digests were made by DuckDB 1.9.9, this is " in done.out + done.err


@pytest.mark.parametrize("command", ["report", "backup"])
def test_a_database_that_differs_is_not_shown_unless_told(planalign: Planalign, copy: Path, command: str) -> None:
    edit(copy, CHANGE)
    before = files(copy.parent)
    done = planalign(command, *options(copy))
    assert (done.code, done.out) == (1, "")
    assert f"{copy}: {DIFFERS}" in done.err
    assert files(copy.parent) == before


def test_a_report_of_what_differs_says_so(planalign: Planalign, copy: Path) -> None:
    edit(copy, CHANGE)
    done = planalign("report", *options(copy), "--unverified")
    assert done.code == 1
    assert done.out.startswith("Workforce 2025-2029")
    assert done.err == f"{DIFFERS}\n"
    of_other_years = planalign("report", *options(copy), "--years", "2027-2029")
    assert (of_other_years.code, of_other_years.err) == (0, f"{AGREES.replace('2025', '2027')}\n")
    status = planalign("status", *options(copy))
    assert status.code == 1
    assert status.out.endswith(f"\n{DIFFERS}\n")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("drop table fct_plan_cost", "fct_plan_cost is missing"),
        ("alter table fct_plan_cost drop column plan_design_id", "fct_plan_cost has no column plan_design_id"),
        ("delete from fct_yearly_events where simulation_year = 2027", "fct_yearly_events in 2027"),
        ("insert into dim_employee from dim_employee limit 1", "dim_employee in 20"),
        (
            "update checkpoints set digests = json_object('fct_plan_cost', digests->'fct_plan_cost')",
            "no digest of fct_annual_metrics in 2025 was recorded",
        ),
    ],
)
def test_every_kind_of_difference_is_named(planalign: Planalign, copy: Path, statement: str, said: str) -> None:
    edit(copy, statement)
    done = planalign("report", *options(copy))
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_status_verifies_a_large_database_only_when_told(
    planalign: Planalign, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(copy, CHANGE)
    monkeypatch.setattr(api, "QUICKLY_VERIFIED_ROWS", 1000)
    quick = planalign("status", *options(copy))
    assert quick.code == 0
    assert "rows take a while; --verify recomputes their digests" in quick.out
    assert planalign("status", *options(copy), "--verify").code == 1


@pytest.mark.process
def test_a_damaged_database_never_replaces_a_good_backup(tmp_path: Path) -> None:
    project = Project.create(tmp_path, simulation={"end_year": 2026})
    project.simulate({"simulation.random_seed": 1})
    project.simulate()
    backup = tmp_path / "simulation_backup.duckdb"
    good = contents(backup)
    edit(project.database, CHANGE)
    damaged = contents(project.database)
    done = project.run("--years", "2025")
    assert done.returncode == 0, done.stderr
    assert contents(backup) == good
    (kept,) = tmp_path.glob("simulation.????-??-??-*.duckdb")
    assert f"the run in simulation.duckdb (2025-2026) was kept as {kept}" in done.stderr
    assert contents(kept) == damaged
    refused = project.do("restore", "--from", str(kept))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert DIFFERS in refused.stderr
    assert finished_years(project.database) == [2025]


@pytest.mark.process
def test_a_damaged_database_makes_place_for_its_backup_and_is_kept(tmp_path: Path) -> None:
    project = Project.create(tmp_path, simulation={"end_year": 2026})
    project.simulate({"simulation.random_seed": 1})
    project.simulate()
    backup = contents(tmp_path / "simulation_backup.duckdb")
    edit(project.database, CHANGE)
    damaged = contents(project.database)
    done = project.do("restore")
    assert done.returncode == 0, done.stderr
    assert contents(project.database) == backup
    (kept,) = tmp_path.glob("simulation.????-??-??-*.duckdb")
    assert contents(kept) == damaged


@pytest.mark.process
def test_restoring_a_file_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    project = Project.create(tmp_path, simulation={"end_year": 2026})
    project.simulate({"simulation.random_seed": 1})
    shutil.copy(project.database, tmp_path / "own.duckdb")
    project.simulate()
    project.simulate({"simulation.random_seed": 2})
    assert project.do("restore", "--from", "own.duckdb").returncode == 0
    once = files(tmp_path)
    again = project.do("restore", "--from", "own.duckdb")
    assert again.returncode == 0
    assert "holds that run already" in again.stdout
    assert "Nothing was changed." in again.stdout
    assert files(tmp_path) == once


# --- files that are damaged -------------------------------------------------------------------------------------------

GARBAGE = ["'no json'", "'null'", "'[]'", "'{}'", "'7'", """'{"a": {"b": 1}}'""", "'['||repeat('[', 5000)"]
RUN_COLUMNS = ["configuration", "census", "plan_testing", "notes"]
CHECKPOINT_COLUMNS = ["fingerprints", "digests", "timings", "validation"]


def never_unexpected(planalign: Planalign, copy: Path) -> list[int]:
    """Every command that reads the database ends as it should; returns the exit codes."""
    original = copy.read_bytes()
    codes = []
    for command in READS:
        copy.write_bytes(original)
        done = planalign(*command.split(), *options(copy))
        assert "unexpected" not in done.err, (command, done.err)
        assert "Traceback" not in done.err
        codes.append(done.code)
    return codes


@pytest.mark.parametrize("column", [*RUN_COLUMNS, *CHECKPOINT_COLUMNS])
def test_damaged_rows_of_the_state_are_named(planalign: Planalign, copy: Path, column: str) -> None:
    original = copy.read_bytes()
    table = "run_metadata" if column in RUN_COLUMNS else "checkpoints"
    damaged = 0
    for value in GARBAGE:
        copy.write_bytes(original)
        edit(copy, f"update {table} set {column} = {value}")
        done = planalign("status", *options(copy))
        assert "unexpected" not in done.err, (value, done.err)
        if "is damaged" in done.err:
            damaged += 1
            assert f"{copy} is damaged: {table}, row 1, {column}" in done.err
            assert (done.code, done.out) == (1, "")
        else:
            never_unexpected(planalign, copy)
    assert damaged >= 4


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update checkpoints set run_id = 'absent'", "checkpoints has a year of the run absent"),
        ("insert into checkpoints from checkpoints where simulation_year = 2026", "checkpoints has a year twice"),
        ("alter table run_metadata alter started_at type varchar", "run_metadata, row 1, started_at"),
        ("alter table checkpoints alter simulation_year type varchar", "checkpoints, row 1, simulation_year"),
    ],
)
def test_a_state_that_contradicts_itself_is_damaged(
    planalign: Planalign, copy: Path, statement: str, said: str
) -> None:
    edit(copy, statement)
    done = planalign("status", *options(copy))
    assert (done.code, done.out) == (1, "")
    assert f"{copy} is damaged: {said}" in done.err
    never_unexpected(planalign, copy)


@pytest.mark.parametrize("seed", sampled(range(SOAK_DAMAGES), DAMAGES))
def test_a_file_with_wrong_bytes_is_never_shown_as_if_it_were_right(
    planalign: Planalign, copy: Path, seed: int
) -> None:
    chance = random.Random(seed)
    content = bytearray(copy.read_bytes())
    right = planalign("report", *options(copy), "--json").out
    place = chance.randrange(len(content))
    if seed % 3 == 0:
        content = content[:place]
    elif seed % 3 == 1:
        content[place : place + 4096] = bytes(len(content[place : place + 4096]))
    else:
        content[place] ^= 0xFF
    copy.write_bytes(content)
    done = planalign("report", *options(copy), "--json")
    assert done.code == 1 or json.loads(done.out) == json.loads(right)
    never_unexpected(planalign, copy)
