"""What must hold of the topics after any crashes, worked out from the clicks alone."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from consumers.config.settings import GsrConfig
from stream.events.clicks.codec import ClickCodec
from stream.events.records.dead_letters import parse_dead_letter
from stream.events.records.item_control import decode_item_control
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.events.records.sequence import SequenceRecord, decode_sequence
from stream.log.interface import Log, RecordBatch


@dataclass
class Shopper:
    """A user's clicks since the last forget, in the order of the log."""

    partition: int
    clicks: list[tuple[int, float, str]] = field(default_factory=list)
    forgotten_at: int = -1

    def seen_before(self, offset: int) -> set[str]:
        """Return the items of all clicks up to and with `offset`."""
        return {item for at, _, item in self.clicks if at <= offset}


@dataclass
class Ledger:
    """Who clicked what, and which records are bad.

    Duplicates are left in: they name items that were seen, and never a user's newest click here.
    """

    users: dict[str, Shopper]
    bad: list[tuple[int, int]]

    @classmethod
    def of(cls, log: Log, config: GsrConfig) -> "Ledger":
        """Read the topic of clicks."""
        codec = ClickCodec(config.events.rules())
        watermarks: defaultdict[int, float] = defaultdict(lambda: float("-inf"))
        users: dict[str, Shopper] = {}
        bad: list[tuple[int, int]] = []
        hashes: defaultdict[str, set[int]] = defaultdict(set)
        for batch in whole_topic(log, config.log.clicks):
            decoded = codec.decode(batch, watermarks[batch.partition])
            watermarks[batch.partition] = decoded.watermark
            bad += [(batch.partition, one.offset) for one in decoded.bad]
            clicks = decoded.clicks
            for row in range(len(clicks)):
                user, offset = clicks.user_ids[row], int(clicks.offsets[row])
                shopper = users.setdefault(user, Shopper(batch.partition))
                if clicks.forget[row]:
                    shopper.clicks.clear()
                    hashes[user].clear()
                    shopper.forgotten_at = offset
                elif int(clicks.hashes[row]) not in hashes[user]:
                    hashes[user].add(int(clicks.hashes[row]))
                    shopper.clicks.append(
                        (offset, float(clicks.append_times[row]), clicks.item_ids[row])
                    )
        return cls(users, bad)


def whole_topic(log: Log, topic: str) -> Iterator[RecordBatch]:
    """Yield all that a topic holds."""
    ends = log.end_offsets(topic)
    reader = log.reader(topic)
    while any(reader.position(p) < end for p, end in ends.items()):
        yield from reader.poll(10_000, 1.0)


def sequences(log: Log, config: GsrConfig) -> dict[str, SequenceRecord | None]:
    """Return each user's newest sequence, None for a tombstone."""
    newest: dict[str, SequenceRecord | None] = {}
    for batch in whole_topic(log, config.log.sequences):
        for key, value in zip(batch.keys, batch.values, strict=True):
            assert key is not None
            newest[key.decode()] = None if value is None else decode_sequence(value)
    return newest


def lists(log: Log, config: GsrConfig) -> dict[str, list[Recommendation | None]]:
    """Return each user's lists in order, None for a tombstone."""
    found: defaultdict[str, list[Recommendation | None]] = defaultdict(list)
    for batch in whole_topic(log, config.log.recommendations):
        for key, value in zip(batch.keys, batch.values, strict=True):
            assert key is not None
            found[key.decode()].append(None if value is None else decode_recommendation(value))
    return dict(found)


def dead_letters(log: Log, config: GsrConfig) -> list[tuple[int, int]]:
    """Return the (partition, offset) of each dead letter's source."""
    return [
        (letter.partition, letter.offset)
        for batch in whole_topic(log, config.log.dead_letters)
        for key, value, headers in zip(batch.keys, batch.values, batch.headers, strict=True)
        for letter in [parse_dead_letter(key, value, headers)]
    ]


def blocked_items(log: Log, config: GsrConfig) -> set[str]:
    """Return the items that were taken down."""
    newest = {
        control.item_id: control
        for batch in whole_topic(log, config.log.items)
        for value in batch.values
        if value is not None
        for control in [decode_item_control(value)]
    }
    return {item for item, control in newest.items() if not control.available}


def check_lists(
    ledger: Ledger,
    found: dict[str, list[Recommendation | None]],
    promotions: list[tuple[float, int]],
    blocked: set[str],
) -> list[str]:
    """Return what is wrong with the lists, in plain words.

    Parameters
    ----------
    promotions
        (When, version) of each model, oldest first.
    blocked
        Items that no list may hold in the end.
    """
    problems: list[str] = []
    for user, shopper in ledger.users.items():
        records = found.get(user, [])
        newest = records[-1] if records else None
        if not shopper.clicks:
            if newest is not None:
                problems.append(f"{user} was forgotten but has a list")
            continue
        offset, accepted_at, _ = shopper.clicks[-1]
        if newest is None:
            problems.append(f"{user} clicked at offset {offset} but has no list")
            continue
        if newest.source_offset != offset:
            problems.append(f"{user}: newest click {offset}, list knows {newest.source_offset}")
        held = blocked & {item.item_id for item in newest.items}
        if held:
            problems.append(f"{user}: blocked items {sorted(held)} in the list")
        serving = max([0, *(version for when, version in promotions if when <= accepted_at)])
        if newest.model_version < serving:
            problems.append(f"{user}: list of model {newest.model_version}, {serving} served")
        problems += check_history(user, shopper, records)
    problems += [f"{user} never clicked but has a list" for user in found.keys() - ledger.users]
    return problems


def check_history(
    user: str, shopper: Shopper, records: list[Recommendation | None]
) -> Iterator[str]:
    """Yield what is wrong with one user's lists over time."""
    version = 0
    for record in records:
        if record is None:
            version = 0
            continue
        if record.user_id != user:
            yield f"{user} got the list of {record.user_id}"
        if record.model_version < version:
            yield f"{user}: model {record.model_version} after {version}"
        version = record.model_version
        offset = record.source_offset
        if offset is not None and offset > shopper.forgotten_at:
            again = shopper.seen_before(offset) & {item.item_id for item in record.items}
            if again:
                yield f"{user}: seen items {sorted(again)} in the list at {offset}"
