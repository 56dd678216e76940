"""The files for people that follow a commit: year reports, copies of checkpoints, the summary, the variables for dbt.

They are made from what is committed, so a run that was killed between a commit and its files makes up for them when
it is resumed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planalign_orchestrator.database import checkpoint_copies
from planalign_orchestrator.database.checkpoints import DatabaseStatus, WorkflowCheckpoint
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.files.atomic import real_path, remove_drafts, write_atomically
from planalign_orchestrator.files.replacing import PRODUCT, OutputKind, check_replaceable
from planalign_orchestrator.pipeline.backup_files import draft_names
from planalign_orchestrator.report_templates import ReportTemplate
from planalign_orchestrator.reports import MultiYearReporter, MultiYearSummary, YearAuditor
from planalign_orchestrator.reports.multi_year import is_summary, runs_of_summary

# the files of a run in the folders of reports and of checkpoint copies
_PUBLISHED = re.compile(r"year_\d{4}\.json|multi_year_summary_\d{4}_\d{4}\.csv")


class Publisher:
    """Writes the files of one run and remembers which; `notes` says what the user should know about them."""

    def __init__(self, db: DatabaseConnectionManager, reports_directory: Path, checkpoint_directory: Path) -> None:
        self._db = db
        self._reports_directory = reports_directory
        self._checkpoint_directory = checkpoint_directory
        self._outdated: DatabaseStatus | None = None
        self.reports: list[Path] = []
        self.copies: list[Path] = []
        self.run_vars: Path | None = None
        self.notes: list[str] = []

    def tidy(self) -> None:
        """Remove what a killed process left half written of the files of this database."""
        remove_drafts(real_path(self._db.db_path).parent, draft_names(real_path(self._db.db_path)))
        remove_drafts(self._run_vars_path.parent, lambda name: name == self._run_vars_path.name)
        for folder in (self._reports_directory, self._checkpoint_directory):
            remove_drafts(folder, lambda name: _PUBLISHED.fullmatch(name) is not None)

    def check_files(self, years: Sequence[int]) -> None:
        """Refuse to begin where a file of somebody else has the name of one that will be written.

        Errors: DatabaseError, OutputError.
        """
        for year in years:
            for folder in (self._reports_directory, self._checkpoint_directory):
                _value_in(folder / f"year_{year}.json", "database")
        check_replaceable(self._summary_path(years), _SUMMARY, force=None)
        check_replaceable(self._run_vars_path, _VARIABLES, force=None)

    def replaces(self, status: DatabaseStatus) -> None:
        """From the first finished year on, the files of the run that was set aside are outdated."""
        self._outdated = status

    def publish(self, checkpoint: WorkflowCheckpoint) -> None:
        """Write the report and the checkpoint's copy of a committed year."""
        self._remove_outdated()
        name = f"year_{checkpoint.simulation_year}.json"
        report = self._reports_directory / name
        other = _value_in(report, "database")
        if other not in (None, checkpoint.database):
            self.notes.append(f"{report} was of {other} and now is of {checkpoint.database}; see reports.directory")
        YearAuditor(self._db).generate_report(checkpoint.simulation_year).export_json(report)
        self.reports.append(report)
        self.copies.append(checkpoint_copies.write_checkpoint_file(self._checkpoint_directory, checkpoint))

    def catch_up(self, status: DatabaseStatus) -> None:
        """Write the files of finished years that are missing or of another run."""
        for row in status.checkpoints:
            name = f"year_{row['simulation_year']}.json"
            folders = (self._reports_directory, self._checkpoint_directory)
            if any(_value_in(folder / name, "run_id") != row["run_id"] for folder in folders):
                self.publish(checkpoint_copies.checkpoint_of(row, self._db.db_path.name))

    def follow(self, replaced: DatabaseStatus | None, status: DatabaseStatus) -> None:
        """Leave the files of `status` only, after its database took the place of `replaced`."""
        self._outdated = replaced
        self._remove_outdated()
        self.catch_up(status)

    def summarise(
        self, years: list[int], variables: Mapping[str, Any] | None, template: ReportTemplate = "detailed"
    ) -> MultiYearSummary:
        """Write the multi-year summary and the variables for dbt by hand, and return the summary.

        Variables that are not known (None) are better absent than those of another run.
        """
        summary = MultiYearReporter(self._db).generate_summary(years)
        path = self._summary_path(years)
        summary.export_csv(path, template)
        self.reports.append(path)
        if variables is None:
            self._run_vars_path.unlink(missing_ok=True)
            return summary
        text = json.dumps({**variables, "simulation_year": years[-1]}, indent=2, sort_keys=True)
        write_atomically(self._run_vars_path, f"{text}\n")
        self.run_vars = self._run_vars_path
        return summary

    @property
    def _run_vars_path(self) -> Path:
        return self._db.db_path.parent / "run_vars.json"

    def _summary_path(self, years: Sequence[int]) -> Path:
        return self._reports_directory / f"multi_year_summary_{years[0]}_{years[-1]}.csv"

    def _remove_outdated(self) -> None:
        """Remove the files of the run that was set aside, so that none is taken for one of the new run."""
        if self._outdated is None:
            return
        runs = {run["run_id"] for run in self._outdated.runs}
        for year in self._outdated.years:
            for folder in (self._reports_directory, self._checkpoint_directory):
                path = folder / f"year_{year}.json"
                if _value_in(path, "run_id") in runs:
                    path.unlink()
        for path in self._reports_directory.glob("multi_year_summary_*.csv"):
            if _PUBLISHED.fullmatch(path.name) and path.is_file() and runs_of_summary(path) <= runs:
                path.unlink()
        self._outdated = None


def _holds_variables(path: Path) -> bool:
    """Return whether a file holds the variables of a run."""
    try:
        return "simulation_year" in dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError):
        return False


_SUMMARY = OutputKind("a summary of years", is_summary)
_VARIABLES = OutputKind("a file of variables", _holds_variables)


def _value_in(path: Path, key: str) -> str | None:
    """Return a text of a JSON file that a run wrote; None when there is no such file."""
    if path.exists() and not path.is_file():
        raise DatabaseError(f"{path} is no file; move it away or set reports.directory")
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if key not in document and document.get("product") == PRODUCT:
            # a report of several years, which the user wrote here
            return None
        return str(document[key])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DatabaseError(f"{path} is not a file of ours ({error}); move it away or set reports.directory") from error
