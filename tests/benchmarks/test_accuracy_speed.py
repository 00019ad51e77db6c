"""What is timed is the same for everybody, and what is compared is compared exactly."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.measuring import PeakMemory, read_answer
from benchmarks.accuracy.retrieval_speed import CONTENDERS, Job, exactness, measure


def test_both_retrievals_find_the_same_lists() -> None:
    job = Job(items=300, users=20, dimension=8, k=10)
    rows, scores = job.torch(block=7)(slice(0, 20))
    ours, our_scores = job.ours(scales=0)(slice(0, 20))
    assert exactness(rows, scores, ours, our_scores)["identical_lists"] == 1.0
    np.testing.assert_allclose(scores, our_scores, atol=1e-5)
    for user in range(20):
        assert not set(rows[user]) & set(job.histories[user])


@pytest.mark.parametrize("name", CONTENDERS)
def test_a_measurement_tells_speed_and_memory(tmp_path: Path, name: str) -> None:
    sizes = argparse.Namespace(
        items=200, users=64, dimension=8, k=5, block=16, lists=tmp_path / "lists.npz"
    )
    answer = measure(name, sizes)
    assert answer["users_per_second"] > 0
    assert answer["extra_bytes"] >= 0
    with np.load(sizes.lists) as lists:
        assert lists["rows"].shape == (64, 5)


def test_peak_memory_is_what_was_added() -> None:
    size = 40 * 2**20
    with PeakMemory() as memory:
        np.ones(size, np.uint8)
    assert 0.9 * size < memory.extra < 2 * size


def test_an_answer_is_the_last_line() -> None:
    assert read_answer(b'chatter\n{"a": 1}\n') == {"a": 1}
