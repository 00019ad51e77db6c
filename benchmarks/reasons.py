"""Whether the click that is named as the reason for an item really is it.

    python -m benchmarks.reasons EVENTS --lists 1000 --out docs/results/reasons.json

Learns the file's clicks through the loop, as a service does, makes the lists of users drawn at
random, and lets them be explained. Then each click that was named is really taken away: the
user's record is written without it, the item stays seen, and the publisher's own code makes a list
of that record. The item must have a smaller share there: of the best hundred, by softmax over
their scores; an item that is not among them has none. For comparison another click of the same
user, drawn at random, is taken away in the same way.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from benchmarks.replays import rounded
from benchmarks.reports import machine, report
from consumers.config.settings import GsrConfig
from consumers.learning.live_loop import live_loop, serving_view
from consumers.offline.click_history import ClickHistory, ClickHistoryOptions
from consumers.runtime.progress import quiet
from consumers.serving.model_scorer import ModelScorer
from consumers.serving.recommender import Explanation, Recommender
from gsr.counters.ids.fingerprint import fingerprint
from gsr.loop.learning_loop import LearningLoop
from gsr.reasons.words import in_words
from stream.events.records.recommendation import ScoredItem
from stream.events.records.sequence import (
    SequenceRecord,
    pack_seen,
    sequence_record,
    unpack_seen,
)

COMPARED: Final = 100
LISTED: Final = 10
SHOWN: Final = 20
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How an item stands in one list of `COMPARED` items.

    Parameters
    ----------
    score, share
        Its score, and its share of the list by softmax; -inf and 0 where it is not listed.
    rank
        From 1; one behind the last where it is not listed.
    """

    score: float
    share: float
    rank: int


@dataclass(frozen=True, slots=True)
class Removal:
    """One item of a list, before and after a click was taken away.

    Parameters
    ----------
    named
        Whether the click was named as the reason, or drawn.
    before, after
        How the item stands.
    """

    named: bool
    before: Standing
    after: Standing


def main() -> None:
    """Learn, explain, take away, and write what became of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("events", type=Path)
    parser.add_argument("--lists", type=int, default=1000)
    parser.add_argument("--limit", type=int, help="only the first so many clicks")
    parser.add_argument("--out", type=Path, required=True, help="where the summary goes")
    arguments = parser.parse_args()
    config = GsrConfig()
    loop = learned(config, arguments.events, arguments.limit)
    recommender = serving(config, loop)
    rng = np.random.default_rng(SEED)
    records = list(drawn_records(config, loop, arguments.lists, rng))
    began = time.process_time()
    made = [recommender.explain(record, LISTED)[1] for record in records]
    seconds = time.process_time() - began
    removals = [
        one
        for record, items in zip(records, made, strict=True)
        for one in removed(recommender, record, items, rng)
    ]
    everything = [one for items in made for one in items]
    summary = {
        "data": arguments.events.resolve().parent.name,
        "limit": arguments.limit,
        "machine": machine(),
        **summarise(made, removals),
        "cpu_milliseconds_per_list": 1000.0 * seconds / max(len(records), 1),
    }
    report(rounded(summary), arguments.out)
    for at in rng.choice(len(everything), min(SHOWN, len(everything)), replace=False).tolist():
        one = everything[at]
        print(f"{one.item_id}: {in_words(one.reason)}")


def learned(config: GsrConfig, events: Path, limit: int | None) -> LearningLoop:
    """Return a loop that has learned an event file."""
    options = ClickHistoryOptions(events=events, config=config, limit=limit)
    history = ClickHistory.look_through(options, quiet, time.time())
    loop = live_loop(config)
    for batch in history.batches():
        loop.advance(batch, rank=False)
        loop.test()
        loop.learn()
    return loop


def serving(config: GsrConfig, loop: LearningLoop) -> Recommender:
    """Return the publisher's maker of lists on the loop's counters and model."""
    recommender = Recommender(
        config.events.weights,
        list_length=config.publisher.list_length,
        allow_repeats=config.publisher.allow_repeats,
    )
    scorer = ModelScorer(
        loop.stream.model, 1, loop.mirror.generations, repeats=config.publisher.allow_repeats
    )
    recommender.follow(serving_view(loop.mirror, loop.mirror.arrays.watermark, {}), scorer)
    return recommender


def drawn_records(
    config: GsrConfig, loop: LearningLoop, count: int, rng: np.random.Generator
) -> Iterator[SequenceRecord]:
    """Yield the records of `count` users, or of all where there are fewer, in random order."""
    arrays, names = loop.mirror.arrays, tuple(config.events.weights)
    users = [user_id for user_id, _ in arrays.users.taken()]
    for place in rng.permutation(len(users))[:count].tolist():
        buffer = arrays.user_buffer(users[place])
        if buffer is not None:
            items = [arrays.items.id_of(row) if row >= 0 else None for row in buffer.items.tolist()]
            yield sequence_record(users[place], buffer, items, names, 0, 0)


def removed(
    recommender: Recommender,
    record: SequenceRecord,
    explanations: Sequence[Explanation],
    rng: np.random.Generator,
) -> Iterator[Removal]:
    """Take away each click that was named for an item of a list, and another one for each."""
    named = {
        one.item_id: one.reason.click.item_id
        for one in explanations
        if one.reason.click is not None
    }
    others = {item: drawn for item in named if (drawn := other_click(record, named[item], rng))}
    gone = sorted({*named.values(), *others.values()})
    records = [record, *(without(record, item) for item in gone)]
    whole, *rest = (made.items for made in recommender.recommend(records, COMPARED))
    lists = dict(zip(gone, rest, strict=True))
    for item, clicked in named.items():
        before = standing(item, whole)
        yield Removal(True, before, standing(item, lists[clicked]))
        if item in others:
            yield Removal(False, before, standing(item, lists[others[item]]))


def other_click(record: SequenceRecord, named: str, rng: np.random.Generator) -> str | None:
    """Return the item of another click of the user, None where there is none."""
    rest = sorted({item for item in record.items if item != named})
    return rest[int(rng.integers(len(rest)))] if rest else None


def without(record: SequenceRecord, item_id: str) -> SequenceRecord:
    """Return a user's record as if they had never clicked an item, which they may not get yet."""
    kept = [at for at, item in enumerate(record.items) if item != item_id]
    seen = unpack_seen(record.seen) if record.seen else np.zeros(0, dtype=np.uint32)
    mark = np.array([fingerprint(item_id)], dtype=np.uint32)
    return msgspec.structs.replace(
        record,
        items=[record.items[at] for at in kept],
        times=[record.times[at] for at in kept],
        events=[record.events[at] for at in kept],
        seen=pack_seen(np.concatenate((seen, mark))),
    )


def standing(item_id: str, listed: Sequence[ScoredItem]) -> Standing:
    """Return how an item stands in a list.

    >>> standing("b", [ScoredItem("a", 1.0), ScoredItem("b", 1.0)])
    Standing(score=1.0, share=0.5, rank=2)
    >>> standing("c", [ScoredItem("a", 1.0)])
    Standing(score=-inf, share=0.0, rank=2)
    """
    scores = np.array([one.score for one in listed])
    for at, one in enumerate(listed):
        if one.item_id == item_id:
            shares = np.exp(scores - scores.max())
            return Standing(one.score, float(shares[at] / shares.sum()), at + 1)
    return Standing(-np.inf, 0.0, len(listed) + 1)


def summarise(
    explained: Sequence[Sequence[Explanation]], removals: Sequence[Removal]
) -> dict[str, Any]:
    """Return how many items had which kind of reason, and what became of items without clicks."""
    items = [one for items in explained for one in items]
    return {
        "lists": len(explained),
        "items": len(items),
        "reasons": dict(Counter(one.reason.kind for one in items).most_common()),
        "named_click": lowered([one for one in removals if one.named]),
        "other_click": lowered([one for one in removals if not one.named]),
    }


def lowered(removals: Sequence[Removal]) -> dict[str, Any]:
    """Return how often an item had less than before, and how much of its share it lost."""
    pairs = [(one.before, one.after) for one in removals]
    lost = [1.0 - after.share / before.share for before, after in pairs if before.share > 0.0]

    def share_of(found: Sequence[bool]) -> float | None:
        return float(np.mean(found)) if found else None

    return {
        "removals": len(pairs),
        "share_lowered": share_of([after.share < before.share for before, after in pairs]),
        "score_lowered": share_of([after.score < before.score for before, after in pairs]),
        "rank_lowered": share_of([after.rank > before.rank for before, after in pairs]),
        "rank_raised": share_of([after.rank < before.rank for before, after in pairs]),
        "median_share_lost": float(np.median(lost)) if lost else None,
    }


if __name__ == "__main__":
    main()
