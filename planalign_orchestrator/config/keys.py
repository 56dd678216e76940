"""Every key a configuration knows, found from the sections, and the advice for one that it does not know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from planalign_orchestrator.config.collection_types import MappingOf
from planalign_orchestrator.config.configuration import SimulationConfig
from planalign_orchestrator.config.sections.base import Details, Section
from planalign_orchestrator.config.types import Number, Rule
from planalign_orchestrator.problems import KeyPath, dotted, nearest

# the end of the name of a mapping by year, which `changes` is in the place of
_BY_YEAR = "_by_year"


@dataclass(frozen=True)
class Key:
    """A key that holds a value: its place, its field, what it becomes, and its rule (None for a choice of `words`)."""

    path: KeyPath
    field: FieldInfo
    details: Details
    rule: Rule | None
    words: tuple[str, ...]
    nullable: bool

    @property
    def text_only(self) -> bool:
        """Whether the text of an override is the value itself, not YAML."""
        return self.rule is None or self.rule.text_only

    @property
    def sql_type(self) -> str:
        """The SQL type of the parameters that are the key's own value."""
        return "varchar" if self.rule is None else self.rule.sql_type

    @property
    def allowed(self) -> str:
        """The values that the rule and the checks between keys allow, in words."""
        words = " or ".join(f"`{word}`" for word in self.words) if self.rule is None else self.rule.allowed
        return f"{self._narrowed(words)}{', or null' if self.nullable else ''}"

    @property
    def brief(self) -> str:
        """The same as a line of the default file says it."""
        if self.rule is not None:
            return f"{self._narrowed(self.rule.brief)}{', or null' if self.nullable else ''}"
        *words, last = (*self.words, "null") if self.nullable else self.words
        return f"{', '.join(words)} or {last}"

    def _narrowed(self, words: str) -> str:
        narrower = self.details.narrower
        if narrower and isinstance(self.rule, Number):
            return words.replace(self.rule.bounds, narrower)
        return f"{words}; {narrower}" if narrower else words


@cache
def known_sections() -> Mapping[KeyPath, type[Section]]:
    """Return every section by its path, the top level () included, in the order of the fields."""
    return {path: found for path, found in _walk((), SimulationConfig) if not isinstance(found, Key)}


@cache
def known_keys() -> Mapping[KeyPath, Key]:
    """Return every key that holds a value by its path, in the order of the fields."""
    return {path: found for path, found in _walk((), SimulationConfig) if isinstance(found, Key)}


def mapping_rule(path: KeyPath) -> MappingOf | None:
    """Return the rule of the key at `path` if it is a mapping whose entries the author names, else None."""
    key = known_keys().get(path)
    return key.rule if key is not None and isinstance(key.rule, MappingOf) else None


def may_change(path: KeyPath) -> bool:
    """Return whether a key may have another value from a later year on."""
    sections = (known_sections()[path[:depth]] for depth in range(1, len(path)))
    return not known_keys()[path].details.of_all_years and not any(section.of_all_years for section in sections)


def advice(path: KeyPath, *, in_change: bool = False) -> tuple[str, KeyPath | None]:
    """Return what to tell about the unknown key `path`, also below a year of changes, and what was probably meant."""
    parent, name = path[:-1], path[-1].lower().replace("-", "_").replace(" ", "_")
    if "." in name and (*parent, *name.split(".")) in known_keys():
        nested = name.replace(".", ": {") + ": ..." + "}" * name.count(".")
        return f"a dot does not separate the levels here; write {nested}", (*parent, *name.split("."))
    if mapping_rule(parent) is not None:
        return f"an entry of `{dotted(parent)}` is a single name", None
    if parent in known_keys():
        return f"`{dotted(parent)}` has no keys below it", None
    if name.endswith(_BY_YEAR) and (*parent, name.removesuffix(_BY_YEAR)) in known_keys():
        meant = (*parent, name.removesuffix(_BY_YEAR))
        return f"replaced by `changes`: write changes.2027.{dotted(meant)} for the rate from 2027 on", meant
    successor = next(
        (
            other
            for other, key in known_keys().items()
            if key.details.replaces in (dotted(path), name if other[:-1] == parent else None)
        ),
        None,
    )
    if successor is not None:
        return f"replaced by `{dotted(successor)}`: {known_keys()[successor].field.description}", successor
    everything = [*known_keys(), *(section for section in known_sections() if section)]
    elsewhere = [other for other in everything if other[-1] == name and other[:-1] != parent]
    if elsewhere:
        places = " or ".join(
            sorted(f"under `{dotted(other[:-1])}`" if other[:-1] else "at the top level" for other in elsewhere)
        )
        return f"unknown key; it belongs {places}", elsewhere[0] if len(elsewhere) == 1 else None
    depth = len(path)
    siblings = {
        other[depth - 1]: other[:depth]
        for other in known_keys()
        if other[: depth - 1] == parent and (may_change(other) or not in_change)
    }
    close = nearest(name, siblings)
    if close is not None:
        return f"unknown key; did you mean `{close}`?", siblings[close]
    far = nearest(name, [other[-1] for other in everything], cutoff=0.8)
    if far is not None:
        meant = next(other for other in everything if other[-1] == far)
        return f"unknown key; did you mean `{dotted(meant)}`?", meant
    return f"unknown key; the keys here are {', '.join(siblings)}", None


def _walk(path: KeyPath, section: type[Section]) -> Iterator[tuple[KeyPath, type[Section] | Key]]:
    yield path, section
    for name, info in section.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            yield from _walk((*path, name), info.annotation)
        else:
            yield (*path, name), _key((*path, name), info)


def _key(path: KeyPath, info: FieldInfo) -> Key:
    """Return a key with the rule in the metadata of its field, or of the part of `X | None` that has metadata."""
    parts = [info.annotation, *get_args(info.annotation)]
    words = next((get_args(part) for part in parts if get_origin(part) is Literal), ())
    annotated = [item for part in parts if get_origin(part) is Annotated for item in get_args(part)]
    rule = next((item for item in [*info.metadata, *annotated] if isinstance(item, Rule)), None)
    details = next(item for item in info.metadata if isinstance(item, Details))
    return Key(path, info, details, rule, words, type(None) in parts)
