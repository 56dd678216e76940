"""The command line. A command parses, makes one library call and renders; everything else is imported when it is needed."""

from planalign_orchestrator.cli.app import main

__all__ = ["main"]
