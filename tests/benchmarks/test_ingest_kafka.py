"""The Kafka benchmark compares like with like, and can be done in pieces."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ingest_kafka.clicks import ClickTopic
from benchmarks.ingest_kafka.contenders import CONTENDERS
from benchmarks.ingest_kafka.reference import BUFFER_LENGTH, Entry, expected, place
from benchmarks.ingest_kafka.results import rates, ratios, table
from benchmarks.result_file import OtherSettingsError, ResultFile
from consumers.config.settings import GsrConfig
from gsr.counters.config import CounterConfig
from stream.clock import ManualClock
from stream.events.clicks.codec import ClickCodec
from stream.log.interface import RecordBatch
from stream.state.store import PartitionStore
from stream.state.store_options import StoreOptions
from tests.stream.state.comparison import words_of_checkpoint

CLICKS = ClickTopic(events=3000, users=50, partitions=1, compression="none")


def test_state_comes_to_what_the_peers_must_come_to(tmp_path: Path) -> None:
    """With hardly any decay and nothing trimmed, what followed is the reference's."""
    records = list(CLICKS.records())
    batch = RecordBatch(
        topic="clicks",
        partition=0,
        offsets=np.arange(len(records)),
        append_times=np.full(len(records), 2e9),
        keys=[record.key for record in records],
        values=[record.value for record in records],
    )
    rules = GsrConfig().events.rules()
    decoded = ClickCodec(rules).decode(batch, float("-inf"))
    shape = CounterConfig(half_lives=(1e15,), neighbours=2048)
    store = PartitionStore.open(tmp_path, 0, shape, rules, ManualClock(), StoreOptions())
    store.apply(decoded.clicks, decoded.watermark, batch.next_offset)
    store.flush()
    store.close()
    words = words_of_checkpoint(tmp_path)
    rows = [neighbours for *_, neighbours in words["items"].values()]
    wanted = expected(records)
    assert {
        "users": len(words["users"]),
        "buffered": sum(len(user[0]) for user in words["users"].values()),
        "edges": sum(weights[0] > 0 for row in rows for _, weights in row),
    } == {name: wanted[name] for name in ("users", "buffered", "edges")}
    weight = sum(weights[0] for row in rows for _, weights in row)
    assert weight == pytest.approx(wanted["weight"], rel=1e-5)


def test_a_late_click_is_put_in_its_place() -> None:
    buffer: list[Entry] = [(1.0, "a", "click"), (2.0, "b", "click"), (4.0, "d", "cart")]
    assert place(buffer, (3.0, "c", "purchase")) == [
        ("b", "c", 3.0),
        ("a", "c", 1.5),
        ("c", "d", 2.0),
    ]
    assert [item for _, item, _ in buffer] == ["a", "b", "c", "d"]


def test_repeats_and_old_clicks_change_nothing() -> None:
    buffer: list[Entry] = [(float(n), f"i{n}", "click") for n in range(1, BUFFER_LENGTH + 1)]
    before = list(buffer)
    assert place(buffer, buffer[5]) == []
    assert place(buffer, (0.5, "old", "click")) == []
    assert buffer == before


def test_a_full_buffer_loses_its_oldest() -> None:
    buffer: list[Entry] = [(float(n), "same", "click") for n in range(BUFFER_LENGTH)]
    assert place(buffer, (100.0, "same", "click")) == []
    assert len(buffer) == BUFFER_LENGTH
    assert buffer[0][0] == 1.0


def test_graphs_of_partitions_are_counted_apart() -> None:
    one, four = (expected(CLICKS.records(), partitions) for partitions in (1, 4))
    assert four["edges"] > one["edges"]
    assert four["weight"] == pytest.approx(one["weight"])


def run_of(contender: str, number: int, seconds: float, events: int = 1000) -> dict[str, object]:
    measured = {"events": events, "seconds": seconds, "cpu_seconds": seconds / 2}
    return {"contender": contender, "run": number, "measured": measured}


def test_medians_spreads_and_ratios() -> None:
    runs = [run_of("ingest", n, seconds) for n, seconds in enumerate((1.0, 2.0, 4.0))]
    runs += [run_of("kafka-streams", 0, 2.0, events=100)]
    summary = rates(runs)
    assert summary["ingest"]["events_per_cpu_second"] == {
        "median": 1000,
        "least": 500,
        "most": 2000,
    }
    assert ratios(summary) == {
        "ingest": {"kafka-streams": {"events_per_cpu_second": 10.0, "events_per_second": 10.0}}
    }
    assert "ingest / kafka-streams: 10.0" in table(summary, {one.name: "" for one in CONTENDERS})


def test_results_go_on_where_they_stopped(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    first = ResultFile.open(path, "b", {"events": 5}, lambda runs: {"count": len(runs)})
    first.add(contender="x", run=0)
    second = ResultFile.open(path, "b", {"events": 5}, lambda runs: {"count": len(runs)})
    assert second.holds(contender="x", run=0)
    assert not second.holds(contender="x", run=1)
    second.add(contender="x", run=1)
    assert json.loads(path.read_text())["count"] == 2
    with pytest.raises(OtherSettingsError, match="name another file"):
        ResultFile.open(path, "b", {"events": 6}, lambda _: {})
