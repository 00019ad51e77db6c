"""Find out whether a state directory agrees with itself."""

from pathlib import Path


def check(path: Path) -> list[str]:
    """Return what is wrong with the state or checkpoint in `path`, in plain words; [] if nothing.

    Opens it read-only: run it on a checkpoint, or on a state that nobody has open.
    """
    raise NotImplementedError
