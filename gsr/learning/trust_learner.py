"""Learning of the weights of the joint score's parts, from clicks to predict."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.config import BatchConfig
from gsr.counters.interactions import Interactions
from gsr.errors import TrainingError
from gsr.learning.catalogue_softmax import ScoreBuffer, catalogue_loss
from gsr.network.model import JointModel
from gsr.quality.protocols import Cases
from gsr.ranking.case_scores import CaseScores, LinearScores, encode_cases

HIDDEN: Final = -1e4
"""Added to the score of what must not be chosen."""

FEWEST_BATCHES: Final = 16
"""With few cases, batches are smaller, so that a pass still takes some steps."""


class TrustLearner:
    """Learns the gain of the user vectors and the weights of the channels; nothing else.

    Each time it begins with the weights that the model had when the learner was made, so that what
    it finds depends on the encoders and the cases alone.

    Parameters
    ----------
    model
        Learned in place.
    config
        How.
    interactions
        All clicks.
    seed
        Of the order of cases.
    """

    def __init__(
        self, model: JointModel, config: BatchConfig, interactions: Interactions, seed: int
    ) -> None:
        self._model = model
        self._config = config
        self._interactions = interactions
        self._seed = seed
        trust = model.network.trust
        if model.network.sequence is not None or model.network.mixes:
            trust.believe_vectors()
        self._first = {name: value.clone() for name, value in trust.state_dict().items()}
        self._buffer = ScoreBuffer()

    def learn(
        self,
        cases: Cases,
        scores: CaseScores,
        items: Tensor,
        propagated: Tensor | None = None,
        *,
        mask_seen: bool = True,
    ) -> float:
        """Learn from m cases that nothing else has learned from; return the last pass's mean loss.

        Parameters
        ----------
        cases
            What was clicked next.
        scores
            Of the graph as it was before.
        items, propagated
            float32 [N, d], fused item vectors and the graph's; None where that encoder is off.
        mask_seen
            Whether a history's items are left out of what its target is compared with.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        trust, config = self._model.network.trust, self._config
        trust.load_state_dict(self._first)
        adam = torch.optim.Adam(trust.parameters(), lr=config.trust_rate)
        with torch.no_grad():
            vectors = encode_cases(self._model, self._interactions, cases, items, propagated)
            columns = scores.columns(items)
        rng, loss = np.random.default_rng(self._seed), 0.0
        for _ in range(config.trust_passes):
            total = 0.0
            for rows in trust_batches(len(cases), config.trust_batch, rng):
                features = scores.features(cases[rows])
                mine = vectors.index_select(0, self._model.tensor(rows))
                told = trust(self._model.tensor(features.context), mine)
                linear = scores.linear(mine, features, told)
                total += len(rows) * self._step(cases[rows], linear, columns, adam, mask=mask_seen)
            loss = total / max(len(cases), 1)
            for group in adam.param_groups:
                group["lr"] *= config.trust_slowing
        return loss

    def _step(
        self,
        cases: Cases,
        linear: LinearScores,
        columns: Tensor,
        adam: torch.optim.Adam,
        *,
        mask: bool,
    ) -> float:
        targets = self._model.tensor(cases.targets(self._interactions))
        entries, values = linear.entries, linear.values
        if mask:
            entries, values = _hidden(cases, self._interactions, linear)
        loss = catalogue_loss(linear.rows, columns, entries, values, targets, self._buffer)
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss became {loss.item()}: lower trust_rate")
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        adam.step()
        return float(loss.detach())


def trust_batches(
    count: int, most: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows of all cases once, in a new order, at most so many together."""
    size = max(1, min(most, count // FEWEST_BATCHES))
    order = rng.permutation(count)
    for start in range(0, count, size):
        yield np.sort(order[start : start + size])


def _hidden(
    cases: Cases, interactions: Interactions, linear: LinearScores
) -> tuple[npt.NDArray[np.int64], Tensor]:
    """Return the additions with those that hide what a history holds, but for its target."""
    rows, items = cases.histories(interactions)
    kept = items != cases.targets(interactions)[rows]
    hidden = rows[kept] * interactions.item_count + items[kept]
    flat, where = np.unique(np.concatenate((linear.entries, hidden)), return_inverse=True)
    added = torch.cat((linear.values, linear.values.new_full((len(hidden),), HIDDEN)))
    places = torch.from_numpy(where).to(added.device)
    return flat, added.new_zeros(len(flat)).index_add(0, places, added)
