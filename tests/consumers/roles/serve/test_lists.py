"""Lists: from the topic where that answers, computed where it does not."""

from pathlib import Path

import pytest

from stream.errors import StateLockedError
from stream.events.records.item_control import ItemControl
from stream.log.embedded.memory import MemoryLog
from tests.consumers.serve_world import ITEMS, LISTED, Api, World

LIST = "/v1/users/u1/recommendations"


def test_the_list_on_the_topic_is_the_answer(api: Api) -> None:
    """With all that is known of it."""
    reply = api.get(LIST)
    assert reply.status == 200
    assert reply.items == LISTED
    document = reply.document
    assert (document["source"], document["reason"]) == ("topic", "click")
    assert (document["known"], document["default"]) == (True, False)
    assert (document["model_version"], document["source_offset"]) == (1, 1)
    assert 0.0 <= document["staleness_seconds"] < 300.0
    assert api.get(f"{LIST}?k=2").items == LISTED[:2]


def test_more_than_the_topic_has_is_computed(api: Api) -> None:
    """Ten items of the model, without what the user has clicked, best first."""
    reply = api.get(f"{LIST}?k=10")
    assert reply.document["source"] == "computed"
    assert len(reply.items) == 10
    assert not {"i0", "i1"} & set(reply.items)
    scores = [item["score"] for item in reply.document["items"]]
    assert scores == sorted(scores, reverse=True)
    assert (reply.document["reason"], reply.document["source_offset"]) == (None, 1)


def test_excluded_items_are_left_out(api: Api) -> None:
    """From the topic while enough remain, else computed."""
    kept = api.get(f"{LIST}?k=3&exclude=i21&exclude=unknown")
    assert (kept.document["source"], kept.items) == ("topic", ["i20", "i22", "i23"])
    made = api.get(f"{LIST}?k=5&exclude=i21")
    assert made.document["source"] == "computed"
    assert len(made.items) == 5
    best = api.get(f"{LIST}?k=10").items
    without = api.get(f"{LIST}?k=9&exclude={best[0]}").items
    assert without == best[1:]


def test_nobody_gets_the_default_list(api: Api) -> None:
    """And is told so; computed where it is too short."""
    reply = api.get("/v1/users/nobody/recommendations")
    assert (reply.items, reply.document["source"]) == (["i0", "i1", "i2", "i3", "i4"], "topic")
    assert (reply.document["known"], reply.document["default"]) == (False, True)
    longer = api.get("/v1/users/nobody/recommendations?k=12")
    assert longer.document["source"] == "computed"
    assert (longer.document["default"], len(longer.items)) == (True, 12)


def test_reasons_are_given_where_they_are_asked_for(api: Api) -> None:
    """The same list as without, by what serves now."""
    explained = api.get(f"{LIST}?k=7&explain=true")
    plain = api.get(f"{LIST}?k=7")
    assert explained.items == plain.items
    parts = [item["parts"] for item in explained.document["items"]]
    assert all("vectors" in one for one in parts)
    assert len({tuple(one) for one in parts}) == 1
    assert not {"parts", "reason", "words"} & plain.document["items"][0].keys()


def test_a_reason_is_told_as_facts_and_in_words(api: Api) -> None:
    """The facts are those of the list's own counters; the words name the click that they name."""
    items = api.get(f"{LIST}?k=7&explain=true").document["items"]
    kinds = {item["reason"]["kind"] for item in items}
    assert kinds <= {"click", "clicks", "popular", "fresh", "new", "rest"}
    for item in items:
        reason = item["reason"]
        named = reason["click"]
        assert (named is not None) == (reason["kind"] == "click")
        if named is not None:
            assert named["item_id"] in {"i0", "i1"}
            assert item["words"].startswith(f"because you clicked {named['item_id']}; ")
            assert 0.0 < named["share_lost"] <= 1.0
        assert len(item["words"]) > 10
        day = next(one for one in reason["clicks"] if one["half_life_seconds"] == 86_400.0)
        assert day["count"] == pytest.approx(ITEMS[item["item_id"]], rel=0.02)
        assert reason["sequence_share"] is None or 0.0 <= reason["sequence_share"] <= 1.0
    ranked = api.post("/v1/rank", {"clicks": [{"item_id": "i0"}], "k": 3, "explain": True})
    assert all(item["words"] for item in ranked.document["items"])


def test_users_are_found_by_how_their_ids_begin(own: World) -> None:
    """In order; without a beginning those who clicked last, but nobody who was forgotten."""
    for user in ("ab", "abc", "b", "ü1"):
        own.click(user, "i1")
    with own.serving() as api:
        api.ready()

        def found(query: str) -> object:
            return api.get(f"/v1/users{query}").document["user_ids"]

        assert found("?prefix=ab") == ["ab", "abc"]
        assert found("?prefix=a&k=1") == ["ab"]
        assert found("?prefix=%C3%BC") == ["ü1"]
        assert found("?prefix=nobody") == []
        assert sorted(api.get("/v1/users?k=9").document["user_ids"]) == [
            "ab",
            "abc",
            "b",
            "u1",
            "ü1",
        ]
        own.click("abc", "i1", "i2", offset=2)
        api.until("/v1/users?k=1", lambda reply: reply.document["user_ids"] == ["abc"])
        own.forget("abc")
        api.until("/v1/users?k=9", lambda reply: "abc" not in reply.document["user_ids"])
        assert found("?prefix=abc") == []
    with own.serving() as api:
        api.ready()
        assert api.get("/v1/users").document["user_ids"] == ["ab", "b", "u1", "ü1"]


def test_who_has_the_list_is_not_sent_it_again(api: Api) -> None:
    """By its tag, strong or weak, among others or by *; another list has another tag."""
    tag = api.get(LIST).headers["etag"]
    for named in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        again = api.get(LIST, If_None_Match=named)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    other = api.get(f"{LIST}?k=4", If_None_Match=tag)
    assert other.status == 200
    assert other.headers["etag"] != tag


@pytest.mark.parametrize("user", ["ü", "a/b", "..", "a b", "ключ/../recommendations", "%", "?"])
def test_any_id_can_be_asked_for(api: Api, world: World, user: str) -> None:
    """Percent-encoded, slashes too."""
    encoded = "".join(f"%{byte:02X}" for byte in user.encode())
    world.click(user, "i3")
    world.list(user, "i4", "i5")
    reply = api.until(f"/v1/users/{encoded}", lambda reply: reply.status == 200)
    assert reply.document["user_id"] == user
    reply = api.until(f"/v1/users/{encoded}/recommendations?k=2", lambda r: r.items == ["i4", "i5"])
    assert reply.document["user_id"] == user


def test_a_session_is_ranked(api: Api) -> None:
    """As a user with these clicks would be, whoever they are."""
    clicks = [{"item_id": "i0"}, {"item_id": "i1"}]
    reply = api.post("/v1/rank", {"clicks": clicks, "k": 6})
    assert reply.status == 200
    assert len(reply.items) == 6
    assert not {"i0", "i1"} & set(reply.items)
    assert reply.document["unknown_items"] == []
    fewer = api.post("/v1/rank", {"clicks": clicks, "k": 5, "exclude": [reply.items[0]]})
    assert fewer.items == reply.items[1:]
    explained = api.post("/v1/rank", {"clicks": clicks, "k": 6, "explain": True})
    assert explained.items == reply.items
    assert "vectors" in explained.document["items"][0]["parts"]


def test_a_session_may_have_times_events_and_unknown_items(api: Api) -> None:
    """What was only hidden is not listed either."""
    now = api.world.clock.time()
    clicks = [
        {"item_id": "i2", "timestamp": now - 9, "event": "purchase"},
        {"item_id": "new", "timestamp": now - 5},
        {"item_id": "i3", "timestamp": now - 5, "event": "hide"},
    ]
    reply = api.post("/v1/rank", {"clicks": clicks, "k": 30})
    assert reply.document["unknown_items"] == ["new"]
    assert set(reply.items) == ITEMS.keys() - {"i2", "i3"}


@pytest.fixture
def own(tmp_path: Path) -> World:
    """Return a world that a test may change."""
    world = World(tmp_path)
    world.publish_view()
    world.click("u1", "i0", "i1")
    world.list("u1", *LISTED)
    return world


def test_a_fresher_click_is_answered_by_computing(own: World) -> None:
    """Until the publisher has sent a list that knows of it."""
    with own.serving() as api:
        api.ready()
        assert api.get(LIST).document["source"] == "topic"
        own.click("u1", "i0", "i1", LISTED[0], offset=7)
        reply = api.until(LIST, lambda reply: reply.document["source"] == "computed")
        assert LISTED[0] not in reply.items
        assert reply.document["source_offset"] == 7
        own.list("u1", "i9", "i8", "i7", "i6", "i5", offset=7)
        reply = api.until(LIST, lambda reply: reply.document["source"] == "topic")
        assert reply.items[0] == "i9"


def test_what_is_taken_down_is_not_listed(own: World) -> None:
    """Not even while the list with it is still on the topic."""
    with own.serving() as api:
        api.ready()
        own.control(ItemControl(item_id="i21", available=False))
        reply = api.until(LIST, lambda reply: reply.document["source"] == "computed")
        assert "i21" not in reply.items
        assert "i21" not in api.get(f"{LIST}?k=28").items
        assert api.get("/v1/items/i21/neighbours").document["listable"] is False
        own.control(ItemControl(item_id="i21", available=True))
        assert api.until(LIST, lambda reply: reply.document["source"] == "topic").items == LISTED


def test_a_new_model_is_taken_over(own: World) -> None:
    """And a new view with it: the answer says which model it was."""
    with own.serving() as api:
        api.ready()
        assert api.get(f"{LIST}?k=9").document["model_version"] == 0
        assert own.publish_model() == 1
        reply = api.until(f"{LIST}?k=9", lambda reply: reply.document["model_version"] == 1)
        assert reply.document["source"] == "computed"
        own.publish_model(seed=5)
        api.until(f"{LIST}?k=9", lambda reply: reply.document["model_version"] == 2)


def test_the_forgotten_are_unknown(own: World) -> None:
    """As soon as their tombstones have come."""
    with own.serving() as api:
        api.ready()
        own.forget("u1")
        api.until("/v1/users/u1", lambda reply: reply.status == 404)
        assert api.get(f"{LIST}?k=9").document["known"] is False


def test_a_restart_goes_on_from_the_store(own: World) -> None:
    """Nothing is read twice, and what came meanwhile is there."""
    with own.serving() as api:
        api.ready()
        assert own.value("gsr_serve_records_total", topic="lists") == 1
    own.click("u2", "i5")
    own.list("u2", "i6", "i7")
    with own.serving() as api:
        api.ready()
        assert own.value("gsr_serve_records_total", topic="lists") == 1
        assert own.value("gsr_serve_records_total", topic="sequences") == 1
        assert api.get(LIST).items == LISTED
        assert api.get("/v1/users/u2/recommendations?k=2").items == ["i6", "i7"]


def test_topics_that_were_made_anew_are_read_anew(own: World) -> None:
    """Nothing of the old ones is answered."""
    with own.serving() as api:
        api.ready()
        assert api.get("/v1/users/u1").status == 200
    own.log = MemoryLog(own.clock)
    for spec in own.config.log.topics():
        own.log.create_topic(spec)
    own.click("u2", "i5")
    with own.serving() as api:
        api.ready()
        assert api.get("/v1/users/u1").status == 404
        assert api.get("/v1/users/u2").status == 200


def test_the_same_store_serves_one_process(own: World) -> None:
    """The second one says who has it, and leaves nothing behind."""
    with own.serving() as api:
        api.ready()
        with pytest.raises(StateLockedError, match="in use by process"), own.serving():
            pass
        assert api.get("/v1/users/u1").status == 200


def test_foreign_records_are_passed_over(own: World) -> None:
    """And counted; what was known before stays."""
    own.append(own.config.log.recommendations, "u1", b"no list")
    own.append(own.config.log.sequences, "u1", b'{"user_id": "u1"}')
    own.append(own.config.log.items, "i1", b"[]")
    own.append(own.config.log.default_recommendations, "default", b"{}")
    with own.serving() as api:
        api.ready()
        assert api.get(LIST).items == LISTED
        assert own.value("gsr_serve_foreign_records_total") == 4


def test_before_there_is_anything_it_says_so(tmp_path: Path) -> None:
    """503 with when to come back; not ready."""
    world = World(tmp_path)
    with world.serving() as api:
        reply = api.get(LIST)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert reply.document["type"] == "urn:gsr:problem:not-ready"
        assert api.get("/v1/items/i1/similar").status == 503
        assert not api.role.checks()["view"]
        assert api.get("/v1/status").document["ready"] is False
        world.publish_view()
        api.until(LIST, lambda reply: reply.status == 200)
        assert api.get("/v1/items/i1/similar").document["type"] == "urn:gsr:problem:not-ready"
