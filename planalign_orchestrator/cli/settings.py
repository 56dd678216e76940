"""`planalign config show`: every value in force and where it came from."""

from typing import TYPE_CHECKING

from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    JsonOption,
    Override,
    SetOption,
    VerboseOption,
    load_config,
    read_settings,
)
from planalign_orchestrator.cli.output import show, show_json

if TYPE_CHECKING:
    from planalign_orchestrator.config import EffectiveValue

# columns of a key and of a value that is not long
_KEY, _VALUE = 54, 10
_INDENT = "    "


def show_config(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    settings: SetOption = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show every value in force and its origin: default, file, environment, command line or preset."""
    overrides = [*read_settings(settings), Override("--database", "runtime.database", database and str(database))]
    loaded = load_config(config, overrides)
    from planalign_orchestrator.config import effective_values

    values = effective_values(loaded)
    if as_json:
        show_json({item.key: {"value": item.value, "origin": item.origin, "where": item.where} for item in values})
        return
    for item in values:
        show("\n".join(_lines(item)))


def _lines(item: "EffectiveValue") -> list[str]:
    """A key with its value and origin: on one line if it fits a terminal, else below each other."""
    from planalign_orchestrator.cli.output import width
    from planalign_orchestrator.escaping import visible_json, visible_line
    from planalign_orchestrator.reports.tables import wrapped

    value, origin = visible_json(item.value), visible_line(f"{item.origin} {item.where}".rstrip())
    line = f"{item.key:<{_KEY}}  {value:<{_VALUE}}  {origin}"
    if len(line) <= width():
        return [line]
    room = width() - len(_INDENT)
    short = f"{item.key:<{_KEY}}  {value}"
    lines = [short] if len(short) <= width() else [item.key, *wrapped(value, room)]
    first, *others = [*lines, *wrapped(origin, room)]
    return [first, *(_INDENT + line for line in others)]
