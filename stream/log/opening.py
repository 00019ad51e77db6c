"""Which log a URL means."""

import re
from pathlib import Path
from typing import Final

from stream.clock import Clock
from stream.errors import LogError
from stream.log.embedded import EmbeddedLog
from stream.log.interface import Log
from stream.log.kafka.settings import KafkaSettings
from stream.log.memory import MemoryLog

_BROKERS: Final = re.compile(r"[^\s,:/]+:\d{1,5}(,[^\s,:/]+:\d{1,5})*")


def open_log(url: str, clock: Clock, kafka: KafkaSettings | None = None) -> Log:
    """Open the log at `url`.

    Parameters
    ----------
    url
        ``embedded:DIR`` (topics as files in DIR, which is created where it is missing),
        ``kafka://HOST:PORT[,HOST:PORT…]`` (some brokers of a cluster) or ``memory:`` (gone when
        the process ends).
    clock
        Stamps what is appended (Kafka's brokers use their own) and times what waits.
    kafka
        How to connect to Kafka; None: in the clear, with patience for ordinary trouble.

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
        return _kafka_log(rest.removeprefix("//").removesuffix("/"), clock, kafka)
    raise LogError(f"{url!r} names no log: use embedded:DIR, for example embedded:run/log")


def _kafka_log(brokers: str, clock: Clock, settings: KafkaSettings | None) -> Log:
    if not _BROKERS.fullmatch(brokers):
        raise LogError(
            f"{brokers!r} names no brokers: use kafka://HOST:PORT,HOST:PORT, for example "
            "kafka://localhost:9092"
        )
    from stream.log.kafka.log import KafkaLog  # noqa: PLC0415 - takes long, for Kafka alone

    return KafkaLog(brokers, clock, settings)
