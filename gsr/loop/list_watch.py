"""Lists of the joint model and of baselines, watched for what accuracy does not say.

Two kinds of figures come together:

- *Of lists.* At each look the same recent users get a list of every model, by what is known then.
  What these lists are like needs no target. Values are means over the looks that have one.
- *Of hits.* A look cannot say whether its lists are right: the models have counted and learned the
  newest clicks already, and what these users click next is not known by user here. So hits are
  taken from the test of every click, where each model ranked it before counting it: an item is in
  a model's list if it is ranked within the list's length. How popular items are is taken from the
  look before, so nothing is judged by clicks that came later; clicks tested before the first look
  are left out.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.baselines.lists import ListMaker
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.recent_lists import LIST_LENGTH, joint_lists, recent_histories
from gsr.loop.reports import TestedClicks
from gsr.quality.beyond_accuracy import (
    catalogue_coverage,
    exposure_gini,
    mean_over_lists,
    neighbour_diversity,
    popularity_lift,
    recommended_popularity,
    self_information,
    vector_diversity,
)
from gsr.quality.beyond_accuracy_of_hits import DECILES, PopularityScale, serendipity
from gsr.quality.drift import top_neighbours

LIST_METRICS: Final = (
    "coverage",
    "gini",
    "novelty_bits",
    "popularity_share",
    "popularity_lift",
    "vector_diversity",
    "neighbour_diversity",
    "length",
)
"""Of the lists of one look: see `gsr.quality.beyond_accuracy`. Popularity is all clicks so far,
``popularity_share`` an item's share of them, and novelty the self-information of that share."""


CLICKS_BETWEEN: Final = 4000
"""Lists are made again after so many clicks at the earliest. They take about as long as counting,
testing and learning 60 clicks, so that watching costs less than a fiftieth."""


class ListWatch:
    """Compares the lists of models, look by look, and their hits, test by test.

    Memory is that of one look and of a few sums, however long the stream.

    Parameters
    ----------
    loop
        Whose model, counters and recent users to look at.
    columns
        Name to what makes the lists of a baseline. Hits are known of those whose name is also one
        of ``loop.names``.

    Attributes
    ----------
    models
        Names: "joint" and those of `columns`.
    """

    def __init__(self, loop: LearningLoop, columns: Mapping[str, ListMaker]) -> None:
        self._loop = loop
        self._makers = dict(columns)
        self.models = ("joint", *self._makers)
        self._ranked = [name for name in self.models if name in loop.names]
        self._places = [loop.names.index(name) for name in self._ranked]
        self._looks = 0
        self._next_look = 0
        self._sums = np.zeros((len(self.models), len(LIST_METRICS)))
        self._counted = np.zeros((len(self.models), len(LIST_METRICS)), dtype=np.int64)
        self._scale: PopularityScale | None = None
        self._tested = np.zeros(DECILES, dtype=np.int64)
        self._hits = np.zeros((len(self._ranked), DECILES), dtype=np.int64)
        self._surprise = np.zeros(len(self._ranked))

    def look(self) -> None:
        """Make every model's lists for the users tested last, and add what they are like.

        Too soon after the look before (`CLICKS_BETWEEN`) only popularity is taken anew.
        """
        loop = self._loop
        graph = loop.mirror.graph()
        clicks = loop.item_totals.counts(graph.items)
        self._scale = PopularityScale(clicks[graph.alive])
        histories = recent_histories(loop)
        if histories is None or loop.totals.clicks < self._next_look:
            return
        self._next_look = loop.totals.clicks + CLICKS_BETWEEN
        masked = loop.options.mask_seen
        lists = [joint_lists(loop, histories, mask_history=masked)] + [
            maker.top(histories.items, histories.lengths, LIST_LENGTH, masked)
            for maker in self._makers.values()
        ]
        vectors = loop.stream.item_vectors()
        if len(vectors) < graph.items:  # newer items have none yet
            vectors = np.pad(vectors, ((0, graph.items - len(vectors)), (0, 0)))
        neighbours = top_neighbours(graph, graph.scales // 2)
        for model, rows in enumerate(lists):
            values = _list_values(rows, histories.items, clicks, graph.alive, vectors, neighbours)
            known = ~np.isnan(values)
            self._sums[model, known] += values[known]
            self._counted[model] += known
        self._looks += 1

    def add_tested(self, found: TestedClicks) -> None:
        """Take tested clicks as `LearningLoop` hands them on; those without a history are left out.

        Before the first look there is no popularity to judge by: nothing is added.
        """
        scale = self._scale
        found = found.rows(found.user_clicks > 0)
        if scale is None or len(found) == 0:
            return
        ranks = found.ranks[:, self._places]
        deciles = scale.deciles(found.item_clicks)
        popular = scale.ranks(found.item_clicks)
        self._tested += np.bincount(deciles, minlength=DECILES)
        for place, hit in enumerate(((ranks >= 1) & (ranks <= LIST_LENGTH)).T):
            self._hits[place] += np.bincount(deciles[hit], minlength=DECILES)
        self._surprise += serendipity(ranks, popular, scale.items, LIST_LENGTH).sum(axis=0)

    def document(self) -> dict[str, Any]:
        """Return all figures, ready for JSON.

        Returns
        -------
        ``looks``, ``list_length``; ``tested_by_decile``, tested clicks on items of each popularity
        decile, the most popular first (`PopularityScale.deciles`: equal shares of all clicks);
        ``models``: name to metric to value. Metrics are `LIST_METRICS`, ``serendipity@20``,
        ``hits_by_decile``, counts, and ``hr@20_by_decile``, rates. None stands for what no look
        or no test could tell.
        """
        models: dict[str, dict[str, Any]] = {}
        for model, name in enumerate(self.models):
            models[name] = {
                metric: float(self._sums[model, at] / counted) if counted else None
                for at, (metric, counted) in enumerate(
                    zip(LIST_METRICS, self._counted[model].tolist(), strict=True)
                )
            }
        tested = int(self._tested.sum())
        for place, name in enumerate(self._ranked):
            hits = self._hits[place].tolist()
            models[name] |= {
                f"serendipity@{LIST_LENGTH}": self._surprise[place] / tested if tested else None,
                "hits_by_decile": hits,
                f"hr@{LIST_LENGTH}_by_decile": [
                    hit / clicks if clicks else None
                    for hit, clicks in zip(hits, self._tested.tolist(), strict=True)
                ],
            }
        return {
            "looks": self._looks,
            "list_length": LIST_LENGTH,
            "tested_by_decile": self._tested.tolist(),
            "models": models,
        }


def _list_values(
    lists: npt.NDArray[np.int64],
    histories: npt.NDArray[np.int64],
    clicks: npt.NDArray[np.int64],
    alive: npt.NDArray[np.bool_],
    vectors: npt.NDArray[np.float32],
    neighbours: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Return the values of `LIST_METRICS`, NaN for what the lists cannot tell."""
    total = int(clicks.sum())
    shares = clicks / max(total, 1)
    return np.array(
        [
            catalogue_coverage(lists, alive),
            exposure_gini(lists, alive),
            mean_over_lists(self_information(lists, clicks, total)),
            mean_over_lists(recommended_popularity(lists, shares)),
            popularity_lift(lists, histories, shares),
            mean_over_lists(vector_diversity(lists, vectors)),
            mean_over_lists(neighbour_diversity(lists, neighbours)),
            (lists >= 0).sum() / max(len(lists), 1),
        ]
    )
