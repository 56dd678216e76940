"""The command line. A command parses, makes one library call and renders what it returns."""

from planalign_orchestrator.cli.app import main

__all__ = ["main"]
