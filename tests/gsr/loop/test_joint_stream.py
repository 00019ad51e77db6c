"""The joint model on a stream: clicks are recorded and ranked by it, and it never learns."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from gsr.counters.click_batch import ClickBatch
from gsr.counters.counters import Counters
from gsr.counters.ids.id_column import IdColumn
from gsr.loop.joint_stream import JointStream, RecordedClicks
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import Mirror
from gsr.network.model import JointModel
from tests.gsr.loop.world import JOINT, OPTIONS, STATE, WEIGHTS, batch_of, joint_stream_of, ring

CLICKS = [("u", "a", 0.0), ("u", None, 1.0), ("u", "b", 2.0), ("u", "c", 3.0), ("v", "b", 4.0)]


def recorded(
    stream: JointStream, mirror: Mirror, batch: ClickBatch, rows: npt.NDArray[np.int64]
) -> RecordedClicks:
    """Take a batch in, recording some of its clicks."""
    applied, _ = mirror.push(batch)
    return stream.record(applied, rows, IdColumn.of(batch.user_ids).hashes[rows])


def streaming() -> tuple[LearningLoop, JointStream]:
    """Return a loop that tests a joint model."""
    loop = LearningLoop(OPTIONS, stream_of=joint_stream_of)
    assert isinstance(loop.stream, JointStream)
    return loop, loop.stream


def test_wanted_clicks_become_samples() -> None:
    """With the user's history, and the clicked item first."""
    mirror = Mirror(STATE, WEIGHTS)
    found = recorded(joint_stream_of(mirror), mirror, batch_of(CLICKS), np.array([3, 4]))
    assert found.samples.candidates[:, 0].tolist() == [2, 1]
    assert found.samples.histories.lengths.tolist() == [1, 0]
    assert found.samples.histories.items[0, 0] == found.masked[0, 0] == 1
    assert mirror.graph().alive[:3].all()


def test_features_are_from_before_the_click() -> None:
    """The same click, recorded after a twin of it, sees the twin's popularity."""
    mirror = Mirror(STATE, WEIGHTS)
    samples = recorded(joint_stream_of(mirror), mirror, batch_of(CLICKS), np.array([2, 4])).samples
    popularity = samples.features[:, 0, 0]
    assert samples.candidates[:, 0].tolist() == [1, 1]
    assert popularity[0] < popularity[1]


def test_recording_makes_room_for_notes_and_edges() -> None:
    """However many there are, every click is added once."""
    mirror, batch = Mirror(STATE, WEIGHTS), ring(600)
    found = recorded(joint_stream_of(mirror), mirror, batch, np.arange(600))
    assert len(found) == 600
    arrays = Counters(STATE, np.array(WEIGHTS))
    arrays.apply(batch)
    np.testing.assert_array_equal(mirror.graph().popularity, arrays.graph().popularity)
    np.testing.assert_array_equal(mirror.graph().row_lengths, arrays.graph().row_lengths)


def test_tested_clicks_wait_to_be_taken() -> None:
    """Once; nothing is learned of them."""
    loop, stream = streaming()
    loop.advance(ring(200), rank=False)
    assert loop.test() == 0
    assert loop.waiting == 200
    assert sum(map(len, stream.take_samples())) == 200
    assert loop.waiting == 0
    loop.advance(ring(100, start=12_000.0, seed=1))
    assert loop.test() > 0
    weights = stream.model.table.weight.clone()
    assert loop.learn() is None
    assert loop.waiting == 0
    assert stream.model.table.weight.equal(weights)


def test_waiting_clicks_are_let_go() -> None:
    loop, _ = streaming()
    loop.advance(ring(100))
    loop.test()
    loop.let_go()
    assert loop.waiting == 0


def test_another_model_takes_over_between_two_cycles() -> None:
    """It ranks from then on, whatever its width."""
    loop, stream = streaming()
    loop.advance(ring(200), rank=False)
    loop.test()
    other = JointModel(replace(JOINT, dimension=16), 5)
    other.grow(loop.mirror.graph())
    stream.serve(other)
    np.testing.assert_array_equal(
        stream.encoded_items().fused, other.encode_items(loop.mirror.graph()).fused
    )
    assert stream.item_vectors().shape == (loop.mirror.items, 16)
    loop.advance(ring(100, start=12_000.0, seed=1))
    assert loop.test() > 0


def test_items_that_came_are_let_in_when_told() -> None:
    """They have vectors of their own from then on, and not before."""
    loop, stream = streaming()
    loop.advance(ring(50))
    assert len(stream.encoded_items().fused) == 0
    stream.let_items_in()
    assert len(stream.encoded_items().fused) == loop.mirror.items > 0


def test_what_left_is_forgotten() -> None:
    """Its samples go, and its row begins anew."""
    state = replace(STATE, item_ttl_seconds=3600.0)
    loop = LearningLoop(replace(OPTIONS, state=state), stream_of=joint_stream_of)
    assert isinstance(loop.stream, JointStream)
    loop.advance(ring(100))
    loop.test()
    loop.stream.let_items_in()
    loop.stream.encoded_items()
    before = loop.stream.model.table.generations.clone()
    loop.advance(batch_of([("new", f"j{n}", 40_000.0 + n) for n in range(40)]))
    loop.test()
    assert sum(map(len, loop.stream.take_samples())) == 40
    assert (loop.stream.model.table.generations[: len(before)] > before).any()


@pytest.mark.parametrize("mask_history", [False, True])
def test_lists_hold_the_best_ranked(mask_history: bool) -> None:
    """The item at place n of a list is the one whose rank is n + 1."""
    loop, stream = streaming()
    loop.advance(ring(300))
    loop.test()
    stream.let_items_in()
    histories = loop.recent_users
    assert histories is not None
    histories = histories.rows(np.arange(5))
    lists = stream.lists(histories, 8, mask_history=mask_history)
    for place in range(8):
        ranks = stream.rank(histories, lists[:, place], mask_history=mask_history)
        assert ranks.tolist() == [place + 1] * 5
