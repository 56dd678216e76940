"""Turns the dbt project into a compiled model, in a child process, once per version of its files.

Only the standard library is imported here.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from planalign_orchestrator import project
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import ModelCompilationError
from planalign_orchestrator.model.compiled import (
    DEVELOPMENT,
    PARAMETER,
    STAGES,
    YEAR,
    Column,
    CompiledModel,
    DataTest,
    Model,
    Parameter,
)
from planalign_orchestrator.model.restrictions import problems_of
from planalign_orchestrator.model.sources import compiler_versions, source_key

# a year is built in memory; only when it is whole does it come into the file, where the tests look at it
_FILE, _MEMORY = '"planalign"."main".', '"working"."main".'


def compile_model(project_dir: Path) -> str:
    """Return the compiled model of the dbt project as JSON text: same sources, same bytes.

    dbt runs in a child process against an in-memory database, with folders of its own, so neither the caller's database
    nor environment can leak into it. Errors: ModelCompilationError with dbt's message or the rule that is broken.
    """
    with tempfile.TemporaryDirectory(prefix="planalign-compile-") as scratch:
        arguments = ["--quiet", "compile", "--target", "compiled", "--no-introspect", "--no-partial-parse"]
        arguments += ["--exclude", f"tag:{DEVELOPMENT}"]
        runner = DbtRunner(project_dir, artifacts=Path(scratch), attempts=1)
        result = runner.execute_command(arguments, description="compile the model")
        if not result.success:
            raise ModelCompilationError(f"dbt could not compile {project_dir}:\n{result.stdout.strip()}{result.stderr}")
        manifest = json.loads(Path(scratch, "target", "manifest.json").read_text(encoding="utf-8"))
    return _from_manifest(manifest, key=source_key(project_dir)).to_json()


def _from_manifest(manifest: Mapping[str, Any], *, key: str) -> CompiledModel:
    nodes = manifest["nodes"]
    models = {name: node for name, node in nodes.items() if node["resource_type"] == "model"}
    tests = [node for node in nodes.values() if node["resource_type"] == "test" and DEVELOPMENT not in node["tags"]]
    if problems := problems_of(manifest):
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ModelCompilationError(f"the model breaks the rules that keep both engines equal:\n{lines}")
    order = _execution_order(models)
    yearly = _yearly(models, order)
    compiled_models = tuple(_model(models[name], is_yearly=name in yearly) for name in order)
    compiled_tests = tuple(sorted((_data_test(node) for node in tests), key=lambda test: test.name))
    return CompiledModel(
        key=key,
        versions=compiler_versions(),
        models=compiled_models,
        tests=compiled_tests,
        parameters=_parameters([model.sql for model in compiled_models] + [test.sql for test in compiled_tests]),
    )


def _execution_order(models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the models stage by stage, each after everything it refers to, otherwise by name."""
    parents = {
        name: [parent for parent in node["depends_on"]["nodes"] if parent in models] for name, node in models.items()
    }
    sorter = TopologicalSorter(parents)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return sorted(order, key=lambda name: STAGES.index(_stage(models[name])))


def _yearly(models: Mapping[str, Mapping[str, Any]], order: Sequence[str]) -> set[str]:
    """Return the models that may differ from year to year: marts, those that read the year, and all that read them."""
    yearly: set[str] = set()
    for name in order:
        node = models[name]
        if (
            node["config"]["materialized"] == "incremental"
            or f"getvariable('{YEAR}')" in node["compiled_code"]
            or yearly.intersection(node["depends_on"]["nodes"])
        ):
            yearly.add(name)
    return yearly


def _model(node: Mapping[str, Any], *, is_yearly: bool) -> Model:
    is_mart = node["config"]["materialized"] == "incremental"
    columns = node["columns"].values() if is_mart else ()
    meta = node["config"]["meta"]
    return Model(
        name=node["name"],
        stage=_stage(node),
        sql=node["compiled_code"].strip().replace(_FILE, _MEMORY),
        reads=tuple(
            sorted(name.rpartition(".")[2] for name in node["depends_on"]["nodes"] if name.startswith("model."))
        ),
        columns=tuple(
            Column(
                name=column["name"],
                type=column["data_type"].upper().replace(" ", ""),
                not_null=any(constraint["type"] == "not_null" for constraint in column["constraints"]),
            )
            for column in columns
        ),
        is_yearly=is_yearly,
        only_when=next(((parameter, str(value)) for parameter, value in meta.get("only_when", {}).items()), None),
        is_remembered=bool(meta.get("remembered", False)),
        register=tuple(meta.get("register", ())),
    )


def _data_test(node: Mapping[str, Any]) -> DataTest:
    name = node["name"] if node.get("test_metadata") is None else re.sub(r"_+", "_", node["name"].split(".")[0])
    return DataTest(
        name=name,
        sql=node["compiled_code"].strip(),
        tags=tuple(sorted(node["tags"])),
        description=node.get("description", ""),
    )


def _parameters(statements: Iterable[str]) -> tuple[Parameter, ...]:
    types: dict[str, set[str]] = {}
    for sql in statements:
        for match in PARAMETER.finditer(sql):
            types.setdefault(match["name"], set()).add(match["type"].replace(" ", "").upper())
    for name, found in types.items():
        if len(found) > 1:
            raise ModelCompilationError(f"parameter {name} is read with more than one type: {', '.join(sorted(found))}")
    return tuple(Parameter(name=name, type=types[name].pop()) for name in sorted(types))


def _stage(node: Mapping[str, Any]) -> str:
    return next(stage for stage in STAGES if stage in node["tags"])


def main() -> None:
    """Write the committed model; with `--check`, end with exit code 1 unless it has exactly these bytes."""
    committed = project.committed_model()
    text = compile_model(project.dbt_project())
    if sys.argv[1:] != ["--check"]:
        committed.write_text(text, encoding="utf-8")
    elif not committed.is_file() or committed.read_text(encoding="utf-8") != text:
        sys.exit(f"{committed} is not what the models in {project.dbt_project()} compile to; run `make model`")


if __name__ == "__main__":
    main()
