"""Loads a configuration: gathers its settings, has the model judge them and reports all that is wrong at once."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from planalign_orchestrator.config.configuration import Place, Provenance, Setting, SimulationConfig, findings_of
from planalign_orchestrator.config.keys import known_keys, known_sections
from planalign_orchestrator.config.sources import Gathered, Problem
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.problems import Finding, KeyPath, dotted


def load_simulation_config(
    path: str | os.PathLike[str] = "config/simulation_config.yaml",
    *,
    overrides: Mapping[str, object] | Sequence[str] | None = None,
) -> SimulationConfig:
    """The configuration of the file at `path`, with every value checked.

    `overrides` (dotted key -> value, or texts "key=value") go before environment variables, which are named like
    PLANALIGN__SIMULATION__RANDOM_SEED, these before the file, and the file before the defaults. Paths in the file are
    relative to its folder, all others to the working directory. Raises ConfigurationError with every problem, each with
    its place and its remedy.
    """
    gathered = Gathered()
    gathered.add_file(Path(path))
    gathered.add_environment(os.environ)
    gathered.add_overrides(overrides or {})
    judged = judge(gathered, str(path))
    if isinstance(judged, SimulationConfig) and not gathered.problems:
        return judged
    problems = gathered.problems + ([] if isinstance(judged, SimulationConfig) else judged)
    raise ConfigurationError([str(problem) for problem in sorted(problems, key=lambda problem: problem.rank)])


def config_from_mapping(values: Mapping[str, object]) -> SimulationConfig:
    """The configuration that nested mappings hold, judged as a file would be. Raises ConfigurationError."""
    gathered = Gathered()
    gathered.add_overrides(values)
    judged = judge(gathered, "mapping")
    if isinstance(judged, SimulationConfig) and not gathered.problems:
        return judged
    problems = gathered.problems + ([] if isinstance(judged, SimulationConfig) else judged)
    raise ConfigurationError([problem.message for problem in problems])


def judge(gathered: Gathered, source: str) -> SimulationConfig | list[Problem]:
    """The configuration, or what its rules and the checks between keys refuse.

    The checks between keys need every key to be good. After a refusal they therefore run once more, with defaults in
    place of what was refused, and a finding counts only if it compares none of these stand-ins.
    """
    provenance = Provenance(source, gathered.settings)
    try:
        return SimulationConfig.model_validate(_tree(gathered.settings), context=provenance)
    except ValidationError as error:
        findings = findings_of(error)
    doubtful = gathered.suspects | {key for finding in findings for key in finding.keys}
    accepted = {path: setting for path, setting in gathered.settings.items() if not _is_below(path, doubtful)}
    try:
        SimulationConfig.model_validate(_tree(_stand_ins() | accepted), context=Provenance(source, accepted))
    except ValidationError as error:
        findings += [
            finding for finding in findings_of(error) if not any(_is_below(key, doubtful) for key in finding.keys)
        ]
    # A key that was probably only misspelled is neither missing nor wrongly at its default.
    misspelled = {key for key in gathered.suspects if not any(_is_below(path, {key}) for path in gathered.settings)}
    return [
        _located(finding, provenance)
        for finding in findings
        if not any(_is_below(key, misspelled) for key in finding.keys)
    ]


def _tree(settings: Mapping[KeyPath, Setting]) -> dict[str, object]:
    """The settings as nested mappings, every section present."""
    tree: dict[str, object] = {}
    for section in known_sections():
        _branch(tree, section)
    for path, setting in settings.items():
        branch = _branch(tree, path[:-1])
        if branch is not None:
            branch[path[-1]] = dict(setting.value) if isinstance(setting.value, dict) else setting.value
    return tree


def _branch(tree: dict[str, object], path: KeyPath) -> dict[str, object] | None:
    """The mapping at `path`, made if need be; None if a value that is no mapping is in its place."""
    branch = tree
    for name in path:
        below = branch.setdefault(name, {})
        if not isinstance(below, dict):
            return None
        branch = below
    return branch


def _stand_ins() -> dict[KeyPath, Setting]:
    """Settings for the keys that have no default."""
    return {
        path: Setting("unknown", "", Place("default")) for path, key in known_keys().items() if key.field.is_required()
    }


def _located(finding: Finding, provenance: Provenance) -> Problem:
    """The problem at the first of its keys that was set, naming the places of the others."""
    given = [(key, setting) for key in finding.keys if (setting := _setting_of(key, provenance.settings)) is not None]
    if not given:
        keys = " and ".join(dotted(key) for key in finding.keys)
        return Problem(Place("file", str(provenance.source)), f"{keys}: {finding.text}")
    (key, setting), *others = given
    shown = f" = {setting.shown}" if setting.shown and key in provenance.settings else ""
    also = "".join(f" ({dotted(other)}: {its.place.where})" for other, its in others)
    return Problem(setting.place, f"{dotted(key)}{shown}: {finding.text}{also}")


def _setting_of(key: KeyPath, settings: Mapping[KeyPath, Setting]) -> Setting | None:
    """The setting of the key, of the mapping that it is an entry of, or of its own first entry."""
    above = [settings[key[:depth]] for depth in range(len(key), 0, -1) if key[:depth] in settings]
    below = [setting for path, setting in settings.items() if path[: len(key)] == key]
    return next(iter(above + below), None)


def _is_below(path: KeyPath, keys: Iterable[KeyPath]) -> bool:
    """Whether `path` is one of `keys` or lies below one of them."""
    return any(path[: len(key)] == key for key in keys)
