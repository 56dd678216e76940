"""Makes visible what a terminal would obey instead of showing: a client's file may hold anything.

Without it an id could recolour the screen, hide a line or reverse the digits of an amount.
"""

import json
import re
from typing import Any

# C1 controls, DEL, marks that change the direction of text, and bytes of a name that are no text
_OTHERS = "\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE = re.compile(f"[\x00-\x09\x0b-\x1f{_OTHERS}]")
_UNSAFE_IN_JSON = re.compile(f"[{_OTHERS}]")
_NAMED = {"\t": r"\t", "\r": r"\r"}


def visible(text: str) -> str:
    r"""`text` with every control character but the line feed as an escape, such as \x1b or \u202e.

    A byte that is no UTF-8, which Python keeps as a lone surrogate, becomes \xff. Escaped text stays as it is.
    """
    return text if text.isprintable() else _UNSAFE.sub(lambda found: _escape(found[0]), text)


def visible_line(text: str) -> str:
    r"""As `visible`, with a line feed as \n: what is to stay on one line, such as the cell of a table."""
    return visible(text).replace("\n", r"\n")


def visible_json(document: Any, *, indent: int | None = None) -> str:
    r"""The document as JSON that may be shown anywhere: \u009b instead of a control character; dates and paths as text.

    A reader gets the same values.
    """
    text = json.dumps(document, indent=indent, ensure_ascii=False, default=str)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
