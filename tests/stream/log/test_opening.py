"""A URL names a log, or the error says which URLs do."""

from pathlib import Path

import pytest

from stream.clock import ManualClock
from stream.errors import LogError, UnknownTopicError
from stream.log.embedded.log import EmbeddedLog
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import TopicSpec
from stream.log.opening import open_log


def test_embedded_is_a_directory(tmp_path: Path) -> None:
    """It is created with the first topic: who only looks leaves nothing behind."""
    log = open_log(f"embedded:{tmp_path / 'a' / 'log'}", ManualClock())
    assert isinstance(log, EmbeddedLog)
    assert log.topics() == {}
    assert log.topic_ids(["t"]) == {}
    with pytest.raises(UnknownTopicError):
        log.reader("t")
    assert list(tmp_path.iterdir()) == []
    log.create_topic(TopicSpec(name="t"))
    assert (tmp_path / "a" / "log").is_dir()
    log.close()


def test_memory_is_a_log_of_its_own() -> None:
    """Two are not the same."""
    assert isinstance(open_log("memory:", ManualClock()), MemoryLog)


@pytest.mark.parametrize("brokers", ["127.0.0.1:1,localhost:2", "[::1]:1", "a:1,[fe80::1%lo]:2"])
def test_kafka_is_not_asked_before_it_is_needed(brokers: str) -> None:
    """Opening a log does not wait for a cluster."""
    log = open_log(f"kafka://{brokers}", ManualClock())
    log.close()


@pytest.mark.parametrize("url", ["kafka:", "kafka://", "kafka://host", "kafka://a:1,,b:2"])
def test_kafka_without_a_broker_is_refused_with_an_example(url: str) -> None:
    """A port is not guessed."""
    with pytest.raises(LogError, match="kafka://localhost:9092"):
        open_log(url, ManualClock())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kafka://host", "'host' has no port, as in host:9092"),
        ("kafka://[::1]", r"'\[::1\]' has no port, as in \[::1\]:9092"),
        ("kafka://::1:9092", r"in brackets, as in \[::1\]:9092"),
        ("kafka://a:1,", "a host and a port are missing"),
        ("kafka://a:0", "between 1 and 65535"),
        ("kafka://a:70000", "between 1 and 65535"),
        ("kafka://a:b", "is not HOST:PORT"),
        ("127.0.0.1:9092", "use kafka://127.0.0.1:9092 "),
        ("localhost:1,[::1]:2", r"use kafka://localhost:1,\[::1\]:2 "),
        ("http://broker:9092", "use kafka://broker:9092 "),
    ],
)
def test_the_message_says_what_to_write_instead(url: str, said: str) -> None:
    """Each mistake has its own remedy."""
    with pytest.raises(LogError, match=said):
        open_log(url, ManualClock())


@pytest.mark.parametrize("url", ["", "embedded:", "memory:x", "run/log", "redis://x"])
def test_anything_else_is_refused_with_an_example(url: str) -> None:
    """The message shows a URL that works."""
    with pytest.raises(LogError, match="embedded:DIR"):
        open_log(url, ManualClock())
