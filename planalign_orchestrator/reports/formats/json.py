"""A report as one JSON document, which always holds everything."""

import json
from typing import Any

from planalign_orchestrator.files.replacing import PRODUCT, is_our_json
from planalign_orchestrator.reports.formats.format import Report, ReportFormat


def document(report: Report) -> dict[str, Any]:
    """Return the report as JSON values; `years` have the schema of a year's report, `breakdown` the groups."""
    return {
        "product": PRODUCT,
        "verification": report.verification.to_dict(),
        "summary": report.summary.to_dict(),
        "years": [year.to_dict() for year in report.summary.years],
        **({} if report.breakdown is None else {"breakdown": report.breakdown.to_dict()}),
    }


def json_report(report: Report) -> str:
    """Return the document as text."""
    return json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"


FORMAT = ReportFormat(
    "json", (".json",), "a JSON report", is_our_json, json_report, shows_everything=True, document=document
)
