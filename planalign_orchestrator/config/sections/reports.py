"""The section `reports`."""

from typing import ClassVar

from planalign_orchestrator.config.sections.base import Location, Section, key
from planalign_orchestrator.report_templates import ReportTemplate

# the folder beside the database, where the configuration names no other
REPORTS_FOLDER = "reports"


class ReportsSection(Section):
    """Where reports go, and how much they show."""

    changes_results: ClassVar[bool] = False
    of_all_years: ClassVar[bool] = True

    directory: Location | None = key(
        None, f"Folder of the reports; null is the folder `{REPORTS_FOLDER}` beside the database."
    )
    template: ReportTemplate = key(
        "detailed",
        "How much the reports on the years show, on the console, in the summary (CSV) and in HTML: `executive` the "
        "headline figures and failed checks only, `detailed` everything. The JSON report of a year always holds "
        "everything.",
    )
