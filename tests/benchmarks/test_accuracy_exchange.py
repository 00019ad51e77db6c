"""Baselines get what may be learned, no more, and their scores come back as they were."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.accuracy.baseline_process import mean_ndcg
from benchmarks.accuracy.baseline_trials import task_of
from benchmarks.accuracy.exchange import (
    Questions,
    Scores,
    Sequences,
    SharedScores,
    SparseScores,
    Task,
    VectorScores,
    blocks,
    load_scores,
)
from gsr.counters.interactions import Interactions, gather_interactions
from gsr.quality.protocols import leave_one_out, temporal
from gsr.quality.ranking_metrics import METRICS, metric_values
from gsr.ranking.case_ranking import rank_cases


def clicks(users: int = 40, items: int = 30, seed: int = 0) -> Interactions:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, users)
    count = int(lengths.sum())
    return gather_interactions(
        np.repeat(np.arange(users), lengths),
        rng.integers(0, items, count),
        rng.integers(0, 1000, count).astype(float),
        np.zeros(count, np.uint8),
        user_count=users,
        item_count=items,
    )


def listed(sequences: Sequences) -> list[list[int]]:
    return [sequences[row].tolist() for row in range(len(sequences))]


def test_sequences_are_taken_in_any_order() -> None:
    sequences = Sequences(np.array([4, 5, 6, 7, 8]), np.array([2, 2, 5]))
    assert listed(sequences.take(np.array([2, 0, 1]))) == [[6, 7, 8], [4, 5], []]
    assert sequences.rows.tolist() == [0, 0, 2, 2, 2]


def test_a_task_is_read_as_it_was_written(tmp_path: Path) -> None:
    task = task_of(temporal(clicks()))
    task.save(tmp_path)
    found = Task.load(tmp_path)
    assert found.item_count == task.item_count
    assert task.relearned is not None
    assert found.relearned is not None
    for ours, theirs in (
        (task.learned, found.learned),
        (task.relearned, found.relearned),
        (task.valid.histories, found.valid.histories),
        (task.test.histories, found.test.histories),
    ):
        assert listed(ours) == listed(theirs)


def test_a_task_tells_no_answer_of_the_test(tmp_path: Path) -> None:
    split = leave_one_out(clicks())
    task = task_of(split)
    task.save(tmp_path)
    assert Task.load(tmp_path).test.targets is None
    interactions = split.interactions
    longest = np.zeros(interactions.user_count, np.int64)
    longest[task.valid.users] = task.valid.histories.lengths
    tested = split.test.cases
    assert (task.learned.lengths[tested.users] < interactions.lengths[tested.users] - 1).all()
    assert (task.test.histories.lengths == interactions.lengths[tested.users] - 1).all()
    with pytest.raises(ValueError, match="must not be given away"):
        Task(task.item_count, task.learned, None, task.valid, task.valid).save(tmp_path)


def test_what_is_learned_ends_before_what_is_asked() -> None:
    task = task_of(leave_one_out(clicks()))
    for row, user in enumerate(task.valid.users):
        assert listed(task.learned)[user] == listed(task.valid.histories)[row]
        assert task.valid.targets is not None
        asked = [*listed(task.valid.histories)[row], int(task.valid.targets[row])]
        assert asked == listed(task.test.histories)[row]


def dense(scores: Scores) -> npt.NDArray[np.float32]:
    return scores.block(0, len(scores))


@pytest.mark.parametrize("kind", ["vectors", "sparse", "shared"])
def test_scores_are_read_as_they_were_written(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(1)
    known = np.array([True, True, False, True])
    every: dict[str, Scores] = {
        "vectors": VectorScores(
            rng.standard_normal((3, 2), np.float32), rng.standard_normal((4, 2), np.float32), known
        ),
        "sparse": SparseScores(
            np.array([1, 1, 3]),
            np.array([2, 0, 3], np.int32),
            np.array([0.5, 1.0, 2.0], np.float32),
            4,
        ),
        "shared": SharedScores(np.arange(4, dtype=np.float32), 3),
    }
    scores = every[kind]
    scores.save(tmp_path, "test")
    found = load_scores(tmp_path, "test")
    assert dense(found).shape == (3, 4)
    np.testing.assert_array_equal(dense(found), dense(scores))
    whole = np.concatenate([block for _, block in blocks(scores, 4)])
    np.testing.assert_array_equal(whole, dense(scores))
    np.testing.assert_array_equal(found.block(1, 3), dense(scores)[1:3])


def test_unknown_items_come_last() -> None:
    scores = VectorScores(
        np.ones((1, 2), np.float32), -np.ones((2, 2), np.float32), np.eye(2)[0] > 0
    )
    assert dense(scores).tolist() == [[-2.0, -np.inf]]


def test_sparse_scores_are_zero_elsewhere() -> None:
    scores = SparseScores(np.array([2]), np.array([3, 1], np.int32), np.ones(2, np.float32), 5)
    assert dense(scores).tolist() == [[0.0, 1.0, 0.0, 1.0, 0.0]]


def test_a_baseline_chooses_by_the_measure_that_our_evaluator_reports() -> None:
    """Rounded scores, so that there are ties."""
    split = leave_one_out(clicks(60, 25, seed=3))
    asked: Questions = task_of(split).valid
    rng = np.random.default_rng(2)
    users = np.round(rng.standard_normal((len(asked), 3)) * 2).astype(np.float32)
    items = np.round(rng.standard_normal((25, 3)) * 2).astype(np.float32)
    scores = VectorScores(users, items, np.ones(25, np.bool_))
    ranks = rank_cases(dense(scores), split.interactions, split.valid.cases)
    ours = metric_values(ranks)[:, METRICS.index("ndcg@10")].mean()
    assert mean_ndcg(scores, asked, 25) == pytest.approx(float(ours))
