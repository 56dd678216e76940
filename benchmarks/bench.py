"""Measures what a user waits for: whole `planalign` processes, from start to exit, checked before they are counted.

Every size is simulated `--repeats` times, each time into a fresh database. A result enters the table only if the
headcounts follow the growth equation in every year and all repeats gave equal digests. A fixed DuckDB workload of its
own, the yardstick, is timed in between, so that results of different machines can be compared as multiples of it.
"""

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

FIRST_YEAR = 2025
SEED = 42
GROWTH = Decimal("0.03")
WARM_UP_SIZE = 100
MIB_PER_RSS_UNIT = 1 / (1024 * 1024 if sys.platform == "darwin" else 1024)
PROGRAM = (sys.executable, "-m", "planalign_orchestrator")

# Seconds and MiB on two cores for five years.
START_LIMITS = {"--help": 0.4, "validate": 1.0}
NO_LIMITS = (None, None)
SIZE_LIMITS = {1_000: (1.5, None), 10_000: (2.5, None), 100_000: (12.0, 1536), 1_000_000: (130.0, 8192)}

YARDSTICK_ROWS = 5_000_000
YARDSTICK_SUM = 10_737_426_169_316_431
YARDSTICK = f"""
create table numbers as
select i as id, (i % 9973)::decimal(18, 2) as amount, i % 1009 as bucket from range({YARDSTICK_ROWS}) as t (i);
create table keyed as
select id, bucket, amount, md5(id::varchar) as key from numbers;
create table buckets as
select bucket, sum(amount) as amount, sum(('0x' || substr(key, 1, 8))::bigint) as checksum from keyed group by bucket;
"""

CONFIGURATION = """\
scenario_id: benchmark
plan_design_id: benchmark
simulation:
  start_year: {first_year}
  end_year: {last_year}
  random_seed: {seed}
  target_growth_rate: {growth}
census:
  path: census.csv
"""


class BenchmarkError(Exception):
    """A run failed or gave wrong results, so that its speed means nothing."""


@dataclass(frozen=True)
class Cost:
    """What one whole process took: wall and CPU (user + system) seconds, and peak resident memory in MiB."""

    wall: float
    cpu: float
    peak_mib: float


@dataclass(frozen=True)
class Facts:
    """What a finished database says of itself: by year the headcounts and the digests of the marts; seconds by step."""

    headcounts: dict[int, dict[str, int]]
    digests: dict[int, str]
    seconds: dict[str, float]


def measure(command: Sequence[str], *, folder: Path) -> Cost:
    """Run a command in `folder` and return its cost; children it waited for are included in CPU.

    Raises BenchmarkError with the end of its standard error if it does not exit with 0.
    """
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=folder, stdin=quiet, stdout=quiet, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-2000:]
            raise BenchmarkError(f"exit code {process.returncode} from {' '.join(command[1:])}\n{tail}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MIB_PER_RSS_UNIT)


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure, taken separately."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.peak_mib for cost in costs),
    )


def run_yardstick() -> None:
    """Do the fixed workload: hash, write and aggregate five million rows in a database file, and check the sum."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect(Path(folder) / "yardstick.duckdb") as connection:
        connection.execute(YARDSTICK)
        total = connection.sql("select sum(checksum)::bigint from buckets").fetchall()[0][0]
    if total != YARDSTICK_SUM:
        raise BenchmarkError(f"the yardstick's checksum is {total}, not {YARDSTICK_SUM}")


def read_facts(database: Path) -> Facts:
    """Read the headcounts and digests of a finished run; called in a child, so that this process stays small.

    A forked child's peak memory starts at its parent's.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as planalign (read_only)")
        metrics = connection.sql(
            "select simulation_year, metric, value::bigint from planalign.main.fct_annual_metrics"
            " where metric in ('opening_headcount', 'closing_headcount')"
        ).fetchall()
        checkpoints = connection.sql(
            "select simulation_year, digests::varchar, timings::varchar from planalign.main.checkpoints order by all"
        ).fetchall()
    headcounts: dict[int, dict[str, int]] = {}
    for year, metric, value in metrics:
        headcounts.setdefault(year, {})[metric] = value
    seconds: Counter[str] = Counter()
    for _, _, text in checkpoints:
        timings = json.loads(text)
        seconds.update({f"stage {stage}": spent for stage, spent in timings["stages"].items()})
        seconds.update({f"model {model}": spent for model, spent in timings["models"].items()})
    return Facts(headcounts, {year: digests for year, digests, _ in checkpoints}, dict(seconds))


def check_facts(facts: Facts, *, size: int, years: range) -> None:
    """Raise BenchmarkError unless every year is there and closes where the growth equation says."""
    if not sorted(facts.headcounts) == sorted(facts.digests) == list(years):
        found = f"metrics of {sorted(facts.headcounts)} and checkpoints of {sorted(facts.digests)}"
        raise BenchmarkError(f"{size} employees: {found} instead of {list(years)}")
    # a generated census also holds people who have already left
    carried = facts.headcounts[years[0]]["opening_headcount"]
    if not 0.9 * size < carried <= size:
        raise BenchmarkError(f"{size} employees: {carried} of them opened the first year")
    for year in years:
        opening, closing = (facts.headcounts[year][f"{end}_headcount"] for end in ("opening", "closing"))
        # ROUND_HALF_UP of the decimal module is half away from zero.
        target = int((opening * (1 + GROWTH)).quantize(Decimal(1), ROUND_HALF_UP))
        if opening != carried or closing != target:
            raise BenchmarkError(
                f"{size} employees, {year}: opened with {opening} and closed with {closing}, not {carried} and {target}"
            )
        carried = closing


def in_child(database: Path) -> Facts:
    """Return `read_facts(database)`, computed in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(read_facts, database).result()


def prepare(folder: Path, *, size: int, years: range) -> Path:
    """Write a census of `size` people and a configuration that names it; return the configuration's path."""
    folder.mkdir()
    options = ("--size", str(size), "--seed", str(SEED), "-o", str(folder / "census.csv"))
    measure((*PROGRAM, "census", "generate", *options), folder=folder)
    configuration = folder / "simulation.yaml"
    configuration.write_text(
        CONFIGURATION.format(first_year=years[0], last_year=years[-1], seed=SEED, growth=GROWTH), encoding="utf-8"
    )
    return configuration


def simulate(configuration: Path, *, size: int, years: range) -> tuple[Cost, Facts]:
    """Simulate once into a fresh database, check it, remove it, and return what it cost and gave."""
    with tempfile.TemporaryDirectory(dir=configuration.parent) as scratch:
        folder = Path(scratch)
        database = folder / "run.duckdb"
        cost = measure((*PROGRAM, "run", "-c", str(configuration), "--database", str(database), "-q"), folder=folder)
        facts = in_child(database)
        check_facts(facts, size=size, years=years)
    return cost, facts


def bench_size(scratch: Path, *, size: int, years: range, repeats: int) -> list[Cost]:
    """Return the costs of `repeats` checked runs of one size; every run must give the digests of the first."""
    configuration = prepare(scratch / f"size_{size}", size=size, years=years)
    runs = [simulate(configuration, size=size, years=years) for _ in range(repeats)]
    if any(facts.digests != runs[0][1].digests for _, facts in runs):
        raise BenchmarkError(f"{size} employees: two runs with the same seed gave different digests")
    return [cost for cost, _ in runs]


def bench_start(scratch: Path, *, size: int, years: range, repeats: int) -> dict[str, list[Cost]]:
    """Return the costs of the commands that do not simulate."""
    configuration = prepare(scratch / "start", size=size, years=years)
    commands = {"--help": ("--help",), "validate": ("validate", "-c", str(configuration))}
    return {
        name: [measure((*PROGRAM, *arguments), folder=scratch) for _ in range(repeats)]
        for name, arguments in commands.items()
    }


def verdict(cost: Cost, seconds: float | None, mib: float | None) -> str:
    """Return "ok", "over", or "-" where no limit was set."""
    if seconds is None:
        return "-"
    return "ok" if cost.wall <= seconds and (mib is None or cost.peak_mib <= mib) else "over"


def describe(costs: Sequence[Cost], *, yardstick: float, limits: tuple[float | None, float | None]) -> dict[str, Any]:
    """Return one measured command as a JSON-ready record."""
    middle = median(costs)
    seconds, mib = limits
    return {
        "wall_seconds": round(middle.wall, 3),
        "cpu_seconds": round(middle.cpu, 3),
        "peak_mib": round(middle.peak_mib, 1),
        "wall_in_yardsticks": round(middle.wall / yardstick, 3),
        "wall_seconds_of_each_run": [round(cost.wall, 3) for cost in costs],
        "limit_seconds": seconds,
        "limit_mib": mib,
        "verdict": verdict(middle, seconds, mib),
    }


def say(text: str) -> None:
    """Tell the person who waits what is being done."""
    print(text, file=sys.stderr, flush=True)


def warm_up(scratch: Path, *, years: range) -> None:
    """Simulate a few people, so that the plan is compiled and cached before anything is measured."""
    say("warming the plan cache")
    simulate(prepare(scratch / "warm", size=WARM_UP_SIZE, years=years), size=WARM_UP_SIZE, years=years)


def profile(size: int, *, years: range) -> str:
    """Return the seconds that a run of `size` people itself recorded for each stage and model, dearest first."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        warm_up(scratch, years=years)
        say(f"{size:,} employees")
        cost, facts = simulate(prepare(scratch / "profile", size=size, years=years), size=size, years=years)
    steps = sorted(facts.seconds.items(), key=lambda step: (-step[1], step[0]))
    lines = [f"{spent:9.3f}  {spent / cost.wall:6.1%}  {step}" for step, spent in steps]
    return "\n".join([f"{cost.wall:9.3f}  {1:6.1%}  whole process", *lines])


def git_commit() -> str | None:
    """Return the checkout's commit, with "+" if files were changed since, or None outside a checkout."""

    def git(*arguments: str) -> str:
        command = ("git", "-C", str(Path(__file__).resolve().parent), *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def surroundings() -> dict[str, Any]:
    """Return versions and the size of the machine; nothing that names the machine or its folders."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": git_commit(),
        "versions": {
            "planalign-orchestrator": version("planalign-orchestrator"),
            "duckdb": version("duckdb"),
            "python": platform.python_version(),
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "memory_gib": round(memory / 1024**3, 1),
        },
    }


def bench(sizes: Sequence[int], *, years: range, repeats: int) -> dict[str, Any]:
    """Run everything and return the results as a JSON-ready record."""

    def time_yardstick() -> Cost:
        return measure((sys.executable, __file__, "--yardstick"), folder=scratch)

    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        warm_up(scratch, years=years)
        yardsticks = [time_yardstick()]
        say("start-up")
        start = bench_start(scratch, size=min(sizes), years=years, repeats=max(repeats, 5))
        runs = {}
        for size in sizes:
            say(f"{size:,} employees")
            runs[size] = bench_size(scratch, size=size, years=years, repeats=repeats)
            yardsticks.append(time_yardstick())

    yardstick = median(yardsticks).wall
    what = f"hash, write and aggregate {YARDSTICK_ROWS:,} rows in a DuckDB file"
    return {
        **surroundings(),
        "years": len(years),
        "yardstick": {"what": what, **describe(yardsticks, yardstick=yardstick, limits=NO_LIMITS)},
        "start": {
            name: describe(costs, yardstick=yardstick, limits=(START_LIMITS[name], None))
            for name, costs in start.items()
        },
        "sizes": {
            str(size): describe(costs, yardstick=yardstick, limits=SIZE_LIMITS.get(size, NO_LIMITS))
            for size, costs in runs.items()
        },
    }


def render(results: dict[str, Any]) -> str:
    """Return the results as an aligned plain table."""
    rows: list[tuple[str, ...]] = [
        ("", "wall s", "limit", "CPU s", "peak MiB", "limit", "yardsticks", "us/person-year", "")
    ]
    rows += [render_row(f"planalign {name}", record) for name, record in results["start"].items()]
    for size, record in results["sizes"].items():
        person_years = int(size) * results["years"]
        rows.append(render_row(f"{int(size):,} employees", record, person_years=person_years))
    rows.append(render_row("yardstick", results["yardstick"]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ([cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join([first.strip().ljust(widths[0]), *others]).rstrip() for first, *others in lines)


def render_row(name: str, record: dict[str, Any], *, person_years: int | None = None) -> tuple[str, ...]:
    """Return the cells of one measured command."""
    limits = ["-" if limit is None else f"{limit:g}" for limit in (record["limit_seconds"], record["limit_mib"])]
    return (
        name,
        f"{record['wall_seconds']:.2f}",
        limits[0],
        f"{record['cpu_seconds']:.2f}",
        f"{record['peak_mib']:.0f}",
        limits[1],
        f"{record['wall_in_yardsticks']:.2f}",
        "" if person_years is None else f"{record['wall_seconds'] / person_years * 1e6:.1f}",
        record["verdict"],
    )


def size_list(text: str) -> list[int]:
    """Parse "1000,10000" for argparse."""
    sizes = [int(part) for part in text.split(",")]
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError("a size is a positive number of employees")
    return sizes


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=size_list, default=[1_000, 10_000, 100_000], help="employees, comma-separated")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each size, at least 2; the median counts")
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "results.json")
    parser.add_argument("--profile", type=int, metavar="SIZE", help="print what one run's time goes into, and stop")
    parser.add_argument("--enforce", action="store_true", help="exit with 1 if a limit is missed")
    parser.add_argument("--yardstick", action="store_true", help="only do the yardstick's work, unmeasured")
    options = parser.parse_args(arguments)
    if options.repeats < 2:
        parser.error("--repeats must be at least 2: equal digests need two runs")
    if options.years < 1:
        parser.error("--years must be at least 1")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the results, print the table; return 1 if a run was wrong, or over a limit with --enforce."""
    options = parse(arguments)
    # as installed for a user: modules are compiled once, not in every process
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        if options.yardstick:
            run_yardstick()
            return 0
        years = range(FIRST_YEAR, FIRST_YEAR + options.years)
        if options.profile is not None:
            print(profile(options.profile, years=years))
            return 0
        results = bench(options.sizes, years=years, repeats=options.repeats)
    except BenchmarkError as error:
        print(f"benchmark stopped: {error}", file=sys.stderr)
        return 1
    options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(render(results))
    records = (*results["start"].values(), *results["sizes"].values())
    return int(options.enforce and any(record["verdict"] == "over" for record in records))


if __name__ == "__main__":
    raise SystemExit(main())
