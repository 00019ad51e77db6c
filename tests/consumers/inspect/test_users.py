"""Questions about a user are answered from what was written, whatever the configuration says."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.errors import ArtifactError
from consumers.inspect.users import current_list, user_facts
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of
from tests.consumers.publisher_world import World
from tests.consumers.titles import store_titles

OTHERS: list[dict[str, dict[str, Any]]] = [
    {"state": {"half_lives_seconds": [60.0, 600.0, 3600.0]}},
    {"model": {"dimension": 32}},
    {"events": {"weights": {"click": 2.0}}},
    {"state": {"buffer_length": 9, "neighbours": 5}},
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.publish_view()
    world.publish_model()
    world.click("ann", "i3", "i4")
    return world


@pytest.mark.parametrize("settings", OTHERS, ids=str)
def test_a_list_is_the_same_under_other_settings(
    world: World, settings: dict[str, dict[str, Any]]
) -> None:
    """View and model bring their own; nothing is read by half-lives that it does not have."""
    own = current_list(world.config, world.log, b"ann", 5)
    other = current_list(world.config.with_values(settings), world.log, b"ann", 5)
    assert other["model_version"] == own["model_version"] == 1
    assert other["items"] == own["items"]
    assert len(own["items"]) == 5


def test_a_view_alone_is_enough(tmp_path: Path) -> None:
    """Before the first model lists follow the counters, by the view's half-lives."""
    world = World(tmp_path)
    world.publish_view()
    own = current_list(world.config, world.log, b"ann", 5)
    other = current_list(world.config.with_values(OTHERS[0]), world.log, b"ann", 5)
    assert other["model_version"] == 0
    assert other["items"] == own["items"]


@pytest.mark.parametrize("model", [True, False])
def test_every_item_has_a_reason(tmp_path: Path, model: bool) -> None:
    """In words and in facts, for a user with clicks; one who is not known has none of a click."""
    world = World(tmp_path)
    world.publish_view()
    if model:
        world.publish_model()
    world.click("ann", "i3", "i4")
    own = current_list(world.config, world.log, b"ann", 5)
    stranger = current_list(world.config, world.log, b"zoe", 5)
    assert (own["clicks"], stranger["clicks"]) == (2, 0)
    assert [len(answer["items"]) for answer in (own, stranger)] == [5, 5]
    for item in (*own["items"], *stranger["items"]):
        assert item["words"]
        assert list(item["reason"]["clicks"]) == ["10min", "1d", "30d", "365d"]
        assert item["reason"]["popular_on"] in item["reason"]["clicks"]
        assert item["parts"]
        json.dumps(item)
    assert all(item["reason"]["click"] is None for item in stranger["items"])
    clicks = [click for item in own["items"] if (click := item["reason"]["click"])]
    assert {click["item_id"] for click in clicks} <= {"i3", "i4"}
    assert all(click["time"].endswith("Z") and click["share_lost"] >= 0.02 for click in clicks)
    assert bool(clicks) == model, "nobody has gone on from one item to another here"


def test_a_user_is_found_where_the_topic_put_them(world: World) -> None:
    """By the partitions that it has, not by those of the configuration."""
    many = world.config.with_values({"log": {"partitions": 64}})
    for user in ("ann", "bob", "cid"):
        partition = partition_of(user.encode(), 2)
        made = Recommendation(
            user_id=user,
            items=[ScoredItem("i1", 1.0)],
            model_version=1,
            generated_at=1.0,
            reason="click",
            source_offset=1,
        )
        record = Outgoing(user.encode(), made.encode(), partition=partition)
        world.log.writer(world.config.log.recommendations).append([record])
        facts = user_facts(many, world.log, user.encode())
        assert facts["partition"] == partition
        assert facts["list"]["items"][0]["item_id"] == "i1"


def test_where_nothing_was_written_yet_it_is_said_what_to_do(tmp_path: Path) -> None:
    """With the place that was looked at: perhaps it is another one."""
    world = World(tmp_path)
    with pytest.raises(ArtifactError, match="same --state") as refusal:
        current_list(world.config, world.log, b"ann", 5)
    assert world.config.artifacts_url in str(refusal.value)


def test_items_go_by_their_titles(world: World) -> None:
    """In the list, in its words, and in the list that was sent."""
    known = {f"i{n}": f"Tea of hill {n}" for n in range(30)}
    store_titles(world.config, known)
    answer = current_list(world.config, world.log, b"ann", 5)
    for item in answer["items"]:
        assert item["title"] == known[item["item_id"]]
        clicked = item["reason"]["click"]
        if clicked is not None:
            assert clicked["title"] == known[clicked["item_id"]]
            assert f"because you clicked {clicked['title']}; " in item["words"]
    sent = Recommendation(
        user_id="ann",
        items=[ScoredItem("i7", 1.0), ScoredItem("other", 0.5)],
        model_version=1,
        generated_at=2.0,
        reason="click",
        source_offset=1,
    )
    world.log.writer(world.config.log.recommendations).append([Outgoing(b"ann", sent.encode())])
    listed = user_facts(world.config, world.log, b"ann")["list"]["items"]
    assert [entry["title"] for entry in listed] == ["Tea of hill 7", None]
