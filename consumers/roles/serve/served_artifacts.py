"""The model and the counters that compute answers: newer ones are made ready beside them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from consumers.artifacts.store import ArtifactStore
from consumers.config.settings import GsrConfig
from consumers.serving.item_controls import ItemControls
from consumers.serving.newest_artifacts import NewestArtifacts
from consumers.serving.recommender import Recommender, nobody
from stream.clock import Clock, Periodic
from stream.events.records.sequence import SequenceRecord


def _somebody(recommender: Recommender) -> SequenceRecord:
    """Return the sequence of a user with one click."""
    row = int(np.flatnonzero(recommender.view.graph.alive)[0])
    now = recommender.view.reference_time
    return msgspec.structs.replace(
        nobody(),
        items=[recommender.index.item_ids[row]],
        times=[now],
        events=["click"],
        last_click_at=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFacts:
    """What serves at a moment.

    Parameters
    ----------
    model_version, model_created_at
        0 without a model.
    view_number, view_created_at, reference_time
        Of the counters; 0 without any. `reference_time` is the newest click's that they count.
    items
        How many may be listed.
    positions
        Partition of `clicks` to the offset up to which its clicks are counted.
    models
        The manifests of all kept models, oldest first.
    """

    model_version: int = 0
    model_created_at: float = 0.0
    view_number: int = 0
    view_created_at: float = 0.0
    reference_time: float = 0.0
    items: int = 0
    positions: dict[int, int] = field(default_factory=dict)
    models: tuple[dict[str, Any], ...] = ()


class ServedArtifacts:
    """Two recommenders, of which one answers while the other takes over what is newer.

    Reading a view and finding its items takes longer than an answer may.

    Parameters
    ----------
    config, artifacts, clock
        As `NewestArtifacts` takes them.
    controls
        Whose blocked items are listed nowhere.
    """

    def __init__(
        self, config: GsrConfig, artifacts: ArtifactStore, clock: Clock, controls: ItemControls
    ) -> None:
        self._artifacts = artifacts
        self._controls = controls
        self._longest = config.serve.longest_list
        self._lock = threading.Lock()
        self._active, self._standby = (NewestArtifacts(config, artifacts, clock) for _ in range(2))
        self._newest = (0, 0)
        self._next_look = Periodic(clock, config.serve.refresh_seconds)
        self.facts = ServedFacts()

    @contextmanager
    def held(self) -> Iterator[NewestArtifacts]:
        """Yield what answers; nobody else may use it, or change it, in the block."""
        with self._lock:
            yield self._active

    @property
    def has_items(self) -> bool:
        """Whether there is anything to list."""
        return self.facts.items > 0

    def refresh(self) -> bool:
        """Take over a newer view and model, if it is time to look and there are any; say so.

        Raises
        ------
        StateMismatchError
            The view was made with other half-lives than the configuration says.
        """
        if not self._next_look.due():
            return False
        newest = (self._artifacts.current_view(), self._artifacts.current_snapshot())
        if newest == self._newest or not self._standby.refresh() or not self._standby.ready:
            return False
        recommender = self._standby.recommender
        recommender.block(self._controls.blocked)
        if self._standby.has_items:
            # Makes room and tables, and compiles what is not: now, and not for a caller.
            recommender.explain(_somebody(recommender), self._longest)
            recommender.default_list(self._longest)
        if self._standby.model is not None:
            self._standby.model.prepare_similar()
        with self._lock:
            self._active, self._standby = self._standby, self._active
        new_model = newest[1] != self._newest[1]
        self._newest = newest
        self._note_facts(tuple(self._artifacts.snapshots()) if new_model else self.facts.models)
        return True

    def block(self) -> None:
        """List no items that are blocked by now."""
        with self._lock:
            self._active.recommender.block(self._controls.blocked)
        if self._active.ready:
            self._note_facts(self.facts.models)

    def _note_facts(self, models: tuple[dict[str, Any], ...]) -> None:
        active = self._active
        view = active.recommender.view
        self.facts = ServedFacts(
            model_version=active.version,
            model_created_at=active.model_created_at,
            view_number=view.number,
            view_created_at=view.created_at,
            reference_time=view.reference_time,
            items=int(active.recommender.listable.sum()),
            positions=view.positions,
            models=models,
        )
