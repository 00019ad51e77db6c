"""Edges and popularity: forward decay, re-basing, and rows that stay within their slots."""

from collections import defaultdict

import numpy as np
import pytest

from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.items.edge_kernel import add_edges
from gsr.counters.items.edge_rows import stored
from gsr.counters.users.user_columns import BYTES_PER_CLICK, BYTES_PER_USER
from tests.gsr.counters.counted import (
    BUY,
    CLICK,
    HOUR,
    ONE_SCALE,
    close_of,
    counters_of,
    edges_of,
    popularity_of,
    walk,
)
from tests.stream.state.click_stories import (
    START,
    WEIGHTS,
    Told,
    batch_of,
)


def test_forward_decay() -> None:
    """A click loses half its worth in a half-life, and additions are plain."""
    counters = counters_of([Told(0, 1, START, CLICK, 1), Told(1, 1, START + HOUR, CLICK, 2)])
    assert popularity_of(counters, 1, START + HOUR) == pytest.approx(1.5, rel=1e-6)


@pytest.mark.parametrize("jump", [31 * HOUR, 32 * HOUR, 200 * HOUR, 20 * 365 * 24 * HOUR])
def test_rebasing_keeps_worth(jump: float) -> None:
    """Whatever the clock jumps, new clicks count fully and old ones as little as they should."""
    counters = counters_of(
        [Told(0, 1, START, CLICK, 1), Told(0, 2, START, CLICK, 2)]
        + [Told(1, item, START + jump, CLICK, item) for item in (1, 2)]
    )
    left = 2.0 ** max(-1000.0, -jump / HOUR)
    assert popularity_of(counters, 1, START + jump) == pytest.approx(1 + left, rel=1e-6)
    assert edges_of(counters, START + jump) == pytest.approx({(1, 2): 1 + left}, rel=1e-6)


def test_trimming_prefers_the_newer_of_equals() -> None:
    """A full row keeps each scale's heaviest slots; of equal ones those that came later."""
    config = CounterConfig(
        half_lives=(HOUR,),
        neighbours=2,
        window_weights=(1.0,),
        close_clicks=0,
        close_half_lives=(),
    )
    story = [
        Told(user, item, START, CLICK, hash_)
        for user, neighbour in enumerate([1, 2, 3, 4, 5])
        for hash_, item in enumerate([0, neighbour])
    ]
    assert set(edges_of(counters_of(story[:8], config))) == {(0, 1), (0, 2), (0, 3), (0, 4)}
    assert set(edges_of(counters_of(story, config))) == {(0, 4), (0, 5)}


def test_an_item_clicked_by_everyone() -> None:
    """A hot item's row stays within its slots, and counts hardly drift."""
    config = CounterConfig(half_lives=(HOUR,), neighbours=8)
    story = [
        Told(user, item, START, CLICK, hash_)
        for user in range(3000)
        for hash_, item in enumerate([0, 1 + user % 500])
    ]
    counters = counters_of(story, config)
    assert popularity_of(counters, 0) == pytest.approx(3000, rel=1e-4)
    assert int(counters.graph().row_lengths.max()) <= config.row_slots


def test_trimming_keeps_what_any_scale_finds_heavy() -> None:
    """Hours and weeks each keep their own heaviest; what neither wants leaves."""
    config = CounterConfig(
        half_lives=(60.0, 86_400.0),
        neighbours=2,
        window_weights=(1.0,),
        close_clicks=0,
        close_half_lives=(),
    )
    story = [
        told
        for user, (item, time, event) in enumerate(
            [(1, 0, BUY), (2, 0, CLICK), (3, 0, CLICK), (4, HOUR, CLICK), (5, HOUR, CLICK)]
        )
        for told in (
            Told(user, 0, START + time, CLICK, 0),
            Told(user, item, START + time, event, 1),
        )
    ]
    assert set(edges_of(counters_of(story, config))) == {(0, 1), (0, 4), (0, 5)}


def test_trimming_keeps_what_was_close() -> None:
    """What never followed an item, but was close to it, stands in its row by its own weight."""
    config = CounterConfig(
        half_lives=(HOUR,),
        neighbours=2,
        window_weights=(1.0,),
        close_clicks=1,
        close_half_lives=(86_400.0,),
    )
    pairs = [(1, 0, BUY), (0, 2, BUY), (0, 3, CLICK), (0, 4, CLICK), (0, 5, CLICK)]
    story = [
        told
        for user, (first, second, event) in enumerate(pairs)
        for told in (Told(user, first, START, CLICK, 0), Told(user, second, START, event, 1))
    ]
    counters = counters_of(story, config)
    close = {other for item, other in close_of(counters) if item == 0}
    assert close == {2, 5}  # of 1 and 2, equally close, the newer one
    assert set(edges_of(counters)) == {(1, 0), (0, 2), (0, 5)}
    for item in (1, 2, 3, 4, 5):
        assert (item, 0) in close_of(counters)  # their own rows were never full


def test_without_room_nothing_of_a_click_is_added() -> None:
    """The kernel names the click; with more room it goes on, and nothing counts twice."""
    story = walk(*range(6), step=60.0)
    counters = Counters(ONE_SCALE, np.array(WEIGHTS))
    applied = counters.apply_buffers(batch_of(story))
    counters.apply_edges(applied, 0, 2)
    arguments = counters.edge_arguments(applied)
    top, room = arguments.edges.neighbours.top, len(arguments.edges.neighbours.slots)
    used = int(top[0])
    top[0] = room
    assert add_edges(*arguments, 2, len(story)) == 2
    assert popularity_of(counters, 2) == 0.0
    top[0] = used
    counters.apply_edges(applied, 2, len(story))
    assert edges_of(counters) == edges_of(counters_of(story))


def test_dirty_bytes_grow_with_the_first_change_of_a_row() -> None:
    """What is to be written already is not counted again."""
    counters = counters_of(walk(1, 2))
    before = int(counters.progress.dirty_bytes[0])
    clicks = walk(1, 2, user=1)
    counters.apply(batch_of(clicks, 2))
    users = int(counters.progress.dirty_bytes[0]) - before
    assert users == BYTES_PER_USER + 2 * BYTES_PER_CLICK


def test_less_than_a_normal_float_is_nothing() -> None:
    """So no result depends on how a processor treats denormal numbers."""
    column = np.zeros(1, dtype=np.float32)
    assert stored(2.0**-126, column) == np.float32(2.0**-126)
    assert stored(2.0**-127, column) == 0.0
    assert stored(2.0**-127, np.zeros(1)) == 2.0**-127


class PlainRows:
    """Rows of edges and close clicks as lists that are trimmed, one slot looked for at a time.

    Of clicks that all happen at once, so that nothing decays.
    """

    def __init__(self, config: CounterConfig) -> None:
        self._config = config
        self._clicks: defaultdict[int, list[int]] = defaultdict(list)
        self.rows: defaultdict[int, list[tuple[int, list[float]]]] = defaultdict(list)

    def click(self, user: int, item: int) -> None:
        """Count a click."""
        window = self._config.window_weights
        before = self._clicks[user][::-1][: self._config.close_clicks]
        for distance, other in enumerate(before):
            if other != item:
                edge = window[distance] if distance < len(window) else 0.0
                self._add(other, item, [edge, 1.0])
                self._add(item, other, [0.0, 1.0])
        self._clicks[user].append(item)

    def _add(self, row: int, neighbour: int, amounts: list[float]) -> None:
        slots = self.rows[row]
        found = [weights for other, weights in slots if other == neighbour]
        if not found:
            if len(slots) == self._config.row_slots:
                self._trim(slots)
            found = [[0.0, 0.0]]
            slots.append((neighbour, found[0]))
        for scale, amount in enumerate(amounts):
            found[0][scale] += amount

    def _trim(self, slots: list[tuple[int, list[float]]]) -> None:
        kept: set[int] = set()
        for scale in range(2):
            best = sorted(range(len(slots)), key=lambda at: (slots[at][1][scale], at))
            kept.update(best[-self._config.kept_per_scale :])
        slots[:] = [slots[at] for at in sorted(kept)]


def test_rows_are_those_of_plain_lists() -> None:
    """What is looked up for a whole click stays right while its own pairs add slots and trim."""
    config = CounterConfig(
        half_lives=(HOUR,),
        neighbours=3,
        window_weights=(1.0, 0.5),
        close_clicks=4,
        close_half_lives=(HOUR,),
    )
    rng = np.random.default_rng(7)
    chosen = zip(rng.integers(0, 9, 3000).tolist(), rng.integers(0, 14, 3000).tolist(), strict=True)
    story = [Told(user, item, START, CLICK, number) for number, (user, item) in enumerate(chosen)]
    counters, plain = counters_of(story, config), PlainRows(config)
    for told in story:
        plain.click(told.user, told.item)
    for scale, found in enumerate((edges_of(counters), close_of(counters))):
        expected = {
            (row, other): weights[scale]
            for row, slots in plain.rows.items()
            for other, weights in slots
            if weights[scale] > 0.0
        }
        assert found == pytest.approx(expected, rel=1e-6)
