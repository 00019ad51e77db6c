"""Limits of numeric settings."""

from dataclasses import replace
from typing import Any

import pytest

from gsr.config import BatchConfig, ModelConfig
from gsr.limits import MOST_SEED
from gsr.ranker.config import RankerConfig, RankerLearning


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        (ModelConfig(), "blocks", 0),
        (ModelConfig(), "dropout", 1.0),
        (ModelConfig(), "first_weights", float("nan")),
        (RankerConfig(), "listed", 0),
        (RankerConfig(), "new_item_boost", 0.0),
        (RankerLearning(), "block", 0),
        (RankerLearning(), "holdout", -0.1),
        (RankerLearning(), "seed", MOST_SEED + 1),
        (BatchConfig(), "average_decay", 1.5),
        (BatchConfig(), "nearest", 0),
    ],
)
def test_a_number_outside_of_its_limits_is_refused(config: Any, name: str, value: float) -> None:
    """The message names the setting, its value, and what it may be."""
    with pytest.raises(ValueError, match=rf"{name} is {value}: give a number from .* to"):
        replace(config, **{name: value})


def test_both_limits_are_allowed() -> None:
    assert ModelConfig(dropout=0.0).dropout == 0.0
    assert RankerLearning(seed=MOST_SEED).seed == MOST_SEED
    assert BatchConfig(nearest=1000).nearest == 1000
