"""The default configuration file: every key with its meaning, its bounds and its default, made from the sections."""

import inspect
import textwrap
from collections.abc import Mapping
from decimal import Decimal

from planalign_orchestrator.config.keys import Key, known_keys, known_sections
from planalign_orchestrator.config.sections.base import REQUIRED
from planalign_orchestrator.config.yaml_lines import scalar_text
from planalign_orchestrator.problems import KeyPath

_WIDTH = 120
_HEADER = """\
# The configuration of a simulation: every key there is, each with its default.
#
# A key that you leave out has its default; only census.path is required. An unknown key is an error.
# Rates are decimals: 0.03 is 3 %. Months are listed January first. null means "not given".
# Relative paths in this file are relative to the folder of this file.
#
# A key can be set for one run without editing this file:
#   planalign run --set simulation.random_seed=7        (first)
#   PLANALIGN__SIMULATION__RANDOM_SEED=7                (second; __ separates the levels)
# `planalign config show` lists every value and where it came from.
"""


def default_file() -> str:
    """Return the text of config/simulation_config.yaml: sections and keys in the order of the fields."""
    lines = [_HEADER.rstrip("\n")]
    opened: set[KeyPath] = set()
    is_first = False
    for path, key in known_keys().items():
        for depth in range(1, len(path)):
            section = path[:depth]
            if section not in opened:
                opened.add(section)
                lines += [*([] if is_first else [""]), *_section_lines(section)]
                is_first = True
        lines += [*([] if is_first else [""]), *_key_lines(key)]
        is_first = False
    return "\n".join(lines) + "\n"


def _section_lines(path: KeyPath) -> list[str]:
    indent = "  " * (len(path) - 1)
    paragraphs = inspect.cleandoc(known_sections()[path].__doc__ or "").split("\n\n")
    return [*(line for paragraph in paragraphs for line in _comment(indent, paragraph)), f"{indent}{path[-1]}:"]


def _key_lines(key: Key) -> list[str]:
    indent = "  " * (len(key.path) - 1)
    lines = _comment(indent, str(key.field.description))
    if key.details.example:
        lines += [f"{indent}# For example", *(f"{indent}#   {line}" for line in key.details.example.split("\n"))]
    default = key.field.default
    is_required = key.field.is_required()
    default_text = "Required: there is no default" if is_required else f"Default: {_text(default)}"
    allowed = f"{key.brief}."
    if len(indent) + len(f"# {allowed} {default_text}") <= _WIDTH:
        lines.append(f"{indent}# {allowed} {default_text}")
    else:
        lines += [*_comment(indent, allowed), f"{indent}# {default_text}"]
    shown = default if key.details.in_file is REQUIRED else key.details.in_file
    return [*lines, f"{indent}{key.path[-1]}: {_text(shown)}"]


def _comment(indent: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _text(value: object) -> str:
    """Return a value as YAML on one line: a decimal in the digits of its declaration, a day of the year in quotes."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(name)}: {_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_text, value))}]"
    text = scalar_text(value)
    return f'"{text}"' if isinstance(value, str) and text[:1].isdigit() else text
