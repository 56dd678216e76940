"""The compiled model: stable bytes, and a refusal of everything that would make the two engines differ."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from planalign_orchestrator import project
from planalign_orchestrator.config import to_dbt_vars
from planalign_orchestrator.errors import ConfigurationError, ModelCompilationError
from planalign_orchestrator.model import STAGES, CompiledModel, load_compiled_model
from planalign_orchestrator.model.cache import cache_directory
from planalign_orchestrator.model.compile import compile_model
from planalign_orchestrator.model.session import check_types
from planalign_orchestrator.model.sources import source_key
from tests.companies import configure, people
from tests.tiers import sampled


@pytest.fixture
def project_copy(tmp_path: Path) -> Path:
    target = tmp_path / "a folder's copy"
    shutil.copytree(project.dbt_project(), target, ignore=shutil.ignore_patterns("target", "logs"))
    return target


@pytest.mark.dbt
def test_same_sources_give_the_same_bytes_in_another_folder_and_environment(project_copy: Path) -> None:
    here = load_compiled_model().to_json()
    program = (
        "import sys; from pathlib import Path; "
        "from planalign_orchestrator.model.compile import compile_model; "
        "sys.stdout.write(compile_model(Path(sys.argv[1])))"
    )
    environment = {**os.environ, "DBT_TARGET": "dev", "PLANALIGN_DATABASE": "elsewhere.duckdb", "TZ": "Asia/Tokyo"}
    there = subprocess.run(
        [sys.executable, "-c", program, str(project_copy)],
        cwd=project_copy.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout == here


def test_the_committed_model_is_that_of_the_project() -> None:
    text = project.committed_model().read_text(encoding="utf-8")
    assert CompiledModel.from_json(text).key == source_key(project.dbt_project()), "run `make model`"
    assert load_compiled_model().to_json() == text


def test_the_compiled_model_survives_its_own_json() -> None:
    compiled = load_compiled_model()
    assert CompiledModel.from_json(compiled.to_json()) == compiled


# --- a compiled model that is not whole is not used -------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def changed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "sum(" in text
    path.write_text(text.replace("sum(", "max("), encoding="utf-8")


def without_hash(path: Path) -> None:
    path.write_text(re.sub(r' "sha256": "\w+",\n', "", path.read_text(encoding="utf-8")), encoding="utf-8")


def no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe{}")


DAMAGE = (cut, emptied, changed, without_hash, no_text)


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the cache from which a project without a committed model is read."""
    monkeypatch.setattr(project, "committed_model", lambda: tmp_path / "none.json")
    compiled = load_compiled_model()
    (found,) = (
        path for path in cache_directory().glob("model-*.json") if path.read_text("utf-8") == compiled.to_json()
    )
    return found


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.dbt
@pytest.mark.parametrize("damage", sampled([cut, changed, linked], 1))
def test_a_cached_model_that_is_not_our_own_whole_one_is_compiled_anew(
    damage: Callable[[Path], None], cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = load_compiled_model()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    copy = cache_directory() / cached.name
    shutil.copy(cached, copy)
    damage(copy)
    assert load_compiled_model() == compiled
    assert not copy.is_symlink()
    assert copy.read_bytes() == cached.read_bytes()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_compiled_model_is_refused(damage: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "compiled_model.json"
    path.write_text(load_compiled_model().to_json(), encoding="utf-8")
    damage(path)
    with pytest.raises((ModelCompilationError, UnicodeDecodeError)):
        CompiledModel.from_json(path.read_text(encoding="utf-8"))


@pytest.mark.dbt
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_installation_says_how_to_mend_it(damage: Callable[[Path], None], tmp_path: Path) -> None:
    shipped = tmp_path / "compiled_model.json"
    shipped.write_text(load_compiled_model().to_json(), encoding="utf-8")
    damage(shipped)
    program = """
import importlib.metadata, sys
from pathlib import Path

found = importlib.metadata.version

def without_dbt(name):
    if name.startswith("dbt"):
        raise importlib.metadata.PackageNotFoundError(name)
    return found(name)

importlib.metadata.version = without_dbt
from planalign_orchestrator import project
project.committed_model = lambda: Path(sys.argv[1])
from planalign_orchestrator.model import load_compiled_model
load_compiled_model()
"""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", program, str(shipped)], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    said = result.stderr.splitlines()[-1]
    assert f"ModelCompilationError: the installation is damaged: {shipped}: " in said
    assert "pip install --force-reinstall --no-deps" in said
    assert "dbt-core, dbt-duckdb is not installed" in said


@pytest.mark.dbt
def test_a_compiled_model_that_cannot_be_kept_is_used_all_the_same(
    cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compiled = load_compiled_model()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (cache_directory() / cached.name).mkdir()
    assert load_compiled_model() == compiled
    assert "cannot be kept as" in caplog.text
    assert [path.name for path in cache_directory().iterdir()] == [cached.name]


def test_the_temporary_folder_of_compiled_models_is_private_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / f"planalign-{os.getuid()}"
    assert cache_directory() == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(ModelCompilationError, match=rf"{folder} is not a folder of this user alone \(mode 0700\)"):
        cache_directory()
    folder.rename(tmp_path / "other")
    (tmp_path / "other").chmod(0o700)
    folder.symlink_to(tmp_path / "other")
    with pytest.raises(ModelCompilationError, match="no folder for the compiled model"):
        cache_directory()


def test_a_run_reads_values_and_no_variable_but_the_year(tmp_path: Path) -> None:
    values = to_dbt_vars(configure(tmp_path, people(1), {"scenario_id": "its_name"}))
    compiled = load_compiled_model().with_values(values)
    texts = [*(model.sql for model in compiled.models), *(test.sql for test in compiled.tests)]
    assert {name for text in texts for name in re.findall(r"getvariable\('(\w+)'\)", text)} == {"simulation_year"}
    ledger = next(model.sql for model in compiled.models if model.name == "fct_yearly_events")
    assert "'its_name'::" in ledger


def test_values_that_are_not_those_of_the_plan_are_refused(tmp_path: Path) -> None:
    values = to_dbt_vars(configure(tmp_path, people(1)))
    compiled = load_compiled_model()
    for wrong, message in (
        ({**values, "no_such": 1}, r"not set \[\], not read \['no_such'\]"),
        (dict(list(values.items())[1:]), rf"not set \['{next(iter(values))}'\], not read \[\]"),
        ({**values, "random_seed": None}, "parameter random_seed has no value"),
    ):
        with pytest.raises(ModelCompilationError, match=message):
            compiled.with_values(wrong)
    with duckdb.connect() as connection:
        check_types(connection, compiled, values)
        with pytest.raises(ConfigurationError, match=r"does not have the type the model reads it with.*twelve"):
            check_types(connection, compiled, {**values, "random_seed": "twelve"})


def test_models_run_after_what_they_read_and_stage_by_stage() -> None:
    compiled = load_compiled_model()
    order = [STAGES.index(model.stage) for model in compiled.models]
    assert order == sorted(order)
    names = [model.name for model in compiled.models]
    for position, model in enumerate(compiled.models):
        named = {name for name in names if f'"{name}"' in model.sql}
        # three models read the marts of the year before, which a later stage replaces
        if model.name in {"int_opening_workforce", "int_forfeiture_pool", "int_level_targets"}:
            named -= {mart.name for mart in compiled.marts if STAGES.index(mart.stage) > STAGES.index(model.stage)}
        assert named == set(model.reads)
        assert named <= set(names[:position])


def test_the_key_follows_the_bytes_of_the_sources(project_copy: Path) -> None:
    before = source_key(project_copy)
    assert before == source_key(project.dbt_project())
    model = project_copy / "models" / "staging" / "stg_calendar.sql"
    model.write_text(model.read_text(encoding="utf-8") + "\n-- a comment", encoding="utf-8")
    assert source_key(project_copy) != before


@pytest.mark.dbt
def test_everything_that_would_part_the_engines_is_refused_at_once(project_copy: Path) -> None:
    broken = {
        "bad_view": "{{ config(materialized='view', tags=['foundation']) }} select 1 as a",
        "bad_hook": "{{ config(pre_hook='select 1', tags=['foundation']) }} select 1 as a",
        "bad_incremental": "{{ config(tags=['foundation']) }} select 1 as a {% if is_incremental() %} {% endif %}",
        "bad_environment": "{{ config(tags=['foundation']) }} select '{{ env_var('HOME', '') }}' as a",
        "bad_variable": "{{ config(tags=['foundation']) }} select '{{ var('x', 1) }}' as a",
        "bad_clock": "{{ config(tags=['foundation']) }} select '{{ run_started_at }}' as a",
        "bad_schema": "{{ config(schema='other', tags=['foundation']) }} select 1 as a",
        "no_stage": "select 1 as a",
        "two_stages": "{{ config(tags=['foundation', 'event_generation']) }} select 1 as a",
        "too_early": "{{ config(tags=['initialization']) }} select * from {{ ref('int_raises') }}",
        "too_late": "{{ config(tags=['state_accumulation']) }} from {{ source('ledger', 'dim_employee') }}",
    }
    for name, sql in broken.items():
        (project_copy / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
    with pytest.raises(ModelCompilationError) as caught:
        compile_model(project_copy)
    message = str(caught.value)
    for expected in (
        "bad_view: materialized as view",
        "bad_hook: has a hook",
        "bad_incremental: uses `is_incremental` in Jinja",
        "bad_environment: uses `env_var` in Jinja",
        "bad_variable: uses `var` in Jinja",
        "bad_clock: uses `run_started_at` in Jinja",
        "bad_schema: a working model has no schema of its own",
        "no_stage: needs exactly one stage tag",
        "two_stages: needs exactly one stage tag",
        "too_early: refers to int_raises, which belongs to a later stage",
        "too_late: reads last year's dim_employee in the stage that replaces it",
    ):
        assert expected in message


@pytest.mark.dbt
@pytest.mark.parametrize(
    ("read", "message"),
    [
        pytest.param(
            "{{ param('random_seed') }} as a, getvariable('random_seed')::varchar",
            "parameter random_seed is read with more than one type",
            id="two types",
        ),
        pytest.param("{{ param('random_sed') }}", "the configuration has no parameter random_sed", id="unknown"),
    ],
)
def test_a_parameter_has_one_type(project_copy: Path, read: str, message: str) -> None:
    sql = f"{{{{ config(tags=['foundation']) }}}} select {read} as b"
    (project_copy / "models" / "two_types.sql").write_text(sql, encoding="utf-8")
    with pytest.raises(ModelCompilationError, match=message):
        compile_model(project_copy)


@pytest.mark.dbt
def test_a_mart_without_contract_is_refused(project_copy: Path) -> None:
    sql = "{{ config(materialized='incremental', contract={'enforced': false}, tags=['foundation']) }} select 1 as a"
    (project_copy / "models" / "loose_mart.sql").write_text(sql, encoding="utf-8")
    with pytest.raises(ModelCompilationError, match="loose_mart: a mart has an enforced contract"):
        compile_model(project_copy)


@pytest.mark.dbt
def test_sql_that_does_not_compile_says_where(project_copy: Path) -> None:
    (project_copy / "models" / "typo.sql").write_text("select * from {{ ref('no_such_model') }}", encoding="utf-8")
    with pytest.raises(ModelCompilationError, match="no_such_model"):
        compile_model(project_copy)
