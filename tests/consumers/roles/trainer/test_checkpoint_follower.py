"""The follower: accepted clicks of all partitions, each once, with users as they were before."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from consumers.artifacts.local_files import LocalFiles
from consumers.artifacts.store import ArtifactStore
from consumers.roles.trainer.checkpoint_follower import STANDING_PIN, CheckpointFollower, Taken
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from stream.clock import ManualClock
from stream.errors import StateMismatchError
from stream.events.clicks.rules import EventRules
from stream.state.meta import StateMeta
from stream.state.store import PartitionStore

START = 1e9

Click = tuple[str, str | None, float]
"""User, item (None: forget the user), and second of the append time."""


class Partitions:
    """Partitions whose clicks end up in checkpoints of one artifact store."""

    def __init__(self, directory: Path, stack: ExitStack, config: CounterConfig) -> None:
        self.clock = ManualClock(START)
        self.artifacts = ArtifactStore(LocalFiles(directory / "artifacts"), self.clock)
        self._directory, self._stack, self._config = directory, stack, config
        self._stores: dict[int, PartitionStore] = {}

    def add(self, partition: int, clicks: list[Click]) -> int:
        """Apply clicks, event times being append times; return the new checkpoint's number."""
        store = self._stores.get(partition)
        if store is None:
            store = PartitionStore.open(
                self._directory / f"state-{partition}",
                partition,
                self._config,
                EventRules(weights={"click": 1.0}),
                self.clock,
            )
            self._stack.callback(store.close)
            self._stores[partition] = store
        batch = batch_of(clicks, store.next_offset)
        newest = max([store.watermark, *batch.times[~batch.forget].tolist()])
        store.apply(batch, newest, store.next_offset + len(clicks))
        return self.artifacts.publish_checkpoint(partition, store.next_offset, store.checkpoint)


def batch_of(clicks: list[Click], first_offset: int) -> ClickBatch:
    """Return clicks as the codec makes them."""
    forget = np.array([item is None for _, item, _ in clicks], dtype=np.bool_)
    times = np.array([START + second for _, _, second in clicks])
    offsets = np.arange(len(clicks)) + first_offset
    return ClickBatch(
        user_ids=[user for user, _, _ in clicks],
        item_ids=[item or "" for _, item, _ in clicks],
        times=np.where(forget, 0.0, times),
        events=np.zeros(len(clicks), dtype=np.uint8),
        hashes=offsets.astype(np.uint64) + np.uint64(1),
        forget=forget,
        offsets=offsets,
        append_times=times,
    )


def told(taken: Taken | None) -> list[Click]:
    """Return the clicks that were taken."""
    assert taken is not None
    clicks = taken.clicks
    return [
        (user, item or None, time - START)
        for user, item, time in zip(
            clicks.user_ids, clicks.item_ids, clicks.append_times.tolist(), strict=True
        )
    ]


@pytest.fixture
def partitions(tmp_path: Path) -> Iterator[Partitions]:
    with ExitStack() as stack:
        yield Partitions(tmp_path, stack, CounterConfig())


@pytest.fixture
def follower(partitions: Partitions) -> Iterator[CheckpointFollower]:
    follower = CheckpointFollower(partitions.artifacts)
    yield follower
    follower.close()


def test_clicks_of_all_partitions_come_by_append_time(
    partitions: Partitions, follower: CheckpointFollower
) -> None:
    """At most as many as asked for; each comes once and says from where."""
    first = partitions.add(0, [("a", "tea", 1.0), ("b", "jam", 4.0), ("a", "salt", 5.0)])
    second = partitions.add(1, [("c", "jam", 2.0), ("c", "tea", 3.0)])
    follower.begin({0: first, 1: second})
    assert follower.left == 5
    taken = follower.take(3)
    assert told(taken) == [("a", "tea", 1.0), ("c", "jam", 2.0), ("c", "tea", 3.0)]
    assert taken is not None
    assert taken.partitions.tolist() == [0, 1, 1]
    assert follower.positions == {0: 1, 1: 2}
    assert told(follower.take(3)) == [("b", "jam", 4.0), ("a", "salt", 5.0)]
    assert follower.take(3) is None
    assert follower.offsets == follower.numbers == {0: 3, 1: 2}


def test_a_partitions_own_order_stands(
    partitions: Partitions, follower: CheckpointFollower
) -> None:
    """Also where a broker's clock went backwards."""
    clicks: list[Click] = [("a", "tea", 5.0), ("a", "jam", 1.0), ("a", "salt", 2.0)]
    follower.begin({0: partitions.add(0, clicks), 1: partitions.add(1, [("c", "tea", 4.0)])})
    assert told(follower.take(9)) == [("c", "tea", 4.0), *clicks]


def test_forget_rows_are_handed_on(partitions: Partitions, follower: CheckpointFollower) -> None:
    """They have no item."""
    follower.begin({0: partitions.add(0, [("a", "tea", 1.0), ("a", None, 2.0)])})
    taken = follower.take(9)
    assert told(taken) == [("a", "tea", 1.0), ("a", None, 2.0)]
    assert taken is not None
    assert taken.clicks.forget.tolist() == [False, True]


def test_newer_checkpoints_are_opened_when_the_present_ones_are_read(
    partitions: Partitions, follower: CheckpointFollower
) -> None:
    """Users without a click since are then in the base as they are."""
    follower.begin({0: partitions.add(0, [("a", "tea", 1.0), ("b", "jam", 2.0)])})
    partitions.add(0, [("a", "salt", 3.0)])
    assert follower.refresh() is None
    follower.take(9)
    assert follower.users_before(0, ["a"]) == {}  # read from the very beginning: nobody was there
    assert follower.refresh() == []
    assert told(follower.take(9)) == [("a", "salt", 3.0)]
    before = follower.users_before(0, ["a", "b", "nobody"])
    assert {user: len(buffer) for user, buffer in before.items()} == {"a": 1, "b": 1}
    assert follower.watermark == START + 2.0
    assert follower.refresh() is None


def test_a_new_partition_is_told_of(partitions: Partitions, follower: CheckpointFollower) -> None:
    """Its counters are to be absorbed by whoever follows."""
    follower.begin({0: partitions.add(0, [("a", "tea", 1.0)])})
    follower.take(9)
    partitions.add(3, [("d", "jam", 2.0)])
    assert follower.refresh() == [3]
    assert told(follower.take(9)) == [("d", "jam", 2.0)]


def test_what_has_a_beginning_is_read_from_there(
    partitions: Partitions, follower: CheckpointFollower
) -> None:
    """Without positions and with a whole feed; with positions, from the checkpoint's end."""
    number = partitions.add(0, [("a", "tea", 1.0), ("b", "jam", 2.0)])
    follower.begin({0: number})
    assert (follower.left, follower.tables([0])) == (2, [])
    follower.close()
    follower.begin({0: number}, {0: 2})
    assert (follower.left, follower.positions) == (0, {0: 2})
    assert [table.ids for table in follower.tables([0])] == [["tea", "jam"]]
    assert set(follower.users_before(0, ["a", "b"])) == {"a", "b"}


def test_clicks_that_left_the_feed_are_counted(tmp_path: Path) -> None:
    """A feed is bounded: whoever falls behind it is told how many clicks were missed."""
    with ExitStack() as stack:
        partitions = Partitions(tmp_path, stack, CounterConfig(feed_bytes=0))
        follower = CheckpointFollower(partitions.artifacts)
        stack.callback(follower.close)
        follower.begin({0: partitions.add(0, [("a", "tea", 1.0)])})
        follower.take(9)
        partitions.add(0, [("a", f"i{n}", 2.0 + n) for n in range(1500)])
        follower.refresh()
        taken = follower.take(9999)
        assert taken is not None
        assert len(taken.clicks) + follower.missed == 1500
        assert follower.missed == 1023  # the first whole chunk, of which one was read
        assert follower.left == 0


def test_clicks_of_items_that_came_and_went_are_left_out(tmp_path: Path) -> None:
    """Between two checkpoints their names were lost; the others' clicks come."""
    with ExitStack() as stack:
        config = replace(CounterConfig(), item_ttl_seconds=1600.0)
        partitions = Partitions(tmp_path, stack, config)
        follower = CheckpointFollower(partitions.artifacts)
        stack.callback(follower.close)
        follower.begin({0: partitions.add(0, [("a", "tea", 1.0)])})
        follower.take(9)
        partitions.add(0, [("a", "fad", 2.0), ("b", "jam", 9000.0)])
        follower.refresh()
        assert told(follower.take(9)) == [("b", "jam", 9000.0)]


def test_opened_checkpoints_are_kept_from_pruning(
    partitions: Partitions, follower: CheckpointFollower
) -> None:
    """Until the newer ones are open."""
    first = partitions.add(0, [("a", "tea", 1.0)])
    follower.begin({0: first})
    assert partitions.artifacts.pinned_checkpoints(STANDING_PIN) == {0: first}
    follower.take(9)
    newest = [partitions.add(0, [("a", f"i{n}", 2.0 + n)]) for n in range(5)][-1]
    assert first in partitions.artifacts.checkpoints(0)
    follower.refresh()
    assert partitions.artifacts.pinned_checkpoints(STANDING_PIN) == {0: newest}


def test_a_refused_checkpoint_is_not_read(partitions: Partitions) -> None:
    """The refusal says why, and the checkpoint is let go of."""

    def refuse(meta: StateMeta, place: str) -> None:
        raise StateMismatchError(f"{place}: partition {meta.partition} is of another shape")

    follower = CheckpointFollower(partitions.artifacts, refuse)
    with pytest.raises(StateMismatchError, match="partition 0 is of another shape"):
        follower.begin({0: partitions.add(0, [("a", "tea", 1.0)])})
    assert follower.parts == {}
