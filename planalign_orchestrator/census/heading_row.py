"""Which row of a file names the columns: exports put a title above it, and write long headings over two rows.

A row is judged by how many of its cells are names under which clients write the columns of a census.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from planalign_orchestrator.census.columns import COLUMNS, OTHER_NAMES, bare_name, spellings

# The headings stand within so many rows.
SEARCHED_ROWS: Final = 50

LONGEST_NAME: Final = 60
_LOOSE: Final = 0.6
_VALUE: Final = re.compile(r"[$(]?[-+]?\d[\d,.]*[%)]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}( .*)?")


@dataclass(frozen=True)
class HeadingRow:
    """The headings, and the number of their (last) row; `is_first` where nothing stands above them.

    `looks_like_data` says that the row holds numbers or dates and no known heading.
    """

    headings: tuple[str, ...]
    row: int
    is_first: bool = True
    looks_like_data: bool = False


@dataclass(frozen=True)
class _Score:
    """How far a row's cells are headings: `known` of `filled` cells, worth `weight` (a loose name counts less)."""

    filled: int
    known: int
    weight: float

    @property
    def is_sure(self) -> bool:
        return self.known >= 2 and 2 * self.known > self.filled


def find_heading_row(
    rows: Sequence[Sequence[str]], given: int | None, own_headings: Collection[str]
) -> tuple[HeadingRow, float]:
    """Return the heading row of a file's first rows, and how much its cells are known headings (0 for nothing known).

    It is the first row in which most cells are known headings, or that row with the one below it where two rows make
    more known headings than either; else the row with the most, if there are three; else the first one. `given` is
    `census.header_row`, `own_headings` are headings that the configuration names.
    """
    own = {heading.strip() for heading in own_headings}
    cells = [tuple(cell.strip() for cell in row) for row in rows]
    if given is not None:
        return _with_next(cells, given, own) if given <= len(cells) else (HeadingRow((), given, given == 1), 0.0)
    best, best_weight = _first(cells), 0.0
    for row in range(1, len(cells) + 1):
        found, weight = _with_next(cells, row, own)
        score = _score(found.headings, own)
        if score.is_sure:
            return found, weight
        if score.known >= 3 and weight > best_weight:
            best, best_weight = found, weight
    return best, best_weight or _score(best.headings, own).weight


def _first(cells: Sequence[tuple[str, ...]]) -> HeadingRow:
    headings = cells[0] if cells else ()
    values = sum(1 for cell in headings if _VALUE.fullmatch(cell))
    return HeadingRow(headings, 1, looks_like_data=values >= 2 and not _score(headings, set()).known)


def _with_next(cells: Sequence[tuple[str, ...]], row: int, own: Collection[str]) -> tuple[HeadingRow, float]:
    """Return a row as headings, together with the next one if that makes more known headings than either alone."""
    headings = cells[row - 1]
    weight = _score(headings, own).weight
    if row < len(cells):
        below = cells[row]
        width = max(len(headings), len(below))
        pairs = zip((*headings, *[""] * (width - len(headings))), (*below, *[""] * (width - len(below))), strict=True)
        both = tuple(" ".join(filter(None, pair)) for pair in pairs)
        joint = _score(both, own).weight
        if joint > weight and joint > _score(below, own).weight:
            return HeadingRow(both, row + 1, row == 1), joint
    return HeadingRow(headings, row, row == 1), weight


def _score(headings: Sequence[str], own: Collection[str]) -> _Score:
    filled = [heading for heading in headings if heading]
    names: dict[str, float] = {}
    known = 0
    for heading in filled:
        if heading in own:
            known += 1
            names[heading] = 1.0
            continue
        for bare in spellings(heading) if len(heading) <= LONGEST_NAME else ():
            if bare in KNOWN_NAMES:
                name, worth = KNOWN_NAMES[bare]
                known += 1
                names[name] = max(worth, names.get(name, 0.0))
                break
    # one name many times over is a column of words such as `No`, not a row of headings
    return _Score(len(filled), min(known, 2 * len(names)), round(sum(names.values()), 2))


def _known_names() -> Mapping[str, tuple[str, float]]:
    """Return every bare name with the column it stands for and what it is worth."""
    names = {name: (name, _LOOSE) for name in OTHER_NAMES}
    for column in COLUMNS:
        names |= dict.fromkeys(column.weak_aliases, (column.name, _LOOSE))
    for column in COLUMNS:
        usual = (bare_name(column.name), bare_name(column.name.removeprefix("employee_")), *column.aliases)
        names |= dict.fromkeys(usual, (column.name, 1.0))
    return names


KNOWN_NAMES: Final = _known_names()
