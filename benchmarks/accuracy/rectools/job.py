"""RecTools' models on a trial: `python -m benchmarks.accuracy.rectools.job MODEL FOLDER`."""

import argparse
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from pytorch_lightning import seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, PopularModel, SASRecModel
from rectools.models.nn.transformers.ligr import LiGRLayers

from benchmarks.accuracy.baseline_process import Stopwatch, Trial
from benchmarks.accuracy.exchange import Questions, Sequences, SharedScores, VectorScores
from benchmarks.accuracy.learning import learn

TRANSFORMERS: Final = {"sasrec": SASRecModel, "bert4rec": BERT4RecModel}
LAYERS: Final = {"ligr": LiGRLayers}
CHECKED: Final = 200
"""Validation questions for which RecTools' own list is compared with that of our scores."""
LIST: Final = 10
MOST_EPOCHS: Final = 1_000_000
"""A checkpoint of a later epoch cannot be loaded. Learning ends by itself."""


def interactions(sequences: Sequences, users: npt.NDArray[np.int64]) -> Dataset:
    """Return sequences as RecTools wants them; only the order of their times matters."""
    lengths = sequences.lengths
    places = np.arange(len(sequences.items)) - np.repeat(sequences.ends - lengths, lengths)
    return Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: users[sequences.rows],
                Columns.Item: sequences.items,
                Columns.Weight: 1.0,
                Columns.Datetime: pd.to_datetime(places, unit="s"),
            }
        )
    )


def popular(trial: Trial) -> None:
    """Answer by how many users clicked each item."""
    task = trial.task
    with Stopwatch() as watch:
        valid = popularity(task.learned, task.item_count)
        test = valid if task.relearned is None else popularity(task.relearned, task.item_count)
    trial.answer(
        SharedScores(valid, len(task.valid)),
        SharedScores(test, len(task.test)),
        watch.report(),
    )


def popularity(sequences: Sequences, item_count: int) -> npt.NDArray[np.float32]:
    """Return the model's score of each item, float32 [N]."""
    dataset = interactions(sequences, np.arange(len(sequences)))
    model = PopularModel()
    model.fit(dataset)
    items, scores = model.popularity_list
    values = np.zeros(item_count, np.float32)
    values[dataset.item_id_map.convert_to_external(items)] = scores
    return values


class Transformer:
    """A transformer of RecTools that learns epoch by epoch.

    Parameters
    ----------
    name
        Of `TRANSFORMERS`.
    trial
        Gives settings, seed and catalogue.
    sequences
        To learn from.
    """

    def __init__(self, name: str, trial: Trial, sequences: Sequences) -> None:
        seed_everything(trial.seed, verbose=False)
        self.kind = TRANSFORMERS[name]
        settings = dict(trial.settings)
        if (layers := settings.pop("layers", None)) is not None:
            settings["transformer_layers_type"] = LAYERS[layers]
        self.model = self.kind(verbose=0, deterministic=True, epochs=MOST_EPOCHS, **settings)
        self.seed = trial.seed
        self.item_count = trial.task.item_count
        self.dataset = interactions(sequences, np.arange(len(sequences)))
        self.positions = self._positions(sequences.lengths)

    def epoch(self, number: int) -> int:
        """Learn from all sequences once; return how many positions had a loss."""
        seed_everything(self.seed * 100_003 + number, verbose=False)
        self.model.fit_partial(self.dataset, min_epochs=1, max_epochs=1)
        return self.positions

    def scores(self, questions: Questions) -> VectorScores:
        """Return the model's vectors; a user of whom it knows no item gets a zero vector."""
        model = self.model
        preparator = model.data_preparator
        dataset = preparator.transform_dataset_u2i(
            interactions(questions.histories, questions.users), questions.users
        )
        vectors, items = model.lightning_model._get_user_item_embeddings(  # noqa: SLF001 -- there is no public way to the vectors
            preparator.get_dataloader_recommend(dataset, model.recommend_batch_size), "cpu"
        )
        d = vectors.shape[1]
        users = np.zeros((len(questions), d), np.float32)
        asked = dataset.user_id_map.get_external_sorted_by_internal()
        users[np.searchsorted(questions.users, asked)] = vectors.numpy()
        table = np.zeros((self.item_count, d), np.float32)
        known = np.zeros(self.item_count, np.bool_)
        ids = preparator.get_known_item_ids().astype(np.int64)
        table[ids] = items.numpy()[preparator.n_item_extra_tokens :]
        known[ids] = True
        return VectorScores(users, table, known)

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        self.model.fit_trainer.save_checkpoint(path)

    def load(self, path: Path) -> None:
        """Read a checkpoint."""
        self.model = self.kind.load_from_checkpoint(path)

    def _positions(self, lengths: npt.NDArray[np.int64]) -> int:
        """Return how many positions have a loss in an epoch (BERT4Rec masks some at random)."""
        longest = int(self.model.session_max_len)
        lengths = lengths[lengths >= self.model.train_min_user_interactions]
        if isinstance(self.model, BERT4RecModel):
            return round(float(np.minimum(lengths, longest).sum()) * float(self.model.mask_prob))
        return int((np.minimum(lengths, longest + 1) - 1).sum())


def agreement(learner: Transformer, trial: Trial) -> float:
    """Return the share of RecTools' own recommendations that our use of its vectors gives too."""
    valid = trial.task.valid
    questions = valid.take(np.arange(min(CHECKED, len(valid))))
    dataset = interactions(questions.histories, questions.users)
    own = learner.model.recommend(
        dataset.user_id_map.external_ids, dataset, k=LIST, filter_viewed=True
    )
    lists: dict[int, set[int]] = {
        int(user): set(group[Columns.Item]) for user, group in own.groupby(Columns.User)
    }
    scores = learner.scores(questions).block(0, len(questions))
    found, wanted = 0, 0
    for row, user in enumerate(questions.users):
        scores[row, questions.histories[row]] = -np.inf
        best = set(np.argsort(-scores[row], kind="stable")[:LIST].tolist())
        listed = lists.get(int(user), set())
        found += len(best & listed)
        wanted += len(listed)
    return found / max(wanted, 1)


def main() -> None:
    """Do the trial in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=("popular", *TRANSFORMERS))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", message=".*considered cold.*")
    trial = Trial.load(arguments.folder)
    if arguments.model == "popular":
        popular(trial)
        return
    learners: list[Transformer] = []

    def make(sequences: Sequences) -> Transformer:
        learners.append(Transformer(arguments.model, trial, sequences))
        return learners[-1]

    def facts() -> dict[str, Any]:
        share = agreement(learners[-1], trial)
        if share < 0.99:
            raise RuntimeError(f"only {share:.1%} of RecTools' lists agree with our scores of it")
        return {"agreement": share, "threads": torch.get_num_threads()}

    learn(trial, make, facts)


if __name__ == "__main__":
    main()
