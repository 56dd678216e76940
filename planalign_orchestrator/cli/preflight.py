"""What stands in the way of a run: configuration, census and environment judged together, without leaving a file behind.

A configuration with mistakes does not hide those of the census and the environment: they are judged by the sections that
can be read by themselves.
"""

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from planalign_orchestrator.errors import CensusError, ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from planalign_orchestrator.config import SimulationConfig
    from planalign_orchestrator.config.sections import Section

    SectionType = TypeVar("SectionType", bound=Section)


@dataclass
class Findings:
    """What was judged, what is wrong with it and what is worth knowing; `summary` holds a census's counts."""

    subject: str
    problems: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The findings as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Preflight:
    """The findings on the three things that a run needs."""

    configuration: Findings
    census: Findings
    environment: Findings

    @property
    def parts(self) -> dict[str, Findings]:
        """The findings by what they are about."""
        return {"configuration": self.configuration, "census": self.census, "environment": self.environment}

    @property
    def problems(self) -> int:
        """How many problems there are in all."""
        return sum(len(found.problems) for found in self.parts.values())


def examine(path: Path, overrides: Mapping[str, object]) -> Preflight:
    """Judge the configuration at `path` under `overrides`, the census it names, and this machine. Writes nothing."""
    configuration = Findings(str(path))
    config = _judge_configuration(path, overrides, configuration)
    sections = _Sections.read(path, overrides) if config is None else _Sections.of(config)
    return Preflight(configuration, _judge_census(sections), _judge_environment(sections))


def _judge_configuration(
    path: Path, overrides: Mapping[str, object], found: Findings
) -> "SimulationConfig | None":
    """The configuration if nothing is wrong with it and its parameter tables."""
    from planalign_orchestrator.config import load_simulation_config
    from planalign_orchestrator.parameters import load_parameters

    try:
        config = load_simulation_config(path, overrides=overrides)
        load_parameters(config)
    except ConfigurationError as error:
        found.problems += error.problems
        return None
    simulation = config.simulation
    found.facts.append(
        f"scenario {config.scenario_id}, plan design {config.plan_design_id}, years {simulation.start_year}-"
        f"{simulation.end_year}, seed {simulation.random_seed}"
    )
    return config
