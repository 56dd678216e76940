"""The new configuration while it is being translated: its settings, what became of each legacy key, and problems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from planalign_orchestrator.config.legacy_keys import Action, legacy_key
from planalign_orchestrator.config.types import Number
from planalign_orchestrator.migration.legacy_file import Entry
from planalign_orchestrator.problems import KeyPath, RefusedError


@dataclass(frozen=True)
class Outcome:
    """What became of a key: kept, renamed, merged, dropped, unknown or refused; today's keys, and why, in a sentence.

    `differs` says that today's program does something else than the value asked for.
    """

    key: str
    line: int
    value: str
    action: str
    new_keys: tuple[str, ...]
    note: str
    differs: bool = False


@dataclass(frozen=True)
class NewSetting:
    """A value of the new file and the entries of the legacy file that it comes from."""

    value: object
    sources: tuple[Entry, ...]


@dataclass
class Draft:
    """What the rules of translation read from and write to. Every entry gets exactly one outcome."""

    path: Path
    entries: Mapping[str, Entry]
    settings: dict[KeyPath, NewSetting] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def find(self, key: str) -> Entry | None:
        """The entry of a key, if the file states it and gives it a value."""
        entry = self.entries.get(key)
        return None if entry is None or entry.says_nothing else entry

    def below(self, section: str) -> dict[str, Entry]:
        """The legacy keys of a section that have a value, by the rest of their key."""
        return {
            key[len(section) + 1 :]: entry
            for key, entry in self.entries.items()
            if key.startswith(f"{section}.") and not entry.says_nothing and legacy_key(key) is not None
        }

    def put(self, new_key: str, value: object, *sources: Entry) -> None:
        """Set a key of the new file; a second, different value is a problem that names both places."""
        path = tuple(new_key.split("."))
        before = self.settings.get(path)
        if before is not None and before.value != value:
            others = ", ".join(f"`{entry.key}` in line {entry.line}" for entry in before.sources)
            self.refuse(sources[0], f"contradicts {others}: both are `{new_key}` now; remove one of them")
            return
        self.settings[path] = NewSetting(value, (*(before.sources if before else ()), *sources))

    def settle(
        self,
        entry: Entry | None,
        note: str = "",
        *,
        action: Action | None = None,
        new_keys: tuple[str, ...] | None = None,
        differs: bool = False,
    ) -> None:
        """Record what became of an entry, by default what the table says; what was refused stays so."""
        if entry is None or (entry.key in self.outcomes and self.outcomes[entry.key].action == "refused"):
            return
        row = legacy_key(entry.key)
        if row is None:
            raise KeyError(entry.key)
        action = action or row.action
        new_keys = () if action == "dropped" else (row.new_keys if new_keys is None else new_keys)
        self.outcomes[entry.key] = Outcome(
            entry.key, entry.line, entry.shown, action, new_keys, note or row.note, differs
        )

    def lose(self, entry: Entry | None, note: str) -> None:
        """Record that an entry has no counterpart, so that the simulation differs."""
        self.settle(entry, note, action="dropped", differs=True)

    def refuse(self, entry: Entry, text: str) -> None:
        """Record that an entry has a value that cannot be translated, and why."""
        self.problems.append((entry.line, f"{self.path}:{entry.line}: {entry.key} = {entry.shown}: {text}"))
        self.outcomes[entry.key] = Outcome(entry.key, entry.line, entry.shown, "refused", (), text)

    def number(self, entry: Entry, rule: Number) -> Decimal | None:
        """The number of an entry, or None after refusing what is none."""
        try:
            return Decimal(rule.parse(entry.value))
        except RefusedError as error:
            self.refuse(entry, str(error))
            return None

    def flag(self, entry: Entry | None, default: bool) -> bool:
        """The true or false of an entry, `default` without one and after refusing what is neither."""
        if entry is None:
            return default
        if not isinstance(entry.value, bool):
            self.refuse(entry, "must be true or false, without quotes")
            return default
        return entry.value
