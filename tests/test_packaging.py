"""What is shipped, and that it works where there is no checkout: the wheel, installed into an empty environment."""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parent.parent
INSIDE = "planalign_orchestrator/project"
CONFIGURATIONS = [
    *(
        f"config/examples/{name}.yaml"
        for name in (*("acquisition", "layoff", "match_suspended", "merit_freeze", "safe_harbor_adopted"),)
    ),
    *(f"config/{name}.yaml" for name in ("integrated_core", "service_graded", "simulation_config", "stretch_match")),
]
DATA = ("data/acquired_company.csv", "data/sample_census.csv")
SUFFIXES = (".py", ".md", ".csv", ".json")


@dataclass(frozen=True)
class Archives:
    """The source archive, and the wheel that was built from it alone."""

    sdist: Path
    wheel: Path


def run(*command: str | Path, folder: Path) -> str:
    """Run a command away from the checkout's settings and return its standard output; fail with its errors."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def source_files(folder: str, *suffixes: str) -> set[str]:
    """Return the checkout's files under a folder, without what Python and dbt leave there."""
    left_behind = {"__pycache__", "target", "logs", "dbt_packages"}
    paths = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {
        path.as_posix()
        for path in paths
        if path.suffix in suffixes and not left_behind & set(path.parts) and path.name != ".user.yml"
    }


def tracked_files() -> list[str]:
    """Return the files that git tracks or would track, and that exist."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=ROOT)
    return sorted({name for name in listed.split("\0") if name and (ROOT / name).is_file()})


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory, runs_dbt: None) -> Archives:
    """Build the source archive, and the wheel from nothing but that archive."""
    folder = tmp_path_factory.mktemp("archives")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, folder=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (tree,) = (folder / "unpacked").iterdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=tree)
    (wheel,) = folder.glob("*.whl")
    return Archives(sdist, wheel)


@pytest.fixture(scope="module")
def installed(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel and what it says it requires, in the pinned versions, and return the programs' folder."""
    folder = tmp_path_factory.mktemp("installed")
    # Without their hashes: those would have to cover the wheel too.
    pins = folder / "pins.txt"
    pinned = re.findall(r"^[\w.-]+==[^\\\n]*", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    pins.write_text("\n".join(pinned), encoding="utf-8")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    run(programs / "python", "-m", "pip", "install", "--quiet", "-c", pins, archives.wheel, folder=folder)
    return programs


def test_wheel_holds_the_package_and_its_project_and_nothing_else(archives: Archives) -> None:
    package = source_files("planalign_orchestrator", *SUFFIXES) | {"planalign_orchestrator/py.typed"}
    model = {f"{INSIDE}/{name}" for name in source_files("dbt", ".sql", ".yml", ".md")}
    data = {f"{INSIDE}/{name}" for name in (*CONFIGURATIONS, *DATA)}
    with zipfile.ZipFile(archives.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == package | model | data


def test_source_archive_holds_what_the_wheel_is_built_from_and_nothing_else(archives: Archives) -> None:
    expected = source_files("planalign_orchestrator", *SUFFIXES) | source_files("dbt", ".sql", ".yml", ".md")
    expected |= {"planalign_orchestrator/py.typed", *CONFIGURATIONS, *DATA}
    expected |= {
        "pyproject.toml",
        "hatch_build.py",
        "run_multi_year.py",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        ".gitignore",
        "PKG-INFO",
    }
    with tarfile.open(archives.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names == expected


def test_every_model_is_in_the_shipped_compiled_model(archives: Archives) -> None:
    models = {Path(name).stem for name in source_files("dbt/models", ".sql")}
    with zipfile.ZipFile(archives.wheel) as wheel:
        compiled = json.loads(wheel.read("planalign_orchestrator/compiled_model.json"))
    assert {model["name"] for model in compiled["models"]} == models


def test_a_new_project_runs_from_the_wheel_without_checkout_and_dbt(installed: Path, tmp_path: Path) -> None:
    packages = json.loads(run(installed / "python", "-m", "pip", "list", "--format", "json", folder=tmp_path))
    assert not [package["name"] for package in packages if package["name"].startswith("dbt")]

    run(installed / "planalign", "init", "demo", folder=tmp_path)
    demo = tmp_path / "demo"
    run(installed / "planalign", "run", folder=demo)

    summary = demo / "reports" / "multi_year_summary_2025_2029.csv"
    reports = [demo / "reports" / f"year_{year}.json" for year in range(2025, 2030)]
    missing = [path.name for path in (demo / "simulation.duckdb", summary, *reports) if not path.is_file()]
    assert not missing
    for report in reports:
        json.loads(report.read_text(encoding="utf-8"))
    location = run(installed / "python", "-c", "import planalign_orchestrator as p; print(p.__file__)", folder=demo)
    assert not location.startswith(str(ROOT))


def test_no_file_names_a_package_index_or_a_folder_of_one_machine() -> None:
    # Put together here, so that this file does not contain them.
    index = [
        "pypi." + "org/simple",
        "files." + "pythonhosted",
        "index" + "-url",
        "find" + "-links",
        "trusted" + "-host",
    ]
    folders = ["/work" + "/", "/home" + "/", "/root" + "/", "/opt" + "/", "/tmp" + "/exp", ".." + "/shared"]
    forbidden = re.compile("|".join(re.escape(text) for text in index + folders))
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name in tracked_files()
        for number, line in enumerate((ROOT / name).read_bytes().decode(errors="replace").splitlines(), start=1)
        if forbidden.search(line)
    ]
    assert not found


def test_git_ignores_nothing_that_belongs_to_the_source() -> None:
    expected = source_files("planalign_orchestrator", *SUFFIXES) | source_files("dbt", ".sql", ".yml", ".md")
    assert expected <= set(tracked_files())


def locked(name: str) -> dict[str, set[str]]:
    """Return the versions of a lock by package; every line has a version and hashes."""
    lock = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in lock.splitlines() if not line.startswith("#")]
    assert not [line for line in lines if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)]
    versions: dict[str, set[str]] = {}
    for line in lines:
        package, version = line.split()[0].split("==")
        versions.setdefault(package, set()).add(version)
    return versions


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        pytest.param("constraints.txt", ("excel",), id="run"),
        pytest.param("constraints-dev.txt", ("excel", "dbt", "dev"), id="develop"),
    ],
)
def test_every_requirement_is_pinned_within_its_bounds_and_with_hashes(lock: str, extras: tuple[str, ...]) -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    groups = (
        project["dependencies"],
        document["build-system"]["requires"],
        *map(project["optional-dependencies"].get, extras),
    )
    versions = locked(lock)
    unpinned = [
        text
        for group in groups
        for text in group
        if (wanted := Requirement(text)).name != project["name"]
        and not any(wanted.specifier.contains(version) for version in versions.get(wanted.name.lower(), ()))
    ]
    assert not unpinned


def test_what_both_locks_name_has_one_version_and_a_run_needs_no_dbt() -> None:
    run, develop = locked("constraints.txt"), locked("constraints-dev.txt")
    assert {name: versions for name, versions in develop.items() if name in run} == run
    assert not [name for name in run if name.startswith("dbt")]
