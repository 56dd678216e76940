"""The section `reports`."""

from pydantic import Field

from planalign_orchestrator.config.sections.base import Location, Section
from planalign_orchestrator.report_templates import ReportTemplate

# folders beside the database, where the configuration names no others
REPORTS_FOLDER = "reports"


class ReportsSection(Section):
    """Where reports go, and how much they show."""

    directory: Location | None = Field(
        default=None, description="Folder of the reports; null is the folder `reports` beside the database."
    )
    template: ReportTemplate = Field(
        default="detailed",
        description="`executive` shows headline figures and failed checks only, `detailed` everything.",
    )
