"""The newest serving view and model, noticed by polling the artifact store."""

import logging
from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.artifacts.store import ArtifactStore
from consumers.artifacts.written_settings import refuse_other_scales
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError
from consumers.serving.item_ids import ItemIds
from consumers.serving.model_scorer import ModelScorer, read_scorer
from consumers.serving.recommender import Recommender
from consumers.serving.scorers import CounterScorer
from consumers.serving.view import ServingView, decode_view
from gsr.errors import SnapshotError
from stream.clock import Clock, Periodic

_LOGGER = logging.getLogger(__name__)

KEPT_PROMOTIONS: Final = 1000
"""Versions whose beginning is remembered; older clicks were answered long ago."""


class NewestArtifacts:
    """Keeps a recommender at the newest view and model that are not older than the lists.

    Parameters
    ----------
    config
        All settings; `events`, `model` and `publisher` are used.
    artifacts
        Where views and snapshots come from.
    clock
        Spaces out the looking.
    """

    def __init__(self, config: GsrConfig, artifacts: ArtifactStore, clock: Clock) -> None:
        self._config = config
        self._artifacts = artifacts
        self._next_look = Periodic(clock, config.publisher.artifacts_poll_seconds)
        self._view: ServingView | None = None
        self._ids = ItemIds()
        self._counters = CounterScorer(config.publisher.fallback_graph_weight)
        self._model: ModelScorer | None = None
        self._view_tried = self._model_tried = 0
        self._said = ("", 0)
        self._promoted_at = np.zeros(0, dtype=np.float64)
        self._promoted = np.zeros(1, dtype=np.int64)
        self.model_created_at = 0.0
        self.recommender = Recommender(
            config.events.weights,
            list_length=config.publisher.list_length,
            allow_repeats=config.publisher.allow_repeats,
        )

    @property
    def ready(self) -> bool:
        """Whether there is a view to make lists from."""
        return self._view is not None

    @property
    def has_items(self) -> bool:
        """Whether the view holds any item: before the first click is counted it holds none."""
        return self._view is not None and bool(self._view.graph.alive.any())

    def counts(self, partition: int, offset: int) -> bool:
        """Return whether the view knows of the click at `offset`; an older one may lack items."""
        return self._view is not None and offset < self._view.positions.get(partition, 0)

    @property
    def model(self) -> ModelScorer | None:
        """The model that is served, None without one."""
        return self._model

    @property
    def version(self) -> int:
        """The model version that is served, 0 without a model."""
        return self._model.version if self._model else 0

    @property
    def view_created_at(self) -> float:
        """When the served view was made, seconds since the epoch; 0 without one."""
        return self._view.created_at if self._view else 0.0

    def refresh(self) -> bool:
        """Look for a newer view and model, if it is time to; True where there was one.

        Raises
        ------
        StateMismatchError
            The view was made with other half-lives than the configuration says.
        """
        if self._next_look.seconds_left() > 0:
            return False
        view, model = self._newer_view(), self._newer_model()
        if view is not None:
            self._view = view
        if model is not None:
            self._model = model
            self._note_promotions()
        new = view is not None or model is not None
        if new and self._view is not None:
            self._follow(self._view)
        self._next_look.restart()
        return new

    def versions_at(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return int64 [n], the model version that served at each of `times` (0: none known).

        Times before the oldest version that the store still had count as none.
        """
        found: npt.NDArray[np.int64] = self._promoted[
            np.searchsorted(self._promoted_at, times, side="right")
        ]
        return found

    def _note_promotions(self) -> None:
        """Learn when each version began to serve, also of those that were never adopted here."""
        try:
            manifests = self._artifacts.snapshots()
        except ArtifactError as error:
            _LOGGER.warning("the list of models cannot be read: %s", error)
            manifests = []
        known = dict(zip(self._promoted[1:].tolist(), self._promoted_at.tolist(), strict=True))
        known |= {int(facts["version"]): float(facts["created_at"]) for facts in manifests}
        known[self.version] = self.model_created_at
        kept = sorted((when, version) for version, when in known.items() if version <= self.version)
        self._promoted_at = np.array([when for when, _ in kept[-KEPT_PROMOTIONS:]])
        versions = np.array([0, *(version for _, version in kept[-KEPT_PROMOTIONS:])])
        self._promoted = np.maximum.accumulate(versions)

    def _follow(self, view: ServingView) -> None:
        self.recommender.follow(view, self._model or self._counters)

    def _newer_view(self) -> ServingView | None:
        number = self._artifacts.current_view()
        if number <= self._view_tried:
            return None
        try:
            artifact = self._artifacts.read_view(number)
            view = decode_view(artifact.tensors, artifact.metadata, self._ids)
            refuse_other_scales(view.graph, self._config)
        except ArtifactError as error:
            # The store keeps the newest few: perhaps there is a newer one by now.
            self._say_once("view %d is left out: %s", number, error)
            return None
        self._view_tried = number
        return view

    def _newer_model(self) -> ModelScorer | None:
        version = self._artifacts.current_snapshot()
        if version <= self._model_tried:
            return None
        try:
            artifact = self._artifacts.read_snapshot(version)
            scorer = read_scorer(
                artifact,
                version,
                self._config.model,
                repeats=self._config.publisher.allow_repeats,
            )
        except ArtifactError as error:
            self._say_once("model %d is left out: %s", version, error)
            return None
        except SnapshotError as error:
            self._model_tried = version
            _LOGGER.warning("model %d cannot be served, the one before stays: %s", version, error)
            return None
        self._model_tried = version
        self.model_created_at = float(artifact.metadata.get("created_at", 0.0))
        return scorer

    def _say_once(self, text: str, number: int, error: ArtifactError) -> None:
        if (text, number) != self._said:
            self._said = (text, number)
            _LOGGER.warning(text, number, error)
