"""Reads a parameter table from its packaged file or its replacement, with every value checked for type and range."""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from planalign_orchestrator import project
from planalign_orchestrator.config.sections.parameters import DEFAULT
from planalign_orchestrator.parameters.tables import (
    CONFIGURATION,
    FACTOR,
    MONEY,
    TABLES,
    ColumnSpec,
    ParameterTable,
    TableSpec,
)
from planalign_orchestrator.problems import did_you_mean


def read_table(
    spec: TableSpec, given: Sequence[Mapping[str, object]] | Path | str, problems: list[str]
) -> ParameterTable:
    """Return one table from rows, a file or, for `default`, its packaged file; problems are added to `problems`."""
    key = f"parameters.{spec.name}"
    if isinstance(given, str):
        raw, source = read_csv(project.default_tables() / f"{spec.name}.csv", key, problems), "packaged default"
    elif isinstance(given, Path):
        raw, source = read_csv(given, key, problems), given.name
    else:
        raw, source = [dict(row) for row in given], CONFIGURATION
    rows = [_read_row(spec, f"{key} row {number}", row, source, problems) for number, row in enumerate(raw, start=1)]
    if not rows and not problems:
        problems.append(f"{key}: has no rows; give at least one or leave the table out")
    return ParameterTable(
        name=spec.name,
        columns=(*((column.name, column.type) for column in spec.columns), ("source", "varchar")),
        rows=tuple(rows),
    )


def packaged_table(name: str) -> ParameterTable:
    """Return a packaged table."""
    return read_table(TABLES[name], DEFAULT, [])


def default_rows(table: str) -> list[dict[str, object]]:
    """Return the rows of a packaged table as its file writes them."""
    return read_csv(project.default_tables() / f"{table}.csv", f"parameters.{table}", [])


def read_csv(path: Path, key: str, problems: list[str]) -> list[dict[str, object]]:
    """Return the rows of a CSV file by its heading; what cannot be read is added to `problems` under `key`."""
    if not path.is_file():
        problems.append(f"{key}: the file {path} does not exist")
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except UnicodeDecodeError:
        problems.append(f"{key}: {path} is not UTF-8 text; save it as CSV in UTF-8")
        return []
    except (OSError, csv.Error) as error:
        problems.append(f"{key}: {path} cannot be read as CSV: {error}")
        return []
    heading = [name.strip() for name in lines[0]] if lines else []
    for name in dict.fromkeys(heading):
        if heading.count(name) > 1:
            problems.append(f"{key}: column `{name}` appears {heading.count(name)} times in {path}; once is enough")
    for number, line in enumerate(lines[1:], start=1):
        if len(line) > len(heading):
            problems.append(f"{key} row {number}: has {len(line)} values for {len(heading)} columns")
    return [dict(zip(heading, line, strict=False)) for line in lines[1:]]


def _read_row(
    spec: TableSpec, where: str, row: Mapping[str, object], source: str, problems: list[str]
) -> tuple[str | None, ...]:
    known = [column.name for column in spec.columns] + ["source"]
    for name in row:
        if name not in known:
            hint = did_you_mean(name, known, f"the columns are {', '.join(known)}")
            problems.append(f"{where}: unknown column `{name}`; {hint}")
    values = tuple(_read_value(column, where, row.get(column.name), problems) for column in spec.columns)
    return (*values, str(row.get("source") or source))


def _read_value(column: ColumnSpec, where: str, value: object, problems: list[str]) -> str | None:
    text = "" if value is None else str(value).strip()
    if text == "":
        if not column.open_end:
            problems.append(f"{where}: `{column.name}` is missing")
        return None
    if column.type == "varchar":
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        problems.append(f"{where}: `{column.name}` is {text!r}; it must be a number")
        return None
    places = {"integer": 0, MONEY: 2, FACTOR: 6}[column.type]
    largest = Decimal(10) ** (3 if column.type == FACTOR else 9) if column.maximum is None else column.maximum
    if number.is_finite() and number > largest:
        hint = "smaller" if column.maximum is None else f"at most {largest}: rates and shares are decimals"
        problems.append(f"{where}: `{column.name}` is {text}; it must be {hint}")
        return None
    if not number.is_finite() or number < 0 or number != round(number, places):
        problems.append(
            f"{where}: `{column.name}` is {text}; it must be 0 or more with at most {places} decimal places"
        )
        return None
    # equal numbers are equal texts, however they were written
    return f"{abs(round(number, places)):f}"
