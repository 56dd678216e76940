"""What `validate` says of validation rules: as they are written, or by trying them as a run does before its first year.

The rules of users are code. They are executed only where the user asked for it.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planalign_orchestrator.errors import CensusError, ConfigurationError

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig


@dataclass(frozen=True)
class RuleFindings:
    """What is wrong with the rules, and what is worth knowing."""

    problems: list[str]
    facts: list[str]


def read_rules(config: "SimulationConfig") -> RuleFindings:
    """Judge the rules without executing anything of users. Errors: ModelCompilationError."""
    from planalign_orchestrator.database.connection import DatabaseConnectionManager
    from planalign_orchestrator.model import load_compiled_model
    from planalign_orchestrator.registries import RegistryManager
    from planalign_orchestrator.validation.choosing import judge_without_executing

    registries = RegistryManager(DatabaseConnectionManager(config.runtime.database))
    problems, facts = judge_without_executing(config, (*load_compiled_model().tests, *registries.agreements()))
    return RuleFindings(problems, facts)


def try_rules(config: "SimulationConfig") -> RuleFindings:
    """Load the rules and run each on a year without rows, in a database of its own that is removed afterwards.

    Errors: ModelCompilationError, DatabaseError.
    """
    with tempfile.TemporaryDirectory(prefix="planalign-rules-") as folder:
        try:
            count = _try_in(Path(folder), config)
        except ConfigurationError as error:
            return RuleFindings(error.problems, [])
        except CensusError:
            return RuleFindings([], ["the validation rules were loaded but not tried: correct the census first"])
    return RuleFindings([], [f"{count} validation rules of users were tried"] if count else [])


def _try_in(folder: Path, config: "SimulationConfig") -> int:
    """Return how many rules of users were tried, each within a transaction that holds what a run writes first."""
    from planalign_orchestrator.database import checkpoints
    from planalign_orchestrator.database.connection import DatabaseConnectionManager
    from planalign_orchestrator.model import session
    from planalign_orchestrator.pipeline.inputs import RunInputs
    from planalign_orchestrator.registries import RegistryManager
    from planalign_orchestrator.validation.choosing import build_validator

    inputs, first = RunInputs.read(config), config.simulation.start_year
    with DatabaseConnectionManager(folder / "trial.duckdb") as db:
        registries = RegistryManager(db)
        validator = build_validator(db, config, (*inputs.models.of_year(first).tests, *registries.agreements()))
        if validator.registered:
            with db.transaction() as connection:
                inputs.write(connection)
                checkpoints.create_state_tables(connection)
                registries.create_for_year(first)
                session.create_marts(connection, inputs.model)
                validator.try_rules(first)
    return len(validator.registered)
