"""What operating systems do in different ways: users and groups, memory, and groups of processes.

Windows is type-checked only: the program has never been run there.
"""

import os
import signal
import sys
from pathlib import Path

if sys.platform == "win32":
    import ctypes

    class _MemoryStatus(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "page", "free_page", "virtual", "free_virtual")),
            ("extended", ctypes.c_ulonglong),
        )

    def user_id() -> int:
        """Return the number of the user, as `stat` gives it for files of this user: always 0."""
        return 0

    def memory_bytes() -> int:
        """Return the memory of the machine."""
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total)

    def give_group(path: Path, group: int) -> None:
        """Give a file to a group: there are none here."""

    def interrupt_group(process: int) -> None:
        """Interrupt a process and those it started, if it began a group of its own."""
        os.kill(process, signal.CTRL_BREAK_EVENT)

    def kill_group(process: int) -> None:
        """End a process by force."""
        os.kill(process, signal.SIGTERM)

    def kill_own_group(exit_code: int) -> None:
        """End this process by force."""
        os._exit(exit_code)

else:

    def user_id() -> int:
        """Return the number of the user, as `stat` gives it for files of this user."""
        return os.getuid()

    def memory_bytes() -> int:
        """Return the memory of the machine."""
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    def give_group(path: Path, group: int) -> None:
        """Give a file to a group. Errors: PermissionError when this user is not in it."""
        os.chown(path, -1, group)

    def interrupt_group(process: int) -> None:
        """Interrupt a process that began a group of its own, and those it started. Errors: ProcessLookupError."""
        os.killpg(process, signal.SIGINT)

    def kill_group(process: int) -> None:
        """End such a process by force, and those it started. Errors: ProcessLookupError."""
        os.killpg(process, signal.SIGKILL)

    def kill_own_group(exit_code: int) -> None:
        """End this process by force, and those it started if it began a group of its own."""
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(exit_code)
