"""What the example counts from the topics is what the publisher counts: on a live run."""

import random
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumers.roles.publisher.attribution.served_clicks import served_group
from examples.served_hits import ServedHits, bucket
from stream.events.clicks.encoding import encode_click
from stream.events.records.recommendation import decode_recommendation
from stream.log.interface import Outgoing, Reader
from tests.crash.pipeline import Pipeline

CLICKS: Final = 900
PAUSE_SECONDS: Final = 0.02
PATIENCE_SECONDS: Final = 60.0
USERS: Final = 40
ITEMS: Final = 60
SEED: Final = 3


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """Set up roles that learn and serve within seconds."""
    settings: dict[str, dict[str, Any]] = {
        "ingest": {"checkpoint_interval_seconds": 0.5},
        "trainer": {
            "cycle_seconds": 2.0,
            "cycle_min_clicks": 50,
            "budget_seconds": 2.0,
            "view_interval_seconds": 0.5,
        },
        "publisher": {"list_length": 15, "artifacts_poll_seconds": 0.1},
    }
    pipeline = Pipeline(tmp_path / "live", settings)
    yield pipeline
    pipeline.abandon()


class Shoppers:
    """People who look at their lists, or not, and click; the example reads what the log then holds.

    Some are new. Some clicks name the list, some of them one from a while ago, some are none.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        topics = pipeline.config.log
        self._writer = pipeline.log.writer(topics.clicks)
        self._readers: list[Reader] = [
            pipeline.log.reader(topic)
            for topic in (
                topics.recommendations,
                topics.default_recommendations,
                topics.dead_letters,
                topics.clicks,
            )
        ]
        self._random = random.Random(SEED)  # noqa: S311 - of shoppers, not of secrets
        self._lists: dict[str, list[tuple[str | None, list[str]]]] = {}
        self.served = ServedHits()
        self.sent = 0

    def read(self) -> None:
        """Hand what is new on the topics to the example, before compaction takes any of it."""
        lists, default, dead, clicks = self._readers
        for reader in (lists, default):
            for batch in reader.poll(10_000, 0.0):
                for key, value in zip(batch.keys, batch.values, strict=True):
                    assert key is not None
                    self.served.add_list(key, value)
                    if value is not None and reader is lists:
                        record = decode_recommendation(value)
                        shown = (record.list_id, [item.item_id for item in record.items])
                        self._lists.setdefault(record.user_id, []).append(shown)
        for batch in dead.poll(10_000, 0.0):
            for headers in batch.headers:
                self.served.add_dead_letter(dict(headers))
        for batch in clicks.poll(10_000, 0.0):
            for offset, taken_at, value in zip(
                batch.offsets.tolist(), batch.append_times.tolist(), batch.values, strict=True
            ):
                self.served.add_click(batch.partition, offset, taken_at, value)

    def click(self) -> None:
        """Have one of them click."""
        draw = self._random
        newcomer = draw.random() < 0.2
        user = f"new-{self.sent}" if newcomer else f"u{draw.randrange(USERS)}"
        item, named = f"i{int(ITEMS * draw.random() ** 2)}", None
        if (lists := self._lists.get(user)) and draw.random() < 0.5:
            named, items = lists[-1] if draw.random() < 0.7 else draw.choice(lists[-3:])
            item = draw.choice(items) if items else item
        fields: dict[str, Any] = {}
        if named is not None and draw.random() < 0.5:
            fields["list_id"] = named
            fields["list_position"] = draw.choice([None, 1, 25])
        elif draw.random() < 0.05:
            fields["list_id"] = draw.choice(["elsewhere", "0123456789abcdef"])
        event = draw.choices(["click", "cart", "seen", "hide"], [20, 4, 1, 1])[0]
        value = encode_click(user, item, time.time(), event, uuid.uuid4().hex, **fields)
        if draw.random() < 0.03:
            value = value[:-2]
        self._writer.append([Outgoing(user.encode(), value)])
        self.sent += 1


def scrape(pipeline: Pipeline) -> dict[str, dict[tuple[str, ...], int]]:
    """Return what the publisher's metrics of served lists say, without what is 0."""
    url = f"http://127.0.0.1:{pipeline.ports['publisher']}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[str, ...], int]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith("gsr_served_") and sample.value:
                values = tuple(sample.labels[label] for label in sorted(sample.labels))
                found.setdefault(sample.name, {})[values] = int(sample.value)
    return found


def wait_until_counting(pipeline: Pipeline) -> None:
    """Return when the publisher has noted where it begins: it counts the clicks after that."""
    group, clicks = served_group(pipeline.config), pipeline.config.log.clicks
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(pipeline.log.saved_positions(group, clicks)) < pipeline.config.log.partitions:
        assert time.monotonic() < deadline, pipeline.said("publisher")
        time.sleep(0.1)


def judged(served: ServedHits) -> Counter[int]:
    """Return the clicks whose list is known, by model version."""
    found: Counter[int] = Counter()
    for (version, _), count in served.versions.items():
        found[version] += count
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_metrics_are_what_the_topics_say(pipeline: Pipeline) -> None:
    """By outcome, reason, position and version, while models, lists and clicks come all at once."""
    for role in ("ingest", "trainer", "publisher"):
        pipeline.start(role)
        pipeline.wait_until_started(role)
    wait_until_counting(pipeline)
    shoppers = Shoppers(pipeline)
    shoppers.read()
    while shoppers.sent < CLICKS or max(judged_now(shoppers), default=0) < 1:
        shoppers.click()
        shoppers.read()
        time.sleep(PAUSE_SECONDS)
        assert shoppers.sent < 20 * CLICKS, "no model was promoted"
    pipeline.wait_until_settled()
    shoppers.read()
    served = shoppers.served
    served.judge()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (
        sum((found := scrape(pipeline))["gsr_served_clicks_total"].values()) < served.clicks.total()
    ):
        assert time.monotonic() < deadline, f"{found['gsr_served_clicks_total']} {served.clicks}"
        time.sleep(0.2)
    assert found["gsr_served_clicks_total"] == dict(served.clicks)
    assert found["gsr_served_hits_total"] == dict(served.hits)
    clicks = judged(served)
    newest = dict(
        zip(("newest", "previous", "earlier"), sorted(clicks, reverse=True), strict=False)
    )
    hits = {model: served.versions[version, "hit"] for model, version in newest.items()}
    assert found["gsr_served_model_clicks"] == {(m,): clicks[v] for m, v in newest.items()}
    assert found["gsr_served_model_hits"] == {(m,): n for m, n in hits.items() if n}
    assert found["gsr_served_model_version"] == {(m,): v for m, v in newest.items() if v}
    # It was no easy run: of everything there was some.
    assert {outcome for outcome, _ in served.clicks} >= {"hit", "miss", "unknown"}
    assert {reason for _, reason in served.hits} >= {"click", "default"}
    assert len(served.hits) > 5
    pipeline.stop()


def judged_now(shoppers: Shoppers) -> Counter[int]:
    """Return the versions of the lists that were clicked on until a second ago."""
    shoppers.served.judge(time.time() - 1.0)
    return judged(shoppers.served)


@pytest.mark.parametrize(
    ("place", "name"),
    [(1, "1"), (2, "2-5"), (10, "6-10"), (11, "11-20"), (50, "21-50"), (51, "51-")],
)
def test_places_are_counted_in_the_groups_of_the_metrics(place: int, name: str) -> None:
    """At the edges."""
    assert bucket(place) == name
