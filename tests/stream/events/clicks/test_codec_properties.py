"""The click codec under adversarial records: no crash, no record judged by its neighbours."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.click_batch import ClickBatch
from stream.events.clicks.bad_record import REASONS, Fault
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.fields import read_click
from stream.events.clicks.rules import EventRules
from stream.log.interface import RecordBatch
from tests.stream.events.click_records import NOW, click_hash

RULES = EventRules(max_age_seconds=500.0)
CODEC = ClickCodec(RULES)

IDS = st.one_of(
    st.sampled_from(["u1", "u2", "", "é", "😀" * 64, "x" * 256, "x" * 257]), st.text(max_size=8)
)
TIMES = st.one_of(
    st.sampled_from([NOW, int(NOW), "2017-10-01T03:00:00Z", "2017-10-01", "?", -1, 0, 10**400]),
    st.floats(NOW - 600, NOW + 900),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
CLICKS = st.fixed_dictionaries(
    {"user_id": IDS, "item_id": IDS, "timestamp": TIMES},
    optional={
        "event": st.sampled_from(["click", "purchase", "hide", "", "nope", None]),
        "event_id": IDS | st.none(),
        "x": JSON,
    },
)
GOOD = st.builds(
    lambda user, item, time: json.dumps(
        {"user_id": user, "item_id": item, "timestamp": time}
    ).encode(),
    st.sampled_from(["u1", "u2"]),
    st.sampled_from(["i1", "i2"]),
    st.floats(NOW - 400, NOW + 200),
)
# Pieces that complete each other when records are joined in any careless way.
PIECES = st.lists(
    st.sampled_from(
        [
            b'{"user_id":"u1",',
            b'"item_id":"i1",',
            b'"timestamp":1506826800}',
            b'{"user_id":"u1","item_id":"i1","timestamp":1506826800}',
            b'"x":[',
            b'"x":{',
            b"]",
            b"}",
            b",",
            b"\n",
            b'"',
            b"\\",
            b"[",
            b"{",
            b"\xc3",
            b"\xa9",
            b"[" * 70,
            b"]" * 70,
            b"null",
        ]
    ),
    max_size=8,
).map(b"".join)
ENCODED = CLICKS.map(lambda click: json.dumps(click).encode()) | CLICKS.map(
    lambda click: json.dumps(click, ensure_ascii=False).encode("utf-8", "surrogatepass")
)
VALUES = st.one_of(GOOD, GOOD, ENCODED, PIECES, st.binary(max_size=40), st.none())
KEYS = st.sampled_from([b"u1", b"u1", b"u2", b"", None, b"\xff", "é".encode()])
RECORDS = st.lists(
    st.tuples(KEYS, VALUES, st.sampled_from([NOW, NOW + 100, NOW - 100])), max_size=30
)

Record = tuple[bytes | None, bytes | None, float]


def batch_of(records: list[Record], first: int) -> RecordBatch:
    return RecordBatch(
        "clicks",
        0,
        np.arange(first, first + len(records)),
        np.array([record[2] for record in records], dtype=np.float64),
        [record[0] for record in records],
        [record[1] for record in records],
    )


def rows_of(clicks: ClickBatch) -> list[tuple[object, ...]]:
    return list(
        zip(
            clicks.user_ids,
            clicks.item_ids,
            clicks.times.tolist(),
            clicks.events.tolist(),
            clicks.hashes.tolist(),
            clicks.forget.tolist(),
            clicks.offsets.tolist(),
            clicks.append_times.tolist(),
            strict=True,
        )
    )


def decode_in_cuts(
    records: list[Record], cuts: list[int]
) -> tuple[list[tuple[object, ...]], list[tuple[int, str, str]], float]:
    """Decode batches that end at `cuts`; return all rows, all bad records, the watermark."""
    rows: list[tuple[object, ...]] = []
    bad: list[tuple[int, str, str]] = []
    watermark, start = -np.inf, 0
    for stop in [*cuts, len(records)]:
        decoded = CODEC.decode(batch_of(records[start:stop], start), watermark)
        rows += rows_of(decoded.clicks)
        bad += [(found.offset, found.reason, found.detail) for found in decoded.bad]
        assert all(found.index == found.offset - start for found in decoded.bad)
        watermark, start = decoded.watermark, stop
    return rows, bad, watermark


def decode_by_definition(
    records: list[Record],
) -> tuple[list[tuple[object, ...]], list[tuple[int, str]], float]:
    """Decode record by record, slowly and plainly."""
    names = list(RULES.weights)
    codes: dict[str | None, int] = {name: code for code, name in enumerate(names)}
    codes[None] = codes[RULES.default_event]
    rows: list[tuple[object, ...]] = []
    bad: list[tuple[int, str]] = []
    watermark = -np.inf
    for offset, (key, value, appended) in enumerate(records):
        read = read_click(key, value, codes)
        if isinstance(read, Fault):
            bad.append((offset, read.reason))
        elif read.forget:
            rows.append((read.user_id, "", 0.0, 0, 0, True, offset, appended))
        elif read.time > appended + RULES.future_tolerance_seconds:
            bad.append((offset, "future"))
        elif appended - read.time > (RULES.max_age_seconds or np.inf):
            bad.append((offset, "too_old"))
        else:
            watermark = max(watermark, read.time)
            known = click_hash(read.item_id, read.time, names[read.code], read.event_id)
            rows.append(
                (read.user_id, read.item_id, read.time, read.code, known, False, offset, appended)
            )
    return rows, bad, watermark


@settings(max_examples=400, deadline=None)
@given(RECORDS, st.data())
def test_a_batch_decodes_like_each_record_alone(records: list[Record], data: st.DataObject) -> None:
    """Whole, in any cuts and one by one, the result is the same and the defined one."""
    whole = decode_in_cuts(records, [])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=5)))
    assert decode_in_cuts(records, cuts) == whole
    assert decode_in_cuts(records, list(range(len(records)))) == whole
    rows, bad, watermark = decode_by_definition(records)
    assert whole[0] == rows
    assert [found[:2] for found in whole[1]] == bad
    assert whole[2] == watermark


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200), st.none() | st.binary(max_size=10))
def test_no_bytes_crash_the_codec(value: bytes, key: bytes | None) -> None:
    """Any value and key make one click or one bad record whose ids and words are UTF-8."""
    decoded = CODEC.decode(batch_of([(key, value, NOW)], 0), -np.inf)
    assert len(decoded.clicks) + len(decoded.bad) == 1
    for bad in decoded.bad:
        assert bad.reason in REASONS
        assert bad.detail.isascii()


@settings(max_examples=300, deadline=None)
@given(ENCODED, st.data())
def test_mutated_clicks_never_crash_or_leak(value: bytes, data: st.DataObject) -> None:
    """A damaged record does no harm to the good ones around it."""
    place = data.draw(st.integers(0, len(value)))
    damaged = value[:place] + data.draw(st.binary(max_size=3)) + value[place + 1 :]
    good = json.dumps({"user_id": "u1", "item_id": "i1", "timestamp": NOW - 9}).encode()
    records: list[Record] = [(b"u1", good, NOW), (b"u1", damaged, NOW), (b"u1", good, NOW)]
    decoded = CODEC.decode(batch_of(records, 0), -np.inf)
    assert {0, 2} <= set(decoded.clicks.offsets.tolist())
    for text in (*decoded.clicks.user_ids, *decoded.clicks.item_ids):
        assert 1 <= len(text.encode()) <= 256
