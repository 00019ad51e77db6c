"""The best baseline of each kind, and what is told of the others."""

import numpy as np
import pytest

from gsr.loop.baseline_choice import baselines_document, choose_baselines
from gsr.loop.learning_loop import LearningLoop
from tests.gsr.loop.world import OPTIONS


class Named:
    """Baselines of which only the names matter."""

    def __init__(self, *names: str) -> None:
        self.names = names


def measured(
    joint: int, ranks: dict[str, int], warmup: dict[str, int], baselines: Named | None = None
) -> LearningLoop:
    """Return a loop that has tested two clicks; other baselines ranked 50th."""
    loop = LearningLoop(OPTIONS, baselines=baselines)  # type: ignore[arg-type]  # see `Named`
    names = loop.baselines.names
    row = [joint, *(ranks.get(name, 50) for name in names)]
    loop.quality.add(np.array([row, row], dtype=np.int32))
    if warmup:
        early = np.array([[warmup.get(name, 50) for name in names]] * 2, dtype=np.int32)
        loop.warmup_quality.add(early)
    return loop


BEST = {"popularity@86400": 2, "graph@3600": 3, "mix@86400": 2}
EARLY = {"popularity@3600": 1, "graph@86400": 1, "mix@3600": 1}
BEST_COLUMNS = {"popularity": "popularity@86400", "graph": "graph@3600"}
EARLY_COLUMNS = {"popularity": "popularity@3600", "graph": "graph@86400"}


@pytest.mark.parametrize(
    ("choice", "warmup", "expected"),
    [
        ("best", EARLY, {**BEST_COLUMNS, "mix": "mix@86400"}),
        ("warmup", EARLY, {**EARLY_COLUMNS, "mix": "mix@3600"}),
        ("warmup", {}, {**BEST_COLUMNS, "mix": "mix@86400"}),
    ],
)
def test_baselines_are_chosen_over_the_test_or_the_warmup(
    choice: str, warmup: dict[str, int], expected: dict[str, str]
) -> None:
    """By mean reciprocal rank; without a warm-up over the test."""
    loop = measured(1, BEST, warmup)
    assert choose_baselines(loop, choice) == {"joint": "joint", **expected}  # type: ignore[arg-type]  # one of the two


def test_the_grid_of_baselines_is_told_whole() -> None:
    """Every kind at every half-life, over test and warm-up, and which half-lives were best."""
    loop = measured(5, BEST, EARLY)
    baselines = baselines_document(loop, choose_baselines(loop))
    half_lives = {"3600", "86400"}
    for grid in (baselines["grid"], baselines["warmup_grid"]):
        assert {kind: set(lives) for kind, lives in grid.items()} == {
            "popularity": half_lives,
            "graph": half_lives,
            "mix": half_lives,
        }
    assert baselines["warmup_scored"] == 2
    assert baselines["popularity"] == {
        "column": "popularity@86400",
        "best_on_scored_column": "popularity@86400",
        "best_on_warmup_column": "popularity@3600",
        "half_life_seconds": 86_400.0,
        "best_on_warmup_half_life_seconds": 3600.0,
    }
    assert baselines["grid"]["graph"]["3600"]["mrr@20"] == pytest.approx(1 / 3)


def test_a_mix_tells_both_half_lives_and_the_share() -> None:
    """And which column is best over the warm-up, whichever is shown."""
    mixes = Named("mix@900:120:0.8", "mix@2.592e+06:86400:0.35")
    loop = measured(1, {mixes.names[1]: 1}, {mixes.names[0]: 2}, mixes)
    assert baselines_document(loop, choose_baselines(loop))["mix"] == {
        "column": mixes.names[1],
        "best_on_scored_column": mixes.names[1],
        "best_on_warmup_column": mixes.names[0],
        "graph_half_life_seconds": 2_592_000.0,
        "popularity_half_life_seconds": 86_400.0,
        "graph_share": 0.35,
        "best_on_warmup_graph_half_life_seconds": 900.0,
        "best_on_warmup_popularity_half_life_seconds": 120.0,
        "best_on_warmup_graph_share": 0.8,
    }


def test_other_baselines_are_shown_by_the_best_column_of_their_kind() -> None:
    """Whatever their names say after the "@", if anything."""
    others = Named("vstan", "item-knn@86400", "item-knn@all", "ranker")
    loop = measured(1, {"item-knn@all": 2, "ranker": 7}, {}, others)
    kinds = {"vstan": "vstan", "item-knn": "item-knn@all", "ranker": "ranker"}
    assert choose_baselines(loop) == {"joint": "joint", **kinds}
    assert choose_baselines(loop, kinds=("ranker",)) == {"joint": "joint", "ranker": "ranker"}
    baselines = baselines_document(loop, choose_baselines(loop))
    assert baselines["item-knn"]["column"] == "item-knn@all"
    assert set(baselines["grid"]["item-knn"]) == {"86400", "all"}
    assert set(baselines["grid"]["ranker"]) == {"ranker"}
