"""`planalign init`: a folder that holds everything a first run needs, and says how to go on."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from planalign_orchestrator.cli.options import VerboseOption, as_path
from planalign_orchestrator.cli.output import note, show
from planalign_orchestrator.errors import CensusError, PlanAlignError
from planalign_orchestrator.files.names import path_problem

Answer = TypeVar("Answer")

_CONFIG = "config/simulation_config.yaml"
_SAMPLE = "data/sample_census.csv"
# how many years follow the first one unless told otherwise
_MORE_YEARS = 4
_README = """# {name}

A workforce simulation made by PlanAlign Orchestrator. Run the commands in this folder.

    planalign validate              check configuration, census and environment
    planalign run                   simulate; an existing database becomes the backup
    planalign report                the years again, from the database
    planalign report --years {year}   one year in detail
    planalign status                what the database holds

* `config/simulation_config.yaml` documents every setting. `planalign config show` lists those in force.
* The census is {census}.
  For a census of your own: `planalign census map FILE` suggests the mapping of its headings (`census.columns`),
  `planalign census check FILE -c config/simulation_config.yaml` judges it; then set `census.path`.
* A run writes `simulation.duckdb`, `run_vars.json`, `reports/` and `.navigator_checkpoints/`.
"""
_GITIGNORE = """/*.duckdb
/*.duckdb.lock
/*.duckdb.tmp/
/*.duckdb.wal
/.navigator_checkpoints/
/reports/
/run_vars.json
"""


@dataclass(frozen=True)
class Answers:
    """What `--interactive` asks for, as the configuration writes it; without a census the sample is copied."""

    census: Path | None
    start_year: int
    end_year: int
    growth: str = "0.03"
    exits: str = "0.12"


def init(
    path: Annotated[
        Path, typer.Argument(help="Folder of the project; it is made if it does not exist.", parser=as_path)
    ],
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Ask for census, years, growth and exits.")
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Make a project folder: configuration, sample census, README.

    The first simulated year is the one after the census. A file that exists is never overwritten: then nothing is
    written at all.
    """
    _refuse_existing(path, (_CONFIG, _SAMPLE, "README.md", ".gitignore"))
    answers = _interview() if interactive else _answers_for_the_sample()
    files = _files(path, answers)
    _refuse_existing(path, files)
    _write(path, files)
    show(f"Made {path}:\n" + "\n".join(f"  {name}" for name in files))
    show(f"\nGo on with:\n  cd {path}\n  planalign run")


def _files(folder: Path, answers: Answers) -> dict[str, bytes]:
    """The contents of the new files, by their path in the folder."""
    from planalign_orchestrator.project import config_template, sample_census

    config = _fill_in(config_template().read_text(encoding="utf-8"), folder, answers)
    census = "`data/sample_census.csv`: made-up employees" if answers.census is None else f"`{answers.census}`"
    readme = _README.format(name=folder.resolve().name, census=census, year=answers.start_year)
    files = {_CONFIG: config.encode()}
    if answers.census is None:
        files[_SAMPLE] = sample_census().read_bytes()
    return {**files, "README.md": readme.encode(), ".gitignore": _GITIGNORE.encode()}


def _refuse_existing(folder: Path, names: Iterable[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is a file; name a folder", param_hint="PATH")
    existing = [name for name in names if (folder / name).exists()]
    if existing:
        raise typer.BadParameter(
            f"{folder} already holds {', '.join(existing)}; nothing was written", param_hint="PATH"
        )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    from planalign_orchestrator.files.atomic import follow_umask, make_folder

    for name, content in files.items():
        target = folder / name
        try:
            make_folder(target.absolute().parent)
            with target.open("xb") as file:
                file.write(content)
            follow_umask(target)
        except OSError as error:
            raise PlanAlignError(f"cannot write {target}: {error.strerror}") from error


def _fill_in(config: str, folder: Path, answers: Answers) -> str:
    """The documented configuration with the answers in place of its values."""
    values = {
        ("simulation", "start_year"): str(answers.start_year),
        ("simulation", "end_year"): str(answers.end_year),
        ("simulation", "target_growth_rate"): answers.growth,
        ("workforce", "total_termination_rate"): answers.exits,
    }
    if answers.census is not None:
        values["census", "path"] = json.dumps(_from_config_folder(answers.census, folder), ensure_ascii=False)
    for (section, key), value in values.items():
        place = re.search(rf"(?ms)^{section}:\n(?:(?!^\S).)*?^  {key}: ([^\n]*)", config)
        if place is None:
            raise PlanAlignError(f"the template has no {section}.{key}; the installation is damaged")
        config = config[: place.start(1)] + value + config[place.end(1) :]
    return config


def _from_config_folder(census: Path, folder: Path) -> str:
    """The path as the configuration writes it: relative to its folder if the census lies in the project."""
    project = folder.resolve()
    if census.is_relative_to(project):
        return f"../{census.relative_to(project).as_posix()}"
    return str(census)


def _answers_for_the_sample() -> Answers:
    """The answers that nobody was asked for: the years after the sample census."""
    from planalign_orchestrator.census import CensusSource, latest_date
    from planalign_orchestrator.project import sample_census

    last = latest_date(CensusSource(sample_census()))
    if last is None:
        raise PlanAlignError("the sample census holds no date; the installation is damaged")
    return Answers(None, last.year + 1, last.year + 1 + _MORE_YEARS)


def _interview() -> Answers:
    """Ask on standard error, read from standard input; an empty answer takes the default."""
    census = _ask("Census file (a path, or `sample` for made-up employees)", "sample", _existing_census)
    first = _year_after(census)
    start = _ask("First year to simulate", None if first is None else str(first), _rule("simulation", "start_year"))
    end = _ask("Last year to simulate", str(int(start) + _MORE_YEARS), _last_year(int(start)))
    growth = _ask("Growth of the headcount a year, as a decimal", "0.03", _rule("simulation", "target_growth_rate"))
    exits = _ask("Share of the headcount that leaves in a year", "0.12", _rule("workforce", "total_termination_rate"))
    return Answers(census, int(start), int(end), growth, exits)


def _year_after(census: Path | None) -> int | None:
    """The year after the census, None being the sample: after the last day on which anybody was hired or left.

    None, after saying why, when the file does not tell.
    """
    from planalign_orchestrator.census import CensusSource, latest_date

    if census is None:
        return _answers_for_the_sample().start_year
    try:
        last = latest_date(CensusSource(census))
    except CensusError as error:
        note(f"  {error}\n  So its date is not known; `planalign census map` suggests the mapping of its headings.")
        return None
    if last is None:
        note("  No date of a hire or an exit can be read in it, so its own date is not known.")
        return None
    return last.year + 1


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


def _rule(section: str, key: str) -> Callable[[str], str]:
    """A reader of a number by the rule of its configuration key; it returns what the configuration writes."""

    def read(text: str) -> str:
        from planalign_orchestrator.config.keys import known_keys
        from planalign_orchestrator.config.values import Number, plain_number

        rule = known_keys()[section, key].rule
        if not isinstance(rule, Number):
            raise TypeError(f"{section}.{key} is not a number")
        return plain_number(rule.parse(text))

    return read


def _last_year(first: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        year = _rule("simulation", "end_year")(text)
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
