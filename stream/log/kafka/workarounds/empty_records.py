"""Records without key and without value.

Wrong: `KafkaProducer.send` refuses a record that lacks both, which Kafka itself takes.
Issue: not reported.
Probe: none is needed: serializers are public.
Until: `send` takes such records.
"""

from kafka import Serializer


class Boxed(Serializer):  # type: ignore[misc] # kafka-python is untyped
    """Takes keys and values in 1-tuples, which are never missing."""

    def serialize(self, topic: str, headers: object, data: tuple[bytes | None]) -> bytes | None:  # noqa: ARG002 - the library's signature
        """Return what is in the box."""
        return data[0]
