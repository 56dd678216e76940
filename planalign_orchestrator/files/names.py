"""What the name of a file may be, told before anything is read or written."""

import os
from pathlib import PurePath

_LONGEST_NAME, _LONGEST_PATH = 255, 4095


def path_problem(text: str) -> str | None:
    """Say why no file of this system can have the path; None when one can. Lengths are in bytes."""
    if not text.strip():
        return "is empty; name a file or folder"
    if "\0" in text:
        return "contains a null byte; no file can have that name"
    if not is_text(text):
        return "has a name that is not valid UTF-8, which DuckDB cannot open; rename it"
    size = len(os.fsencode(text))
    if size > _LONGEST_PATH:
        return f"is a path of {size} bytes; {_LONGEST_PATH} are allowed"
    # `.` has no parts
    longest = max((len(os.fsencode(name)) for name in PurePath(text).parts), default=0)
    if longest > _LONGEST_NAME:
        return f"has a name of {longest} bytes; {_LONGEST_NAME} are allowed"
    return None


def is_text(text: str) -> bool:
    """Return whether the text holds no byte that Python could not read as UTF-8 and kept as a lone surrogate."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
