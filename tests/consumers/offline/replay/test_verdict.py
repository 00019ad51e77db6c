"""Who wins, in a sentence: only what holds for other users and at other times is claimed."""

from typing import Any

import pytest

from consumers.offline.replay.verdict import side, standing, verdict, widest


def interval(low: float, high: float, p: float) -> dict[str, Any]:
    return {"units": 50, "low": low, "high": high, "p_value": p, "samples": 100, "p_corrected": p}


def difference(
    against: str, theirs: float, *, metric: str = "hr@20", p: float = 0.01, mine: float = 0.2
) -> dict[str, Any]:
    """Return the joint model's difference, a hundredth to either side of what was measured."""
    found = mine - theirs
    drawn = interval(found - 0.01, found + 0.01, p)
    return {
        "model": "joint",
        "against": against,
        "metric": metric,
        "mean": mine,
        "mean_against": theirs,
        "difference": found,
        "users": drawn,
        "windows": interval(found - 0.005, found + 0.015, p),
    }


def document(*differences: dict[str, Any], scored: int = 100) -> dict[str, Any]:
    return {
        "overall": {"scored": scored, "joint": {"hr@20": 0.2}},
        "differences": {"baselines": list(differences)},
    }


def test_better_than_all_is_told_with_the_strongest() -> None:
    text = verdict(document(difference("popularity", 0.1), difference("graph", 0.15)))
    assert text == (
        "The joint model is better than every baseline here: it found 20.0% of the clicked items "
        "among its first 20, graph, the strongest of them, 15.0% (difference +5.00 percentage "
        "points, 95 % interval +4.00 to +6.50)."
    )


def test_one_that_may_be_as_good_leaves_no_winner() -> None:
    """It is named, even where a stronger one is surely beaten."""
    text = verdict(document(difference("graph", 0.15), difference("vstan", 0.14, p=0.2)))
    assert text.startswith("No clear winner: the joint model found 20.0%")
    assert "vstan 14.0%, which may be luck" in text


def test_the_strongest_of_those_ahead_is_named() -> None:
    found = [difference(name, theirs) for name, theirs in (("a", 0.3), ("b", 0.4), ("c", 0.1))]
    text = verdict(document(*found))
    assert text.startswith("The joint model is behind b: it found 20.0%")
    assert "b 40.0% (difference -20.00 percentage points" in text


def test_without_baselines_or_scored_clicks_nothing_is_compared() -> None:
    assert "no baseline was measured" in verdict(document())
    assert "No click was scored" in verdict(document(scored=0))
    assert standing(document()) == ""


@pytest.mark.parametrize("kind", ["users", "windows"])
def test_sure_is_what_both_say(kind: str) -> None:
    """One doubtful interval, or p-value, is enough to be unclear; one unknown is not."""
    one = difference("graph", 0.1)
    assert side(one) == 1
    assert side(one | {kind: None}) == 1
    assert side(one | {kind: interval(-0.01, 0.2, 0.01)}) == 0
    assert side(one | {kind: interval(0.01, 0.2, 0.05)}) == 0


def test_without_any_interval_nothing_is_sure() -> None:
    one = difference("graph", 0.1) | {"users": None, "windows": None}
    assert (side(one), widest(one)) == (0, None)
    assert "too few users and times" in verdict(document(one))


def test_standings_name_every_baseline() -> None:
    """Metrics that say the same share a sentence."""
    rates = {"a": 0.1, "b": 0.3, "c": 0.2, "d": 0.15}
    same = [difference(n, m, metric=k) for k in ("hr@20", "mrr@20") for n, m in rates.items()]
    assert standing(document(*same)) == (
        "By HR@20 and MRR@20 it is surely better than d and a; unclear against c; "
        "surely worse than b."
    )
    apart = [difference("a", 0.1), difference("a", 0.3, metric="mrr@20")]
    assert standing(document(*apart)) == (
        "By HR@20 it is surely better than a. By MRR@20 it is surely worse than a."
    )
