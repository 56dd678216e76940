"""Options that several commands share, and how they become one configuration."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign_orchestrator import api
from planalign_orchestrator.cli.output import log_to_standard_error
from planalign_orchestrator.files.names import path_problem

if TYPE_CHECKING:
    from planalign_orchestrator.api.types import SimulationConfig

DEFAULT_CONFIG = Path("config/simulation_config.yaml")
_SHOWN = 60
_YEARS = re.compile(r"([0-9]{4})(?:-([0-9]{4}))?")


def _set_up_logging(verbose: bool) -> bool:
    """Warnings of the library always go to standard error; with `-v` also its details and stack traces."""
    log_to_standard_error(logging.DEBUG if verbose else logging.WARNING)
    return verbose


def as_path(typed: str | Path) -> Path:
    """The path of an option or argument; a usage error for one that no file can have, such as an empty one.

    Typer hands over what was typed, or the default, which is a path already.
    """
    text = str(typed)
    problem = path_problem(text)
    if problem is not None:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        raise typer.BadParameter(f"'{shown}' {problem}")
    return Path(typed)


def as_format(typed: str | api.ReportFormat) -> api.ReportFormat:
    """The format of a report by its name; a usage error for a name that no format has."""
    if isinstance(typed, api.ReportFormat):
        return typed
    if typed.lower() not in api.FORMATS:
        raise typer.BadParameter(f"{typed!r} is not one of {', '.join(api.FORMATS)}")
    return api.FORMATS[typed.lower()]


ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="Configuration file.", parser=as_path, metavar="<path>")
]
DatabaseOption = Annotated[
    Path | None,
    typer.Option(
        "--database",
        help="Database file, instead of the configured one.",
        show_default=False,
        parser=as_path,
        metavar="<path>",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a configuration key; repeatable."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text; errors too.")]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace a file that is not one of ours; a database or an input never is.")
]
UnverifiedOption = Annotated[
    bool, typer.Option("--unverified", help="Show a database all the same that differs from what was recorded.")
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", callback=_set_up_logging, help="Show details; of an error, the stack trace.")
]
YearsOption = Annotated[
    str | None, typer.Option("--years", metavar="FIRST-LAST", help="Years, such as 2025-2027, or one year.")
]


@dataclass(frozen=True)
class Override:
    """A configuration key that an option of the command line sets."""

    option: str
    key: str
    value: object


def read_years(text: str | None) -> tuple[int, int] | None:
    """The first and the last year of `--years`; None without the option."""
    if text is None:
        return None
    found = _YEARS.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is no year such as 2025 and no range such as 2025-2027", param_hint="--years"
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if first > last:
        raise typer.BadParameter(f"{text}: the first year is after the last", param_hint="--years")
    return first, last


def read_settings(texts: Sequence[str] | None) -> list[Override]:
    """The keys and values of `--set`."""
    overrides = []
    for text in texts or ():
        key, separator, value = text.partition("=")
        if not separator or not key.strip():
            raise typer.BadParameter(f"{text!r} is not KEY=VALUE, such as simulation.random_seed=7", param_hint="--set")
        overrides.append(Override("--set", key.strip(), value.strip()))
    return overrides


def merge(overrides: Sequence[Override]) -> dict[str, object]:
    """Keys and values of the options that were given; a key that two of them set is a usage error."""
    merged: dict[str, Override] = {}
    for override in overrides:
        if override.value is None:
            continue
        earlier = merged.get(override.key)
        if earlier is not None:
            raise typer.BadParameter(f"{override.key} is set twice, by {earlier.option} and by {override.option}")
        merged[override.key] = override
    return {key: override.value for key, override in merged.items()}


def load_config(path: Path, overrides: Sequence[Override] = ()) -> "SimulationConfig":
    """The configuration of `path` with the overrides of the command line; raises ConfigurationError."""
    return api.load_configuration(path, merge(overrides))
