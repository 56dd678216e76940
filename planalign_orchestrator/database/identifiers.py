"""Names that come from a file: a stranger may have chosen them."""


def quoted(name: str) -> str:
    """Return SQL for an identifier, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'


def printable(text: str) -> str:
    """Return the text with its control characters and other invisible ones as escapes, for a message."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
