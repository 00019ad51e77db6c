"""Posted clicks are on the topic exactly where ingest would accept them."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from consumers.roles.serve.click_posting import ClickPosting
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from stream.errors import LogFullError
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.rules import EventRules
from stream.log.interface import Outgoing, RecordBatch
from tests.consumers.serve_world import Api, Reply, World

TIME = 1_700_000_000
GOOD = {"user_id": "u9", "item_id": "i4", "timestamp": TIME}


def on_topic(api: Api) -> list[tuple[bytes | None, bytes | None]]:
    """Return the keys and values of all clicks on the topic."""
    reader = api.world.log.reader("clicks")
    found: list[tuple[bytes | None, bytes | None]] = []
    while batches := reader.poll(1000, 0.0):
        for batch in batches:
            found += zip(batch.keys, batch.values, strict=True)
    reader.close()
    return found


def test_a_click_is_appended_as_it_was_posted(api: Api) -> None:
    """Byte for byte, with the user id as key, where the answer says."""
    body = (
        b' {"user_id": "\\u00fc", "item_id":"i4", "timestamp": 17e8, "price": 1.50, "event": null}'
    )
    reply = api.post("/v1/clicks", body)
    assert reply.status == 202
    (place,) = reply.document["accepted"]
    reader = api.world.log.reader("clicks", partitions=[place["partition"]])
    reader.seek(place["partition"], place["offset"])
    (batch,) = reader.poll(1, 1.0)
    assert (batch.keys[0], batch.values[0]) == ("ü".encode(), body.strip())
    reader.close()


def test_several_clicks_are_appended_in_their_order(api: Api) -> None:
    """All at once, each with its own place."""
    clicks = [{**GOOD, "item_id": f"i{n}"} for n in range(5)]
    reply = api.post("/v1/clicks", clicks)
    assert reply.status == 202
    places = [(one["partition"], one["offset"]) for one in reply.document["accepted"]]
    first = places[0]
    assert places == [(first[0], first[1] + n) for n in range(5)]
    assert api.world.value("gsr_serve_clicks_total") >= 5


BAD = [
    (b"", "no JSON"),
    (b"null", "wrong_type"),
    (b'"text"', "wrong_type"),
    (b"{}", "missing_field"),
    (b'{"user_id": "u9", "item_id": "i4"}', "missing_field"),
    (b'{"user_id": "u9", "item_id": "i4", "timestamp": null}', "wrong_type"),
    (b'{"user_id": "u9", "item_id": 4, "timestamp": 1}', "wrong_type"),
    (b'{"user_id": "u9", "item_id": "", "timestamp": 1}', "id_length"),
    (b'{"user_id": "u9", "item_id": "%s", "timestamp": 1}' % (b"x" * 257), "id_length"),
    (b'{"user_id": "u9", "item_id": "i4", "timestamp": -1}', "bad_timestamp"),
    (b'{"user_id": "u9", "item_id": "i4", "timestamp": "soon"}', "bad_timestamp"),
    (b'{"user_id": "u9", "item_id": "i4", "timestamp": 1700000000000}', "future"),
    (b'{"user_id": "u9", "item_id": "i4", "timestamp": 1, "event": "wink"}', "unknown_event"),
    (b'{"user_id": "u9", "item_id": "i4", "timestamp": 1, "x": "%s"}' % bytes([255]), "not_utf8"),
    (b'{"user_id": "u9", "item_id": "\\ud800", "timestamp": 1}', "no JSON"),
    (b'{"user_id": "u9", "item_id": "i4", "timestamp": 1} {}', "no JSON"),
    (b'{"user_id": "u9", "item_id": "i4", "timestamp": 1, "x": %s}' % (b"[" * 99 + b"]" * 99), ""),
    (b"[" * 5000, "no JSON"),
    (b"[]", "0 clicks"),
    (json.dumps([GOOD] * 101).encode(), "101 clicks"),
]


@pytest.mark.parametrize(("body", "said"), BAD, ids=range(len(BAD)))
def test_what_is_no_click_is_refused(api: Api, body: bytes, said: str) -> None:
    """With the reason that ingest would write into its dead letter; nothing is appended."""
    before = len(on_topic(api))
    reply = api.post("/v1/clicks", body)
    assert reply.status == 422, reply.body
    assert reply.headers["content-type"] == "application/problem+json"
    assert said in reply.document["detail"]
    assert len(on_topic(api)) == before


def test_one_bad_click_keeps_out_the_others(api: Api) -> None:
    """All or none; each fault is named by its place."""
    before = len(on_topic(api))
    reply = api.post("/v1/clicks", [GOOD, {**GOOD, "event": "wink"}, GOOD, {}])
    assert reply.status == 422
    assert [one["where"] for one in reply.document["errors"]] == ["click 1", "click 3"]
    assert len(on_topic(api)) == before


def test_a_click_posted_twice_counts_once(api: Api) -> None:
    """Its `event_id` tells: both records are on the topic, the counters take one."""
    click = {"user_id": "twice", "item_id": "i4", "timestamp": TIME, "event_id": "order-1"}
    for again in (click, {**click, "item_id": "i5"}, {**click, "event_id": "order-2"}):
        assert api.post("/v1/clicks", again).status == 202
    records = [(key, value) for key, value in on_topic(api) if key == b"twice"]
    assert len(records) == 3
    batch = RecordBatch(
        topic="clicks",
        partition=0,
        offsets=np.arange(3, dtype=np.int64),
        append_times=np.full(3, TIME + 1.0),
        keys=[key for key, _ in records],
        values=[value for _, value in records],
    )
    decoded = ClickCodec(EventRules()).decode(batch, -np.inf)
    assert decoded.bad == []
    applied = Counters(CounterConfig(), EventRules().weight_by_code).apply(decoded.clicks)
    assert applied.accepted.tolist() == [True, False, True]


def test_clicks_are_off_unless_they_are_allowed(tmp_path: Path) -> None:
    """The operator decides; the answer says how."""
    world = World(tmp_path)
    with world.serving() as api:
        reply = api.post("/v1/clicks", GOOD)
        assert reply.status == 403
        assert "serve.accept_clicks" in reply.document["detail"]
        assert on_topic(api) == []


def test_a_full_disk_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """503, and the next one is taken again."""
    posting = _posting(api)

    class Full:
        def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
            raise LogFullError("no space left")

        def close(self) -> None:
            """Nothing to let go of."""

    with monkeypatch.context() as patch:
        patch.setattr(posting, "_writer", Full())
        reply: Reply = api.post("/v1/clicks", GOOD)
        assert (reply.status, reply.document["type"]) == (503, "urn:gsr:problem:storage")
    assert api.post("/v1/clicks", GOOD).status == 202


def _posting(api: Api) -> ClickPosting:
    found = api.role.posting
    assert found is not None
    return found
