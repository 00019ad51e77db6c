"""Learning of the weights of the joint score's parts from recorded clicks of a stream.

The channels are those of live counters: each click was recorded with what the counters said just
before it, of what was clicked and of what it is compared with. Encoders stand still, so their share
of each score is a number too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from gsr.config import TrustConfig
from gsr.errors import TrainingError
from gsr.learning.objective import Choices, cross_entropy
from gsr.network.fusion import ContextTrust

FEWEST_BATCHES: Final = 16
"""With few clicks, batches are smaller, so that a pass still takes some steps."""


@dataclass(frozen=True, slots=True)
class RecordedChoices:
    """What n clicks chose from, M candidates each; the clicked one stands in column 0.

    Parameters
    ----------
    candidates
        int64 [n, M], item rows; -1 where there is none.
    log_inclusion
        float32 [n, M], log of the chance with which each came to be listed.
    neural
        float32 [n, M], product of user vector and item vector.
    features
        float32 [n, M, C], channels before the click.
    context
        float32 [n, F], context of each user before the click.
    """

    candidates: npt.NDArray[np.int64]
    log_inclusion: npt.NDArray[np.float32]
    neural: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.candidates)


def learn_recorded_trust(
    trust: ContextTrust, recorded: RecordedChoices, config: TrustConfig, seed: int
) -> float:
    """Learn the gain of the user vectors and the weights of the channels; nothing else.

    Parameters
    ----------
    trust
        Learned in place. It must not look at user vectors: only their products are recorded.
    recorded
        Clicks that the encoders have not learned from.
    config
        How.
    seed
        Of the order of clicks.

    Returns
    -------
    The last pass's mean loss; 0 without clicks, which leave the weights as they were.

    Raises
    ------
    ValueError
        The weights depend on user vectors.
    TrainingError
        The loss is not finite.
    """
    if trust.sees_user:
        raise ValueError("weights that depend on user vectors cannot be learned without these")
    adam = torch.optim.Adam(trust.parameters(), lr=config.rate)
    rng, loss = np.random.default_rng(seed), 0.0
    for _ in range(config.passes if len(recorded) else 0):
        total = 0.0
        for rows in trust_batches(len(recorded), config.batch, rng):
            total += len(rows) * _step(trust, recorded, rows, adam)
        loss = total / len(recorded)
        for group in adam.param_groups:
            group["lr"] *= config.slowing
    return loss


def _step(
    trust: ContextTrust,
    recorded: RecordedChoices,
    rows: npt.NDArray[np.int64],
    adam: torch.optim.Adam,
) -> float:
    context, features = torch.from_numpy(recorded.context[rows]), recorded.features[rows]
    told = trust(context, context.new_zeros(len(rows), 0))
    choices = Choices(
        torch.from_numpy(recorded.candidates[rows]),
        torch.from_numpy(recorded.log_inclusion[rows]),
        torch.from_numpy(features),
    )
    direct = torch.einsum("bmc,bc->bm", choices.features, told.channels)
    scores = told.gains * torch.from_numpy(recorded.neural[rows]) + direct
    loss = cross_entropy(scores, choices).mean()
    if not torch.isfinite(loss):
        raise TrainingError(f"the loss became {loss.item()}: lower the rate")
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
