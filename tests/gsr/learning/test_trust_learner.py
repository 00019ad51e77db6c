"""Learning how far the user vectors and each channel are to be trusted."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsr.config import BatchConfig, ModelConfig
from gsr.counters.interactions import Interactions
from gsr.errors import TrainingError
from gsr.learning.trust_learner import HIDDEN, TrustLearner, _hidden, trust_batches
from gsr.network.model import JointModel
from gsr.quality.protocols import Cases, leave_one_out
from gsr.ranking.case_scores import CaseScores, LinearScores
from gsr.votes.click_graph import UNDYING, count_clicks
from tests.gsr.world import one_click_a_minute

ITEMS = 12
SHAPE = ModelConfig(
    half_lives=UNDYING,
    dimension=8,
    history_length=6,
    graph_encoder=False,
    context_width=8,
    context_sees_user=False,
)
PACE = BatchConfig(trust_passes=4, trust_batch=32)


@pytest.fixture(scope="module")
def clicks() -> Interactions:
    """Return users who walk round a ring of items."""
    rng = np.random.default_rng(3)
    items = (rng.integers(ITEMS, size=(60, 1)) + np.arange(7)) % ITEMS
    return one_click_a_minute(items, ITEMS)


class Learning:
    """A trust learner, and what it learns from."""

    def __init__(self, clicks: Interactions, pace: BatchConfig = PACE, seed: int = 0) -> None:
        self.split = leave_one_out(clicks)
        self.model = JointModel(SHAPE, seed=1)
        self.model.table.grow(ITEMS)
        counted = count_clicks(clicks, self.split.valid.learned_ends, (1.0,), 1e9)
        self.scores = CaseScores(self.model, clicks, counted, 0.5)
        self.learner = TrustLearner(self.model, pace, clicks, seed)

    def learn(self, cases: Cases | None = None) -> float:
        """Learn from cases, or from all of validation; return the last pass's loss."""
        chosen = self.split.valid.cases if cases is None else cases
        return self.learner.learn(chosen, self.scores, self.model.table.weight)

    def weights(self) -> dict[str, torch.Tensor]:
        """Return copies of all weights of the network."""
        return {name: value.clone() for name, value in self.model.network.state_dict().items()}


def test_it_learns_to_trust_the_graph(clicks: Interactions) -> None:
    """The vectors know nothing and the graph everything: the loss falls far below guessing."""
    short, long = (
        Learning(clicks, replace(PACE, trust_passes=passes)).learn() for passes in (1, 8)
    )
    assert long < short
    assert long < 0.5 * np.log(ITEMS)


def test_only_trust_moves(clicks: Interactions) -> None:
    """Neither encoders nor items learn from what selects them."""
    learning = Learning(clicks)
    before, items = learning.weights(), learning.model.table.weight.clone()
    learning.learn()
    moved = {name for name, value in learning.weights().items() if (value != before[name]).any()}
    assert moved
    assert all(name.startswith("trust.") for name in moved)
    assert torch.equal(learning.model.table.weight, items)


def test_the_outcome_does_not_depend_on_what_was_learned_before(clicks: Interactions) -> None:
    """Each time it begins with the first weights, and shuffles alike."""
    learning = Learning(clicks)
    first = learning.learn()
    learning.learn(learning.split.valid.cases[:10])
    assert learning.learn() == first


def test_without_passes_the_first_weights_stay(clicks: Interactions) -> None:
    """They believe the vectors, whose scores are log chances, popularity included."""
    learning = Learning(clicks, replace(PACE, trust_passes=0))
    assert learning.learn() == 0.0
    trust = learning.model.network.trust
    assert float(trust.prior[0] + trust.constant.detach()[0]) == pytest.approx(1.0)


def test_few_cases_are_still_learned_in_several_steps() -> None:
    """Every case once a pass, in batches that are small where there are few."""
    parts = list(trust_batches(60, 256, np.random.default_rng(0)))
    assert max(map(len, parts)) == 3
    assert sorted(np.concatenate(parts)) == list(range(60))


def test_what_a_user_has_seen_is_hidden_but_for_the_target(clicks: Interactions) -> None:
    """A repeat may be clicked again, so it must stay possible."""
    repeated = replace(
        clicks, items=np.where(np.arange(clicks.items.size) % 7 == 6, 2, clicks.items)
    )
    cases = Cases(np.array([0]), np.array([6]))
    given = LinearScores(torch.zeros(1, 1), np.array([2, 5]), torch.tensor([1.0, 3.0]))
    entries, values = _hidden(cases, repeated, given)
    found = dict(zip(entries.tolist(), values.tolist(), strict=True))
    seen = set(repeated.items[:6].tolist()) - {2}
    assert found.pop(2) == 1.0
    rest = found.pop(5)
    assert rest == (3.0 + HIDDEN if 5 in seen else 3.0)
    assert found == dict.fromkeys(seen - {5}, HIDDEN)


def test_numbers_that_are_not_finite_are_an_error(clicks: Interactions) -> None:
    """As learning that is far too fast makes them."""
    learning = Learning(clicks)
    learning.model.table.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="lower trust_rate"):
        learning.learn()
