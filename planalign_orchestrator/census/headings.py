"""Which heading of the file is which standard column; a heading that is nearly a known one is never left unused."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from planalign_orchestrator.census.columns import (
    COLUMNS,
    COLUMNS_BY_NAME,
    REQUIRED_COLUMNS,
    is_other,
    nearest_column,
    spellings,
)
from planalign_orchestrator.census.records import CensusSource
from planalign_orchestrator.files.text import LeftOut
from planalign_orchestrator.problems import nearest


@dataclass(frozen=True)
class Layout:
    """The file's columns in standard terms: `positions` and `headings` by standard name, and what is to be said."""

    positions: dict[str, int]
    headings: dict[str, str]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def resolve_headings(headings: Sequence[str], source: CensusSource, row: int = 1) -> Layout:
    """Match the headings with the standard columns by exact name and by `census.columns`.

    Problems: a heading twice, a mapping to a heading or from a name that does not exist, a missing required column, and
    a heading that is nearly a known one but neither mapped nor listed under `census.ignore_columns`. `row` is theirs.
    """
    problems = [
        f"heading {heading!r} stands {count} times in row {row}: headings must differ"
        for heading, count in Counter(filter(None, headings)).items()
        if count > 1
    ]
    chosen, mapping_problems = _mapped(headings, source.columns)
    problems += mapping_problems
    for heading in headings:
        if heading in COLUMNS_BY_NAME and heading not in source.ignore_columns and heading not in chosen.values():
            if heading in chosen:
                problems.append(
                    f"{heading} is mapped to {chosen[heading]!r}, but the file also has a column {heading!r}:"
                    " list the one you do not want under census.ignore_columns"
                )
            elif heading not in source.columns:
                chosen[heading] = heading
    unused = [h for h in headings if h and h not in chosen.values() and h not in COLUMNS_BY_NAME]
    unused = [heading for heading in unused if heading not in source.ignore_columns]
    problems += [problem for heading in unused if (problem := _near_problem(heading, chosen))]
    problems += _missing(chosen, source, headings, row)
    positions = {name: headings.index(chosen[name]) for name in COLUMNS_BY_NAME if name in chosen}
    return Layout(positions, chosen, tuple(problems), tuple(_notes(headings, unused, chosen, source)))


def rows_left_out(headings: Sequence[str], layout: Layout, source: CensusSource) -> tuple[LeftOut | None, list[str]]:
    """Return which rows `census.ignore_rows` leaves out, and what is wrong with it."""
    if source.ignore_rows is None:
        return None, []
    column = str(source.ignore_rows["column"]).strip()
    heading = layout.headings.get(column, column)
    if heading not in headings:
        known = [*layout.headings, *filter(None, headings)]
        return None, [f"census.ignore_rows: there is no column {column!r}{_did_you_mean(column, known)}"]
    words = frozenset(str(value).strip().casefold() for value in source.ignore_rows["values"])
    return LeftOut(headings.index(heading), words), []


def yaml_line(name: str, heading: str) -> str:
    """Return the line under `census.columns` that gives a standard column its heading."""
    return f"{name}: {quoted_heading(heading)}"


def quoted_heading(heading: str) -> str:
    """Return the heading as YAML that is read back as this text."""
    return json.dumps(heading, ensure_ascii=False)


def _mapped(headings: Sequence[str], columns: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    chosen: dict[str, str] = {}
    problems: list[str] = []
    for name, wanted in columns.items():
        heading = wanted.strip()
        if name not in COLUMNS_BY_NAME:
            problems.append(f"census.columns: {name!r} is not a standard column{_did_you_mean(name, COLUMNS_BY_NAME)}")
        elif heading not in headings:
            hint = _did_you_mean(heading, headings)
            problems.append(f"census.columns: {name} is mapped to {wanted!r}, which is not a heading of the file{hint}")
        elif heading in chosen.values():
            problems.append(f"census.columns: heading {heading!r} is mapped more than once")
        else:
            chosen[name] = heading
    return chosen, problems


def _did_you_mean(word: str, known: Collection[str]) -> str:
    meant = nearest(word, known)
    if meant is not None:
        return f"; did you mean {meant!r}?"
    return f"; known are {', '.join(repr(candidate) for candidate in known if candidate)}"


def _near_problem(heading: str, chosen: dict[str, str]) -> str | None:
    name = nearest_column(heading)
    if name is None:
        return None
    if name in chosen:
        return (
            f"heading {heading!r} looks like {name}, which is already read from {chosen[name]!r}:"
            " list the one you do not want under census.ignore_columns"
        )
    return (
        f"heading {heading!r} looks like {name}: put the line `{yaml_line(name, heading)}` under census.columns,"
        " or list the heading under census.ignore_columns if it is something else"
    )


def _missing(chosen: dict[str, str], source: CensusSource, headings: Sequence[str], row: int) -> list[str]:
    missing = [column.name for column in REQUIRED_COLUMNS if column.name not in chosen]
    missing = [name for name in missing if name not in source.columns]
    if not missing:
        return []
    listed = ", ".join(repr(heading) for heading in headings if heading)
    plural = "columns" if len(missing) > 1 else "column"
    problem = (
        f"required {plural} missing: {', '.join(missing)}; the headings in row {row} are {listed}:"
        " name the right ones under census.columns, or say with census.header_row which row holds the headings"
    )
    return [problem]


def _notes(headings: Sequence[str], unused: Sequence[str], chosen: Collection[str], source: CensusSource) -> list[str]:
    notes = []
    if unused:
        notes.append(f"not used: {', '.join(repr(heading) for heading in unused)}")
    for heading in unused:
        meant = [c.name for c in COLUMNS if c.name not in chosen and set(spellings(heading)) & set(c.weak_aliases)]
        if meant and not is_other(heading):
            notes.append(
                f"{heading!r} may be {meant[0]}, which would change results: if so, put the line"
                f" `{yaml_line(meant[0], heading)}` under census.columns"
            )
    if "" in headings:
        places = ", ".join(str(place) for place, heading in enumerate(headings, start=1) if not heading)
        notes.append(f"not used, because without a heading: column {places}")
    ignored = [heading for heading in source.ignore_columns if heading in headings]
    if ignored:
        notes.append(f"ignored as configured: {', '.join(repr(heading) for heading in ignored)}")
    absent = [heading for heading in source.ignore_columns if heading not in headings]
    if absent:
        notes.append(f"census.ignore_columns names headings that the file does not have: {', '.join(absent)}")
    return notes
