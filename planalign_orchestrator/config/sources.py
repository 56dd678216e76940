"""Gathers settings from a file, the environment and overrides, each with its place, before any rule has judged them."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from planalign_orchestrator.config.changes import CHANGES
from planalign_orchestrator.config.collection_types import ListOf, Record
from planalign_orchestrator.config.configuration import Origin, Place, Setting
from planalign_orchestrator.config.keys import advice, known_keys, known_sections, mapping_rule
from planalign_orchestrator.config.sections.parameters import CENSUS, DEFAULT, TABLES_RULE
from planalign_orchestrator.config.types import PATH, kind_of
from planalign_orchestrator.config.yaml_lines import Node, is_null, read_yaml, shorten
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.problems import KeyPath, dotted

ENVIRONMENT_PREFIX = "PLANALIGN__"
_ORIGINS: tuple[Origin, ...] = ("default", "file", "environment", "command line")


@dataclass(frozen=True)
class Problem:
    """A finding with its place, sortable into the order in which the author meets the places."""

    place: Place
    message: str

    @property
    def rank(self) -> tuple[int, int]:
        return _ORIGINS.index(self.place.origin), self.place.line

    def __str__(self) -> str:
        kind = "environment variable " if self.place.origin == "environment" else ""
        return f"{kind}{self.place.where}: {self.message}"


@dataclass(frozen=True)
class _Channel:
    """One source of settings; its paths are relative to `folder`, or to the working directory if that is None.

    `change` is where its keys stand: () or the year of a change, as ("changes", "2027").
    """

    origin: Origin
    name: str
    folder: Path | None = None
    change: KeyPath = ()

    def place(self, line: int) -> Place:
        return Place("file", f"{self.name}:{line}", line) if self.origin == "file" else Place(self.origin, self.name)


@dataclass
class Gathered:
    """Settings by key, the last source holding; problems met; keys that a misspelled one probably meant."""

    settings: dict[KeyPath, Setting] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    suspects: set[KeyPath] = field(default_factory=set)
    holds_legacy_keys: bool = False

    def add_file(self, path: Path) -> None:
        """Add the file's settings; raises ConfigurationError if it cannot be read as a mapping at all."""
        source = str(path)
        root, oddities = read_yaml(read_text(path))
        channel = _Channel("file", source, path.parent)
        self.problems += [Problem(channel.place(oddity.line), oddity.message) for oddity in oddities]
        if root is None and oddities:
            raise ConfigurationError([str(problem) for problem in self.problems])
        if root is None or root.value is None:
            raise ConfigurationError(f"{source}: the file is empty; `planalign init` writes a complete one")
        if not isinstance(root.value, dict):
            raise ConfigurationError(
                f"{source}: holds {kind_of(root.plain())}; a configuration is a mapping of sections to keys"
            )
        for name, node in root.value.items():
            self._add((name,), node, channel)
        if self.holds_legacy_keys:
            command = f"planalign migrate config {shlex.quote(source)} -o NEW.yaml"
            text = f"is written for the legacy runner; translate it: {command}"
            self.problems.append(Problem(Place("file", source), text))

    def add_environment(self, environment: Mapping[str, str]) -> None:
        """Add every variable whose name begins with PLANALIGN__, in any case; `__` separates the levels of its key."""
        seen: dict[KeyPath, str] = {}
        for variable in sorted(environment):
            if not variable.upper().startswith(ENVIRONMENT_PREFIX):
                continue
            channel = _Channel("environment", variable)
            path = tuple(variable[len(ENVIRONMENT_PREFIX) :].lower().split("__"))
            if path in seen:
                self._report(channel, 0, f"sets the same key as {seen[path]}; unset one of them")
            seen[path] = variable
            self._add_text(path, environment[variable], channel)

    def add_overrides(self, overrides: Mapping[str, object] | Sequence[str]) -> None:
        """Add overrides by dotted key, or texts of the form key=value; the last one of a key holds."""
        channel = _Channel("command line", "command line")
        if isinstance(overrides, Mapping):
            for key, value in overrides.items():
                path = tuple(key.split("."))
                if isinstance(value, str):
                    self._add_text(path, value, channel)
                else:
                    self._add(path, _node(value), channel)
            return
        for override in overrides:
            key, equals, text = override.partition("=")
            if not equals or not key.strip():
                self._report(
                    channel, 0, f"{override!r} is no override; write key=value, such as simulation.random_seed=7"
                )
            else:
                self._add_text(tuple(key.strip().split(".")), text, channel)

    def _add_text(self, path: KeyPath, text: str, channel: _Channel) -> None:
        """Add a value given as text, which is read as YAML unless its key holds text anyway."""
        if path[0] == CHANGES and len(path) > 2:
            path, channel = path[2:], replace(channel, change=path[:2])
        key, entry_rule = known_keys().get(path), mapping_rule(path[:-1])
        if (key is not None and key.text_only) or (entry_rule is not None and entry_rule.entries_text_only):
            value = None if key is not None and key.nullable and is_null(text) else text
            self._add(path, Node(value, 0, shorten(text)), channel)
            return
        node, oddities = read_yaml(text)
        for oddity in oddities:
            self._report(channel, 0, f"{dotted(channel.change + path)} = {shorten(text)}: {oddity.message}")
        if not oddities:
            self._add(path, node or Node(None, 0, ""), channel)

    def _add(self, path: KeyPath, node: Node, channel: _Channel) -> None:
        if path[0] == CHANGES and len(path) > 2:
            self._add(path[2:], node, replace(channel, change=path[:2]))
        elif path[0] == CHANGES:
            self._add_changes(path, node, channel)
        elif path in known_sections():
            self._add_section(path, node, channel)
        elif mapping_rule(path) is not None:
            self._add_mapping(path, node, channel)
        elif path in known_keys() or mapping_rule(path[:-1]) is not None:
            self._store(path, node, channel)
        else:
            self._add_unknown(path, node, channel)

    def _add_changes(self, path: KeyPath, node: Node, channel: _Channel) -> None:
        """Add changes: those of a year key by key; all of them in the place of those there are."""
        children = node.value if isinstance(node.value, dict) else {}
        if len(path) == 1:
            for stored in [stored for stored in self.settings if stored[:1] == path]:
                del self.settings[stored]
        if node.value is not None and not isinstance(node.value, dict):
            # the rule of the key says what is wrong
            self._store(path, node, channel)
        elif path not in self.settings:
            self._store(path, Node({}, node.line, node.shown), channel)
        for name, child in children.items():
            if len(path) == 1:
                self._add_changes((*path, name), child, channel)
            else:
                self._add((name,), child, replace(channel, change=path))

    def _add_unknown(self, path: KeyPath, node: Node, channel: _Channel) -> None:
        # Read here, so that a configuration without unknown keys does not wait for the table.
        from planalign_orchestrator.config.legacy_keys import is_legacy_section, legacy_key

        legacy = legacy_key(dotted(path))
        if legacy is not None:
            self.holds_legacy_keys = True
            self.suspects |= {channel.change + tuple(key.split(".")) for key in legacy.new_keys}
            self._report(channel, node.line, f"{dotted(channel.change + path)}: {legacy.sentence}")
        elif is_legacy_section(dotted(path)) and isinstance(node.value, dict):
            for name, child in node.value.items():
                self._add_unknown((*path, name), child, channel)
        elif path[:-1] not in known_sections() and is_legacy_section(dotted(path[:-1])):
            from planalign_orchestrator.config.legacy_keys import suggestion

            self._report(channel, node.line, f"{dotted(channel.change + path)}: {suggestion(dotted(path))}")
        else:
            unknown = self._first_unknown(path)
            text, meant = advice(unknown, in_change=bool(channel.change))
            self.suspects |= {channel.change + meant} if meant else set()
            self._report(channel, node.line, f"{dotted(channel.change + unknown)}: {text}")

    def _add_section(self, path: KeyPath, node: Node, channel: _Channel) -> None:
        # A section whose keys are all commented out is empty, which says nothing and loses nothing.
        if isinstance(node.value, dict):
            for name, child in node.value.items():
                self._add((*path, name), child, channel)
        elif node.value is not None:
            self._report(
                channel,
                node.line,
                f"{dotted(channel.change + path)} = {node.shown}: is a section; write its keys below it, indented",
            )
            self.suspects |= {channel.change + key for key in known_keys() if key[: len(path)] == path}

    def _add_mapping(self, path: KeyPath, node: Node, channel: _Channel) -> None:
        """Replace the mapping at `path` as a whole; its entries are stored one by one, each with its own place."""
        full = channel.change + path
        for stored in [stored for stored in self.settings if stored[: len(full)] == full]:
            del self.settings[stored]
        if isinstance(node.value, dict) and node.value:
            for name, child in node.value.items():
                self._store((*path, name), child, channel)
        elif channel.origin != "file" or node.value is not None:
            self._store(path, Node({}, node.line, "") if node.value is None else node, channel)

    def _store(self, path: KeyPath, node: Node, channel: _Channel) -> None:
        value = node.plain()
        if channel.folder is not None and isinstance(value, str) and _holds_path(path) and not _is_word(path, value):
            value = _anchored(value, channel.folder)
        elif channel.folder is not None and isinstance(value, list):
            value = _anchored_entries(path, value, channel.folder)
        # Inserted anew, so that an entry of a mapping comes after the mapping it is added to.
        full = channel.change + path
        self.settings.pop(full, None)
        self.settings[full] = Setting(value, node.shown, channel.place(node.line))

    def _first_unknown(self, path: KeyPath) -> KeyPath:
        for depth in range(1, len(path)):
            if path[:depth] not in known_sections():
                return path[: depth + 1] if path[:depth] in known_keys() else path[:depth]
        return path

    def _report(self, channel: _Channel, line: int, message: str) -> None:
        self.problems.append(Problem(channel.place(line), message))


def read_text(path: Path) -> str:
    """The text of a configuration file. Errors: ConfigurationError when it cannot be read as UTF-8."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            # A pipe without a writer would be waited for, and a device may have no end.
            raise ConfigurationError(f"{path}: is a pipe or a device; save the configuration as a file and name that")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: the file does not exist; name another one with -c, or make one with `planalign init`"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}:{line}: the file is not UTF-8 text; save it as UTF-8") from None


def _node(value: object) -> Node:
    """A Python value as if it had been read, floats exact in their shortest digits."""
    if isinstance(value, Mapping):
        return Node({str(key): _node(item) for key, item in value.items()}, 0, shorten(str(dict(value))))
    if isinstance(value, (list, tuple)):
        return Node([_node(item) for item in value], 0, shorten(str(list(value))))
    if isinstance(value, float):
        return Node(Decimal(repr(value)), 0, repr(value))
    if value is None or isinstance(value, (bool, int, Decimal)):
        return Node(value, 0, str(value))
    return Node(str(value), 0, shorten(str(value)))


def _holds_path(path: KeyPath) -> bool:
    key = known_keys().get(path)
    return (mapping_rule(path[:-1]) if key is None else key.rule) in (PATH, TABLES_RULE)


def _anchored_entries(path: KeyPath, entries: list[Any], folder: Path) -> list[Any]:
    """The entries of a list with the paths in them relative to `folder`."""
    key = known_keys().get(path)
    rule = key.rule if key is not None else None
    if not isinstance(rule, ListOf) or not isinstance(rule.entry, Record):
        return entries
    paths = [name for name, column in rule.entry.columns.items() if column is PATH]
    return [
        {
            name: _anchored(value, folder) if name in paths and isinstance(value, str) else value
            for name, value in entry.items()
        }
        if isinstance(entry, dict)
        else entry
        for entry in entries
    ]


def _is_word(path: KeyPath, value: str) -> bool:
    """Whether the value of a table is a word that stands for it, not the path of its file."""
    return path[0] == "parameters" and value in (DEFAULT, CENSUS)


def _anchored(value: str, folder: Path) -> str:
    """`value` relative to `folder`; the .. of a relative path goes up the folders as they are written."""
    if not value.strip() or value.startswith("~"):
        return value
    return os.path.normpath(folder / value)
