"""The accepted clicks of one partition, in order, from its checkpoints."""

from dataclasses import dataclass, field

from consumers.roles.trainer.item_names import ItemNames
from stream.state.checkpoint import Checkpoint
from stream.state.feed import FeedChunk, empty_chunk, join_chunks


@dataclass(slots=True)
class PartitionFeed:
    """The accepted clicks of one partition, read from one checkpoint after the other.

    Parameters
    ----------
    number
        Of the checkpoint `ahead`.
    position
        Sequence number of the accepted click that is read next.
    next_offset
        Offset in `clicks` up to which everything has been read.
    base
        The state as of some earlier position; users without a click since are as they were
        then. None: the feed is read from its very beginning.
    ahead
        The checkpoint that is read now, up to its end.
    names, next_index
        Ids of all items seen so far by index, and the first index that is not among them.
    missed
        Accepted clicks that left the feed before they were read, so far.
    waiting
        Rows from `position` on that were read from the checkpoint and not yet handed on.
    """

    number: int
    position: int
    next_offset: int
    base: Checkpoint | None
    ahead: Checkpoint
    names: ItemNames = field(default_factory=ItemNames)
    next_index: int = 0
    missed: int = 0
    waiting: FeedChunk = field(default_factory=lambda: empty_chunk(0))

    def __post_init__(self) -> None:
        self._learn_names()

    @property
    def left(self) -> int:
        """How many accepted clicks the checkpoint still has to give."""
        return max(self.ahead.meta.feed_stop - self.position, 0)

    def next_rows(self, limit: int) -> FeedChunk:
        """Return the next rows, at most `limit`; each is read and decoded once."""
        if len(self.waiting) < min(limit, self.left):
            chunk = self.ahead.feed(self.position + len(self.waiting), limit)
            if len(self.waiting):
                chunk = join_chunks([self.waiting, chunk])
            self.missed += chunk.start - self.position
            self.position = chunk.start
            self.waiting = chunk
        return self.waiting.rows(0, limit)

    def advance(self, taken: FeedChunk) -> None:
        """Go past rows that were handed on, the first of those that wait."""
        used = len(taken)
        self.waiting = self.waiting.rows(used, len(self.waiting))
        self.position += used
        if used:
            self.next_offset = int(taken.offsets[-1]) + 1
        if not self.left:
            self.next_offset = self.ahead.meta.next_offset

    def move(self, ahead: Checkpoint, number: int) -> None:
        """Read on in a newer checkpoint; the one that was read to its end is the base now."""
        if self.base is not None:
            self.base.close()
        self.base, self.ahead = self.ahead, ahead
        self.number = number
        self._learn_names()
        # A rebuilt state may be shorter than what was read of the old one.
        self.position = min(self.position, self.ahead.meta.feed_stop)
        self.waiting = empty_chunk(self.position)

    def close(self) -> None:
        """Let go of the checkpoints."""
        self.ahead.close()
        if self.base is not None:
            self.base.close()

    def _learn_names(self) -> None:
        self.names.learn(self.next_index, self.ahead.vocabulary(self.next_index))
        self.next_index = self.ahead.meta.next_index
