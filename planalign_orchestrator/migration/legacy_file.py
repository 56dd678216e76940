"""Reads a configuration of the legacy runner as single keys with their values, lines and what is odd about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from planalign_orchestrator.config.keys import known_keys, known_sections, mapping_rule
from planalign_orchestrator.config.legacy_keys import is_legacy_section, legacy_key
from planalign_orchestrator.config.sources import read_text
from planalign_orchestrator.config.types import PATH, kind_of
from planalign_orchestrator.config.yaml_lines import Node, read_yaml
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.problems import KeyPath, dotted


@dataclass(frozen=True, eq=False)
class Entry:
    """A key of the file: its value, how it is written and its line, counted from 1.

    Entries are told apart by what they are, not by what they hold, which may be a list or a mapping.
    """

    key: str
    value: object
    shown: str
    line: int

    @property
    def says_nothing(self) -> bool:
        """Whether the key is empty, so that its default holds and ignoring it loses nothing."""
        return self.value is None or self.value == {} or self.value == []


def read_legacy_file(path: Path) -> list[Entry]:
    """Every key of the file in its order. Errors: ConfigurationError when it is not a mapping in YAML."""
    root, oddities = read_yaml(read_text(path))
    if oddities:
        raise ConfigurationError([f"{path}:{oddity.line}: {oddity.message}" for oddity in oddities])
    if root is None or not isinstance(root.value, dict):
        raise ConfigurationError(f"{path}: holds {kind_of(root and root.plain())}; a configuration is a mapping")
    return list(_entries((), root))


def is_todays_key(key: str) -> bool:
    """Whether a configuration of today has the key."""
    path = tuple(key.split("."))
    return path in known_keys() or mapping_rule(path[:-1]) is not None


def holds_path(path: KeyPath) -> bool:
    """Whether one of today's keys holds a path, or a table that can be the path of a file."""
    key = known_keys().get(path)
    return path[:-1] == ("parameters",) if key is None else key.rule is PATH


def _entries(path: KeyPath, node: Node) -> Iterator[Entry]:
    """The keys below `path`; what is no section of either kind is one key with all that it holds."""
    key = dotted(path)
    # The entries of a mapping are single keys, because the translation can add others to the same mapping.
    leaf = path and (legacy_key(key) is not None or (is_todays_key(key) and mapping_rule(path) is None))
    if leaf or not isinstance(node.value, dict) or not node.value:
        if not _is_empty_section(path, node):
            yield Entry(key, node.plain(), node.shown, node.line)
        return
    for name, child in node.value.items():
        yield from _entries((*path, name), child)


def _is_empty_section(path: KeyPath, node: Node) -> bool:
    section = path in known_sections() or is_legacy_section(dotted(path))
    return section and (node.value is None or node.value == {})
