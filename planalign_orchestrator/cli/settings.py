"""`planalign config show`: every value in force and where it came from."""

import json

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
    width = max(len(item.key) for item in values)
    for item in values:
        value = json.dumps(item.value, ensure_ascii=False)
        show(f"{item.key:<{width}}  {value:<20}  {item.origin} {item.where}".rstrip())
