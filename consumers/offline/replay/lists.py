"""Recommendations that a live service would have sent, as compressed JSON lines."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import zstandard

from consumers.learning.live_loop import serving_view
from consumers.runtime.outputs import written_aside
from consumers.serving.model_scorer import ModelScorer
from consumers.serving.recommender import Recommender
from gsr.loop.learning_loop import LearningLoop
from stream.events.clicks.rules import EventRules
from stream.events.records.recommendation import Reason, Recommendation
from stream.events.records.sequence import SequenceRecord, sequence_record

LISTS_NAME: Final = "recommendations.jsonl.zst"
USERS_PER_BATCH: Final = 256


class ReplayLists:
    """Makes lists with the publisher's own code and writes one record a line.

    Parameters
    ----------
    packed
        A writer of zstandard, which leaves it untyped.
    loop
        Whose state and model to serve from.
    rules
        Names of the events.
    list_length, allow_repeats
        Of the lists.
    """

    def __init__(
        self,
        packed: Any,
        loop: LearningLoop,
        rules: EventRules,
        *,
        list_length: int,
        allow_repeats: bool,
    ) -> None:
        self._loop = loop
        self._names = list(rules.weights)
        self._repeats = allow_repeats
        self._recommender = Recommender(
            rules.weights, list_length=list_length, allow_repeats=allow_repeats
        )
        self._packed = packed
        self.written = 0

    def write(self, user_ids: Iterable[str], reason: Reason) -> None:
        """Write a list for each of `user_ids` that the state knows."""
        mirror = self._loop.mirror
        view = serving_view(mirror, mirror.arrays.watermark, {})
        scorer = ModelScorer(
            self._loop.stream.model,
            self._loop.totals.promoted,
            mirror.generations,
            repeats=self._repeats,
        )
        self._recommender.follow(view, scorer)
        waiting: list[SequenceRecord] = []
        for user_id in user_ids:
            record = self._sequence(user_id)
            if record is not None:
                waiting.append(record)
            if len(waiting) == USERS_PER_BATCH:
                self._send(waiting, reason)
                waiting = []
        if waiting:
            self._send(waiting, reason)

    def _sequence(self, user_id: str) -> SequenceRecord | None:
        arrays = self._loop.mirror.arrays
        buffer = arrays.user_buffer(user_id)
        if buffer is None:
            return None
        id_of = arrays.items.id_of
        items = [id_of(row) if row >= 0 else None for row in buffer.items.tolist()]
        return sequence_record(user_id, buffer, items, self._names, 0, buffer.source_offset + 1)

    def _send(self, records: Sequence[SequenceRecord], reason: Reason) -> None:
        now = self._loop.mirror.arrays.watermark
        for record, made in zip(records, self._recommender.recommend(records), strict=True):
            line = Recommendation(
                user_id=record.user_id,
                items=made.items,
                model_version=self._loop.totals.promoted,
                generated_at=now,
                reason="cold" if made.cold else reason,
                last_click_at=record.last_click_at,
                source_offset=record.source_offset,
            ).encode()
            self._packed.write(line + b"\n")
        self.written += len(records)


@contextmanager
def lists_file(path: Path) -> Iterator[Any]:
    """Yield a writer of zstandard for `path`, which is there whole after the block, or not at all.

    Raises
    ------
    StorageFullError
        The file cannot be written.
    """
    packer = zstandard.ZstdCompressor(level=3)
    with (
        written_aside(path) as aside,
        aside.open("wb") as file,
        packer.stream_writer(file, closefd=False) as packed,
    ):
        yield packed


def newest_users(loop: LearningLoop, count: int | None) -> list[str]:
    """Return the `count` users (None: all) whose newest click is newest, the newest first."""
    users = loop.mirror.arrays.users
    taken = [(user_id, slot) for user_id, slot in users.taken() if users.columns.lengths[slot] > 0]
    slots = np.array([slot for _, slot in taken], dtype=np.int64)
    offsets = users.columns.source_offsets[slots]
    order = np.argsort(-offsets, kind="stable")[:count]
    return [taken[place][0] for place in order.tolist()]
