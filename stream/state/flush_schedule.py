"""When a store must flush: changes that are old enough, or too many of them."""

from typing import Final

from gsr.counters.users.user_slots import UserSlots
from stream.clock import Clock
from stream.state.store_options import StoreOptions

_OVERFULL: Final = 2
"""So many times the changed bytes that make a flush due are the most that there may be."""

_SPACING: Final = 32.0
"""So many times as long as the last flush took, changes may age before the next one.

Under load nearly every item changes between two flushes, and each writes nearly all of them: where
that takes long, or the disk is slow, flushes take at most this part of the time of a partition.
"""

_MOST_PATIENCE: Final = 30.0
"""Seconds that changes may age at most for that reason."""


class FlushSchedule:
    """Knows since when there are changes, and what the options allow.

    Parameters
    ----------
    options
        Of the store.
    clock
        Tells how old changes are.
    """

    def __init__(self, options: StoreOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._changed_at: float | None = None
        self._patience = options.flush_seconds

    @property
    def pending(self) -> bool:
        """Whether anything has changed since the last flush."""
        return self._changed_at is not None

    def note_change(self) -> None:
        """Note that something has changed."""
        if self._changed_at is None:
            self._changed_at = self._clock.monotonic()

    def note_flush(self, seconds: float) -> None:
        """Note that everything is written, and how long that took."""
        self._changed_at = None
        self._patience = max(self._options.flush_seconds, min(_SPACING * seconds, _MOST_PATIENCE))

    def due(self, dirty_bytes: int, users: UserSlots) -> bool:
        """Tell whether enough has changed, or changes are old enough, to flush."""
        if self._changed_at is None:
            return False
        return (
            dirty_bytes >= self._options.flush_bytes
            or self.overfull(dirty_bytes, users)
            or self._clock.monotonic() - self._changed_at >= self._patience
        )

    def overfull(self, dirty_bytes: int, users: UserSlots) -> bool:
        """Tell whether only a flush keeps memory, and the time that a flush takes, in bounds."""
        return (
            dirty_bytes >= _OVERFULL * self._options.flush_bytes
            or len(users) > self._options.cached_users * 5 // 4
            or users.nbytes > self._options.cached_user_bytes * 5 // 4
        )
