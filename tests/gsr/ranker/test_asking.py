"""Items are scored for users whether or not they would be candidates."""

from dataclasses import replace

import numpy as np
import pytest

from gsr.counters.users.histories import Histories
from gsr.ranker.asked_users import Asked, asked, none_given
from gsr.ranker.asking import Asker
from tests.gsr.ranker.world import SHAPE, START, STATE, Stream, clicks_of, walks

LENGTHS = (0, 1, 5, 3)


@pytest.fixture(scope="module")
def stream() -> Stream:
    """Return counters and vectors of a few hundred clicks; nothing was learned from them."""
    stream = Stream(replace(SHAPE, new_item_boost=2.0))
    stream.record(walks(400))
    rng = np.random.default_rng(5)
    for weights in (stream.model.linear, *stream.model.network.weights):
        weights[:] = 0.3 * rng.standard_normal(weights.shape)
    return stream


def _users(masked: list[list[int]]) -> Asked:
    rng = np.random.default_rng(7)
    items = rng.integers(0, 30, (len(LENGTHS), 6))
    times = START + 24_000.0 + np.arange(6.0)[None, :].repeat(len(LENGTHS), axis=0)
    lengths = np.array(LENGTHS)
    events = np.zeros(items.shape, dtype=np.uint8)
    now = np.full(len(LENGTHS), START + 24_100.0)
    histories = Histories(items, times, events, lengths, now)
    return asked(histories, lengths, [np.array(rows, dtype=np.int64) for rows in masked])


def _asker(stream: Stream, blocked: list[int]) -> Asker:
    graph = stream.counters.graph()
    mask = np.zeros(graph.items, dtype=np.bool_)
    mask[blocked] = True
    return Asker(
        stream.model, graph, row_slots=STATE.row_slots, repeats=False, length=5, blocked=mask
    )


def test_scores_are_those_of_the_lists(stream: Stream) -> None:
    """In any order, of users of all lengths, new items' boosts included."""
    users = _users([[3], [], [1, 2], []])
    asker = _asker(stream, [])
    lists = asker.lists(users, 5)
    for at, listed in enumerate(lists.rows):
        order = np.random.default_rng(at).permutation(len(listed))
        scores = asker.scores(users, listed[order])
        np.testing.assert_allclose(scores[at], lists.scores[at][order], rtol=1e-5, atol=1e-5)


def test_what_a_user_may_not_get_scores_below_everything(stream: Stream) -> None:
    """Masked for one user, or blocked for all; others' scores stay in their columns."""
    users = _users([[3], [], [1, 2], []])
    items = np.array([2, 9, 3, 1, 4])
    free = _asker(stream, []).scores(_users([[], [], [], []]), items)
    assert np.isfinite(free).all()
    scores = _asker(stream, [9]).scores(users, items)
    barred = np.zeros(scores.shape, dtype=np.bool_)
    barred[:, 1] = True
    barred[0, 2] = barred[2, 0] = barred[2, 3] = True
    assert (np.isneginf(scores) == barred).all()
    np.testing.assert_allclose(scores[~barred], free[~barred], rtol=1e-5)


def test_more_users_than_are_described_at_once(stream: Stream) -> None:
    """All of them are answered, each as alone."""
    users = _users([[], [], [], []])
    many = np.tile(np.arange(4), 12)
    repeated = Asked(
        items=users.items[many],
        times=users.times[many],
        lengths=users.lengths[many],
        now=users.now[many],
        clicks=users.clicks[many],
        masked=np.zeros(0, dtype=np.int64),
        mask_starts=np.zeros(len(many) + 1, dtype=np.int64),
        targets=users.targets[many],
        given=none_given(len(many)),
    )
    asker, items = _asker(stream, []), np.arange(20)
    np.testing.assert_allclose(
        asker.scores(repeated, items), asker.scores(users, items)[many], rtol=1e-5, atol=1e-6
    )
    assert asker.scores(users, items[:0]).shape == (4, 0)


def test_given_items_are_kept_whatever_the_counters_say_of_them(stream: Stream) -> None:
    """Even where no others are, but for what the user may not get, and each once."""
    graph = stream.counters.graph()
    alive = np.flatnonzero(graph.alive)
    given = np.array([[alive[5], alive[3], -1], [alive[8], alive[8], alive[9]], [-1, -1, -1]])
    users = _users([[], [], [], []])
    given = np.concatenate((given, [[alive[4], alive[1], alive[2]]]))
    users = users._replace(given=given)
    masked = int(alive[1])
    users = users._replace(
        masked=np.array([masked]), mask_starts=np.array([0, 0, 0, 0, 1], dtype=np.int64)
    )
    expected = [set(row.tolist()) - {-1} for row in given]
    expected[3] -= {masked}
    for width in (3, 6):
        for some, kept, _ in _asker(stream, []).find(users, 1, width=width):
            for user, candidates in zip(some, kept.candidates, strict=True):
                assert expected[user] <= set(candidates.tolist())
                assert len(set(candidates.tolist()) - {-1}) == (candidates >= 0).sum()


OWN = (("somebody", "i3", 24_100.0), ("somebody", "i17", 24_160.0), ("somebody", "new", 24_220.0))
"""A session of clicks, of which a serving view may know some already."""


@pytest.mark.parametrize("counted", [0, 1, 2])
def test_own_clicks_count_whether_or_not_the_counters_know_them(counted: int) -> None:
    """What is said of the items alone is the same as when all of them are counted."""
    described = []
    for known in (counted, len(OWN)):
        stream = Stream(replace(SHAPE, kept=64), mask=False)
        stream.record(walks(400))
        stream.record(clicks_of([("x", "new", 24_050.0), *OWN[:known]], first=400))
        items = np.array([stream.counters.items.find(item) for _, item, _ in OWN])
        histories = Histories(
            items[None, :],
            START + np.array([[at for _, _, at in OWN]]),
            np.zeros((1, len(OWN)), dtype=np.uint8),
            np.array([len(OWN)]),
            np.array([START + 24_250.0]),
        )
        asker = Asker(
            stream.model, stream.counters.graph(), row_slots=STATE.row_slots, repeats=True, length=5
        )
        ((_, kept, _),) = asker.find(asked(histories, histories.lengths, [items[:0]]), 5)
        places = stream.model.layout.places
        of_items = [*range(places.first_vote), places.since_last_click, places.new]
        rows = [np.flatnonzero(kept.candidates[0] == item).item() for item in items]
        described.append((kept.values[0, rows][:, of_items], kept.context[0, :5]))
    for found, wanted in zip(*described, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
