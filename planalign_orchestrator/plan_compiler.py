"""Turns the dbt project into a plan: the compiled SQL of every model and test, in order, for the native engine.

dbt compiles the project once per version of its files; a run then needs neither dbt nor its seconds of start-up. The
compiler also refuses whatever would make the native engine and dbt disagree, so that there is one semantics.

Only the standard library is imported here: the wheel's build hook uses this module in a bare environment.
"""

import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from graphlib import TopologicalSorter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from planalign_orchestrator import project
from planalign_orchestrator.dbt_runner import DbtRunner
from planalign_orchestrator.errors import PlanCompilationError

PLAN_FORMAT = 5
STAGES = ("initialization", "foundation", "event_generation", "state_accumulation")

_SOURCES = ("*.sql", "*.yml", "*.csv")
_RUN_ARTEFACTS = {"target", "logs", "dbt_packages"}
_PARAMETER = re.compile(r"getvariable\('(?P<name>\w+)'\)::(?P<type>\w+(?:\([\d, ]*\))?)")
_YEAR = "simulation_year"
# as a source of this name the models read the marts of earlier years
_LEDGER = "ledger"
# a year is built in memory; only when it is whole does it come into the file, where the tests look at it
_FILE, _MEMORY = '"planalign"."main".', '"working"."main".'
_FORBIDDEN_IN_MODELS = ("is_incremental", "this", "run_query", "env_var", "run_started_at", "var", "target", "execute")
_JINJA = re.compile(r"{[{%].*?[%}]}", re.DOTALL)


@dataclass(frozen=True)
class Parameter:
    """A session variable that the plan reads, with its SQL type."""

    name: str
    type: str


@dataclass(frozen=True)
class Column:
    """A column of a mart's contract."""

    name: str
    type: str
    not_null: bool


@dataclass(frozen=True)
class Model:
    """One model: a working table, or a mart (then with its contract), which comes into the simulation's file.

    `reads` names the models that must be built before it. One that is not `is_yearly` holds the same rows in every year
    of a run. `only_when` names a parameter and the value without which the model has no rows; None where its rule is
    always on. Of a mart that is `is_remembered` the models read the rows of all years before, of the others those of
    the last year only.
    """

    name: str
    stage: str
    sql: str
    reads: tuple[str, ...]
    columns: tuple[Column, ...]
    is_yearly: bool
    only_when: tuple[str, str] | None
    is_remembered: bool

    @property
    def is_mart(self) -> bool:
        """Marts are the models with a contract."""
        return bool(self.columns)


@dataclass(frozen=True)
class DataTest:
    """A query that returns the rows that break a rule; `tags` say when it applies."""

    name: str
    sql: str
    tags: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Plan:
    """The whole compiled model, in execution order. `key` names the version of its sources."""

    key: str
    versions: dict[str, str]
    models: tuple[Model, ...]
    tests: tuple[DataTest, ...]
    parameters: tuple[Parameter, ...]

    @property
    def marts(self) -> tuple[Model, ...]:
        """The models that are written to the simulation's file."""
        return tuple(model for model in self.models if model.is_mart)

    def with_values(self, values: Mapping[str, Any]) -> "Plan":
        """Return the plan of one run: every parameter but the simulated year is its value, typed, in the SQL.

        Errors: PlanCompilationError when the values are not exactly those the plan reads, or one is None.
        """
        wanted = {parameter.name for parameter in self.parameters} - {_YEAR}
        if wanted != values.keys():
            missing, extra = sorted(wanted - values.keys()), sorted(values.keys() - wanted)
            raise PlanCompilationError(
                f"the model and the configuration disagree on parameters: not set {missing}, not read {extra}"
            )
        unset = [name for name, value in values.items() if value is None]
        if unset:
            raise PlanCompilationError(f"parameter {', '.join(unset)} has no value")

        def valued(sql: str) -> str:
            return _PARAMETER.sub(
                lambda found: found[0] if found["name"] == _YEAR else literal(values[found["name"]], found["type"]), sql
            )

        return replace(
            self,
            models=tuple(
                replace(model, sql=valued(model.sql), is_yearly=model.is_yearly and not _is_off(model, values))
                for model in self.models
            ),
            tests=tuple(replace(test, sql=valued(test.sql)) for test in self.tests),
        )

    def to_json(self) -> str:
        """Return the plan as JSON text, the same bytes for the same sources."""
        return json.dumps({"format": PLAN_FORMAT, **asdict(self)}, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Return the plan that `to_json` wrote."""
        raw = json.loads(text)
        return cls(
            key=raw["key"],
            versions=raw["versions"],
            models=tuple(
                Model(
                    **{
                        **model,
                        "reads": tuple(model["reads"]),
                        "columns": tuple(Column(**column) for column in model["columns"]),
                        "only_when": tuple(model["only_when"]) if model["only_when"] else None,
                    }
                )
                for model in raw["models"]
            ),
            tests=tuple(DataTest(**{**test, "tags": tuple(test["tags"])}) for test in raw["tests"]),
            parameters=tuple(Parameter(**parameter) for parameter in raw["parameters"]),
        )


def literal(value: Any, kind: str) -> str:
    """Return SQL for a parameter's value of a type."""
    text = str(value).replace("'", "''")
    return f"'{text}'::{kind}"


def source_key(project_dir: Path) -> str:
    """Return a digest of the bytes of the project's sources and of the plan format."""
    digest = hashlib.sha256(f"plan format {PLAN_FORMAT}".encode())
    for path in _source_files(project_dir):
        digest.update(path.relative_to(project_dir).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def compiler_versions() -> dict[str, str]:
    """Return the versions of dbt-core, dbt-duckdb and duckdb; `none` for what is not installed."""
    return {name: _installed_version(name) for name in ("dbt-core", "dbt-duckdb", "duckdb")}


def compile_plan(project_dir: Path) -> str:
    """Return the plan of the dbt project as JSON text: same sources, same bytes.

    dbt runs in a child process against an in-memory database, with folders of its own, so neither the caller's database
    nor environment can leak into the plan. Errors: PlanCompilationError with dbt's message or the rule that is broken.
    """
    with tempfile.TemporaryDirectory(prefix="planalign-compile-") as scratch:
        arguments = ["--quiet", "compile", "--target", "plan", "--no-introspect", "--no-partial-parse"]
        runner = DbtRunner(project_dir, artifacts=Path(scratch), attempts=1)
        result = runner.execute_command(arguments, description="compile the model")
        if not result.success:
            raise PlanCompilationError(f"dbt could not compile {project_dir}:\n{result.stdout.strip()}{result.stderr}")
        manifest = json.loads(Path(scratch, "target", "manifest.json").read_text(encoding="utf-8"))
    return _plan_from_manifest(manifest, key=source_key(project_dir)).to_json()


def load_plan() -> Plan:
    """Return the plan of the installed dbt project: shipped with the wheel, from the user's cache, or compiled now."""
    project_dir = project.dbt_project()
    key = source_key(project_dir)
    shipped = project.shipped_plan()
    if shipped.is_file():
        plan = Plan.from_json(shipped.read_text(encoding="utf-8"))
        if plan.key == key:
            return plan
    versions = compiler_versions()
    name = hashlib.sha256(json.dumps([key, versions]).encode()).hexdigest()[:32]
    folder = cache_directory()
    cached = folder / f"plan-{name}.json"
    if not cached.is_file():
        if "none" in versions.values():
            missing = ", ".join(package for package, found in versions.items() if found == "none")
            raise PlanCompilationError(
                f"the model in {project_dir} has to be compiled, and {missing} is not installed; "
                "install planalign-orchestrator[dbt]"
            )
        _store(cached, compile_plan(project_dir))
    return Plan.from_json(cached.read_text(encoding="utf-8"))


def cache_directory() -> Path:
    """Return the folder of compiled plans: the user's cache, or a temporary folder where that cannot be written."""
    import platformdirs

    preferred = Path(platformdirs.user_cache_dir("planalign"))
    for folder in (preferred, Path(tempfile.gettempdir()) / f"planalign-{os.getuid()}"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    raise PlanCompilationError(
        f"no folder for the compiled plan: neither {preferred} nor the temporary folder can be written"
    )


def _store(path: Path, text: str) -> None:
    """Write under a temporary name and rename: another process sees the whole plan or none."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


def _installed_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _source_files(project_dir: Path) -> list[Path]:
    found = (path for pattern in _SOURCES for path in project_dir.rglob(pattern))
    return sorted(path for path in found if not _RUN_ARTEFACTS & set(path.relative_to(project_dir).parts))


def _plan_from_manifest(manifest: Mapping[str, Any], *, key: str) -> Plan:
    nodes = manifest["nodes"]
    models = {name: node for name, node in nodes.items() if node["resource_type"] == "model"}
    tests = [node for node in nodes.values() if node["resource_type"] == "test"]
    problems = [problem for node in nodes.values() for problem in _problems(node, models)]
    problems += _macro_problems(manifest["macros"])
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise PlanCompilationError(f"the model breaks the rules that keep both engines equal:\n{lines}")
    order = _execution_order(models)
    yearly = _yearly(models, order)
    compiled_models = tuple(_model(models[name], is_yearly=name in yearly) for name in order)
    compiled_tests = tuple(sorted((_data_test(node) for node in tests), key=lambda test: test.name))
    return Plan(
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
            or f"getvariable('{_YEAR}')" in node["compiled_code"]
            or yearly.intersection(node["depends_on"]["nodes"])
        ):
            yearly.add(name)
    return yearly


def _model(node: Mapping[str, Any], *, is_yearly: bool) -> Model:
    is_mart = node["config"]["materialized"] == "incremental"
    columns = node["columns"].values() if is_mart else ()
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
        only_when=next(((name, str(value)) for name, value in _only_when(node).items()), None),
        is_remembered=bool(node["config"]["meta"].get("remembered", False)),
    )


def _only_when(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(node["config"]["meta"].get("only_when", {}))


def _is_off(model: Model, values: Mapping[str, Any]) -> bool:
    """Whether the model's rule is off in a run, so that it has no rows in any year."""
    return model.only_when is not None and str(values[model.only_when[0]]).lower() != model.only_when[1].lower()


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
        for match in _PARAMETER.finditer(sql):
            types.setdefault(match["name"], set()).add(match["type"].replace(" ", "").upper())
    for name, found in types.items():
        if len(found) > 1:
            raise PlanCompilationError(f"parameter {name} is read with more than one type: {', '.join(sorted(found))}")
    return tuple(Parameter(name=name, type=types[name].pop()) for name in sorted(types))


def _stage(node: Mapping[str, Any]) -> str:
    return next(stage for stage in STAGES if stage in node["tags"])


def _problems(node: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if node["resource_type"] == "test":
        return []
    name = node["name"]
    if node["resource_type"] != "model":
        return [f"{name}: a {node['resource_type']} is neither a model nor a test"]
    config = node["config"]
    problems: list[str] = []
    materialized = config["materialized"]
    if materialized not in ("table", "incremental"):
        problems.append(
            f"{name}: materialized as {materialized}; only table (working) and incremental (mart) are known"
        )
    if config.get("pre-hook") or config.get("post-hook"):
        problems.append(f"{name}: has a hook")
    stages = [tag for tag in node["tags"] if tag in STAGES]
    if len(stages) != 1:
        return [*problems, f"{name}: needs exactly one stage tag of {', '.join(STAGES)}; it has {stages or 'none'}"]
    later = [
        models[parent]["name"]
        for parent in node["depends_on"]["nodes"]
        if parent in models and STAGES.index(_stage_or_first(models[parent])) > STAGES.index(stages[0])
    ]
    problems += [f"{name}: refers to {parent}, which belongs to a later stage" for parent in later]
    replaced = [
        mart["name"]
        for mart in models.values()
        if f"source.{mart['package_name']}.{_LEDGER}.{mart['name']}" in node["depends_on"]["nodes"]
        and STAGES.index(_stage_or_first(mart)) <= STAGES.index(stages[0])
    ]
    problems += [f"{name}: reads last year's {mart} in the stage that replaces it" for mart in replaced]
    words = {
        word for block in _JINJA.findall(node["raw_code"]) for word in re.findall(r"\b[a-z_]+\b", _strip_text(block))
    }
    problems += [f"{name}: uses `{word}` in Jinja" for word in _FORBIDDEN_IN_MODELS if word in words]
    return problems + (_mart_problems(node) if materialized == "incremental" else _working_problems(node))


def _stage_or_first(node: Mapping[str, Any]) -> str:
    return next((tag for tag in node["tags"] if tag in STAGES), STAGES[0])


def _strip_text(block: str) -> str:
    """Drop quoted text from a Jinja block, so that an argument is not taken for a call."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", block)


def _working_problems(node: Mapping[str, Any]) -> list[str]:
    problems = [f"{node['name']}: a working model has no schema of its own"] if node["config"].get("schema") else []
    condition = _only_when(node)
    if len(condition) > 1 or any(f"getvariable('{name}')" not in node["compiled_code"] for name in condition):
        problems.append(f"{node['name']}: only_when names one parameter that the model reads; it has {dict(condition)}")
    return problems


def _mart_problems(node: Mapping[str, Any]) -> list[str]:
    name, config = node["name"], node["config"]
    problems = []
    if not config["contract"]["enforced"]:
        problems.append(f"{name}: a mart has an enforced contract")
    if config.get("full_refresh") is not False or config.get("on_schema_change") != "fail":
        problems.append(f"{name}: a mart has full_refresh false and on_schema_change fail")
    if config.get("incremental_strategy") != "delete+insert" or config.get("unique_key") != "simulation_year":
        problems.append(f"{name}: a mart replaces a simulation_year (delete+insert)")
    if "simulation_year" not in node["columns"]:
        problems.append(f"{name}: a mart has a simulation_year")
    problems += [
        f"{name}.{key}: has no data_type" for key, column in node["columns"].items() if not column["data_type"]
    ]
    return problems


def _macro_problems(macros: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """`param` alone reads variables; a macro elsewhere that does would give the two engines different numbers."""
    own = (macro for macro in macros.values() if macro["package_name"] == "planalign" and macro["name"] != "param")
    return [
        f"macro {macro['name']}: uses `{word}`"
        for macro in own
        for word in ("var(", "env_var(", "run_query(", "is_incremental(")
        if word in macro["macro_sql"]
    ]


if __name__ == "__main__":
    sys.stdout.write(compile_plan(project.dbt_project()))
