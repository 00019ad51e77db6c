"""When a running trainer had learned each click, by what its published models say."""

from collections import defaultdict

import numpy as np

from consumers.artifacts.store import ArtifactStore
from stream.log.interface import RecordBatch


class LearnedClicks:
    """Notes clicks and models as they come, and how long each click waited for its model.

    A model's manifest says up to which offset of each partition it has learned, and when it was
    published. A cycle whose outcome was not promoted counts with the next one that was.

    Parameters
    ----------
    artifacts
        Where the trainer publishes. It prunes: look more often than it publishes ten models.
    """

    def __init__(self, artifacts: ArtifactStore) -> None:
        self._artifacts = artifacts
        self._appended: defaultdict[int, list[float]] = defaultdict(list)
        self._models: dict[int, tuple[float, dict[int, int]]] = {}

    def note_clicks(self, batch: RecordBatch) -> None:
        """Note clicks; those of a partition come in order, from the topic's beginning on."""
        appended = self._appended[batch.partition]
        if batch.offsets[0] != len(appended):
            raise ValueError("clicks are missing")
        appended += batch.append_times.tolist()

    def look(self) -> None:
        """Note models that were published since the last look."""
        if self._artifacts.current_snapshot() in self._models:
            return
        for manifest in self._artifacts.snapshots():
            positions = {int(p): int(offset) for p, offset in manifest["positions"].items()}
            self._models[int(manifest["version"])] = (float(manifest["created_at"]), positions)

    def waits(self) -> tuple[list[float], int]:
        """Return the seconds that clicks waited, and how many are in no model yet."""
        models = [self._models[version] for version in sorted(self._models)]
        published = np.array([created for created, _ in models])
        waits: list[float] = []
        unlearned = 0
        for partition, appended in self._appended.items():
            ends = np.array([positions.get(partition, 0) for _, positions in models])
            found = np.searchsorted(np.maximum.accumulate(ends), np.arange(len(appended)), "right")
            learned = found < len(models)
            times = np.array(appended)
            waits += (published[found[learned]] - times[learned]).tolist()
            unlearned += int((~learned).sum())
        return waits, unlearned
