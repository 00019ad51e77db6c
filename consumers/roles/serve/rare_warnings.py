"""Keeps callers from filling the log: what they can cause with every request is told rarely."""

import logging
from typing import Final

from stream.clock import Clock, Periodic

SERVER_LOGGER: Final = "uvicorn.error"
EVERY_SECONDS: Final = 60.0


class RareWarnings(logging.Filter):
    """Lets a warning of the server through once a minute, with how many were kept back since.

    Errors, and what is below a warning, pass.

    Parameters
    ----------
    clock
        Tells the minutes.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._next: dict[str, Periodic] = {}
        self._kept_back: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record may pass."""
        if record.levelno != logging.WARNING:
            return True
        # By what is written in the server's code: there are as many of these as it has warnings.
        kind = str(record.msg)
        if not self._next.setdefault(kind, Periodic(self._clock, EVERY_SECONDS)).due():
            self._kept_back[kind] = self._kept_back.get(kind, 0) + 1
            return False
        if kept_back := self._kept_back.pop(kind, 0):
            record.msg = f"{record.getMessage()} ({kept_back} more since this was told last)"
            record.args = None
        return True

    def begin(self) -> None:
        """Look at the server's warnings from now on."""
        logging.getLogger(SERVER_LOGGER).addFilter(self)

    def end(self) -> None:
        """Look at them no more."""
        logging.getLogger(SERVER_LOGGER).removeFilter(self)
