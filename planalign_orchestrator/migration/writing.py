"""Writes a translated configuration as YAML that the loader reads back to the same values."""

import json
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from planalign_orchestrator.config.findings import KeyPath
from planalign_orchestrator.config.keys import known_keys
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.config.yaml_lines import plain_scalar
from planalign_orchestrator.migration.draft import NewSetting
from planalign_orchestrator.migration.legacy_file import holds_path
from planalign_orchestrator.migration.translation import Translation

_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*")
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
                lines.append(f"{'  ' * depth}{_scalar(path[depth])}:")
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
        return [*comments, f"{indent}{_scalar(path[-1])}:", *(f"{indent}  - {_inline(item)}" for item in value)]
    line = f"{indent}{_scalar(path[-1])}: {_inline(value)}"
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
        return "{" + ", ".join(f"{_scalar(str(name))}: {_inline(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return plain_number(value)
    text = str(value)
    is_plain = _PLAIN_TEXT.fullmatch(text) and plain_scalar(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)
