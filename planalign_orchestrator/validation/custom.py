"""Rules that users bring: from installed packages, and from the file or folder that the configuration names."""

import ast
import importlib.util
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeGuard

from planalign_orchestrator.errors import ConfigurationError
from planalign_orchestrator.validation.results import ValidationRule
from planalign_orchestrator.validation.rules import SqlRule
from planalign_orchestrator.validation.statements import single_select

ENTRY_POINTS = "planalign.validation_rules"
_MODULE = "planalign_custom_rules"
_KEY = "validation.custom_rules_file"


def custom_rules(path: Path | None) -> list[ValidationRule]:
    """Return the rules of installed packages and those of `path`, in that order; the code among them is executed.

    An entry point is a rule, a list of rules, or a function or class without arguments that returns either. A Python
    file has a list `RULES`; a SQL file is one query of offending rows, named like the file, and a folder holds several.
    Errors: ConfigurationError naming the entry point or the file.
    """
    rules: list[ValidationRule] = []
    for entry in _entries():
        rules += _loaded(_named(entry), entry.load)
    if path is None:
        return rules
    if _is_code(path):
        return rules + _loaded(f"{_KEY} = {path}", lambda: _python_rules(path))
    return rules + _queries(path)


def rules_without_executing(path: Path | None) -> tuple[list[ValidationRule], list[str]]:
    """Return those rules of `path` that are queries, and where the ones are that only executing code would tell.

    Errors: ConfigurationError as for `custom_rules`, but of code only where it cannot be parsed.
    """
    code = [_named(entry) for entry in _entries()]
    if path is None:
        return [], code
    if not _is_code(path):
        return _queries(path), code
    try:
        ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError) as error:
        raise ConfigurationError(f"{_KEY} = {path}: {type(error).__name__}: {error}") from error
    return [], [*code, f"{_KEY} = {path}"]


def _entries() -> list[EntryPoint]:
    return list(entry_points(group=ENTRY_POINTS))


def _named(entry: EntryPoint) -> str:
    return f"entry point {entry.name} = {entry.value} of {ENTRY_POINTS}"


def _is_code(path: Path) -> bool:
    """Whether the path is a Python file. Errors: ConfigurationError for one that cannot hold rules."""
    if path.is_dir():
        return False
    if not path.is_file():
        raise ConfigurationError(f"{_KEY} = {path}: there is no such file or folder")
    if path.suffix not in (".py", ".sql"):
        raise ConfigurationError(f"{_KEY} = {path}: must be a .py file, a .sql file or a folder of .sql files")
    return path.suffix == ".py"


def _queries(path: Path) -> list[ValidationRule]:
    """Return the rules of a SQL file or of a folder. Errors: ConfigurationError with what is wrong with each file."""
    files = sorted(path.glob("*.sql")) if path.is_dir() else [path]
    if not files:
        raise ConfigurationError(f"{_KEY} = {path}: the folder has no .sql file")
    rules: list[ValidationRule] = []
    problems: list[str] = []
    for file in files:
        try:
            rules.append(_sql_rule(file))
        except (OSError, ValueError) as error:
            problems.append(f"{_KEY}: {file}: {error}")
    if problems:
        raise ConfigurationError(problems)
    return rules


def _sql_rule(path: Path) -> SqlRule:
    """Return the rule of a SQL file; its first line may be a comment that says what the rule is."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text; save it as UTF-8") from error
    query = single_select(text)
    first = text.strip().splitlines()[0]
    return SqlRule(path.stem, query, description=first.removeprefix("--").strip() if first.startswith("--") else "")


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
        wrong = [repr(rule) for rule in rules if not _is_rule(rule)]
    except (Exception, SystemExit) as error:
        # foreign code may raise anything, and its author has to be told where it is from
        raise ConfigurationError(f"{where}: {type(error).__name__}: {error}") from error
    if wrong:
        raise ConfigurationError(f"{where}: {wrong[0]} is no rule; it needs a name and a check(connection, year)")
    return list(rules)


def _is_rule(found: object) -> TypeGuard[ValidationRule]:
    if isinstance(found, type):
        return False
    return isinstance(getattr(found, "name", None), str) and callable(getattr(found, "check", None))
