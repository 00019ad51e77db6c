"""The broker that the benchmark reads from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.kafka_broker import kafka_cluster

# Unlike a broker for tests this one is compiled well, and keeps everything that it is given.
_JAVA: Final = ("-Xms1g", "-Xmx1g", "-XX:+UseSerialGC", "-Djava.awt.headless=true")


@contextmanager
def benchmark_cluster(servers: str | None, directory: Path | None) -> Iterator[str]:
    """Return the servers that were given, or those of a broker that runs while the block does."""
    if servers is not None:
        yield servers
        return
    with kafka_cluster(java_options=_JAVA, directory=directory) as cluster:
        yield cluster.bootstrap_servers
