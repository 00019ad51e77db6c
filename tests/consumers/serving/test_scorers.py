"""Before there is a model, fixed weights mix popularity and the item graph."""

import numpy as np
import pytest

from consumers.serving.scorers import CounterScorer
from gsr.config import ModelConfig
from gsr.counters.users.histories import Histories
from gsr.votes.channels import channel_names
from tests.consumers.views import HALF_LIVES, view_of

CONFIG = ModelConfig(half_lives=HALF_LIVES)
VIEW = view_of({"tea": 2.0, "jam": 1.0})


def histories(count: int) -> Histories:
    return Histories(
        np.zeros((count, 1), dtype=np.int64),
        np.zeros((count, 1)),
        np.zeros((count, 1), dtype=np.uint8),
        np.ones(count, dtype=np.int64),
        np.zeros(count),
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_the_graph_is_spread_over_time_scales(share: float) -> None:
    """Every scale has the same part of it; popularity has the rest."""
    weights = CounterScorer(CONFIG, share).queries(histories(1), VIEW.graph).channel_weights[0]
    scales = len(HALF_LIVES)
    by_name = dict(zip(channel_names(scales), weights.tolist(), strict=True))
    popularity = [weight for name, weight in by_name.items() if name.startswith("popularity")]
    graph = [weight for name, weight in by_name.items() if not name.startswith("popularity")]
    assert popularity == pytest.approx([(1.0 - share) / scales] * scales)
    assert sorted(set(graph)) == pytest.approx(sorted({0.0, share / scales}))


def test_everybody_has_the_same_weights_and_no_vector() -> None:
    """There is nothing learned: version 0, no item vectors."""
    scorer = CounterScorer(CONFIG, 0.5)
    queries = scorer.queries(histories(3), VIEW.graph)
    assert scorer.version == 0
    assert len(scorer.item_vectors) == 0
    assert not queries.vectors.any()
    assert (queries.channel_weights == queries.channel_weights[0]).all()
