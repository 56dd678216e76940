"""Reports for people: aligned plain text that survives a pipe, and a Rich table for terminals, from the same cells."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from planalign_orchestrator.reports.multi_year import MultiYearSummary
from planalign_orchestrator.reports.year import Metric, YearAuditReport
from planalign_orchestrator.validation import ValidationResult

if TYPE_CHECKING:
    from rich.table import Table

_EQUATION = "opening - exits + hires - new-hire exits = closing"
_WORKFORCE_HEADINGS = ("Year", "Headcount", "Growth", "Average pay", "Pay growth", "Paid in the year", "Checks")
_WORKFORCE_TEXTS = (0, 1, 6)
# heading, metric, and whether it is a rate
_PLAN_COLUMNS = (
    ("Participation", "participation_rate", True),
    ("Average deferral", "average_deferral_rate", True),
    ("Deferrals", "employee_contribution_total", False),
    ("Match", "employer_match_total", False),
    ("Core", "employer_core_total", False),
    ("Forfeitures", "forfeiture_total", False),
    ("Net cost", "net_employer_cost", False),
    ("Cost rate", "employer_cost_rate", True),
)
_PLAN_HEADINGS = ("Year", *(heading for heading, _, _ in _PLAN_COLUMNS))


class ConsoleReporter:
    """Turns reports into text. Amounts are USD, rates are shown in percent."""

    def format_year_audit(self, report: YearAuditReport) -> str:
        """Everything about one year, as aligned lines without a final newline."""
        people = report.workforce_breakdown
        lines = [
            f"Year {report.simulation_year}: scenario {report.scenario_id}, plan design {report.plan_design_id}",
            *_section("Headcount", [(_EQUATION, people.equation)]),
            *_section("People by status", _counts(people.by_status)),
            *_section("Active people by level", _counts({f"level {key}": n for key, n in people.by_level.items()})),
            *_section("Events", _event_cells(report)),
            *_section("Key figures", [(name, *_figure(metric)) for name, metric in report.metrics.items()]),
            *_section(_limits_title(report), _limit_cells(report)),
            *_section("Nondiscrimination tests", [(sentence, "") for sentence in report.plan_testing]),
            *_section("Validation", [(_verdicts(report.validation), "")]),
            *_failures(report.validation),
        ]
        if report.notes:
            lines += ["", "Notes", *(f"  {note}" for note in report.notes)]
        return "\n".join(lines)

    def format_summary(self, summary: MultiYearSummary) -> str:
        """Two lines a year, of the workforce and of the plan, then what the years amount to; no final newline."""
        workforce = aligned([_WORKFORCE_HEADINGS, *_workforce_cells(summary)], left=_WORKFORCE_TEXTS)
        plan = aligned([_PLAN_HEADINGS, *_plan_cells(summary)], left=(0,))
        return "\n".join([_title(summary), "", *workforce, "", *plan, "", *self.closing_lines(summary)])

    def summary_tables(self, summary: MultiYearSummary) -> "tuple[Table, Table]":
        """The yearly lines of `format_summary` as Rich tables, of the workforce and of the plan."""
        return (
            _table(_title(summary), _WORKFORCE_HEADINGS, _workforce_cells(summary), left=_WORKFORCE_TEXTS),
            _table(None, _PLAN_HEADINGS, _plan_cells(summary), left=(0,)),
        )

    def closing_lines(self, summary: MultiYearSummary) -> list[str]:
        """What the years amount to together, in words, and every rule that failed."""
        growth = summary.growth_analysis
        total = growth["total_growth_pct"]
        share = "" if total is None else f" ({total:+.1f} %, {_percent(growth['compound_annual_growth_rate'])} a year)"
        stayed = _change(growth["average_annual_pay_growth_same_person"])
        return [
            f"Headcount: {_EQUATION}.",
            f"Headcount {growth['starting_workforce']:,} -> {growth['ending_workforce']:,}{share}.",
            f"Average pay {_change(growth['average_annual_pay_growth'])} a year; {stayed} for people who stayed.",
            *_plan_lines(summary),
            *_failed_years(summary),
        ]


def aligned(rows: Sequence[Sequence[str]], *, left: Iterable[int] = (), indent: str = "") -> list[str]:
    """`rows` of equal length as lines: columns numbered in `left` are aligned to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    to_the_left = frozenset(left)
    return [
        (indent + "  ".join(_pad(cell, widths[at], at in to_the_left) for at, cell in enumerate(row))).rstrip()
        for row in rows
    ]


def _table(
    title: str | None, headings: Sequence[str], rows: Iterable[Sequence[str]], *, left: Iterable[int]
) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    to_the_left = frozenset(left)
    for at, heading in enumerate(headings):
        justify: Literal["left", "right"] = "left" if at in to_the_left else "right"
        # Two lines of heading leave room for figures, which are folded where they do not fit, never cut.
        table.add_column(heading.replace(" ", "\n", 1), justify=justify, overflow="fold")
    for cells in rows:
        table.add_row(*cells)
    return table


def _pad(cell: str, width: int, to_the_left: bool) -> str:
    return cell.ljust(width) if to_the_left else cell.rjust(width)


def _section(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    last = len(rows[0]) - 1
    return ["", title, *aligned(rows, left=(0, last) if last > 1 else (0,), indent="  ")]


def _title(summary: MultiYearSummary) -> str:
    span = f"{summary.start_year}-{summary.end_year}" if len(summary.years) > 1 else str(summary.start_year)
    return f"Workforce {span}: scenario {summary.scenario_id}, plan design {summary.plan_design_id}"


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


def _plan_cells(summary: MultiYearSummary) -> list[tuple[str, ...]]:
    return [
        (
            str(report.simulation_year),
            *(
                _percent(report.value(metric), places=2) if is_rate else _amount(report.value(metric))
                for _, metric, is_rate in _PLAN_COLUMNS
            ),
        )
        for report in summary.years
    ]


def _plan_lines(summary: MultiYearSummary) -> list[str]:
    """Which tests the plan needs, and which years' limits are not published yet."""
    lines = list(summary.years[-1].plan_testing) if summary.years else []
    projected = summary.projected_limit_years
    if projected:
        span = f"{projected[0]}-{projected[-1]}" if len(projected) > 1 else str(projected[0])
        lines.append(f"IRS limits of {span} are projected.")
    return lines


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


def _limit_cells(report: YearAuditReport) -> list[tuple[str, str]]:
    words = ("limit_year", "is_projected", "source")
    return [
        (name, value if isinstance(value, str) else _amount(value))
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
    failed = sum(verdict.has_failed for verdict in verdicts)
    notes = sum(not verdict.passed for verdict in verdicts) - failed
    said = f"{failed} of {len(verdicts)} failed" if failed else f"{len(verdicts) - notes} passed"
    return f"{said}, {notes} noted" if notes else said


def _failures(verdicts: Sequence[ValidationResult], *, notes: bool = True) -> list[str]:
    """A line for each rule that did not pass; without `notes`, not for what is only to be known."""
    return [
        f"  {verdict.severity} {verdict.rule}: {verdict.failures:,} found"
        + (f", for example {'; '.join(verdict.examples)}" if verdict.examples else "")
        for verdict in verdicts
        if (not verdict.passed if notes else verdict.has_failed)
    ]


def _failed_years(summary: MultiYearSummary) -> list[str]:
    return [
        f"{year}:{line}" for year, verdicts in summary.validation.items() for line in _failures(verdicts, notes=False)
    ]
