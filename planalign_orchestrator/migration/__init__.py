"""The way from the legacy runner: its configuration keys, and the files it left behind.

Nothing heavy is imported here; `translation` and `writing` translate a configuration.
"""

from planalign_orchestrator.migration.manager import MigrationManager, MigrationResult

__all__ = ["MigrationManager", "MigrationResult"]
