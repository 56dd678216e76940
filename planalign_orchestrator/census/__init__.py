"""The census: read a client's file, judge every row, store it typed; make a synthetic one; map foreign headings."""

from typing import TYPE_CHECKING

from planalign_orchestrator.census.generating import generated_kind, write_census
from planalign_orchestrator.census.loading import add_people, check_census, latest_date, load_census
from planalign_orchestrator.census.records import CensusSource, CensusSummary, OptionalColumn
from planalign_orchestrator.census.summarising import columns_missing_in, fingerprint_of
from planalign_orchestrator.files.spilling import private_connection

__all__ = [
    "CensusSource",
    "CensusSummary",
    "ColumnSuggestion",
    "OptionalColumn",
    "Proposal",
    "add_people",
    "check_census",
    "columns_missing_in",
    "fingerprint_of",
    "generated_kind",
    "latest_date",
    "load_census",
    "mapping_yaml",
    "private_connection",
    "propose",
    "suggest_mapping",
    "write_census",
]

if TYPE_CHECKING:
    from planalign_orchestrator.census.mapping import ColumnSuggestion, Proposal, mapping_yaml, propose, suggest_mapping
else:

    def __getattr__(name: str) -> object:
        """Import the mapping of headings when it is asked for, which no run does."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from planalign_orchestrator.census import mapping

        return getattr(mapping, name)
