"""The cross-entropy of recorded clicks among what they were compared with."""

from dataclasses import dataclass

from torch import Tensor

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


def cross_entropy(scores: Tensor, choices: Choices) -> Tensor:
    """Return each sample's negative log likelihood of its clicked item, [B].

    A candidate that is listed with chance p stands for 1/p items like it, so log p is subtracted
    from its score (`logQ correction <https://research.google/pubs/pub48840/>`_).
    """
    corrected = (scores - choices.log_inclusion).masked_fill(choices.absent, ABSENT)
    return corrected.logsumexp(dim=1) - corrected[:, 0]
