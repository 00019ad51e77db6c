"""What a role knows of its own standstill."""

import pytest

from consumers.topics.followed_topic import RECENT_SECONDS, FollowedTopic
from stream.clock import ManualClock
from stream.errors import LogUnavailableError
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec

TOPIC = "clicks"
NOW = 1_700_000_000.0


class WithholdingLog(MemoryLog):
    """A log in which an open transaction holds back what was written last."""

    withheld = 0

    def written_offsets(self, topic: str) -> dict[int, int]:
        """Return where the log ends with what nobody can read yet."""
        return {p: end + self.withheld for p, end in super().written_offsets(topic).items()}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def log(clock: ManualClock) -> WithholdingLog:
    log = WithholdingLog(clock)
    log.create_topic(TopicSpec(name=TOPIC))
    return log


@pytest.fixture
def followed(log: WithholdingLog, clock: ManualClock) -> FollowedTopic:
    return FollowedTopic(log, TOPIC, clock)


def append(log: WithholdingLog, records: int) -> None:
    log.writer(TOPIC).append([Outgoing(b"k", b"v")] * records)


def test_an_idle_topic_never_stands_still(followed: FollowedTopic, clock: ManualClock) -> None:
    """Where there is nothing to read, nothing is the matter."""
    followed.measure({0: 0})
    clock.sleep(1000.0)
    followed.measure({0: 0})
    assert followed.stalled(10.0) == []
    assert followed.progressed_at(0) == clock.time()
    assert followed.waited_seconds([(0, None)]) == 0.0


def test_records_and_no_advance_is_a_standstill(
    followed: FollowedTopic, log: WithholdingLog, clock: ManualClock
) -> None:
    """It ends with the first record that is read."""
    followed.measure({0: 0})
    append(log, 3)
    for _ in range(3):
        clock.sleep(10.0)
        followed.measure({0: 0})
    assert followed.stalled(20.0) == [0]
    assert followed.progressed_at(0) == clock.time() - 30.0
    followed.measure({0: 1})
    assert followed.stalled(20.0) == []


def test_it_is_found_out_although_the_partition_comes_and_goes(
    followed: FollowedTopic, log: WithholdingLog, clock: ManualClock
) -> None:
    """A client that is opened anew again and again gets nowhere either."""
    append(log, 3)
    for positions in ({0: 1}, {}, {0: 1}, {}, {0: 1}):
        followed.measure(positions)
        clock.sleep(10.0)
    assert followed.stalled(20.0) == [0]


def test_what_an_open_transaction_withholds_is_told_apart(
    followed: FollowedTopic, log: WithholdingLog, clock: ManualClock
) -> None:
    """Nobody is late with it, but it is a standstill."""
    append(log, 3)
    log.withheld = 7
    followed.measure({0: 3})
    clock.sleep(30.0)
    followed.measure({0: 3})
    assert (followed.lags[0].readable, followed.lags[0].withheld) == (0, 7)
    assert followed.stalled(20.0) == [0]
    assert followed.waited_seconds([(0, NOW)]) == 0.0


def test_a_record_has_not_waited_since_before_it_came(
    followed: FollowedTopic, log: WithholdingLog, clock: ManualClock
) -> None:
    """After a quiet hour the first click is not an hour late."""
    append(log, 1)
    clock.sleep(3600.0)
    followed.measure({0: 1})
    append(log, 1)
    clock.sleep(5.0)
    followed.measure({0: 1})
    assert followed.waited_seconds([(0, NOW)]) == 5.0


def test_a_backlog_from_before_is_as_old_as_what_was_read_last(
    followed: FollowedTopic, log: WithholdingLog
) -> None:
    """Catching up after a restart: what comes next is about as old."""
    append(log, 3)
    followed.measure({0: 2})
    assert followed.waited_seconds([(0, NOW - 120.0)]) == 120.0


def test_a_partition_that_could_never_be_read_waits_for_longer_and_longer(
    followed: FollowedTopic, log: WithholdingLog, clock: ManualClock
) -> None:
    """No append time is known of it."""
    append(log, 3)
    followed.measure({0: 0})
    clock.sleep(40.0)
    followed.measure({0: 0})
    assert followed.waited_seconds([(0, None)]) == 40.0


def test_a_measurement_grows_old(
    followed: FollowedTopic,
    log: WithholdingLog,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the log cannot be asked, what was measured before tells nothing."""
    assert not followed.is_recent()
    followed.measure({0: 0})
    assert followed.is_recent()

    def away(_topic: str) -> dict[int, int]:
        raise LogUnavailableError("away")

    monkeypatch.setattr(log, "written_offsets", away)
    clock.sleep(RECENT_SECONDS + 1.0)
    with pytest.raises(LogUnavailableError):
        followed.measure({0: 0})
    assert not followed.is_recent()
    assert followed.age_seconds == RECENT_SECONDS + 1.0
