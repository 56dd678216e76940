"""Ids that cannot be traced back: a keyed hash, whose key lies in a file of its own and never in a database."""

import os
import secrets
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.records import CensusSource
from planalign_orchestrator.errors import CensusError

if TYPE_CHECKING:
    import duckdb

# Beside the configuration.
KEY_FILE: Final = "planalign_id.key"
_KEY_BYTES: Final = 32
# 96 bits: among a million people two share a hash once in 10^17 censuses.
_LENGTH: Final = 24
_VARIABLE: Final = "planalign_id_key"


def set_id_key(connection: "duckdb.DuckDBPyConnection", source: CensusSource, *, create: bool) -> None:
    """Give the connection the key for as long as `forget_id_key` is not called, if ids are hashed.

    A key that is not there is made with `create`, readable for this user alone; else one is drawn for this time only.
    Raises CensusError for a file that holds no key or cannot be read or written.
    """
    if source.hash_ids:
        connection.execute(f"set variable {_VARIABLE} = '{_key(source, create=create)}'")


def forget_id_key(connection: "duckdb.DuckDBPyConnection") -> None:
    """Take the key away from the connection."""
    connection.execute(f"reset variable {_VARIABLE}")


def hashed(employee_id: str) -> str:
    """Return SQL for the hash of an id: the key goes into both rounds, so that nobody can extend a text."""
    key = f"getvariable('{_VARIABLE}')"
    return f"left(sha256({key} || sha256({key} || {employee_id})), {_LENGTH})"


def _key(source: CensusSource, *, create: bool) -> str:
    if source.id_key is None:
        raise CensusError(
            "census.hash_ids needs a configuration file, beside which the key lies", source=str(source.path)
        )
    try:
        if not source.id_key.exists():
            key = secrets.token_hex(_KEY_BYTES)
            if create:
                descriptor = os.open(source.id_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    file.write(f"{key}\n")
            return key
        key = source.id_key.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CensusError(
            f"the key of census.hash_ids cannot be used ({source.id_key}): {error}", source=str(source.path)
        ) from error
    if len(key) != 2 * _KEY_BYTES or set(key) - set("0123456789abcdef"):
        raise CensusError(
            f"{source.id_key} holds no key of census.hash_ids: restore it from a copy", source=str(source.path)
        )
    return key
