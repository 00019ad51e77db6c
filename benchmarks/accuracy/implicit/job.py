"""Item-kNN of implicit on a trial: `python -m benchmarks.accuracy.implicit.job FOLDER`."""

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from implicit.nearest_neighbours import (
    BM25Recommender,
    CosineRecommender,
    ItemItemRecommender,
    TFIDFRecommender,
)
from scipy.sparse import csr_matrix

from benchmarks.accuracy.baseline_process import Stopwatch, Trial
from benchmarks.accuracy.exchange import Questions, Sequences, SparseScores

WEIGHTINGS: Final = {
    "cosine": CosineRecommender,
    "tf-idf": TFIDFRecommender,
    "bm25": BM25Recommender,
}
CHECKED: Final = 50
"""Questions for which implicit's own list is compared with our product of its matrices."""
LIST: Final = 10


def clicks(sequences: Sequences, item_count: int, decay: float) -> csr_matrix:
    """Return what each sequence's items count, [m, N]; `decay` ** steps back from the newest."""
    steps = np.repeat(sequences.ends, sequences.lengths) - 1 - np.arange(len(sequences.items))
    shape = (len(sequences), item_count)
    return csr_matrix((decay ** steps.astype(float), (sequences.rows, sequences.items)), shape)


def fit(sequences: Sequences, item_count: int, settings: dict[str, Any]) -> ItemItemRecommender:
    """Return the fitted model; all clicks count alike in it."""
    model = WEIGHTINGS[settings["weighting"]](K=settings["neighbours"], num_threads=1)
    model.fit(clicks(sequences, item_count, 1.0), show_progress=False)
    return model


def scores(model: ItemItemRecommender, questions: Questions, decay: float) -> SparseScores:
    """Score all items for every question.

    Raises
    ------
    RuntimeError
        The best items are not those that implicit recommends.
    """
    item_count = model.similarity.shape[0]
    histories = clicks(questions.histories, item_count, decay)
    found = (histories @ model.similarity).tocsr()
    rows = np.arange(min(CHECKED, len(questions)))
    _, own = model.recommend(rows, histories[rows], N=LIST, filter_already_liked_items=False)
    ours = -np.sort(-found[rows].toarray(), axis=1)[:, :LIST]
    listed = own > np.finfo(np.float64).min
    if not np.allclose(np.where(listed, own, 0.0), ours, rtol=1e-6, atol=1e-9):
        raise RuntimeError("implicit's own lists do not agree with the product of its matrices")
    return SparseScores(
        found.indptr[1:].astype(np.int64),
        found.indices.astype(np.int32),
        _single(found.data),
        item_count,
    )


def _single(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return values.astype(np.float32)


def main() -> None:
    """Do the trial in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    trial = Trial.load(parser.parse_args().folder)
    task, settings = trial.task, dict(trial.settings)
    with Stopwatch() as watch:
        model = fit(task.learned, task.item_count, settings)
        valid = scores(model, task.valid, settings["decay"])
        if task.relearned is not None:
            model = fit(task.relearned, task.item_count, settings)
        test = scores(model, task.test, settings["decay"])
    trial.answer(valid, test, watch.report())


if __name__ == "__main__":
    main()
