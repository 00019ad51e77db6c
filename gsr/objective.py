"""What learning minimises: cross-entropy over candidates, and its auxiliary terms."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gsr.candidate_scores import candidate_scores
from gsr.config import LearnerConfig
from gsr.network import Views

ABSENT = -1e9
"""Logit of a candidate that is not there; finite, so that gradients stay numbers."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Candidates of B samples; the clicked one stands in column 0.

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

    def after(self, start: int) -> "Choices":
        """Return the choices of the samples from `start` on."""
        return Choices(self.places[start:], self.log_inclusion[start:], self.features[start:])


@dataclass(frozen=True, slots=True)
class Following:
    """What followed each of the T packed clicks, for the sequence encoder's own term.

    Parameters
    ----------
    places
        int64 [T], the next click's item among the gathered item vectors; -1 where it has none.
    negatives
        int64 [K], places of items that all T are compared with.
    log_inclusion
        float32 [K], log chance of each having been drawn.
    """

    places: Tensor
    negatives: Tensor
    log_inclusion: Tensor


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of the candidates, [B, M] each: joint, and by the graph view alone if wanted."""

    fused: Tensor
    views: Tensor | None


def score(views: Views, items: Tensor, choices: Choices, *, alone: bool) -> Scores:
    """Return the joint scores and, if wanted, what the graph view scores `alone`.

    `items` are the gathered item vectors [R, d].
    """
    parts = [views.vectors]
    if alone and views.views is not None:
        parts.append(views.views)
    neural = candidate_scores(items, torch.stack(parts, dim=1), choices.places).unbind(dim=1)
    direct = (choices.features * views.weights[:, None, :]).sum(dim=2)
    return Scores(neural[0] + direct, neural[1] if len(parts) > 1 else None)


def following_entropy(tokens: Tensor, items: Tensor, following: Following) -> Tensor:
    """Return the negative log likelihood of what followed each click, 0 where nothing did, [T].

    This is the sequence encoder alone, as in `SASRec <https://arxiv.org/abs/1808.09781>`_ with a
    sampled softmax: every position of a history is learned, not only the newest.
    """
    known = following.places >= 0
    own = (tokens * items.index_select(0, following.places.clamp(min=0))).sum(dim=1)
    others = tokens @ items.index_select(0, following.negatives).T - following.log_inclusion
    same = following.places[:, None] == following.negatives
    others = others.masked_fill(same, ABSENT)
    together = torch.cat((own[:, None], others), dim=1).logsumexp(dim=1)
    return (together - own) * known


def cross_entropy(scores: Tensor, choices: Choices) -> Tensor:
    """Return each sample's negative log likelihood of its clicked item, [B].

    A candidate that is listed with chance p stands for 1/p items like it, so log p is subtracted
    from its score (`logQ correction <https://research.google/pubs/pub48840/>`_).
    """
    corrected = (scores - choices.log_inclusion).masked_fill(choices.absent, ABSENT)
    return corrected.logsumexp(dim=1) - corrected[:, 0]


def contrast(states: Tensor, views: Tensor, temperature: float) -> Tensor:
    """Return each sample's symmetric InfoNCE between its two views, against the batch, [B]."""
    a = functional.normalize(states, dim=1)
    b = functional.normalize(views, dim=1)
    logits = a @ b.T / temperature
    own = logits.diagonal()
    return 0.5 * (logits.logsumexp(dim=0) + logits.logsumexp(dim=1)) - own


def distillation(scores: Tensor, teacher: Tensor, choices: Choices) -> Tensor:
    """Return each sample's KL divergence of its candidate distribution from the teacher's, [B]."""
    student = scores.masked_fill(choices.absent, ABSENT).log_softmax(dim=1)
    aim = teacher.masked_fill(choices.absent, ABSENT).log_softmax(dim=1)
    return (aim.exp() * (aim - student)).sum(dim=1)


def loss_terms(
    views: Views, scores: Scores, choices: Choices, present: Tensor, config: LearnerConfig
) -> dict[str, Tensor]:
    """Return the terms that concern whole samples, [B] each, unweighted.

    `present` [B, 1] is 0 for users without clicks, whose views say nothing.
    """
    terms = {"fused": cross_entropy(scores.fused, choices)}
    known = present[:, 0]
    if scores.views is not None and config.graph_loss > 0.0:
        terms["graph"] = cross_entropy(scores.views, choices) * known
    if views.states is not None and views.views is not None and config.contrastive_loss > 0.0:
        agreement = contrast(views.states, views.views, config.contrastive_temperature)
        terms["contrastive"] = agreement * known
    return terms


def term_weight(name: str, config: LearnerConfig) -> float:
    """Return the weight of a term in the total loss."""
    return {
        "fused": 1.0,
        "graph": config.graph_loss,
        "sequence": config.sequence_loss,
        "contrastive": config.contrastive_loss,
        "distillation": config.distillation_loss,
    }[name]
