"""The whole configuration: its sections, the checks between keys, and where each value came from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from planalign_orchestrator.config.changes import CHANGES, CHANGES_RULE, findings_of_change, in_change, merged
from planalign_orchestrator.config.checks.between_sections import cross_field_findings
from planalign_orchestrator.config.checks.survival import growth_findings
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
CHANGES_EXAMPLE = """\
changes:
  2026: {compensation: {merit_budget: 0}, simulation: {target_growth_rate: -0.02}}
  2027:
    plan: {match: {formula: safe_harbor_enhanced}}"""
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
    """Where a configuration came from. Any two are equal: configurations are compared by their values alone.

    `from_year` is the year of the change that made it; None for a whole configuration.
    """

    source: str | None = field(default=None, compare=False)
    settings: Mapping[KeyPath, Setting] = field(default_factory=dict, compare=False)
    from_year: int | None = field(default=None, compare=False)


class SimulationConfig(Section):
    """Everything a run is made from. Immutable; every value has passed its rule and the checks between keys."""

    scenario_id: Annotated[str, IDENTIFIER] = key(
        "baseline",
        "Name of the scenario; it is in every row of the results.",
        "scenario_id",
        in_file="baseline_2025",
        of_all_years=True,
    )
    plan_design_id: Annotated[str, IDENTIFIER] = key(
        "default_plan",
        "Name of the plan design; it is in every row of the results.",
        "plan_design_id",
        of_all_years=True,
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
    changes: Annotated[Mapping[int, Mapping[str, Any]], CHANGES_RULE] = key(
        {},
        "Year -> keys that have another value from 1 January of that year on, below their sections as in the rest of "
        "the file. Sections and parameter tables merge; a list replaces, and naming a formula replaces all that makes "
        "it. Years after end_year wait until the run is extended.",
        narrower="no year before start_year; not census, validation, reports, runtime, seed and years",
        example=CHANGES_EXAMPLE,
        changes_results=False,
        of_all_years=True,
    )
    validation: ValidationSection = Field(default_factory=ValidationSection)
    reports: ReportsSection = Field(default_factory=ReportsSection)
    runtime: RuntimeSection = Field(default_factory=RuntimeSection)

    _provenance: Provenance = PrivateAttr(default_factory=Provenance)
    # the configuration from each change on; of such a one, what held before it
    _changed: "Mapping[int, SimulationConfig]" = PrivateAttr(default_factory=dict)
    _before: "SimulationConfig | None" = PrivateAttr(default=None)

    def model_post_init(self, context: object) -> None:
        """Keep where the values came from, which the loader passes as the validation context."""
        if isinstance(context, Provenance):
            self._provenance = context

    @property
    def provenance(self) -> Provenance:
        """Where the values came from; empty for a configuration that was built in Python."""
        return self._provenance

    def of_year(self, year: int) -> "SimulationConfig":
        """Return the configuration of a year: this one with every change up to it, which has no changes of its own."""
        changed = [first for first in self._changed if first <= year]
        return self._changed[max(changed)] if changed else self

    @property
    def first_year(self) -> int:
        """The first year that has this configuration."""
        return self._provenance.from_year or self.simulation.start_year

    @property
    def before(self) -> "SimulationConfig | None":
        """What held before a change; None for the first configuration, and where it holds in no simulated year."""
        return self._before if self.first_year > self.simulation.start_year else None

    def first_year_with(self, holds: "Callable[[SimulationConfig], bool]") -> int:
        """Return the first year from which on a condition has held up to this configuration, which meets it."""
        found = self
        while found.before is not None and holds(found.before):
            found = found.before
        return found.first_year

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
        findings = [*cross_field_findings(self), *self._change_findings()]
        if not findings and self.changes:
            self._changed, findings = self._resolved()
        if not findings and self._provenance.from_year is None:
            findings = growth_findings(self)
        if findings:
            raise RefusedError(findings)
        return self

    def _change_findings(self) -> list[Finding]:
        start = self.simulation.start_year
        early = [
            Finding(
                f"{year} is before simulation.start_year {start}; remove this year or change that",
                ((CHANGES, str(year)), ("simulation", "start_year")),
            )
            for year in self.changes
            if year < start
        ]
        found = (
            finding
            for year, change in self.changes.items()
            for finding in findings_of_change(SimulationConfig, change, (CHANGES, str(year)))
        )
        return [*early, *found]

    def _resolved(self) -> "tuple[dict[int, SimulationConfig], list[Finding]]":
        """Return the configuration from each change on, and what does not fit together there."""
        values = self.model_dump(exclude_unset=True, exclude={CHANGES})
        changed: dict[int, SimulationConfig] = {}
        findings: dict[tuple[str, tuple[KeyPath, ...]], Finding] = {}
        before = self
        for year in sorted(self.changes):
            values = merged(SimulationConfig, values, self.changes[year])
            settings = _settings_of_year(self._provenance.settings, year, values)
            provenance = Provenance(self._provenance.source, settings, from_year=year)
            try:
                changed[year] = SimulationConfig.model_validate(values, context=provenance)
                changed[year]._before = before
                before = changed[year]
            except ValidationError as error:
                for finding in findings_of(error):
                    # what is wrong from one change on is said once
                    placed = in_change(finding, year, self.changes)
                    findings.setdefault((finding.text, finding.keys), placed)
        return changed, list(findings.values())


def _settings_of_year(
    settings: Mapping[KeyPath, Setting], year: int, values: Mapping[str, Any]
) -> dict[KeyPath, Setting]:
    """Return where the values of a year come from: the base, or the latest change that gave them."""
    found = {path: setting for path, setting in settings.items() if path[0] != CHANGES}
    for path, setting in sorted(settings.items(), key=lambda item: item[0][:2]):
        if path[0] == CHANGES and len(path) > 2 and int(path[1]) <= year:
            found[path[2:]] = setting
    return {path: setting for path, setting in found.items() if _is_in(values, path)}


def _is_in(values: object, path: KeyPath) -> bool:
    """Whether a value is at a path of nested mappings; a formula that a change replaced left none."""
    for name in path:
        if not isinstance(values, Mapping):
            return False
        by_text = {str(key): value for key, value in values.items()}
        if name not in by_text:
            return False
        values = by_text[name]
    return True


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
