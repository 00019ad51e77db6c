"""The users of a state, in chunks, so that their sequences can be sent again."""

from typing import Final

from gsr.counters.ids.id_column import IdColumn
from stream.state.store import PartitionStore

CHUNK_USERS: Final = 1_000


class UserChunks:
    """Gives out the users of a state, chunk by chunk.

    The next chunk follows when everybody of the last one is served. Who was given out and then
    dropped unserved is given out again, after `again`.

    Parameters
    ----------
    store
        Whose changes have all been flushed. Users who come later are not given out.
    """

    def __init__(self, store: PartitionStore) -> None:
        self._store = store
        self._chunk_from = self._next_from = b""
        self._served_when = 0

    def is_due(self, served: int) -> bool:
        """Return whether all who were given out are served, now that `served` users are in all."""
        return served >= self._served_when

    def take(self) -> IdColumn:
        """Return the next chunk; empty at the end. Tell `wait_until` of it."""
        self._chunk_from = self._next_from
        user_ids = self._store.stored_user_ids(self._chunk_from, CHUNK_USERS)
        if user_ids:
            self._next_from = user_ids[-1].encode() + b"\0"
        return IdColumn.of(user_ids)

    def wait_until(self, served: int) -> None:
        """Note that the chunk is served once `served` users are in all."""
        self._served_when = served

    def again(self) -> None:
        """Give the last chunk out once more: it was dropped unserved."""
        self._next_from = self._chunk_from
        self._served_when = 0
