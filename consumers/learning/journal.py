"""The trainer's journal, from which a restart goes on as if nothing had happened.

It holds the model, the learner, quality so far, and the checkpoints at whose end the counters
stood; these are pinned, and everything else is read again from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consumers.artifacts.numbered import Artifact
from consumers.artifacts.snapshot_files import decode_arrays, encode_arrays
from consumers.artifacts.store import LEARN_ANEW
from gsr.errors import SnapshotError
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.loop_state import loop_state, restore_loop, stored_model
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel

JOURNAL_FORMAT: Final = 3
JOURNAL_PIN: Final = "trainer"
"""Under this name the journal's checkpoints are kept from pruning."""

_GENERATIONS: Final = "index.generations"


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
    arrays, state = loop_state(loop)
    arrays[_GENERATIONS] = loop.mirror.generations
    document = {
        "journal_format": JOURNAL_FORMAT,
        "checkpoints": _by_name(standing.checkpoints),
        "positions": _by_name(standing.positions),
        "version": standing.version,
        "item_ids": loop.mirror.item_ids,
        **state,
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
        return stored_model(self._arrays, self._document, config)

    def name_rows(self, loop: LearningLoop) -> None:
        """Give items of the empty mirror the rows that they had."""
        generations = self._arrays[_GENERATIONS]
        loop.mirror.name_rows(list(self._document["item_ids"]), generations)

    def restore(self, loop: LearningLoop) -> None:
        """Put learner, quality, detectors and random state back into a loop with `model`."""
        restore_loop(loop, self._arrays, self._document)


def _by_name(values: Mapping[int, int]) -> dict[str, int]:
    return {str(partition): value for partition, value in values.items()}


def _by_partition(values: Mapping[str, int]) -> dict[int, int]:
    return {int(partition): int(value) for partition, value in values.items()}
