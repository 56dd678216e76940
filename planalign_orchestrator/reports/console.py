"""Reports for people: aligned plain text that survives a pipe, and a Rich table for terminals, from the same cells."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from planalign_orchestrator.escaping import visible
from planalign_orchestrator.problems import verdicts_in_words
from planalign_orchestrator.report_templates import ReportTemplate
from planalign_orchestrator.reports.figures import KeyFigure, columns_of, headlines
from planalign_orchestrator.reports.groups import Breakdown
from planalign_orchestrator.reports.multi_year import MultiYearSummary
from planalign_orchestrator.reports.tables import WIDTH, Block, aligned, blocks
from planalign_orchestrator.reports.year import Metric, WorkforceBreakdown, YearAuditReport
from planalign_orchestrator.validation import ValidationResult

if TYPE_CHECKING:
    from rich.table import Table

_COST = "Match + core - forfeitures used = net cost"
_WORKFORCE_HEADINGS = ("Year", "Headcount", "Growth", "Average pay", "Pay growth", "Paid in the year", "Checks")
_WORKFORCE_TEXTS = (0, 1, 6)


@dataclass(frozen=True)
class Part:
    """A table of a report as text cells; the columns numbered in `left` hold words, all others numbers."""

    title: str
    rows: Sequence[Sequence[str]]
    headings: Sequence[str] = ()
    left: Sequence[int] = (0,)


class ConsoleReporter:
    """Turns reports into text. Amounts are USD, rates are shown in percent.

    The template `executive` shows the headline figures and every failed check only. Tables are at most `width` columns
    wide: a wider one becomes blocks that each begin with the year. Control characters are made visible.
    """

    def __init__(self, template: ReportTemplate = "detailed", *, width: int = WIDTH) -> None:
        self._template = template
        self._width = width

    def format_year_audit(self, report: YearAuditReport) -> str:
        """Everything about one year, as aligned lines without a final newline."""
        lines = [visible(line) for line in (year_title(report), *report.set_aside)]
        for part in self.year_parts(report):
            lines += ["", part.title, *aligned(part.rows, left=part.left, indent="  ", width=self._width, keys=1)]
        return "\n".join(lines)

    def year_parts(self, report: YearAuditReport) -> list[Part]:
        """What `format_year_audit` shows below its title; parts without a row are left out."""
        checks = [(_verdicts(report.validation), ""), *((line, "") for line in _failures(report.validation))]
        if self._template == "executive":
            figures = list(zip(headlines(), _cells(report, headlines().values()), strict=True))
            return [Part("Headline figures", figures), Part("Validation", checks)]
        people = report.workforce_breakdown
        metrics = [(name, *_figure(metric)) for name, metric in report.metrics.items()]
        parts = [
            Part(
                "Headcount",
                [(line, "") for line in (_equation([people]), people.equation, *_workforce_lines([report]))],
            ),
            Part("People by status", _counts(people.by_status)),
            Part("Active people by level", _counts({f"level {key}": n for key, n in people.by_level.items()})),
            Part("Events", _event_cells(report), left=(0, 2)),
            Part("Key figures", metrics, left=(0, 2)),
            Part(_limits_title(report), _limit_cells(report), left=(0, 2)),
            Part(
                "Nondiscrimination tests",
                [(sentence, "") for sentence in (*report.plan_testing, *_tested_lines(report))],
            ),
            Part("Changed from the year before", [(change, "") for change in report.changes]),
            Part("Validation", checks),
            Part("Notes", [(note, "") for note in report.notes if note not in report.set_aside]),
        ]
        return [part for part in parts if part.rows]

    def format_summary(self, summary: MultiYearSummary) -> str:
        """The title, the years as lines of tables, then what they amount to; no final newline."""
        lines = [self.title(summary), *map(visible, summary.set_aside), ""]
        for part in self.summary_parts(summary):
            lines += [*aligned([part.headings, *part.rows], left=part.left, width=self._width, keys=1), ""]
        return "\n".join([*lines, *map(visible, self.closing_lines(summary))])

    def format_breakdown(self, breakdown: Breakdown) -> str:
        """The figures of groups as lines of tables below their title; no final newline."""
        part = breakdown_part(breakdown)
        table = aligned([part.headings, *part.rows], left=part.left, width=self._width, keys=2)
        return "\n".join([part.title, "", *table, *(["", breakdown.note] if breakdown.note else [])])

    def title(self, summary: MultiYearSummary) -> str:
        """The first line of `format_summary`."""
        return visible(summary_title(summary))

    def summary_tables(self, summary: MultiYearSummary) -> "Iterator[Table]":
        """The yearly lines of `format_summary` as Rich tables."""
        for part in self.summary_parts(summary):
            rows = [part.headings, *part.rows]
            # Rich leaves a space at either side of a table.
            for block in blocks(rows, left=part.left, width=self._width - 2, keys=1):
                yield _table(block)

    def summary_parts(self, summary: MultiYearSummary) -> list[Part]:
        """The tables of `format_summary`, a row for each year."""
        if self._template == "executive":
            rows = [
                (
                    str(report.simulation_year),
                    *_cells(report, headlines().values()),
                    _verdicts(report.validation),
                )
                for report in summary.years
            ]
            headings = ("Year", *headlines(), "Checks")
            return [Part("Headline figures", rows, headings, (0, len(headings) - 1))]
        return [
            Part("Workforce", _workforce_cells(summary), _WORKFORCE_HEADINGS, _WORKFORCE_TEXTS),
            _part_of("Growth of average pay", "pay", summary),
            _part_of("Plan", "plan", summary),
            _part_of("Employer cost", "employer", summary),
        ]

    def closing_lines(self, summary: MultiYearSummary) -> list[str]:
        """What the years amount to together, in words, and every rule that failed."""
        growth = summary.growth_analysis
        total = growth["total_growth_pct"]
        share = "" if total is None else f" ({total:+.1f} %, {_percent(growth['compound_annual_growth_rate'])} a year)"
        headcount = f"Headcount {growth['starting_workforce']:,} -> {growth['ending_workforce']:,}{share}."
        if self._template == "executive":
            return [headcount, *_failed_years(summary)]
        stayed = _change(growth["average_annual_pay_growth_same_person"])
        return [
            f"Headcount: {_equation(summary.workforce_progression)}.",
            *_workforce_lines(summary.years),
            headcount,
            f"Average pay {_change(growth['average_annual_pay_growth'])} a year; {stayed} for people who stayed.",
            f"{_COST}.",
            *_change_lines(summary),
            *_plan_lines(summary),
            *_failed_years(summary),
        ]


def breakdown_part(breakdown: Breakdown) -> Part:
    """The table of a breakdown: a row for each year and group, with the figures that have a heading."""
    columns = {figure.column: figure for figure in breakdown.figures if figure.column is not None}
    rows = [
        (str(group.simulation_year), group.group, *(_cell(one, group.metrics[one.name]) for one in columns.values()))
        for group in breakdown.groups
    ]
    return Part(f"By {breakdown.dimension}", rows, ("Year", breakdown.dimension, *columns), (0, 1))


def year_title(report: YearAuditReport) -> str:
    """The first line of a year's report."""
    return f"Year {report.simulation_year}: scenario {report.scenario_id}, plan design {report.plan_design_id}"


def summary_title(summary: MultiYearSummary) -> str:
    """The first line of a summary."""
    span = f"{summary.start_year}-{summary.end_year}" if len(summary.years) > 1 else str(summary.start_year)
    return f"Workforce {span}: scenario {summary.scenario_id}, plan design {summary.plan_design_id}"


def _table(block: Block) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    headings, *rows = block.rows
    for at, heading in enumerate(headings):
        justify: Literal["left", "right"] = "left" if at in block.left else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for cells in rows:
        table.add_row(*cells)
    return table


def _workforce_cells(summary: MultiYearSummary) -> list[tuple[str, ...]]:
    return [
        (
            str(report.simulation_year),
            report.workforce_breakdown.equation,
            _percent(report.value("headcount_growth_rate")),
            _amount(report.value("average_compensation")),
            _percent(report.value("compensation_growth_all")),
            _amount(report.value("total_compensation")),
            _verdicts(report.validation),
        )
        for report in summary.years
    ]


def _cells(report: YearAuditReport, figures: Iterable[KeyFigure]) -> list[str]:
    return [_cell(figure, Metric(report.value(figure.name), figure.unit)) for figure in figures]


def _cell(figure: KeyFigure, metric: Metric) -> str:
    return _percent(metric.value, places=2) if figure.is_rate else _amount(metric.value)


def _part_of(title: str, table: str, summary: MultiYearSummary) -> Part:
    """The key figures that the register puts into a table, a row for each year."""
    columns = columns_of(table)
    rows = [(str(report.simulation_year), *_cells(report, columns.values())) for report in summary.years]
    return Part(title, rows, ("Year", *columns))


def _equation(years: Sequence[WorkforceBreakdown]) -> str:
    """What the figures of the headcounts are; of several years it names those with acquired people and layoffs."""
    acquired = _in_years([people.simulation_year for people in years if people.acquired], years)
    laid_off = _in_years([people.simulation_year for people in years if people.layoffs], years)
    plus = f" + acquired{acquired}" if acquired is not None else ""
    minus = f" - layoffs{laid_off}" if laid_off is not None else ""
    return f"opening{plus} - exits{minus} + hires - new-hire exits = closing"


def _in_years(found: Sequence[int], years: Sequence[WorkforceBreakdown]) -> str | None:
    """The years in which something was, in words; nothing where it was in all, None where it was in none."""
    if not found:
        return None
    return f" (in {', '.join(map(str, found))})" if len(found) < len(years) else ""


def _workforce_lines(years: Sequence[YearAuditReport]) -> list[str]:
    """How many exits were announced, and of years with layoffs whether they are a partial termination."""
    announced = [
        f"{report.value('announced_terminations'):,.0f} of {report.workforce_breakdown.terminations:,} in "
        f"{report.simulation_year}"
        for report in years
        if report.value("announced_terminations")
    ]
    lines = [f"Exits that the census announced: {', '.join(announced)}."] if announced else []
    return [*lines, *(_turnover_line(report) for report in years if report.workforce_breakdown.layoffs)]


def _turnover_line(report: YearAuditReport) -> str:
    vested = report.value("vested_by_partial_termination")
    what = (
        f"a partial termination: all {vested:,.0f} leavers of the year are fully vested, 411(d)(3)"
        if vested
        else "not treated as a partial termination, which is presumed from 20 % on, 411(d)(3)"
    )
    turnover = _percent(report.value("employer_initiated_turnover"))
    return f"Employer-initiated turnover of {report.simulation_year}: {turnover} of the participants; {what}."


def _change_lines(summary: MultiYearSummary) -> list[str]:
    return [
        f"From {report.simulation_year} on: {', '.join(report.changes)}." for report in summary.years if report.changes
    ]


def _plan_lines(summary: MultiYearSummary) -> list[str]:
    """Which tests the plan needs, and which years' limits are not published yet."""
    lines = [*summary.years[-1].plan_testing, *_tested_lines(summary.years[-1])] if summary.years else []
    projected = summary.projected_limit_years
    if projected:
        span = f"{projected[0]}-{projected[-1]}" if len(projected) > 1 else str(projected[0])
        lines.append(f"IRS limits of {span} are projected.")
    return lines


def _tested_lines(report: YearAuditReport) -> list[str]:
    """The figures of a year that belong to the tests."""
    return [*_coverage_lines(report), *_compensation_lines(report)]


def _coverage_lines(report: YearAuditReport) -> list[str]:
    """The coverage ratios of a year in which the plan leaves somebody out of a source."""
    ratios = {source: report.value(f"{source}_coverage_ratio") for source in ("deferral", "match", "core")}
    shown = [f"{source} {_percent(ratio)}" for source, ratio in ratios.items() if ratio is not None]
    if all(ratio in (None, 1) for ratio in ratios.values()):
        return []
    return [f"Coverage ratio of 410(b) in {report.simulation_year}: {', '.join(shown)}; 70 % passes by itself."]


def _compensation_lines(report: YearAuditReport) -> list[str]:
    """The averages of 414(s) of a year in which the plan leaves bonuses out of plan compensation."""
    highly, others = (report.value(f"compensation_ratio_{standing}") for standing in ("hce", "others"))
    if highly is None or others is None:
        return []
    averages = f"highly compensated {_percent(highly)}, others {_percent(others)}"
    law = "414(s) lets the first be more than the second by a de minimis amount only."
    return [f"Plan compensation over pay in {report.simulation_year}, on average: {averages}; {law}"]


def _counts(counts: dict[str, int]) -> list[tuple[str, str]]:
    return [(name, f"{count:,}") for name, count in counts.items()]


def _event_cells(report: YearAuditReport) -> list[tuple[str, str, str]]:
    events = report.event_summary
    return [
        (name, f"{count:,}", ", ".join(f"{kind} {n:,}" for kind, n in events.by_category[name].items()))
        for name, count in events.by_type.items()
    ]


def _limits_title(report: YearAuditReport) -> str:
    return f"IRS limits, {'projected' if report.irs_limits['is_projected'] else 'published'}"


def _limit_cells(report: YearAuditReport) -> list[tuple[str, str, str]]:
    words = ("limit_year", "is_projected", "source")
    return [
        (name, "", value) if isinstance(value, str) else (name, _amount(value), "")
        for name, value in report.irs_limits.items()
        if name not in words
    ]


def _figure(metric: Metric) -> tuple[str, str]:
    if metric.unit == "rate":
        return _percent(metric.value, places=2), ""
    if metric.unit.startswith("USD"):
        return _amount(metric.value, places=2), metric.unit
    return _amount(metric.value), metric.unit


def _percent(value: Decimal | float | None, places: int = 1) -> str:
    return "-" if value is None else f"{value * 100:.{places}f} %"


def _change(rate: float | None) -> str:
    return "-" if rate is None else f"{rate * 100:+.1f} %"


def _amount(value: Decimal | float | None, places: int = 0) -> str:
    return "-" if value is None else f"{value:,.{places}f}"


def _verdicts(verdicts: Sequence[ValidationResult]) -> str:
    if not verdicts:
        return "none"
    return verdicts_in_words([verdict.word for verdict in verdicts])


def _failures(verdicts: Sequence[ValidationResult], *, notes: bool = True) -> list[str]:
    """A line for each rule that did not pass; without `notes`, not for what is only to be known."""
    return [
        f"{verdict.severity} {verdict.rule}: {verdict.failures:,} found"
        + (f", for example {'; '.join(verdict.examples)}" if verdict.examples else "")
        for verdict in verdicts
        if (not verdict.passed if notes else verdict.has_failed)
    ]


def _failed_years(summary: MultiYearSummary) -> list[str]:
    return [
        f"{year}:  {line}" for year, verdicts in summary.validation.items() for line in _failures(verdicts, notes=False)
    ]
