"""`planalign census ...`: judge a census, make a synthetic one, suggest a mapping of a client's headings."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign_orchestrator import api
from planalign_orchestrator.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ForceOption,
    JsonOption,
    VerboseOption,
    as_path,
)
from planalign_orchestrator.cli.output import show, show_json, show_table
from planalign_orchestrator.errors import CensusError

if TYPE_CHECKING:
    from planalign_orchestrator.api.census_profiles import FittedRow
    from planalign_orchestrator.api.types import CensusSummary, Proposal

CensusArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Census file: CSV, Parquet or Excel.", parser=as_path)
]
OptionalCensusArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="Census file: CSV, Parquet or Excel; the one of the configuration without.",
        show_default=False,
        parser=as_path,
    ),
]
ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help=f"Configuration whose census section and years apply; {DEFAULT_CONFIG} if there is one.",
        show_default=False,
        parser=as_path,
        metavar="<path>",
    ),
]
CensusDateOption = Annotated[
    str | None,
    typer.Option(
        "--census-date", metavar="YYYY-MM-DD", help="Date of the census; without it, 31 December before the first year."
    ),
]
_COUNTS = {
    "rows_read": "rows read",
    "quarantined": "rows set aside",
    "earlier_spells": "rows of earlier employments of people hired again (census.duplicates)",
    "left_before_start": "left on or before the census date",
    "inactive_without_date": "inactive without an exit date",
    "simulated": "people simulated",
    "announced_exits": "of them with an announced exit",
    "levels_inferred": "of them with a level inferred from pay",
    "participants": "of them participants of the plan",
    "participants_without_method": "participants counted as voluntary, no enrollment_method",
    "participants_without_date": "participants counted as enrolled before the start, no date",
    "prior_year_pay_derived": "people whose pay of the year before is derived from their rate",
}


def check(
    file: OptionalCensusArgument = None,
    config: ProjectOption = None,
    census_date: CensusDateOption = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judge a census as a run would: what it holds, or all that is wrong.

    The exit code is 2 if it cannot be used.
    """
    day = _read_date(census_date)
    config = _project(file, config)
    try:
        summary = api.check_census(file, config, census_date=day)
    except CensusError as error:
        if as_json:
            show_json({"path": error.source, "problems": error.problems})
        raise
    if as_json:
        show_json(summary.to_dict(with_values=True))
    else:
        _show_summary(summary)


def generate(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="CSV file to write.", parser=as_path, metavar="<path>")
    ],
    size: Annotated[int, typer.Option("--size", help="Number of employees.")] = 5000,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds make equal files.")] = 42,
    census_date: CensusDateOption = None,
    force: ForceOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Make a census of made-up people, with realistic ages, service and pay."""
    day = api.generate_census(
        output, size, seed=seed, census_date=_read_date(census_date), force=force, project=DEFAULT_CONFIG
    )
    show(f"Wrote {size:,} employees as of {day} to {output}.")


def suggest(
    file: CensusArgument,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of an Excel file.", show_default=False)] = None,
    header_row: Annotated[
        int | None,
        typer.Option(
            "--header-row", min=1, help="Row that holds the headings; it is found without.", show_default=False
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Put the suggestions into the configuration; its other lines stay.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Suggest which heading of a file is which standard column, how surely, and the other keys that the file needs.

    The end of the answer can be pasted into the configuration, or is written there with --write; check it first,
    doubtful lines are comments. The exit code is 2 if a required column has no candidate.
    """
    proposal = api.map_census(file, sheet, header_row)
    mapping = api.mapping_text(proposal)
    keys = api.write_mapping(file, proposal, config) if write and not proposal.missing else []
    if as_json:
        show_json(
            {
                "suggestions": [asdict(found) for found in proposal.columns],
                "settings": [asdict(found) for found in proposal.settings],
                "missing": proposal.missing,
                "last_day": None if proposal.last_day is None else str(proposal.last_day),
                "yaml": mapping,
                "written": keys,
            }
        )
    else:
        _show_proposal(proposal, mapping, config, keys)
    if proposal.missing:
        raise typer.Exit(2)


def _show_proposal(proposal: "Proposal", mapping: str, config: Path, keys: list[str]) -> None:
    rows = [
        (
            found.heading,
            found.standard_name or "-",
            f"{found.confidence:.0%}" if found.standard_name else "-",
            found.evidence,
        )
        for found in proposal.columns
    ]
    show_table(("Heading", "Standard column", "Sure", "Why"), rows, left=(0, 1, 3), keys=1)
    if proposal.last_day is not None:
        first = f"the first year to simulate is {proposal.first_year} (simulation.start_year)"
        show(f"\nThe last hire or exit is of {proposal.last_day}; {first}.")
    show("\n" + mapping.rstrip("\n"), wrap=False)
    if proposal.missing:
        show(f"\nNo heading is a candidate for {', '.join(proposal.missing)}: name it under census.columns.")
    if keys:
        show(f"\nWritten to {config}: census.{', census.'.join(keys)}. Check the lines, then: planalign validate")


def profile(
    file: OptionalCensusArgument = None,
    config: ProjectOption = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the assumptions that would be fitted to a census, beside the packaged ones.

    A run fits them by itself. Rows that are given under `parameters` replace them.
    """
    found = api.profile_census(file, _project(file, config))
    if as_json:
        show_json(found.to_dict())
        return
    show(f"{found.path}: fitted to {found.people:,} people. In brackets: the packaged table.\n")
    levels = [
        (row.fitted["level_id"] or "", _beside(row, "range_minimum"), _beside(row, "range_maximum"), row.source)
        for row in found.of("job_levels")
    ]
    show_table(("Level", "Range from", "to", "Fitted to"), levels, left=(0, 3), keys=1)
    pays = [
        (row.fitted["level_id"] or "", _beside(row, "target_pay"), row.fitted["log_sd"] or "", row.source)
        for row in found.of("new_hire_pay")
    ]
    show("")
    show_table(("Level", "Hire pay", "Spread", "Fitted to"), pays, left=(0, 3), keys=1)
    (ages,), (hours,) = found.of("new_hire_ages"), found.of("new_hire_hours")
    show(f"\nMean age at hire {_beside(ages, 'mean_age')}; {ages.source}")
    share = float(hours.fitted["part_time_share"] or 0)
    show(f"Part-time share {share * 100:.1f} %, {hours.fitted['part_time_hours_per_week']} hours; {hours.source}")
    for text in found.warnings:
        show(f"Warning: {text}")


def _project(file: Path | None, config: Path | None) -> Path | None:
    """The configuration that applies; without one, a usage error unless a file is named."""
    if config is not None or DEFAULT_CONFIG.is_file():
        return config or DEFAULT_CONFIG
    if file is None:
        raise typer.BadParameter(f"name a census, or a configuration: there is no {DEFAULT_CONFIG}", param_hint="FILE")
    return None


def _beside(row: "FittedRow", column: str) -> str:
    """A fitted number with the packaged one in brackets."""
    packaged = "-" if row.packaged is None else f"{float(row.packaged[column] or 0):,.0f}"
    return f"{float(row.fitted[column] or 0):,.0f} ({packaged})"


def _read_date(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date such as 2024-12-31", param_hint="--census-date") from None


def _show_summary(summary: "CensusSummary") -> None:
    counts = summary.to_dict()
    show(f"{summary.path}, census date {summary.census_date}")
    width = max(map(len, _COUNTS.values()))
    show("\n".join(f"  {words:<{width}}  {counts[name]:>9,}" for name, words in _COUNTS.items()) + "\n")
    rows = [
        (column.name, column.heading or "-", f"{column.given:,}", f"{column.defaulted:,}", column.default or "")
        for column in summary.optional_columns
    ]
    show_table(("Optional column", "Heading", "Given", "Blank", "Blank means"), rows, left=(0, 1, 4))
    for kind, texts in (("Set aside", summary.problems), ("Warning", summary.warnings), ("Note", summary.notes)):
        for text in texts:
            show(f"{kind}: {text}")
