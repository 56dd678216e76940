"""The gates of an employer contribution: who gets it."""

from typing import Annotated

from planalign_orchestrator.config.lists import WordList

LastDayExceptions = Annotated[tuple[str, ...], WordList(("retirement", "age_55"))]
