"""Names that come from a file: a stranger may have chosen them."""


def quoted(name: str) -> str:
    """Return SQL for an identifier, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'
