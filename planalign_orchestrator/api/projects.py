"""A new project folder: a configuration, the sample census, and how to go on."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planalign_orchestrator.api.censuses import write_mapping
from planalign_orchestrator.errors import CensusError, OutputError, PlanAlignError

if TYPE_CHECKING:
    from planalign_orchestrator.census import Proposal

_CONFIG = "config/simulation_config.yaml"
_SAMPLE = "data/sample_census.csv"
# how many years follow the first one unless told otherwise
MORE_YEARS = 4
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
* A run writes `{database}`, `run_vars.json`, `reports/` and `.navigator_checkpoints/`.
"""
# keys that the shorter designs leave out because they have their defaults
_LEFT_OUT = {("workforce", "total_termination_rate"): "\nworkforce:\n  total_termination_rate: {}\n"}
_GITIGNORE = """/*.duckdb
/config/planalign_id.key
/*.duckdb.lock
/*.duckdb.tmp/
/*.duckdb.wal
/.navigator_checkpoints/
/reports/
/run_vars.json
"""


@dataclass(frozen=True)
class ProjectAnswers:
    """What a new configuration says, as it writes it; without a census the sample is copied.

    `design` is the shipped configuration that it is made from, `mapping` what its section `census` says of the file.
    """

    census: Path | None
    start_year: int
    end_year: int
    growth: str = "0.03"
    exits: str = "0.12"
    design: str = "default"
    mapping: "Proposal | None" = None


def init_project(folder: Path, answers: ProjectAnswers) -> list[str]:
    """Make a project folder and return the names of its files; when one of them exists, nothing is written.

    Errors: OutputError naming what exists, PlanAlignError when a file cannot be written.
    """
    files = _files(folder, answers)
    check_new_project(folder, files)
    _write(folder, files)
    if answers.census is not None and answers.mapping is not None:
        write_mapping(answers.census, answers.mapping, folder / _CONFIG)
    return list(files)


def check_new_project(folder: Path, names: Iterable[str] = (_CONFIG, _SAMPLE, "README.md", ".gitignore")) -> None:
    """Refuse a folder that holds one of the files already. Errors: OutputError."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder")
    existing = [name for name in names if (folder / name).exists()]
    if existing:
        raise OutputError(f"{folder} already holds {', '.join(existing)}; nothing was written")


def answers_for_the_sample() -> ProjectAnswers:
    """Return the answers that nobody was asked for: the years after the sample census."""
    from planalign_orchestrator.project import sample_census

    first = year_after_census(sample_census())
    if first is None:
        raise PlanAlignError("the sample census holds no date; the installation is damaged")
    return ProjectAnswers(None, first, first + MORE_YEARS)


def check_design(name: str) -> str:
    """Return the name of a shipped design. Errors: PlanAlignError listing them."""
    from planalign_orchestrator.problems import did_you_mean
    from planalign_orchestrator.project import designs

    if name not in designs():
        hint = did_you_mean(name, list(designs()), f"the designs are {', '.join(designs())}")
        raise PlanAlignError(f"there is no design {name!r}; {hint}")
    return name


def answers_for_census(census: Path) -> tuple[ProjectAnswers, tuple[str, ...]]:
    """Return the answers that a client's census gives, and the warnings of a run on it.

    Headings are mapped as `planalign census map` suggests; the first year is the one after the last day in the file.
    Errors: CensusError with all that stands in the way of a run.
    """
    import yaml

    from planalign_orchestrator.census import propose
    from planalign_orchestrator.census.mapping import yaml_blocks
    from planalign_orchestrator.config import config_from_mapping
    from planalign_orchestrator.parameters import load_parameters
    from planalign_orchestrator.pipeline.inputs import judge_census

    proposal = propose(census)
    first = proposal.first_year
    if first is None:
        text = "no date of a hire or an exit can be read in it, so that its own date is not known; use --interactive"
        raise CensusError([text], source=str(census))
    answers = ProjectAnswers(census, first, first + MORE_YEARS, mapping=proposal)
    section = yaml.safe_load("".join(["census:\n", *(block for _, block in yaml_blocks(proposal))]))["census"]
    years = {"start_year": answers.start_year, "end_year": answers.end_year}
    settings = config_from_mapping({"census": {**section, "path": str(census)}, "simulation": years})
    summary = judge_census(load_parameters(settings)).summary
    return answers, summary.warnings


def year_after_census(census: Path) -> int | None:
    """Return the year after the last day on which anybody was hired or left; None when the file holds no such day.

    Errors: CensusError for a file that cannot be read.
    """
    from planalign_orchestrator.census import CensusSource, latest_date

    last = latest_date(CensusSource(census))
    return None if last is None else last.year + 1


def read_number(key: str, text: str) -> str:
    """Return a number as the configuration writes it, judged by the rule of its key. Errors: ValueError saying why."""
    from planalign_orchestrator.config.keys import known_keys
    from planalign_orchestrator.config.types import Number, plain_number

    rule = known_keys()[tuple(key.split("."))].rule
    if not isinstance(rule, Number):
        raise TypeError(f"{key} is not a number")
    return plain_number(rule.parse(text))


def _files(folder: Path, answers: ProjectAnswers) -> dict[str, bytes]:
    """The contents of the new files, by their path in the folder."""
    from planalign_orchestrator.project import acquired_census, designs, examples, sample_census

    design = designs()[answers.design]
    template = design.read_text(encoding="utf-8")
    if design in examples():
        template = _moved(template, answers.start_year)
    config = _fill_in(template, folder, answers)
    census = "`data/sample_census.csv`: made-up employees" if answers.census is None else f"`{answers.census}`"
    readme = _README.format(
        name=folder.resolve().name, census=census, year=answers.start_year, database=_database(answers)
    )
    files = {_CONFIG: config.encode()}
    if answers.census is None:
        files[_SAMPLE] = sample_census().read_bytes()
    if (name := f"data/{acquired_census().name}") in template:
        files[name] = acquired_census().read_bytes()
    return {**files, "README.md": readme.encode(), ".gitignore": _GITIGNORE.encode()}


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


def _fill_in(config: str, folder: Path, answers: ProjectAnswers) -> str:
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
        if answers.design != "default" and (section, key) in _LEFT_OUT:
            config += _LEFT_OUT[section, key].format(value) if value != ProjectAnswers.exits else ""
            continue
        place = re.search(rf"(?ms)^{section}:\n(?:(?!^\S).)*?^  {key}: ([^\n]*)", config)
        if place is None:
            raise PlanAlignError(f"the template has no {section}.{key}; the installation is damaged")
        config = config[: place.start(1)] + value + config[place.end(1) :]
    return config


def _moved(example: str, start_year: int) -> str:
    """An example one folder up, with its changes and events as many years after the first one as they were."""
    written = re.search(r"(?m)^  start_year: (\d{4})$", example)
    if written is None:
        raise PlanAlignError("the example has no simulation.start_year; the installation is damaged")
    later = start_year - int(written[1])
    return re.sub(r"\b20\d\d\b", lambda year: str(int(year[0]) + later), example.replace("../../", "../"))


def _database(answers: ProjectAnswers) -> str:
    """The database that the configuration of a design names."""
    return "simulation.duckdb" if answers.design == "default" else f"{answers.design}.duckdb"


def _from_config_folder(census: Path, folder: Path) -> str:
    """The path as the configuration writes it: relative to its folder if the census lies in the project."""
    project = folder.resolve()
    if census.is_relative_to(project):
        return f"../{census.relative_to(project).as_posix()}"
    return str(census)
