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
    expect_levels  year -> level -> column of `test_plan_cases.LEVELS` -> value
    expect_said    regular expressions, each of which a sentence on the tests and duties of the plan must match
    expect_unsaid  regular expressions which none may match
    expect_error   instead of all others: a regular expression for the message of the ConfigurationError

Amounts are worked out by hand from the rules, never copied from a run, and are equal to the cent. Cases with the same
settings share a run where no person of one is in the other, because a person's plan does not depend on other people;
those that expect metrics or levels, name a hire or have positions run alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from planalign_orchestrator.census.columns import COLUMNS_BY_NAME
from planalign_orchestrator.config.yaml_lines import read_yaml
from tests.companies import NOBODY_RETIRES, Row, default_table, person

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
