"""Set keys of a section in the text of a configuration and leave every other line as its author wrote it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from planalign_orchestrator.config.sources import read_text
from planalign_orchestrator.config.yaml_lines import read_yaml
from planalign_orchestrator.errors import ConfigurationError


def replace_section_keys(path: Path, section: str, blocks: Sequence[tuple[str, str]]) -> str:
    """Return a configuration's text with keys of a section replaced or added.

    `blocks` are keys with their YAML, indented by two; a block without a key is a comment and is added after the block
    before it. A section that is not there is added at the end. Errors: ConfigurationError when the file is no YAML, or
    holds the section in a form in which keys cannot be told apart by their lines.
    """
    text = read_text(path).replace("\r\n", "\n")
    root, oddities = read_yaml(text)
    if oddities:
        raise ConfigurationError([f"{path}:{oddity.line}: {oddity.message}" for oddity in oddities])
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    held = root.value.get(section) if root is not None and isinstance(root.value, dict) else None
    if held is None or held.value is None:
        lines = [line for line in lines if not re.match(rf"{section}:\s*(#.*)?$", line)]
        return "".join([*lines, f"{section}:\n", *(block for _, block in blocks)])
    start = next((at for at, line in enumerate(lines) if line.startswith(f"{section}:")), None)
    if start is None or not isinstance(held.value, dict):
        raise ConfigurationError(
            f"{path}: {section} is not a section of its own lines; write its keys below it, indented"
        )
    if not re.match(rf"{section}:\s*(#.*)?$", lines[start]):
        lines[start : start + 1] = _opened(path, section, lines[start])
    end = next((at for at in range(start + 1, len(lines)) if re.match(r"[^\s#]", lines[at])), len(lines))
    indent = _indent(lines[start + 1 : end])
    body = _with_blocks(lines[start + 1 : end], indent, blocks)
    return "".join([*lines[: start + 1], *body, *lines[end:]])


def _opened(path: Path, section: str, line: str) -> list[str]:
    """Return a section that is written on one line with a line for each key."""
    root, oddities = read_yaml(line)
    value = root.value.get(section) if root is not None and isinstance(root.value, dict) else None
    if oddities or value is None or not isinstance(value.value, dict):
        raise ConfigurationError(f"{path}: {section} cannot be changed line by line; write its keys below it, indented")
    keys = [
        f"  {key}: {json.dumps(node.plain(), default=str, ensure_ascii=False)}\n" for key, node in value.value.items()
    ]
    return [f"{section}:\n", *keys]


def _indent(body: Sequence[str]) -> str:
    """Return the blanks before the keys of a section."""
    keys = (re.match(r" +(?=[^\s#])", line) for line in body)
    return next((found[0] for found in keys if found), "  ")


def _with_blocks(body: list[str], indent: str, blocks: Sequence[tuple[str, str]]) -> list[str]:
    at = _end(body)
    for key, block in blocks:
        written = [f"{indent}{line[2:]}" if line.strip() else line for line in block.splitlines(keepends=True)]
        place = next((n for n, line in enumerate(body) if key and re.match(rf"{indent}{key}\s*:", line)), None)
        if place is None:
            body[at:at] = written
            at += len(written)
            continue
        after = place + 1
        while after < len(body) and re.match(rf"{indent}\s+\S|{indent}-", body[after]):
            after += 1
        body[place:after] = written
        at = _end(body) if key else at
    return body


def _end(body: Sequence[str]) -> int:
    """Return the place after the last line of a section that is not blank; a comment of the next one stays with it."""
    last = [at for at, line in enumerate(body) if line.strip() and (line[0].isspace())]
    return last[-1] + 1 if last else 0
