"""The formats of a report: each module of this package but `format` declares one as `FORMAT`.

Nothing heavy is imported here, because the command line lists the formats before it loads anything else.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from planalign_orchestrator.errors import OutputError
from planalign_orchestrator.reports.formats.format import Report, ReportFormat

__all__ = ["FORMATS", "PRINTED", "SUFFIXES", "Report", "ReportFormat", "format_of"]

FORMATS: Mapping[str, ReportFormat] = {
    found.name: found
    for module in pkgutil.iter_modules(__path__)
    if module.name != "format"
    for found in (import_module(f"{__name__}.{module.name}").FORMAT,)
}
"""The formats by name."""

PRINTED = FORMATS["console"]
"""The format of a report that is printed unless another one is asked for."""

SUFFIXES: Mapping[str, ReportFormat] = {suffix: found for found in FORMATS.values() for suffix in found.suffixes}

# no report is written under a name that the program or a user takes for a database or a configuration
_SUFFIXES_OF_OTHERS = (".duckdb", ".wal", ".lock", ".yaml", ".yml", ".parquet")


def format_of(output: Path | None, wanted: ReportFormat | None) -> ReportFormat:
    """Return the format of a report: that of the file's ending, or the wanted one where no ending says a format.

    Errors: OutputError for an ending that contradicts the wanted format, and for one of another kind of file.
    """
    if output is None:
        return wanted or PRINTED
    suffix = output.suffix.lower()
    found = SUFFIXES.get(suffix)
    if suffix in _SUFFIXES_OF_OTHERS or (found is None and wanted is None):
        raise OutputError(f"{output}: the ending says the format of a report; it is one of {', '.join(SUFFIXES)}")
    if found is not None and wanted is not None and wanted is not found:
        raise OutputError(
            f"{output} has the ending of the format {found.name}, and {wanted.name} was asked for; leave one out"
        )
    return found or wanted or PRINTED
