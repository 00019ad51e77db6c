"""What our process and a baseline's exchange: arrays and JSON in a folder. Imports numpy only.

The folder ``task/`` says what may be learned and what is asked. It holds no test targets, so that
nothing can be chosen by them. A trial's own folder holds ``trial.json`` (settings, seed, minutes)
and takes the answer: scores for all questions, and ``report.json`` when all is done.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self

import numpy as np
import numpy.typing as npt

BLOCK_BYTES: Final = 64 * 1024 * 1024
"""Dense scores that are held at once."""

VALID: Final = "valid"
TEST: Final = "test"


@dataclass(frozen=True, slots=True)
class Sequences:
    """Item sequences, one after the other.

    Parameters
    ----------
    items
        int64 [n].
    ends
        int64 [m], where each sequence ends; it begins where the one before ends.
    """

    items: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> npt.NDArray[np.int64]:
        return self.items[self.ends[row - 1] if row else 0 : self.ends[row]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """int64 [m]."""
        return np.diff(self.ends, prepend=0)

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """int64 [n], the sequence that each item belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)

    def take(self, rows: npt.NDArray[np.int64]) -> "Sequences":
        """Return some of the sequences, in the order of `rows`."""
        lengths = self.lengths[rows]
        ends = np.cumsum(lengths)
        firsts = self.ends[rows] - lengths
        places = np.arange(int(lengths.sum())) + np.repeat(firsts - (ends - lengths), lengths)
        return Sequences(self.items[places], ends)

    def save(self, folder: Path, name: str) -> None:
        """Write both arrays."""
        np.save(folder / f"{name}.items.npy", self.items)
        np.save(folder / f"{name}.ends.npy", self.ends)

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        """Read what `save` wrote."""
        return cls(np.load(folder / f"{name}.items.npy"), np.load(folder / f"{name}.ends.npy"))


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked: the next item of m users.

    Parameters
    ----------
    users
        int64 [m], ascending.
    histories
        m sequences.
    targets
        int64 [m], the answers; None for the test.
    """

    users: npt.NDArray[np.int64]
    histories: Sequences
    targets: npt.NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: npt.NDArray[np.int64]) -> "Questions":
        """Return some of the questions."""
        targets = None if self.targets is None else self.targets[rows]
        return Questions(self.users[rows], self.histories.take(rows), targets)

    def save(self, folder: Path, name: str) -> None:
        """Write all arrays there are."""
        np.save(folder / f"{name}.users.npy", self.users)
        self.histories.save(folder, f"{name}.histories")
        if self.targets is not None:
            np.save(folder / f"{name}.targets.npy", self.targets)

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        """Read what `save` wrote."""
        targets = folder / f"{name}.targets.npy"
        return cls(
            np.load(folder / f"{name}.users.npy"),
            Sequences.load(folder, f"{name}.histories"),
            np.load(targets) if targets.exists() else None,
        )


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be learned and predicted.

    Parameters
    ----------
    item_count
        N.
    learned
        One sequence for each of U users, maybe empty: what may be learned from.
    relearned
        The same before the test, where the chosen model is to learn once more from more clicks;
        None: the model that was validated is tested.
    valid, test
        The questions.
    """

    item_count: int
    learned: Sequences
    relearned: Sequences | None
    valid: Questions
    test: Questions

    def save(self, folder: Path) -> None:
        """Write everything; ``task.json`` comes last, so a folder that has it is whole."""
        if self.test.targets is not None:
            raise ValueError("the test's targets must not be given away")
        folder.mkdir(parents=True, exist_ok=True)
        self.learned.save(folder, "learned")
        if self.relearned is not None:
            self.relearned.save(folder, "relearned")
        self.valid.save(folder, VALID)
        self.test.save(folder, TEST)
        head = {"item_count": self.item_count, "relearned": self.relearned is not None}
        write_json(folder / "task.json", head)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        head = json.loads((folder / "task.json").read_text())
        return cls(
            item_count=head["item_count"],
            learned=Sequences.load(folder, "learned"),
            relearned=Sequences.load(folder, "relearned") if head["relearned"] else None,
            valid=Questions.load(folder, VALID),
            test=Questions.load(folder, TEST),
        )


class Scores(Protocol):
    """Scores of all N items for m questions."""

    def __len__(self) -> int: ...

    def block(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Return the scores of some questions, float32 [stop - start, N]."""

    def save(self, folder: Path, name: str) -> None:
        """Write them, to be read by `load_scores`."""


@dataclass(frozen=True, slots=True)
class VectorScores:
    """Scores that are products of vectors.

    Parameters
    ----------
    users
        float32 [m, d].
    items
        float32 [N, d].
    known
        bool [N], which items the model can score; others come last.
    """

    users: npt.NDArray[np.float32]
    items: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.users)

    def block(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Return the scores of some questions, float32 [stop - start, N]."""
        scores: npt.NDArray[np.float32] = self.users[start:stop] @ self.items.T
        scores[:, ~self.known] = -np.inf
        return scores

    def save(self, folder: Path, name: str) -> None:
        """Write the vectors."""
        _save(folder, name, users=self.users, items=self.items, known=self.known)


@dataclass(frozen=True, slots=True)
class SparseScores:
    """Scores of a few items per question; the others score 0.

    Parameters
    ----------
    ends
        int64 [m], where each question's entries end.
    places
        int32 [n], items.
    values
        float32 [n].
    item_count
        N.
    """

    ends: npt.NDArray[np.int64]
    places: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    item_count: int

    def __len__(self) -> int:
        return len(self.ends)

    def block(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Return the scores of some questions, float32 [stop - start, N]."""
        scores = np.zeros((stop - start, self.item_count), np.float32)
        first = self.ends[start - 1] if start else 0
        last = self.ends[stop - 1]
        lengths = np.diff(self.ends[start:stop], prepend=first)
        rows = np.repeat(np.arange(stop - start), lengths)
        scores[rows, self.places[first:last]] = self.values[first:last]
        return scores

    def save(self, folder: Path, name: str) -> None:
        """Write the entries."""
        count = np.array(self.item_count)
        _save(
            folder, name, ends=self.ends, places=self.places, values=self.values, item_count=count
        )


@dataclass(frozen=True, slots=True)
class SharedScores:
    """The same scores for every question.

    Parameters
    ----------
    values
        float32 [N].
    questions
        m.
    """

    values: npt.NDArray[np.float32]
    questions: int

    def __len__(self) -> int:
        return self.questions

    def block(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Return the scores of some questions, float32 [stop - start, N]."""
        return np.tile(self.values, (stop - start, 1))

    def save(self, folder: Path, name: str) -> None:
        """Write the scores."""
        _save(folder, name, values=self.values, questions=np.array(self.questions))


def load_scores(folder: Path, name: str) -> Scores:
    """Read what a `save` of scores wrote."""
    with np.load(folder / f"{name}.npz", allow_pickle=False) as found:
        if "users" in found:
            return VectorScores(found["users"], found["items"], found["known"])
        if "places" in found:
            return SparseScores(
                found["ends"], found["places"], found["values"], int(found["item_count"])
            )
        return SharedScores(found["values"], int(found["questions"]))


def blocks(scores: Scores, item_count: int) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Yield where a block of dense scores begins, and the block."""
    size = max(1, BLOCK_BYTES // (4 * item_count))
    for start in range(0, len(scores), size):
        yield start, scores.block(start, min(start + size, len(scores)))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write aside, then rename."""
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(value, indent=2) + "\n")
    aside.replace(path)


def _save(folder: Path, name: str, **arrays: npt.NDArray[Any]) -> None:
    aside = folder / f"{name}.new.npz"
    np.savez(aside, allow_pickle=False, **arrays)
    aside.replace(folder / f"{name}.npz")
