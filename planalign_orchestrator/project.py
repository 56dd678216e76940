"""Where the project's own files are: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def project_root() -> Path:
    """Return the folder that holds `dbt/`, `config/` and `data/`."""
    checkout = _PACKAGE.parent
    return checkout if (checkout / "dbt" / "dbt_project.yml").is_file() else _PACKAGE / "project"


def dbt_project() -> Path:
    """Return the folder of the dbt project: the model."""
    return project_root() / "dbt"


def config_template() -> Path:
    """Return the documented default configuration."""
    return project_root() / "config" / "simulation_config.yaml"


def designs() -> dict[str, Path]:
    """Return the shipped configurations by the name of their design: the documented default one, others, examples."""
    default = config_template()
    others = sorted(path for path in default.parent.glob("*.yaml") if path != default)
    return {"default": default, **{path.stem: path for path in (*others, *examples())}}


def examples() -> list[Path]:
    """Return the shipped configurations that answer a question about a plan or a workforce that changes."""
    return sorted((config_template().parent / "examples").glob("*.yaml"))


def acquired_census() -> Path:
    """Return the census of the company that the example of an acquisition buys."""
    return project_root() / "data" / "acquired_company.csv"


def sample_census() -> Path:
    """Return the synthetic sample census."""
    return project_root() / "data" / "sample_census.csv"


def committed_model() -> Path:
    """Return the compiled model that is part of the package; `make model` writes it."""
    return _PACKAGE / "compiled_model.json"


def default_tables() -> Path:
    """Return the folder of the packaged parameter tables."""
    return _PACKAGE / "defaults"
