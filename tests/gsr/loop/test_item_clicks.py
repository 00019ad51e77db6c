"""Clicks by item, from one `take` to the next."""

import numpy as np

from gsr.loop.item_clicks import ItemClicks


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
