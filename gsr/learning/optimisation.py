"""Loss and learning step on a batch of recorded samples."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.config import LearnerConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.learning.encoded_batch import Batch, EncodedBatch, encode_batch
from gsr.learning.model_optimiser import ModelOptimiser
from gsr.learning.objective import (
    contrast,
    cross_entropy,
    distillation,
    joint_scores,
    neural_entropy,
    neural_scores,
    term_weight,
)
from gsr.learning.row_optimiser import RowOptimiser
from gsr.learning.samples import Samples
from gsr.network.graph_encoder import learning_sum
from gsr.network.model import JointModel
from gsr.votes.negatives import NO_NEGATIVES

LIKELIHOOD_BATCH = 500
TABLE = "table."
"""What the names of the item rows' moments begin with where they are kept."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """Result of a step: joint loss of each fresh sample, mean of each term, rows written."""

    losses: npt.NDArray[np.float32]
    terms: dict[str, float]
    rows: int


class Optimisation:
    """Learns a model from one batch of samples after another.

    Parameters
    ----------
    model
        Changed in place.
    config
        Rates, loss weights, clip.

    Attributes
    ----------
    optimiser
        Moves the weights; knows the way back.
    """

    def __init__(self, model: JointModel, config: LearnerConfig) -> None:
        self.model = model
        self.config = config
        self.optimiser = ModelOptimiser(
            dict(model.network.named_parameters()),
            RowOptimiser(model.table, "row"),
            weight_decay=config.weight_decay,
            gradient_norm=config.gradient_norm,
        )

    def prepare(self) -> None:
        """Import what steps need, which takes seconds once; the first step does so as well."""
        self.optimiser.prepare()
        if self.model.config.graph_encoder:
            learning_sum()

    def step(self, batch: Batch, graph: ItemGraph, teacher: Tensor | None = None) -> StepResult:
        """Learn from one batch.

        Parameters
        ----------
        batch
            Fresh and replayed samples.
        graph
            The live graph.
        teacher
            What `teach` said of the batch, if it is to be listened to.

        Raises
        ------
        TrainingError
            The loss is not finite; nothing was changed by this step.
        """
        network, config = self.model.network, self.config
        network.train()
        try:
            encoded = self._encode(batch, graph)
            terms = self._terms(encoded, teacher)
        finally:
            network.eval()
        means = {name: term.mean() for name, term in terms.items()}
        loss = torch.stack([term_weight(n, config) * m for n, m in means.items()]).sum()
        rows = self.optimiser.step(
            loss,
            encoded.rows.numpy(),
            encoded.leaf,
            rate=config.learning_rate,
            row_rate=config.embedding_rate,
        )
        return StepResult(
            terms["fused"].detach().numpy(),
            {name: float(mean.detach()) for name, mean in means.items()},
            rows,
        )

    @torch.no_grad()
    def teach(self, batch: Batch, graph: ItemGraph) -> Tensor | None:
        """Return the present user vectors' scores of the negatives, for replayed samples."""
        encoded = self._encode(batch, graph)
        if encoded.negatives is None:
            return None
        users = encoded.users.vectors[len(batch.fresh) :]
        return neural_scores(users, encoded.items, encoded.negatives)

    @torch.no_grad()
    def likelihood(self, samples: Samples, graph: ItemGraph) -> npt.NDArray[np.float64]:
        """Return each sample's negative log likelihood, float64 [n], under the present weights."""
        out = np.empty(len(samples))
        for start in range(0, len(samples), LIKELIHOOD_BATCH):
            index = np.arange(start, min(start + LIKELIHOOD_BATCH, len(samples)))
            batch = Batch(samples.rows(index), None, NO_NEGATIVES)
            encoded = self._encode(batch, graph)
            scores = joint_scores(encoded.users, encoded.items, encoded.choices, 0.0)
            out[index] = cross_entropy(scores, encoded.choices).numpy()
        return out

    def tensors(self) -> dict[str, Tensor]:
        """Return copies of all moments, by name."""
        rows = self.optimiser.rows.moments()
        return self.optimiser.moments() | {TABLE + name: value for name, value in rows.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` returned.

        Raises
        ------
        SnapshotError
            A moment has another shape than its weight.
        """
        self.optimiser.load_moments(tensors)
        self.optimiser.rows.load_moments(
            {name.removeprefix(TABLE): t for name, t in tensors.items() if name.startswith(TABLE)}
        )

    def _encode(self, batch: Batch, graph: ItemGraph) -> EncodedBatch:
        every_click = self.config.sequence_loss > 0.0
        return encode_batch(self.model, batch, graph, every_click=every_click)

    def _terms(self, encoded: EncodedBatch, teacher: Tensor | None) -> dict[str, Tensor]:
        """Return each switched-on term of the loss, unweighted, per sample or per click."""
        config, users, items = self.config, encoded.users, encoded.items
        scores = joint_scores(users, items, encoded.choices, config.joint_gradient)
        terms = {"fused": cross_entropy(scores, encoded.choices)}
        if encoded.negatives is not None:
            clicked, others, present = encoded.clicked, encoded.negatives, encoded.present
            if config.user_loss > 0.0:
                terms["user"] = neural_entropy(users.vectors, items, clicked, others) * present
            if users.views is not None and config.graph_loss > 0.0:
                terms["graph"] = neural_entropy(users.views, items, clicked, others) * present
            if users.tokens is not None and config.sequence_loss > 0.0:
                terms["sequence"] = neural_entropy(users.tokens, items, encoded.following, others)
            if teacher is not None and len(teacher) and config.distillation_loss > 0.0:
                replayed = users.vectors[len(scores) :]
                terms["distillation"] = distillation(
                    neural_scores(replayed, items, others), teacher
                )
        if users.states is not None and users.views is not None and config.contrastive_loss > 0.0:
            agreement = contrast(users.states, users.views, config.contrastive_temperature)
            terms["contrastive"] = agreement * encoded.present
        return terms
