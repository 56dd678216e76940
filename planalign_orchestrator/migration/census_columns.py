"""The columns of a legacy census that have other names today, or hold another quantity."""

from pathlib import Path
from typing import Final

from planalign_orchestrator.errors import CensusError
from planalign_orchestrator.migration.draft import Draft, NewSetting

CONTRIBUTION: Final = "employee_contribution"
_RATE: Final = "employee_deferral_rate"
_NAMES: Final = {"eligibility_override": "plan_eligible_override", CONTRIBUTION: _RATE}


def settle_columns(draft: Draft, census: Path) -> list[str]:
    """Map the legacy columns of a census whose values are what the column of today holds; return what is to be known.

    A contribution is mapped where its values are rates. Amounts are no rates, and nothing is computed from them here.
    """
    from planalign_orchestrator.census import propose

    try:
        headings = _headings(census)
        mapping = propose(census).mapping if headings & _NAMES.keys() else {}
    except CensusError as error:
        return [f"The census {census} cannot be read, so that its columns were not looked at: {error.problems[0]}."]
    notes = []
    for legacy, name in _NAMES.items():
        path = ("census", "columns", name)
        if legacy not in headings or name in headings or path in draft.settings:
            continue
        if mapping.get(name) == legacy:
            draft.settings[path] = NewSetting(legacy, ())
            notes.append(f"The column {legacy} of the census is read as {name} (census.columns).")
        elif legacy == CONTRIBUTION:
            notes.append(
                f"The column {legacy} of the census holds no rates, and without {_RATE} everybody starts as a "
                f"non-participant: add the column {_RATE}, of amounts a year {legacy} / employee_gross_compensation."
            )
        else:
            notes.append(f"The column {legacy} of the census is not true or false, so that it is not read as {name}.")
    return notes


def _headings(census: Path) -> set[str]:
    """The headings of a census. Errors: CensusError."""
    import duckdb

    from planalign_orchestrator.census import CensusSource
    from planalign_orchestrator.census.reading import open_census

    with duckdb.connect(":memory:") as connection:
        return set(open_census(connection, CensusSource(census)).headings)
