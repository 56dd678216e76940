"""Starts simulations in child processes and reads what they leave behind.

Run as a program it is such a child. It kills itself without warning at a chosen moment: when a stage begins or ends
(`--kill 2026:reporting:begin`) or just before an operation on files (`--kill-before os.rename:year_2026`). It can also
be interrupted as by Ctrl-C (`--interrupt 2026:foundation:end`) or be denied files that are larger than some bytes
(`--limit 2026:reporting:begin=1000`).
"""

import argparse
import ctypes
import datetime as dt
import hashlib
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from planalign_orchestrator.census import write_census
from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.errors import PlanAlignError
from planalign_orchestrator.factory import build_orchestrator
from planalign_orchestrator.pipeline import ProgressEvent, RunArtifacts
from tests import fork_server

YEARS = [2025, 2026, 2027]
PEOPLE = 300
# so many that a year's commit is moved into the file at once, instead of being kept in the log
MANY_PEOPLE = 3000
STARTED = "started"
PROGRAM = (sys.executable, "-m", "planalign_orchestrator")
TIMEOUT = 120

# of prctl(2) and capabilities(7): PR_CAPBSET_DROP; CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
_DROP_FROM_BOUNDING_SET = 24
_OVERRIDE_PERMISSIONS = (1, 2)

Contents = dict[str, tuple[int, str]]


def give_up_privileges(*further: int) -> None:
    """Make permissions count for the superuser too; for everybody else they do anyway. `further` are capabilities."""
    if os.geteuid() == 0:
        for capability in (*_OVERRIDE_PERMISSIONS, *further):
            ctypes.CDLL(None).prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


@dataclass(frozen=True)
class Project:
    """A folder with a configuration and a census, and the runs that can be started in it."""

    folder: Path
    database: Path

    @classmethod
    def create(
        cls, folder: Path, database: str = "simulation.duckdb", people: int = PEOPLE, **sections: Any
    ) -> "Project":
        """Make the folder's census and configuration; `sections` replace those of the configuration."""
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "census.csv").exists():
            write_census(folder / "census.csv", people, seed=7, census_date=dt.date(2024, 12, 31))
        project = cls(folder, folder / database)
        project.configure(**sections)
        return project

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "config.yaml"

    def configure(self, **sections: Any) -> None:
        """Write the configuration anew; `sections` replace those of the basis, and `simulation` is added to."""
        basis = {"census": {"path": "census.csv"}, "runtime": {"database": str(self.database), "threads": 1}}
        simulation = {"end_year": YEARS[-1]} | sections.pop("simulation", {})
        sections = basis | {"simulation": simulation} | sections
        self.config.write_text(yaml.safe_dump(sections, allow_unicode=True), encoding="utf-8")

    def simulate(self, overrides: Mapping[str, object] | None = None, *, resume: bool = False) -> RunArtifacts:
        """Simulate within this process, which saves its start."""
        orchestrator = build_orchestrator(load_simulation_config(self.config, overrides=overrides))
        orchestrator.execute_multi_year_simulation(resume_from_checkpoint=resume)
        return orchestrator.artifacts

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start `planalign run`; `options` are those of Popen."""
        return self.start_command("run", *arguments, **options)

    def start_command(self, command: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a command of the program."""
        return self.start_program(
            [sys.executable, "-m", "planalign_orchestrator", command, "-c", str(self.config), *arguments], **options
        )

    def run(self, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run `planalign run` to its end."""
        return self.do("run", *arguments, **options)

    def do(self, command: str, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run a command of the program to its end: in a new Python where options ask for it, else in a fork."""
        if options:
            return finished(self.start_command(command, *arguments, **options))
        call = (command, "-c", str(self.config), *arguments)
        return fork_server.run(fork_server.Command(call, self.folder, _environment()))

    def start_child(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start this module as a program."""
        return self.start_program([sys.executable, __file__, str(self.config), *arguments], **options)

    def run_child(self, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run this module as a program to its end."""
        return finished(self.start_child(*arguments, **options))

    def start_program(self, command: list[str], **options: Any) -> "subprocess.Popen[str]":
        """Start any program in the folder, with the environment of the tests but its settings of the program."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=_environment() | options.pop("environment", {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PLANALIGN__")}


def finished(process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    """Wait for a process that was started."""
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def contents(database: Path) -> Contents:
    """Rows and digest of every table, year by year where it has years, without what differs between equal runs.

    The digest is taken here, not by the program under test; of the checkpoints it is the digests they record.
    """
    import duckdb

    found: Contents = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name, list_contains((select list(c.column_name) from duckdb_columns() as c "
            "where c.table_oid = t.table_oid), 'simulation_year') from duckdb_tables() as t "
            "where database_name = current_database() and table_name <> 'run_metadata'"
        ).fetchall()
        for schema, table, by_year in tables:
            year = "simulation_year" if by_year else "null"
            values = "t.digests" if table == "checkpoints" else "t"
            rows = connection.execute(
                f'select {year}, count(*), sum(hash({values}))::varchar from "{schema}"."{table}" as t group by 1'
            ).fetchall()
            found |= {f"{schema}.{table} {key or ''}".strip(): (count, digest) for key, count, digest in rows}
    return found


def finished_years(database: Path) -> list[int]:
    """The year of every checkpoint in a database, in order; a year with two checkpoints is there twice."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("select simulation_year from checkpoints order by 1").fetchall()
    return [year for (year,) in rows]


def of_years(found: Mapping[str, Any], years: list[int]) -> Contents:
    """The part of `contents` that belongs to these years."""
    return {name: value for name, value in found.items() if name[-4:] in map(str, years)}


def edit(database: Path, *statements: str) -> None:
    """Change a database as a stranger would, with the library of DuckDB alone."""
    import duckdb

    with duckdb.connect(str(database)) as connection:
        for statement in statements:
            connection.execute(statement)


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder by its relative path, with a digest; the locks, which stay, are left out."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def limit_files(size: int) -> None:
    """Let this process write no file beyond this many bytes: to it, the disk is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _follow(kill: str | None, interrupt: str | None, limit: str | None) -> Callable[[ProgressEvent], None]:
    """Return a listener that says when the first stage begins, and does what is wanted at `YEAR:STAGE:begin|end`."""
    said: list[str] = []
    moment, _, size = (limit or "").partition("=")

    def listen(event: ProgressEvent) -> None:
        if not said:
            said.append(STARTED)
            sys.stdout.write(f"{STARTED}\n")
            sys.stdout.flush()
        now = f"{event.year}:{event.stage}:{'end' if event.finished else 'begin'}"
        if now == kill:
            _kill_self()
        if now == interrupt:
            signal.raise_signal(signal.SIGINT)
        if now == moment:
            limit_files(int(size))

    return listen


def _kill_before(operation: str) -> None:
    """Kill this process when Python is about to do `AUDIT EVENT:PATTERN`, such as `os.rename:_backup`."""
    wanted, _, pattern = operation.partition(":")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == wanted and re.search(pattern, str(arguments)):
            _kill_self()

    sys.addaudithook(hook)


def main() -> None:
    """Simulate, unless killed before the end."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("config")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--kill", metavar="YEAR:STAGE:begin|end")
    parser.add_argument("--kill-before", metavar="EVENT:PATTERN")
    parser.add_argument("--interrupt", metavar="YEAR:STAGE:begin|end")
    parser.add_argument("--limit", metavar="YEAR:STAGE:begin|end=BYTES")
    options = parser.parse_args()
    listener = _follow(options.kill, options.interrupt, options.limit)
    orchestrator = build_orchestrator(load_simulation_config(options.config), on_progress=listener)
    if options.kill_before is not None:
        _kill_before(options.kill_before)
    try:
        orchestrator.execute_multi_year_simulation(resume_from_checkpoint=options.resume)
    except PlanAlignError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
