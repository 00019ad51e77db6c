"""A queue of users whose sequence is to be sent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.roles.ingest.waiting_users import WaitingUsers
from gsr.counters.ids.id_column import IdColumn


@settings(deadline=None)  # the first example may compile
@given(
    st.lists(
        st.one_of(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=6), st.integers(0, 5)),
        max_size=20,
    )
)
def test_users_keep_the_place_of_their_first_coming(steps: list[list[str] | int]) -> None:
    """Whoever waits already is not added again; whoever was removed may come again, at the end."""
    waiting, expected = WaitingUsers(), dict[str, int]()
    for offset, step in enumerate(steps):
        if isinstance(step, list):
            waiting.add(IdColumn.of(step), offset)
            for user in step:
                expected.setdefault(user, offset)
        else:
            count = min(step, len(expected))
            waiting.drop_oldest(count)
            for user in list(expected)[:count]:
                del expected[user]
        assert list(waiting.oldest(100)) == list(expected)
        assert len(waiting) == len(expected)
        if expected:
            assert waiting.oldest_offset == next(iter(expected.values()))


def test_there_is_room_for_any_number() -> None:
    """Far more than it begins with, in the same order, and with their offsets."""
    waiting = WaitingUsers()
    for offset in range(5):
        waiting.add(IdColumn.of([f"u{offset}-{n}" for n in range(1000)]), offset)
    assert len(waiting) == 5000
    waiting.drop_oldest(3999)
    assert list(waiting.oldest(2)) == ["u3-999", "u4-0"]
    assert waiting.oldest_offset == 3
    waiting.clear()
    assert (len(waiting), list(waiting.oldest(1))) == (0, [])


def test_nobody_waits_since_nowhere() -> None:
    """The oldest offset of an empty queue is asked for by mistake."""
    with pytest.raises(IndexError):
        _ = WaitingUsers().oldest_offset
