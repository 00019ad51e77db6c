"""Members of a group that are polled until they have their partitions."""

import time
from typing import Final

from stream.log.kafka.reading.reader import KafkaReader

PATIENCE_SECONDS: Final = 20


def poll_until(reader: KafkaReader, assignment: tuple[int, ...]) -> None:
    """Poll until `reader` has `assignment`; what the brokers know is asked for at once."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while reader.assignment != assignment:
        assert time.monotonic() < deadline
        # Asks for what else would come within minutes.
        reader._session._consumer._client.cluster.request_update()  # noqa: SLF001
        reader.poll(100, 0.01)
