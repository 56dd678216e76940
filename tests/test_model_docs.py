"""The documentation of the model: every model, column and test is described, and what is printed can be recomputed."""

import csv
import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from planalign_orchestrator import project
from planalign_orchestrator.config import PARAMETER_TABLES, effective_values, load_simulation_config
from planalign_orchestrator.config.presets import MATCH_PRESETS, VESTING_PRESETS
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.model import STAGES, CompiledModel, Model, load_compiled_model
from planalign_orchestrator.model.native_driver import NativeDriver
from planalign_orchestrator.pipeline.inputs import RunInputs
from tests.companies import FITTED, default_table
from tests.laboratory import simulate

if TYPE_CHECKING:
    import duckdb

DBT = project.dbt_project()
METHODOLOGY = (Path(__file__).parents[1] / "METHODOLOGY.md").read_text(encoding="utf-8")
MODEL_FILES = {path.stem: path for path in sorted((DBT / "models").rglob("*.sql"))}
YEAR = 2025

# How the compiled models write the macros `draw_key` and `lasting_draw_key`.
DRAW_KEY = re.compile(
    r"md5\(concat\(\s*getvariable\('random_seed'\)::bigint, '\|(?P<stream>\w+)\|', (?P<person>[\w.]+), "
    r"'\|'(?P<year>, getvariable\('simulation_year'\)::integer)?\s*\)\)"
)
# The macros `draw` and `draw2` of a key that is a column or made on the spot, and the hex digit they begin with.
DRAW = re.compile(
    r"\(\('0x' \|\| substr\((?P<key>[\w.]+|md5\(concat\([^()]*(?:\([^()]*\)[^()]*)*\)\)), "
    r"(?P<digit>\d+), 13\)\)::bigint / \d+::double\)"
)


def properties(folder: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return the entries of a kind in the YAML files under a folder of the dbt project, by name, each with its file."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((DBT / folder).rglob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")).get(kind, []):
            assert entry["name"] not in found, f"{entry['name']} is described twice"
            found[entry["name"]] = {**entry, "file": path}
    return found


MODELS = properties("models", "models")


@pytest.fixture(scope="module")
def compiled() -> CompiledModel:
    return load_compiled_model()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Simulate one year of 40 people; some opt out and are swept in again. The working models are still there."""
    folder = tmp_path_factory.mktemp("model_docs")
    people = [f"E{number:07},{1960 + number}-02-28,2015-03-01,{50000 + 5000 * number}" for number in range(40)]
    header = "employee_id,employee_birth_date,employee_hire_date,employee_gross_compensation"
    (folder / "census.csv").write_text("\n".join([header, *people]) + "\n", encoding="utf-8")
    enrollment = "{scope: all_eligible, reenroll_non_participants: true}"
    settings = f"census: {{path: census.csv}}\nplan: {{automatic_enrollment: {enrollment}}}\n"
    ages = [{**row, "opt_out_rate": "0.2"} for row in default_table("participation_by_age")]
    # the examples are worked out with the packaged tables
    packaged = dict.fromkeys(("job_levels", "new_hire_pay", "new_hire_ages"), "default")
    settings += f"parameters: {json.dumps({**packaged, 'participation_by_age': ages})}\n"
    settings += "new_hires: {pay_noise_sd: 0.05, part_time_share: 0}\n"
    (folder / "c.yaml").write_text(settings, encoding="utf-8")
    inputs = RunInputs.read(load_simulation_config(folder / "c.yaml"))
    with DatabaseConnectionManager(folder / "s.duckdb", threads=1) as db:
        with db.transaction() as connection:
            inputs.write(connection)
            engine = NativeDriver(inputs.models, connection)
            engine.create_marts()
        engine.begin_year(YEAR)
        for stage in STAGES:
            engine.run_stage(stage, YEAR)
        engine.write_marts(YEAR)
        yield connection


def table(first_heading: str) -> list[list[str]]:
    """Return the rows of the METHODOLOGY table whose first column has this heading, cells without code marks."""
    block = re.search(rf"^\| {first_heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", METHODOLOGY, re.MULTILINE)
    assert block is not None, f"no table begins with {first_heading}"
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in block[1].splitlines()]


def function(name: str) -> Callable[..., Any]:
    """Return a function that METHODOLOGY prints, run as it is printed."""
    blocks = re.findall(r"```python\n(.*?)```", METHODOLOGY, re.DOTALL)
    (code,) = [block for block in blocks if f"def {name}(" in block]
    names: dict[str, Any] = {}
    exec(code, names)
    printed: Callable[..., Any] = names[name]
    return printed


def test_every_model_is_described_in_the_file_of_its_folder() -> None:
    assert MODELS.keys() == MODEL_FILES.keys()
    astray = [name for name, entry in MODELS.items() if entry["file"].parent != MODEL_FILES[name].parent]
    assert astray == []


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_model_states_its_grain_and_describes_every_column(name: str) -> None:
    assert re.search(r"\bGrain( is|:) one row for each ", MODELS[name]["description"])
    undescribed = [column["name"] for column in MODELS[name]["columns"] if not column.get("description", "").strip()]
    assert undescribed == []


def test_a_model_of_more_than_120_lines_says_why() -> None:
    texts = {name: path.read_text(encoding="utf-8") for name, path in MODEL_FILES.items()}
    long = {name for name, text in texts.items() if text.count("\n") > 120}
    assert {name for name, text in texts.items() if re.search(r"\A(--.*\n)*-- Long because ", text)} == long


def data_tests_of(entry: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the data tests of a model or column in the YAML: names and settings."""
    written = ({test: {}} if isinstance(test, str) else test for test in entry.get("data_tests", ()))
    return [(kind, settings) for test in written for kind, settings in test.items()]


@pytest.mark.parametrize("name", MODEL_FILES)
def test_the_grain_of_a_model_is_tested(name: str) -> None:
    grain = MODELS[name]["config"]["meta"]["grain"]
    columns = {column["name"]: column for column in MODELS[name]["columns"]}
    keys = [[column] for column, entry in columns.items() if "unique" in dict(data_tests_of(entry))]
    for kind, settings in data_tests_of(MODELS[name]):
        if kind == "single_row":
            keys.append([])
        elif kind.startswith("unique"):
            # such a test looks at one simulated year
            year = ["simulation_year"] if kind == "unique_in_year" else []
            keys.append([*year, *settings["arguments"]["columns"]])
    assert grain in keys
    assert set(grain) <= columns.keys()


@pytest.mark.parametrize("name", MODEL_FILES)
def test_the_described_columns_are_those_the_model_returns(simulated: "duckdb.DuckDBPyConnection", name: str) -> None:
    returned = [row[0] for row in simulated.execute(f"describe working.main.{name}").fetchall()]
    assert [column["name"] for column in MODELS[name]["columns"]] == returned


@pytest.mark.parametrize("mart", load_compiled_model().marts, ids=lambda mart: mart.name)
def test_a_mart_is_filled_with_exactly_its_contract(simulated: "duckdb.DuckDBPyConnection", mart: Model) -> None:
    # an insert would silently cast 10.005 to 10.01 and fill a gap with null
    returned = [(name, kind) for name, kind, *_ in simulated.execute(f"describe {mart.sql}").fetchall()]
    assert returned == [(column.name, column.type) for column in mart.columns]


def test_every_data_test_says_what_it_demands(compiled: CompiledModel) -> None:
    assert [test.name for test in compiled.tests if not test.description.strip()] == []
    singular = {path.stem for path in (DBT / "tests").glob("*.sql")}
    assert properties("tests", "data_tests").keys() == singular
    generic = {f"test_{path.stem}" for path in (DBT / "tests" / "generic").glob("*.sql")}
    assert properties("tests", "macros").keys() == generic


def test_the_methodology_has_a_section_for_every_model_and_no_other() -> None:
    headings = re.findall(r"^### .*`.*$", METHODOLOGY, re.MULTILINE)
    named = [name for heading in headings for name in re.findall(r"`(\w+)`", heading)]
    assert sorted(named) == sorted(MODEL_FILES)


def test_what_the_methodology_names_exists(simulated: "duckdb.DuckDBPyConnection", tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("census: {path: census.csv}\n", encoding="utf-8")
    keys = {value.key for value in effective_values(load_simulation_config(tmp_path / "c.yaml"))}
    sections = {key.rpartition(".")[0] for key in keys if "." in key}
    spans = re.findall(r"`[^`]+`", re.sub(r"```.*?```", "", METHODOLOGY, flags=re.DOTALL))
    quoted = {key for span in spans for key in re.findall(r"[a-z_]+(?:\.[a-z0-9_]+)+", span)}
    assert {key for key in quoted if key.split(".")[0] in sections} - keys - sections == set()
    tables = {name for (name,) in simulated.execute("select table_name from duckdb_tables()").fetchall()}
    prefixes = ("termination_by_", "promotion_by_", "merit_by_", "new_hire_", "retirement_", "participation_by_")
    words = {word for word in re.findall(r"`(\w+)`", METHODOLOGY) if word.startswith(prefixes)}
    assert words - tables - {row[0] for row in table("stream")} - metrics(simulated) == set()
    assert set(PARAMETER_TABLES) - set(re.findall(r"`(\w+)`", METHODOLOGY)) == set()


def metrics(connection: "duckdb.DuckDBPyConnection") -> set[str]:
    """Return the names of the key figures."""
    return {name for (name,) in connection.execute("select metric from fct_annual_metrics").fetchall()}


def test_every_key_figure_is_explained(simulated: "duckdb.DuckDBPyConnection") -> None:
    section = METHODOLOGY.split("### `fct_annual_metrics`")[1].split("\n## ")[0]
    assert {name for name in metrics(simulated) if name not in section} == set()


def test_the_printed_limits_are_those_of_the_run(simulated: "duckdb.DuckDBPyConnection") -> None:
    with (project.default_tables() / "irs_indexing.csv").open(encoding="utf-8", newline="") as file:
        rules = {row["limit_name"]: row for row in csv.DictReader(file)}
    assert [row[0] for row in table("limit")] == list(rules)
    for name, section, *printed in table("limit"):
        rule = rules[name]
        years = "select limit_year, {} from parameters.irs_limits where limit_year in (2026, 2027) order by 1"
        amounts = [f"{amount:,.0f}" for _, amount in simulated.execute(years.format(name)).fetchall()]
        base = f"{int(rule['statutory_base']):,}" if rule["statutory_base"] else ""
        assert section == rule["section"]
        assert printed == [base, rule["base_year"], f"{int(rule['multiple']):,}", *amounts]


def test_the_printed_formulas_are_the_presets() -> None:
    tiers = {
        name: [
            (Decimal(lower or 0) / 100, Decimal(upper) / 100, Decimal(rate) / 100)
            for rate, lower, upper in re.findall(r"(\d+) % (?:from (\d+) )?to (\d+) %", text)
        ]
        for name, text, _ in table("preset")
    }
    assert tiers == {name: [(t.lower, t.upper, t.rate) for t in tiers] for name, tiers in MATCH_PRESETS.items()}
    vested = {name: tuple(Decimal(rate) / 100 for rate in re.findall(r"\d+", text)) for name, text in table("schedule")}
    assert vested == VESTING_PRESETS


@pytest.mark.model
@pytest.mark.parametrize(
    ("column", "setting"),
    [
        pytest.param(1, {"plan.automatic_enrollment.scope": "all_eligible"}, id="automatic"),
        pytest.param(3, {"plan.automatic_enrollment.enabled": False}, id="off"),
    ],
)
def test_the_printed_participation_is_simulated(tmp_path: Path, column: int, setting: dict[str, object]) -> None:
    census = Path(__file__).parents[1] / "data" / "sample_census.csv"
    result = simulate(tmp_path, census, {**FITTED, **setting, "simulation.end_year": 2034})
    for row in table("year"):
        metrics = result.metrics(int(row[0]))
        shares = (metrics["participation_rate"], metrics["average_deferral_rate"])
        assert row[column : column + 2] == [f"{share * 100:.1f} %" for share in shares]


def test_the_streams_are_those_of_the_model(compiled: CompiledModel) -> None:
    drawn = {(key["stream"], model.name) for model in compiled.models for key in DRAW_KEY.finditer(model.sql)}
    assert {(row[0], row[3]) for row in table("stream")} == drawn
    assert {row[1] for row in table("seed")} == {stream for stream, _ in drawn}


def test_a_draw_without_a_year_is_a_lasting_one(compiled: CompiledModel) -> None:
    lasting = {
        key["stream"] for model in compiled.models for key in DRAW_KEY.finditer(model.sql) if key["year"] is None
    }
    assert {row[1] for row in table("seed") if not row[3]} == lasting
    sentence = METHODOLOGY.split("the year's place in their key is empty")[0].split("\n\n")[-1]
    assert set(re.findall(r"`(\w+)`", sentence)) == lasting


def compiled_draws(compiled: CompiledModel, stream: str) -> list[str]:
    """Return `draw` and `draw2` of a stream as the models compute them, SQL expressions over a column `employee_id`."""
    (key,) = {match[0].replace(match["person"], "employee_id") for match in keys_of(compiled, stream)}
    written = [match for model in compiled.models for match in DRAW.finditer(model.sql)]
    draws = []
    for digit in ("1", "14"):
        (draw,) = {match[0].replace(match["key"], key) for match in written if match["digit"] == digit}
        draws.append(draw)
    return draws


def keys_of(compiled: CompiledModel, stream: str) -> list[re.Match[str]]:
    """Return where the compiled models make the key of a stream."""
    return [match for model in compiled.models for match in DRAW_KEY.finditer(model.sql) if match["stream"] == stream]


@pytest.mark.parametrize("row", table("seed"), ids=lambda row: "-".join(row[:4]))
def test_the_printed_draws_are_those_of_python_and_of_the_compiled_sql(
    simulated: "duckdb.DuckDBPyConnection", compiled: CompiledModel, row: list[str]
) -> None:
    seed, stream, employee_id, year = row[:4]
    expected = (float(row[4]), float(row[5]))
    assert function("draws")(int(seed), stream, employee_id, *([int(year)] if year else [])) == expected
    simulated.execute(f"set variable random_seed = {seed}")
    simulated.execute(f"set variable simulation_year = {year or YEAR}")
    query = f"select {', '.join(compiled_draws(compiled, stream))} from (select ? as employee_id)"
    assert simulated.execute(query, [employee_id]).fetchone() == expected


def test_the_printed_hire_is_simulated(simulated: "duckdb.DuckDBPyConnection") -> None:
    facts = "level_id, hire_date, birth_date, compensation"
    hire = f"select {facts} from working.int_hires where employee_id = 'NH_2025_3_000001'"
    expected = (3, dt.date(2025, 6, 12), dt.date(1999, 11, 25), Decimal("138187.81"))
    assert simulated.execute(hire).fetchone() == expected
    radius, angle = function("draws")(42, "hire_pay", "NH_2025_3_000001", 2025)
    deviate = math.sqrt(-2 * math.log(1 - radius)) * math.cos(2 * math.pi * angle)
    example = METHODOLOGY.split("Example: hire `NH_2025_3_000001`")[1].split("\n\n")[0]
    printed = ("2025-06-12", "1999-11-25", f"z = {deviate:.4f}", "138,187.81")
    assert [text for text in printed if text not in example] == []


def test_the_printed_enrollment_and_match_are_simulated(simulated: "duckdb.DuckDBPyConnection") -> None:
    example = METHODOLOGY.split("Example: the same hire is enrolled")[1].split("\n\n")[0]
    ledger = simulated.execute(
        "select event_type, effective_date, amount from fct_yearly_events where employee_id = 'NH_2025_3_000001' "
        "and event_type in ('enrollment', 'contribution', 'employer_match') order by event_sequence"
    ).fetchall()
    year_end = dt.date(2025, 12, 31)
    assert ledger == [
        ("enrollment", dt.date(2025, 7, 27), None),
        ("contribution", year_end, Decimal("3589.10")),
        ("employer_match", year_end, Decimal("2947.38")),
    ]
    printed = ("2025-07-27", "3,589.10", "76,855.14", "2,947.38")
    assert [text for text in printed if text not in example] == []
    paid = "select plan_compensation from fct_workforce_snapshot where employee_id = 'NH_2025_3_000001'"
    assert simulated.execute(paid).fetchone() == (Decimal("76855.14"),)


def test_the_printed_event_id_is_that_of_the_ledger(simulated: "duckdb.DuckDBPyConnection") -> None:
    event_id = function("event_id")
    ordinal = "row_number() over (partition by employee_id, event_type order by event_sequence)"
    ledger = simulated.execute(
        f"select scenario_id, plan_design_id, employee_id, simulation_year, event_type, {ordinal}, event_id::varchar "
        "from fct_yearly_events"
    ).fetchall()
    assert {row[4] for row in ledger} > {"hire", "enrollment", "employer_match", "termination"}
    assert {row[5] for row in ledger} == {1, 2}
    assert [row for row in ledger if event_id(*row[:6]) != row[6]] == []
    printed = re.search(
        r'`event_id\("(\w+)", "(\w+)", "(\w+)", (\d+), "(\w+)", (\d+)\)`\s+is\s+`([\w-]+)`', METHODOLOGY
    )
    assert printed is not None
    scenario, design, employee, year, kind, number, expected = printed.groups()
    assert event_id(scenario, design, employee, int(year), kind, int(number)) == expected
