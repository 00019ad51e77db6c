"""A user's clicks and last list, and the list that they would get now."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from consumers.artifacts.store import open_artifacts
from consumers.artifacts.written_settings import as_written
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError, NotFoundError
from consumers.inspect.times import iso_time
from consumers.serving.item_controls import ItemControls
from consumers.serving.item_titles import ItemTitles, names_in_words
from consumers.serving.newest_artifacts import NewestArtifacts
from consumers.serving.view import decode_view
from consumers.topics.log_lookup import newest_record
from consumers.topics.log_range import read_range
from gsr.ranker.features import span
from gsr.reasons.reason import Counts, Reason
from gsr.reasons.words import in_words
from stream.clock import SystemClock
from stream.errors import RecordFormatError
from stream.events.records.recommendation import decode_recommendation
from stream.events.records.sequence import decode_sequence
from stream.log.interface import Log
from stream.log.partitioner import partition_of
from stream.state.checkpoint import Checkpoint

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)


def user_facts(config: GsrConfig, log: Log, key: bytes) -> dict[str, Any]:
    """Return a user's clicks as the newest checkpoint has them, and the last list sent.

    Raises
    ------
    NotFoundError
        Neither the state nor the recommendations know the user.
    """
    user_id = key.decode()
    partition = partition_of(key, len(log.end_offsets(config.log.recommendations)))
    sent = newest_record(log, config.log.recommendations, key)
    answer: dict[str, Any] = {
        "user_id": user_id,
        "partition": partition,
        "clicks": [],
        "seen_before": 0,
        "list": None,
    }
    if sent is not None and sent[1] is not None:
        listed = _readable(decode_recommendation, sent[1], "the list on the topic")
        answer["list"] = msgspec.to_builtins(listed)
    store = open_artifacts(config, SystemClock())
    number = store.newest_checkpoints().get(partition)
    known = False
    if number is not None:
        with Checkpoint.open(store.checkpoint_path(partition, number)) as checkpoint:
            buffer = checkpoint.buffers([user_id]).get(user_id)
            if buffer is not None:
                known = True
                names = dict(checkpoint.vocabulary())
                events = checkpoint.meta.event_names
                answer["seen_before"] = len(buffer.seen)
                answer["clicks"] = [
                    {
                        "time": iso_time(moment),
                        "event": events[event],
                        "item_id": names.get(index, "(an item that has expired)"),
                    }
                    for moment, event, index in zip(
                        buffer.times.tolist(),
                        buffer.events.tolist(),
                        buffer.items.tolist(),
                        strict=True,
                    )
                ]
    _add_titles(config, [*answer["clicks"], *(answer["list"] or {}).get("items", ())])
    if not known and answer["list"] is None:
        raise NotFoundError(
            f"nothing is known of user {user_id!r}. A new click shows here a few seconds later, "
            "once ingest has published a checkpoint."
        )
    return answer


def current_list(config: GsrConfig, log: Log, key: bytes, length: int) -> dict[str, Any]:
    """Make a user's list from the newest view and model, and say why each item is there.

    `reason` is `gsr.reasons.reason.Reason`, `words` says it to people, and `parts` are
    those of `consumers.serving.recommender.Explanation`.

    Raises
    ------
    ArtifactError
        There is no serving view yet.
    """
    clock = SystemClock()
    store = open_artifacts(config, clock)
    if not store.current_view():
        raise ArtifactError(
            f"there is no serving view in {config.artifacts_url} yet: the trainer makes the first "
            "one a few seconds after the first clicks. Does `gsr run` run, with the same --state?"
        )
    view = store.read_view()
    graph = decode_view(view.tensors, view.metadata).graph
    serving = NewestArtifacts(as_written(config, store, graph), store, clock)
    serving.refresh()
    controls = ItemControls()
    _read_controls(log, config.log.items, controls, clock.time())
    serving.recommender.block(controls.blocked)
    found = newest_record(log, config.log.sequences, key)
    record = None
    if found is not None and found[1] is not None:
        record = _readable(decode_sequence, found[1], "the user's sequence on the topic")
    explanations = serving.recommender.explain(record, length)[1]
    titles = ItemTitles(config.titles_file)
    clicked = [one.reason.click.item_id for one in explanations if one.reason.click is not None]
    known = titles.of([*(one.item_id for one in explanations), *clicked])
    titles.close()
    return {
        "user_id": key.decode(),
        "model_version": serving.version,
        "view_age_seconds": max(0.0, clock.time() - serving.view_created_at),
        "clicks": len(record.items) if record else 0,
        "items": [
            {
                "item_id": one.item_id,
                "title": known.get(one.item_id),
                "score": one.score,
                "words": in_words(one.reason, names_in_words(known)),
                "reason": _reason(one.reason, known),
                "parts": dict(one.parts),
            }
            for one in explanations
        ],
    }


def _add_titles(config: GsrConfig, entries: list[dict[str, Any]]) -> None:
    """Put a title, or None, beside the item id of each entry."""
    titles = ItemTitles(config.titles_file)
    known = titles.of(entry["item_id"] for entry in entries)
    titles.close()
    for entry in entries:
        entry["title"] = known.get(entry["item_id"])


def _reason(reason: Reason, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return a reason as JSON has it: counts under the names of their half-lives."""
    facts: dict[str, Any] = {
        "kind": reason.kind,
        "click": None,
        "clicks": _named(reason.clicks),
        "popular_on": span(reason.popular_on),
        "last_click_seconds": reason.last_click_seconds,
        "sequence_share": reason.sequence_share,
    }
    if reason.click is not None:
        facts["click"] = {
            "item_id": reason.click.item_id,
            "title": titles.get(reason.click.item_id),
            "time": iso_time(reason.click.clicked_at),
            "share_lost": reason.click.share_lost,
            "followed": _named(reason.click.followed),
            "together": _named(reason.click.together),
        }
    return facts


def _named(counts: Counts) -> dict[str, float]:
    return {span(half_life): count for half_life, count in counts.items()}


def _readable(decode: Callable[[bytes], T], value: bytes, what: str) -> T | None:
    """Return a record of ours; None, said, where it is none."""
    try:
        return decode(value)
    except RecordFormatError as error:
        _LOGGER.warning("%s cannot be read: %s", what, error)
        return None


def _read_controls(log: Log, topic: str, controls: ItemControls, now: float) -> None:
    starts = log.start_offsets(topic)
    for partition, end in log.end_offsets(topic).items():
        for batch in read_range(log, topic, partition, starts[partition], end):
            controls.apply(batch, now)
