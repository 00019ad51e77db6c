"""The most urgent come first, and nobody starves."""

from consumers.roles.publisher.due_users import Due, DueUsers


def test_first_come_first_served() -> None:
    """A user who is due again keeps the place."""
    due = DueUsers()
    due.add("click", [3, 1], now=1.0)
    due.add("click", [2, 3], now=2.0)
    assert [one.row for one in due.take(2)] == [3, 1]
    assert [one.row for one in due.take(2)] == [2]


def test_one_list_serves_every_reason() -> None:
    """A user who is due twice is taken once, for the most urgent reason."""
    due = DueUsers()
    for reason in ("model", "items", "click"):
        due.add(reason, [7], now=0.0)
    assert due.take(5) == [Due(7, "click")]
    assert not len(due)


def test_the_less_urgent_get_a_share() -> None:
    """A flood of clicks does not hold up a take-down for ever."""
    due = DueUsers()
    due.add("click", range(1000), now=0.0)
    due.add("items", [5000, 5001], now=0.0)
    batch = due.take(16)
    assert len(batch) == 16
    assert [one.row for one in batch if one.reason == "items"] == [5000, 5001]


def test_waiting_and_leaving() -> None:
    """The longest wait is that of the one who came first; who leaves waits no more."""
    due = DueUsers()
    assert due.longest_wait(now=9.0) == 0.0
    due.add("click", [1], now=2.0)
    due.add("model", [2], now=5.0)
    assert due.longest_wait(now=9.0) == 7.0
    due.discard(1)
    assert due.longest_wait(now=9.0) == 4.0
    assert due.rows() == {2}
