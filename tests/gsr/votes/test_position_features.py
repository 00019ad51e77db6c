"""Features of positions are those of the graph without the user's own clicks."""

from collections import Counter
from math import log, log1p

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.interactions import Interactions, gather_interactions
from gsr.votes.click_graph import BACKWARD, FORWARD, count_clicks
from gsr.votes.constants import FLOOR, MASS_PRIOR, NEW_ITEM_CLICKS, SQUASH
from gsr.votes.graph_votes import BASE_CONTEXT
from gsr.votes.position_features import PositionReader

ITEMS = 5
WINDOW = (1.0, 0.5)
DECAY = 0.8
POWER = 0.5
HALF_LIFE = 4.0


def _interactions(sequences: list[list[int]]) -> Interactions:
    users = np.repeat(np.arange(len(sequences)), [len(s) for s in sequences])
    items = np.array([item for s in sequences for item in s], dtype=np.int64)
    times = np.arange(len(items), dtype=np.float64) ** 1.5
    return gather_interactions(
        users,
        items,
        times,
        np.zeros(len(items), np.uint8),
        user_count=len(sequences),
        item_count=ITEMS,
    )


def _edges(sequences: list[list[int]]) -> dict[tuple[int, int, int], float]:
    """Count the edges of whole sequences, click by click."""
    edges: dict[tuple[int, int, int], float] = {}
    for sequence in sequences:
        for later, item in enumerate(sequence):
            for distance, weight in enumerate(WINDOW, start=1):
                if later >= distance and sequence[later - distance] != item:
                    before = sequence[later - distance]
                    for key in ((before, item, FORWARD), (item, before, BACKWARD)):
                        edges[key] = edges.get(key, 0.0) + weight
    return edges


def _level(clicks: float) -> float:
    return max(log(clicks), FLOOR) if clicks > 0 else FLOOR


sequences_of_users = st.lists(
    st.lists(st.integers(0, ITEMS - 1), min_size=2, max_size=7), min_size=2, max_size=4
)


@settings(max_examples=60, deadline=None)
@given(sequences_of_users, st.integers(0, 2), st.data())
def test_features_leave_out_what_the_user_added(
    sequences: list[list[int]], unlearned: int, data: st.DataObject
) -> None:
    """A user's features are those of the other users' clicks alone."""
    clicks = _interactions(sequences)
    ends = np.maximum(clicks.starts[1:] - unlearned, clicks.starts[:-1])
    user = data.draw(st.integers(0, len(sequences) - 1))
    place = data.draw(st.integers(1, len(sequences[user]) - 1))
    history, target = sequences[user][:place], sequences[user][place]
    counted = count_clicks(clicks, ends, WINDOW, HALF_LIFE)
    reader = PositionReader(clicks, counted, history=3, decay=DECAY, source_power=POWER)

    found = reader.read(
        np.array([user]), np.array([clicks.starts[user] + place]), np.array([target])
    )

    others = [s[: len(s) - unlearned] for u, s in enumerate(sequences) if u != user]
    edges = _edges(others)
    own = sequences[user][: len(sequences[user]) - unlearned]
    counts = Counter(item for s in others for item in s)
    everybody = counts + Counter(own)
    # As of the last moment before the newest click that is known.
    lately = counted.recent.counts[found.moments[0]]
    assert found.moments[0] == counted.recent.rows(clicks.times[[clicks.starts[user] + place - 1]])
    expected: dict[int, list[float]] = {}
    for item in range(ITEMS):
        recent, faded = [0.0, 0.0], [0.0, 0.0]
        for back, source in enumerate(reversed(history[-3:])):
            for relation in (FORWARD, BACKWARD):
                weight = edges.get((source, item, relation), 0.0) / max(counts[source], 1) ** POWER
                recent[relation] += 0.5**back * weight
                faded[relation] += DECAY**back * weight
        if max(faded) > 0.0:
            known = counts[item] if item == target else everybody[item]
            expected[item] = [
                *(log1p(SQUASH * w) for w in (*recent, *faded)),
                _level(known) - FLOOR,
                _level(float(lately[item])) - FLOOR,
                float(known < NEW_ITEM_CLICKS),
            ]
    listed = {
        int(item): values.tolist() for item, values in zip(found.items, found.values, strict=True)
    }
    assert listed.keys() == expected.keys()
    for item, values in expected.items():
        assert listed[item] == pytest.approx(values, abs=1e-4)
    _check_context(found.context[0], history, edges, counts)


def _check_context(
    context: npt.NDArray[np.float32],
    history: list[int],
    edges: dict[tuple[int, int, int], float],
    counts: Counter[int],
) -> None:
    last = history[-1]
    assert context[0] == 1.0
    assert context[1] == pytest.approx(log1p(len(history)), abs=1e-5)
    for relation in (FORWARD, BACKWARD):
        weights = [edges.get((last, item, relation), 0.0) for item in range(ITEMS)]
        at = BASE_CONTEXT + 3 * relation
        assert context[at] == pytest.approx(0.3 * _level(counts[last]), abs=1e-4)
        assert context[at + 1] == pytest.approx(0.5 * log1p(sum(weights)), abs=1e-4)
        share = max(weights) / (sum(weights) + MASS_PRIOR)
        assert context[at + 2] == pytest.approx(share, abs=1e-4)


def test_working_memory_grows_with_what_is_listed() -> None:
    """More entries than there was room for come out all the same."""
    rng = np.random.default_rng(3)
    count = 400
    users = np.repeat(np.arange(40), 10)
    clicks = gather_interactions(
        users,
        rng.integers(0, 300, count),
        np.arange(count, dtype=np.float64),
        np.zeros(count, np.uint8),
        user_count=40,
        item_count=300,
    )
    counted = count_clicks(clicks, clicks.starts[1:], (1.0,) * 9, HALF_LIFE)
    positions = np.tile(np.flatnonzero(np.arange(count) % 10 > 0), 30)
    reader = PositionReader(clicks, counted, history=9, decay=0.9)
    nobody = np.full(len(positions), -1)
    found = reader.read(clicks.users[positions], positions, nobody)
    again = reader.read(clicks.users[positions], positions, nobody)
    assert len(found.items) > 1 << 16
    np.testing.assert_array_equal(found.items, again.items)
    assert (np.diff(found.rows) >= 0).all()
