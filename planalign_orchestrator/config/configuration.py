"""The whole configuration: its sections, the checks between keys, and where each value came from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from planalign_orchestrator.config.checks.consistency import consistency_findings
from planalign_orchestrator.config.checks.statute import statute_findings
from planalign_orchestrator.config.checks.survival import survival_findings
from planalign_orchestrator.config.collection_types import ParameterRows, ParameterTables
from planalign_orchestrator.config.findings import Finding, KeyPath, RefusedError, findings_of
from planalign_orchestrator.config.sections.base import IDENTIFIER, Section
from planalign_orchestrator.config.sections.census import CensusSection
from planalign_orchestrator.config.sections.compensation import CompensationSection
from planalign_orchestrator.config.sections.irs_limits import IrsLimitsSection
from planalign_orchestrator.config.sections.new_hires import NewHiresSection
from planalign_orchestrator.config.sections.plan import PlanSection
from planalign_orchestrator.config.sections.raise_timing import RaiseTimingSection
from planalign_orchestrator.config.sections.reports import ReportsSection
from planalign_orchestrator.config.sections.runtime import RuntimeSection
from planalign_orchestrator.config.sections.simulation import SimulationSection
from planalign_orchestrator.config.sections.validation import ValidationSection
from planalign_orchestrator.config.sections.workforce import WorkforceSection
from planalign_orchestrator.config.types import plain_number
from planalign_orchestrator.errors import ConfigurationError

Origin = Literal["default", "file", "environment", "command line"]

_IDENTIFIERS = ("scenario_id", "plan_design_id")


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

    scenario_id: Annotated[str, IDENTIFIER] = Field(
        default="baseline", description="Name of the scenario; it is in every row of the results."
    )
    plan_design_id: Annotated[str, IDENTIFIER] = Field(
        default="default_plan", description="Name of the plan design; it is in every row of the results."
    )
    simulation: SimulationSection = Field(default_factory=SimulationSection)
    census: CensusSection
    workforce: WorkforceSection = Field(default_factory=WorkforceSection)
    compensation: CompensationSection = Field(default_factory=CompensationSection)
    raise_timing: RaiseTimingSection = Field(default_factory=RaiseTimingSection)
    new_hires: NewHiresSection = Field(default_factory=NewHiresSection)
    plan: PlanSection = Field(default_factory=PlanSection)
    irs_limits: IrsLimitsSection = Field(default_factory=IrsLimitsSection)
    parameters: Annotated[Mapping[str, Path | ParameterRows], ParameterTables()] = Field(
        default={},
        description="Parameter table -> list of rows, or path of a CSV file, that replaces the table's default.",
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
        """A copy that simulates other years, checked as a whole; raises ConfigurationError."""
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


def cross_field_findings(config: SimulationConfig) -> list[Finding]:
    """What is wrong between keys that are right by themselves; each finding names the keys it compares."""
    promotion, hires = config.compensation.promotion, config.new_hires
    findings = [
        *_year_findings(config),
        *consistency_findings(config.plan),
        *statute_findings(config.plan),
        *survival_findings(config),
    ]
    if promotion.increase_spread > promotion.base_increase:
        text = (
            f"increase_spread {plain_number(promotion.increase_spread)} is larger than base_increase "
            f"{plain_number(promotion.base_increase)}, so that a promotion could lower the pay; change one of them"
        )
        section = ("compensation", "promotion")
        findings.append(Finding(text, ((*section, "increase_spread"), (*section, "base_increase"))))
    if hires.part_time_hours_per_week > hires.full_time_hours_per_week:
        text = (
            f"part_time_hours_per_week {plain_number(hires.part_time_hours_per_week)} is more than "
            f"full_time_hours_per_week {plain_number(hires.full_time_hours_per_week)}; change one of them"
        )
        keys = (("new_hires", "part_time_hours_per_week"), ("new_hires", "full_time_hours_per_week"))
        findings.append(Finding(text, keys))
    findings += [
        Finding(
            f"the heading {heading} is also in census.ignore_columns; remove it from one",
            (("census", "columns", name),),
        )
        for name, heading in config.census.columns.items()
        if heading in config.census.ignore_columns
    ]
    return findings


def _year_findings(config: SimulationConfig) -> list[Finding]:
    simulation = config.simulation
    start, end = ("simulation", "start_year"), ("simulation", "end_year")
    if simulation.start_year > simulation.end_year:
        text = f"simulation.start_year {simulation.start_year} is after simulation.end_year {simulation.end_year}"
        return [Finding(f"{text}; change one of them", (start, end))]
    # the limits of the year before the first are read too
    settings: tuple[tuple[KeyPath, Iterable[int], int], ...] = (
        (("compensation", "cola_rate_by_year"), config.compensation.cola_rate_by_year, 0),
        (("irs_limits", "by_year"), config.irs_limits.by_year, 1),
    )
    return [
        Finding(
            f"{year} is before {'the year before ' if earlier else ''}simulation.start_year {simulation.start_year}; "
            "remove this year or change that",
            ((*key, str(year)), start),
        )
        for key, years, earlier in settings
        for year in years
        if year < simulation.start_year - earlier
    ]
