"""What a dbt project may not hold, because the native engine and dbt would then disagree: there is one semantics."""

import re
from collections.abc import Mapping
from typing import Any

from planalign_orchestrator.model.compiled import STAGES

# as a source of this name the models read the marts of earlier years
_LEDGER = "ledger"
_FORBIDDEN_IN_MODELS = ("is_incremental", "this", "run_query", "env_var", "run_started_at", "var", "target", "execute")
_JINJA = re.compile(r"{[{%].*?[%}]}", re.DOTALL)


def problems_of(manifest: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the models and macros of a dbt manifest, one sentence each."""
    nodes = manifest["nodes"]
    models = {name: node for name, node in nodes.items() if node["resource_type"] == "model"}
    problems = [problem for node in nodes.values() for problem in _node_problems(node, models)]
    return problems + _macro_problems(manifest["macros"])


def _node_problems(node: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]) -> list[str]:
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
    condition = node["config"]["meta"].get("only_when", {})
    if len(condition) > 1 or any(f"getvariable('{name}')" not in node["compiled_code"] for name in condition):
        problems.append(f"{node['name']}: only_when names one parameter that the model reads; it has {condition}")
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
