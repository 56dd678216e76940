"""The key `parameters`: tables that replace default ones. What the rows hold is checked where they are loaded."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from planalign_orchestrator.config.collection_types import MappingOf, each
from planalign_orchestrator.config.types import PATH, kind_of
from planalign_orchestrator.problems import RefusedError, did_you_mean

ParameterValue = str | int | Decimal | bool | None
ParameterRows = tuple[Mapping[str, ParameterValue], ...]
# `default` and `census` are the only texts
TableSource = Path | str | ParameterRows

PARAMETER_TABLES = (
    "age_bands",
    "tenure_bands",
    "job_levels",
    "termination_by_level",
    "termination_by_age",
    "termination_by_tenure",
    "retirement_rates",
    "decrement_rates",
    "promotion_by_level",
    "promotion_by_age",
    "promotion_by_tenure",
    "merit_by_level",
    "new_hire_pay",
    "new_hire_ages",
    "participation_by_age",
    "participation_by_income",
    "participation_by_level",
    "second_chance_by_service",
    "deferral_choice",
)
# tables whose place another one took
_REPLACED = {"retirement_hazard": "retirement_rates with the yearly probability `retirement_rate` by age"}
# The words that stand for a table: the packaged one, or the one that the client's own people give.
DEFAULT: Final = "default"
CENSUS: Final = "census"
FITTED_TABLES: Final = ("job_levels", "new_hire_pay", "new_hire_ages")
EXAMPLE = """\
parameters:
  termination_by_tenure: tables/termination_by_tenure.csv
  termination_by_level:
    - {level_id: 1, factor: 1.0}
    - {level_id: 2, factor: 0.9}"""


def _read_table(name: object, value: object) -> tuple[object, object]:
    """Return a table with its rows, the path of a CSV file, or one of the two words."""
    if name in _REPLACED:
        raise RefusedError(f"is replaced by {_REPLACED[str(name)]}")
    if name not in PARAMETER_TABLES:
        hint = did_you_mean(name, PARAMETER_TABLES, f"the tables are {', '.join(PARAMETER_TABLES)}")
        raise RefusedError(f"is no parameter table; {hint}")
    if value == CENSUS and name not in FITTED_TABLES:
        raise RefusedError(f"cannot be fitted to the census; only {', '.join(FITTED_TABLES)} can")
    if value in (DEFAULT, CENSUS):
        return name, value
    if isinstance(value, (str, Path)):
        return name, PATH.parse(value)
    if not isinstance(value, (list, tuple)):
        raise RefusedError(
            f"is {kind_of(value)}; must be a list of rows, the path of a CSV file, `default` or `census`"
        )
    if not value:
        raise RefusedError("has no rows; remove it to use the default table")
    return name, tuple(each("row", value, _read_row))


def _read_row(row: object) -> Mapping[str, ParameterValue]:
    if not isinstance(row, Mapping) or not row:
        raise RefusedError(f"is {kind_of(row)}; must be a mapping of columns to values, such as {{level_id: 1}}")
    return {str(column): _read_cell(str(column), value) for column, value in row.items()}


def _read_cell(column: str, value: object) -> ParameterValue:
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and not value.is_finite():
        raise RefusedError(f"has a number in `{column}` that is not finite")
    if value is not None and not isinstance(value, (str, int, Decimal)):
        raise RefusedError(f"has {kind_of(value)} in `{column}`; must be a single value")
    return value


_ROW = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    "minProperties": 1,
}
_TABLE = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": _ROW, "minItems": 1}]}
TABLES_RULE = MappingOf(
    "a mapping of parameter tables to rows, the path of a CSV file, `default` or `census`",
    _read_table,
    {"properties": dict.fromkeys(PARAMETER_TABLES, _TABLE), "additionalProperties": False},
)


def source_of(parameters: Mapping[str, TableSource], table: str) -> TableSource:
    """Return what a table comes from: its rows, the path of a file, `default` or `census`."""
    return parameters.get(table, CENSUS if table in FITTED_TABLES else DEFAULT)
