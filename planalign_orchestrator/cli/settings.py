"""`planalign config show`: every value in force and where it came from."""

from typing import TYPE_CHECKING, Annotated

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
    merge,
    read_settings,
)
from planalign_orchestrator.cli.output import show, show_json

if TYPE_CHECKING:
    from planalign_orchestrator.api.types import EffectiveValue

# columns of a key and of a value that is not long
_KEY, _VALUE = 54, 10
_INDENT = "    "


YearOption = Annotated[int | None, typer.Option("--year", help="Show what holds in this simulated year.")]


def show_config(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    settings: SetOption = None,
    year: YearOption = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show every value in force and its origin: default, file, environment, command line or preset.

    With --year, the values of that year: the file's with all changes up to it.
    """
    overrides = [*read_settings(settings), Override("--database", "runtime.database", database and str(database))]
    values = api.show_config(config, merge(overrides), year)
    if as_json:
        show_json({item.key: {"value": item.value, "origin": item.origin, "where": item.where} for item in values})
        return
    show(f"Line numbers are those of {config}.\n")
    for item in values:
        show("\n".join(_lines(item)))


def _lines(item: "EffectiveValue") -> list[str]:
    """A key with its value and origin: on one line if it fits a terminal, else below each other."""
    from planalign_orchestrator.api.text import wrapped
    from planalign_orchestrator.cli.output import width
    from planalign_orchestrator.escaping import visible_json, visible_line

    value = visible_json(item.value)
    left = f"{item.key:<{_KEY}}  {value:<{_VALUE}}"
    if len(left) > _KEY + _VALUE + 2:
        left = f"{item.key}  {value.rjust(_KEY + _VALUE - len(item.key))}"
    origin = visible_line(_origin(item))
    line = f"{left}  {origin}"
    if len(line) <= width():
        return [line]
    room = width() - len(_INDENT)
    lines = [left.rstrip()] if len(left.rstrip()) <= width() else [item.key, *wrapped(value, room)]
    first, *others = [*lines, *wrapped(origin, room)]
    return [first, *(_INDENT + line for line in others)]


def _origin(item: "EffectiveValue") -> str:
    if item.origin == "file":
        return f"line {item.where.rpartition(':')[2]}"
    return f"{item.origin} {item.where}".rstrip()
