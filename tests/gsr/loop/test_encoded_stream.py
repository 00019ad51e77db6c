"""A ranker over encoders that stand still learns what they are worth, and moves none of them."""

from dataclasses import replace

import numpy as np
import torch

from gsr.loop.encoded_stream import EncodedStream
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import Mirror
from gsr.network.model import JointModel
from gsr.ranker.config import RankerConfig
from gsr.ranker.features import GROUPS
from tests.gsr.loop.world import ENCODERS, LEARNER, MODEL, OPTIONS, ring


def _loop(shape: RankerConfig = MODEL) -> tuple[LearningLoop, EncodedStream]:
    """Return a loop that tests and learns a stream over encoders."""
    made: list[EncodedStream] = []

    def make(mirror: Mirror) -> EncodedStream:
        stream = EncodedStream(shape, LEARNER, mirror, mask_seen=True)
        stream.serve(JointModel(ENCODERS, 0))
        made.append(stream)
        return stream

    loop = LearningLoop(OPTIONS, stream_of=make)
    return loop, made[0]


def _through(loop: LearningLoop, first: int, last: int) -> None:
    clicks = ring(last)
    for start in range(first, last, 50):
        loop.advance(clicks.slice(start, start + 50))
        loop.test()
        loop.learn()


def test_it_learns_to_rank_and_moves_no_encoder() -> None:
    loop, stream = _loop()
    assert stream.vectors is not None
    before = [p.clone() for p in stream.vectors.model.network.parameters()]
    _through(loop, 0, 800)
    after = stream.vectors.model.network.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert loop.quality.overall.means(0)["hr@5"] > 0.6
    assert len(stream.item_vectors()) == loop.mirror.items


def test_what_the_encoders_know_is_learned_to_be_used() -> None:
    """Where nothing else is told of candidates, vectors that tell the next item raise it."""
    found = []
    for telling in (False, True):
        loop, stream = _loop(replace(MODEL, without=GROUPS, kept=30))
        _through(loop, 0, 100)
        if telling:
            stream.serve(_telling(loop))
        _through(loop, 100, 600)
        found.append(loop.quality.overall.means(0)["hr@5"])
    assert found[1] > found[0] + 0.15


def _telling(loop: LearningLoop) -> JointModel:
    """Return encoders whose product of item i with item i + 1 is the largest."""
    model = JointModel(ENCODERS, 0)
    model.grow(loop.mirror.graph())
    ids = [int((name or "i0")[1:]) for name in loop.mirror.item_ids]
    angles = 2.0 * np.pi * np.array(ids) / 30.0
    rows = np.zeros((len(ids), ENCODERS.dimension), np.float32)
    rows[:, 0], rows[:, 1] = 3.0 * np.cos(angles), 3.0 * np.sin(angles)
    model.table.seed(torch.arange(len(ids)), torch.from_numpy(rows))
    return model


def test_before_the_first_encoders_the_counters_rank() -> None:
    loop = LearningLoop(
        OPTIONS, stream_of=lambda mirror: EncodedStream(MODEL, LEARNER, mirror, mask_seen=True)
    )
    _through(loop, 0, 800)
    assert loop.quality.overall.means(0)["hr@5"] > 0.6


def test_items_that_leave_are_forgotten_by_the_encoders_too() -> None:
    loop, stream = _loop()
    _through(loop, 0, 200)
    assert stream.vectors is not None
    before = stream.item_vectors().copy()
    stream.renew(np.array([2]))
    changed = np.flatnonzero((stream.item_vectors() != before).any(axis=1))
    assert changed.tolist() == [2]
