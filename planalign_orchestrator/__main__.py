"""The process `planalign`, which is also `python -m planalign_orchestrator`."""

import os
import sys
from contextlib import suppress

from planalign_orchestrator import signals, streams


def program() -> None:
    """Run `main` and leave at once.

    Files, connections and threads are done with by then, and taking the interpreter apart object by object takes a
    twentieth of a small company's run.
    """
    as_json = "--json" in sys.argv
    try:
        signals.install(as_json=as_json)
        streams.prepare()
        # Imported here, so that an interrupt while the program is still loading ends as any other.
        from planalign_orchestrator.cli import main
        from planalign_orchestrator.files.atomic import make_new_files_private

        make_new_files_private()
        main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt:
        _tell_of_interrupt(as_json)
        code = signals.INTERRUPTED
    signals.ignore()
    _leave(code)


def _tell_of_interrupt(as_json: bool) -> None:
    document = f'{{"error": "Interrupted.", "type": "CommandInterruptedError", "exit_code": {signals.INTERRUPTED}}}'
    sys.stderr.write(f"{document if as_json else 'Interrupted.'}\n")


def _leave(code: int) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError as error:
        # Standard error may be what cannot be written; then the exit code alone tells.
        if code == 0:
            with suppress(OSError):
                os.write(2, f"Error: the output cannot be written: {error.strerror}\n".encode())
        code = code or 1
    os._exit(code)


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # `python -m` puts the folder of the user's project first, where a file may have the name of a package
        del sys.path[0]
    program()
