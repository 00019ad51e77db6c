"""Topics that are deleted, or made anew, while a role runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.config.settings import GsrConfig
from consumers.errors import OtherTopicError
from consumers.runtime.role_process import used_topics
from consumers.runtime.topic_watch import GONE_PATIENCE_SECONDS, TopicWatch
from stream.clock import ManualClock
from stream.errors import LogUnavailableError, UnknownTopicError
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import TopicSpec

TOPICS = ("clicks", "sequences")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def log(tmp_path: Path, clock: ManualClock) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(tmp_path, clock)
    make(log)
    yield log
    log.close()


@pytest.fixture
def watch(log: EmbeddedLog, clock: ManualClock) -> TopicWatch:
    return TopicWatch(log, TOPICS, "clicks", clock)


def make(log: EmbeddedLog) -> None:
    for topic in TOPICS:
        log.create_topic(TopicSpec(name=topic))


def remove(directory: Path, topic: str) -> None:
    for path in directory.glob(f"{topic}.db*"):
        path.unlink()


@pytest.mark.parametrize(
    ("topic", "error"), [("clicks", OtherTopicError), ("sequences", UnknownTopicError)]
)
def test_a_topic_that_was_made_anew(
    tmp_path: Path, clock: ManualClock, watch: TopicWatch, topic: str, error: type[Exception]
) -> None:
    """It is named at the next look, with what to do."""
    watch.look()
    watch.check()
    remove(tmp_path, topic)
    other = EmbeddedLog(tmp_path, clock)
    make(other)
    watch.look()
    with pytest.raises(error, match=f"{topic} (is another topic|was deleted)") as caught:
        watch.check()
    assert str(other.topic_ids([topic])[topic]) in str(caught.value)
    other.close()


@pytest.mark.parametrize(
    ("topic", "error"), [("clicks", OtherTopicError), ("sequences", UnknownTopicError)]
)
def test_a_topic_that_is_gone(
    tmp_path: Path, clock: ManualClock, watch: TopicWatch, topic: str, error: type[Exception]
) -> None:
    """It counts as gone once it was missing for some time, and nobody brings it back."""
    remove(tmp_path, topic)
    watch.look()
    watch.check()
    clock.sleep(GONE_PATIENCE_SECONDS)
    watch.look()
    with pytest.raises(error, match="gone"):
        watch.check()
    assert not list(tmp_path.glob(f"{topic}*"))


def test_a_topic_that_a_broker_did_not_know_for_a_moment(
    tmp_path: Path, clock: ManualClock, watch: TopicWatch
) -> None:
    """As one that has just started: the same topic is there again."""
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / "clicks.db").rename(moved / "clicks.db")
    watch.look()
    clock.sleep(GONE_PATIENCE_SECONDS / 2)
    (moved / "clicks.db").rename(tmp_path / "clicks.db")
    watch.look()
    clock.sleep(GONE_PATIENCE_SECONDS)
    watch.look()
    watch.check()


def test_a_log_that_is_away_says_nothing_of_its_topics(
    log: EmbeddedLog, watch: TopicWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever needs the log says that it is away."""

    def away(_topics: object) -> dict[str, str | None]:
        raise LogUnavailableError("away")

    monkeypatch.setattr(log, "topic_ids", away)
    watch.look()
    watch.check()


def test_a_broker_that_gives_no_ids_changes_nothing(
    log: EmbeddedLog, watch: TopicWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old one among the new ones, in the middle of an upgrade."""
    monkeypatch.setattr(log, "topic_ids", dict.fromkeys)
    watch.look()
    watch.check()


def test_a_role_is_not_stopped_by_topics_that_it_does_not_use() -> None:
    """A publisher beside an ingest elsewhere has nothing to do with clicks, nor has a trainer."""
    topics = GsrConfig().log
    assert used_topics("ingest", topics) == [spec.name for spec in topics.topics()]
    assert topics.clicks not in used_topics("publisher", topics)
    assert {topics.sequences, topics.recommendations} <= set(used_topics("publisher", topics))
    assert used_topics("trainer", topics) == []
