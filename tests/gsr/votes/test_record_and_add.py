"""One pass over a chunk records each click and then counts it, and neither disturbs the other."""

import numpy as np

from gsr.config import ModelConfig
from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.users.histories import Histories
from gsr.votes.negatives import SharedNegatives
from gsr.votes.record_and_add import DONE, MORE_EDGES, MORE_NOTES, note_and_add
from gsr.votes.recording import Notes, note_level, open_notes, record_click, with_more_room

CLICKS, ITEMS, OWN = 200, 30, 3
STATE = CounterConfig(half_lives=(3600.0, 86_400.0), buffer_length=8, neighbours=4)
MODEL = ModelConfig(half_lives=STATE.half_lives, history_length=8)


def begin() -> tuple[Counters, AppliedClicks, Notes]:
    """Return counters whose buffers hold a chunk of clicks, and room for notes of all of them."""
    rng = np.random.default_rng(5)
    arrays = Counters(STATE, np.array([1.0]))
    times = 1e6 + np.cumsum(rng.exponential(60.0, CLICKS))
    batch = ClickBatch(
        user_ids=[f"u{user}" for user in rng.integers(0, 9, CLICKS)],
        item_ids=[f"i{item}" for item in rng.integers(0, ITEMS, CLICKS)],
        times=times,
        events=np.zeros(CLICKS, np.uint8),
        hashes=np.arange(CLICKS, dtype=np.uint64),
        forget=np.zeros(CLICKS, np.bool_),
        offsets=np.arange(CLICKS),
        append_times=times,
    )
    applied = arrays.apply_buffers(batch, record_histories=True)
    histories = Histories(
        applied.history_items,
        applied.history_times,
        applied.history_events,
        applied.history_lengths,
        times,
    ).recent(MODEL.history_length, (1.0,))
    notes = open_notes(
        arrays.graph(),
        np.arange(CLICKS),
        applied.item_rows,
        histories,
        histories.items,
        SharedNegatives(np.arange(5), np.zeros(5, np.float32)),
        OWN,
        MODEL,
    )
    return arrays, applied, notes


def run(arrays: Counters, applied: AppliedClicks, notes: Notes) -> tuple[Notes, set[int]]:
    """Record and add the whole chunk; return its notes, and why there were pauses."""
    click, reasons = 0, set()
    while click < CLICKS:
        click, reason = note_and_add(notes, OWN, *arrays.edge_arguments(applied), click, CLICKS)
        reasons.add(reason)
        if reason == MORE_NOTES:
            notes = with_more_room(notes)
        elif reason == MORE_EDGES:
            arrays.reserve_edges()
    return notes, reasons


def test_the_counters_are_those_without_recording() -> None:
    """Recording reads only: every array of the graph comes out the same to the last bit."""
    arrays, applied, notes = begin()
    run(arrays, applied, notes)
    alone, applied, _ = begin()
    alone.apply_edges(applied, 0, CLICKS)
    recorded, plain = arrays.graph(), alone.graph()
    for name in recorded._fields:
        assert np.array_equal(getattr(recorded, name), getattr(plain, name)), name


def test_the_notes_are_those_of_one_click_after_the_other() -> None:
    """Recording a click, counting it and noting its level by hand gives the same notes."""
    arrays, applied, notes = begin()
    notes, _ = run(arrays, applied, notes)
    slow, applied, by_hand = begin()
    for click in range(CLICKS):
        while not record_click(by_hand, slow.graph(), click, OWN):
            by_hand = with_more_room(by_hand)
        slow.apply_edges(applied, click, click + 1)
        note_level(by_hand, slow.graph(), click)
    used = notes.channel_starts[-1]
    assert used > 0
    for name in ("candidates", "log_inclusion", "features", "context", "levels_after", "levels"):
        assert np.array_equal(getattr(notes, name), getattr(by_hand, name)), name
    for name in ("channel_items", "channel_values"):
        assert np.array_equal(getattr(notes, name)[:used], getattr(by_hand, name)[:used]), name


def test_pauses_for_more_room_change_nothing() -> None:
    """However little room there is at first, the notes come out the same."""
    arrays, applied, notes = begin()
    expected, reasons = run(arrays, applied, notes)
    assert reasons == {DONE}
    arrays, applied, notes = begin()
    edges = arrays.items.edges
    taken = len(edges.neighbours.slots) - int(edges.neighbours.top[0])
    edges.neighbours.top[0] += taken  # as if other rows held all of it
    tight = notes._replace(
        channel_items=notes.channel_items[:1], channel_values=notes.channel_values[:1]
    )
    found, reasons = run(arrays, applied, tight)
    assert reasons == {DONE, MORE_NOTES, MORE_EDGES}
    used = expected.channel_starts[-1]
    assert np.array_equal(found.channel_items[:used], expected.channel_items[:used])
    assert np.array_equal(found.context, expected.context)
