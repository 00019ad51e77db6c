"""The users on disk: brought into memory, listed, and swept by age."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.user_slots import UserSlots
from stream.state.packing import fill_slots, newest_time
from stream.state.reading import read_users
from stream.state.rocks import Database, scan

_SWEPT_USERS: Final = 1000
"""Looked at per flush for their age."""


class StoredUsers:
    """The users of a database, as the store that writes it needs them.

    Parameters
    ----------
    database
        Where they are.
    user_ttl
        Seconds without a click after which a user counts as absent; None: never.
    """

    def __init__(self, database: Database, user_ttl: float | None) -> None:
        self._database = database
        self._user_ttl = user_ttl
        self._swept_to = b""

    def bring_in(self, users: UserSlots, user_ids: IdColumn, slots: npt.NDArray[np.int64]) -> None:
        """Fill slots, int64 [n], with those of n users who are stored; the others stay empty."""
        stored = read_users(self._database, user_ids)
        if stored:
            slot_of: dict[str, int] = dict(zip(user_ids, slots.tolist(), strict=True))
            found = np.array([slot_of[user_id] for user_id in stored], dtype=np.int64)
            fill_slots(users, found, list(stored.values()))

    def ids(self, from_key: bytes, limit: int) -> list[str]:
        """Return at most `limit` user ids in byte order, from `from_key` on."""
        return [key.decode() for key, _ in islice(self._scan(from_key), limit)]

    def expired(self, watermark: float) -> list[bytes]:
        """Look at some users, others at each call; return the keys of those who have expired."""
        if self._user_ttl is None:
            return []
        looked_at = list(islice(self._scan(self._swept_to), _SWEPT_USERS + 1))
        self._swept_to = looked_at.pop()[0] if len(looked_at) > _SWEPT_USERS else b""
        horizon = watermark - self._user_ttl
        return [key for key, value in looked_at if newest_time(value) < horizon]

    def _scan(self, from_key: bytes) -> Iterator[tuple[bytes, bytes]]:
        return scan(self._database, "users", from_key)
