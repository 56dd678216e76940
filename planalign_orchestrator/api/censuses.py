"""Census files: judged as a run judges them, made of made-up people, and their headings mapped."""

import datetime as dt
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from planalign_orchestrator.api.configuration import load_configuration

if TYPE_CHECKING:
    from planalign_orchestrator.api.census_profiles import CensusProfile
    from planalign_orchestrator.census import CensusSummary
    from planalign_orchestrator.census.mapping import Proposal
    from planalign_orchestrator.config import SimulationConfig


def check_census(
    file: Path | None = None, config: Path | None = None, *, census_date: dt.date | None = None
) -> "CensusSummary":
    """Return what a census holds, judged by the census section and the years of a configuration or by the defaults.

    Without `file` it is the census of the configuration; without `census_date`, of 31 December before the first
    simulated year. Errors: CensusError with every finding, ConfigurationError.
    """
    from planalign_orchestrator.parameters import load_parameters
    from planalign_orchestrator.pipeline.inputs import judge_census

    return judge_census(load_parameters(_settings(file, config)), census_date).summary


def profile_census(file: Path | None = None, config: Path | None = None) -> "CensusProfile":
    """Return the assumptions that would be fitted to a census, each beside the packaged one.

    Without `file` it is the census of the configuration. Tables that a configuration gives are fitted all the same.
    Errors: CensusError, ConfigurationError.
    """
    from planalign_orchestrator.api.census_profiles import profile_of
    from planalign_orchestrator.config.sections.parameters import CENSUS, FITTED_TABLES
    from planalign_orchestrator.parameters import load_parameters
    from planalign_orchestrator.pipeline.inputs import judge_census

    fitted = [f"parameters.{name}" for name in FITTED_TABLES]
    fitted += [f"new_hires.{name}" for name in ("pay_noise_sd", "part_time_share", "part_time_hours_per_week")]
    settings = _settings(file, config, dict.fromkeys(fitted, CENSUS))
    return profile_of(judge_census(load_parameters(settings)))


def generate_census(
    output: Path,
    size: int,
    *,
    seed: int = 42,
    census_date: dt.date | None = None,
    force: bool = False,
    project: Path | None = None,
) -> dt.date:
    """Write a census of made-up people and return its date: by default the one before the default first year.

    `project` is a configuration whose files are never replaced. Errors: OutputError for a file that is not to be
    replaced.
    """
    from planalign_orchestrator.census import generated_kind, write_census
    from planalign_orchestrator.files.replacing import check_replaceable

    check_replaceable(output, generated_kind(), force=force, protected=_inputs_in_use(output, project))
    if census_date is None:
        from planalign_orchestrator.config.sections.simulation import SimulationSection

        census_date = dt.date(SimulationSection().start_year - 1, 12, 31)
    write_census(output, size, seed=seed, census_date=census_date)
    return census_date


def map_census(file: Path, sheet: str | None = None, header_row: int | None = None) -> "Proposal":
    """Return what the section `census` of a configuration should say of a file. Errors: CensusError."""
    from planalign_orchestrator.census import propose

    return propose(file, sheet, header_row)


def mapping_text(proposal: "Proposal") -> str:
    """Return the suggestions as YAML of a configuration."""
    from planalign_orchestrator.census import mapping_yaml

    return mapping_yaml(proposal)


def write_mapping(file: Path, proposal: "Proposal", config: Path) -> list[str]:
    """Put the suggestions into the section `census` of a configuration, all else left as it is; return the keys set.

    Errors: CensusError when a required column has no candidate, ConfigurationError when the file cannot take them;
    nothing is written then.
    """
    from planalign_orchestrator.census.mapping import yaml_blocks
    from planalign_orchestrator.config.section_writing import replace_section_keys
    from planalign_orchestrator.errors import CensusError
    from planalign_orchestrator.files.atomic import write_atomically

    if proposal.missing:
        raise CensusError(
            [f"{name} has no sure candidate among the headings" for name in proposal.missing], source=str(file)
        )
    path = os.path.relpath(file.resolve(), config.resolve().parent)
    blocks = [("path", f"  path: {json.dumps(path, ensure_ascii=False)}\n"), *yaml_blocks(proposal)]
    write_atomically(config, replace_section_keys(config, "census", blocks))
    return [key for key, _ in blocks if key]


def _settings(
    file: Path | None, config: Path | None, overrides: Mapping[str, object] | None = None
) -> "SimulationConfig":
    """The configuration with this census, or the defaults with this census. Errors: ConfigurationError."""
    named = {} if file is None else {"census.path": str(file)}
    values = {**named, **(overrides or {})}
    if config is not None:
        return load_configuration(config, values)
    from planalign_orchestrator.config import config_from_mapping

    return config_from_mapping(values)


def _inputs_in_use(output: Path, project: Path | None) -> dict[Path, str]:
    """The files that a project is made of, if there is one and the output exists."""
    if project is None or not output.exists() or not project.is_file():
        return {}
    settings = load_configuration(project)
    return {
        settings.census.path: f"the census of {project}",
        settings.runtime.database: "the database",
        project: "the configuration",
    }
