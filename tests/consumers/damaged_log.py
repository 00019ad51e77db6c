"""A log in memory of which some stretches cannot be read."""

from collections.abc import Sequence
from typing import Any

from consumers.topics.log_range import head
from stream.clock import Clock
from stream.errors import RecordsDamagedError
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Reader, RebalanceListener, RecordBatch


class DamagedLog(MemoryLog):
    """A `MemoryLog` whose readers raise at what `damage` says.

    Parameters
    ----------
    clock
        Stamps records.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.damage: list[RecordsDamagedError] = []

    def spoil(self, topic: str, partition: int, start: int, stop: int | None) -> None:
        """Make the offsets from `start` on unreadable; with `stop` None nobody knows their end."""
        self.damage.append(RecordsDamagedError(topic, partition, start, stop, "it is torn"))

    def reader(
        self,
        topic: str,
        *,
        partitions: Sequence[int] | None = None,
        group: str | None = None,
        listener: RebalanceListener | None = None,
    ) -> Any:
        """Open a reader that stops before what is damaged."""
        inner = super().reader(topic, partitions=partitions, group=group, listener=listener)
        damage = [each for each in self.damage if each.topic == topic]
        return _DamagedReader(inner, damage) if damage else inner


class _DamagedReader:
    def __init__(self, inner: Reader, damage: list[RecordsDamagedError]) -> None:
        self._inner = inner
        self._damage = damage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def poll(self, max_records: int, timeout_seconds: float) -> list[RecordBatch]:
        taken: list[RecordBatch] = []
        met: RecordsDamagedError | None = None
        for batch in self._inner.poll(max_records, timeout_seconds):
            damage = next((each for each in self._damage if _lies_in(each, batch)), None)
            if damage is None:
                taken.append(batch)
                continue
            met = damage
            self._inner.seek(batch.partition, damage.offset)
            if before := int((batch.offsets < damage.offset).sum()):
                taken.append(head(batch, before))
        if met is not None and not taken:
            raise met
        return taken


def _lies_in(damage: RecordsDamagedError, batch: RecordBatch) -> bool:
    stop = damage.offset + 1 if damage.next_offset is None else damage.next_offset
    inside = (batch.offsets >= damage.offset) & (batch.offsets < stop)
    return damage.partition == batch.partition and bool(inside.any())
