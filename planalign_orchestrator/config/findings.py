"""What is wrong with a value: how a rule says it, and how Pydantic's errors are said in the same words."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

KeyPath = tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong; `keys` are the settings it is about, relative to the value that was refused."""

    text: str
    keys: tuple[KeyPath, ...] = ((),)

    @property
    def at(self) -> str:
        """The dotted key of the first setting it is about."""
        return dotted(self.keys[0])


class RefusedError(ValueError):
    """A value that a rule does not accept, with every reason."""

    def __init__(self, findings: Iterable[Finding] | str) -> None:
        self.findings = (Finding(findings),) if isinstance(findings, str) else tuple(findings)
        super().__init__("; ".join(finding.text for finding in self.findings))


def dotted(path: KeyPath) -> str:
    """`path` as users write it: simulation.random_seed."""
    return ".".join(path)


def findings_of(error: ValidationError) -> list[Finding]:
    """Every finding of a failed validation, with its keys from the top of the configuration."""
    return [finding for details in error.errors(include_url=False) for finding in _findings_in(details)]


def _findings_in(details: ErrorDetails) -> list[Finding]:
    path = tuple(str(part) for part in details["loc"])
    refused = details.get("ctx", {}).get("error")
    if isinstance(refused, RefusedError):
        return [Finding(found.text, tuple(path + key for key in found.keys)) for found in refused.findings]
    if details["type"] == "missing":
        text = f"is required and missing; add it to the file, or give it with --set {dotted(path)}=..."
    elif details["type"] == "literal_error":
        text = _choice_text(details["ctx"]["expected"], details["input"])
    else:
        text = details["msg"]
    return [Finding(text, (path,))]


def _choice_text(expected: str, value: object) -> str:
    """`expected` is Pydantic's list of the choices: 'exact' or 'stochastic'."""
    close = get_close_matches(str(value), expected.split("'")[1::2], n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return f"must be {expected.replace(chr(39), '`')}{hint}"
