"""`planalign validate`: everything that would stop a run, all at once, without running or leaving a file behind."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    JsonOption,
    Override,
    SetOption,
    VerboseOption,
    merge,
    read_settings,
)
from planalign_orchestrator.cli.output import show, show_json
from planalign_orchestrator.errors import CensusError, ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.config.sections import Section

_FAILED, _USAGE = 1, 2


@dataclass
class Finding:
    """What was checked, what is wrong with it, and what is worth knowing about it."""

    subject: str
    problems: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {"subject": self.subject, "problems": self.problems, "facts": self.facts, **self.details}


def validate(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    census: Annotated[
        Path | None, typer.Option("--census", help="Census file, instead of the configured one.", show_default=False)
    ] = None,
    settings: SetOption = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a configuration file.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check configuration, census and environment, and list every problem of all three. Nothing is run or written.

    Leaves with 2 if configuration or census cannot be used, with 1 if only the environment stands in the way.
    """
    if schema:
        from planalign_orchestrator.config import config_json_schema

        show_json(config_json_schema())
        return
    overrides = merge(
        [
            *read_settings(settings),
            Override("--database", "runtime.database", database and str(database)),
            Override("--census", "census.path", census and str(census)),
        ]
    )
    ...
