"""Opening of the log that a URL names."""

from contextlib import suppress
from pathlib import Path

from stream.address import Address
from stream.clock import Clock
from stream.errors import LogError
from stream.log.embedded.log import EmbeddedLog
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Log
from stream.log.kafka.cluster.settings import KafkaSettings


def open_log(url: str, clock: Clock, kafka: KafkaSettings | None = None) -> Log:
    """Open the log at `url`.

    Parameters
    ----------
    url
        ``embedded:DIR`` (topics as files in DIR, which is created with the first one),
        ``kafka://HOST:PORT[,HOST:PORT…]`` (some brokers of a cluster; IPv6 as ``[::1]:9092``) or
        ``memory:`` (gone when the process ends).
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
    raise LogError(f"{url!r} names no log: {_remedy(url)}")


def _remedy(url: str) -> str:
    """Return what to write instead: most often only the beginning is missing."""
    with suppress(ValueError):
        brokers = ",".join(str(Address.parse(part)) for part in url.rsplit("//", 1)[-1].split(","))
        return f"use kafka://{brokers} for these brokers of Kafka, or embedded:DIR for files"
    return "use embedded:DIR, for example embedded:run/log, or kafka://HOST:PORT"


def _kafka_log(brokers: str, clock: Clock, settings: KafkaSettings | None) -> Log:
    try:
        addresses = [Address.parse(part) for part in brokers.split(",")]
    except ValueError as error:
        raise LogError(
            f"{brokers!r} names no brokers: {error}. Use kafka://HOST:PORT,HOST:PORT, for example "
            "kafka://localhost:9092"
        ) from None
    from stream.log.kafka.log import KafkaLog  # noqa: PLC0415 - takes long, for Kafka alone

    return KafkaLog(",".join(map(str, addresses)), clock, settings)
