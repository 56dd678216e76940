"""The references in `docs/` are what the code says, and the examples of the package's README run."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from planalign_orchestrator.config.dbt_vars import parameters_by_key
from planalign_orchestrator.config.keys import known_keys
from planalign_orchestrator.model import load_compiled_model
from planalign_orchestrator.project import examples
from planalign_orchestrator.reports.figures import key_figures
from tests.test_cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The script docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_references_are_what_the_code_says(generator: ModuleType) -> None:
    assert generator.stale() == [], "run `make docs`"


def test_the_index_finds_every_figure_and_every_key_that_a_model_reads(generator: ModuleType) -> None:
    text = generator.methodology()
    index = text.partition("## Index")[2]
    indexed = set(re.findall(r"^\| `?([^`|]+?)`? \|", index, re.MULTILINE))
    assert {figure.name for figure in key_figures()} <= indexed
    assert {key for key, parameters in parameters_by_key().items() if parameters} <= indexed
    assert {"401(a)(17)", "402(g)", "414(v)", "415(c)"} <= indexed
    headings = re.findall(r"^#{2,3} (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\(#([^)]*)\)", index)) <= anchors
    assert "[int_raises](#int_raises)" in next(
        line for line in index.splitlines() if "`compensation.merit_budget`" in line
    )


def test_the_methodology_shows_the_registers_of_the_model(generator: ModuleType) -> None:
    text = generator.methodology()
    assert text == generator.METHODOLOGY.read_text(encoding="utf-8"), "run `make docs`"
    for model in load_compiled_model().models:
        if model.register:
            names = [row.get("event_type") or row["name"] for row in model.register]
            assert re.search("".join(rf"\| `{name}` \|.*\n" for name in names), text), model.name


def test_a_stale_or_missing_reference_is_named(generator: ModuleType, tmp_path: Path) -> None:
    for name in generator.REFERENCES:
        (tmp_path / name).write_bytes((ROOT / "docs" / name).read_bytes())
    assert generator.stale(tmp_path) == generator.stale()
    (tmp_path / "cli.md").write_text("something else", encoding="utf-8")
    (tmp_path / "columns.md").unlink()
    assert set(generator.stale(tmp_path)) >= {"cli.md", "columns.md"}


@pytest.mark.process
def test_references_are_the_same_in_any_terminal_and_with_any_hash_seed(generator: ModuleType) -> None:
    program = "import sys; sys.path.insert(0, 'docs'); import generate; print(*generate.stale())"
    for width, seed in (("40", "1"), ("200", "2")):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "COLUMNS": width, "PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == generator.stale()


def test_references_hold_every_command_key_table_and_column(generator: ModuleType) -> None:
    names = ("cli.md", "configuration.md", "columns.md")
    commands, keys, columns = (generator.REFERENCES[name]() for name in names)
    for command in COMMANDS:
        assert f"\n## planalign {' '.join(command)}\n" in commands
    for path, key in known_keys().items():
        (line,) = [line for line in keys.splitlines() if line.startswith(f"| `{'.'.join(path)}` |")]
        assert str(key.field.description).partition("|")[0] in line
    for model in load_compiled_model().models:
        section = columns.partition(f"\n### {model.name}\n")[2].partition("\n### ")[0]
        assert [name for name in (column.name for column in model.columns) if f"| `{name}` |" not in section] == []
        assert section


@pytest.mark.process
def test_the_examples_of_the_package_run_and_print_what_its_readme_says(
    generator: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    text = generator.README.read_text(encoding="utf-8")
    assert text.count("```python\n") == text.count("```text\n") > 5
    assert len(text.splitlines()) <= 210
    assert generator.package_readme() == text, "run `make docs`"


@pytest.mark.process
@pytest.mark.model
def test_the_page_about_changes_shows_what_its_commands_print(generator: ModuleType) -> None:
    text = generator.CHANGES.read_text(encoding="utf-8")
    blocks = [block for _, block in generator.COMMAND.findall(text)]
    assert sum("Headcount " in block and "Net cost" in block for block in blocks) == 1 + len(examples())
    assert all(f"--design {path.stem}\n" in text for path in examples())
    assert max(len(line) for block in blocks for line in block.splitlines()) <= 80
    for lines in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        yaml.safe_load(lines)
    assert generator.changes_page() == text, "run `make docs`"
