"""A topic that is deleted and made anew under a reader: nothing of the new one is ever read."""

import base64
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.errors import UnknownTopicIdError

from stream.clock import SystemClock
from stream.errors import LogUnavailableError
from stream.log.interface import Log, Outgoing, Reader, TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.reading import session
from stream.log.kafka.workarounds.topic_pin import BY_ID_VERSION, pin_topic
from tests.kafka_broker import KafkaAddress

PATIENCE_SECONDS = 30.0


@pytest.fixture
def log(kafka_broker: KafkaAddress) -> Iterator[KafkaLog]:
    settings = KafkaSettings(timeout_seconds=3.0)
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock(), settings)
    yield log
    log.close()


@pytest.fixture
def admin(kafka_broker: KafkaAddress) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)
    yield client
    client.close()


def fresh(log: Log) -> str:
    """Return the name of a new topic."""
    name = f"pin-{uuid.uuid4().hex[:8]}"
    log.create_topic(TopicSpec(name=name))
    return name


def make_anew(log: Log, admin: KafkaAdminClient, topic: str) -> None:
    """Delete a topic and create another one of its name, which holds ten times as much."""
    before = log.topic_ids([topic])
    admin.delete_topics([topic])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while log.topic_ids([topic]) in (before, {}):
        assert time.monotonic() < deadline
        log.create_topic(TopicSpec(name=topic))
    writer = log.writer(topic)
    writer.append([Outgoing(b"k", b"new") for _ in range(100)])
    writer.close()


def read_until_refused(reader: Reader) -> list[bytes | None]:
    """Return what comes until the reader says that its topic is gone."""
    values: list[bytes | None] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            for batch in reader.poll(1000, 0.2):
                values += batch.values
        except LogUnavailableError as error:
            assert "deleted" in str(error)  # noqa: PT017 - what came before it counts as well
            return values
    pytest.fail("the reader goes on")


@pytest.mark.kafka
@pytest.mark.parametrize("pinned", [True, False], ids=["by id", "asked after each fetch"])
def test_nothing_of_a_topic_made_anew_is_read(
    log: KafkaLog, admin: KafkaAdminClient, monkeypatch: pytest.MonkeyPatch, *, pinned: bool
) -> None:
    """Records of another topic at the same offsets would be taken for the next clicks."""
    if not pinned:
        monkeypatch.setattr(session, "pin_topic", lambda *_: None)
    topic = fresh(log)
    log.writer(topic).append([Outgoing(b"k", b"old") for _ in range(10)])
    reader = log.reader(topic)
    values: list[bytes | None] = []
    while len(values) < 10:
        for batch in reader.poll(1000, 0.2):
            values += batch.values
    make_anew(log, admin, topic)
    assert read_until_refused(reader) == []
    assert values == [b"old"] * 10
    fresh_reader = log.reader(topic)
    assert sum(len(batch) for batch in fresh_reader.poll(1000, PATIENCE_SECONDS)) > 0


@pytest.mark.kafka
def test_a_deleted_topic_stays_deleted_while_clients_ask_for_it(
    log: KafkaLog, admin: KafkaAdminClient
) -> None:
    """A broker that makes topics of questions would bring it back with its own defaults."""
    topic = fresh(log)
    reader, writer = log.reader(topic), log.writer(topic)
    writer.append([Outgoing(b"k", b"v")])
    assert len(reader.poll(10, PATIENCE_SECONDS)) == 1
    admin.delete_topics([topic])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while log.topic_ids([topic]):
        assert time.monotonic() < deadline
    assert read_until_refused(reader) == []
    with pytest.raises(LogUnavailableError, match=topic):
        writer.append([Outgoing(b"k", b"v")])
    assert log.topic_ids([topic]) == {}


def test_the_library_still_fetches_by_name() -> None:
    """Where it fetches by id itself, `TopicPin` has nothing to do and can go."""
    from kafka.consumer.fetcher import Fetcher  # noqa: PLC0415 - looked at, not used

    constants = Fetcher._create_fetch_requests.__code__.co_consts  # noqa: SLF001 - no public way
    assert BY_ID_VERSION - 1 in constants


class _Fetcher:
    """What a pin changes, with one answer."""

    def __init__(self, version: int, error_code: int) -> None:
        partitions = [SimpleNamespace(error_code=error_code)]
        answer = SimpleNamespace(topic=None, partitions=partitions)
        self.answer: Any = SimpleNamespace(API_VERSION=version, responses=[answer])
        named = SimpleNamespace(topic_id=None)
        self.request: Any = SimpleNamespace(
            topics=[named], forgotten_topics_data=[], _max_version=12
        )

    def _create_fetch_requests(self) -> Any:
        return {1: (self.request, {})}

    def _handle_fetch_response(self, *answer: object) -> None:
        pass


@pytest.mark.parametrize(
    ("version", "error_code", "by_name", "refused"),
    [
        (BY_ID_VERSION, 0, False, False),
        (BY_ID_VERSION, UnknownTopicIdError.errno, False, True),
        (12, 0, True, False),
    ],
)
def test_what_an_answer_tells_of_the_topic(
    version: int, error_code: int, *, by_name: bool, refused: bool
) -> None:
    """Requests carry the id; answers get the name back that the library looks for."""
    fetcher, topic_id = _Fetcher(version, error_code), uuid.uuid4()
    written = base64.urlsafe_b64encode(topic_id.bytes).decode().rstrip("=")
    pin = pin_topic(SimpleNamespace(_fetcher=fetcher), "clicks", written)
    assert pin is not None
    fetcher._create_fetch_requests()  # noqa: SLF001 - as the library does
    assert fetcher.request._max_version == BY_ID_VERSION  # noqa: SLF001 - the same
    assert fetcher.request.topics[0].topic_id == topic_id
    fetcher._handle_fetch_response(1, {}, 0.0, fetcher.answer)  # noqa: SLF001 - the same
    assert pin.by_name is by_name
    assert pin.take_refusal() is refused
    assert pin.take_refusal() is False
    assert fetcher.answer.responses[0].topic == (None if by_name else "clicks")


def test_a_library_that_has_changed_is_left_alone() -> None:
    """Then each fetch is followed by a question."""
    assert pin_topic(SimpleNamespace(), "clicks", "fqwx0HIrRrmZkbxDG8MJHg") is None
