"""What `planalign run --dry-run` prints."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign_orchestrator.api import Foreseen


def foreseen_lines(run: "Foreseen", *, with_commands: bool) -> list[str]:
    """What a user wants to know, and on demand the dbt commands, each on one line."""
    first, *others = run.writes
    lines = [
        "A dry run: nothing is simulated or written.",
        "",
        f"Configuration  {run.configuration}",
        f"               scenario {run.scenario_id}, plan design {run.plan_design_id}, seed {run.random_seed}",
        f"Reads          {run.census}: {_census_words(run)}",
        f"Simulates      {_years_words(run)}, engine {run.engine}",
        *_below("Changes", run.changes),
        f"Database       {run.database} {run.database_fate}",
        f"Writes         {first}",
        *(f"               {path}" for path in others),
        f"Takes          {_time_words(run)}",
        *_findings(run),
    ]
    if with_commands:
        return [*lines, "", "The same by hand with dbt, stage by stage:", *run.commands]
    return [*lines, "", "With -v it also lists the dbt command of every stage."]


def _below(heading: str, texts: "Sequence[str]") -> list[str]:
    """Texts below each other, the first beside the heading."""
    return [f"{heading if at == 0 else '':<15}{text}" for at, text in enumerate(texts)]


def _findings(run: "Foreseen") -> list[str]:
    """What would stop the run, what it would leave out, and what does not fit, below a blank line."""
    kinds = (("Problem", run.problems), ("Set aside", run.set_aside), ("Warning", run.warnings))
    found = [f"{kind}: {text}" for kind, texts in kinds for text in texts]
    return ["", *found] if found else []


def _census_words(run: "Foreseen") -> str:
    if run.people is None:
        return "the run would stop there; see the problems below"
    return f"{run.people:,} people, {(run.census_bytes or 0) / 1e6:,.1f} MB"


def _years_words(run: "Foreseen") -> str:
    if not run.years:
        return "no year: all are finished"
    span = f"{run.years[0]}-{run.years[-1]}" if len(run.years) > 1 else f"{run.years[0]}"
    return f"{span}, {len(run.years)} year{'s' if len(run.years) > 1 else ''}"


def _time_words(run: "Foreseen") -> str:
    if run.seconds is None:
        return "unknown: the run would not begin"
    return f"about {_duration(run.seconds)}; an estimate, from {run.seconds_from}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(2, round(seconds))} seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"
