"""The walk is bounded, reaches everybody active, and never starts over."""

from consumers.roles.publisher.user_table import UserTable
from consumers.roles.publisher.walk import Walk
from stream.clock import ManualClock


def _table(users: int) -> UserTable:
    table = UserTable(1)
    for n in range(users):
        row = table.add(f"u{n}", n % 2)
        table.sequence_offsets[row] = n
        table.click_times[row] = 1000.0 + n
        table.checked_versions[row] = 0
    return table


def _walk(walk: Walk, table: UserTable, clock: ManualClock, seconds: int) -> list[int]:
    """Let it walk in tenths of a second, noting each user as done; return who, in order."""
    visited: list[int] = []
    for _ in range(10 * seconds):
        clock.sleep(0.1)
        rows = walk.stride(table, limit=1000)
        table.checked_versions[rows] = walk.target
        visited += rows.tolist()
    return visited


def test_keeps_its_rate_and_reaches_everybody() -> None:
    """400 users at 100 per second take four seconds, each user once, in the log's order."""
    clock, table = ManualClock(), _table(400)
    walk = Walk(100.0, 1e9, clock)
    walk.move_target(1)
    assert 200 <= len(_walk(walk, table, clock, 3)) <= 310
    _walk(walk, table, clock, 3)
    assert (table.checked_versions[:400] == 1).all()
    assert walk.progress(table) == 1.0


def test_a_new_target_does_not_start_over() -> None:
    """With a version every second and four seconds per round, everybody still gets a turn."""
    clock, table = ManualClock(), _table(400)
    walk = Walk(100.0, 1e9, clock)
    visits: list[int] = []
    for version in range(1, 9):
        walk.move_target(version)
        visits += _walk(walk, table, clock, 1)
    counts = [visits.count(row) for row in range(400)]
    assert min(counts) >= 1
    assert max(counts) - min(counts) <= 1


def test_leaves_out_the_inactive() -> None:
    """Users whose clicks are long ago are not visited."""
    clock, table = ManualClock(), _table(400)
    walk = Walk(1e6, 99.0, clock)
    walk.move_target(1)
    assert sorted(_walk(walk, table, clock, 2)) == list(range(300, 400))


def test_an_older_target_changes_nothing() -> None:
    """The target never moves back."""
    walk = Walk(1.0, 1.0, ManualClock())
    walk.move_target(5)
    walk.move_target(3)
    assert walk.target == 5


def test_no_room_no_walk() -> None:
    """While clicks fill the batches, the walk rests."""
    clock, table = ManualClock(), _table(100)
    walk = Walk(1000.0, 1e9, clock)
    walk.move_target(1)
    clock.sleep(1.0)
    assert walk.stride(table, limit=0).tolist() == []
    assert len(walk.stride(table, limit=7)) == 7


def test_passes_over_who_needs_it_no_more() -> None:
    """Whoever gets a list of the target by a click, or leaves, after the choice is not visited."""
    clock, table = ManualClock(), _table(400)
    walk = Walk(100.0, 1e9, clock)
    walk.move_target(1)
    visited = _walk(walk, table, clock, 1)
    waiting = [row for row in range(400) if row not in visited]
    by_click, left, back = waiting[3], waiting[5], waiting[8]
    table.checked_versions[by_click] = 1
    table.remove(f"u{left}")
    table.sequence_offsets[back] = 1000  # clicked, and the list is still to come
    visited += _walk(walk, table, clock, 5)
    assert sorted(visited) == sorted(set(range(400)) - {by_click, left})
    assert walk.progress(table) == 1.0


def test_a_partition_that_leaves_is_not_visited() -> None:
    """Nor is one that is held back, until it is released."""
    clock, table = ManualClock(), _table(400)
    walk = Walk(100.0, 1e9, clock)
    walk.move_target(1)
    _walk(walk, table, clock, 1)
    table.hold(1)
    assert {row % 2 for row in _walk(walk, table, clock, 5)} == {0}
    table.release(1)
    walk.move_target(2)
    visited = _walk(walk, table, clock, 6)
    assert sorted(visited) == list(range(400))


def test_goes_round_without_a_rest() -> None:
    """Where few are left before the end of the log, it goes on at the beginning at once."""
    clock, table = ManualClock(), _table(400)
    walk = Walk(100.0, 1e9, clock)
    walk.move_target(1)
    _walk(walk, table, clock, 3)
    walk.move_target(2)
    visited = _walk(walk, table, clock, 3)
    assert len(visited) >= 260
    assert visited == sorted(visited, key=lambda row: (row < visited[0], row))


def test_waits_for_users_who_are_still_being_restored() -> None:
    """A walk that finds nobody yet is not at its end."""
    clock, table = ManualClock(), _table(40)
    walk = Walk(100.0, 1e9, clock)
    walk.move_target(1)
    table.hold(0)
    table.hold(1)
    assert _walk(walk, table, clock, 2) == []
    table.release(0)
    table.release(1)
    assert sorted(_walk(walk, table, clock, 3)) == list(range(40))
