"""`python -m planalign_orchestrator` is the program `planalign`."""

from planalign_orchestrator.cli import main

if __name__ == "__main__":
    main()
