"""Writes a translated configuration as YAML that the loader reads back to the same values."""

import os
from collections.abc import Mapping
from pathlib import Path

from planalign_orchestrator.config.keys import known_keys
from planalign_orchestrator.config.yaml_lines import scalar_text
from planalign_orchestrator.migration.draft import NewSetting
from planalign_orchestrator.migration.legacy_file import holds_path
from planalign_orchestrator.migration.translation import Translation
from planalign_orchestrator.problems import KeyPath

_HEADER = """\
# Translated from {source}, a configuration of the legacy runner, by `planalign migrate config`.
# A comment names the legacy keys of a value; keys that are not here have their defaults (`planalign config show`).
"""


def yaml_text(translation: Translation, folder: Path) -> str:
    """The configuration as the text of a file in `folder`, to which its paths are relative."""
    order = {path: place for place, path in enumerate(known_keys())}
    paths = sorted(translation.settings, key=lambda path: order.get(path, order.get(path[:-1], len(order))))
    lines = [_HEADER.format(source=translation.source)]
    open_sections: KeyPath = ()
    for path in paths:
        for depth in range(len(path) - 1):
            if path[: depth + 1] != open_sections[: depth + 1]:
                lines.append(f"{'  ' * depth}{scalar_text(path[depth])}:")
        open_sections = path[:-1]
        lines += _setting(path, translation.settings[path], folder)
    return "\n".join(lines) + "\n"


def _setting(path: KeyPath, new: NewSetting, folder: Path) -> list[str]:
    value = new.value
    if isinstance(value, str) and holds_path(path):
        value = _seen_from(folder, value)
    indent = "  " * (len(path) - 1)
    legacy = _grouped([entry.key for entry in new.sources if entry.key != ".".join(path)])
    comments = [f"{indent}# {keys}" for keys in legacy]
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return [*comments, f"{indent}{scalar_text(path[-1])}:", *(f"{indent}  - {_inline(item)}" for item in value)]
    line = f"{indent}{scalar_text(path[-1])}: {_inline(value)}"
    return [f"{line}  # {legacy[0]}"] if len(legacy) == 1 else [*comments, line]


def _grouped(keys: list[str]) -> list[str]:
    """The keys, several of one section as `section.*`."""
    sections: dict[str, list[str]] = {}
    for key in keys:
        section, _, name = key.rpartition(".")
        sections.setdefault(section, []).append(name)
    return [f"{section}.{names[0] if len(names) == 1 else '*'}" for section, names in sections.items()]


def _seen_from(folder: Path, path: str) -> str:
    """A path that is relative to the working directory, relative to the folder of the file instead."""
    if Path(path).is_absolute() or path.startswith("~"):
        return path
    return os.path.relpath(path, folder)


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar_text(str(name))}: {_inline(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return scalar_text(value)
