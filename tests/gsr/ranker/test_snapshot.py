"""Weights as arrays and a document, and back."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.histories import Histories
from gsr.counters.users.user_buffer import UserBuffer
from gsr.errors import SnapshotError
from gsr.ranker.asked_users import Asked, asked
from gsr.ranker.asking import Asker
from gsr.ranker.model import RankerModel
from gsr.ranker.snapshot import FORMAT, from_snapshot, to_arrays, to_manifest
from tests.gsr.ranker.test_learner import go_on
from tests.gsr.ranker.world import SHAPE, STATE, Stream


@pytest.mark.parametrize("vectors", [True, False])
def test_a_rebuilt_model_gives_the_same_lists(vectors: bool) -> None:
    """To the last bit; a setting that no weight knows of may differ."""
    shape = replace(SHAPE, vectors=vectors)
    stream = Stream(shape)
    go_on(stream, 700)
    model = from_snapshot(to_arrays(stream.model), to_manifest(stream.model), shape)
    again = from_snapshot(to_arrays(stream.model), to_manifest(stream.model))
    assert again.config == shape
    names = IdColumn.of([f"u{number}" for number in range(10)])
    buffers = stream.counters.user_buffers(names)
    lists = []
    for one in (stream.model, model, again):
        asker = Asker(
            one, stream.counters.graph(), row_slots=STATE.row_slots, repeats=False, length=10
        )
        lists.append(asker.lists(_asked(buffers), 10))
    for other in lists[1:]:
        np.testing.assert_array_equal(lists[0].rows, other.rows)
        np.testing.assert_array_equal(lists[0].scores, other.scores)
    boosted = replace(shape, new_item_boost=3.0)
    assert from_snapshot(to_arrays(model), to_manifest(model), boosted).config == boosted


def test_what_does_not_fit_is_refused_by_name() -> None:
    """Another format, another configuration, missing or misshapen arrays."""
    model = RankerModel(SHAPE)
    arrays, manifest = to_arrays(model), to_manifest(model)
    with pytest.raises(SnapshotError, match=f"format 3, this build reads {FORMAT}"):
        from_snapshot(arrays, manifest | {"model_format": 3})
    with pytest.raises(SnapshotError, match="hidden is 8, not 9"):
        from_snapshot(arrays, manifest, replace(SHAPE, hidden=9))
    with pytest.raises(SnapshotError, match="do not fit"):
        from_snapshot(arrays | {"items": np.zeros((3, 5), dtype=np.float32)}, manifest)
    with pytest.raises(SnapshotError, match="do not fit"):
        from_snapshot(arrays | {"scaling.1": np.zeros(3)}, manifest)
    del arrays["network.3"]
    with pytest.raises(SnapshotError, match="do not fit"):
        from_snapshot(arrays, manifest)
    strange = manifest | {"config": manifest["config"] | {"blocks": 2}}
    with pytest.raises(SnapshotError, match="unknown here"):
        from_snapshot(to_arrays(model), strange)


def _asked(buffers: Sequence[UserBuffer | None]) -> Asked:
    width = STATE.buffer_length
    count = len(buffers)
    items = np.full((count, width), -1, dtype=np.int64)
    times = np.zeros((count, width))
    lengths = np.zeros(count, dtype=np.int64)
    for row, buffer in enumerate(buffers):
        assert buffer is not None
        lengths[row] = len(buffer)
        items[row, : len(buffer)] = buffer.items
        times[row, : len(buffer)] = buffer.times
    now = times.max(axis=1) + 30.0
    raw = Histories(items, times, np.zeros((count, width), dtype=np.uint8), lengths, now)
    readable = raw.recent(SHAPE.history_length, SHAPE.event_weights)
    return asked(readable, lengths, list(items))
