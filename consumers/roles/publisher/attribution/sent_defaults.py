"""The newest default lists, which users without a list of their own were shown."""

from collections import deque
from typing import Final

import numpy as np

from consumers.roles.publisher.attribution.replaced_lists import KeptList
from consumers.roles.publisher.user_table import FIRST, NOWHERE, REASONS
from consumers.topics.log_range import poll_past_damage
from gsr.counters.ids.fingerprint import fingerprint
from stream.errors import RecordFormatError
from stream.events.records.list_id import parse_list_id
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.log.interface import Log, Reader

KEPT: Final = 256
DEFAULT: Final = len(REASONS)
"""The number of the reason that default lists are counted under."""
_POLL_RECORDS: Final = 1_000


class SentDefaults:
    """Follows the topic of default lists and keeps the last few.

    Parameters
    ----------
    log, topic
        Where they are.
    """

    def __init__(self, log: Log, topic: str) -> None:
        self._log = log
        self._topic = topic
        self._lists: deque[KeptList] = deque(maxlen=KEPT)
        self._reader: Reader | None = None
        self._earlier = False

    def follow(self) -> None:
        """Take in what is new.

        Raises
        ------
        LogUnavailableError
            Passing trouble.
        """
        if self._reader is None:
            # What compaction left at the beginning says nothing of the lists before it.
            self._earlier = any(self._log.end_offsets(self._topic).values())
            self._reader = self._log.reader(self._topic)
        while batches := poll_past_damage(self._log, self._reader, _POLL_RECORDS, 0.0, _pass_over):
            for value in (value for batch in batches for value in batch.values):
                if value is not None:
                    self._note(value)

    def at(self, time: float) -> KeptList | None:
        """Return the newest one made by `time`, seconds since the epoch."""
        return next((one for one in reversed(self._lists) if one.made_at <= time), None)

    def numbered(self, number: int) -> KeptList | None:
        """Return the one of this list number."""
        return next((one for one in reversed(self._lists) if one.number == number), None)

    @property
    def complete(self) -> bool:
        """Whether no default list has been sent that is not here."""
        return not self._earlier

    def close(self) -> None:
        """Let go of the log."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _note(self, value: bytes) -> None:
        try:
            record = decode_recommendation(value)
        except RecordFormatError:
            return  # none of ours
        self._earlier |= len(self._lists) == KEPT
        self._lists.append(_kept(record))


def _kept(record: Recommendation) -> KeptList:
    marks = np.array([fingerprint(item.item_id) for item in record.items], dtype=np.uint32)
    return KeptList(
        made_at=record.generated_at,
        click_offset=NOWHERE,
        version=record.model_version,
        reason=DEFAULT,
        number=parse_list_id(record.list_id),
        history=FIRST,
        marks=marks,
    )


def _pass_over(damage: object) -> None:
    """Take no note of damage: another list comes soon."""
