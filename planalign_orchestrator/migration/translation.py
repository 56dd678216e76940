"""Translates a configuration of the legacy runner into one of today: certain conversions only, nothing in silence."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planalign_orchestrator.config.configuration import Place, Setting, SimulationConfig
from planalign_orchestrator.config.keys import known_keys
from planalign_orchestrator.config.legacy_keys import legacy_key, suggestion
from planalign_orchestrator.config.load import judge
from planalign_orchestrator.config.sources import Gathered, Problem
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.migration.census_columns import settle_columns
from planalign_orchestrator.migration.draft import Draft, NewSetting, Outcome
from planalign_orchestrator.migration.employer_rules import translate_core, translate_match
from planalign_orchestrator.migration.legacy_file import Entry, holds_path, is_todays_key, read_legacy_file
from planalign_orchestrator.migration.rules import translate_the_rest
from planalign_orchestrator.migration.table_rules import translate_tables
from planalign_orchestrator.problems import KeyPath, dotted

# Where the legacy runner read its census when nothing else was said.
LEGACY_CENSUS = Path("data/census_preprocessed.parquet")
_NO_VALUE = "It has no value, so that the default holds."


@dataclass(frozen=True)
class Translation:
    """A translated configuration: what became of every key, in the order of the file, and what is in the way.

    `settings` can be written only while there are no `problems`. Paths in it are relative to the working directory.
    """

    source: Path
    outcomes: tuple[Outcome, ...]
    settings: Mapping[KeyPath, NewSetting]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        keys = [
            {
                "key": outcome.key,
                "line": outcome.line,
                "value": outcome.value,
                "action": outcome.action,
                "new_keys": list(outcome.new_keys),
                "note": outcome.note,
                "differs": outcome.differs,
            }
            for outcome in self.outcomes
        ]
        return {"source": str(self.source), "keys": keys, "notes": list(self.notes), "problems": list(self.problems)}


def translate(path: Path, census: Path | None = None) -> Translation:
    """The configuration of the legacy runner at `path` as one of today, judged by today's rules.

    `census` is read instead of the one that the file names. Errors: ConfigurationError when the file cannot be read.
    """
    entries = read_legacy_file(path)
    draft = Draft(path, {entry.key: entry for entry in entries})
    _settle_what_says_nothing(draft)
    translate_match(draft)
    translate_core(draft)
    translate_tables(draft)
    translate_the_rest(draft)
    for entry in entries:
        if entry.key not in draft.outcomes:
            _translate_by_table(draft, entry)
    notes = [*_settle_census(draft, census), *_match_note(draft), *_structure_note(draft)]
    _judge(draft)
    return Translation(
        path,
        tuple(draft.outcomes[entry.key] for entry in entries),
        draft.settings,
        tuple(text for _, text in sorted(draft.problems, key=lambda problem: problem[0])),
        tuple(notes),
    )


def _settle_what_says_nothing(draft: Draft) -> None:
    for entry in draft.entries.values():
        if not entry.says_nothing:
            continue
        if legacy_key(entry.key) is not None:
            draft.settle(entry, _NO_VALUE, action="dropped")
        elif not is_todays_key(entry.key):
            note = f"{suggestion(entry.key)}. It has no value, so that nothing is lost."
            draft.outcomes[entry.key] = Outcome(entry.key, entry.line, entry.shown, "unknown", (), note)


def _translate_by_table(draft: Draft, entry: Entry) -> None:
    row = legacy_key(entry.key)
    if row is None:
        if is_todays_key(entry.key):
            _keep(draft, entry)
        else:
            text = suggestion(entry.key)
            draft.problems.append((entry.line, f"{draft.path}:{entry.line}: {entry.key}: {text}"))
            draft.outcomes[entry.key] = Outcome(entry.key, entry.line, entry.shown, "unknown", (), text)
    elif row.action in ("kept", "renamed"):
        draft.put(row.new_keys[0], entry.value, entry)
        draft.settle(entry)
    elif row.action == "dropped":
        draft.settle(entry, differs=row.loses(_text(entry)))
    else:
        draft.settle(entry, "It is not translated while its section has a problem.", action="dropped", differs=True)


def _keep(draft: Draft, entry: Entry) -> None:
    """Copy one of today's keys; its paths are relative to the folder of the file."""
    path = tuple(entry.key.split("."))
    value = entry.value
    if isinstance(value, str) and holds_path(path) and not value.startswith("~"):
        value = os.path.normpath(draft.path.parent / value)
    draft.put(entry.key, value, entry)
    draft.outcomes.setdefault(
        entry.key, Outcome(entry.key, entry.line, entry.shown, "kept", (entry.key,), "It is one of today's keys.")
    )


def _settle_census(draft: Draft, census: Path | None) -> list[str]:
    """The one key without a default: as told, as the file says, or where the legacy runner looked."""
    path = ("census", "path")
    notes = []
    if census is not None:
        if path in draft.settings:
            notes.append(f"--census replaces {draft.settings[path].value}, the census of the file.")
        draft.settings[path] = NewSetting(os.path.normpath(census), ())
    elif path not in draft.settings:
        draft.settings[path] = NewSetting(str(LEGACY_CENSUS), ())
        notes.append(
            f"The file names no census: census.path is {LEGACY_CENSUS}, where the legacy runner looked; --census names "
            "another one."
        )
    chosen = Path(str(draft.settings[path].value))
    if not chosen.is_file():
        notes.append(f"The census {chosen} does not exist here; see that census.path is right before a run.")
        return notes
    return [*notes, *settle_columns(draft, chosen)]


def _structure_note(draft: Draft) -> list[str]:
    """How people are promoted and hired, which the legacy runner had no key for."""
    if ("workforce", "structure") in draft.settings:
        return []
    was = "The legacy runner promoted by rates and hired by a mix of levels; today promotions and hires fill openings"
    return [f"{was}, and workforce.structure: rates is nearer to what it did."]


def _match_note(draft: Draft) -> list[str]:
    """What the plan matches where the file names no formula that could be translated."""
    key = ("plan", "match", "formula")
    if key in draft.settings or draft.problems:
        return []
    default = known_keys()[key].field.default
    return [f"The file names no match formula: the plan has the default one, {default}; see plan.match."]


def _judge(draft: Draft) -> None:
    """Add what today's rules refuse, at the line of the legacy key that a value comes from."""
    gathered = Gathered({path: _setting(draft, new) for path, new in draft.settings.items()})
    judged = judge(gathered, str(draft.path))
    if not isinstance(judged, SimulationConfig):
        for problem in judged:
            _refuse_judged(draft, problem)
        return
    from planalign_orchestrator.parameters import load_parameters

    try:
        load_parameters(judged)
    except ConfigurationError as error:
        draft.problems += [(0, f"{draft.path}: {problem}") for problem in error.problems]


def _refuse_judged(draft: Draft, problem: Problem) -> None:
    """Report what today's rules refuse with the legacy key that the value comes from, if it comes from one."""
    for path, new in draft.settings.items():
        key = dotted(path)
        if new.sources and problem.message.startswith((f"{key} ", f"{key}:")):
            entry = new.sources[0]
            origin = "" if entry.key == key else f"{entry.key}: "
            draft.problems.append((entry.line, f"{problem.place.where}: {origin}{problem.message}"))
            text = problem.message.removeprefix(key).removeprefix(f" = {entry.shown}").removeprefix(": ")
            draft.outcomes[entry.key] = Outcome(entry.key, entry.line, entry.shown, "refused", (key,), text)
            return
    draft.problems.append((problem.place.line, str(problem)))


def _setting(draft: Draft, new: NewSetting) -> Setting:
    if not new.sources:
        return Setting(new.value, str(new.value), Place("command line", "command line"))
    first = new.sources[0]
    return Setting(new.value, first.shown, Place("file", f"{draft.path}:{first.line}", first.line))


def _text(entry: Entry) -> str:
    """A value as the table writes it."""
    return str(entry.value).lower() if isinstance(entry.value, bool) else str(entry.value)
