"""Format, shape and progress of a state: written, read, and compared with the configuration."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gsr.counters.config import CounterConfig
from stream.errors import StateCorruptError, StateMismatchError
from stream.events.clicks.rules import EventRules
from stream.state.meta import (
    FORMAT_KEY,
    PROGRESS_KEY,
    SHAPE_KEY,
    TOPICS_KEY,
    StateMeta,
    decode_meta,
    encode_meta,
    new_meta,
    refuse_mismatch,
)
from tests.stream.state.click_stories import RULES, START, Told
from tests.stream.state.shop import apply, open_store, shopping

CONFIG = CounterConfig(buffer_length=4, neighbours=4)
EVENTS = ("click", "buy")
META = new_meta(3, CONFIG, EVENTS)


@pytest.mark.parametrize(
    "meta",
    [
        META,
        replace(META, next_offset=-5, watermark=1.7e9, feed_start=1024, feed_stop=2000),
        replace(META, topic_ids={"clicks": "abc"}, config=CounterConfig(user_ttl_seconds=60.0)),
    ],
    ids=["new", "on its way", "of a topic"],
)
def test_what_is_written_is_read(meta: StateMeta) -> None:
    """Also a watermark before the first click, which JSON has no number for."""
    assert decode_meta(encode_meta(meta), "somewhere") == meta


def test_a_new_state_has_read_nothing() -> None:
    """It stands before every click, and names no topic before it knows one."""
    assert (META.next_offset, META.watermark, META.feed_stop) == (0, -math.inf, 0)
    assert set(META.counters.values()) == {0}
    assert TOPICS_KEY not in encode_meta(META)


def test_another_format_is_refused() -> None:
    """Before anything else is looked at, and with both numbers."""
    with pytest.raises(StateMismatchError, match="has format 99, this version of gsr reads") as no:
        decode_meta({FORMAT_KEY: b"99"}, "/state")
    assert "fresh --state" in str(no.value)


@pytest.mark.parametrize("lost", [SHAPE_KEY, PROGRESS_KEY])
def test_a_record_that_is_missing_is_damage(lost: bytes) -> None:
    """Nothing is guessed."""
    records = {key: value for key, value in encode_meta(META).items() if key != lost}
    with pytest.raises(StateCorruptError, match="gsr state check --live"):
        decode_meta(records, "/state")


def test_a_senseless_shape_is_damage() -> None:
    """Settings of no version, or values that no configuration takes."""
    records = encode_meta(META)
    shape = json.loads(records[SHAPE_KEY])
    shape["config"]["neighbours"] = 0
    with pytest.raises(StateCorruptError, match="neighbours must be at least 1"):
        decode_meta({**records, SHAPE_KEY: json.dumps(shape).encode()}, "/state")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"half_lives": (60.0,)}, r"state.half_lives_seconds = \[600.0, 86400.0"),
        ({"buffer_length": 5}, "buffer_length = 4, the configuration says 5"),
        ({"user_ttl_seconds": 60.0}, 'user_ttl_seconds = "off"'),
        ({"close_clicks": 3}, "state.close_clicks = 5, the configuration says 3"),
        ({"close_half_lives": (60.0,)}, r"state.close_half_lives_seconds = \[86400.0, 31536000"),
    ],
)
def test_another_shape_is_refused(changed: dict[str, Any], words: str) -> None:
    """A changed setting is named, with both values and the way out."""
    with pytest.raises(StateMismatchError, match=words) as refusal:
        refuse_mismatch(META, 3, replace(CONFIG, **changed), EVENTS, "/state")
    assert "fresh --state" in str(refusal.value)


def test_a_state_from_before_close_clicks_counts_none() -> None:
    """It goes on where nobody asks for them, and says by which setting."""
    records = encode_meta(META)
    shape = json.loads(records[SHAPE_KEY])
    del shape["config"]["close_clicks"], shape["config"]["close_half_lives"]
    old = decode_meta({**records, SHAPE_KEY: json.dumps(shape).encode()}, "/state")
    without = replace(CONFIG, close_clicks=0, close_half_lives=())
    refuse_mismatch(old, 3, without, EVENTS, "/state")
    with pytest.raises(StateMismatchError, match=r"--set 'state\.close_clicks=0'"):
        refuse_mismatch(old, 3, CONFIG, EVENTS, "/state")


def test_another_partition_is_refused() -> None:
    """Directories that were exchanged are noticed."""
    with pytest.raises(StateMismatchError, match="partition 3, not of 4"):
        refuse_mismatch(META, 4, CONFIG, EVENTS, "/state")


def test_event_names_may_only_be_added() -> None:
    """State holds codes: a new name at the end is fine, anything else changes meanings."""
    refuse_mismatch(META, 3, CONFIG, (*EVENTS, "gift"), "/state")
    for names in (("click",), ("buy", "click"), ("click", "gift", "buy")):
        with pytest.raises(StateMismatchError, match="added at the end"):
            refuse_mismatch(META, 3, CONFIG, names, "/state")


def test_a_store_asks_before_it_works(tmp_path: Path) -> None:
    """Opened with other settings it refuses, and takes over the events that were added."""
    store = open_store(tmp_path)
    apply(store, shopping(1, 1))
    store.flush()
    store.close()
    with pytest.raises(StateMismatchError, match="buffer_length"):
        open_store(tmp_path, replace(CONFIG, buffer_length=5))
    longer = EventRules(weights={**RULES.weights, "gift": 5.0})
    store = open_store(tmp_path, rules=longer)
    apply(store, [Told(0, 2, START + 1, 4, 99)])
    store.flush()
    store.close()
    with pytest.raises(StateMismatchError, match="added at the end"):
        open_store(tmp_path)
