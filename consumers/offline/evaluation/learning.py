"""Learning of one seed's encoders: pass after pass until validation stops improving; resumable."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from consumers.errors import ArtifactError
from consumers.runtime.outputs import written_aside
from consumers.runtime.progress import Progress, ProgressCallback
from consumers.runtime.usage import process_usage
from gsr.config import RANKING_SETTINGS, BatchConfig, ModelConfig
from gsr.learning.batch_learner import BatchLearner
from gsr.network.model import JointModel
from gsr.network.snapshot import decode_tensors, encode_tensors
from gsr.quality.protocols import Split
from gsr.quality.ranking_metrics import metric_means

SELECTED_BY: Final = "ndcg@10"
"""Validation's metric, of the encoders alone, that chooses when they stop learning."""

_STATE: Final = "state."
_BEST: Final = "best."
_DOCUMENT: Final = "learning"


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRules:
    """Limits at which learning ends.

    Parameters
    ----------
    patience
        Passes without a better validation after which it ends.
    most_passes
        Passes after which it ends anyway.
    seconds
        Of processor time, after which it ends at the end of a pass; None: no limit.
    """

    patience: int = 20
    most_passes: int = 200
    seconds: float | None = None


@dataclass(slots=True)
class LearningRecord:
    """Progress of one seed.

    Parameters
    ----------
    passes
        Passes so far.
    best_pass
        The pass after which validation was best, from 1; 0 before the first.
    best
        Validation's metric then.
    seconds, cpu_seconds
        Spent on it, earlier processes included.
    """

    passes: int = 0
    best_pass: int = 0
    best: float = -1.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class SeedLearning:
    """Learns one seed's encoders on a split, keeping a file from which it goes on after a stop.

    Parameters
    ----------
    split
        What is learned, and what selects.
    model, batch
        Settings.
    seed
        Of everything random.
    rules
        When to end.
    mask_seen
        Whether rankings leave out what the user has seen.
    device
        Where to learn and score.
    kept
        The file; None: none is kept, and a stop loses all.
    borrowed
        Whether the file is another evaluation's, whose encoders are taken as they are.
    """

    def __init__(
        self,
        split: Split,
        model: ModelConfig,
        batch: BatchConfig,
        seed: int,
        *,
        rules: LearningRules,
        mask_seen: bool,
        device: str,
        kept: Path | None,
        borrowed: bool = False,
    ) -> None:
        self._split = split
        self._model = model
        self._batch = batch
        self._seed = seed
        self._rules = rules
        self._mask_seen = mask_seen
        self._device = device
        self._kept = kept
        self._borrowed = borrowed
        self._identity = _identity(split, model, batch, seed, mask_seen=mask_seen, device=device)
        self.record = LearningRecord()
        self._best: dict[str, Tensor] = {}

    def learn(self, progress: ProgressCallback) -> BatchLearner:
        """Learn to the end; return the learner with the weights that validation chose.

        Raises
        ------
        ArtifactError
            Encoders are to be borrowed that are not there, not learned to the end, or of other
            clicks or settings.
        """
        learner = self._learner(self._split.valid.learned_ends)
        if learner.has_encoders:
            resumed = self._resume(learner)
            if self._borrowed:
                self._check_borrowed(resumed=resumed)
            while not self._is_over():
                self._one_pass(learner, progress)
                self._save(learner)
            learner.load_weights(self._best)
        return learner

    def learn_again(self, progress: ProgressCallback) -> BatchLearner:
        """Learn what the test may learn from, afresh, for as many passes as were chosen."""
        learner = self._learner(self._split.test.learned_ends)
        for number in range(1, self.record.best_pass + 1):
            with self.timed():
                learner.learn_once()
            progress(
                Progress(
                    stage=f"seed {self._seed}: learning again",
                    done=number,
                    total=self.record.best_pass,
                )
            )
        return learner

    def _learner(self, ends: npt.NDArray[np.int64]) -> BatchLearner:
        model = JointModel(self._model, self._seed)
        return BatchLearner(
            model, self._batch, self._split.interactions, ends, self._seed, self._device
        )

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add what happens inside to the record's time."""
        began, cpu = time.monotonic(), process_usage().cpu_seconds
        yield
        self.record.seconds += time.monotonic() - began
        self.record.cpu_seconds += process_usage().cpu_seconds - cpu

    def _one_pass(self, learner: BatchLearner, progress: ProgressCallback) -> None:
        record, cases = self.record, self._split.valid.cases
        with self.timed():
            passed = learner.learn_once()
            ranks = learner.ranks(cases, mask_seen=self._mask_seen)
        found = metric_means(ranks)[SELECTED_BY]
        record.passes += 1
        if found > record.best:
            record.best, record.best_pass = found, record.passes
            self._best = learner.weights()
        progress(
            Progress(
                stage=f"seed {self._seed}: learning",
                done=record.passes,
                total=0,
                note=(
                    f"loss {passed.loss:.3f}, {SELECTED_BY} {found:.4f}, "
                    f"best {record.best:.4f} after {record.best_pass}"
                ),
            )
        )

    def _save(self, learner: BatchLearner) -> None:
        if self._kept is None:
            return
        tensors, document = learner.state()
        named = {_STATE + name: tensor for name, tensor in tensors.items()}
        named |= {_BEST + name: tensor for name, tensor in self._best.items()}
        told = {"identity": self._identity, "record": asdict(self.record), "learner": document}
        with written_aside(self._kept) as aside:
            aside.write_bytes(encode_tensors(named | {_DOCUMENT: _as_tensor(told)}))

    def _resume(self, learner: BatchLearner) -> bool:
        """Go on from the file; return whether there is one of this very learning."""
        if self._kept is None:
            return False
        try:
            tensors = decode_tensors(self._kept.read_bytes())
        except FileNotFoundError:
            return False
        told = json.loads(bytes(tensors.pop(_DOCUMENT).numpy()))
        if told["identity"] != self._identity:
            return False
        learner.restore(_with_prefix(tensors, _STATE), told["learner"])
        self._best = _with_prefix(tensors, _BEST)
        self.record = LearningRecord(**told["record"])
        return True

    def _check_borrowed(self, *, resumed: bool) -> None:
        if self._kept is None or not self._kept.exists():
            raise ArtifactError(
                f"{self._kept}: there are no encoders of seed {self._seed}: evaluate with this "
                "seed and without --encoders first"
            )
        if not resumed:
            raise ArtifactError(
                f"{self._kept}: these encoders learned other clicks, or with another seed, mask or "
                "settings; only --ranker and these may differ: "
                f"{', '.join(sorted(RANKING_SETTINGS))}"
            )
        if not self._is_over():
            raise ArtifactError(
                f"{self._kept}: these encoders are not learned to the end, after "
                f"{self.record.passes} passes: finish that evaluation, or give its --minutes and "
                "--patience here too"
            )

    def _is_over(self) -> bool:
        record, rules = self.record, self._rules
        return (
            record.passes - record.best_pass >= rules.patience
            or record.passes >= rules.most_passes
            or (rules.seconds is not None and record.cpu_seconds >= rules.seconds)
        )


def _with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}


def _as_tensor(document: Mapping[str, Any]) -> Tensor:
    return torch.from_numpy(np.frombuffer(json.dumps(document).encode(), np.uint8).copy())


def _identity(
    split: Split,
    model: ModelConfig,
    batch: BatchConfig,
    seed: int,
    *,
    mask_seen: bool,
    device: str,
) -> str:
    """Return a digest of everything that the encoders depend on."""
    digest = hashlib.sha256()
    settings = asdict(model) | asdict(batch)
    others = RANKING_SETTINGS
    if not model.graph_encoder:
        others |= {"window_weights"}  # of a graph that nothing reads
    read = {name: value for name, value in settings.items() if name not in others}
    told = {"seed": seed, "mask_seen": mask_seen, "device": device, "settings": read}
    digest.update(json.dumps(told, sort_keys=True).encode())
    clicks, stage = split.interactions, split.valid
    for column in (clicks.starts, clicks.items, clicks.times, clicks.events, stage.learned_ends):
        digest.update(column.tobytes())
    digest.update(stage.cases.positions.tobytes())
    return digest.hexdigest()
