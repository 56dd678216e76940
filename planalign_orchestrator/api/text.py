"""What turns reports and tables into text that fits a terminal."""

from planalign_orchestrator.reports.console import ConsoleReporter
from planalign_orchestrator.reports.tables import WIDTH, aligned, wrapped

__all__ = ["WIDTH", "ConsoleReporter", "aligned", "wrapped"]
