"""When a store must flush: changes that are old enough, or too many of them."""

from typing import Final

from gsr.counters.users.user_slots import UserSlots
from stream.clock import Clock
from stream.state.store_options import StoreOptions

_OVERFULL: Final = 2
"""So many times the changed bytes that make a flush due are the most that there may be."""


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

    @property
    def pending(self) -> bool:
        """Whether anything has changed since the last flush."""
        return self._changed_at is not None

    def note_change(self) -> None:
        """Note that something has changed."""
        if self._changed_at is None:
            self._changed_at = self._clock.monotonic()

    def note_flush(self) -> None:
        """Note that everything is written."""
        self._changed_at = None

    def due(self, dirty_bytes: int, users: UserSlots) -> bool:
        """Tell whether enough has changed, or changes are old enough, to flush."""
        if self._changed_at is None:
            return False
        return (
            dirty_bytes >= self._options.flush_bytes
            or self.overfull(dirty_bytes, users)
            or self._clock.monotonic() - self._changed_at >= self._options.flush_seconds
        )

    def overfull(self, dirty_bytes: int, users: UserSlots) -> bool:
        """Tell whether only a flush keeps memory, and the time that a flush takes, in bounds."""
        return (
            dirty_bytes >= _OVERFULL * self._options.flush_bytes
            or len(users) > self._options.cached_users * 5 // 4
            or users.nbytes > self._options.cached_user_bytes * 5 // 4
        )
