"""The standard streams of the program: a reader that has gone away is no error, and a closed stream is an empty one."""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STREAMS = (0, 1, 2)


class _PatientFile(io.FileIO):
    """A file that drops what nobody can read any more: the other end of a pipe is closed, a terminal has hung up.

    Any other error, such as a full disk, is raised as ever.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._gone = {errno.EPIPE, errno.EIO} if self.isatty() else {errno.EPIPE}

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in self._gone:
                raise
            return memoryview(data).nbytes


def prepare() -> None:
    """Replace standard output and error by streams that outlive their readers.

    A descriptor that is closed at the start is opened on the null device first: otherwise the database could get its
    number, and what is printed would go into the database.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) in _STREAMS:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = _text_stream(1, sys.stdout)
    sys.stderr = _text_stream(2, sys.stderr)


def _text_stream(descriptor: int, before: TextIO | None) -> io.TextIOWrapper:
    """A stream on the descriptor with the encoding of the one before; what that cannot express is escaped."""
    raw = _PatientFile(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor == 2 or raw.isatty(),
    )
