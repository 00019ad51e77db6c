"""Clicks by item, from one `take` to the next."""

import numpy as np

from gsr.loop.item_clicks import ItemClicks, ItemTotals


def test_spans_are_counted_apart() -> None:
    """What was taken is not counted again; the catalogue may grow."""
    clicks = ItemClicks()
    clicks.add(np.array([0, 1, 1]), clicks_before=np.array([0, 0, 1]), items=2)
    counts, share = clicks.take()
    assert (counts[:2].tolist(), share) == ([1.0, 2.0], 2 / 3)
    clicks.add(np.array([7, 0]), clicks_before=np.array([0, 1]), items=8)
    counts, share = clicks.take()
    assert (np.flatnonzero(counts).tolist(), share) == ([0, 7], 0.5)


def test_an_empty_span_has_no_new_items() -> None:
    """Rather than a division by zero."""
    counts, share = ItemClicks().take()
    assert (len(counts), share) == (0, 0.0)


def test_totals_count_within_the_batch_too() -> None:
    """How often an item was clicked includes the batch's own earlier clicks."""
    totals = ItemTotals()
    assert totals.add(np.array([0, 0])).tolist() == [0, 1]
    assert totals.add(np.array([1, 0, 1, 0, 0])).tolist() == [0, 2, 1, 3, 4]


def test_a_released_row_has_had_no_clicks() -> None:
    """The item that gets the row of one that has left begins anew."""
    totals = ItemTotals()
    totals.add(np.array([3, 3]))
    totals.release(np.array([3, 99]))
    assert totals.add(np.array([3])).tolist() == [0]


def test_counts_are_a_copy_of_any_length() -> None:
    """Rows that were never clicked have none, and what is done to a copy changes nothing."""
    totals = ItemTotals()
    totals.add(np.array([0, 2, 0]))
    counts = totals.counts(5)
    assert counts.tolist() == [2, 0, 1, 0, 0]
    counts[:] = 9
    assert totals.counts(2).tolist() == [2, 0]
