"""The compiled model: the compiled SQL of every model and test, in the order in which a year is built."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from planalign_orchestrator.errors import ModelCompilationError

FORMAT = 7
STAGES = ("initialization", "foundation", "event_generation", "state_accumulation")
YEAR = "simulation_year"
# the tag of the data tests that `dbt test` runs and a run does not
DEVELOPMENT = "development"
# how a model of the compiled model reads a parameter
PARAMETER = re.compile(r"getvariable\('(?P<name>\w+)'\)::(?P<type>\w+(?:\([\d, ]*\))?)")
# the first lines of a written compiled model: the hash of all that follows them
_SEALED = re.compile(r'{\n "sha256": "([0-9a-f]{64})",\n')


@dataclass(frozen=True)
class Parameter:
    """A session variable that the compiled model reads, with its SQL type."""

    name: str
    type: str


@dataclass(frozen=True)
class Column:
    """A column of a mart's contract."""

    name: str
    type: str
    not_null: bool


@dataclass(frozen=True)
class Model:
    """One model: a working table, or a mart (then with its contract), which comes into the simulation's file.

    `reads` names the models that must be built before it. One that is not `is_yearly` holds the same rows in every year
    of a run. `only_when` names a parameter and the value without which the model has no rows; None where its rule is
    always on. Of a mart that is `is_remembered` the models read the rows of all years before, of the others those of
    the last year only. `register` holds the rows of the list that the model is made from, if there is one.
    """

    name: str
    stage: str
    sql: str
    reads: tuple[str, ...]
    columns: tuple[Column, ...]
    is_yearly: bool
    only_when: tuple[str, str] | None
    is_remembered: bool
    register: tuple[dict[str, Any], ...] = ()

    @property
    def is_mart(self) -> bool:
        """Marts are the models with a contract."""
        return bool(self.columns)

    def is_off(self, values: Mapping[str, Any]) -> bool:
        """Whether the rule is off in a run with these values of the parameters, so that no year has rows."""
        if self.only_when is None:
            return False
        name, value = self.only_when
        return str(values[name]).lower() != value.lower()


@dataclass(frozen=True)
class DataTest:
    """A query that returns the rows that break a rule; `tags` say when it applies."""

    name: str
    sql: str
    tags: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class CompiledModel:
    """The whole compiled model, in execution order. `key` names the version of its sources."""

    key: str
    versions: dict[str, str]
    models: tuple[Model, ...]
    tests: tuple[DataTest, ...]
    parameters: tuple[Parameter, ...]

    @property
    def marts(self) -> tuple[Model, ...]:
        """The models that are written to the simulation's file."""
        return tuple(model for model in self.models if model.is_mart)

    def with_values(self, values: Mapping[str, Any]) -> "CompiledModel":
        """Return the compiled model of one run: every parameter but the simulated year is its value, typed, in the SQL.

        Errors: ModelCompilationError when the values are not exactly those the compiled model reads, or one is None.
        """
        wanted = {parameter.name for parameter in self.parameters} - {YEAR}
        if wanted != values.keys():
            missing, extra = sorted(wanted - values.keys()), sorted(values.keys() - wanted)
            raise ModelCompilationError(
                f"the model and the configuration disagree on parameters: not set {missing}, not read {extra}"
            )
        unset = [name for name, value in values.items() if value is None]
        if unset:
            raise ModelCompilationError(f"parameter {', '.join(unset)} has no value")

        def valued(sql: str) -> str:
            return PARAMETER.sub(
                lambda found: found[0] if found["name"] == YEAR else literal(values[found["name"]], found["type"]), sql
            )

        return replace(
            self,
            models=tuple(
                replace(model, sql=valued(model.sql), is_yearly=model.is_yearly and not model.is_off(values))
                for model in self.models
            ),
            tests=tuple(replace(test, sql=valued(test.sql)) for test in self.tests),
        )

    def to_json(self) -> str:
        """Return JSON text with the hash of its own content, the same bytes for the same sources."""
        raw = {"format": FORMAT, **asdict(self)}
        for statement in (*raw["models"], *raw["tests"]):
            # line by line, so that a change of a model reads as one in the history of the file
            statement["sql"] = statement["sql"].split("\n")
        content = json.dumps(raw, indent=1, sort_keys=True).removeprefix("{\n")
        return f'{{\n "sha256": "{_hash(content)}",\n{content}'

    @classmethod
    def from_json(cls, text: str) -> "CompiledModel":
        """Return the compiled model that `to_json` wrote. Errors: ModelCompilationError for any other text."""
        seal = _SEALED.match(text)
        if seal is None:
            raise ModelCompilationError("it is empty" if not text.strip() else "it does not begin with its hash")
        if seal[1] != _hash(text[seal.end() :]):
            raise ModelCompilationError("its content does not have its hash")
        raw = json.loads(text)
        if raw["format"] != FORMAT:
            raise ModelCompilationError(f"its format is {raw['format']}, not {FORMAT}")
        return cls(
            key=raw["key"],
            versions=raw["versions"],
            models=tuple(
                Model(
                    **{
                        **model,
                        "sql": "\n".join(model["sql"]),
                        "reads": tuple(model["reads"]),
                        "columns": tuple(Column(**column) for column in model["columns"]),
                        "only_when": tuple(model["only_when"]) if model["only_when"] else None,
                        "register": tuple(model["register"]),
                    }
                )
                for model in raw["models"]
            ),
            tests=tuple(
                DataTest(**{**test, "sql": "\n".join(test["sql"]), "tags": tuple(test["tags"])})
                for test in raw["tests"]
            ),
            parameters=tuple(Parameter(**parameter) for parameter in raw["parameters"]),
        )


@dataclass(frozen=True)
class ModelOfYears:
    """The compiled model with values, by the first year that they hold in."""

    from_year: Mapping[int, CompiledModel]

    def of_year(self, year: int) -> CompiledModel:
        """Return the model with the values of a year; before the first one, with those of the first."""
        return self.from_year[max((first for first in self.from_year if first <= year), default=min(self.from_year))]


def literal(value: Any, kind: str) -> str:
    """Return SQL for a parameter's value of a type."""
    text = str(value).replace("'", "''")
    return f"'{text}'::{kind}"


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
