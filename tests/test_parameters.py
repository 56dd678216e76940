"""Parameter tables: defaults with a source each, replacements from the configuration, and every mistake named."""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from planalign_orchestrator import project
from planalign_orchestrator.census import write_census
from planalign_orchestrator.config import load_simulation_config
from planalign_orchestrator.database.connection import DatabaseConnectionManager
from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.factory import build_orchestrator
from planalign_orchestrator.parameters import TABLES, ParameterTable, fingerprints, level_ids, load_parameters

Rows = Sequence[Mapping[str, object]]
Load = Callable[..., dict[str, ParameterTable]]

LEVELS = range(1, 6)
PACKAGED = {"job_levels": "default", "new_hire_pay": "default", "new_hire_ages": "default"}
DERIVED = {
    "level_mix",
    "new_hire_level_mix",
    "bonus_targets",
    "annual_rates",
    "automatic_enrollment_terms",
    "reductions",
    "reduction_groups",
    "month_weights",
    "irs_limits",
    "match_formulas",
    "match_tiers",
    "core_formulas",
    "core_tiers",
    "vesting_schedules",
    "excluded_groups",
}


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads the tables of a configuration with these replacements, and with these other sections."""

    def load_tables(parameters: Mapping[str, Rows | str] | None = None, **sections: Any) -> dict[str, ParameterTable]:
        path = tmp_path / "config.yaml"
        content = {"census": {"path": "census.csv"}, "parameters": {**PACKAGED, **(parameters or {})}, **sections}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return {table.name: table for table in load_parameters(load_simulation_config(path)).tables}

    return load_tables


def problems(load: Load, parameters: Mapping[str, Rows | str], **sections: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(parameters, **sections)
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    return caught.value.problems


def tenures(*bounds: tuple[str, object, object]) -> list[dict[str, object]]:
    return [{"tenure_band": label, "tenure_from": start, "tenure_to": end} for label, start, end in bounds]


def by_level(column: str, values: Sequence[object] = (1, 1, 1, 1, 1)) -> list[dict[str, object]]:
    return [{"level_id": level, column: value} for level, value in zip(LEVELS, values, strict=False)]


GOOD_TENURES = (("<2", 0, 2), ("2-4", 2, 5), ("5-9", 5, 10), ("10-19", 10, 20), ("20+", 20, None))


def with_tenure(position: int, *band: object) -> list[dict[str, object]]:
    """The default tenure bands with another one in a place."""
    bands: list[Any] = list(GOOD_TENURES)
    bands[position] = band
    return tenures(*bands)


# --- the defaults -----------------------------------------------------------------------------------------------------


def test_every_default_row_has_a_source(load: Load) -> None:
    tables = load()
    assert tables.keys() >= TABLES.keys()
    for name, table in tables.items():
        assert table.columns[-1] == ("source", "varchar")
        assert all(row[-1] for row in table.rows), name


def test_every_table_has_a_packaged_default_and_every_default_a_table() -> None:
    limits = {"irs_limits", "irs_indexing"}
    assert {path.stem for path in project.default_tables().glob("*.csv")} == TABLES.keys() | limits


@pytest.mark.parametrize("name", TABLES)
def test_a_copy_of_a_default_is_the_same_table(load: Load, tmp_path: Path, name: str) -> None:
    text = (project.default_tables() / f"{name}.csv").read_text(encoding="utf-8")
    (tmp_path / "copy.csv").write_text(text, encoding="utf-8")
    # promotion_by_level is read by this structure only
    sections = {"workforce": {"structure": "rates"}}
    assert fingerprints(load({name: "copy.csv"}, **sections).values()) == fingerprints(load(**sections).values())


# --- bands ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (with_tenure(2, "5-9", 6, 10), " row 3: tenure_from is 6, which leaves a gap; it must be 5"),
        (with_tenure(2, "5-9", 4, 10), " row 3: tenure_from is 4, which leaves an overlap; it must be 5"),
        (with_tenure(0, "<2", 1, 2), " row 1: tenure_from is 1, which leaves a gap; it must be 0"),
        (with_tenure(2, "5-9", 5, 5), " row 3: tenure_to 5 is not above tenure_from 5"),
        (with_tenure(4, "20+", 20, 60), ": the last row ends at 60; leave its tenure_to blank"),
        (with_tenure(1, "2-4", 2, None), " row 3: follows a row without tenure_to; only the last row is open"),
        (tenures(*GOOD_TENURES[::-1]), " row 1: tenure_from is 20, which leaves a gap; it must be 0"),
        (tenures(*GOOD_TENURES[:4]), ": the last row ends at 20"),
        (with_tenure(2, "2-4", 5, 10), ": tenure_band 2-4 appears 2 times; once is enough"),
    ],
)
def test_bands_cover_everybody_once(load: Load, bands: Rows, expected: str) -> None:
    found = problems(load, {"tenure_bands": bands})
    assert any(problem.startswith(f"parameters.tenure_bands{expected}") for problem in found), found


def test_ages_of_retirement_are_bands_too(load: Load) -> None:
    rows: Rows = [{"age_from": 0, "age_to": 60, "retirement_rate": 0}, {"age_from": 65, "retirement_rate": "0.3"}]
    assert problems(load, {"retirement_rates": rows}) == [
        "parameters.retirement_rates row 2: age_from is 65, which leaves a gap; it must be 60"
    ]


def test_bands_may_be_cut_otherwise_where_every_table_follows(load: Load) -> None:
    bands: Rows = tenures(("new", 0, 1), ("old", 1, None))
    multipliers: Rows = [{"tenure_band": "new", "multiplier": 2}, {"tenure_band": "old", "multiplier": "0.5"}]
    tables = load({"tenure_bands": bands, "termination_by_tenure": multipliers, "promotion_by_tenure": multipliers})
    assert [row[0] for row in tables["tenure_bands"].rows] == ["new", "old"]
    found = problems(load, {"tenure_bands": bands, "termination_by_tenure": multipliers})
    assert "parameters.promotion_by_tenure: tenure_band '<2' is not in tenure_bands; it has new, old" in found
    assert "parameters.promotion_by_tenure: tenure_band 'new' of tenure_bands is missing" in found


def test_whole_numbers_may_be_written_with_a_point(load: Load) -> None:
    """Spreadsheets write 25.0 where another row of the column is blank."""
    bands = [
        {name: f"{value}.0" if isinstance(value, int) else value for name, value in row.items()}
        for row in tenures(*GOOD_TENURES)
    ]
    assert (
        load({"tenure_bands": bands})["tenure_bands"].rows
        == load({"tenure_bands": tenures(*GOOD_TENURES)})["tenure_bands"].rows
    )
    levels = [{"level_id": f"{level}.0", "merit_rate": "0.03"} for level in LEVELS]
    assert [row[0] for row in load({"merit_by_level": levels})["merit_by_level"].rows] == ["1", "2", "3", "4", "5"]


# --- labels and levels ------------------------------------------------------------------------------------------------


def test_an_unknown_label_names_those_that_exist(load: Load) -> None:
    rows = [{"tenure_band": label.replace("20+", "21+"), "multiplier": 1} for label, _, _ in GOOD_TENURES]
    assert problems(load, {"termination_by_tenure": rows}) == [
        "parameters.termination_by_tenure: tenure_band '21+' is not in tenure_bands; it has <2, 2-4, 5-9, 10-19, 20+",
        "parameters.termination_by_tenure: tenure_band '20+' of tenure_bands is missing",
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [*by_level("factor"), {"level_id": 6, "factor": 1}],
            ["parameters.termination_by_level: level_id '6' is not in job_levels; it has 1, 2, 3, 4, 5"],
        ),
        (
            [*by_level("factor"), {"level_id": 3, "factor": 1}],
            ["parameters.termination_by_level: level_id 3 appears 2 times; once is enough"],
        ),
    ],
    ids=["unknown", "twice"],
)
def test_every_level_has_one_row(load: Load, rows: Rows, expected: list[str]) -> None:
    assert problems(load, {"termination_by_level": rows}) == expected


def level(number: int, start: object, low: object, high: object) -> dict[str, object]:
    return {
        "level_id": number,
        "level_name": f"L{number}",
        "pay_from": start,
        "range_minimum": low,
        "range_maximum": high,
    }


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([level(1, 0, 100, 200), level(2, 0, 200, 300)], "level_id and pay_from must both rise from row to row"),
        ([level(2, 0, 100, 200), level(1, 150, 200, 300)], "level_id and pay_from must both rise from row to row"),
        ([level(1, 0, 200, 100), level(2, 150, 200, 300)], "level 1 has the range 200 to 100; 0 < minimum <= maximum"),
        ([level(1, 0, 0, 100), level(2, 150, 200, 300)], "level 1 has the range 0 to 100; 0 < minimum <= maximum"),
    ],
)
def test_levels_rise(load: Load, rows: Rows, expected: str) -> None:
    tables = ("termination_by_level", "promotion_by_level")
    others: dict[str, Rows | str] = {name: by_level("factor")[:2] for name in tables}
    others["participation_by_level"] = by_level("join_factor")[:2]
    others["merit_by_level"] = by_level("merit_rate")[:2]
    others["new_hire_pay"] = [row | {"market_factor": 1} for row in by_level("percentile")[:2]]
    (problem,) = problems(load, {"job_levels": rows, **others}, workforce={"structure": "rates"})
    assert problem.startswith("parameters.job_levels: ")
    assert comparable(expected) in comparable(problem)


def comparable(text: str) -> str:
    return text.replace(".00", "")


def test_a_level_is_a_whole_number(load: Load) -> None:
    found = problems(load, {"job_levels": [level(1, 0, 100, 200) | {"level_id": 1.5}]})
    assert "parameters.job_levels row 1: `level_id` is 1.5; it must be 0 or more with at most 0 decimal places" in found


def test_the_levels_are_those_of_the_table(load: Load) -> None:
    assert level_ids(load().values()) == (1, 2, 3, 4, 5)


def test_a_mix_of_hires_names_levels_that_exist(load: Load) -> None:
    assert problems(load, {}, workforce={"structure": "rates"}, new_hires={"level_mix": {1: 0.5, 9: 0.5}}) == [
        "new_hires.level_mix: level 9 is not in parameters.job_levels; it has 1, 2, 3, 4, 5"
    ]


def test_merit_rates_are_above_zero(load: Load) -> None:
    assert problems(load, {"merit_by_level": by_level("merit_rate", [0.03, 0.03, 0, 0.03, 0.03])}) == [
        "parameters.merit_by_level: a merit_rate of 0 leaves no shape to scale to the budget; set it above 0"
    ]


# --- columns and values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("factr", "unknown column `factr`; did you mean `factor`?"),
        ("Level", "unknown column `Level`"),
        ("weight", "unknown column `weight`; the columns are level_id, factor, source"),
    ],
)
def test_an_unknown_column_is_pointed_out(load: Load, column: str, hint: str) -> None:
    rows = by_level("factor")
    rows[1] |= {column: 1}
    (problem,) = problems(load, {"termination_by_level": rows})
    assert problem.startswith(f"parameters.termination_by_level row 2: {hint}")


def test_a_misspelled_column_is_also_a_missing_one(load: Load) -> None:
    rows = by_level("factor")
    rows[0] = {"level_id": 1, "facter": 1}
    assert problems(load, {"termination_by_level": rows}) == [
        "parameters.termination_by_level row 1: unknown column `facter`; did you mean `factor`?",
        "parameters.termination_by_level row 1: `factor` is missing",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("high", "`factor` is 'high'; it must be a number"),
        (True, "`factor` is 'True'; it must be a number"),
        ("1,5", "`factor` is '1,5'; it must be a number"),
        ("5%", "`factor` is '5%'; it must be a number"),
        (-1, "`factor` is -1; it must be 0 or more"),
        ("NaN", "`factor` is NaN; it must be"),
        ("Infinity", "`factor` is Infinity; it must be"),
        ("1e30", "`factor` is 1e30; it must be"),
        ("1e999999999", "`factor` is 1e999999999; it must be"),
        (2000, "`factor` is 2000; it must be smaller"),
        (0.1234567, "with at most 6 decimal places"),
        ("", "`factor` is missing"),
        (None, "`factor` is missing"),
    ],
)
def test_a_value_that_cannot_be(load: Load, value: object, expected: str) -> None:
    (problem,) = problems(load, {"termination_by_level": by_level("factor", [1, 1, value, 1, 1])})
    assert problem.startswith("parameters.termination_by_level row 3: `factor`")
    assert expected.lower() in problem.lower()


def test_a_rate_in_percent_is_pointed_out(load: Load) -> None:
    (problem,) = problems(load, {"merit_by_level": by_level("merit_rate", [3.5, 0, 0, 0, 0])})
    assert problem == (
        "parameters.merit_by_level row 1: `merit_rate` is 3.5; it must be at most 1: rates and shares are decimals"
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(30, "0.5"), (40, "0.4")], r"the weights sum to 0\.90*; they must sum to 1"),
        ([(30, "0.5"), (40, "0.6")], r"the weights sum to 1\.10*; they must sum to 1"),
        ([(30, "0.333333"), (40, "0.333333"), (50, "0.333333")], r"the weights sum to 0\.999999; they must sum to 1"),
        ([(13, "0.5"), (40, "0.5")], "age 13 is outside 14 to 100"),
        ([(40, "0.5"), (101, "0.5")], "age 101 is outside 14 to 100"),
        ([(40, "0.5"), (40, "0.5")], "age 40 appears 2 times; once is enough"),
    ],
)
def test_ages_of_hires_and_their_weights(load: Load, rows: Sequence[tuple[int, str]], expected: str) -> None:
    found = problems(load, {"new_hire_ages": [{"age": age, "weight": weight} for age, weight in rows]})
    assert any(re.match(f"parameters.new_hire_ages: {expected}", problem) for problem in found), found


def test_a_table_without_rows(load: Load) -> None:
    (problem,) = problems(load, {"termination_by_level": []})
    assert "parameters.termination_by_level = []: has no rows; remove it to use the default table" in problem


# --- all at once ------------------------------------------------------------------------------------------------------


def test_every_problem_is_reported_at_once(load: Load, tmp_path: Path) -> None:
    (tmp_path / "merit.csv").write_text("level_id,merit_rat\n1,0.03\n", encoding="utf-8")
    ages = [
        ("<25", 0, 25),
        ("25-34", 26, 35),
        ("35-44", 35, 45),
        ("45-54", 45, 55),
        ("55-64", 55, 65),
        ("65+", 65, None),
    ]
    found = problems(
        load,
        {
            "age_bands": [{"age_band": label, "age_from": start, "age_to": end} for label, start, end in ages],
            "tenure_bands": with_tenure(2, "5-9", 4, 10),
            "termination_by_age": [{"age_band": "young", "multiplier": 1}],
            "termination_by_level": by_level("factor") * 2,
            "promotion_by_level": by_level("factor", ["high", 1, 1, 1, 1]),
            "termination_by_tenure": [{"tenure_band": "<2", "multiplier": -1}],
            "new_hire_pay": [row | {"market_factor": 1} for row in by_level("percentile", [0.5, 0.5, 0.5, 0.5, 50])],
            "new_hire_ages": [{"age": 30, "weight": 0.5}, {"age": 30, "weight": 0.4}],
            "retirement_rates": "absent.csv",
            "merit_by_level": "merit.csv",
        },
        workforce={"structure": "rates"},
        new_hires={"level_mix": {9: 1}},
    )
    for expected in (
        "parameters.age_bands row 2: age_from is 26, which leaves a gap",
        "parameters.tenure_bands row 3: tenure_from is 4, which leaves an overlap",
        "parameters.termination_by_age: age_band 'young' is not in age_bands",
        "parameters.termination_by_level: level_id 5 appears 2 times",
        "parameters.promotion_by_level row 1: `factor` is 'high'",
        "parameters.termination_by_tenure row 1: `multiplier` is -1",
        "parameters.new_hire_pay row 5: `percentile` is 50",
        "parameters.new_hire_ages: age 30 appears 2 times",
        "parameters.new_hire_ages: the weights sum to 0.9",
        "parameters.retirement_rates: the file",
        "parameters.merit_by_level row 1: unknown column `merit_rat`; did you mean `merit_rate`?",
        "new_hires.level_mix: level 9 is not in parameters.job_levels",
    ):
        assert any(problem.startswith(expected) for problem in found), expected


# --- files ------------------------------------------------------------------------------------------------------------


CSV = "level_id,factor\n1,1\n2,0.9\n3,0.8\n4,0.7\n5,0.6\n"


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        CSV.encode("utf-8-sig"),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace("\n", "\n\n").encode(),
        b"factor,level_id\n 1.0 , 1\n.9,2\n0.80,3\n7e-1,4\n0.6,5",
    ],
    ids=["plain", "byte order mark", "windows", "blank lines", "other writing"],
)
def test_a_file_replaces_a_table(load: Load, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "levels.csv").write_bytes(content)
    rows = load({"termination_by_level": "levels.csv"})["termination_by_level"].rows
    assert [(int(row[0] or 0), Decimal(row[1] or 0), row[2]) for row in rows] == [
        (number, Decimal(value), "levels.csv")
        for number, value in zip(LEVELS, ["1", "0.9", "0.8", "0.7", "0.6"], strict=True)
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "does not exist"),
        (b"", "has no rows"),
        (b"level_id,factor\n", "has no rows"),
        (CSV.replace("factor", "f\xe4ktor").encode("latin-1"), "UTF-8"),
        (b"\x00\x01\x02PK" * 100, "parameters.termination_by_level"),
        (CSV.replace("2,0.9", "2,0.9,7").encode(), "row 2"),
        (CSV.replace("2,0.9", "2").encode(), "row 2: `factor` is missing"),
        (CSV.replace("\n", ",1\n").replace("factor,1", "factor,factor").encode(), "column `factor` appears 2 times"),
        (CSV.replace(",", ";").encode(), "unknown column `level_id;factor`"),
    ],
    ids=["absent", "empty", "heading only", "latin-1", "binary", "long row", "short row", "column twice", "semicolons"],
)
def test_a_file_that_cannot_be_read(load: Load, tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "levels.csv"
    if content is not None:
        path.write_bytes(content)
    found = problems(load, {"termination_by_level": "levels.csv"})
    assert all(problem.startswith("parameters.termination_by_level") for problem in found)
    assert any(expected in problem for problem in found), found
    assert not any("None" in problem for problem in found), found


def test_a_folder_is_no_file(load: Load, tmp_path: Path) -> None:
    (problem,) = problems(load, {"termination_by_level": "."})
    assert problem.startswith("parameters.termination_by_level: ")
    assert str(tmp_path) in problem


# --- in the database --------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_tables_reach_the_database_with_their_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is found beside the configuration, from whatever folder the run is started."""
    folder = tmp_path / "project"
    (folder / "tables").mkdir(parents=True)
    write_census(folder / "census.csv", 50, seed=3, census_date=dt.date(2024, 12, 31))
    (folder / "tables" / "exits.csv").write_text(
        "level_id,factor,source\n1,1.5,study 2023\n2,0.9,\n3,0.8,\n4,0.7,\n5,0.6,\n", encoding="utf-8"
    )
    content = {
        "simulation": {"start_year": 2025, "end_year": 2026},
        "census": {"path": "census.csv"},
        "compensation": {"cola_rate": 0.01},
        "changes": {2026: {"compensation": {"cola_rate": 0.025}}},
        "workforce": {"structure": "rates"},
        "new_hires": {"level_mix": {1: 0.75, 2: 0.25}, "hire_timing": [0.5, 0.5, *[0] * 10]},
        "parameters": {
            "termination_by_level": "tables/exits.csv",
            "merit_by_level": by_level("merit_rate", [0.03] * 5),
        },
        "runtime": {"database": "simulation.duckdb", "threads": 1},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    config = load_simulation_config(folder / "config.yaml")
    build_orchestrator(config).execute_multi_year_simulation()
    with DatabaseConnectionManager(folder / "simulation.duckdb", read_only=True) as db:

        def rows(table: str, columns: str = "* exclude (simulation_year)") -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = db.execute_with_retry(
                f"select {columns} from parameters.{table} where simulation_year = 2026 order by all"
            )
            return found

        assert rows("termination_by_level") == [
            (1, Decimal("1.5"), "study 2023"),
            *((number, Decimal(10 - number + 1) / 10, "exits.csv") for number in range(2, 6)),
        ]
        assert rows("merit_by_level") == [(number, Decimal("0.03"), "configuration") for number in LEVELS]
        assert rows("new_hire_level_mix") == [
            (1, Decimal("0.75"), "configuration"),
            (2, Decimal("0.25"), "configuration"),
        ]
        rates = "configuration_year, cola_rate, structure_increase_rate, source"
        assert rows("annual_rates", rates) == [(2026, Decimal("0.025"), Decimal("0.03"), "configuration")]
        slices = "purpose, month, upper_bound - lower_bound, source"
        assert [row for row in rows("month_weights", slices) if row[2] > 0 and row[0] == "hire"] == [
            ("hire", 1, Decimal("0.5"), "new_hires.hire_timing"),
            ("hire", 2, Decimal("0.5"), "new_hires.hire_timing"),
        ]
        assert {row[-1] for row in rows("age_bands")} == {"planning default"}
        names = {
            name
            for (name,) in db.execute_with_retry(
                "select table_name from duckdb_tables() where schema_name = 'parameters'"
            )
        }
        assert names == {*TABLES, *DERIVED, "new_hire_hours"}


def test_the_months_cut_the_unit_interval(load: Load) -> None:
    for purpose in ("exit", "hire", "raise"):
        rows = [row for row in load()["month_weights"].rows if row[0] == purpose]
        assert [int(row[1] or 0) for row in rows] == list(range(1, 13))
        assert [row[2] for row in rows[1:]] == [row[3] for row in rows[:-1]]
        assert [Decimal(bound or 2) for bound in (rows[0][2], rows[-1][3])] == [0, 1]
