"""`planalign init`: a folder that holds everything a first run needs, and says how to go on."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from planalign_orchestrator import api
from planalign_orchestrator.cli.options import VerboseOption, as_path
from planalign_orchestrator.cli.output import note, show
from planalign_orchestrator.errors import CensusError, PlanAlignError
from planalign_orchestrator.files.names import path_problem

if TYPE_CHECKING:
    from planalign_orchestrator.api import ProjectAnswers

Answer = TypeVar("Answer")


def init(
    path: Annotated[
        Path, typer.Argument(help="Folder of the project; it is made if it does not exist.", parser=as_path)
    ],
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Ask for census, years, growth and exits.")
    ] = False,
    census: Annotated[
        Path | None,
        typer.Option(
            "--census",
            help="A client's census; its headings are mapped, and its years follow.",
            show_default=False,
            parser=as_path,
            metavar="<path>",
        ),
    ] = None,
    design: Annotated[
        str, typer.Option("--design", help="Shipped design to begin with; a name that there is not lists them.")
    ] = "default",
    verbose: VerboseOption = False,
) -> None:
    """Make a project folder: configuration, sample census, README.

    The first simulated year is the one after the census. A file that exists is never overwritten: then nothing is
    written at all.
    """
    if interactive and census is not None:
        raise typer.BadParameter("--interactive asks for the census; leave one of the two out", param_hint="--census")
    api.check_new_project(path)
    name = api.check_design(design)
    warnings: tuple[str, ...] = ()
    if census is not None:
        answers, warnings = api.answers_for_census(census.resolve())
    else:
        answers = _interview() if interactive else api.answers_for_the_sample()
    files = api.init_project(path, replace(answers, design=name))
    for text in warnings:
        note(f"Warning: {text}")
    show(f"Made {path}:\n" + "\n".join(f"  {name}" for name in files))
    show(f"\nGo on with:\n  cd {path}\n  planalign run")


def _interview() -> "ProjectAnswers":
    """Ask on standard error, read from standard input; an empty answer takes the default."""
    census = _ask("Census file (a path, or `sample` for made-up employees)", "sample", _existing_census)
    first = _year_after(census)
    start = _ask("First year to simulate", None if first is None else str(first), _number("simulation.start_year"))
    end = _ask("Last year to simulate", str(int(start) + api.MORE_YEARS), _last_year(int(start)))
    growth = _ask("Growth of the headcount a year, as a decimal", "0.03", _number("simulation.target_growth_rate"))
    exits = _ask("Share of the headcount that leaves in a year", "0.12", _number("workforce.total_termination_rate"))
    return api.ProjectAnswers(census, int(start), int(end), growth, exits)


def _year_after(census: Path | None) -> int | None:
    """The year after the census, None being the sample; None, after saying why, when the file does not tell."""
    if census is None:
        return api.answers_for_the_sample().start_year
    try:
        year = api.year_after_census(census)
    except CensusError as error:
        note(f"  {error}\n  So its date is not known; `planalign census map` suggests the mapping of its headings.")
        return None
    if year is None:
        note("  No date of a hire or an exit can be read in it, so its own date is not known.")
    return year


def _ask(question: str, default: str | None, read: Callable[[str], Answer]) -> Answer:
    """The answer as `read` returns it; asks again, with the reason, while `read` raises ValueError."""
    while True:
        typer.echo(f"{question} [{default}]: " if default else f"{question}: ", err=True, nl=False)
        try:
            given = input().strip()
        except EOFError:
            raise PlanAlignError(f"there was no answer to `{question}`; nothing was written") from None
        if not sys.stdin.isatty():
            note(given)
        try:
            return read(given or default or "")
        except ValueError as error:
            note(f"  {given or 'an empty answer'} {error}")


def _number(key: str) -> Callable[[str], str]:
    """A reader of a number by the rule of its configuration key; it returns what the configuration writes."""
    return lambda text: api.read_number(key, text)


def _last_year(first: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        year = api.read_number("simulation.end_year", text)
        if int(year) < first:
            raise ValueError(f"is before the first year {first}")
        return year

    return read


def _existing_census(text: str) -> Path | None:
    if text == "sample":
        return None
    problem = path_problem(text)
    if problem is not None:
        raise ValueError(problem)
    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError("is not a file")
    return path.resolve()
