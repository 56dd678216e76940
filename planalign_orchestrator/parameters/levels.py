"""A level that a table lacks takes the factors of the nearest one, so that a sixth level needs one table only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from planalign_orchestrator.census.records import Finding
from planalign_orchestrator.config.sections.parameters import DEFAULT, source_of
from planalign_orchestrator.parameters.tables import TABLES, ParameterTable

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig


def level_ids(tables: Iterable[ParameterTable]) -> tuple[int, ...]:
    """Return the job levels that exist."""
    levels = next(table for table in tables if table.name == "job_levels")
    return tuple(int(level or 0) for level in levels.column("level_id"))


def nearest(level: int, known: Sequence[int]) -> int:
    """Return the known level nearest to a level; of two equally near, the lower one."""
    return min(known, key=lambda one: (abs(one - level), one))


def complete_levels(
    config: "SimulationConfig", tables: Mapping[str, ParameterTable]
) -> tuple[dict[str, ParameterTable], tuple[Finding, ...]]:
    """Return the tables with a row for every job level, and a note for each level that took another one's factors.

    A packaged table leaves out levels that do not exist; a table that was given must not name one.
    """
    completed = dict(tables)
    if "job_levels" not in tables:
        return completed, ()
    levels = level_ids([tables["job_levels"]])
    taken: dict[tuple[int, int], list[str]] = {}
    for name, table in tables.items():
        if TABLES[name].of != ("job_levels",) or not table.rows:
            continue
        rows = {int(row[0] or 0): row for row in table.rows}
        is_packaged = source_of(config.parameters, name) == DEFAULT
        kept = [row for row in table.rows if not is_packaged or int(row[0] or 0) in levels]
        for level in (level for level in levels if level not in rows):
            other = nearest(level, list(rows))
            taken.setdefault((level, other), []).append(name)
            kept.append((str(level), *rows[other][1:-1], f"as level {other}: {rows[other][-1]}"))
        completed[name] = replace(table, rows=tuple(kept))
    notes = (
        Finding.plain("warning", f"job level {level} takes the factors of level {other} in {', '.join(names)}")
        for (level, other), names in taken.items()
    )
    return completed, tuple(notes)
