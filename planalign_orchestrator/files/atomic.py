"""Small files and copies that are written whole or not at all: under a draft's name first, then renamed.

The program makes new files private (`make_new_files_private`), because a database, its log, its spill folder and its
drafts hold people. What holds no person, such as a report, follows the umask of the user. A file that is replaced keeps
its mode and its group.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from planalign_orchestrator.errors import DatabaseError
from planalign_orchestrator.system import give_group

_PRIVATE_UMASK = 0o077
_DRAFT = re.compile(r"\.(?P<name>.+)\.(?P<process>[0-9]+)\.draft", re.DOTALL)


@dataclass
class _Process:
    """The umask that the user gave this process; None while new files simply follow the umask in force."""

    umask_of_user: int | None = None


_PROCESS = _Process()


def make_new_files_private() -> None:
    """Let no other user read what this process creates, except the files that `write_atomically` writes for people."""
    given = os.umask(_PRIVATE_UMASK)
    _PROCESS.umask_of_user = given
    os.umask(given | _PRIVATE_UMASK)


def write_atomically(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a small file for people under a temporary name and rename it: a reader sees what was there or what is new.

    With `private` nobody else may read it, even where the file that it replaces could be read. The folder is made if
    missing. A link stays, and the file that it names is replaced; a device or a folder never is. Errors:
    DatabaseError when it cannot be written.
    """
    try:
        real = real_path(path)
        if real.exists() and not real.is_file():
            raise DatabaseError(f"cannot write {path}: it is no file")
        make_folder(real.parent)
        with _draft(real, 0o666) as draft:
            if isinstance(content, str):
                content = content.encode()
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if private:
                draft.chmod(0o600)
            elif real.exists():
                copy_access(real, draft)
            else:
                follow_umask(draft)
            draft.replace(real)
    except OSError as error:
        raise DatabaseError(f"cannot write {path}: {failure_reason(error, 'place')}") from error


@contextmanager
def draft_copy(source: Path, target: Path) -> Iterator[Path]:
    """Yield a copy of a file, safe on the disk under a temporary name beside `target`, for the block to rename.

    It has the mode and the group of the file that is replaced, or else of the source. What the block has not renamed is
    removed. Nothing may have the source open as a database. Errors: DatabaseError when the copy cannot be written.
    """
    import shutil

    try:
        with _draft(target, 0o600) as draft:
            shutil.copyfile(source, draft)
            copy_access(target if target.exists() else source, draft)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            yield draft
    except OSError as error:
        raise DatabaseError(f"cannot write {target}: {failure_reason(error)}") from error


def publish_new(draft: Path, path: Path) -> None:
    """Give a draft its name, unless a file of that name has appeared meanwhile: that one is somebody's.

    Errors: DatabaseError. Where the file system has no hard links, the last moment is not guarded.
    """
    try:
        path.hardlink_to(draft)
    except FileExistsError as error:
        raise DatabaseError(f"{path} was made by another process meanwhile; nothing was replaced") from error
    except OSError:
        draft.replace(path)
    else:
        draft.unlink()


def real_path(path: Path) -> Path:
    """Return the absolute path of the file itself, where links lead to it; a circle of links leads to one of them."""
    return Path(os.path.realpath(path))


def copy_access(source: Path, target: Path) -> None:
    """Give a file of this user the mode and the group of another; without that group, nothing to any group."""
    wanted = source.stat()
    mode = stat.S_IMODE(wanted.st_mode) & 0o777 | stat.S_IWUSR
    if target.stat().st_gid != wanted.st_gid:
        try:
            give_group(target, wanted.st_gid)
        except PermissionError:
            mode &= ~stat.S_IRWXG
    target.chmod(mode)


def follow_umask(path: Path) -> None:
    """Give a new file that holds no person the mode that the user's umask gives it."""
    if _PROCESS.umask_of_user is not None:
        path.chmod(0o666 & ~_PROCESS.umask_of_user)


def make_folder(folder: Path) -> None:
    """Make a folder for people and the missing ones above it, with the modes that the user's umask gives them."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    if _PROCESS.umask_of_user is not None:
        folder.chmod(0o777 & ~_PROCESS.umask_of_user)


def draft_of(path: Path) -> Path:
    """Return the name under which this process writes a file before it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}.draft")


@contextmanager
def _draft(path: Path, mode: int) -> Iterator[Path]:
    """Yield an empty file of this process's own under a draft's name; it is gone after the block, unless renamed."""
    draft = draft_of(path)
    try:
        # what has this name already is a leftover or a trap: it is removed, never opened
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield draft
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def remove_drafts(folder: Path, is_ours: Callable[[str], bool]) -> None:
    """Remove the drafts that a killed process left in a folder, of the files whose names `is_ours` confirms."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        found = _DRAFT.fullmatch(path.name)
        if found and is_ours(found["name"]) and path.is_file() and not is_alive(int(found["process"])):
            path.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Return whether another process has this number; one that has ended and waits for its parent has not."""
    try:
        if Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2][1:2] == "Z":
            return False
    except OSError:
        # another system, or no such process: the next question tells
        pass
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return process != os.getpid()


def failure_reason(error: OSError, place: str = "--database") -> str:
    """Return why the operating system refused to write, and what to do about it: choose another `place`."""
    known = {
        errno.EACCES: f"the folder may not be written; choose another {place}",
        errno.EROFS: f"the folder is read-only; choose another {place}",
        errno.ENOENT: f"the folder does not exist; make it or choose another {place}",
        errno.ENOSPC: "the disk is full; free some space",
        errno.EFBIG: "the disk is full or files may not grow; free some space",
        errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    }
    return known.get(error.errno or 0, error.strerror or str(error))
