"""The whole configuration: its sections, the checks between keys, and where each value came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from planalign_orchestrator.config.checks.between_sections import cross_field_findings
from planalign_orchestrator.config.sections.base import Section, key
from planalign_orchestrator.config.sections.census import CensusSection
from planalign_orchestrator.config.sections.compensation import CompensationSection
from planalign_orchestrator.config.sections.irs_limits import IrsLimitsSection
from planalign_orchestrator.config.sections.new_hires import NewHiresSection
from planalign_orchestrator.config.sections.parameters import EXAMPLE, PARAMETER_TABLES, TABLES_RULE, TableSource
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.sections.raise_timing import RaiseTimingSection
from planalign_orchestrator.config.sections.reports import ReportsSection
from planalign_orchestrator.config.sections.runtime import RuntimeSection
from planalign_orchestrator.config.sections.simulation import SimulationSection
from planalign_orchestrator.config.sections.validation import ValidationSection
from planalign_orchestrator.config.sections.workforce import WorkforceSection
from planalign_orchestrator.config.types import text
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.problems import Finding, KeyPath, RefusedError, did_you_mean, dotted

Origin = Literal["default", "file", "environment", "command line"]

_IDENTIFIERS = ("scenario_id", "plan_design_id")
IDENTIFIER = text("an identifier: up to 100 letters, digits, `_`, `.` or `-`", "[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True)
class Place:
    """Where a value was given: `where` is file:line, the variable's name or the option; empty for a default."""

    origin: Origin
    where: str = ""
    line: int = 0


@dataclass(frozen=True)
class Setting:
    """A value as it was given, before any rule has read it; `shown` is how it was written."""

    value: object
    shown: str
    place: Place


@dataclass(frozen=True)
class Provenance:
    """Where a configuration came from. Any two are equal: configurations are compared by their values alone."""

    source: str | None = field(default=None, compare=False)
    settings: Mapping[KeyPath, Setting] = field(default_factory=dict, compare=False)


class SimulationConfig(Section):
    """Everything a run is made from. Immutable; every value has passed its rule and the checks between keys."""

    scenario_id: Annotated[str, IDENTIFIER] = key(
        "baseline", "Name of the scenario; it is in every row of the results.", "scenario_id", in_file="baseline_2025"
    )
    plan_design_id: Annotated[str, IDENTIFIER] = key(
        "default_plan", "Name of the plan design; it is in every row of the results.", "plan_design_id"
    )
    simulation: SimulationSection = Field(default_factory=SimulationSection)
    census: CensusSection
    workforce: WorkforceSection = Field(default_factory=WorkforceSection)
    compensation: CompensationSection = Field(default_factory=CompensationSection)
    raise_timing: RaiseTimingSection = Field(default_factory=RaiseTimingSection)
    new_hires: NewHiresSection = Field(default_factory=NewHiresSection)
    plan: PlanSection = Field(default_factory=PlanSection)
    irs_limits: IrsLimitsSection = Field(default_factory=IrsLimitsSection)
    parameters: Annotated[Mapping[str, TableSource], TABLES_RULE] = key(
        {},
        "Assumption tables: table -> list of rows, path of a CSV file, `default` (the packaged table) or `census` "
        "(fitted to the people of the census, which is where job_levels, new_hire_pay and new_hire_ages come from "
        "unless they are given; the others are the packaged ones). "
        "Tables: " + ", ".join(PARAMETER_TABLES) + ".",
        example=EXAMPLE,
    )
    validation: ValidationSection = Field(default_factory=ValidationSection)
    reports: ReportsSection = Field(default_factory=ReportsSection)
    runtime: RuntimeSection = Field(default_factory=RuntimeSection)

    _provenance: Provenance = PrivateAttr(default_factory=Provenance)

    def model_post_init(self, context: object) -> None:
        """Keep where the values came from, which the loader passes as the validation context."""
        if isinstance(context, Provenance):
            self._provenance = context

    @property
    def provenance(self) -> Provenance:
        """Where the values came from; empty for a configuration that was built in Python."""
        return self._provenance

    def require_identifiers(self) -> None:
        """Return if both identifiers were given explicitly; a default is not enough and raises ConfigurationError."""
        missing = [name for name in _IDENTIFIERS if name not in self.model_fields_set]
        if missing:
            raise ConfigurationError(
                [
                    f"{name} is not set and is required here; add a line such as `{name}: baseline_2025`"
                    for name in missing
                ],
                source=self._provenance.source,
            )

    def with_years(self, start_year: int, end_year: int) -> Self:
        """Return a copy that simulates other years, checked as a whole. Errors: ConfigurationError."""
        values = self.model_dump(exclude_unset=True)
        values["simulation"] = values.get("simulation", {}) | {"start_year": start_year, "end_year": end_year}
        place = Place("command line", "command line")
        years: dict[KeyPath, Setting] = {
            ("simulation", "start_year"): Setting(start_year, str(start_year), place),
            ("simulation", "end_year"): Setting(end_year, str(end_year), place),
        }
        provenance = Provenance(self._provenance.source, {**self._provenance.settings, **years})
        try:
            return self.model_validate(values, context=provenance)
        except ValidationError as error:
            raise ConfigurationError([f"{finding.at}: {finding.text}" for finding in findings_of(error)]) from None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        findings = cross_field_findings(self)
        if findings:
            raise RefusedError(findings)
        return self


def findings_of(error: ValidationError) -> list[Finding]:
    """Return every finding of a failed validation, with its keys from the top of the configuration."""
    return [finding for details in error.errors(include_url=False) for finding in _findings_in(details)]


def _findings_in(details: ErrorDetails) -> Iterator[Finding]:
    path = tuple(str(part) for part in details["loc"])
    refused = details.get("ctx", {}).get("error")
    if isinstance(refused, RefusedError):
        yield from (Finding(found.text, tuple(path + key for key in found.keys)) for found in refused.findings)
    elif details["type"] == "missing":
        yield Finding(f"is required and missing; add it to the file, or give it with --set {dotted(path)}=...", (path,))
    elif details["type"] == "literal_error":
        # Pydantic's list of the choices: 'exact' or 'stochastic'
        expected = details["ctx"]["expected"]
        hint = did_you_mean(details["input"], expected.split("'")[1::2], "")
        yield Finding(f"must be {expected.replace(chr(39), '`')}{f'; {hint}' if hint else ''}", (path,))
    else:
        yield Finding(details["msg"], (path,))
