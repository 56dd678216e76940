"""Every key a configuration knows, found from the model, and the advice for one that it does not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import get_args, get_origin

from pydantic.fields import FieldInfo

from planalign_orchestrator.config.collection_types import MappingRule
from planalign_orchestrator.config.configuration import SimulationConfig
from planalign_orchestrator.config.findings import KeyPath, dotted
from planalign_orchestrator.config.sections.base import Section
from planalign_orchestrator.config.types import Rule


@dataclass(frozen=True)
class Key:
    """A key that holds a value: its place in the configuration, its field and its rule (None for a choice of words)."""

    path: KeyPath
    field: FieldInfo
    rule: Rule | None
    nullable: bool

    @property
    def text_only(self) -> bool:
        """Whether the text of an override is the value itself, not YAML."""
        return self.rule is None or self.rule.text_only


@cache
def known_keys() -> Mapping[KeyPath, Key]:
    """Every key that holds a value, in the order of the model."""
    return {key.path: key for key in _keys_below(SimulationConfig, ())}


@cache
def known_sections() -> Mapping[KeyPath, None]:
    """Every section, the top level () included, in the order of the model and each after the one that holds it."""
    return dict.fromkeys(path[:depth] for path in known_keys() for depth in range(len(path)))


def mapping_rule(path: KeyPath) -> MappingRule | None:
    """The rule of the key at `path` if the key is a mapping whose entries the author names, else None."""
    key = known_keys().get(path)
    return key.rule if key is not None and isinstance(key.rule, MappingRule) else None


def advice(path: KeyPath) -> tuple[str, KeyPath | None]:
    """What to tell about the unknown key `path`, and the key that was probably meant."""
    parent, name = path[:-1], _normal(path[-1])
    if mapping_rule(parent) is not None:
        return f"an entry of `{dotted(parent)}` is a single name", None
    if parent in known_keys():
        return f"`{dotted(parent)}` has no keys below it", None
    everything = [*known_keys(), *(section for section in known_sections() if section)]
    elsewhere = [other for other in everything if other[-1] == name and other[:-1] != parent]
    if elsewhere:
        places = " or ".join(
            sorted(f"under `{dotted(other[:-1])}`" if other[:-1] else "at the top level" for other in elsewhere)
        )
        return f"unknown key; it belongs {places}", elsewhere[0] if len(elsewhere) == 1 else None
    depth = len(path)
    siblings = {other[depth - 1]: other[:depth] for other in known_keys() if other[: depth - 1] == parent}
    close = get_close_matches(name, siblings, n=1)
    if close:
        return f"unknown key; did you mean `{close[0]}`?", siblings[close[0]]
    far = get_close_matches(name, [other[-1] for other in everything], n=1, cutoff=0.8)
    if far:
        meant = next(other for other in everything if other[-1] == far[0])
        return f"unknown key; did you mean `{dotted(meant)}`?", meant
    return f"unknown key; the keys here are {', '.join(siblings)}", None


def _normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def _keys_below(model: type[Section], path: KeyPath) -> list[Key]:
    keys = []
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            keys += _keys_below(annotation, (*path, name))
        else:
            rules = _rules(info)
            keys.append(Key((*path, name), info, rules[0] if rules else None, type(None) in get_args(annotation)))
    return keys


def _rules(info: FieldInfo) -> list[Rule]:
    """The rule in the metadata of the field, or of the part of `X | None` that has metadata."""
    parts = [
        *info.metadata,
        *(item for part in get_args(info.annotation) if get_origin(part) for item in get_args(part)),
    ]
    return [part for part in parts if isinstance(part, Rule)]
