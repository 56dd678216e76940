"""The process `planalign`, which is also `python -m planalign_orchestrator`."""

import os
import sys

from planalign_orchestrator.cli import main


def program() -> None:
    """Run `main` and leave at once.

    Files, connections and threads are done with by then, and taking the interpreter apart object by object takes a
    twentieth of a small company's run.
    """
    try:
        main()
    except SystemExit as leaving:
        if not isinstance(leaving.code, int):
            raise
        try:
            for stream in (sys.stdout, sys.stderr):
                print(end="", file=stream, flush=True)
        except OSError:
            # there is text that cannot be written: the interpreter says so, and leaves with a code of its own
            raise leaving from None
        os._exit(leaving.code)


if __name__ == "__main__":
    program()
