"""The report's words: who wins, for whom, and what is left out where it is not known."""

from pathlib import Path
from typing import Any

import pytest

from consumers.offline.replay.analysis import analyse
from consumers.offline.replay.report import sections
from tests.consumers.offline.replay.test_analysis import write_replay


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the words are made from; the joint model is better for users known well."""
    path = write_replay(tmp_path_factory.mktemp("words") / "cases.parquet", count=8000)
    found = analyse(path, window_seconds=3600.0, samples=400)
    return {
        **found,
        "cost": {"scored": found["overall"]["scored"], "clicks": 8000},
        "drift": {"alarms": []},
        "options": {"baselines_chosen_on": "best"},
        "baselines": {"popularity": {"half_life_seconds": 3600.0}, "warmup_scored": 10},
    }


def test_the_summary_says_who_wins_by_how_much_and_for_whom(document: dict[str, Any]) -> None:
    text = sections.summary(document)
    assert "The joint model is better than every baseline here" in text
    assert "ranker, the strongest of them" in text
    assert "95 % interval +" in text
    assert "By HR@20 and MRR@20 it is surely better than ranker and popularity." in text
    assert "For whom, against ranker: better for users with 3-9, 10+ clicks before and" in text
    assert "unclear for users with 0, 1, 2 clicks before" in text


def test_a_difference_that_may_be_luck_has_no_winner(tmp_path: Path) -> None:
    path = write_replay(tmp_path / "cases.parquet", count=2000, better=0.0, seed=1)
    found = analyse(path, window_seconds=3600.0, samples=200)
    told = {**found, "cost": {"scored": 1, "clicks": 2}, "drift": {"alarms": []}}
    text = sections.summary(told)
    assert "No clear winner" in text
    assert "may be luck" in text


def test_only_other_configurations_are_asked_for_luck_apart(document: dict[str, Any]) -> None:
    """Against the joint model and the strongest baseline; baselines have their own table."""
    assert sections.differences(document) == ""
    told = document["differences"]
    joint = next(one for one in told["overall"] if one["model"] == "joint")
    other = joint | {"model": "joint:<b>"}
    configurations = [other | {"against": "joint"}]
    changed = told | {"overall": [*told["overall"], other], "configurations": configurations}
    rows = sections.differences(document | {"differences": changed}).split("<tr>")[2:]
    assert [row.split("<td>")[3].removesuffix("</td>") for row in rows] == ["joint", "ranker"]
    assert all("joint:&lt;b&gt;" in row for row in rows)


def test_half_lives_chosen_on_scored_clicks_are_said_to_be(document: dict[str, Any]) -> None:
    """And so they are where the warm-up was asked for, but scored nothing."""
    favours = "the best on the scored clicks themselves, which favours these baselines"
    assert favours in sections.quality(document)
    chosen = document | {"options": {"baselines_chosen_on": "warmup"}}
    assert "chosen on the warm-up" in sections.quality(chosen)
    nothing = {"popularity": {"half_life_seconds": 3600.0}, "warmup_scored": 0}
    assert favours in sections.quality(chosen | {"baselines": nothing})


def test_mixes_are_told_with_their_parts(document: dict[str, Any]) -> None:
    mix = {"graph_half_life_seconds": 86_400.0, "popularity_half_life_seconds": 3600.0}
    baselines = {"mix": {**mix, "graph_share": 0.65}, "warmup_scored": 0}
    models = [*document["models"], "mix"]
    overall = document["overall"] | {"mix": document["overall"]["joint"]}
    text = sections.quality(
        document | {"baselines": baselines, "models": models, "overall": overall}
    )
    assert "mix 65% graph of 1 d with 35% popularity of 1 h" in text


def test_every_slice_of_users_and_items_has_a_column(document: dict[str, Any]) -> None:
    text = sections.slices(document)
    for name in ("0", "1", "2", "3-9", "10+", "1-4", "5-9"):
        assert f"<th>{name}</th>" in text
    assert "<span class='better'>" in text
