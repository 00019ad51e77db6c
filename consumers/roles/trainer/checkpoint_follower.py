"""Accepted clicks of all partitions by append time, from their checkpoints."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.artifacts.store import ArtifactStore
from consumers.errors import ArtifactError
from consumers.roles.trainer.partition_feed import PartitionFeed
from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.id_column import IdColumn, join_ids
from gsr.counters.items.partition_items import PartitionItems
from gsr.counters.users.user_buffer import UserBuffer
from stream.errors import StateCorruptError, StateMismatchError
from stream.state.checkpoint import Checkpoint
from stream.state.feed import FeedChunk, join_chunks
from stream.state.meta import StateMeta

_LOGGER = logging.getLogger(__name__)

STANDING_PIN: Final = "trainer-standing"
"""Under this name the checkpoints that are being read are kept from pruning."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Accepted clicks of all partitions by append time, and the partition of each.

    Parameters
    ----------
    clicks
        The batch.
    partitions
        int64 [n].
    """

    clicks: ClickBatch
    partitions: npt.NDArray[np.int64]


class CheckpointFollower:
    """Reads each new checkpoint's accepted clicks, and users as they were before them.

    Parameters
    ----------
    artifacts
        Where checkpoints come from; those in use are pinned.
    refuse
        Called with each opened checkpoint's meta and place; raises where it must not be read.
    """

    def __init__(
        self, artifacts: ArtifactStore, refuse: Callable[[StateMeta, str], None] | None = None
    ) -> None:
        self._artifacts = artifacts
        self._refuse = refuse
        self.parts: dict[int, PartitionFeed] = {}

    @property
    def left(self) -> int:
        """How many accepted clicks of the opened checkpoints are still to be read."""
        return sum(part.left for part in self.parts.values())

    @property
    def missed(self) -> int:
        """How many accepted clicks had left the feed before they could be read."""
        return sum(part.missed for part in self.parts.values())

    @property
    def positions(self) -> dict[int, int]:
        """Partition → sequence number of the accepted click that is read next."""
        return {number: part.position for number, part in self.parts.items()}

    @property
    def offsets(self) -> dict[int, int]:
        """Partition → offset in `clicks` up to which everything has been read."""
        return {number: part.next_offset for number, part in self.parts.items()}

    @property
    def numbers(self) -> dict[int, int]:
        """Partition → number of the opened checkpoint."""
        return {number: part.number for number, part in self.parts.items()}

    def begin(self, numbers: Mapping[int, int], positions: Mapping[int, int] | None = None) -> None:
        """Open checkpoints to stand at.

        Parameters
        ----------
        numbers
            Partition → checkpoint.
        positions
            Where to read on, which must be each checkpoint's end; None: where a checkpoint's feed
            still has everything since the beginning, there, else at its end.
        """
        self._pin(numbers)
        for partition, number in numbers.items():
            opened = self._open(partition, number)
            self._add(partition, number, opened, at_end=positions is not None)

    @property
    def watermark(self) -> float:
        """Newest event time of the bases; -inf without any."""
        bases = [part.base for part in self.parts.values()]
        return max((base.meta.watermark for base in bases if base is not None), default=-math.inf)

    def refresh(self) -> list[int] | None:
        """Open newer checkpoints, once the present ones are read to their end.

        Only then do users that were not seen since stand in the bases as they are.

        Returns
        -------
        The partitions that are new; None where nothing is.
        """
        if self.left:
            return None
        newest = self._artifacts.newest_checkpoints()
        new = {p: n for p, n in newest.items() if p not in self.parts or n > self.parts[p].number}
        if not new:
            return None
        self._pin({**self.numbers, **new})
        added = []
        for partition, number in new.items():
            try:
                opened = self._open(partition, number)
            except (ArtifactError, StateCorruptError) as error:
                # Pruned between two looks, or torn: the next one will come.
                _LOGGER.warning("partition %d: checkpoint %d: %s", partition, number, error)
                continue
            if partition in self.parts:
                self.parts[partition].move(opened, number)
            else:
                self._add(partition, number, opened, at_end=False)
                added.append(partition)
        self._pin(self.numbers)
        return added

    def take(self, limit: int) -> Taken | None:
        """Return at most `limit` accepted clicks by append time; None where there are none."""
        parts = [(number, part) for number, part in sorted(self.parts.items()) if part.left]
        if not parts:
            return None
        chunks = [part.next_rows(limit) for _, part in parts]
        owners = _owners(parts, chunks)
        order = _by_append_time(chunks, owners)[:limit]
        for place, (number, part) in enumerate(parts):
            # Of each partition it is the first ones, for its own order stands.
            chunks[place] = chunks[place].rows(0, int((owners[order] == number).sum()))
            part.advance(chunks[place])
        owners = _owners(parts, chunks)
        return self._batch(chunks, owners, _by_append_time(chunks, owners))

    def users_before(self, partition: int, user_ids: list[str]) -> dict[str, UserBuffer]:
        """Return users as the base has them."""
        base = self.parts[partition].base
        return {} if base is None or not user_ids else base.buffers(user_ids)

    def tables(self, partitions: Iterable[int]) -> list[PartitionItems]:
        """Return the items of these partitions' bases, with their counters."""
        bases = [self.parts[partition].base for partition in partitions]
        return [base.items() for base in bases if base is not None]

    def close(self) -> None:
        """Let go of all checkpoints; they stay pinned."""
        for part in self.parts.values():
            part.close()
        self.parts = {}

    def _open(self, partition: int, number: int) -> Checkpoint:
        path = self._artifacts.checkpoint_path(partition, number)
        opened = Checkpoint.open(path)
        if self._refuse is not None:
            try:
                self._refuse(opened.meta, str(path))
            except StateMismatchError:
                opened.close()
                raise
        return opened

    def _pin(self, numbers: Mapping[int, int]) -> None:
        self._artifacts.pin_checkpoints(STANDING_PIN, numbers)

    def _add(self, partition: int, number: int, ahead: Checkpoint, *, at_end: bool) -> None:
        whole = ahead.meta.feed_start == 0 and not at_end
        self.parts[partition] = PartitionFeed(
            number=number,
            position=0 if whole else ahead.meta.feed_stop,
            next_offset=0 if whole else ahead.meta.next_offset,
            base=None if whole else self._open(partition, number),
            ahead=ahead,
        )

    def _batch(
        self, chunks: list[FeedChunk], owners: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
    ) -> Taken:
        rows = join_chunks(chunks)
        numbers = list(dict.fromkeys(owners.tolist()))
        named = [chunk for chunk in chunks if len(chunk)]
        names = [
            self.parts[owner].names.of(chunk.items)
            for owner, chunk in zip(numbers, named, strict=True)
        ]
        sequences = np.concatenate([np.arange(chunk.start, chunk.stop) for chunk in chunks])
        item_ids = join_ids(names)
        forget = rows.items < 0
        # The name of an item that came and went between two checkpoints is lost, and its clicks.
        kept = order[((item_ids.lengths > 0) | forget)[order]]
        clicks = ClickBatch(
            user_ids=IdColumn.of(rows.user_ids).rows(kept),
            item_ids=item_ids.rows(kept),
            times=rows.times[kept],
            events=np.where(forget, 0, rows.events)[kept].astype(np.uint8),
            hashes=_distinct_hashes(owners[kept], sequences[kept]),
            forget=forget[kept],
            offsets=rows.offsets[kept],
            append_times=rows.append_times[kept],
        )
        return Taken(clicks, owners[kept])


def _owners(
    parts: list[tuple[int, PartitionFeed]], chunks: list[FeedChunk]
) -> npt.NDArray[np.int64]:
    """Return the partition of each row of all chunks."""
    numbers = np.array([number for number, _ in parts], dtype=np.int64)
    return np.repeat(numbers, [len(chunk) for chunk in chunks])


def _by_append_time(
    chunks: list[FeedChunk], owners: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the order of all rows; a partition's own stands where its times went backwards."""
    times = np.concatenate([chunk.append_times for chunk in chunks])
    places = np.concatenate([np.arange(len(chunk)) for chunk in chunks])
    order: npt.NDArray[np.int64] = np.lexsort((places, owners, _running_maximum(times, owners)))
    return order


def _running_maximum(
    times: npt.NDArray[np.float64], owners: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    result = times.copy()
    for owner in np.unique(owners):
        mine = owners == owner
        result[mine] = np.maximum.accumulate(times[mine])
    return result


def _distinct_hashes(
    partitions: npt.NDArray[np.int64], sequences: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Return hashes of events that are known to be no duplicates: ingest accepted them."""
    spread = np.uint64(0x9E37_79B9_7F4A_7C15)
    numbers = (partitions.astype(np.uint64) << np.uint64(48)) | sequences.astype(np.uint64)
    return (numbers + np.uint64(1)) * spread
