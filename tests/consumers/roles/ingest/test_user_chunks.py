"""The users of a state, in chunks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.roles.ingest import user_chunks
from consumers.roles.ingest.user_chunks import UserChunks
from gsr.counters.config import CounterConfig
from stream.clock import ManualClock
from stream.state.store import PartitionStore
from tests.stream.state.click_stories import RULES, START, Told, batch_of, watermark_after

USERS = 7


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UserChunks]:
    """Yield those of a state with seven users, three at a time."""
    monkeypatch.setattr(user_chunks, "CHUNK_USERS", 3)
    store = PartitionStore.open(tmp_path, 3, CounterConfig(), RULES, ManualClock())
    clicks = batch_of([Told(n, n, START + n, 0, n) for n in range(USERS)])
    store.apply(clicks, watermark_after(clicks, USERS), USERS)
    store.flush()
    yield UserChunks(store)
    store.close()


def test_everybody_is_given_out_once(users: UserChunks) -> None:
    """Chunk by chunk in byte order, and then nobody."""
    chunks = []
    while len(chunk := users.take()):
        chunks.append(list(chunk))
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]
    everybody = [user for chunk in chunks for user in chunk]
    assert everybody == sorted(set(everybody))


def test_the_next_chunk_waits_for_the_last_one(users: UserChunks) -> None:
    """It is due once as many users have been served in all as were to be by then."""
    assert users.is_due(0)
    users.take()
    users.wait_until(3)
    assert [users.is_due(served) for served in (0, 2, 3)] == [False, False, True]


def test_a_chunk_that_was_dropped_is_given_out_again(users: UserChunks) -> None:
    """At once, from its beginning; what was served before it is not."""
    first = list(users.take())
    users.wait_until(3)
    second = list(users.take())
    users.wait_until(6)
    users.again()
    assert users.is_due(0)
    assert list(users.take()) == second != first
