"""Which log a URL means."""

from pathlib import Path

from stream.clock import Clock
from stream.errors import LogError
from stream.log.embedded import EmbeddedLog
from stream.log.interface import Log
from stream.log.memory import MemoryLog


def open_log(url: str, clock: Clock) -> Log:
    """Open the log at `url`.

    Parameters
    ----------
    url
        ``embedded:DIR`` (topics as files in DIR, which is created where it is missing) or
        ``memory:`` (gone when the process ends).
    clock
        Stamps what is appended and times what waits.

    Raises
    ------
    LogError
        No log is known by this URL.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "embedded" and rest:
        return EmbeddedLog(Path(rest), clock)
    if scheme == "memory" and not rest:
        return MemoryLog(clock)
    if scheme == "kafka":
        raise LogError("kafka:// needs the Kafka log, which this build does not have")
    raise LogError(f"{url!r} names no log: use embedded:DIR, for example embedded:run/log")
