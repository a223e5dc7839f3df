"""``python -m taskengine.cli``: how the command line starts itself for the processes of a stack."""

from taskengine.cli import main

if __name__ == "__main__":
    main()
