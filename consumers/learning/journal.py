"""The trainer's journal, from which a restart goes on as if nothing had happened.

It holds the model, the learner, quality so far, and the checkpoints at whose end the counters
stood; these are pinned, and everything else is read again from them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy.typing as npt

from consumers.artifacts.numbered import Artifact
from consumers.artifacts.snapshot_files import decode_arrays, encode_arrays
from consumers.artifacts.store import LEARN_ANEW
from gsr.errors import SnapshotError
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.reports import LoopTotals, TimedAlarm
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel
from gsr.ranker.snapshot import from_snapshot, to_arrays, to_manifest

JOURNAL_FORMAT: Final = 3
JOURNAL_PIN: Final = "trainer"
"""Under this name the journal's checkpoints are kept from pruning."""

_MODEL: Final = "model."
_LEARNER: Final = "learner."
_OUTCOMES: Final = "outcomes"
_GENERATIONS: Final = "index.generations"
_POPULAR: Final = "popular."


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Checkpoints, positions and model version at which a trainer stands.

    Parameters
    ----------
    checkpoints
        Partition → number of the checkpoint at whose end the counters stand.
    positions
        Partition → sequence number of the accepted click that is tested and learned next.
    version
        The newest snapshot that this trainer published or adopted, 0 for none.
    """

    checkpoints: dict[int, int]
    positions: dict[int, int]
    version: int


def write_journal(loop: LearningLoop, standing: Standing) -> tuple[bytes, dict[str, Any]]:
    """Return the journal's arrays and document; nothing may wait to be tested or learned."""
    ranker = loop.ranker
    learner_arrays, learner_document = ranker.learner.state()
    mirror, popular = loop.mirror, ranker.recorder.popular
    arrays = {_MODEL + name: array for name, array in to_arrays(ranker.model).items()}
    arrays |= {_LEARNER + name: array for name, array in learner_arrays.items()}
    arrays |= {_POPULAR + "rows": popular.rows, _POPULAR + "counts": popular.counts}
    arrays[_OUTCOMES] = loop.detector.recent()
    arrays[_GENERATIONS] = mirror.generations
    document = {
        "journal_format": JOURNAL_FORMAT,
        "checkpoints": _by_name(standing.checkpoints),
        "positions": _by_name(standing.positions),
        "version": standing.version,
        "item_ids": mirror.item_ids,
        "model": to_manifest(ranker.model),
        "learner": learner_document,
        "random": loop.rng.bit_generator.state,
        "quality": loop.quality.to_dict(),
        "detector": {"outcomes": loop.detector.outcomes, "alarms": loop.detector.alarms},
        "alarms": [asdict(alarm) for alarm in loop.alarms],
        "totals": asdict(loop.totals),
    }
    return encode_arrays(arrays), document


class Journal:
    """A journal that was read.

    Parameters
    ----------
    artifact
        From the artifact store.

    Raises
    ------
    SnapshotError
        It is torn, or of another format.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._document: Mapping[str, Any] = artifact.metadata
        if self._document.get("journal_format") != JOURNAL_FORMAT:
            raise SnapshotError(
                f"the trainer's journal has format {self._document.get('journal_format')}, this "
                f"build reads {JOURNAL_FORMAT}: run the version of gsr that wrote it, or "
                f"{LEARN_ANEW}"
            )
        self._arrays = decode_arrays(artifact.tensors)

    @property
    def standing(self) -> Standing:
        """Where the trainer stood."""
        return Standing(
            checkpoints=_by_partition(self._document["checkpoints"]),
            positions=_by_partition(self._document["positions"]),
            version=int(self._document["version"]),
        )

    def model(self, config: RankerConfig) -> RankerModel:
        """Return the model.

        Raises
        ------
        SnapshotError
            It was made with another configuration.
        """
        return from_snapshot(self._part(_MODEL), dict(self._document["model"]), config)

    def name_rows(self, loop: LearningLoop) -> None:
        """Give items of the empty mirror the rows that they had."""
        generations = self._arrays[_GENERATIONS]
        loop.mirror.name_rows(list(self._document["item_ids"]), generations)

    def restore(self, loop: LearningLoop) -> None:
        """Put learner, quality, detectors and random state back into a loop with `model`."""
        document = self._document
        loop.ranker.learner.restore(self._part(_LEARNER), dict(document["learner"]))
        # The counters say which items are popular, but not in which order equal ones stand.
        popular, stored = loop.ranker.recorder.popular, self._part(_POPULAR)
        popular.rows[:], popular.counts[:] = stored["rows"], stored["counts"]
        loop.rng.bit_generator.state = document["random"]
        loop.quality.restore(document["quality"])
        detector = document["detector"]
        recent = self._arrays[_OUTCOMES]
        loop.detector.rebuild(recent, int(detector["outcomes"]), detector["alarms"])
        loop.alarms.extend(TimedAlarm(**alarm) for alarm in document["alarms"])
        known = {field.name for field in fields(LoopTotals)}
        loop.totals = LoopTotals(**{k: v for k, v in document["totals"].items() if k in known})

    def _part(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        return {n[len(prefix) :]: a for n, a in self._arrays.items() if n.startswith(prefix)}


def _by_name(values: Mapping[int, int]) -> dict[str, int]:
    return {str(partition): value for partition, value in values.items()}


def _by_partition(values: Mapping[str, int]) -> dict[int, int]:
    return {int(partition): int(value) for partition, value in values.items()}
