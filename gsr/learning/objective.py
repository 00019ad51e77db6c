"""Loss functions of learning on the stream: cross-entropy and auxiliary terms."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gsr.config import LearnerConfig
from gsr.learning.candidate_scores import candidate_scores
from gsr.network.joint_network import EncodedUsers

ABSENT = -1e9
"""Logit of a candidate that is not there; finite, so that gradients stay numbers."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Recorded candidates of the first B samples; the clicked one stands in column 0.

    Parameters
    ----------
    places
        int64 [B, M], places among the gathered item vectors; -1 where there is none.
    log_inclusion
        float32 [B, M], log chance of having been drawn.
    features
        float32 [B, M, C], direct channels.
    """

    places: Tensor
    log_inclusion: Tensor
    features: Tensor

    @property
    def absent(self) -> Tensor:
        """Where there is no candidate, bool [B, M]."""
        return self.places < 0


@dataclass(frozen=True, slots=True)
class Negatives:
    """Items that all clicks of a step are compared with.

    Parameters
    ----------
    places
        int64 [K], places among the gathered item vectors.
    log_inclusion
        float32 [K], log chance of each having been drawn.
    """

    places: Tensor
    log_inclusion: Tensor


def joint_scores(users: EncodedUsers, items: Tensor, choices: Choices, share: float) -> Tensor:
    """Return the joint scores [B, M] of recorded candidates.

    `items` are the gathered item vectors [R, d]; only `share` of the gradient reaches them and
    the user vectors: see `gsr.config.LearnerConfig`.
    """
    count = len(choices.places)
    vectors = users.vectors[:count]
    neural = candidate_scores(items, vectors, choices.places)
    neural = share * neural + (1.0 - share) * neural.detach()
    direct = (choices.features * users.trust.channels[:count, None, :]).sum(dim=2)
    return users.trust.gains[:count] * neural + direct


def cross_entropy(scores: Tensor, choices: Choices) -> Tensor:
    """Return each sample's negative log likelihood of its clicked item, [B].

    A candidate that is listed with chance p stands for 1/p items like it, so log p is subtracted
    from its score (`logQ correction <https://research.google/pubs/pub48840/>`_).
    """
    corrected = (scores - choices.log_inclusion).masked_fill(choices.absent, ABSENT)
    return corrected.logsumexp(dim=1) - corrected[:, 0]


def neural_scores(vectors: Tensor, items: Tensor, negatives: Negatives) -> Tensor:
    """Return corrected scores [T, K] of the negatives by vectors [T, d] alone."""
    return vectors @ items.index_select(0, negatives.places).T - negatives.log_inclusion


def neural_entropy(vectors: Tensor, items: Tensor, clicked: Tensor, negatives: Negatives) -> Tensor:
    """Return the negative log likelihood of `clicked` by vectors [T, d] alone, [T].

    Parameters
    ----------
    vectors
        [T, d], of users, views, or states after single clicks.
    items
        [R, d], gathered item vectors.
    clicked
        int64 [T], place of what was clicked next; -1 (and then 0 is returned) where nothing was.
    negatives
        What it is compared with, as in a sampled softmax.
    """
    own = (vectors * items.index_select(0, clicked.clamp(min=0))).sum(dim=1)
    others = neural_scores(vectors, items, negatives)
    others = others.masked_fill(clicked[:, None] == negatives.places, ABSENT)
    together = torch.logaddexp(own, others.logsumexp(dim=1))
    return (together - own) * (clicked >= 0)


def contrast(states: Tensor, views: Tensor, temperature: float) -> Tensor:
    """Return each sample's symmetric InfoNCE between its two views, against the batch, [B]."""
    a = functional.normalize(states, dim=1)
    b = functional.normalize(views, dim=1)
    logits = a @ b.T / temperature
    own = logits.diagonal()
    return 0.5 * (logits.logsumexp(dim=0) + logits.logsumexp(dim=1)) - own


def distillation(scores: Tensor, teacher: Tensor) -> Tensor:
    """Return each row's KL divergence of its softmax from the teacher's, [B]."""
    aim = teacher.log_softmax(dim=1)
    return (aim.exp() * (aim - scores.log_softmax(dim=1))).sum(dim=1)


def term_weight(name: str, config: LearnerConfig) -> float:
    """Return the weight of a term in the total loss."""
    return {
        "fused": 1.0,
        "user": config.user_loss,
        "graph": config.graph_loss,
        "sequence": config.sequence_loss,
        "contrastive": config.contrastive_loss,
        "distillation": config.distillation_loss,
    }[name]
