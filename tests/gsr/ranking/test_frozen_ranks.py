"""Ranks by counters that do not move: those of the next click, whatever comes after it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.histories import Histories
from gsr.loop import reports
from gsr.loop.joint_stream import JointStream
from gsr.loop.learning_loop import LearningLoop
from gsr.quality.ranking_metrics import MISS
from tests.gsr.loop.world import JOINT, OPTIONS, history_of, joint_stream_of, ring


def joint_loop(
    on_tested: Callable[[reports.TestedClicks], None] | None = None, *, mask_seen: bool
) -> LearningLoop:
    """Return a loop that tests a joint model, all of whose items have vectors."""
    options = replace(OPTIONS, mask_seen=mask_seen)
    stream_of = partial(joint_stream_of, mask_seen=mask_seen)
    loop = LearningLoop(options, on_tested=on_tested, stream_of=stream_of)
    loop.advance(ring(300))
    loop.test()
    assert isinstance(loop.stream, JointStream)
    loop.stream.let_items_in()
    return loop


@pytest.mark.parametrize("mask_seen", [False, True])
def test_a_case_is_ranked_as_if_it_were_the_next_click(mask_seen: bool) -> None:
    """By all models; and ranking twice gives the same, because nothing is counted."""
    found: list[reports.TestedClicks] = []
    loop = joint_loop(found.append, mask_seen=mask_seen)
    loop.advance(ring(60, start=18_000.0, seed=1))
    loop.test()
    clicks = ring(40, start=30_000.0, seed=2)
    compared = 0
    for row in range(len(clicks)):
        click = clicks.slice(row, row + 1)
        targets = loop.mirror.arrays.item_rows(click.item_ids)
        history = history_of(loop, click.user_ids[0], float(click.times[0]))
        hashes = IdColumn.of(click.user_ids).hashes
        ranks = loop.rank(history, targets, hashes)
        np.testing.assert_array_equal(loop.rank(history, targets, hashes), ranks)
        found.clear()
        loop.advance(click)
        loop.test()
        if found:
            np.testing.assert_array_equal(found[0].ranks, ranks)
            compared += 1
    assert compared > 10


def test_cases_do_not_see_one_another() -> None:
    """Many at once are ranked as each alone; an item that nobody clicked is a miss."""
    loop = joint_loop(mask_seen=False)
    rng = np.random.default_rng(0)
    count, width = 50, JOINT.history_length + 4
    lengths = rng.integers(0, width + 1, count)
    inside = np.arange(width) < lengths[:, None]
    histories = Histories(
        np.where(inside, rng.integers(loop.mirror.items, size=inside.shape), -1),
        np.where(inside, 1e9 + np.arange(width) * 60.0, 0.0),
        np.zeros(inside.shape, dtype=np.uint8),
        lengths,
        np.full(count, 1e9 + 30_000.0),
    )
    targets = rng.integers(-1, loop.mirror.items, count)
    users = np.arange(count, dtype=np.uint64)
    together = loop.rank(histories, targets, users)
    assert (together[targets < 0] == MISS).all()
    assert (together[targets >= 0] < MISS).all()
    for case in range(count):
        one = np.array([case])
        alone = loop.rank(histories.rows(one), targets[one], users[one])
        np.testing.assert_array_equal(alone[0], together[case])
