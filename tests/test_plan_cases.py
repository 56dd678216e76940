"""The rules of workforce and plan as cases: YAML files say what is given and come out; the real model runs them.

Each file of tests/cases is a list of cases on one topic. A case has

    name, why      what is special about it, and the rule in words
    given
      years        the first and the last simulated year, or the only one
      people       id -> born, hired, pay and any other census column by its name; see `person`
      staff        entries of `count` equal people and what a person may have; ids S1_001, S1_002, ..., S2_001, ...
      structure    `positions` for the rules of positions: settings on top of POSITIONS, not of QUIET
      plan         settings below `plan`, nested or dotted, on top of QUIET
      settings     all other settings
      behaviour    join_rate, second_chance_rate and opt_out_rate at every age, 0 unless given
    expect         id -> year -> events: type -> every event of that type, in order, each with the columns it must have
                                 snapshot, match: column -> value
    expect_metrics year -> metric -> value
    expect_levels  year -> level -> column of LEVELS -> value
    expect_said    regular expressions, each of which a sentence on the tests and duties of the plan must match
    expect_unsaid  regular expressions which none may match
    expect_error   instead of all others: a regular expression for the message of the ConfigurationError

Amounts are worked out by hand from the rules, never copied from a run, and are equal to the cent. Cases with the same
settings share a run where no person of one is in the other, because a person's plan does not depend on other people;
those that expect metrics or levels, name a hire or have positions run alone.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from planalign_orchestrator.census.columns import COLUMNS_BY_NAME
from planalign_orchestrator.config import testing_status
from planalign_orchestrator.config.yaml_lines import read_yaml
from planalign_orchestrator.errors import ConfigurationError
from tests.companies import NOBODY_RETIRES, Row, configure, default_table, person
from tests.laboratory import Laboratory

FOLDER = Path(__file__).with_name("cases")

# Nobody leaves, joins, changes anything or gets a raise by chance, and the plan has no money of the employer.
QUIET: Mapping[str, object] = {
    "simulation.target_growth_rate": 0,
    "workforce.total_termination_rate": 0,
    **NOBODY_RETIRES,
    "workforce.new_hire_termination_rate": 0,
    "workforce.structure": "rates",
    "compensation.promotion.base_rate": 0,
    "compensation.cola_rate": 0,
    "compensation.merit_budget": 0,
    "raise_timing.methodology": "fixed",
    "plan.automatic_enrollment.enabled": False,
    "plan.escalation.enabled": False,
    "plan.own_changes.raise_rate": 0,
    "plan.own_changes.halve_rate": 0,
    "plan.own_changes.stop_rate": 0,
    "plan.match.formula": "none",
}
# The same with positions; a promotion pays the base increase, and the pay ranges stand still.
POSITIONS: Mapping[str, object] = {
    **{key: value for key, value in QUIET.items() if key != "compensation.promotion.base_rate"},
    "workforce.structure": "positions",
    "compensation.promotion.increase_spread": 0,
    "compensation.structure_increase_rate": 0,
}
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
EVENT_COLUMNS = {
    "date": "effective_date",
    "category": "event_category",
    "amount": "amount",
    "rate_before": "deferral_rate_before",
    "rate_after": "deferral_rate_after",
    "pay_before": "compensation_before",
    "pay_after": "compensation_after",
    "probability": "event_probability",
    "details": "event_details",
}
EXPECT = ("expect", "expect_metrics", "expect_levels", "expect_said", "expect_unsaid", "expect_error")
CASE = ("name", "why", "given", *EXPECT)
PERSON = ("born", "hired", "pay", *COLUMNS_BY_NAME)
GIVEN = ("years", "people", "staff", "structure", "plan", "settings", "behaviour")
BEHAVIOUR = ("join_rate", "second_chance_rate", "opt_out_rate")

Values = Mapping[str, Any]


class CaseError(ValueError):
    """A case that does not say what a case must say."""


@dataclass(frozen=True)
class Expectation:
    """What must come out for one person in one year."""

    events: Mapping[str, Sequence[Values]]
    snapshot: Values
    match: Values


@dataclass(frozen=True)
class Case:
    """One case, checked; `overrides` are complete, QUIET included."""

    name: str
    years: tuple[int, int]
    people: Mapping[str, Row]
    overrides: Mapping[str, object]
    expect: Mapping[tuple[str, int], Expectation]
    metrics: Mapping[int, Values]
    levels: Mapping[tuple[int, int], Values]
    said: Sequence[str]
    unsaid: Sequence[str]
    error: str | None

    @property
    def results(self) -> bool:
        """Whether it expects results of a run."""
        return bool(self.expect) or any(self.metrics.values()) or any(self.levels.values())

    @property
    def alone(self) -> bool:
        """Whether other people in the same run would matter to it."""
        hires = any(employee_id not in self.people for employee_id, _ in self.expect)
        positions = self.overrides["workforce.structure"] == "positions"
        return bool(self.metrics or self.levels) or self.error is not None or hires or positions


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


def entries(value: object, where: str, known: Sequence[str] | None = None) -> Values:
    """Return a mapping of a case, refused where it is none or has a key that is not known."""
    if not isinstance(value, dict):
        raise CaseError(f"{where}: is no mapping")
    for key in value:
        if known is not None and key not in known:
            raise CaseError(f"{where}: unknown key {key}; known are {', '.join(known)}")
    return value


def read_case(value: object, where: str) -> Case:
    """Return one case as it is written. Errors: CaseError."""
    keys = (
        "name",
        "why",
        "given",
        "expect",
        "expect_metrics",
        "expect_levels",
        "expect_said",
        "expect_unsaid",
        "expect_error",
    )
    case = entries(value, where, keys)
    for key in ("name", "why", "given"):
        if not case.get(key):
            raise CaseError(f"{where}: has no {key}")
    where = f"{where} ({case['name']})"
    given = entries(case["given"], f"{where}, given", GIVEN)
    expect = read_expectations(case.get("expect", {}), where)
    metrics = {
        int(year): entries(values, f"{where}, metrics of {year}")
        for year, values in entries(case.get("expect_metrics", {}), f"{where}, expect_metrics").items()
    }
    levels = read_levels(case.get("expect_levels", {}), f"{where}, expect_levels")
    error = case.get("expect_error")
    said, unsaid = case.get("expect_said", []), case.get("expect_unsaid", [])
    if error and (expect or metrics or levels or said or unsaid):
        raise CaseError(f"{where}: expects an error and results")
    years = read_years(given.get("years", 2025), where)
    overrides = {
        **read_structure(given.get("structure"), where),
        "simulation.start_year": years[0],
        "simulation.end_year": years[1],
        "parameters.participation_by_age": participation(given.get("behaviour", {}), where),
        **entries(given.get("settings", {}), f"{where}, settings"),
        **{f"plan.{key}": setting for key, setting in entries(given.get("plan", {}), f"{where}, plan").items()},
    }
    staff = read_staff(given.get("staff", []), where)
    people = {**read_people(given.get("people", {}), where), **staff}
    read = Case(case["name"], years, people, overrides, expect, metrics, levels, said, unsaid, error)
    if not read.results and not said and not unsaid and not error:
        raise CaseError(f"{where}: expects nothing")
    if read.results and not people:
        raise CaseError(f"{where}: has no people")
    # what is said of the plan alone needs some census
    return read if people else replace(read, people={"P": person("P")})


def read_structure(value: object, where: str) -> Mapping[str, object]:
    """Return the settings below those of the case."""
    if value not in (None, "positions"):
        raise CaseError(f"{where}: structure is positions or left out")
    return QUIET if value is None else POSITIONS


def read_years(value: object, where: str) -> tuple[int, int]:
    """Return first and last year."""
    if isinstance(value, int):
        return value, value
    if isinstance(value, list) and len(value) == 2:
        return int(value[0]), int(value[1])
    raise CaseError(f"{where}: years is one year, or the first and the last")


def participation(value: object, where: str) -> list[dict[str, object]]:
    """Return table participation_by_age with the same behaviour at every age of the packaged table."""
    rates = entries(value, f"{where}, behaviour", BEHAVIOUR)
    return [
        {
            "age_from": row["age_from"],
            "age_to": row["age_to"] or None,
            **{name: rates.get(name, 0) for name in BEHAVIOUR},
        }
        for row in default_table("participation_by_age")
    ]


def read_people(value: object, where: str) -> Mapping[str, Row]:
    """Return the census rows by id."""
    return {
        employee_id: person(employee_id, **entries(columns, f"{where}, {employee_id}", PERSON))
        for employee_id, columns in entries(value, f"{where}, people").items()
    }


def read_staff(value: object, where: str) -> Mapping[str, Row]:
    """Return the census rows of equal people by id."""
    if not isinstance(value, list):
        raise CaseError(f"{where}, staff: is no list")
    people = {}
    for place, entry in enumerate(value, start=1):
        columns = dict(entries(entry, f"{where}, staff {place}", ("count", *PERSON)))
        for number in range(1, columns.pop("count", 1) + 1):
            people[f"S{place}_{number:03d}"] = person(f"S{place}_{number:03d}", **columns)
    return people


def read_levels(value: object, where: str) -> Mapping[tuple[int, int], Values]:
    """Return what is expected of levels by year and level."""
    return {
        (int(year), int(level)): entries(values, f"{where}, level {level} in {year}")
        for year, by_level in entries(value, where).items()
        for level, values in entries(by_level, f"{where} of {year}").items()
    }


def read_expectations(value: object, where: str) -> Mapping[tuple[str, int], Expectation]:
    """Return what is expected by person and year, each with something expected of it."""
    expect = {}
    for employee_id, by_year in entries(value, f"{where}, expect").items():
        for year, text in entries(by_year, f"{where}, expect {employee_id}").items():
            what = entries(text, f"{where}, {employee_id} in {year}", ("events", "snapshot", "match"))
            if not any(what.values()):
                raise CaseError(f"{where}, {employee_id} in {year}: expects nothing")
            events = entries(what.get("events", {}), f"{where}, events of {employee_id}")
            for event_type, listed in events.items():
                for event in listed:
                    entries(event, f"{where}, {event_type} of {employee_id}", tuple(EVENT_COLUMNS))
            expect[employee_id, int(year)] = Expectation(events, what.get("snapshot", {}), what.get("match", {}))
    return expect


def read_cases(text: str, where: str) -> list[Case]:
    """Return the cases of one file's text. Errors: CaseError."""
    root, problems = read_yaml(text)
    if problems:
        raise CaseError("; ".join(f"{where}:{problem.line}: {problem.message}" for problem in problems))
    listed = root.plain() if root is not None else None
    if not isinstance(listed, list):
        raise CaseError(f"{where}: is no list of cases")
    return [read_case(value, f"{where}, case {number}") for number, value in enumerate(listed, start=1)]


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
            case, testing_status(configure(tmp_path, [person("P")], case.overrides))
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
