"""User vectors of cases do not depend on what they are encoded with."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from gsr.config import ModelConfig
from gsr.counters.interactions import Interactions, gather_interactions
from gsr.network.model import JointModel
from gsr.quality.protocols import Split, leave_one_out
from gsr.ranking import case_encoding
from gsr.ranking.case_encoding import by_length, encode_cases
from gsr.votes.click_graph import UNDYING

USERS, ITEMS = 40, 15
SHAPE = ModelConfig(
    half_lives=UNDYING,
    dimension=8,
    history_length=4,
    graph_encoder=False,
)


def _split() -> Split:
    rng = np.random.default_rng(3)
    users = rng.integers(USERS, size=600)
    clicks: Interactions = gather_interactions(
        users,
        rng.integers(ITEMS, size=600),
        rng.uniform(0.0, 1e7, 600),
        np.zeros(600, np.uint8),
        user_count=USERS,
        item_count=ITEMS,
    )
    return leave_one_out(clicks)


def test_cases_are_encoded_in_their_own_order() -> None:
    """Whatever the lengths of the histories with which they are batched."""
    split = _split()
    clicks, cases = split.interactions, split.test.cases
    model = JointModel(SHAPE, seed=2)
    model.table.grow(ITEMS)
    items = model.table.weight
    with torch.no_grad():
        together = encode_cases(model, clicks, cases, items)
        alone = [
            encode_cases(model, clicks, cases[row : row + 1], items) for row in range(len(cases))
        ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("clicks_together", [1, 20, 8192])
def test_cases_of_like_length_come_together(
    monkeypatch: pytest.MonkeyPatch, clicks_together: int
) -> None:
    monkeypatch.setattr(case_encoding, "CLICKS_TOGETHER", clicks_together)
    split = _split()
    clicks, cases = split.interactions, split.test.cases
    parts = by_length(clicks, cases, 4)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(cases)))
    lengths = [np.minimum(cases[rows].history_lengths(clicks), 4) for rows in parts]
    assert all(before.max() <= after.min() for before, after in pairwise(lengths))
    assert max(map(np.sum, lengths)) <= clicks_together + 4
