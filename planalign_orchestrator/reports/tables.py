"""Tables as text that fit a terminal of 80 columns: words are wrapped, numbers never; a wide table becomes blocks."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from planalign_orchestrator.escaping import visible_line

WIDTH = 80

_GAP = 2
# A column of words is not made narrower than this unless all its words are shorter.
_NARROW = 24
# A line is broken before a word or after a comma: a number stays with what is before it, and a sum of numbers whole.
_BREAK = re.compile(r"""\s+(?=[^\W\d_]|[("'`/])|(?<=[,;])\s+""")

Row = Sequence[str]


@dataclass(frozen=True)
class Block:
    """Rows of cells that fit beside each other; the columns numbered in `left` hold words, all others numbers.

    A line feed in a cell begins another line of it.
    """

    rows: Sequence[Row]
    left: frozenset[int]


def blocks(
    rows: Sequence[Row], *, left: Iterable[int] = (), width: int = WIDTH, keys: int | None = None
) -> list[Block]:
    """The table as few blocks of at most `width` characters, about equally wide; each begins with the key columns.

    `keys` is the number of key columns: by default those in front that hold words, two at most. Words are wrapped
    before columns go to another block. A single word or number that is longer than `width` runs over. Control
    characters are escaped.
    """
    words = frozenset(left)
    shown = [[visible_line(cell) for cell in row] for row in rows]
    columns = list(zip(*shown, strict=True))
    natural = [max(map(_width, column)) for column in columns]
    least = [_least(column, natural[at]) if at in words else natural[at] for at, column in enumerate(columns)]
    groups = _groups(least, width, _leading(words, len(columns)) if keys is None else keys)
    return [_block(shown, group, words, natural, least, width) for group in groups]


def aligned(
    rows: Sequence[Row], *, left: Iterable[int] = (), indent: str = "", width: int = WIDTH, keys: int | None = None
) -> list[str]:
    """The blocks of `rows` as lines, an empty one between them. Columns in `left` hold words and are aligned to it."""
    lines: list[str] = []
    for block in blocks(rows, left=left, width=width - len(indent), keys=keys):
        lines += [""] if lines else []
        lines += [(indent + line).rstrip() for line in _lines(block)]
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` characters, broken before words; a longer word has a line of its own."""
    lines = [""]
    for part in _BREAK.split(text):
        joined = f"{lines[-1]} {part}" if lines[-1] else part
        if lines[-1] and _width(joined) > width:
            lines.append(part)
        else:
            lines[-1] = joined
    return lines


def _leading(words: Collection[int], count: int) -> int:
    """How many columns in front hold words, at least one and at most two."""
    return 2 if count > 2 and 0 in words and 1 in words else 1


def _least(column: Iterable[str], natural: int) -> int:
    """How narrow a column of words may become."""
    longest = max(_width(part) for cell in column for part in _BREAK.split(cell))
    return min(natural, max(longest, _NARROW))


def _groups(widths: Sequence[int], width: int, keys: int) -> list[list[int]]:
    """The columns of each block: as few blocks as possible, and the widest of them as narrow as possible."""
    if _total(widths) <= width:
        return [list(range(len(widths)))]
    if not _has_room(widths, width, keys) and _has_room(widths, width, 1):
        keys = 1
    fewest = _filled(widths, width, keys)
    for limit in range(width):
        groups = _filled(widths, limit, keys)
        if len(groups) == len(fewest):
            return groups
    return fewest


def _has_room(widths: Sequence[int], width: int, keys: int) -> bool:
    """Whether each column fits beside the keys."""
    return all(_total([*widths[:keys], other]) <= width for other in widths[keys:])


def _filled(widths: Sequence[int], width: int, keys: int) -> list[list[int]]:
    """The columns of each block, as many as `width` has room for and at least one besides the keys."""
    groups: list[list[int]] = []
    for at in range(keys, len(widths)):
        if groups and _total([widths[column] for column in (*groups[-1], at)]) <= width:
            groups[-1].append(at)
        else:
            groups.append([*range(keys), at])
    return groups or [list(range(len(widths)))]


def _block(
    rows: Sequence[Row],
    group: Sequence[int],
    words: Collection[int],
    natural: Sequence[int],
    least: Sequence[int],
    width: int,
) -> Block:
    """The columns of a group, those with words as wide as there is room for."""
    widths = [natural[at] for at in group]
    floors = [least[at] for at in group]
    while _total(widths) > width and widths != floors:
        # the widest that may still become narrower
        place = max((at for at, floor in enumerate(floors) if widths[at] > floor), key=lambda at: widths[at])
        widths[place] = max(floors[place], widths[place] - (_total(widths) - width))
    cut = [
        ["\n".join(wrapped(row[at], widths[place])) if at in words else row[at] for place, at in enumerate(group)]
        for row in rows
    ]
    return Block(cut, frozenset(place for place, at in enumerate(group) if at in words))


def _lines(block: Block) -> list[str]:
    cells = [[cell.split("\n") for cell in row] for row in block.rows]
    widths = [max(_width(line) for cell in column for line in cell) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        for number in range(max(map(len, row))):
            parts = [
                _pad(cell[number] if number < len(cell) else "", widths[at], at in block.left)
                for at, cell in enumerate(row)
            ]
            lines.append((" " * _GAP).join(parts))
    return lines


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _pad(cell: str, width: int, to_the_left: bool) -> str:
    space = " " * (width - _width(cell))
    return cell + space if to_the_left else space + cell


def _width(text: str) -> int:
    """The columns that text takes on a terminal: two for a wide character, none for an accent of its own."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
