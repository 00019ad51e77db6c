"""Clicks in memory: the rules one by one, on numbers that can be checked by hand."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings

from gsr.counters.applied_clicks import ACCEPTED, DUPLICATE, FORGOTTEN, TOO_OLD
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.fingerprint import fingerprint
from gsr.counters.partition_items import PartitionItems
from tests.stream.state.click_stories import (
    START,
    WEIGHTS,
    Told,
    batch_of,
    part_of,
    small_configs,
    stories,
)

HOUR = 3600.0
ONE_SCALE = CounterConfig(half_lives=(HOUR,))
CLICK, BUY, SEEN, HIDE = range(4)


def arrays_of(story: list[Told], config: CounterConfig = ONE_SCALE) -> Counters:
    arrays = Counters(config, np.array(WEIGHTS))
    arrays.apply(batch_of(story))
    return arrays


def edges_of(arrays: Counters, at: float = START) -> dict[tuple[int, int], float]:
    """Return what each edge is worth on the first scale at a time, by item number."""
    graph = arrays.graph()
    ids = [-1 if item_id is None else int(item_id.split("-")[1]) for item_id in arrays.item_ids]
    edges = {}
    for row in np.flatnonzero(graph.alive).tolist():
        start = int(graph.row_starts[row])
        for slot in range(start, start + int(graph.row_lengths[row])):
            age = at / graph.half_lives[0] - graph.row_references[row, 0]
            worth = float(graph.weights[slot, 0]) * 2.0**-age
            edges[ids[row], ids[graph.neighbours[slot]]] = worth
    return edges


def popularity_of(arrays: Counters, item: int, at: float = START) -> float:
    """Return an item's popularity on the first scale at a time."""
    graph = arrays.graph()
    row = arrays.item_row(f"item-{item}")
    age = at / graph.half_lives[0] - graph.popularity_references[row, 0]
    worth: float = float(graph.popularity[row, 0]) * 2.0 ** float(-age)
    return worth


def items_of(arrays: Counters, user: int) -> list[int]:
    """Return the item numbers of a user's buffer, oldest first."""
    buffer = arrays.user_buffer(f"user-{user}")
    assert buffer is not None
    return [int(str(arrays.item_ids[row]).split("-")[1]) for row in buffer.items.tolist()]


def walk(*items: int, user: int = 0, step: float = 0.0) -> list[Told]:
    """Let a user click items one after another."""
    return [Told(user, item, START + i * step, CLICK, i) for i, item in enumerate(items)]


def test_a_window_of_three() -> None:
    """The last three items point to the new one, with 1, 1/2 and 1/3."""
    edges = edges_of(arrays_of(walk(1, 2, 3, 4, 5)))
    incoming = {source: worth for (source, target), worth in edges.items() if target == 5}
    assert incoming == pytest.approx({4: 1.0, 3: 0.5, 2: 1 / 3}, rel=1e-6)


def test_no_edge_to_itself() -> None:
    """A repeated item takes its place in the window but gets no edge."""
    edges = edges_of(arrays_of(walk(1, 2, 2)))
    assert edges == pytest.approx({(1, 2): 1.5}, rel=1e-6)


def test_event_weights() -> None:
    """What is worth more counts more; what is worth nothing or less only enters the buffer."""
    arrays = arrays_of(
        [
            Told(0, 1, START, CLICK, 1),
            Told(0, 2, START, SEEN, 2),
            Told(0, 3, START, HIDE, 3),
            Told(0, 4, START, BUY, 4),
        ]
    )
    assert edges_of(arrays) == pytest.approx({(1, 4): 3.0}, rel=1e-6)
    assert items_of(arrays, 0) == [1, 2, 3, 4]
    assert [popularity_of(arrays, item) for item in (1, 2, 3, 4)] == pytest.approx([1, 0, 0, 3])


def test_forward_decay() -> None:
    """A click loses half its worth in a half-life, and additions are plain."""
    arrays = arrays_of([Told(0, 1, START, CLICK, 1), Told(1, 1, START + HOUR, CLICK, 2)])
    assert popularity_of(arrays, 1, START + HOUR) == pytest.approx(1.5, rel=1e-6)


@pytest.mark.parametrize("jump", [31 * HOUR, 32 * HOUR, 200 * HOUR, 20 * 365 * 24 * HOUR])
def test_rebasing_keeps_worth(jump: float) -> None:
    """Whatever the clock jumps, new clicks count fully and old ones as little as they should."""
    arrays = arrays_of(
        [Told(0, 1, START, CLICK, 1), Told(0, 2, START, CLICK, 2)]
        + [Told(1, item, START + jump, CLICK, item) for item in (1, 2)]
    )
    left = 2.0 ** max(-1000.0, -jump / HOUR)
    assert popularity_of(arrays, 1, START + jump) == pytest.approx(1 + left, rel=1e-6)
    assert edges_of(arrays, START + jump) == pytest.approx({(1, 2): 1 + left}, rel=1e-6)


def test_a_late_click_takes_its_place() -> None:
    """Edges lead to a late click and from it on, at the later click's time."""
    arrays = arrays_of(
        [
            Told(0, 1, START, CLICK, 1),
            Told(0, 3, START + HOUR, CLICK, 3),
            Told(0, 2, START + 1, CLICK, 2),
        ]
    )
    assert items_of(arrays, 0) == [1, 2, 3]
    edges = edges_of(arrays, START + HOUR)
    first = 2.0 ** (-(HOUR - 1) / HOUR)
    assert edges == pytest.approx({(1, 3): 1.0, (1, 2): first, (2, 3): 1.0}, rel=1e-6)


def test_equal_times_keep_log_order() -> None:
    """A click as old as another one comes behind it."""
    assert items_of(arrays_of(walk(5, 4, 3, 9)), 0) == [5, 4, 3, 9]


def test_a_session_gap_ends_the_window() -> None:
    """A pause as long as the gap is none; a longer one is."""
    config = CounterConfig(half_lives=(HOUR,), session_gap_seconds=60.0)
    assert set(edges_of(arrays_of(walk(1, 2, step=60.0), config))) == {(1, 2)}
    assert edges_of(arrays_of(walk(1, 2, step=61.0), config)) == {}


def test_outcomes() -> None:
    """Every row says what became of it."""
    arrays = Counters(CounterConfig(buffer_length=2), np.array(WEIGHTS))
    applied = arrays.apply(
        batch_of(
            [
                Told(0, 1, START, CLICK, 1),
                Told(0, 1, START, CLICK, 1),
                Told(0, 2, START + 1, CLICK, 2),
                Told(0, 3, START - 1, CLICK, 3),
                Told(0, 3, START, CLICK, 3),
                Told(0, 0, 0.0, forget=True),
                Told(9, 0, 0.0, forget=True),
            ]
        )
    )
    assert applied.outcomes.tolist() == [
        ACCEPTED,
        DUPLICATE,
        ACCEPTED,
        TOO_OLD,
        ACCEPTED,
        FORGOTTEN,
        FORGOTTEN,
    ]
    assert applied.count(ACCEPTED) == 3
    assert arrays.user_buffer("user-0") is None
    assert arrays.item_row("item-3") == 2


def test_what_changes_nothing_makes_no_item() -> None:
    """A click that is too old does not bring its item into being."""
    config = CounterConfig(buffer_length=1)
    arrays = arrays_of([Told(0, 1, START, CLICK, 1), Told(0, 2, START - 1, CLICK, 2)], config)
    assert arrays.item_row("item-2") == -1


def test_the_seen_filter_ages_exactly() -> None:
    """Items that leave the buffer are remembered, newest last, each once, up to the cap."""
    config = CounterConfig(buffer_length=1, seen_items=3)
    buffer = arrays_of(walk(1, 2, 3, 1, 4, 5, 6), config).user_buffer("user-0")
    assert buffer is not None
    assert buffer.seen.tolist() == [fingerprint(f"item-{item}") for item in (1, 4, 5)]


def test_trimming_prefers_the_newer_of_equals() -> None:
    """A full row keeps each scale's heaviest slots; of equal ones those that came later."""
    config = CounterConfig(half_lives=(HOUR,), neighbours=2, window_weights=(1.0,))
    story = [
        Told(user, item, START, CLICK, hash_)
        for user, neighbour in enumerate([1, 2, 3, 4, 5])
        for hash_, item in enumerate([0, neighbour])
    ]
    assert set(edges_of(arrays_of(story[:8], config))) == {(0, 1), (0, 2), (0, 3), (0, 4)}
    assert set(edges_of(arrays_of(story, config))) == {(0, 4), (0, 5)}


def test_users_expire_by_the_watermark() -> None:
    """As old as the lifetime is not yet expired; older is."""
    config = CounterConfig(user_ttl_seconds=100.0)
    story = [Told(0, 1, START, CLICK, 1), Told(1, 1, START + 100.0, CLICK, 2)]
    assert arrays_of(story, config).user_buffer("user-0") is not None
    story.append(Told(1, 1, START + 100.5, CLICK, 3))
    arrays = arrays_of(story, config)
    assert arrays.user_buffer("user-0") is None
    arrays.apply(batch_of([Told(0, 2, START + 101.0, CLICK, 4)]))
    assert items_of(arrays, 0) == [2]


def test_items_expire_at_steps_of_the_watermark() -> None:
    """An item as old as its lifetime stays; the next step of the watermark takes it."""
    config = CounterConfig(half_lives=(HOUR,), item_ttl_seconds=16.0)
    start = START // 16 * 16
    story = [Told(0, 1, start, CLICK, 1), Told(0, 2, start + 16.0, CLICK, 2)]
    assert arrays_of(story, config).item_row("item-1") == 0
    arrays = arrays_of([*story, Told(0, 2, start + 17.0, CLICK, 3)], config)
    assert arrays.item_row("item-1") == -1
    assert edges_of(arrays) == {}
    assert arrays.items_removed == 1


def test_too_many_items() -> None:
    """The item clicked longest ago makes room; coming back, it is a new one."""
    config = CounterConfig(half_lives=(HOUR,), max_items=2)
    arrays = arrays_of(walk(1, 2, 3, 1, step=1.0), config)
    assert [arrays.item_row(f"item-{item}") >= 0 for item in (1, 2, 3)] == [True, False, True]
    assert arrays.items.next_index == 4
    buffer = arrays.user_buffer("user-0")
    assert buffer is not None
    assert (buffer.items >= 0).tolist() == [False, False, True, True]
    assert buffer.fingerprints[0] == fingerprint("item-1")


def test_an_item_clicked_by_everyone() -> None:
    """A hot item's row stays within its slots, and counts hardly drift."""
    config = CounterConfig(half_lives=(HOUR,), neighbours=8)
    story = [
        Told(user, item, START, CLICK, hash_)
        for user in range(3000)
        for hash_, item in enumerate([0, 1 + user % 500])
    ]
    arrays = arrays_of(story, config)
    assert popularity_of(arrays, 0) == pytest.approx(3000, rel=1e-4)
    assert int(arrays.graph().row_lengths.max()) <= config.row_slots


def test_a_user_with_100_000_clicks() -> None:
    """One busy user costs what any click costs, and memory stays bounded."""
    count = 100_000
    rng = np.random.default_rng(0)
    items: npt.NDArray[np.int64] = rng.integers(0, 5000, count)
    story = [Told(0, item, START + i, CLICK, i) for i, item in enumerate(items.tolist())]
    arrays = arrays_of(story, CounterConfig())
    buffer = arrays.user_buffer("user-0")
    assert buffer is not None
    assert len(buffer) == 64
    assert len(buffer.seen) == 1000
    assert int(arrays.users.seen.top[0]) < 5000


@settings(max_examples=40, deadline=None)
@given(story=stories(), config=small_configs())
def test_two_passes_equal_one(story: list[Told], config: CounterConfig) -> None:
    """Edges may be added later than buffers, click by click, without a difference."""
    batch = batch_of(story)
    whole = Counters(config, np.array(WEIGHTS))
    whole.apply(batch)
    apart = Counters(config, np.array(WEIGHTS))
    start = 0
    while start < len(batch):
        applied = apart.apply_buffers(batch, start, record_histories=True)
        for row in range(applied.start, applied.stop):
            apart.apply_edges(applied, row, row + 1)
        start = applied.stop
    used = slice(int(whole.items.edges.neighbours.top[0]))
    slots, others = whole.items.edges.neighbours.slots, apart.items.edges.neighbours.slots
    assert np.array_equal(slots[used], others[used])
    assert np.array_equal(whole.items.edges.weights[used], apart.items.edges.weights[used])
    for name in whole.items.columns._fields:
        mine, other = getattr(whole.items.columns, name), getattr(apart.items.columns, name)
        assert np.array_equal(mine, other), name
    for name in set(whole.users.columns._fields) - {"touched", "buffers"}:
        mine, other = getattr(whole.users.columns, name), getattr(apart.users.columns, name)
        assert np.array_equal(mine, other), name
    buffers, others_buffers = whole.users.columns.buffers, apart.users.columns.buffers
    for name in buffers._fields:
        assert np.array_equal(getattr(buffers, name), getattr(others_buffers, name)), name


def test_histories_are_as_before_the_click() -> None:
    """A click's history is its user's buffer without it; its item is not alive yet."""
    arrays = Counters(CounterConfig(buffer_length=2), np.array(WEIGHTS))
    batch = batch_of(walk(1, 2, 3, step=1.0))
    applied = arrays.apply_buffers(batch, record_histories=True)
    assert applied.history_lengths.tolist() == [0, 1, 2]
    assert applied.history_items.tolist() == [[-1, -1], [0, -1], [0, 1]]
    assert applied.history_times.tolist() == [[0, 0], [START, 0], [START, START + 1]]
    assert arrays.graph().alive.tolist() == [False, False, False]
    arrays.apply_edges(applied, 0, 2)
    assert arrays.graph().alive.tolist() == [True, True, False]


def table_of(arrays: Counters) -> PartitionItems:
    """Return everything about items, as a checkpoint would."""
    ids = [str(item_id) for item_id in arrays.item_ids]
    columns = arrays.items.columns
    return PartitionItems(
        ids, columns.indexes[: len(ids)], columns.created_at[: len(ids)], arrays.graph()
    )


def test_absorbing_into_nothing_copies() -> None:
    """The first partition's items come over bit by bit."""
    arrays = arrays_of(walk(*range(20), *range(0, 20, 3), step=400.0))
    copy = Counters(ONE_SCALE, np.array(WEIGHTS))
    assert copy.absorb(table_of(arrays)).tolist() == list(range(20))
    assert edges_of(copy) == edges_of(arrays)
    assert np.array_equal(copy.graph().popularity, arrays.graph().popularity)
    assert np.array_equal(copy.graph().last_clicks, arrays.graph().last_clicks)


def test_absorbing_sums_partitions() -> None:
    """Counters of several partitions add up, also with references years apart."""
    early = arrays_of(walk(1, 2, 3))
    late = arrays_of([Told(0, item, START + 50 * HOUR, CLICK, item) for item in (3, 1, 2)])
    both = Counters(ONE_SCALE, np.array(WEIGHTS))
    both.absorb(table_of(late))
    both.absorb(table_of(early))
    now = START + 50 * HOUR
    expected = edges_of(late, now)
    for edge, worth in edges_of(early, now).items():
        expected[edge] = expected.get(edge, 0.0) + worth
    assert edges_of(both, now) == pytest.approx(expected, rel=1e-6)
    assert popularity_of(both, 3, now) == pytest.approx(1 + 2.0**-50, rel=1e-6)


def test_users_come_and_go() -> None:
    """A user copied elsewhere is the same; only users without changes may be evicted."""
    arrays = arrays_of(walk(1, 2, 3) + walk(3, 2, user=1))
    assert arrays.evict_users(1) == 0
    buffer = arrays.user_buffer("user-0")
    assert buffer is not None
    arrays.mark_clean()
    arrays.apply(batch_of([Told(1, 3, START, CLICK, 77)], 10))
    assert arrays.evict_users(1) == 1
    assert arrays.user_buffer("user-0") is None
    arrays.load_user("user-0", buffer)
    assert items_of(arrays, 0) == [1, 2, 3]
    arrays.forget("user-0")
    assert arrays.user_buffer("user-0") is None


def test_growth_keeps_everything() -> None:
    """Arrays that outgrow their room move without a trace."""
    story = [Told(user, user % 3000, START + user, CLICK, 0) for user in range(9000)]
    small = Counters(ONE_SCALE, np.array(WEIGHTS), users=1)
    batch = batch_of(story)
    for start in range(0, len(batch), 1000):
        small.apply(part_of(batch, start, start + 1000))
    assert small.items.next_index == 3000
    assert [items_of(small, user) for user in (0, 4567, 8999)] == [[0], [1567], [2999]]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("buffer_length", 0),
        ("seen_items", -1),
        ("neighbours", 0),
        ("half_lives", ()),
        ("half_lives", (0.5,)),
        ("window_weights", ()),
        ("window_weights", (1.0, 0.0)),
        ("session_gap_seconds", 0.0),
        ("user_ttl_seconds", -1.0),
        ("item_ttl_seconds", float("nan")),
        ("max_items", 0),
        ("feed_bytes", -1),
    ],
)
def test_senseless_settings_are_named(setting: str, value: object) -> None:
    """A setting that makes no sense is refused by its name."""
    settings_: dict[str, object] = {setting: value}
    with pytest.raises(ValueError, match=setting):
        CounterConfig(**settings_)  # type: ignore[arg-type] # wrong on purpose
