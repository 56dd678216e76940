"""Hashed ids: the same for the same key, another for another one, and neither key nor id gets into a database."""

import stat
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator.census.ids import KEY_FILE
from tests.companies import person
from tests.test_census import load, refusal

NUMBERS = ["123-45-6789", "899010001"]
KEY = "0123456789abcdef" * 4


def settings(folder: Path, key: str = KEY) -> dict[str, Any]:
    (folder / KEY_FILE).write_text(key, encoding="ascii")
    return {"hash_ids": True, "id_key": folder / KEY_FILE}


def test_ids_like_security_numbers_are_refused_unless_they_are_hashed(tmp_path: Path) -> None:
    rows = [person(number) for number in NUMBERS]
    (problem,) = refusal(rows, tmp_path)
    assert problem.startswith("2 employee ids look like social security numbers (row 2, row 3)")
    assert problem.endswith("or set census.hash_ids: true")
    assert not any(number in problem for number in NUMBERS)
    loaded = load(rows, tmp_path, **settings(tmp_path))
    assert all(len(employee_id) == 24 for employee_id in loaded.values("employee_id"))


def test_hashes_depend_on_id_and_key_alone(tmp_path: Path) -> None:
    rows = [person(number) for number in NUMBERS]
    first = load(rows, tmp_path, **settings(tmp_path))
    again = load(rows[::-1], tmp_path, **settings(tmp_path))
    other = load(rows, tmp_path, **settings(tmp_path, KEY[::-1]))
    assert first.values("employee_id") == again.values("employee_id")[::-1]
    assert first.summary.fingerprint == again.summary.fingerprint
    assert not set(first.values("employee_id")) & set(other.values("employee_id"))
    assert len(set(first.values("employee_id"))) == 2


def test_rows_that_are_set_aside_carry_hashes_too(tmp_path: Path) -> None:
    rows = [person("A"), person(NUMBERS[0]), person(NUMBERS[0]), person(NUMBERS[1], pay=-1)]
    loaded = load(rows, tmp_path, on_invalid_rows="quarantine", **settings(tmp_path))
    assert len(loaded.quarantine) == 3
    assert not any(number in str(row) for row in loaded.quarantine for number in NUMBERS)
    assert loaded.quarantine[0]["employee_id"] == loaded.quarantine[1]["employee_id"]
    assert not any(number in str(loaded.summary.to_dict()) for number in NUMBERS)


def test_a_check_leaves_no_key_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    rows = [person("A")]
    load(rows, tmp_path, hash_ids=True, id_key=tmp_path / KEY_FILE)
    assert not (tmp_path / KEY_FILE).exists()
    (problem,) = refusal(rows, tmp_path, **settings(tmp_path, "short"))
    assert problem.endswith("holds no key of census.hash_ids: restore it from a copy")
    (problem,) = refusal(rows, tmp_path, hash_ids=True)
    assert problem.startswith("census.hash_ids needs a configuration file")


@pytest.mark.model
def test_a_run_makes_the_key_beside_its_configuration_and_goes_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from planalign_orchestrator.cli.app import main
    from tests.companies import people, write_rows

    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "team.csv", [{**row, "employee_id": f"12345678{at}"} for at, row in enumerate(people(9))])
    (tmp_path / "c.yaml").write_text(
        "census: {path: team.csv, hash_ids: true}\nsimulation: {start_year: 2025, end_year: 2025}\n"
        "runtime: {database: run.duckdb, threads: 1}\n",
        encoding="utf-8",
    )
    for arguments in (["run", "-c", "c.yaml"], ["run", "-c", "c.yaml", "--years", "2025-2026", "--resume"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 0, capsys.readouterr().err
    key = tmp_path / KEY_FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    content = (tmp_path / "run.duckdb").read_bytes()
    assert key.read_text(encoding="ascii").strip().encode() not in content
    assert b"123456780" not in content
