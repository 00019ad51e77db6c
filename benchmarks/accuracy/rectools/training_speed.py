"""RecTools' part of `benchmarks.accuracy.training_speed`, which prepares the folder."""

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools.models import SASRecModel

from benchmarks.accuracy.exchange import Sequences
from benchmarks.accuracy.measuring import SETTINGS_NAME
from benchmarks.accuracy.rectools.job import interactions


class Steps(Callback):  # type: ignore[misc]  # the library is not in our environment
    """Counts positions that have a loss, after the first steps.

    Parameters
    ----------
    warm_up
        How many steps do not count, at least 1: the last of them starts the clock.
    """

    def __init__(self, warm_up: int) -> None:
        self.steps = -warm_up
        self.positions = 0
        self.began = self.ended = 0.0

    def on_train_batch_end(self, *called: Any) -> None:
        """Note the step that ended."""
        _trainer, _module, _outputs, batch, _number = called
        self.ended = time.perf_counter()
        self.steps += 1
        if self.steps <= 0:
            self.began = self.ended
        else:
            self.positions += int((batch["y"] != 0).sum())

    def answer(self) -> dict[str, Any]:
        """Return what was found as JSON values."""
        return {
            "positions_per_second": self.positions / (self.ended - self.began),
            "positions_per_step": self.positions / self.steps,
            "steps": self.steps,
            "threads": torch.get_num_threads(),
        }


def measure(sequences: Sequences, settings: dict[str, Any], warm_up: int, steps: int) -> Steps:
    """Have RecTools learn for so many steps; return what it counted."""
    seed_everything(0, verbose=False)

    def trainer() -> Any:
        return Trainer(
            accelerator="cpu",
            max_epochs=-1,
            max_steps=warm_up + steps,
            callbacks=[Steps(warm_up)],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    model = SASRecModel(get_trainer_func=trainer, **settings)
    model.fit(interactions(sequences, np.arange(len(sequences))))
    # Learned with a copy of the trainer, and so of what counts.
    (counted,) = [one for one in model.fit_trainer.callbacks if isinstance(one, Steps)]
    return counted


def main() -> None:
    """Read the arguments, measure, answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--warm-up", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    settings = json.loads((arguments.folder / SETTINGS_NAME).read_text())
    sequences = Sequences.load(arguments.folder, "learned")
    counted = measure(sequences, settings, arguments.warm_up, arguments.steps)
    print(json.dumps(counted.answer()))


if __name__ == "__main__":
    main()
