"""Send clicks to gsr with confluent-kafka.

    python produce_clicks_confluent.py 127.0.0.1:9092 < clicks.txt

Each line of the input is a user id and an item id; a user id alone forgets the user.
"""

import json
import sys
import time
import uuid

from confluent_kafka import KafkaError, KafkaException, Message, Producer


class ClickProducer:
    """Sends clicks in the background; `close` waits for them and says how many were lost."""

    def __init__(self, servers: str, topic: str = "clicks") -> None:
        self._topic = topic
        self.lost = 0
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                # A user's clicks must lie in the partition that Java clients choose. librdkafka
                # has another rule unless it is told.
                "partitioner": "murmur2_random",
                # The broker keeps each click once, in order, whatever has to be sent again.
                "enable.idempotence": True,
                "compression.type": "zstd",
                "linger.ms": 20,
            }
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
        self._send(user_id, json.dumps(value))

    def forget(self, user_id: str) -> None:
        """Have all that is known of a user deleted."""
        self._send(user_id, None)

    def _send(self, user_id: str, value: str | None) -> None:
        while True:
            try:
                self._producer.produce(self._topic, value, user_id, on_delivery=self._delivered)
            except BufferError:
                # The broker is slower than this program, or away: wait for room.
                self._producer.poll(0.5)
            except KafkaException as error:
                self._failed(user_id, error)
                return
            else:
                self._producer.poll(0)
                return

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed(message.key(), error)

    def _failed(self, user_id: str | bytes | None, error: object) -> None:
        self.lost += 1
        print(f"a click of {user_id!r} is lost: {error}", file=sys.stderr)

    def close(self, seconds: float = 30.0) -> int:
        """Wait until the broker has everything; return how many clicks it did not get."""
        if self._producer.flush(seconds):
            # Give up what is still unsent, and tell `_delivered` so.
            self._producer.purge()
            self._producer.flush()
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
