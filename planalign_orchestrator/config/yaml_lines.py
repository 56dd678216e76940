"""YAML text as values that know their line: numbers exact from their digits, nothing guessed, every oddity reported.

The text is read from the parser's events and not with `yaml.safe_load`, which would make a binary fraction of 0.035,
8 of `010` and 90 of `1:30`, keep the last of two equal keys in silence, and forget where a value stands.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import yaml

from planalign_orchestrator.config.types import plain_number

Scalar = str | int | Decimal | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_DEEPEST = 20
_SHOWN_LENGTH = 60
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,29})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,29})?\.[0-9]{0,60}")
_NOT_FINITE = re.compile(r"([-+]?)\.(inf|Inf|INF|nan|NaN|NAN)")
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Node:
    """A value of the text, the line where it (or its key) begins, counted from 1, and how it is written there."""

    value: "Scalar | list[Node] | dict[str, Node]"
    line: int
    shown: str

    def plain(self) -> Plain:
        """The value alone: scalars, lists and dicts."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass(frozen=True)
class YamlProblem:
    """Something in the text that a configuration cannot mean."""

    line: int
    message: str


def read_yaml(text: str) -> tuple[Node | None, list[YamlProblem]]:
    """The document in `text` and what is wrong with it; None if there is none, or if the text is not YAML."""
    reader = _Reader(text, yaml.parse(text, Loader=_LOADER))
    try:
        root = reader.document()
    except yaml.MarkedYAMLError as error:
        return None, [_syntax_problem(error, text)]
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes.
        line = text.encode()[: error.position].count(b"\n") + 1
        return None, [YamlProblem(line, "there is a control character in this line; remove it")]
    except UnicodeEncodeError:
        return None, [YamlProblem(1, "this is not UTF-8 text")]
    except _TooDeepError as error:
        return None, [YamlProblem(error.line, f"lists or mappings are nested more than {_DEEPEST} deep")]
    return root, reader.problems


class _TooDeepError(Exception):
    """The text would exhaust the stack."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(line)


@dataclass
class _Reader:
    """Builds nodes from the parser's events. Its methods raise yaml.YAMLError where the text is not YAML."""

    text: str
    events: Iterator[yaml.Event]
    problems: list[YamlProblem] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._report(
                        event, "a second document begins here; a configuration is a single one: remove the ---"
                    )
                    break
                root = self._node(next(self.events), 0)
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if depth > _DEEPEST:
            raise _TooDeepError(_line(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event), _line(event), self._shown(event, event))
        elif isinstance(event, yaml.SequenceStartEvent):
            items, end = self._items(depth)
            node = Node(items, _line(event), self._shown(event, end))
        else:
            entries, end = self._entries(depth)
            node = Node(entries, _line(event), self._shown(event, end))
        if isinstance(event, yaml.CollectionStartEvent) and event.tag is not None:
            self._report(event, f"the YAML tag {event.tag} has no meaning here; remove it")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _items(self, depth: int) -> tuple[list[Node], yaml.Event]:
        items: list[Node] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                return items, event
            items.append(self._node(event, depth + 1))
        raise yaml.YAMLError("a list does not end")

    def _entries(self, depth: int) -> tuple[dict[str, Node], yaml.Event]:
        entries: dict[str, Node] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                return entries, event
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                self._report(event, f"{key.shown} is used as a key; a key is a name or a number")
            elif event.value == "<<":
                self._report(event, "merge keys (<<) are not supported; write the values out")
            elif event.value in entries:
                first = entries[event.value].line
                self._report(event, f"`{event.value}` is written twice (first in line {first}); keep one of them")
            else:
                entries[event.value] = Node(value.value, key.line, value.shown)
        raise yaml.YAMLError("a mapping does not end")

    def _alias(self, event: yaml.AliasEvent) -> Node:
        target = self.anchors.get(str(event.anchor))
        if target is None:
            self._report(event, f"*{event.anchor} refers to &{event.anchor}, which is not defined before it")
            return Node(None, _line(event), f"*{event.anchor}")
        return Node(target.value, _line(event), target.shown)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        if event.tag not in (None, _TEXT_TAG):
            self._report(event, f"the YAML tag {event.tag} has no meaning here; remove it")
        is_plain, _ = event.implicit
        return plain_scalar(event.value) if is_plain else event.value

    def _shown(self, begin: yaml.Event, end: yaml.Event) -> str:
        if begin.start_mark is None or end.end_mark is None:
            return ""
        return shorten(self.text[begin.start_mark.index : end.end_mark.index])

    def _report(self, event: yaml.Event, message: str) -> None:
        self.problems.append(YamlProblem(_line(event), message))


def plain_scalar(text: str) -> Scalar:
    """What unquoted `text` means: null, a boolean, an exact number, else itself (as do `010`, `1:30` and `1_000`)."""
    if text in _NULLS:
        return None
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and any(character.isdigit() for character in text):
        return Decimal(text)
    if found := _NOT_FINITE.fullmatch(text):
        return Decimal(found[1] + found[2])
    return text


def is_null(text: str) -> bool:
    """Whether unquoted `text` means "no value"."""
    return text.strip() in _NULLS


def scalar_text(value: object) -> str:
    """Return a single value as YAML that is read back to the same one; a text in quotes where it needs them."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return plain_number(value)
    text = str(value)
    is_plain = _PLAIN_TEXT.fullmatch(text) and plain_scalar(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def shorten(text: str) -> str:
    """`text` on one line, cut to a length that fits a message."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_LENGTH else line[: _SHOWN_LENGTH - 3] + "..."


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> YamlProblem:
    mark = error.problem_mark or error.context_mark
    what = ", ".join(part for part in (error.problem, error.context) if part)
    if mark is None:
        return YamlProblem(1, f"this is not valid YAML: {what}")
    line = "".join(text.splitlines()[mark.line : mark.line + 1])
    hint = "; indent with spaces, not with tabs" if "\t" in line else ""
    return YamlProblem(mark.line + 1, f"column {mark.column + 1}: this is not valid YAML: {what}{hint}")
