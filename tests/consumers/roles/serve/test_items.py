"""Items: what the graph and the vectors say of them."""

from pathlib import Path

import numpy as np
import pytest

from consumers.roles.serve import item_search
from tests.consumers.serve_world import Api, World


def test_neighbours_are_the_edges_of_the_graph(api: Api) -> None:
    """Strongest first, with the weights of every time scale."""
    document = api.get("/v1/items/i0/neighbours").document
    assert [one["item_id"] for one in document["followers"]] == ["i8", "i7"]
    scales = len(document["half_lives_seconds"])
    assert document["followers"][0]["weights"] == pytest.approx([5.0] * scales, rel=0.02)
    assert document["popularity"] == pytest.approx([100.0] * scales, rel=0.02)
    assert document["close"] == []
    assert document["listable"] is True
    first = api.get("/v1/items/i0/neighbours?k=1").document
    assert [one["item_id"] for one in first["followers"]] == ["i8"]


def test_similar_items_are_those_of_the_closest_vectors(api: Api) -> None:
    """By cosine, the item itself left out."""
    document = api.get("/v1/items/i3/similar?k=29").document
    found = {one["item_id"]: one["cosine"] for one in document["items"]}
    with api.role._artifacts.held() as serving:  # noqa: SLF001  # what it must be equal to
        assert serving.model is not None
        vectors = serving.model._model.vectors.items.values  # type: ignore[union-attr]  # noqa: SLF001
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = unit @ unit[3]
    assert found == pytest.approx({f"i{n}": cosines[n] for n in range(30) if n != 3}, abs=1e-5)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert document["model_version"] == 1
    few = api.get("/v1/items/i3/similar?k=4").document["items"]
    assert few == document["items"][:4]


def test_items_are_found_by_how_their_ids_begin(api: Api) -> None:
    """The most popular first, and before them the one that is called just that."""

    def found(query: str) -> list[str]:
        return [one["item_id"] for one in api.get(f"/v1/items{query}").document["items"]]

    assert found("?k=3") == ["i0", "i1", "i2"]
    assert found("?prefix=i2&k=4") == ["i2", "i20", "i21", "i22"]
    assert found("?prefix=j") == []
    document = api.get("/v1/items?prefix=i29").document
    assert document["half_life_seconds"] == 86_400.0
    assert document["items"] == [
        {"item_id": "i29", "title": None, "popularity": pytest.approx(71.0, rel=0.02)}
    ]


def test_only_the_most_popular_items_are_looked_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Any other is found by its whole id."""
    monkeypatch.setattr(item_search, "SEARCHED_ITEMS", 3)
    world = World(tmp_path)
    world.publish_view()
    with world.serving() as api:
        api.ready()
        for prefix, wanted in (("i", ["i0", "i1", "i2"]), ("i1", ["i1"]), ("i29", ["i29"])):
            answer = api.get(f"/v1/items?prefix={prefix}").document["items"]
            assert [one["item_id"] for one in answer] == wanted


@pytest.mark.parametrize("what", ["neighbours", "similar"])
def test_an_unknown_item_is_not_found(api: Api, what: str) -> None:
    """With what that means."""
    reply = api.get(f"/v1/items/unknown/{what}")
    assert reply.status == 404
    assert reply.document["type"] == "urn:gsr:problem:unknown-item"
    assert "nobody has clicked it" in reply.document["detail"]
