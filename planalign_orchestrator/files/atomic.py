"""Small files and copies that are written whole or not at all: under a draft's name first, then renamed."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from planalign_orchestrator.errors import DatabaseError

_DRAFT = ".draft"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a small file under a temporary name and rename it: a reader sees what was there or what is new.

    The folder is made if missing. Errors: DatabaseError when it cannot be written.
    """
    _check_replaceable(path)
    draft = draft_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise DatabaseError(f"cannot write {path}: {failure_reason(error)}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def draft_copy(source: Path, target: Path) -> Iterator[Path]:
    """Yield a copy of a file, safe on the disk under a temporary name beside `target`, for the block to rename.

    What the block has not renamed is removed. Nothing may have the source open as a database. Errors: DatabaseError
    when the copy cannot be written.
    """
    _check_replaceable(target)
    draft = draft_of(target)
    try:
        draft.touch(mode=0o600)
        shutil.copyfile(source, draft)
        draft.chmod(source.stat().st_mode & 0o777 | 0o200)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        yield draft
    except OSError as error:
        raise DatabaseError(f"cannot write {target}: {failure_reason(error)}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _check_replaceable(path: Path) -> None:
    """The rename would put a file in the place of a device such as /dev/null, for everybody on the machine."""
    try:
        is_other = path.exists() and not path.is_file()
    except OSError as error:
        raise DatabaseError(f"cannot write {path}: {failure_reason(error)}") from error
    if is_other:
        raise DatabaseError(f"cannot write {path}: it is a folder, a pipe or a device; name a file")


def draft_of(path: Path) -> Path:
    """Return the name under which this process writes a file before it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}{_DRAFT}")


def remove_drafts(folder: Path) -> None:
    """Remove the drafts of `write_atomically` that a killed process left in a folder."""
    for draft in folder.glob(f".*{_DRAFT}"):
        process = draft.name.removesuffix(_DRAFT).rpartition(".")[2]
        if process.isdecimal() and not _is_alive(int(process)):
            draft.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()


def failure_reason(error: OSError) -> str:
    """Return why the operating system refused to write, and what to do about it."""
    known = {
        errno.EACCES: "the folder may not be written; choose another --database",
        errno.EROFS: "the folder is read-only; choose another --database",
        errno.ENOENT: "the folder does not exist; make it or choose another --database",
        errno.ENOSPC: "the disk is full; free some space",
        errno.EFBIG: "the disk is full or files may not grow; free some space",
    }
    return known.get(error.errno or 0, error.strerror or str(error))
