"""Titles over HTTP: beside every item id, in words, and as a way to find items."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.consumers.roles.serve.conftest import filled
from tests.consumers.serve_world import LISTED, Api, World
from tests.consumers.titles import store_titles

TITLES = {
    "i0": "Blue mug",
    "i1": "Café-Crème, 250 g",
    "i7": "Mug with a handle",
    "i8": "<script>alert(1)</script>",
    "i20": "Smuggler's map",
    "i29": "Ελληνικός καφές",
}


@pytest.fixture(scope="module")
def titled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    world = filled(tmp_path_factory.mktemp("titles"))
    store_titles(world.config, TITLES)
    with world.serving() as api:
        api.ready()
        yield api


def test_every_item_has_its_title_beside_its_id(titled: Api) -> None:
    """In lists from the topic, computed ones, buffers, neighbours, similar items and searches."""
    documents = [
        titled.get("/v1/users/u1/recommendations?k=5").document["items"],
        titled.get("/v1/users/u1/recommendations?k=20").document["items"],
        titled.get("/v1/users/nobody/recommendations").document["items"],
        titled.get("/v1/users/u1").document["clicks"],
        titled.post("/v1/rank", {"clicks": [{"item_id": "i0"}], "k": 20}).document["items"],
        titled.get("/v1/items").document["items"],
        titled.get("/v1/items/i0/neighbours").document["followers"],
        titled.get("/v1/items/i3/similar?k=29").document["items"],
    ]
    for items in documents:
        assert items
        assert {one["item_id"]: one["title"] for one in items} == {
            one["item_id"]: TITLES.get(one["item_id"]) for one in items
        }
    for what in ("neighbours", "similar"):
        assert titled.get(f"/v1/items/i0/{what}").document["title"] == "Blue mug"
        assert titled.get(f"/v1/items/i3/{what}").document["title"] is None


def test_reasons_name_the_clicked_item_by_its_title(titled: Api) -> None:
    """In words; the facts have both."""
    answer = titled.get("/v1/users/u1/recommendations?k=20&explain=true").document
    because = [one for one in answer["items"] if one["reason"]["click"] is not None]
    assert because
    for one in because:
        clicked = one["reason"]["click"]
        assert clicked["title"] == TITLES[clicked["item_id"]]
        assert f"because you clicked {clicked['title']}; " in one["words"]
        assert clicked["item_id"] not in one["words"].split()


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("mug", ["i0", "i7"]),
        ("BLUE mu", ["i0"]),
        ("mug blue", ["i0"]),
        ("creme", ["i1"]),
        ("Crème", ["i1"]),
        ("250", ["i1"]),
        ("i2", ["i2", "i20", "i21", "i22", "i23", "i24", "i25", "i26", "i27", "i28", "i29"]),
        ("καφε", ["i29"]),
        ("uggler", []),
        (" - ", []),
        ("", [f"i{n}" for n in range(30)]),
    ],
)
def test_items_are_found_by_words_of_their_titles(
    titled: Api, prefix: str, found: list[str]
) -> None:
    """In any order, by how they begin, whatever their case and accents; by ids as before."""
    items = titled.get(f"/v1/items?k=40&prefix={quote(prefix)}").document["items"]
    assert [one["item_id"] for one in items] == found


def test_titles_are_followed_while_the_role_runs(tmp_path: Path) -> None:
    """Another file is taken over within seconds; a damaged one does no harm; the gauge tells."""
    world = World(tmp_path)
    world.publish_view()
    world.list("", *LISTED, offset=None)

    def title_is(wanted: str | None) -> None:
        api.until(
            "/v1/users/u/recommendations?k=1",
            lambda reply: reply.document["items"][0]["title"] == wanted,
        )

    with world.serving() as api:
        api.ready()
        api.until("/v1/users/u/recommendations", lambda reply: reply.items == LISTED)
        tag = api.get("/v1/users/u/recommendations").headers["etag"]
        title_is(None)
        store_titles(world.config, {"i20": "Smuggler's map"})
        title_is("Smuggler's map")
        assert [one["item_id"] for one in api.get("/v1/items?prefix=smug").document["items"]] == [
            "i20"
        ]
        reply = api.get("/v1/users/u/recommendations", If_None_Match=tag)
        assert reply.status == 200
        store_titles(world.config, {"i20": "Treasure map", "i21": "Compass"})
        title_is("Treasure map")
        assert api.get("/v1/items?prefix=smug").document["items"] == []
        wait_for(world, 2.0)
        world.config.titles_file.write_bytes(b"damaged" * 1000)
        title_is(None)
        wait_for(world, 0.0)
        assert api.get("/v1/items?prefix=treasure").document["items"] == []


def wait_for(world: World, titles: float) -> None:
    deadline = world.clock.monotonic() + 30.0
    while world.value("gsr_serve_titles") != titles:
        assert world.clock.monotonic() < deadline
        world.clock.sleep(0.02)
