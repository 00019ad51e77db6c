"""A reader keeps its positions whatever its client goes through."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kafka import TopicPartition
from kafka.errors import (
    KafkaConnectionError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from stream.clock import Clock, ManualClock
from stream.errors import (
    LogError,
    LogUnavailableError,
    OffsetExpiredError,
    RecordsDamagedError,
    TopicMismatchError,
)
from stream.log.interface import RecordBatch
from stream.log.kafka.cluster.trouble_counts import KafkaFigures
from stream.log.kafka.reading import reader as module
from stream.log.kafka.reading.reader import KafkaReader
from stream.log.kafka.reading.rebalance import Change
from stream.log.kafka.reading.session import Source


class Cluster:
    """Answers what a reader asks of the cluster."""

    def __init__(self, partitions: int = 2) -> None:
        self.count = partitions
        self.saved: dict[int, int] = {}
        self.starts = dict.fromkeys(range(9), 0)
        self.ends = dict.fromkeys(range(9), 100)

    def partitions(self, _: str) -> int:
        return self.count

    def saved_positions(self, _group: str, _topic: str) -> dict[int, int]:
        return self.saved

    def start_offsets(self, _: str) -> dict[int, int]:
        return self.starts

    def end_offsets(self, _: str, _patience: float | None = None) -> dict[int, int]:
        return self.ends


class Session:
    """Stands in for a client: hands out what arrives, and notes what it is told."""

    newest: "Session"

    def __init__(
        self, source: Source, positions: Mapping[int, int] | None, clock: Clock, figures: Any
    ) -> None:
        Session.newest = self
        self.member = positions is None
        self.began = positions and dict(positions)
        self.arriving: list[list[RecordBatch] | Exception] = []
        self.changes: list[Change] = []
        self.positions: dict[int, int] = {}
        self.sought: list[dict[int, int]] = []
        self.paused: set[int] = set()
        self.replaced = 0
        self.survives_damage = True
        self._clock = clock

    @property
    def change(self) -> Change | None:
        return self.changes[0] if self.changes else None

    def change_done(self) -> None:
        self.changes.pop(0)

    def check_membership(self, positions: Mapping[int, int]) -> None:
        pass

    def fetch(self, _: int, wait_seconds: float) -> list[RecordBatch]:
        if not self.arriving:
            self._clock.sleep(wait_seconds)
            return []
        arrived = self.arriving.pop(0)
        if isinstance(arrived, Exception):
            raise arrived
        return arrived

    def failure(self, error: Exception) -> LogError:
        return LogUnavailableError(str(error))

    def position(self, partition: int) -> int | None:
        return self.positions.get(partition)

    def seek(self, positions: Mapping[int, int]) -> None:
        self.sought.append(dict(positions))

    def pause(self, partitions: Iterable[int]) -> None:
        self.paused.update(partitions)

    def resume(self, partitions: Iterable[int]) -> None:
        self.paused.difference_update(partitions)

    def replace(self, positions: Mapping[int, int], paused: Collection[int]) -> None:
        self.replaced += 1

    def close(self) -> None:
        pass


class Listener:
    """Notes what it is told of; the first call fails where `fails` is set."""

    def __init__(self, *, fails: bool = False) -> None:
        self.told: list[tuple[str, tuple[int, ...]]] = []
        self._fails = fails

    def _note(self, kind: str, partitions: Sequence[int]) -> None:
        self.told.append((kind, tuple(partitions)))
        if self._fails:
            self._fails = False
            raise LogUnavailableError("later")

    def assigned(self, partitions: Sequence[int]) -> None:
        self._note("assigned", partitions)

    def revoked(self, partitions: Sequence[int]) -> None:
        self._note("revoked", partitions)

    def lost(self, partitions: Sequence[int]) -> None:
        self._note("lost", partitions)


class World:
    """A reader with its cluster, client and clock."""

    def __init__(
        self,
        partitions: Sequence[int] | None = (0, 1),
        *,
        cluster: Cluster | None = None,
        compacted: bool = False,
        listener: Listener | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.cluster = cluster or Cluster()
        self.figures = KafkaFigures()
        admin: Any = self.cluster
        source = Source(
            topic="clicks",
            topic_id=None,
            compacted=compacted,
            group="group",
            admin=admin,
            open_consumer=SimpleNamespace,
            timeout_seconds=30.0,
            session_timeout_seconds=30.0,
        )
        self.reader = KafkaReader(source, partitions, self.clock, self.figures, listener)
        self.session = Session.newest

    def poll(self, max_records: int = 100) -> list[tuple[int, list[int]]]:
        batches = self.reader.poll(max_records, 0.0)
        return [(batch.partition, batch.offsets.tolist()) for batch in batches]

    @property
    def assignment(self) -> list[int]:
        return list(self.reader.assignment)


@pytest.fixture(autouse=True)
def _sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ConsumerSession", Session)


def batch(partition: int, *offsets: int) -> RecordBatch:
    values = [b"v"] * len(offsets)
    times = np.zeros(len(offsets))
    return RecordBatch("clicks", partition, np.array(offsets), times, values, values)


def out_of_range(partition: int, offset: int) -> OffsetOutOfRangeError:
    return OffsetOutOfRangeError({TopicPartition("clicks", partition): offset})


def damaged(partition: int, offset: int) -> RecordsDamagedError:
    return RecordsDamagedError("clicks", partition, offset, offset + 5, "bad")


def test_it_begins_at_what_the_group_saved_else_at_the_start() -> None:
    cluster = Cluster()
    cluster.saved, cluster.starts = {0: 7}, {0: 1, 1: 3}
    assert World(cluster=cluster).session.began == {0: 7, 1: 3}


def test_positions_follow_what_is_handed_out_not_what_was_fetched() -> None:
    world = World()
    world.session.arriving = [[batch(0, 0, 1, 2), batch(1, 4)]]
    assert world.poll(2) == [(0, [0, 1])]
    assert (world.reader.position(0), world.reader.position(1)) == (2, 0)
    assert world.poll(2) == [(1, [4]), (0, [2])]
    assert (world.reader.position(0), world.reader.position(1)) == (3, 5)


def test_positions_pass_what_holds_no_records() -> None:
    """Transaction markers and what was compacted away, once what came before is handed out."""
    world = World()
    world.session.arriving = [[batch(0, 0, 1)]]
    world.session.positions = {0: 3, 1: 8}
    world.poll(1)
    assert (world.reader.position(0), world.reader.position(1)) == (1, 8)
    world.poll(1)
    world.poll(1)
    assert world.reader.position(0) == 3


def test_a_seek_drops_what_was_fetched() -> None:
    world = World()
    world.session.arriving = [[batch(0, 0, 1)]]
    world.poll(1)
    world.reader.seek(0, 40)
    assert world.session.sought == [{0: 40}]
    assert world.poll() == []
    assert world.reader.position(0) == 40


def test_what_is_paused_is_not_handed_out() -> None:
    world = World()
    world.reader.pause([0])
    assert world.session.paused == {0}
    world.session.arriving = [[batch(0, 0), batch(1, 0)]]
    assert world.poll() == [(1, [0])]
    world.reader.resume([0])
    assert world.poll() == [(0, [0])]


def test_only_what_is_read_can_be_asked_for() -> None:
    world = World([1])
    for ask in (world.reader.position, lambda p: world.reader.seek(p, 0)):
        with pytest.raises(ValueError, match=r"clicks\[0\] is not read here"):
            ask(0)
    with pytest.raises(ValueError, match="negative"):
        world.reader.seek(1, -1)


def test_damage_is_an_error_the_third_time() -> None:
    """Twice it may have been the wire; elsewhere it is counted anew."""
    world = World()
    world.session.arriving = [damaged(0, 5), damaged(0, 5), damaged(0, 9), damaged(0, 9)]
    for _ in range(4):
        assert world.poll() == []
    world.session.arriving = [damaged(0, 9)]
    with pytest.raises(RecordsDamagedError):
        world.poll()
    assert world.figures.counts()["fetch_errors"] == 5
    assert world.session.replaced == 0


def test_damage_waits_for_what_was_fetched_before_it() -> None:
    world = World()
    world.session.arriving = [[batch(0, 0, 1)], damaged(0, 2), damaged(0, 2), damaged(0, 2)]
    for offset in (0, 1):
        assert world.poll(1) == [(0, [offset])]
    assert world.figures.counts()["fetch_errors"] == 0


def test_a_client_that_damage_breaks_is_replaced() -> None:
    world = World()
    world.session.survives_damage = False
    world.session.arriving = [damaged(0, 5)]
    world.poll()
    assert world.session.replaced == 1


def test_past_the_end_is_waited_until_the_log_is_there() -> None:
    """It lost records; the other partitions go on."""
    world = World()
    world.reader.seek(0, 120)
    world.session.arriving = [out_of_range(0, 120)]
    world.poll()
    assert world.session.paused == {0}
    assert world.figures.waiting_past_end == 1
    world.session.arriving = [[batch(1, 0)]]
    assert world.poll() == [(1, [0])]
    world.cluster.ends[0] = 120
    world.poll()
    assert world.session.paused == set()
    assert world.figures.waiting_past_end == 0
    assert world.reader.position(0) == 120


@pytest.mark.parametrize("compacted", [False, True])
def test_before_the_start_is_a_loss_unless_it_was_compacted(*, compacted: bool) -> None:
    world = World(compacted=compacted)
    world.cluster.starts[0] = 30
    world.session.arriving = [out_of_range(0, 10)]
    if compacted:
        world.poll()
        assert world.reader.position(0) == 30
    else:
        with pytest.raises(OffsetExpiredError, match="offset 10 is gone, the log starts at 30"):
            world.poll()


def test_a_client_that_lost_its_positions_is_told_them() -> None:
    world = World()
    world.session.arriving = [NoOffsetForPartitionError()]
    world.poll()
    assert world.session.sought == [{0: 0, 1: 0}]


def test_after_an_error_nothing_that_was_fetched_ahead_is_kept() -> None:
    """It is fetched again from where the reader is."""
    world = World()
    world.session.arriving = [[batch(0, 0, 1, 2)], KafkaConnectionError("gone")]
    assert world.poll(1) == [(0, [0])]
    with pytest.raises(LogUnavailableError, match="gone"):
        world.poll(1)
    assert world.session.sought == [{0: 1, 1: 0}]
    assert world.poll() == []


def test_a_client_that_is_stuck_is_replaced() -> None:
    """Behind the end, for probe after probe of the silence."""
    world = World()
    for _ in range(3):
        world.clock.sleep(10.0)
        assert world.poll() == []
    world.clock.sleep(10.0)
    with pytest.raises(LogUnavailableError, match="connected anew"):
        world.poll()
    assert world.session.replaced == 1
    assert world.figures.counts()["stalls"] == 1


def test_an_idle_topic_stays_an_empty_poll() -> None:
    world = World()
    world.cluster.ends = {0: 0, 1: 0}
    for _ in range(9):
        world.clock.sleep(10.0)
        assert world.poll() == []
    assert world.session.replaced == 0


def test_changes_are_told_in_their_order_before_anything_is_read() -> None:
    listener = Listener()
    world = World(None, listener=listener)
    world.cluster.saved = {0: 4, 1: 9}
    world.session.changes = [Change("assigned", (0, 1)), Change("revoked", (1,))]
    world.session.arriving = [[batch(0, 4)]]
    assert world.poll() == [(0, [4])]
    assert listener.told == [("assigned", (0, 1)), ("revoked", (1,))]
    assert world.session.sought == [{0: 4, 1: 9}]
    assert world.assignment == [0]
    world.session.changes = [Change("lost", (0,))]
    assert world.poll() == []
    assert listener.told[-1] == ("lost", (0,))
    assert world.assignment == []
    assert world.figures.counts()["lost_partitions"] == 1


@pytest.mark.parametrize(
    ("kind", "owned"), [("revoked", [0]), ("lost", [])], ids=["revoked", "lost"]
)
def test_a_listener_that_fails_is_told_again(kind: Any, owned: list[int]) -> None:
    """What is revoked is still owned then, what is lost is not."""
    listener = Listener(fails=True)
    world = World(None, listener=listener)
    world.session.changes = [Change("assigned", (0,))]
    with pytest.raises(LogUnavailableError):
        world.poll()
    world.poll()
    assert listener.told == [("assigned", (0,))] * 2
    listener = Listener(fails=True)
    world.reader._listener = listener  # noqa: SLF001 - fails once more
    world.session.changes = [Change(kind, (0,))]
    with pytest.raises(LogUnavailableError):
        world.poll()
    assert world.assignment == owned
    world.poll()
    assert listener.told == [(kind, (0,))] * 2
    assert world.assignment == []


def test_a_reader_of_given_partitions_tells_of_them_once() -> None:
    listener = Listener()
    world = World([0], listener=listener)
    world.poll()
    world.poll()
    assert listener.told == [("assigned", (0,))]


def test_a_topic_that_has_grown_is_refused() -> None:
    """Keys have moved to partitions that do not know them."""
    world = World(None)
    world.session.changes = [Change("assigned", (0, 2))]
    with pytest.raises(TopicMismatchError, match="3 partitions or more and had 2"):
        world.poll()


def test_a_closed_reader_refuses() -> None:
    world = World()
    world.reader.close()
    with pytest.raises(LogError, match="this reader of clicks was closed"):
        world.poll()
    assert world.reader.group is None
