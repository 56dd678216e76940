"""What a format of a report declares: its name, the endings of its files, how it is rendered, which files are ours."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planalign_orchestrator.database.verification import Verification
    from planalign_orchestrator.report_templates import ReportTemplate
    from planalign_orchestrator.reports.groups import Breakdown
    from planalign_orchestrator.reports.multi_year import MultiYearSummary


@dataclass(frozen=True)
class Report:
    """What is rendered: the finished years, whether their database was verified, and how much is shown of them.

    With a `breakdown` the figures of groups are shown too; a format of one table shows these alone.
    """

    summary: "MultiYearSummary"
    verification: "Verification"
    template: "ReportTemplate" = "detailed"
    breakdown: "Breakdown | None" = None


@dataclass(frozen=True)
class ReportFormat:
    """A format. `file` names a file of it with an article; `is_ours` tells such a file from one of somebody else.

    `render` returns the text with a final newline, or the bytes of a format that cannot be printed.
    `document` returns its JSON values, where it is JSON.
    `shows_everything` says that there is no shorter version of it; `names_people` that its failed checks do.
    """

    name: str
    suffixes: tuple[str, ...]
    file: str
    is_ours: Callable[[Path], bool]
    render: Callable[[Report], str | bytes]
    is_printable: bool = True
    shows_everything: bool = False
    names_people: bool = True
    document: Callable[[Report], dict[str, Any]] | None = None
