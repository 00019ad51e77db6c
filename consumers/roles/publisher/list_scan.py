"""A search for taken-down items in the lists of users who are not kept in memory."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import msgspec

from consumers.roles.publisher.list_numbers import with_list_id
from consumers.roles.publisher.user_table import UserTable
from consumers.topics.log_range import TellDamage, poll_past_damage, say_damage
from stream.errors import RecordFormatError
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.log.interface import Log, Reader, RecordBatch

RECORDS_PER_STEP: Final = 2_000


@dataclass(slots=True)
class _Pass:
    reader: Reader
    stops: dict[int, int]
    marks: tuple[bytes, ...]
    blocked: frozenset[str]
    found: dict[str, tuple[int, Recommendation]]


class ListScan:
    """Reads the topic of lists once per take-down, a bounded number of records per step.

    The lists of users in the table are left to it. Those of others that hold a blocked item are
    returned without that item; nothing is scored anew, because their users have not been here for
    long.

    Parameters
    ----------
    log, topic
        The log, and the topic of recommendations.
    users
        Who is kept in memory.
    partitions
        Those that this publisher serves; the others are left to others.
    tell
        Told of what cannot be read, and is passed over.
    """

    def __init__(
        self,
        log: Log,
        topic: str,
        users: UserTable,
        partitions: AbstractSet[int],
        tell: TellDamage = say_damage,
    ) -> None:
        self._tell = tell
        self._log = log
        self._topic = topic
        self._users = users
        self._partitions = partitions
        self._wanted: set[str] = set()
        self._pass: _Pass | None = None

    @property
    def running(self) -> bool:
        """Whether there is anything to do."""
        return self._pass is not None or bool(self._wanted)

    def look_for(self, item_ids: Iterable[str]) -> None:
        """Have the whole topic searched for `item_ids`, after the search that is going on."""
        self._wanted.update(item_ids)

    def step(self, now: float) -> list[tuple[int, Recommendation]]:
        """Read on; at the topic's end return the (partition, shortened list) of those affected.

        Parameters
        ----------
        now
            Seconds since the epoch, for `generated_at`.
        """
        if self._pass is None:
            if not self._wanted or not self._partitions:
                self._wanted.clear()  # who serves the partitions later looks for blocked items then
                return []
            self._pass = self._begin()
        current = self._pass
        behind = [p for p, stop in current.stops.items() if current.reader.position(p) < stop]
        if behind:
            for batch in poll_past_damage(
                self._log, current.reader, RECORDS_PER_STEP, 0.0, self._tell
            ):
                self._note(current, batch, now)
            return []
        current.reader.close()
        self._pass = None
        return [
            found
            for user, found in current.found.items()
            if self._users.row_of(user) < 0 and found[0] in self._partitions
        ]

    def close(self) -> None:
        """Let go of the log."""
        if self._pass is not None:
            self._pass.reader.close()
            self._pass = None

    def _begin(self) -> _Pass:
        blocked = frozenset(self._wanted)
        self._wanted.clear()
        served = sorted(self._partitions)
        reader = self._log.reader(self._topic, partitions=served)
        starts, ends = self._log.start_offsets(self._topic), self._log.end_offsets(self._topic)
        for partition in served:
            reader.seek(partition, starts[partition])
        # As the encoder writes them: a search in bytes passes most records over undecoded.
        marks = tuple(msgspec.json.encode(item) for item in blocked)
        stops = {partition: ends[partition] for partition in served}
        return _Pass(reader, stops, marks, blocked, {})

    def _note(self, current: _Pass, batch: RecordBatch, now: float) -> None:
        for key, value in zip(batch.keys, batch.values, strict=True):
            user_id = (key or b"").decode(errors="replace")
            current.found.pop(user_id, None)
            if value is None or not any(mark in value for mark in current.marks):
                continue
            if self._users.row_of(user_id) >= 0:
                continue
            try:
                record = decode_recommendation(value)
            except RecordFormatError:
                continue  # it was said when the topic was read at the start
            kept = [item for item in record.items if item.item_id not in current.blocked]
            shortened = msgspec.structs.replace(
                record, items=kept, reason="items", generated_at=now
            )
            current.found[user_id] = (batch.partition, with_list_id(shortened))
