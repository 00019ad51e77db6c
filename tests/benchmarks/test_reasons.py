"""Reasons hold on a log that was learned: what was named is taken away, and items have less."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.reasons import (
    Removal,
    Standing,
    drawn_records,
    learned,
    lowered,
    removed,
    serving,
    summarise,
    without,
)
from consumers.config.settings import GsrConfig
from gsr.counters.ids.fingerprint import fingerprint
from gsr.reasons.words import in_words
from stream.events.records.sequence import SequenceRecord, unpack_seen
from tests.gsr.ranker.world import walks

CLICKS = 2000
LISTS = 12


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the clicks of many users who mostly go from each item to the next one."""
    path = tmp_path_factory.mktemp("reasons") / "events.csv"
    clicks = walks(CLICKS)
    rows = zip(clicks.user_ids, clicks.item_ids, clicks.times.tolist(), strict=True)
    # A user of the walk comes again as another one: nobody has seen everything.
    lines = [
        f"{user}-{number // 150},{item},{time}" for number, (user, item, time) in enumerate(rows)
    ]
    path.write_text("\n".join(["user_id,item_id,timestamp", *lines]))
    return path


def test_named_clicks_carry_their_items(events: Path) -> None:
    """Taken away, they lower the item in 95 of 100 cases at least; others do so much less."""
    config = GsrConfig().with_values({"model": {"dimension": 16, "hidden": 16}})
    loop = learned(config, events, None)
    recommender = serving(config, loop)
    rng = np.random.default_rng(0)
    records = list(drawn_records(config, loop, LISTS, rng))
    made = [recommender.explain(record, 10)[1] for record in records]
    removals = [
        one
        for record, items in zip(records, made, strict=True)
        for one in removed(recommender, record, items, rng)
    ]
    summary = summarise(made, removals)
    assert summary["lists"] == LISTS
    assert summary["named_click"]["removals"] >= LISTS
    assert summary["named_click"]["share_lowered"] >= 0.95
    assert summary["other_click"]["share_lowered"] < 0.8
    assert summary["named_click"]["median_share_lost"] > 0.1
    words = [in_words(one.reason) for items in made for one in items]
    assert any("people went on from i" in one for one in words)


def test_a_record_without_a_click() -> None:
    """All clicks on the item go, and it is seen from now on; the moment stays."""
    record = SequenceRecord(
        user_id="ann",
        items=["a", "b", "a"],
        times=[1.0, 2.0, 3.0],
        events=["click", "view", "cart"],
        source_partition=0,
        source_offset=7,
        next_offset=8,
        last_click_at=3.0,
        accepted_at=3.0,
    )
    other = without(record, "a")
    assert (other.items, other.times, other.events) == (["b"], [2.0], ["view"])
    assert unpack_seen(other.seen).tolist() == [fingerprint("a")]
    assert other.last_click_at == 3.0


def test_what_counts_as_lowered() -> None:
    """Less share, less score, a worse rank; who was named and who not is told by the caller."""
    before = Standing(2.0, 0.5, 1)
    lost, won = Standing(-np.inf, 0.0, 101), Standing(2.0, 0.6, 1)
    found = lowered([Removal(True, before, lost), Removal(True, before, won)])
    assert found["removals"] == 2
    assert found["share_lowered"] == found["score_lowered"] == found["rank_lowered"] == 0.5
    assert found["rank_raised"] == 0.0
    assert found["median_share_lost"] == pytest.approx(0.4)
    assert lowered([])["share_lowered"] is None
