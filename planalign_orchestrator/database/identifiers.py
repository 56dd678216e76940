"""Names and texts that come from a file: a stranger may have chosen them."""


def quoted(name: str) -> str:
    """Return SQL for an identifier of any characters."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """Return SQL for a text, where a statement takes no parameter."""
    return "'" + text.replace("'", "''") + "'"
