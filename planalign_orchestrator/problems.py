"""What is wrong, in words: findings about settings, and the known word that an unknown one probably stands for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    """Return a key as users write it: simulation.random_seed."""
    return ".".join(path)


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known word that is most like `word`, in any case of letters; None if all are less like it.

    `cutoff` is a ratio of difflib: 0 for words with nothing in common, 1 for equal ones.
    """
    from difflib import get_close_matches

    by_lower_case = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(word.lower(), list(by_lower_case), n=1, cutoff=cutoff)
    return by_lower_case[close[0]] if close else None


def did_you_mean(word: object, known: Iterable[str], otherwise: str) -> str:
    """Return "did you mean `x`?" with the known word that is most like `word`, or `otherwise` if none is like it."""
    # false is no misspelled `fail`
    meant = None if isinstance(word, bool) else nearest(str(word), known)
    return f"did you mean `{meant}`?" if meant is not None else otherwise


def verdict_word(severity: str, passed: bool) -> str:
    """Return what a verdict is called: only a rule of severity error fails, the others warn or note."""
    return "passed" if passed else {"error": "failed", "warning": "warning"}.get(severity, "noted")


def verdicts_in_words(words: Sequence[str]) -> str:
    """Return how many verdicts there are of each word of `verdict_word`, gravest first, such as `1 of 33 failed`."""
    failed, warnings, noted = (words.count(word) for word in ("failed", "warning", "noted"))
    said = [f"{failed} of {len(words)} failed" if failed else f"{words.count('passed')} passed"]
    if warnings:
        said.append(f"{warnings} warning{'s' if warnings > 1 else ''}")
    if noted:
        said.append(f"{noted} noted")
    return ", ".join(said)
