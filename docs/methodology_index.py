"""The index at the end of METHODOLOGY.md: by key figure, by configuration key, and by section of the law.

A figure is indexed where the text names it and where its columns are made, a key where the text names it and where a
model reads the parameter that it becomes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

METHODOLOGY = Path(__file__).resolve().parent.parent / "METHODOLOGY.md"
_BEGIN = "<!-- The index is made by docs/generate.py (`make docs`); changes below are overwritten. -->"
_HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_LAW = re.compile(r"\b(?:4\d\d[A-Z]?|1\.4\d\d)\([a-z]\)(?:\([0-9A-Za-z]{1,4}\))*")
_PARAGRAPH = re.compile(r"\([^()]*\)")


@dataclass(frozen=True)
class Part:
    """A heading of the methodology and the text below it; `names` are those that its heading writes as code."""

    heading: str
    text: str

    @property
    def names(self) -> frozenset[str]:
        """The models that the part is about."""
        return frozenset(_CODE.findall(self.heading))

    @property
    def link(self) -> str:
        """A link to the part within the document."""
        shown = self.heading.replace("`", "")
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        return f"[{shown}](#{anchor})"


def parts(text: str) -> list[Part]:
    """Return the parts of a document in order; what stands before the first heading is left out."""
    found = list(_HEADING.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [Part(match[1], text[match.end() : end]) for match, end in zip(found, ends, strict=True)]


def with_index(text: str, makers: Mapping[str, Iterable[str]], readers: Mapping[str, Iterable[str]]) -> str:
    """Return the methodology with its index made anew.

    `makers` are the key figures, each with the models that make its columns. `readers` are the configuration keys, each
    with the models that read it.
    """
    body = text.partition(_BEGIN)[0].rstrip() + "\n"
    document = parts(body)
    by_law = _by_law(document)
    sections: Sequence[tuple[str, str, Mapping[str, Sequence[Part]]]] = (
        ("By key figure", "key figure", {name: _about(document, name, set(makers[name])) for name in sorted(makers)}),
        ("By configuration key", "key", {key: _about(document, key, set(readers[key])) for key in sorted(readers)}),
        ("By section of the Code and its regulations", "section", by_law),
    )
    lines = [_BEGIN, "", "## Index"]
    for title, head, found in sections:
        lines += ["", f"### {title}", "", f"| {head} | where |", "|---|---|"]
        lines += [
            f"| {name if head == 'section' else f'`{name}`'} | {', '.join(part.link for part in where)} |"
            for name, where in found.items()
            if where
        ]
    return f"{body}\n" + "\n".join(lines) + "\n"


def _about(document: Sequence[Part], name: str, models: set[str]) -> list[Part]:
    """The parts whose text writes a name as code, alone or within a formula, and those about one of the models."""
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])")
    return [
        part for part in document if part.names & models or any(word.search(code) for code in _CODE.findall(part.text))
    ]


def _by_law(document: Sequence[Part]) -> dict[str, list[Part]]:
    """The parts that cite a section of the Code, by the section and its first paragraphs, such as 401(a)(17)."""
    found: dict[str, list[Part]] = {}
    for part in document:
        for citation in dict.fromkeys(_LAW.findall(part.text)):
            number = citation.partition("(")[0]
            section = number + "".join(_PARAGRAPH.findall(citation)[:2])
            where = found.setdefault(section, [])
            if part not in where:
                where.append(part)
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _order(section: str) -> tuple[str, list[tuple[int, str]]]:
    """Sort 401(a)(4) before 401(a)(17)."""
    number, *_ = section.partition("(")
    return number, [(int(mark), "") if mark.isdigit() else (0, mark) for mark in re.findall(r"\(([^()]*)\)", section)]
