"""What `metrics.json` says of quality: the model beside the best baseline of each kind."""

import numpy as np
import pytest

from gsr.loop.learning_loop import LearningLoop
from gsr.loop.quality_document import choose_baselines, quality_document
from gsr.quality.ranking_metrics import METRICS
from tests.gsr.loop.world import loop_of

FLAGS = {"new_users": np.array([True, False]), "new_items": np.array([False, False])}


def measured(joint: int, ranks: dict[str, int], warmup: dict[str, int]) -> LearningLoop:
    """Return a loop that has tested two clicks an hour apart; other baselines ranked 50th."""
    loop = loop_of()
    names = loop.baselines.names
    row = [joint, *(ranks.get(name, 50) for name in names)]
    loop.quality.add(np.array([0.0, 3600.0]), np.array([row, row], dtype=np.int32), **FLAGS)
    if warmup:
        early = np.array([[warmup.get(name, 50) for name in names]] * 2, dtype=np.int32)
        loop.warmup_quality.add(np.zeros(2), early, **FLAGS)
    return loop


BEST = {"popularity@86400": 2, "graph@3600": 3}
EARLY = {"popularity@3600": 1, "graph@86400": 1}


@pytest.mark.parametrize(
    ("choice", "warmup", "expected"),
    [
        ("best", EARLY, {"popularity": "popularity@86400", "graph": "graph@3600"}),
        ("warmup", EARLY, {"popularity": "popularity@3600", "graph": "graph@86400"}),
        ("warmup", {}, {"popularity": "popularity@86400", "graph": "graph@3600"}),
    ],
)
def test_baselines_are_chosen_over_the_test_or_the_warmup(
    choice: str, warmup: dict[str, int], expected: dict[str, str]
) -> None:
    """By mean reciprocal rank; without a warm-up over the test."""
    loop = measured(1, BEST, warmup)
    assert choose_baselines(loop, choice) == {"joint": "joint", **expected}  # type: ignore[arg-type]  # one of the two


def test_overall_slices_and_windows_show_the_same_models() -> None:
    """Each with every metric; windows by their time, slices with what they are."""
    loop = measured(5, BEST, {})
    document = quality_document(loop, choose_baselines(loop))
    shown = [document["overall"], *document["slices"].values(), *document["windows"]]
    for block in shown:
        for model in ("joint", "popularity", "graph"):
            assert set(block[model]) == set(METRICS)
    assert document["overall"]["joint"]["hr@5"] == 1.0
    assert document["overall"]["graph"]["mrr@20"] == pytest.approx(1 / 3)
    assert [(w["start"], w["end"], w["scored"]) for w in document["windows"]] == [
        (0.0, 3600.0, 1),
        (3600.0, 7200.0, 1),
    ]
    assert {name: part["scored"] for name, part in document["slices"].items()} == {
        "new_users": 1,
        "new_items": 0,
    }
    assert set(document["slice_rules"]) == {"new_users", "new_items"}


def test_the_grid_of_baselines_is_told_whole() -> None:
    """Every kind at every half-life, over test and warm-up, and which half-lives were best."""
    loop = measured(5, BEST, EARLY)
    baselines = quality_document(loop, choose_baselines(loop))["baselines"]
    half_lives = {"3600", "86400"}
    for grid in (baselines["grid"], baselines["warmup_grid"]):
        assert {kind: set(lives) for kind, lives in grid.items()} == {
            "popularity": half_lives,
            "graph": half_lives,
            "mix": half_lives,
        }
    assert baselines["warmup_scored"] == 2
    assert baselines["popularity"] == {
        "half_life_seconds": 86_400.0,
        "best_on_warmup_half_life_seconds": 3600.0,
    }
    assert baselines["grid"]["graph"]["3600"]["mrr@20"] == pytest.approx(1 / 3)
