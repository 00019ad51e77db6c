"""Send clicks to gsr with kafka-python.

    python produce_clicks_kafka_python.py 127.0.0.1:9092 < clicks.txt

Each line of the input is a user id and an item id; a user id alone forgets the user.
"""

import json
import sys
import time
import uuid

from kafka import KafkaProducer
from kafka.errors import KafkaError


class ClickProducer:
    """Sends clicks in the background; `close` waits for them and says how many were lost."""

    def __init__(self, servers: str, topic: str = "clicks") -> None:
        self._topic = topic
        self.lost = 0
        # Its partitioner is that of Java clients, as gsr needs it; and it is idempotent: the
        # broker keeps each click once, in order, whatever has to be sent again.
        self._producer = KafkaProducer(
            bootstrap_servers=servers,
            compression_type="gzip",
            linger_ms=20,
        )

    def click(self, user_id: str, item_id: str, event: str = "click") -> None:
        """Send a click that happens now; `event` is one of gsr's `events.weights`."""
        value = {
            "user_id": user_id,
            "item_id": item_id,
            "timestamp": time.time(),
            "event": event,
            # A click that this program sends twice counts once.
            "event_id": str(uuid.uuid4()),
        }
        self._send(user_id, json.dumps(value).encode())

    def forget(self, user_id: str) -> None:
        """Have all that is known of a user deleted."""
        self._send(user_id, None)

    def _send(self, user_id: str, value: bytes | None) -> None:
        try:
            # Waits up to `max_block_ms` for the topic and for room.
            sent = self._producer.send(self._topic, value, user_id.encode())
        except KafkaError as error:
            self._failed(user_id, error)
        else:
            sent.add_errback(lambda error: self._failed(user_id, error))

    def _failed(self, user_id: str, error: BaseException) -> None:
        self.lost += 1
        print(f"a click of {user_id!r} is lost: {error}", file=sys.stderr)

    def close(self, seconds: float = 30.0) -> int:
        """Wait until the broker has everything; return how many clicks it did not get."""
        # What is still unsent then is given up, and told to `_failed`.
        self._producer.close(timeout=seconds)
        return self.lost


def main(servers: str) -> int:
    """Send the clicks of standard input; return 1 if any were lost."""
    producer = ClickProducer(servers)
    for line in sys.stdin:
        match line.split():
            case [user_id, item_id]:
                producer.click(user_id, item_id)
            case [user_id]:
                producer.forget(user_id)
    return 1 if producer.close() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
