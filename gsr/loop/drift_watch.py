"""Movement of the stream and of the model between two looks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.loop.learning_loop import LearningLoop
from gsr.loop.recent_lists import joint_lists, recent_histories
from gsr.quality.beyond_accuracy import catalogue_coverage
from gsr.quality.drift import (
    embedding_movement,
    graph_churn,
    population_stability_index,
    top_neighbours,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFigures:
    """Measures of one look, each compared with the look before.

    Parameters
    ----------
    time
        Event time of the look, seconds since the epoch.
    popularity_psi
        Population stability index of clicks by item.
    embedding_movement
        Mean cosine distance of the items' vectors.
    graph_churn
        Share of the items' ten heaviest neighbours that changed.
    catalogue_coverage
        Share of live items in the lists of the 200 users tested last.
    new_item_share
        Share of clicks that were an item's first.
    """

    time: float
    popularity_psi: float = 0.0
    embedding_movement: float = 0.0
    graph_churn: float = 0.0
    catalogue_coverage: float = 0.0
    new_item_share: float = 0.0


@dataclass(frozen=True, slots=True)
class _Look:
    popularity: npt.NDArray[np.float64]
    vectors: npt.NDArray[np.float32]
    neighbours: npt.NDArray[np.int64]


class DriftWatch:
    """Looks at a loop now and then; the first look has nothing to compare with.

    Parameters
    ----------
    loop
        Whose counters, model and recent users to look at.
    """

    def __init__(self, loop: LearningLoop) -> None:
        self._loop = loop
        self._before = _Look(
            np.zeros(0), np.zeros((0, 1), dtype=np.float32), np.zeros((0, 1), dtype=np.int64)
        )

    def look(self) -> DriftFigures:
        """Measure, and remember for the next look."""
        loop = self._loop
        graph = loop.mirror.graph()
        popularity, share = loop.item_clicks.take()
        vectors = loop.stream.item_vectors().copy()
        neighbours = top_neighbours(graph, graph.scales // 2)
        histories = recent_histories(loop)
        covered = 0.0
        if histories is not None:
            covered = catalogue_coverage(joint_lists(loop, histories), graph.alive)
        before = self._before
        figures = DriftFigures(
            time=loop.mirror.arrays.watermark,
            popularity_psi=population_stability_index(before.popularity, popularity),
            embedding_movement=embedding_movement(before.vectors, vectors),
            graph_churn=graph_churn(before.neighbours, neighbours),
            catalogue_coverage=covered,
            new_item_share=share,
        )
        self._before = _Look(popularity, vectors, neighbours)
        return figures
