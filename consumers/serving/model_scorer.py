"""A trained model as a scorer."""

import numpy as np
import numpy.typing as npt

from consumers.artifacts.numbered import Artifact
from consumers.artifacts.snapshot_files import decode_snapshot
from consumers.serving.view import ServingView
from gsr.counters.items.item_graph import ItemGraph
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked
from gsr.ranker.asking import Asker, Explained, UserLists
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel
from gsr.ranking.closest_vectors import ClosestVectors


class ModelScorer:
    """A model on the counters of the current view.

    Items that the model has not seen, because they are newer or because their row stood for
    another item then, have no vector: what the counters say of them decides.

    Parameters
    ----------
    model
        Its vectors are set to zero, for a time, where their rows stand for other items.
    version
        Its version.
    generations
        int64 [N'], the generation of each item row when the model was made.
    repeats
        Whether items that a user has clicked may be listed again.
    """

    def __init__(
        self,
        model: RankerModel,
        version: int,
        generations: npt.NDArray[np.int64],
        *,
        repeats: bool,
    ) -> None:
        self._model = model
        self._generations = generations
        self._repeats = repeats
        self._others = np.zeros(0, dtype=np.int64)
        self._vectors_of_others = np.zeros((0, model.config.dimension), dtype=np.float32)
        self._asker: Asker | None = None
        self._closest: ClosestVectors | None = None
        self.version = version
        self.history_length = model.config.history_length

    def follow(self, view: ServingView, blocked: npt.NDArray[np.bool_]) -> None:
        """Rank the items of `view` from now on, and never list those of `blocked`, bool [N]."""
        self._graph = view.graph
        self._blocked = blocked
        self._asker = None
        self._leave_out_vectors(view.generations)

    def block(self, blocked: npt.NDArray[np.bool_]) -> None:
        """List no items of `blocked`, bool [N], from now on."""
        self._blocked = blocked
        self._asker = None

    def lists(self, users: Asked, length: int) -> UserLists:
        """Return the best `length` items of each user."""
        return self._asker_for(length).lists(users, length)

    def scores(self, users: Asked, items: npt.NDArray[np.int64]) -> Floats:
        """Return each user's scores of exactly these items, -inf for one they may not get."""
        return self._asker_for(1).scores(users, items)

    def explain(self, users: Asked, length: int) -> Explained:
        """Return the same lists, and what each group of features does to the scores."""
        return self._asker_for(length).explain(users, length)

    def similar(
        self, row: int, count: int, listable: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return the items whose vectors lie closest to that of an item.

        Parameters
        ----------
        row
            Of the item.
        count
            How many, at most.
        listable
            bool [N], items that may be returned.

        Returns
        -------
        rows, cosines
            int64 [n] and float32 [n], closest first; none where the item has no vector, or the
            model none at all.
        """
        closest = self._closest_vectors()
        if closest is None or row >= len(closest):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        return closest.closest(row, count, listable)

    def prepare_similar(self) -> None:
        """Do now what the first call of `similar` would have to do."""
        self._closest_vectors()

    def _closest_vectors(self) -> ClosestVectors | None:
        if self._closest is None and self._model.vectors is not None:
            self._closest = ClosestVectors(self._model.vectors.items.values)
        return self._closest

    def _asker_for(self, length: int) -> Asker:
        """Return who answers on this view, with room for lists of `length`."""
        if self._asker is None or self._asker.length < length:
            self._asker = Asker(
                self._model,
                self._graph,
                row_slots=longest_row(self._graph),
                repeats=self._repeats,
                length=length,
                blocked=self._blocked,
            )
        return self._asker

    def _leave_out_vectors(self, generations: npt.NDArray[np.int64]) -> None:
        """Put zeros in place of the vectors of rows that stand for other items in a view."""
        if self._model.vectors is None:
            return
        vectors = self._model.vectors.items.values
        before = self._others
        vectors[before] = self._vectors_of_others
        common = min(len(vectors), len(generations), len(self._generations))
        self._others = np.flatnonzero(generations[:common] != self._generations[:common])
        self._vectors_of_others = vectors[self._others]
        vectors[self._others] = 0.0
        if self._closest is not None:
            self._closest.renew(np.union1d(before, self._others))


def longest_row(graph: ItemGraph) -> int:
    """Return how many neighbours an item has at most."""
    return int(graph.row_lengths.max(initial=0))


def read_scorer(
    artifact: Artifact, version: int, config: RankerConfig, *, repeats: bool
) -> ModelScorer:
    """Return the scorer of a snapshot.

    Raises
    ------
    SnapshotError
        It is torn, of another format, or of another configuration than `config`.
    """
    model, generations = decode_snapshot(artifact.tensors, artifact.metadata, config)
    return ModelScorer(model, version, generations, repeats=repeats)
