"""`planalign validate`: every problem of configuration, census and environment, before a run meets them one by one."""

from pathlib import Path
from typing import Annotated

import typer

from planalign_orchestrator import api
from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    JsonOption,
    Override,
    SetOption,
    VerboseOption,
    as_path,
    merge,
    read_settings,
)
from planalign_orchestrator.cli.output import end_with_failure, show, show_json

_FAILED, _USAGE = 1, 2


def validate(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    census: Annotated[
        Path | None,
        typer.Option(
            "--census",
            help="Census file, instead of the configured one.",
            show_default=False,
            parser=as_path,
            metavar="<path>",
        ),
    ] = None,
    settings: SetOption = None,
    execute_rules: Annotated[
        bool,
        typer.Option(
            "--execute-rules", help="Also execute the rules of custom_rules_file and of packages, to try them."
        ),
    ] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a configuration file.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """List every problem of configuration, census and environment.

    Nothing is run or written, and no code of custom rules is executed without --execute-rules. The exit code is 2 if
    configuration or census cannot be used, 1 if only the environment stands in the way.
    """
    if schema:
        show_json(api.configuration_schema())
        return
    overrides = merge(
        [
            *read_settings(settings),
            Override("--database", "runtime.database", database and str(database)),
            Override("--census", "census.path", census and str(census)),
        ]
    )
    found = api.validate(config, overrides, execute_rules=execute_rules)
    if as_json:
        show_json({"problems": found.problems, **{name: part.to_dict() for name, part in found.parts.items()}})
    else:
        show("\n".join(_lines(found)))
    if found.problems:
        problems = [problem for part in found.parts.values() for problem in part.problems]
        kind = (
            "ConfigurationError"
            if found.configuration.problems
            else "CensusError"
            if found.is_unusable
            else "PlanAlignError"
        )
        end_with_failure(_lines(found)[-1], kind, _USAGE if found.is_unusable else _FAILED, problems)


def _lines(found: api.Preflight) -> list[str]:
    lines = []
    for name, part in found.parts.items():
        lines.append(f"{name.capitalize()}: {part.subject}")
        lines += [f"  problem: {problem}" for problem in part.problems]
        lines += [f"  {fact}" for fact in part.facts]
    count = found.problems
    lines.append("No problems." if not count else f"{count} problem{'s' if count > 1 else ''}.")
    return lines
