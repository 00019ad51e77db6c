"""Trust from recorded clicks: it finds what tells clicked from other candidates, and no more."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsr.config import ModelConfig, TrustConfig
from gsr.errors import TrainingError
from gsr.learning.recorded_trust import RecordedChoices, learn_recorded_trust
from gsr.network.fusion import ContextTrust
from gsr.network.model import JointModel
from gsr.votes.channels import channel_count, context_count

SHAPE = ModelConfig(
    dimension=8, half_lives=(3600.0,), context_width=4, context_sees_user=False, graph_encoder=False
)
CHANNELS, CONTEXT = channel_count(1), context_count(1)
PACE = TrustConfig(rate=0.05)


def trust_of(shape: ModelConfig = SHAPE) -> ContextTrust:
    trust = JointModel(shape, 1).network.trust
    trust.believe_vectors()
    return trust


def recorded(count: int = 200, told_by: int | None = 2, seed: int = 0) -> RecordedChoices:
    """Return clicks whose clicked candidate one channel (None: the vectors) stands out by."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 6, CHANNELS)).astype(np.float32)
    neural = rng.normal(size=(count, 6)).astype(np.float32)
    if told_by is None:
        neural[:, 0] += 3.0
    else:
        features[:, 0, told_by] += 3.0
    candidates = np.tile(np.arange(6), (count, 1))
    candidates[:, 5] = np.where(rng.random(count) < 0.5, -1, 5)
    return RecordedChoices(
        candidates=candidates,
        log_inclusion=np.full((count, 6), -0.5, np.float32),
        neural=neural,
        features=features,
        context=rng.normal(size=(count, CONTEXT)).astype(np.float32),
    )


def losses(trust: ContextTrust, clicks: RecordedChoices) -> float:
    """Return the mean loss, click by click and candidate by candidate."""
    total = 0.0
    for n in range(len(clicks)):
        told = trust(torch.from_numpy(clicks.context[n : n + 1]), torch.zeros(1, 0))
        gain, weights = told.gains[0].item(), told.channels[0].detach().numpy()
        scores = [
            gain * clicks.neural[n, m]
            + float(weights @ clicks.features[n, m])
            - clicks.log_inclusion[n, m]
            for m in range(clicks.candidates.shape[1])
            if clicks.candidates[n, m] >= 0
        ]
        total += float(np.log(np.exp(scores).sum())) - scores[0]
    return total / len(clicks)


@pytest.mark.parametrize("told_by", [None, 0, 2])
def test_what_tells_the_clicked_candidate_is_trusted(told_by: int | None) -> None:
    """Its weight grows past all others, and the loss falls below that of the first weights."""
    clicks, trust = recorded(told_by=told_by), trust_of()
    before = losses(trust, clicks)
    learn_recorded_trust(trust, clicks, PACE, seed=0)
    told = trust(torch.from_numpy(clicks.context), torch.zeros(len(clicks), 0))
    means = torch.cat((told.gains, told.channels), dim=1).mean(dim=0)
    assert int(means.argmax()) == (0 if told_by is None else 1 + told_by)
    assert losses(trust, clicks) < before


def test_the_loss_that_is_told_is_the_one_that_a_slow_count_finds() -> None:
    """One pass in one batch, at no rate: the mean over all clicks, absent candidates left out."""
    clicks, trust = recorded(16), trust_of()
    still = replace(PACE, rate=0.0, passes=1)
    assert learn_recorded_trust(trust, clicks, still, 0) == pytest.approx(losses(trust, clicks))


def test_the_same_seed_learns_the_same() -> None:
    """Another one goes through the clicks in another order."""
    found = []
    for seed in (1, 1, 2):
        trust = trust_of()
        learn_recorded_trust(trust, recorded(), PACE, seed)
        found.append(trust.state_dict()["constant"].numpy())
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


def test_without_clicks_the_weights_stay() -> None:
    trust, clicks = trust_of(), recorded(0)
    before = {name: value.clone() for name, value in trust.state_dict().items()}
    assert learn_recorded_trust(trust, clicks, PACE, 0) == 0.0
    assert all(torch.equal(value, before[name]) for name, value in trust.state_dict().items())


def test_weights_that_need_user_vectors_are_refused() -> None:
    trust = trust_of(replace(SHAPE, context_sees_user=True))
    with pytest.raises(ValueError, match="user vectors"):
        learn_recorded_trust(trust, recorded(), PACE, 0)


def test_numbers_that_are_not_finite_are_an_error() -> None:
    clicks = recorded()
    clicks.neural[3, 1] = np.inf
    with pytest.raises(TrainingError, match="lower the rate"):
        learn_recorded_trust(trust_of(), clicks, PACE, 0)
