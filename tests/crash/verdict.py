"""Whether a disturbed pipeline ended where an undisturbed one does; everything read as a stream."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from consumers.topics.log_range import read_range
from stream.clock import Clock
from stream.errors import StateCorruptError
from stream.events.clicks.codec import ClickCodec
from stream.events.records.dead_letters import parse_dead_letter
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.events.records.sequence import SequenceRecord, decode_sequence
from stream.log.interface import Log, RecordBatch
from stream.state.checkpoint import Checkpoint
from stream.state.dump import dump


@dataclass
class Verdict:
    """What was found.

    Parameters
    ----------
    problems
        In plain words; none is what is wanted.
    counts
        What was looked at.
    """

    problems: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class _Shopper:
    partition: int
    newest: int = -1
    accepted_at: float = 0.0
    forgotten_at: int = -1
    seen_since: dict[str, int] = field(default_factory=dict)
    hashes: set[int] = field(default_factory=set)


def reference_of(fleet_config: GsrConfig, root: Path) -> GsrConfig:
    """Return the configuration of an ingest that reads the same clicks and disturbs nobody."""
    return fleet_config.with_values(
        {
            "state": {"directory": root},
            "artifacts": {"url": str(root / "artifacts")},
            "log": {
                "sequences": "reference.sequences",
                "dead_letters": "reference.dlq",
            },
            "ingest": {
                "group": "reference-ingest",
                "checkpoint_interval_seconds": 1e6,
                "sequence_bytes_per_second": 1e9,
            },
        }
    )


def ingest_once(config: GsrConfig, log: Log, clock: Clock) -> None:
    """Ingest everything there is, in one go and in this process."""
    for spec in config.log.topics():
        log.create_topic(spec)
    role = IngestRole(config, log, clock, Metrics("ingest", clock), open_artifacts(config, clock))
    # Asked again and again: the end may still move past the marker of a transaction.
    while role.positions() != log.end_offsets(config.log.clicks):
        role.step()
    role.close()


def compare_states(owners: list[Path], reference: Path, partitions: int, found: Verdict) -> None:
    """Compare, byte by byte, whichever owner's state of each partition is the furthest."""
    entries = 0
    for partition in range(partitions):
        name = f"partition-{partition}"
        candidates = [path / name for path in owners if (path / name / "db").is_dir()]
        live = max(candidates, key=_offset_of)
        differing = 0
        for here, there in _pairs(dump(live), dump(reference / name)):
            entries += 1
            differing += here != there
        if differing:
            found.problems.append(f"{live}: {differing} entries differ from the reference")
    found.counts["state_entries"] = entries


def _offset_of(path: Path) -> int:
    try:
        with Checkpoint.open(path) as checkpoint:
            return checkpoint.meta.next_offset
    except StateCorruptError:  # begun there, but never flushed
        return -1


def _pairs(one: Iterator[Any], two: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    while True:
        here, there = next(one, None), next(two, None)
        if here is None and there is None:
            return
        yield here, there


def compare_sequences(log: Log, live: str, reference: str, found: Verdict) -> None:
    """Compare what a reader ends with.

    After a crash, clicks are read again from the last flush and their users' sequences sent again,
    the first of them older than what was sent before the crash: readers ignore these. They are
    counted, and must be replaced in the end.
    """
    here, found.counts["sequences_sent_again"] = _newest_sequences(log, live)
    there, _ = _newest_sequences(log, reference)
    differing = [user for user in here.keys() | there.keys() if here.get(user) != there.get(user)]
    found.counts["sequences"] = len(there)
    if differing:
        found.problems.append(f"{len(differing)} users' sequences differ, such as {differing[:3]}")


def _newest_sequences(log: Log, topic: str) -> tuple[dict[str, tuple[Any, ...]], int]:
    newest: dict[str, tuple[Any, ...]] = {}
    offsets: dict[str, int] = {}
    backwards = 0
    for batch in whole_topic(log, topic):
        for key, value in zip(batch.keys, batch.values, strict=True):
            user = (key or b"").decode()
            if value is None:
                newest.pop(user, None)
                continue
            record: SequenceRecord = decode_sequence(value)
            backwards += record.source_offset < offsets.get(user, -1)
            offsets[user] = record.source_offset
            newest[user] = (record.items, record.times, record.events, record.seen)
    return newest, backwards


def check_topics(log: Log, config: GsrConfig, clock: Clock, found: Verdict) -> None:
    """Check lists and dead letters against the clicks themselves."""
    shoppers, bad = _shoppers(log, config)
    found.counts["users"] = len(shoppers)
    found.counts["bad_records"] = len(bad)
    _check_dead_letters(log, config, bad, found)
    artifacts = open_artifacts(config, clock)
    promotions = [
        (float(facts["created_at"]), int(facts["version"])) for facts in artifacts.snapshots()
    ]
    found.counts["models"] = max([0, *(version for _, version in promotions)])
    _check_lists(log, config, shoppers, promotions, found)


def _shoppers(log: Log, config: GsrConfig) -> tuple[dict[str, _Shopper], set[tuple[int, int]]]:
    codec = ClickCodec(config.events.rules())
    watermarks: defaultdict[int, float] = defaultdict(lambda: float("-inf"))
    shoppers: dict[str, _Shopper] = {}
    bad: set[tuple[int, int]] = set()
    for batch in whole_topic(log, config.log.clicks):
        decoded = codec.decode(batch, watermarks[batch.partition])
        watermarks[batch.partition] = decoded.watermark
        bad.update((batch.partition, one.offset) for one in decoded.bad)
        clicks = decoded.clicks
        for row, (user, offset, mark, appended) in enumerate(
            zip(
                clicks.user_ids,
                clicks.offsets.tolist(),
                clicks.hashes.tolist(),
                clicks.append_times.tolist(),
                strict=True,
            )
        ):
            shopper = shoppers.setdefault(user, _Shopper(batch.partition))
            if clicks.forget[row]:
                shoppers[user] = _Shopper(batch.partition, forgotten_at=offset)
            elif mark not in shopper.hashes:
                shopper.hashes.add(mark)
                shopper.newest, shopper.accepted_at = offset, appended
                shopper.seen_since.setdefault(clicks.item_ids[row], offset)
    return shoppers, bad


def _check_dead_letters(
    log: Log, config: GsrConfig, bad: set[tuple[int, int]], found: Verdict
) -> None:
    letters = [
        (letter.partition, letter.offset)
        for batch in whole_topic(log, config.log.dead_letters)
        for key, value, headers in zip(batch.keys, batch.values, batch.headers, strict=True)
        for letter in [parse_dead_letter(key, value, headers)]
    ]
    found.counts["dead_letters"] = len(letters)
    found.counts["dead_letters_repeated"] = len(letters) - len(set(letters))
    if set(letters) != bad:
        found.problems.append(f"{len(set(letters) ^ bad)} dead letters are missing or too many")


def _check_lists(
    log: Log,
    config: GsrConfig,
    shoppers: dict[str, _Shopper],
    promotions: list[tuple[float, int]],
    found: Verdict,
) -> None:
    newest: dict[str, Recommendation] = {}
    wrong: defaultdict[str, list[str]] = defaultdict(list)
    lists = 0
    for batch in whole_topic(log, config.log.recommendations):
        for key, value in zip(batch.keys, batch.values, strict=True):
            user = (key or b"").decode()
            if value is None:
                newest.pop(user, None)
                continue
            lists += 1
            record = decode_recommendation(value)
            before = newest.get(user)
            if before is not None and record.model_version < before.model_version:
                wrong["an older model after a newer one"].append(user)
            newest[user] = record
            if _holds_seen(record, shoppers.get(user)):
                wrong["seen items in a list, or a list of nobody"].append(user)
    for user, shopper in shoppers.items():
        serving = max([0, *(v for when, v in promotions if when <= shopper.accepted_at)])
        what = _fault(newest.get(user), shopper, serving)
        if what is not None:
            wrong[what].append(user)
    found.counts["lists"] = lists
    found.problems += [
        f"{what}: {len(who)} users, such as {who[:3]}" for what, who in wrong.items()
    ]


def _holds_seen(record: Recommendation, shopper: _Shopper | None) -> bool:
    if shopper is None:
        return True
    offset = -1 if record.source_offset is None else record.source_offset
    if offset <= shopper.forgotten_at:
        return False
    return any(shopper.seen_since.get(item.item_id, offset + 1) <= offset for item in record.items)


def _fault(newest: Recommendation | None, shopper: _Shopper, serving: int) -> str | None:
    """Return what is wrong with a user's newest list."""
    if shopper.newest < 0:
        return None if newest is None else "forgotten, but a list"
    if newest is None:
        return "no list"
    if newest.source_offset != shopper.newest:
        return "a list that does not know the newest click"
    if newest.model_version < serving:
        return "a list of an older model than served at the click"
    return None


def whole_topic(log: Log, topic: str) -> Iterator[RecordBatch]:
    """Yield all that a topic holds, partition by partition."""
    starts = log.start_offsets(topic)
    for partition, end in log.end_offsets(topic).items():
        yield from read_range(log, topic, partition, starts[partition], end)
