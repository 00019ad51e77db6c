"""The ranker on the stream: tests, ranks and lists agree."""

from dataclasses import replace

import numpy as np
import pytest

from gsr.counters.ids.id_column import IdColumn
from gsr.loop import reports
from gsr.loop.learning_loop import LearningLoop
from tests.gsr.loop.world import OPTIONS, history_of, loop_of, ring


def learn(loop: LearningLoop) -> None:
    """Let a loop learn a while."""
    for cycle in range(2):
        loop.advance(ring(100, start=9000.0 * cycle, seed=cycle))
        loop.test()
        loop.learn()


@pytest.mark.parametrize("mask_seen", [False, True])
def test_a_case_is_ranked_as_if_it_were_the_next_click(mask_seen: bool) -> None:
    """And ranking twice gives the same, because nothing is counted."""
    found: list[reports.TestedClicks] = []
    loop = LearningLoop(replace(OPTIONS, mask_seen=mask_seen), on_tested=found.append)
    learn(loop)
    clicks = ring(30, start=30_000.0, seed=2)
    compared = 0
    for row in range(len(clicks)):
        click = clicks.slice(row, row + 1)
        found.clear()
        targets = loop.mirror.arrays.item_rows(click.item_ids)
        history = history_of(loop, click.user_ids[0], float(click.times[0]))
        hashes = IdColumn.of(click.user_ids).hashes
        ranks = loop.rank(history, targets, hashes)
        np.testing.assert_array_equal(loop.rank(history, targets, hashes), ranks)
        loop.advance(click)
        loop.test()
        if found:
            np.testing.assert_array_equal(found[0].ranks[:, 0], ranks[:, 0])
            compared += 1
    assert compared > 10


@pytest.mark.parametrize("mask_history", [False, True])
def test_lists_hold_the_best_ranked(mask_history: bool) -> None:
    """The item at place n of a list is the one whose rank is n + 1."""
    loop = loop_of(mask_seen=mask_history)
    learn(loop)
    histories = loop.recent_users
    assert histories is not None
    histories = histories.rows(np.arange(5))
    lists = loop.stream.lists(histories, 6, mask_history=mask_history)
    for place in range(6):
        ranks = loop.stream.rank(histories, lists[:, place], mask_history=mask_history)
        assert ranks.tolist() == [place + 1] * 5


def test_without_vectors_there_is_nothing_to_compare_items_by() -> None:
    """Its items have vectors of one number that is 0."""
    model = OPTIONS.model
    loop = loop_of(model=replace(model, vectors=False))
    loop.advance(ring(50))
    assert not loop.stream.item_vectors().any()
    assert loop.stream.item_vectors().shape == (loop.mirror.items, 1)
