"""Fetches that name their topic by its id, so that another topic of the same name never answers.

Wrong: kafka-python fetches by name, although it knows the format that names the id (KIP-516, Kafka
    3.1). Where a topic is deleted and made anew between two fetches, the next one is answered with
    the new topic's records as if nothing had happened.
Issue: not reported.
Probe: `fits`; elsewhere the id is asked for after each fetch that brought records.
Until: kafka-python fetches by id, which `test_the_library_still_fetches_by_name` tells.
"""

import base64
import uuid
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.errors import InconsistentTopicIdError, UnknownTopicIdError
from kafka.protocol.consumer import FetchRequest

from stream.log.kafka.cluster.library import has_all, warn_unfit

BY_ID_VERSION: Final = 13
_ANOTHER_TOPIC: Final = (UnknownTopicIdError.errno, InconsistentTopicIdError.errno)


class TopicPin:
    """Makes a consumer of one topic fetch by that topic's id.

    Parameters
    ----------
    fetcher
        kafka-python's, of one consumer; only this one is changed.
    topic
        The topic's name.
    topic_id
        Its id, as Kafka's tools write it.

    Attributes
    ----------
    by_name
        Whether a broker has answered that takes only names.
    refused
        Whether the brokers do not know the topic since `take_refusal` was called last.
    """

    def __init__(self, fetcher: Any, topic: str, topic_id: str) -> None:
        self.by_name = False
        self.refused = False
        self._topic = topic
        self._topic_id = uuid.UUID(bytes=base64.urlsafe_b64decode(f"{topic_id}=="))
        self._create = fetcher._create_fetch_requests  # noqa: SLF001 - no public way
        self._handle = fetcher._handle_fetch_response  # noqa: SLF001 - the same
        fetcher._create_fetch_requests = self._requests  # noqa: SLF001 - the same
        fetcher._handle_fetch_response = self._answered  # noqa: SLF001 - the same

    def take_refusal(self) -> bool:
        """Return `refused` and forget it."""
        refused, self.refused = self.refused, False
        return refused

    def _requests(self) -> Any:
        requests = self._create()
        for request, _ in requests.values():
            request._max_version = BY_ID_VERSION  # noqa: SLF001 - the same
            for named in (*request.topics, *request.forgotten_topics_data):
                named.topic_id = self._topic_id
        return requests

    def _answered(self, *arguments: Any) -> None:
        response = arguments[-1]
        by_name = response.API_VERSION < BY_ID_VERSION
        self.by_name |= by_name
        for answer in () if by_name else response.responses:
            answer.topic = self._topic
            self.refused |= any(p.error_code in _ANOTHER_TOPIC for p in answer.partitions)
        self._handle(*arguments)


def pin_topic(consumer: KafkaConsumer, topic: str, topic_id: str) -> TopicPin | None:
    """Let `consumer`, which reads nothing but `topic`, fetch by `topic_id`.

    Returns
    -------
    None where the library has changed so that this cannot be done; nothing is touched then.
    """
    if not fits(consumer):
        warn_unfit("topic_pin", "the topic's id is asked for after each fetch")
        return None
    return TopicPin(consumer._fetcher, topic, topic_id)  # noqa: SLF001 - no public way


def fits(consumer: KafkaConsumer) -> bool:
    """Return whether `consumer` makes and reads fetches where that is replaced."""
    parts = ("_create_fetch_requests", "_handle_fetch_response")
    return (
        hasattr(FetchRequest, "_max_version")
        and FetchRequest.max_version >= BY_ID_VERSION
        and has_all(getattr(consumer, "_fetcher", None), *parts)
    )
