"""Writes what is made from the code: `make docs`; with `--check` it only says what is stale.

The references in this folder: commands come from the program, keys from the sections of the configuration, columns from
the YAML of the dbt models, so nothing here is written twice. From the sections come the default configuration and the
SQL types of the model's parameters, too. In the README of the package and in changes.md it writes what the examples
print, in METHODOLOGY.md the registers of events and of key figures, and the index.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Any

import typer
import yaml

from docs.methodology_index import METHODOLOGY, with_index
from planalign_orchestrator.census.columns import COLUMNS, Kind
from planalign_orchestrator.census.values import (
    ACTIVE_WORDS,
    BLANK_WORDS,
    FALSE_WORDS,
    INACTIVE_WORDS,
    NOT_AVAILABLE,
    TRUE_WORDS,
)
from planalign_orchestrator.cli.app import app
from planalign_orchestrator.config.dbt_vars import parameter_types, parameters_by_key
from planalign_orchestrator.config.default_file import default_file
from planalign_orchestrator.config.keys import Key, known_keys, known_sections
from planalign_orchestrator.config.show import json_value
from planalign_orchestrator.model import load_compiled_model
from planalign_orchestrator.model.compiled import PARAMETER
from planalign_orchestrator.project import dbt_project

FOLDER = Path(__file__).resolve().parent
README = FOLDER.parent / "planalign_orchestrator" / "README.md"
CHANGES = FOLDER / "changes.md"
_CENSUS_KINDS: Mapping[Kind, str] = {
    "text": "text",
    "date": "date",
    "money": "US dollars",
    "rate": "rate",
    "hours": "hours a week",
    "level": "whole number",
    "boolean": "true or false",
    "method": "auto or voluntary",
}
# a register in METHODOLOGY.md
_REGISTER = re.compile(
    r"(?<=<!-- Made by `make docs` from the register of )(\w+)(; changes here are overwritten. -->\n\n).*?"
    r"(?=<!-- End of what `make docs` made. -->)",
    re.DOTALL,
)
# an example and the block of what it prints
_EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```\n", re.DOTALL)
# a command and the block of what it prints
COMMAND = re.compile(r"```sh\n(.*?)```\n\n```text\n(.*?)```\n", re.DOTALL)
_PROGRAM = f'planalign() {{ "{sys.executable}" -m planalign_orchestrator "$@"; }}\n'
_COLUMNS = 80
_NOTICE = "<!-- Made by docs/generate.py from the code (`make docs`); changes here are overwritten. -->"
_LAYERS = (
    ("marts", "Marts", "The tables that others build on: in the database for good, their types enforced."),
    ("staging", "Staging", "Inputs, typed and checked; working tables of a year."),
    ("workforce", "Workforce", "Who is here, leaves, joins, moves and gets a raise; working tables of a year."),
    ("plan", "Plan", "Eligibility, enrollment, deferrals and contributions; working tables of a year."),
    ("ledger", "Ledger", "All events but payments, and what the year left everyone with; working tables of a year."),
)


def cli_reference() -> str:
    """Every command with its options, defaults and example."""
    program = typer.main.get_command(app)
    context = program.make_context("planalign", [], resilient_parsing=True)
    lines = [
        *_head("Commands", f"{program.help} `planalign` and `python -m planalign_orchestrator` are the same program."),
        "",
        "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 validation stopped the run, 130 interrupted.",
    ]
    for name, command, its_context in _commands("planalign", program, context):
        usage = " ".join([name, *command.collect_usage_pieces(its_context)])
        lines += ["", f"## {name}", "", *_paragraphs(command.help), "", "```", usage, "```", ""]
        records = [parameter.get_help_record(its_context) for parameter in command.get_params(its_context)]
        rows = [(f"`{' '.join(record[0].split())}`", record[1]) for record in records if record is not None]
        lines += _table(("argument or option", "meaning"), rows)
        if command.epilog:
            lines += ["", f"`{command.epilog.removeprefix('Example: ')}`"]
    return "\n".join([*lines, ""])


def configuration_reference() -> str:
    """Every key of a configuration file with default, bounds and meaning, section by section."""
    lines = _head(
        "Configuration",
        "Every key of a configuration file. Only `census.path` is required, an unknown key is an error. Rates are "
        "decimals (0.03 is 3 %). A key is set in the file, by an environment variable such as "
        "`PLANALIGN__SIMULATION__RANDOM_SEED=7`, or with `--set simulation.random_seed=7`; the last one wins.",
    )
    for path, section in known_sections().items():
        keys = [key for key in known_keys().values() if key.path[:-1] == path]
        if not keys:
            continue
        described = " ".join((section.__doc__ or "").split()) if path else "Identifiers and tables."
        lines += ["", f"## {'.'.join(path) or 'Top level'}", "", described, ""]
        rows = [(f"`{'.'.join(key.path)}`", _default(key), key.allowed, str(key.field.description)) for key in keys]
        lines += _table(("key", "default", "allowed", "meaning"), rows)
    return "\n".join([*lines, ""])


def column_reference() -> str:
    """Every table of the model with its grain and every column."""
    lines = _head("Tables and columns", "Every table of the model, in the order of the folders of `dbt/models`.")
    for folder, title, described in _LAYERS:
        lines += ["", f"## {title}", "", described]
        for path in sorted((dbt_project() / "models" / folder).rglob("*.yml")):
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            for model in document.get("models", ()):
                key = ", ".join(f"`{column}`" for column in model["config"]["meta"]["grain"])
                said = " ".join(model["description"].split()) + (f" Key: {key}." if key else "")
                lines += ["", f"### {model['name']}", "", said, "", *_columns(model["columns"])]
            for source in document.get("sources", ()):
                lines += ["", f"### Source {source['name']}", "", " ".join(source["description"].split()), ""]
                rows = [(f"`{table['name']}`", " ".join(table["description"].split())) for table in source["tables"]]
                lines += _table(("table", "meaning"), rows)
    return "\n".join([*lines, ""])


def census_reference() -> str:
    """Every column of a census: its names, type, units, default and meaning."""
    lines = _head(
        "Columns of a census",
        "A heading is the standard name, or is mapped to it by `census.columns`; `planalign census map` suggests the "
        "mapping. A heading that is one of the other names is never left unread in silence. Case, blanks and signs do "
        "not matter for the other names.",
    )
    lines += [
        "",
        *_table(
            ("column", "type", "required", "unit", "blank means", "meaning"),
            [
                (
                    f"`{column.name}`",
                    _CENSUS_KINDS[column.kind],
                    "yes" if column.required else "no",
                    ", ".join(f"`{unit}`" for unit in column.units),
                    column.default or "",
                    column.meaning,
                )
                for column in COLUMNS
            ],
        ),
    ]
    lines += ["", "## Other names", ""]
    lines += _table(
        ("column", "usual", "sometimes"),
        [(f"`{column.name}`", ", ".join(column.aliases), ", ".join(column.weak_aliases)) for column in COLUMNS],
    )
    lines += ["", "## Words", ""]
    lines += _table(
        ("words", "where", "meaning"),
        [
            (", ".join(TRUE_WORDS), "true or false", "true"),
            (", ".join(FALSE_WORDS), "true or false", "false"),
            (", ".join(ACTIVE_WORDS), "`active`", "true"),
            (", ".join(INACTIVE_WORDS), "`active`", "false"),
            (", ".join(BLANK_WORDS), "all but text", "a blank"),
            (NOT_AVAILABLE, "everywhere", "a blank, counted"),
        ],
    )
    return "\n".join([*lines, ""])


def methodology() -> str:
    """METHODOLOGY.md with the registers of events and of key figures, each between its marks."""
    registers = {model.name: model.register for model in load_compiled_model().models}
    events = [
        (
            f"`{row['event_type']}`",
            row["subject"],
            ", ".join(f"`{kind}`" for kind in row["categories"] or ()) or "name of the formula",
            f"{row['account']}, {'+' if row['sign'] > 0 else '-'}" if row["account"] else "",
            row["description"],
        )
        for row in registers["stg_event_types"]
    ]
    figures = [
        (f"`{row['name']}`", row["unit"], str(row.get("lowest", "")), str(row.get("highest", "")), row["description"])
        for row in registers["fct_annual_metrics"]
    ]
    tables = {
        "events": _table(("event type", "about", "kinds", "account", "what has happened"), events),
        "figures": _table(("key figure", "unit", "at least", "at most", "what it is"), figures),
    }
    text = METHODOLOGY.read_text(encoding="utf-8")
    text = _REGISTER.sub(lambda found: f"{found[1]}{found[2]}" + "\n".join([*tables[found[1]], "", ""]), text)
    return with_index(text, _makers(registers["fct_annual_metrics"]), _readers())


def _makers(figures: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """The models that first have the columns of each key figure's expression, besides those that every figure reads."""
    expressions = {row["name"]: row["expression"] for row in figures}
    columns: dict[str, set[str]] = {}
    for path in (dbt_project() / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", ()):
            columns[model["name"]] = {column["name"] for column in model["columns"]}
    first = {
        column: model.name
        for model in reversed(load_compiled_model().models)
        if not model.is_mart
        for column in columns[model.name] - {"employment_status", "event_type"}
    }

    def words(name: str) -> set[str]:
        found = set(re.findall(r"[a-z_]+", expressions[name]))
        return found.union(*(words(other) for other in found & expressions.keys() - {name}))

    return {name: {first[word] for word in words(name) & first.keys()} for name in expressions}


def _readers() -> dict[str, set[str]]:
    """The models that read a parameter of each key."""
    readers: dict[str, set[str]] = {}
    for model in load_compiled_model().models:
        for read in PARAMETER.finditer(model.sql):
            readers.setdefault(read["name"], set()).add(model.name)
    return {
        key: set().union(*(readers.get(name, ()) for name in parameters))
        for key, parameters in parameters_by_key().items()
    }


def package_readme() -> str:
    """The README of the package with what its examples print, each in the text block below it.

    They are run one after the other in a new project. Errors: CalledProcessError with the stack trace of an example.
    """
    text = README.read_text(encoding="utf-8")
    mark = "--- the next example ---"
    program = f"\nprint({mark!r})\n".join(example for example, _ in _EXAMPLE.findall(text))
    with TemporaryDirectory() as folder:
        for arguments in (["-m", "planalign_orchestrator", "init", "demo"], ["-c", program]):
            done = subprocess.run(
                [sys.executable, *arguments],
                cwd=Path(folder, "demo") if "-c" in arguments else folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("PLANALIGN__")},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
    printed = iter(done.stdout.split(f"{mark}\n"))
    return _EXAMPLE.sub(lambda found: f"```python\n{found[1]}```\n\n```text\n{next(printed)}```\n", text)


def changes_page() -> str:
    """The page about changes with what its commands print, each in the text block below it.

    They are run one after the other in a new folder. Of a run it shows headcounts, costs and the sentences below them.
    Errors: CalledProcessError.
    """
    text = CHANGES.read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:

        def printed(found: re.Match[str]) -> str:
            done = subprocess.run(
                ["sh", "-c", _PROGRAM + found[1]],
                cwd=folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("PLANALIGN__")},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            return f"```sh\n{found[1]}```\n\n```text\n{_of_changes(done.stdout)}```\n"

        return COMMAND.sub(printed, text)


def _of_changes(printed: str) -> str:
    """Of the summary of a run the tables of headcount and cost and its sentences, other output whole."""
    if "\nWorkforce " not in printed:
        return printed
    parts = printed.split("\n\n")
    tables = [part for part in parts if re.match(r"Year .*(Headcount|Net cost)", part)]
    (sentences,) = (part for part in parts if part.startswith("Headcount: "))
    wrapped = [fill(line, _COLUMNS, subsequent_indent="  ") for line in sentences.splitlines()]
    return "\n\n".join([*tables, "\n".join(wrapped)]) + "\n"


def parameter_macro() -> str:
    """The macro that gives a parameter of the model its SQL type."""
    types = "\n".join(f"        '{name}': '{sql_type}'," for name, sql_type in sorted(parameter_types().items()))
    return f"""\
{{#- The SQL type of every parameter. Made by `make docs` from the fields of the configuration; do not edit it. -#}}
{{% macro parameter_type(name) -%}}
    {{%- set types = {{
{types}
    }} -%}}
    {{%- if name not in types -%}}
        {{{{ exceptions.raise_compiler_error("the configuration has no parameter " ~ name) }}}}
    {{%- endif -%}}
    {{{{ types[name] }}}}
{{%- endmacro %}}
"""


# by their names in this folder
REFERENCES: Mapping[str, Callable[[], str]] = {
    "census.md": census_reference,
    "cli.md": cli_reference,
    "configuration.md": configuration_reference,
    "columns.md": column_reference,
}


# by their names in the repository
MADE_FILES: Mapping[str, Callable[[], str]] = {
    "config/simulation_config.yaml": default_file,
    "dbt/macros/parameters.sql": parameter_macro,
}


def stale(folder: Path = FOLDER) -> list[str]:
    """The references in a folder, and the other files, that are missing or not what the code says."""
    paths = {folder / name: make for name, make in REFERENCES.items()}
    paths |= {FOLDER.parent / name: make for name, make in MADE_FILES.items()}
    return [path.name for path, make in paths.items() if not path.is_file() or path.read_text("utf-8") != make()]


def main() -> None:
    """Write everything, or with `--check` exit with 1 if any is stale."""
    if sys.argv[1:] == ["--check"]:
        made = {README: package_readme, CHANGES: changes_page, METHODOLOGY: methodology}
        found = stale() + [path.name for path, make in made.items() if path.read_text(encoding="utf-8") != make()]
        if found:
            sys.exit(f"stale: {', '.join(found)}; run `make docs`")
        return
    for name, make in REFERENCES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
    for name, make in MADE_FILES.items():
        (FOLDER.parent / name).write_text(make(), encoding="utf-8")
    METHODOLOGY.write_text(methodology(), encoding="utf-8")
    README.write_text(package_readme(), encoding="utf-8")
    CHANGES.write_text(changes_page(), encoding="utf-8")


def _commands(name: str, command: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every command that does something, with its whole name and a context of its own."""
    if not hasattr(command, "commands"):
        yield name, command, context
        return
    for child in command.list_commands(context):
        found = command.get_command(context, child)
        below = found.make_context(child, [], parent=context, resilient_parsing=True)
        yield from _commands(f"{name} {child}", found, below)


def _default(key: Key) -> str:
    if key.field.is_required():
        return "required"
    return f"`{json.dumps(json_value(key.field.default), ensure_ascii=False)}`"


def _columns(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    shared = (dbt_project() / "docs" / "columns.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"{% docs (\w+) %}(.*?){% enddocs %}", shared, re.DOTALL))

    def meaning(column: Mapping[str, Any]) -> str:
        text = re.sub(r"{{ doc\('(\w+)'\) }}", lambda found: blocks[found[1]], str(column["description"]))
        return " ".join(text.split())

    if not all("data_type" in column for column in columns):
        return _table(("column", "meaning"), [(f"`{column['name']}`", meaning(column)) for column in columns])
    rows = [
        (
            f"`{column['name']}`",
            column["data_type"],
            "no" if {"type": "not_null"} in column.get("constraints", ()) else "yes",
            meaning(column),
        )
        for column in columns
    ]
    return _table(("column", "type", "may be null", "meaning"), rows)


def _head(title: str, text: str) -> list[str]:
    return [_NOTICE, "", f"# {title}", "", text]


def _paragraphs(text: str | None) -> list[str]:
    """Paragraphs of a help text, each on one line."""
    paragraphs = [" ".join(part.split()) for part in (text or "").split("\n\n")]
    return "\n\n".join(part for part in paragraphs if part).split("\n")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in (headings, *rows)]
    return [lines[0], f"|{'---|' * len(headings)}", *lines[1:]]


def _cell(text: str) -> str:
    """Text on one line, in which nothing ends a cell or, outside of code, begins an HTML tag."""
    parts = " ".join(text.split()).replace("|", r"\|").split("`")
    return "`".join(part if at % 2 else part.replace("<", "&lt;") for at, part in enumerate(parts))


if __name__ == "__main__":
    main()
