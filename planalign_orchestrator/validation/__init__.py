"""Judges a simulated year before it is committed: the model's data tests, plausibility, and rules that users add."""

from planalign_orchestrator.validation.results import ValidationResult, ValidationRule, ValidationSeverity
from planalign_orchestrator.validation.rules import (
    EventSequenceRule,
    EventSpikeRule,
    HireTerminationRatioRule,
    PrimaryKeyUniquenessRule,
    RowCountDriftRule,
    SqlRule,
)
from planalign_orchestrator.validation.validator import DataValidator

__all__ = [
    "DataValidator",
    "EventSequenceRule",
    "EventSpikeRule",
    "HireTerminationRatioRule",
    "PrimaryKeyUniquenessRule",
    "RowCountDriftRule",
    "SqlRule",
    "ValidationResult",
    "ValidationRule",
    "ValidationSeverity",
]
