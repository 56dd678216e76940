"""The keys of the legacy runner and what became of each: the only place where this is written down (legacy_keys.csv).

Nothing heavy is imported here, because the configuration reads the table when it meets such a key.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal, cast

Action = Literal["kept", "renamed", "merged", "dropped"]

FORMULAS = "employer_match.formulas."


@dataclass(frozen=True)
class LegacyKey:
    """A legacy key: what became of it, today's keys that took its place, and why or how, in a sentence.

    `same_as_today` are the values (or patterns of them) that say what is done anyway, so that dropping them loses
    nothing.
    """

    key: str
    action: Action
    new_keys: tuple[str, ...]
    same_as_today: tuple[str, ...]
    note: str

    def loses(self, value: str) -> bool:
        """Whether dropping this value, as it is written, changes what is simulated."""
        return not any(fnmatchcase(value, pattern) for pattern in self.same_as_today)

    @property
    def sentence(self) -> str:
        """What to tell somebody who still uses the key."""
        new = " and ".join(f"`{key}`" for key in self.new_keys)
        what = {
            "kept": "is still valid",
            "renamed": f"is a key of the legacy runner, now {new}",
            "merged": f"is a key of the legacy runner, now part of {new}",
            "dropped": "is a key of the legacy runner that no longer exists",
        }[self.action]
        return f"{what}. {self.note}"


@cache
def legacy_keys() -> Mapping[str, LegacyKey]:
    """Every key of the table by its dotted name, in the order of the legacy file."""
    with Path(__file__).with_name("legacy_keys.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            LegacyKey(
                row["legacy_key"],
                cast("Action", row["action"]),
                tuple(row["new_key"].split()),
                tuple(filter(None, row["same_as_today"].split("|"))),
                row["note"],
            )
            for row in csv.DictReader(file)
        ]
    return {row.key: row for row in rows}


def legacy_key(key: str) -> LegacyKey | None:
    """The row of a dotted key, or None; a formula of any name has the keys of the formulas in the table."""
    found = legacy_keys().get(key)
    if found is None and key.startswith(FORMULAS) and key.count(".") == FORMULAS.count(".") + 1:
        return _formula_keys().get(key.rpartition(".")[2])
    return found


def is_legacy_section(key: str) -> bool:
    """Whether legacy keys lie below `key`."""
    return key in _sections() or (key.startswith(FORMULAS) and key.count(".") == FORMULAS.count("."))


@cache
def _sections() -> frozenset[str]:
    parts = [key.split(".") for key in legacy_keys()]
    return frozenset(".".join(names[:depth]) for names in parts for depth in range(1, len(names)))


@cache
def _formula_keys() -> Mapping[str, LegacyKey]:
    return {key.rpartition(".")[2]: row for key, row in legacy_keys().items() if key.startswith(FORMULAS)}


def suggestion(key: str) -> str:
    """What to do about a key that neither the legacy runner nor a configuration of today knows as a single value."""
    from planalign_orchestrator.config.keys import known_keys, known_sections
    from planalign_orchestrator.problems import dotted, nearest

    if is_legacy_section(key) or tuple(key.split(".")) in known_sections():
        return "is a section; write its keys below it, indented"
    known = [*legacy_keys(), *map(dotted, known_keys())]
    section, _, name = key.rpartition(".")
    siblings = {other.rpartition(".")[2]: other for other in known if other.rpartition(".")[0] == section}
    beside = nearest(name, siblings)
    same_name = next((other for other in known if other.rpartition(".")[2] == name), None)
    meant = siblings[beside] if beside is not None else same_name or nearest(key, known, cutoff=0.85)
    hint = f"did you mean `{meant}`?" if meant else "remove it if it has no meaning"
    return f"neither a key of the legacy runner nor one of today; {hint}"
