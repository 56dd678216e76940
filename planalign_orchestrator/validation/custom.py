"""Rules that users bring: from installed packages, and from the file or folder that the configuration names."""

import importlib.util
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeGuard

from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.validation.results import ValidationRule
from planalign_orchestrator.validation.rules import SqlRule

ENTRY_POINTS = "planalign.validation_rules"
_MODULE = "planalign_custom_rules"
_KEY = "validation.custom_rules_file"


def custom_rules(path: Path | None) -> list[ValidationRule]:
    """Return the rules of installed packages and those of `path`, in that order.

    An entry point is a rule, a list of rules, or a function or class without arguments that returns either. A Python
    file has a list `RULES`; a SQL file is one query of offending rows, named like the file, and a folder holds several.
    Errors: ConfigurationError naming the entry point or the file.
    """
    rules: list[ValidationRule] = []
    for entry in entry_points(group=ENTRY_POINTS):
        rules += _loaded(f"entry point {entry.name} = {entry.value} of {ENTRY_POINTS}", entry.load)
    if path is None:
        return rules
    if path.is_dir():
        files = sorted(path.glob("*.sql"))
        if not files:
            raise ConfigurationError(f"{_KEY} = {path}: the folder has no .sql file")
        return rules + [_sql_rule(file) for file in files]
    if not path.is_file():
        raise ConfigurationError(f"{_KEY} = {path}: there is no such file or folder")
    if path.suffix == ".sql":
        return [*rules, _sql_rule(path)]
    if path.suffix != ".py":
        raise ConfigurationError(f"{_KEY} = {path}: must be a .py file, a .sql file or a folder of .sql files")
    return rules + _loaded(f"{_KEY} = {path}", lambda: _python_rules(path))


def _sql_rule(path: Path) -> ValidationRule:
    """Return the rule of a SQL file; its first line may be a comment that says what the rule is."""
    text = path.read_text(encoding="utf-8").strip().rstrip(";")
    if not text:
        raise ConfigurationError(f"{_KEY}: {path} is empty")
    first = text.splitlines()[0]
    return SqlRule(path.stem, text, description=first.removeprefix("--").strip() if first.startswith("--") else "")


def _python_rules(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up
    sys.modules[_MODULE] = module
    spec.loader.exec_module(module)
    return module.RULES


def _loaded(where: str, load: Callable[[], object]) -> list[ValidationRule]:
    """Return what foreign code gives as rules. Errors: ConfigurationError saying where it is from."""
    try:
        found = load()
        if callable(found) and not _is_rule(found):
            found = found()
        rules = found if isinstance(found, (list, tuple)) else [found]
    except Exception as error:
        # foreign code may raise anything, and its author has to be told where it is from
        raise ConfigurationError(f"{where}: {type(error).__name__}: {error}") from error
    for rule in rules:
        if not _is_rule(rule):
            raise ConfigurationError(f"{where}: {rule!r} is no rule; it needs a name and a check(connection, year)")
    return list(rules)


def _is_rule(found: object) -> TypeGuard[ValidationRule]:
    if isinstance(found, type):
        return False
    return isinstance(getattr(found, "name", None), str) and callable(getattr(found, "check", None))
