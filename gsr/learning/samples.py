"""Recorded clicks that the learner learns from. Imports no torch."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gsr.counters.histories import Histories


@dataclass(frozen=True, slots=True)
class Samples:
    """Clicks to learn from, each with what was known just before it; n rows.

    Parameters
    ----------
    histories
        The users' clicks before each sample's click (see `Histories.recent`).
    candidates
        int64 [n, M], item rows to choose from; column 0 is the clicked one, -1 where there is none.
    log_inclusion
        float32 [n, M], log of the chance with which each candidate came to be listed (0: always).
    features
        float32 [n, M, C], channels of each candidate before the click.
    context
        float32 [n, F], context of each user before the click.
    edge_sources, edge_amounts
        int64 and float32 [n, W], the edges ``source → clicked item`` that the click itself added
        (-1: none), so that learning can leave them out of the graph.
    user_hashes
        uint64 [n], stable hash of each user's id; decides who belongs to the judge's slice.
    """

    histories: Histories
    candidates: npt.NDArray[np.int64]
    log_inclusion: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]
    edge_sources: npt.NDArray[np.int64]
    edge_amounts: npt.NDArray[np.float32]
    user_hashes: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.candidates)

    def rows(self, index: npt.NDArray[np.int64]) -> "Samples":
        """Return the samples at `index`, in that order."""
        return Samples(
            self.histories.rows(index),
            self.candidates[index],
            self.log_inclusion[index],
            self.features[index],
            self.context[index],
            self.edge_sources[index],
            self.edge_amounts[index],
            self.user_hashes[index],
        )

    def without_candidates(self) -> "Samples":
        """Return the samples with nothing to choose from but what was clicked.

        That is enough to train the encoders again later, and a fraction of the memory.
        """
        return replace(
            self,
            candidates=self.candidates[:, :1],
            log_inclusion=self.log_inclusion[:, :1],
            features=self.features[:, :1, :0],
        )


def join(parts: list[Samples]) -> Samples:
    """Return the samples of all `parts`, in order; shapes past the first axis must agree."""
    h = [p.histories for p in parts]
    return Samples(
        Histories(
            np.concatenate([x.items for x in h]),
            np.concatenate([x.times for x in h]),
            np.concatenate([x.events for x in h]),
            np.concatenate([x.lengths for x in h]),
            np.concatenate([x.now for x in h]),
        ),
        np.concatenate([p.candidates for p in parts]),
        np.concatenate([p.log_inclusion for p in parts]),
        np.concatenate([p.features for p in parts]),
        np.concatenate([p.context for p in parts]),
        np.concatenate([p.edge_sources for p in parts]),
        np.concatenate([p.edge_amounts for p in parts]),
        np.concatenate([p.user_hashes for p in parts]),
    )
