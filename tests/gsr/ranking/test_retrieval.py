"""Exact retrieval."""

import numpy as np
import numpy.typing as npt
import pytest

from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.ranking.retrieval import TopItems, top_k
from gsr.votes.channels import channel_count
from gsr.votes.constants import NEVER
from gsr.votes.popularity import popularity_levels
from tests.gsr.world import (
    World,
    histories,
    popularity_channels,
    shoppers,
    sparse_channels,
)

USERS = 6


class Setting:
    """Random users over a world, and their scores computed the slow way."""

    def __init__(self, known: int | None = None) -> None:
        rng = np.random.default_rng(4)
        world = World()
        shoppers(world, 150, rng)
        self.graph: ItemGraph = world.graph()
        buffers = [
            [(int(i), 60.0 * k, 0) for k, i in enumerate(rng.integers(24, size=u))]
            for u in range(USERS)
        ]
        self.users: Histories = histories(buffers, list(9000.0 + rng.random(USERS)))
        self.vectors = rng.normal(size=(USERS, 8)).astype(np.float32)
        self.weights = rng.normal(size=(USERS, channel_count(2))).astype(np.float32)
        self.items = rng.normal(size=(24, 8)).astype(np.float32)[:known]
        self.levels = np.full((24, 2), NEVER)
        popularity_levels(self.graph, self.levels)
        self.masked = [rng.integers(-1, 24, size=u) for u in range(USERS)]

    def top(self, k: int = 5, **options: object) -> TopItems:
        """Return what `top_k` finds."""
        return top_k(
            self.vectors,
            self.weights,
            self.items,
            self.graph,
            self.levels,
            self.users,
            self.masked,
            k,
            history=32,
            decay=0.95,
            **options,  # type: ignore[arg-type]  # options are mixed
        )

    def scores(self, user: int) -> npt.NDArray[np.float64]:
        """Return every item's score, -inf where it must not be returned."""
        neural = np.zeros(24)
        neural[: len(self.items)] = self.items @ self.vectors[user]
        popularity = popularity_channels(self.graph, self.users.now[user])
        dense, _ = sparse_channels(self.graph, self.users, user)
        found: npt.NDArray[np.float64] = (
            neural + np.hstack((popularity, dense)) @ self.weights[user]
        )
        found[[row for row in self.masked[user] if row >= 0]] = -np.inf
        found[~self.graph.alive] = -np.inf
        return found


@pytest.mark.parametrize(("together", "tile_bytes"), [(1, 1), (4, 100), (5, 300), (256, 10**6)])
@pytest.mark.parametrize("known", [None, 20, 0])
def test_it_finds_what_sorting_all_scores_finds(
    together: int, tile_bytes: int, known: int | None
) -> None:
    """Whatever the size of blocks, and also where items have no vector yet."""
    setting = Setting(known)
    setting.graph.alive[7] = False
    found = setting.top(together=together, tile_bytes=tile_bytes)
    for user in range(USERS):
        scores = setting.scores(user)
        best = np.argsort(-scores, kind="stable")[:5]
        assert found.rows[user].tolist() == best.tolist()
        assert found.scores[user] == pytest.approx(scores[best], abs=1e-4)


def test_equal_scores_come_by_row() -> None:
    """Ties never depend on chance."""
    setting = Setting()
    setting.vectors[:] = 0.0
    setting.weights[:] = 0.0
    setting.masked = [np.array([2]) for _ in range(USERS)]
    assert setting.top().rows.tolist() == [[0, 1, 3, 4, 5]] * USERS


def test_blocked_items_are_never_returned() -> None:
    """Nor masked or dead ones, even when the list stays short."""
    setting = Setting()
    blocked = np.ones(24, bool)
    blocked[[3, 9, 11]] = False
    setting.graph.alive[9] = False
    setting.masked = [np.array([11])] * USERS
    found = setting.top(blocked=blocked)
    assert found.rows.tolist() == [[3, -1, -1, -1, -1]] * USERS
    assert np.isneginf(found.scores[:, 1:]).all()


def test_nobody_and_nothing() -> None:
    """No users, or a list of no length, is no error."""
    setting = Setting()
    assert setting.top(k=0).rows.shape == (USERS, 0)
    setting.users = setting.users.rows(np.empty(0, np.int64))
    setting.masked = []
    assert setting.top().rows.shape == (0, 5)
