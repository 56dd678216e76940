"""A run of years as one summary: how workforce, pay and events developed, and the table for a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import prod
from pathlib import Path
from typing import Any

from planalign_orchestrator.census.records import SET_ASIDE
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.files.atomic import write_atomically
from planalign_orchestrator.files.replacing import csv_header
from planalign_orchestrator.report_templates import ReportTemplate
from planalign_orchestrator.reports.figures import headlines, leading_names
from planalign_orchestrator.reports.groups import Breakdown
from planalign_orchestrator.reports.year import WorkforceBreakdown, YearAuditReport, json_number, read_years
from planalign_orchestrator.validation import ValidationResult

# The columns of the spreadsheet before its figures; the leading figures follow, then all others by name.
_IDENTIFIERS = ("scenario_id", "plan_design_id", "run_id", "simulation_year")
_CENSUS = ("rows_set_aside", "set_aside")
_LIMITS = "irs_limits"
# the columns of a detailed spreadsheet after its figures: sentences
_CHANGES, _TESTING = "changes", "plan_testing"
_DIMENSION, _GROUP = "dimension", "group"
_PARTICIPATION_METRICS = (
    "eligible_count",
    "participant_count",
    "participation_rate",
    "average_deferral_rate",
    "average_deferral_rate_all_eligible",
    "average_deferral_rate_payroll_weighted",
)


@dataclass(frozen=True)
class MultiYearSummary:
    """The reports of years in calendar order, and what they say together; a dry run's summary has no year."""

    scenario_id: str
    plan_design_id: str
    years: tuple[YearAuditReport, ...]

    @classmethod
    def of_no_year(cls, scenario_id: str, plan_design_id: str) -> "MultiYearSummary":
        """The summary of nothing: what a dry run returns."""
        return cls(scenario_id, plan_design_id, ())

    @property
    def start_year(self) -> int | None:
        """The first reported year."""
        return self.years[0].simulation_year if self.years else None

    @property
    def end_year(self) -> int | None:
        """The last reported year."""
        return self.years[-1].simulation_year if self.years else None

    @property
    def set_aside(self) -> list[str]:
        """How many rows of the census were set aside and why; nothing where all were used."""
        return self.years[0].set_aside if self.years else []

    @property
    def workforce_progression(self) -> list[WorkforceBreakdown]:
        """The headcounts of each year."""
        return [report.workforce_breakdown for report in self.years]

    @property
    def growth_analysis(self) -> dict[str, int | float | None]:
        """Growth from the opening of the first year to the close of the last; None where there is nothing to compare.

        `total_growth_pct` is in percent; every other growth is a yearly rate (0.03 is 3 %), the geometric mean.
        Compensation is in USD: totals are what was paid in the year, averages are annual rates of pay at its close.
        """
        count = len(self.years)
        opening = self.years[0].workforce_breakdown.opening if self.years else None
        closing = self.years[-1].workforce_breakdown.closing if self.years else None
        ratio = closing / opening if opening and closing is not None else None
        return {
            "starting_workforce": opening,
            "ending_workforce": closing,
            "total_growth_pct": None if ratio is None else round((ratio - 1) * 100, 6),
            "compound_annual_growth_rate": None if ratio is None else round(ratio ** (1 / count) - 1, 6),
            "years_analyzed": count,
            "total_compensation_first_year": self._value("total_compensation", 0),
            "total_compensation_last_year": self._value("total_compensation", -1),
            "average_compensation_first_year": self._value("average_compensation", 0),
            "average_compensation_last_year": self._value("average_compensation", -1),
            "average_annual_pay_growth": self._mean_growth("compensation_growth_all"),
            "average_annual_pay_growth_same_person": self._mean_growth("compensation_growth_same_person"),
        }

    @property
    def event_trends(self) -> dict[str, list[int]]:
        """Event type -> its number in each year, 0 where it did not happen."""
        types = sorted({event_type for report in self.years for event_type in report.event_summary.by_type})
        return {name: [report.event_summary.by_type.get(name, 0) for report in self.years] for name in types}

    @property
    def participation_trends(self) -> list[dict[str, Any]]:
        """Participation and deferral rates at the close of each year: counts are people, rates decimals."""
        return [
            {
                "simulation_year": report.simulation_year,
                **{name: report.metrics[name].to_dict()["value"] for name in _PARTICIPATION_METRICS},
            }
            for report in self.years
        ]

    @property
    def projected_limit_years(self) -> list[int]:
        """The years whose statutory limits are projected, at least in part, and not published."""
        return [report.simulation_year for report in self.years if report.irs_limits["is_projected"]]

    @property
    def validation(self) -> dict[int, tuple[ValidationResult, ...]]:
        """The verdicts of the validation rules, by year."""
        return {report.simulation_year: report.validation for report in self.years}

    def to_dict(self) -> dict[str, Any]:
        """The summary as JSON values, in a stable order of keys."""
        return {
            "scenario_id": self.scenario_id,
            "plan_design_id": self.plan_design_id,
            "start_year": self.start_year,
            "end_year": self.end_year,
            "set_aside": self.set_aside,
            "workforce_progression": [asdict(breakdown) for breakdown in self.workforce_progression],
            "growth_analysis": self.growth_analysis,
            "event_trends": self.event_trends,
            "participation_trends": self.participation_trends,
            "projected_limit_years": self.projected_limit_years,
            "plan_testing": list(self.years[-1].plan_testing) if self.years else [],
            "changes": {str(report.simulation_year): list(report.changes) for report in self.years if report.changes},
            "metrics": {
                str(report.simulation_year): {name: metric.to_dict() for name, metric in report.metrics.items()}
                for report in self.years
            },
            "validation": {
                str(year): [asdict(verdict) for verdict in found] for year, found in self.validation.items()
            },
        }

    def to_csv(self, template: ReportTemplate = "detailed", breakdown: Breakdown | None = None) -> str:
        """One line a year: identifiers, rows of the census that were set aside and why, every metric (empty where it
        does not exist), the number of events by type, what has changed, which tests the plan needs.

        The template `executive` has the headline figures and the numbers of failed checks and of warnings instead. A
        breakdown has one line a year and group: identifiers, rows set aside, the group and its figures.
        """
        rows = self.to_rows(template) if breakdown is None else self.group_rows(breakdown)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([_csv_cell(value) for value in row] for row in rows)
        return text.getvalue()

    def to_rows(self, template: ReportTemplate = "detailed") -> list[list[str | int | Decimal | None]]:
        """The lines of `to_csv` as values, the headings first."""
        rows: list[list[str | int | Decimal | None]]
        if template == "executive":
            metrics = [figure.name for figure in headlines().values()]
            rows = [list(_executive_header())]
            words = [[verdict.word for verdict in report.validation] for report in self.years]
            others: list[list[str | int]] = [[found.count("failed"), found.count("warning")] for found in words]
        else:
            metrics, events = self._metric_names(), self.event_trends
            rows = [[*_IDENTIFIERS, *_CENSUS, _LIMITS, *metrics, *(f"{name}_events" for name in events)]]
            rows[0] += [_CHANGES, _TESTING]
            counts = [list(counts) for counts in zip(*events.values(), strict=True)] or [[] for _ in self.years]
            said = [["; ".join(report.changes), " ".join(report.plan_testing)] for report in self.years]
            others = [[*figures, *texts] for figures, texts in zip(counts, said, strict=True)]
        for report, last in zip(self.years, others, strict=True):
            row = _beginning(report)
            if template == "detailed":
                row.append("projected" if report.irs_limits["is_projected"] else "published")
            row += [report.metrics[name].value if name in report.metrics else None for name in metrics]
            rows.append([*row, *last])
        return rows

    def group_rows(self, breakdown: Breakdown) -> list[list[str | int | Decimal | None]]:
        """The lines of a breakdown's `to_csv` as values, the headings first."""
        names = [figure.name for figure in breakdown.figures]
        years = {report.simulation_year: report for report in self.years}
        rows: list[list[str | int | Decimal | None]] = [[*_IDENTIFIERS, *_CENSUS, _DIMENSION, _GROUP, *names]]
        for group in breakdown.groups:
            figures = [group.metrics[name].value for name in names]
            rows.append([*_beginning(years[group.simulation_year]), breakdown.dimension, group.group, *figures])
        return rows

    def export_csv(self, path: str | Path, template: ReportTemplate = "detailed") -> Path:
        """Write `to_csv` to `path`, whole or not at all; returns the path."""
        write_atomically(Path(path), self.to_csv(template))
        return Path(path)

    def _metric_names(self) -> list[str]:
        known = {name for report in self.years for name in report.metrics}
        leading = [name for name in leading_names() if name in known]
        return [*leading, *sorted(known - set(leading))]

    def _value(self, metric: str, place: int) -> int | float | None:
        value = self.years[place].value(metric) if self.years else None
        return None if value is None else json_number(value)

    def _mean_growth(self, metric: str) -> float | None:
        """The yearly rate that compounds to the same growth as the years' rates of `metric`."""
        rates = [float(rate) for report in self.years if (rate := report.value(metric)) is not None]
        if not rates or len(rates) < len(self.years):
            return None
        return round(prod(1 + rate for rate in rates) ** (1 / len(rates)) - 1, 6)


class MultiYearReporter:
    """Reports several years of a simulation database together."""

    def __init__(self, db: DatabaseConnectionManager) -> None:
        self._db = db

    def generate_summary(self, years: Sequence[int]) -> MultiYearSummary:
        """The summary of `years`; raises DatabaseError naming the years the database does not hold."""
        reports = read_years(self._db, years)
        return MultiYearSummary(reports[0].scenario_id, reports[0].plan_design_id, tuple(reports))


def _beginning(report: YearAuditReport) -> list[str | int | Decimal | None]:
    """The first cells of a line: which run and year it is of, and what of its census was set aside."""
    reasons = "; ".join(text.removeprefix(SET_ASIDE) for text in report.set_aside)
    identifiers = (report.scenario_id, report.plan_design_id, report.run_id, report.simulation_year)
    return [*identifiers, report.rows_set_aside, reasons]


def is_summary(path: Path) -> bool:
    """Return whether a file is a summary that `export_csv` wrote, by its headings.

    Those of a detailed one begin with the same figures in every run; which others follow depends on the plan.
    """
    # a summary of an earlier version did not say what was set aside, and counted warnings among the failed checks
    header = tuple(name for name in csv_header(path) if name not in _CENSUS)
    executive = tuple(name for name in _executive_header() if name not in _CENSUS)
    beginning = (*_IDENTIFIERS, _LIMITS, *leading_names())
    of_groups = (*_IDENTIFIERS, _DIMENSION, _GROUP)
    return header in (executive, executive[:-1]) or any(
        header[: len(start)] == start for start in (beginning, of_groups)
    )


def runs_of_summary(path: Path) -> set[str]:
    """Return the ids of the runs in a summary; raises DatabaseError for a file that is none."""
    if not is_summary(path):
        raise DatabaseError(f"{path} is not a summary of ours; move it away or set reports.directory")
    with path.open(encoding="utf-8", newline="") as file:
        return {row["run_id"] for row in csv.DictReader(file)}


def _executive_header() -> tuple[str, ...]:
    return (*_IDENTIFIERS, *_CENSUS, *(figure.name for figure in headlines().values()), "failed_checks", "warnings")


def _csv_cell(value: str | int | Decimal | None) -> str | int:
    """A figure as its digits without trailing zeros; empty where it does not exist."""
    if value is None:
        return ""
    if not isinstance(value, Decimal):
        return value
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
