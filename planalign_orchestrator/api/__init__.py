"""One function for each verb of the command line, with typed results that the command line and others only render.

Settings: `load_configuration`, `show_config`, `configuration_schema`, `locate`. Runs: `run`, `dry_run`, `validate`.
Databases: `status`, `checkpoints`, `clean_checkpoints`, `report`, `write_report`, `compare_runs`, `backup`,
`list_backups`, `restore`. Censuses: `check_census`, `profile_census`, `generate_census`, `map_census`, `mapping_text`,
`write_mapping`.
Projects: `init_project`.

The modules import the library inside their functions: help and usage errors answer without DuckDB or Pydantic.
"""

from planalign_orchestrator.api.backups import backup, list_backups, restore
from planalign_orchestrator.api.censuses import (
    check_census,
    generate_census,
    map_census,
    mapping_text,
    profile_census,
    write_mapping,
)
from planalign_orchestrator.api.configuration import (
    Places,
    configuration_schema,
    load_configuration,
    locate,
    show_config,
)
from planalign_orchestrator.api.databases import (
    QUICKLY_VERIFIED_ROWS,
    DatabaseAnswer,
    check_report_file,
    checkpoints,
    clean_checkpoints,
    compare_runs,
    report,
    report_schema,
    status,
    write_report,
)
from planalign_orchestrator.api.dry_runs import Foreseen, dry_run
from planalign_orchestrator.api.preflight import Findings, Preflight, validate
from planalign_orchestrator.api.projects import (
    MORE_YEARS,
    ProjectAnswers,
    answers_for_census,
    answers_for_the_sample,
    check_design,
    check_new_project,
    init_project,
    read_number,
    year_after_census,
)
from planalign_orchestrator.api.running import RunResult, run
from planalign_orchestrator.report_templates import ReportDimension, ReportTemplate
from planalign_orchestrator.reports.formats import FORMATS, PRINTED, SUFFIXES, Report, ReportFormat, format_of

__all__ = [
    "FORMATS",
    "MORE_YEARS",
    "PRINTED",
    "QUICKLY_VERIFIED_ROWS",
    "SUFFIXES",
    "DatabaseAnswer",
    "Findings",
    "Foreseen",
    "Places",
    "Preflight",
    "ProjectAnswers",
    "Report",
    "ReportDimension",
    "ReportFormat",
    "ReportTemplate",
    "RunResult",
    "answers_for_census",
    "answers_for_the_sample",
    "backup",
    "check_census",
    "check_design",
    "check_new_project",
    "check_report_file",
    "checkpoints",
    "clean_checkpoints",
    "compare_runs",
    "configuration_schema",
    "dry_run",
    "format_of",
    "generate_census",
    "init_project",
    "list_backups",
    "load_configuration",
    "locate",
    "map_census",
    "mapping_text",
    "profile_census",
    "read_number",
    "report",
    "report_schema",
    "restore",
    "run",
    "show_config",
    "status",
    "validate",
    "write_mapping",
    "write_report",
    "year_after_census",
]
