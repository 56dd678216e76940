"""Every case of tests/cases comes out of the real model as it was worked out by hand; see `case_files`.

Cases with the same settings share a run where no person of one is in the other.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from planalign_orchestrator import config
from planalign_orchestrator.errors import ConfigurationError
from tests.case_files import EVENT_COLUMNS, FOLDER, Case, CaseError, Expectation, Values, read_cases
from tests.companies import Row, configure, person
from tests.laboratory import Laboratory

LEVELS = """
    select
        levels.*,
        count(*) filter (people.detailed_status_code like 'new_hire%') as hires,
        count(*) filter (people.detailed_status_code = 'new_hire_termination') as new_hire_exits,
        count(*) filter (people.detailed_status_code = 'experienced_termination') as exits,
        count(*) filter (people.promoted) as promoted_in
    from fct_level_headcount as levels
    left join (
        select
            snapshot.*,
            events.event_type is not null as promoted
        from fct_workforce_snapshot as snapshot
        left join fct_yearly_events as events
            on snapshot.employee_id = events.employee_id
            and snapshot.simulation_year = events.simulation_year
            and events.event_type = 'promotion'
    ) as people
        on levels.simulation_year = people.simulation_year and levels.level_id = people.level_id
    group by all
"""


@dataclass
class Run:
    """One simulation, for all cases that share it."""

    overrides: Mapping[str, object]
    alone: bool
    people: dict[str, Row] = field(default_factory=dict)
    outcome: "Outcome | None" = None

    def takes(self, case: Case) -> bool:
        """Whether the case may share this run."""
        same = not self.alone and not case.alone and self.overrides == case.overrides
        return same and not self.people.keys() & case.people.keys()


@dataclass(frozen=True)
class Outcome:
    """The rows that a run wrote."""

    events: Sequence[Values]
    snapshot: Sequence[Values]
    match: Sequence[Values]
    metrics: Sequence[Values]
    levels: Sequence[Values]


def planned(cases: Sequence[Case]) -> list[tuple[Case, int, Run]]:
    """Return each case with its run and the run's number, in the order of the runs."""
    runs: list[Run] = []
    placed = []
    for case in cases:
        run = next((run for run in runs if run.takes(case)), None)
        if run is None:
            run = Run(case.overrides, case.alone)
            runs.append(run)
        run.people.update(case.people)
        placed.append((case, runs.index(run), run))
    return sorted(placed, key=lambda item: item[1])


FILES = {path.stem: read_cases(path.read_text(encoding="utf-8"), path.name) for path in sorted(FOLDER.glob("*.yaml"))}
PLANNED = planned([case for cases in FILES.values() for case in cases])
TOPICS = {case.name: topic for topic, cases in FILES.items() for case in cases}


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory, simulates: None) -> Laboratory:
    """The compiled model with some census; each run brings its own."""
    return Laboratory(tmp_path_factory.mktemp("cases"), [person("P")])


def simulate_run(laboratory: Laboratory, run: Run) -> Outcome:
    """Return what the run writes; it is carried out once."""
    if run.outcome is None:
        laboratory.open_census(run.people.values(), run.overrides).run(run.overrides)
        run.outcome = Outcome(
            laboratory.records("select * from fct_yearly_events order by simulation_year, employee_id, event_sequence"),
            laboratory.records("select * from fct_workforce_snapshot"),
            laboratory.records("select * from fct_employer_match_detail"),
            laboratory.records("select * from fct_annual_metrics"),
            laboratory.records(LEVELS),
        )
    return run.outcome


@pytest.mark.parametrize(
    ("case", "run"),
    [pytest.param(case, run, id=f"{TOPICS[case.name]}: {case.name}") for case, _, run in PLANNED],
)
def test_a_case_comes_out_as_worked_out_by_hand(laboratory: Laboratory, tmp_path: Path, case: Case, run: Run) -> None:
    if case.error is not None:
        with pytest.raises(ConfigurationError) as caught:
            simulate_run(laboratory, run)
        assert re.search(case.error, str(caught.value))
        return
    outcome = simulate_run(laboratory, run) if case.results else Outcome((), (), (), (), ())
    differences = [
        difference
        for (employee_id, year), expected in case.expect.items()
        for difference in differences_of(outcome, employee_id, year, expected)
    ]
    for year, values in case.metrics.items():
        found = {row["metric"]: row["value"] for row in outcome.metrics if row["simulation_year"] == year}
        differences += compare(f"metrics of {year}", values, found)
    for (year, level), values in case.levels.items():
        (row,) = (row for row in outcome.levels if (row["simulation_year"], row["level_id"]) == (year, level))
        differences += compare(f"level {level} of {year}", values, row)
    if case.said or case.unsaid:
        differences += differences_of_sentences(
            case, config.testing_status(configure(tmp_path, [person("P")], case.overrides))
        )
    assert not differences, "\n".join(["", *differences])


def differences_of_sentences(case: Case, sentences: Sequence[str]) -> list[str]:
    """Return in words which sentences on the plan are missing or should not be there."""

    def matched(pattern: str) -> bool:
        return any(re.search(pattern, sentence) for sentence in sentences)

    missing = [f"said: nothing matches {pattern}" for pattern in case.said if not matched(pattern)]
    surplus = [f"said: something matches {pattern}" for pattern in case.unsaid if matched(pattern)]
    return [*missing, *surplus, *sentences] if missing or surplus else []


def differences_of(outcome: Outcome, employee_id: str, year: int, expected: Expectation) -> list[str]:
    """Return in words what came out otherwise for one person and year."""

    def rows(table: Sequence[Values]) -> list[Values]:
        return [row for row in table if row["employee_id"] == employee_id and row["simulation_year"] == year]

    differences = []
    for name, values, table in (
        ("snapshot", expected.snapshot, outcome.snapshot),
        ("match", expected.match, outcome.match),
    ):
        where = f"{employee_id} {year} {name}"
        found = rows(table)
        if values and len(found) != 1:
            differences.append(f"{where}: {len(found)} rows")
        elif values:
            differences += compare(where, values, found[0])
    for event_type, listed in expected.events.items():
        found = [row for row in rows(outcome.events) if row["event_type"] == event_type]
        where = f"{employee_id} {year} {event_type}"
        if len(found) != len(listed):
            days = ", ".join(f"{row['effective_date']} {row['event_category']}" for row in found)
            differences.append(f"{where}: expected {len(listed)}, found {len(found)} ({days})")
            continue
        for number, (wanted, event) in enumerate(zip(listed, found, strict=True), start=1):
            columns = {EVENT_COLUMNS[key]: value for key, value in wanted.items() if key != "details"}
            differences += compare(f"{where} {number}", columns, event)
            details = json.loads(event["event_details"] or "{}", parse_float=Decimal)
            differences += compare(f"{where} {number} details", wanted.get("details", {}), details)
    return differences


def compare(where: str, expected: Values, found: Values) -> list[str]:
    """Return in words which of the expected values differ; numbers are equal however many zeros they are written."""
    return [
        f"{where}: {name} is {shown(found[name]) if name in found else 'not there'}, not {shown(value)}"
        for name, value in expected.items()
        if name not in found or not equal(value, found[name])
    ]


def equal(expected: object, found: object) -> bool:
    """Return whether a value of a case and one of a result are the same; a date is its ISO text."""
    if isinstance(expected, bool) or isinstance(found, bool) or expected is None or found is None:
        return expected is found
    if isinstance(expected, (int, Decimal)):
        return isinstance(found, (int, Decimal)) and expected == found
    return str(expected) == str(found)


def shown(value: object) -> str:
    """Return a value as a case writes it."""
    return "null" if value is None else str(value)


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case, _, _ in PLANNED]
    assert len(set(names)) == len(names) > 90


GOOD = """
- name: n
  why: w
  given: {people: {P: {pay: 1}}}
  expect: {P: {2025: {snapshot: {is_hce: false}}}}
"""


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text.replace("why: w", "reason: w"), "unknown key reason"),
        (lambda text: text.replace("  why: w\n", ""), "has no why"),
        (lambda text: text.replace("given: {", "given: {plans: {}, "), "unknown key plans"),
        (lambda text: text.replace("pay: 1", "salary: 1"), "unknown key salary"),
        (lambda text: text.replace("{P: {pay: 1}}", "{}"), "has no people"),
        (lambda text: text.replace("given: {", "given: {behaviour: {luck: 1}, "), "unknown key luck"),
        (lambda text: text.replace("given: {", "given: {years: [2025], "), "the first and the last"),
        (lambda text: text.replace("snapshot", "snapshots"), "unknown key snapshots"),
        (lambda text: text.replace("is_hce: false", ""), "expects nothing"),
        (lambda text: text.replace("{P: {2025: {snapshot: {is_hce: false}}}}", "{}"), "expects nothing"),
        (lambda text: text.replace("snapshot: {is_hce: false}", "events: {raise: [{day: 1}]}"), "unknown key day"),
        (lambda text: text.replace("given: {", "given: {structure: rates, "), "structure is positions or left out"),
        (lambda text: text.replace("given: {", "given: {staff: 3, "), "staff: is no list"),
        (lambda text: text.replace("given: {", "given: {staff: [{number: 3}], "), "unknown key number"),
        (lambda text: text + "  expect_error: x\n  expect_said: [x]\n", "an error and results"),
        (lambda text: text + "  expect_levels: {2025: 3}\n", "is no mapping"),
        (lambda text: text + "  expect_error: x\n", "an error and results"),
        (lambda text: text + "  name: m\n", "is written twice"),
        (lambda _: "name: n", "no list of cases"),
    ],
)
def test_a_case_that_cannot_be_meant_is_refused(spoil: Callable[[str], str], message: str) -> None:
    assert len(read_cases(GOOD, "good")) == 1
    with pytest.raises(CaseError, match=message):
        read_cases(spoil(GOOD), "bad")


def test_a_difference_is_found_and_said() -> None:
    found = {"a": Decimal("1.50"), "b": True, "c": None}
    assert compare("P", {"a": Decimal("1.5"), "b": True, "c": None}, found) == []
    assert compare("P", {"a": Decimal("1.49"), "b": 1, "c": 0, "d": "x"}, found) == [
        "P: a is 1.50, not 1.49",
        "P: b is True, not 1",
        "P: c is null, not 0",
        "P: d is not there, not x",
    ]
