"""`gsr bootstrap`: history becomes state and a first model, so that `gsr run` goes live from it."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import numpy as np

from consumers.artifacts.snapshot_files import encode_snapshot
from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.artifacts.written_settings import EVENT_NAMES
from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from consumers.learning.journal import JOURNAL_PIN, Standing, write_journal
from consumers.learning.live_loop import live_loop, serving_view
from consumers.offline.bootstrap.unfinished import refuse_unfinished, unfinished
from consumers.offline.click_history import ClickHistory, ClickHistoryOptions
from consumers.runtime.progress import Progress, ProgressCallback, TimedProgress, quiet
from consumers.serving.view import encode_view
from consumers.topics.topic_creation import create_topics
from gsr.counters.click_batch import NO_CLICKS, ClickBatch
from stream.clock import Clock
from stream.events.records.sequence import sequence_record
from stream.log.interface import Outgoing
from stream.log.opening import open_log
from stream.log.partitioner import partitions_of
from stream.state.store import PartitionStore

USERS_PER_APPEND: Final = 500


def bootstrap(
    options: ClickHistoryOptions,
    clock: Clock,
    progress: ProgressCallback = quiet,
) -> dict[str, Any]:
    """Build state, a first snapshot, the journal and a serving view; return a summary.

    State and artifacts go where the settings say.
    Every user's sequence goes to the log besides, so that the publisher can serve all of them
    when it starts. The clicks themselves do not: they lie before the log, at negative offsets.

    Raises
    ------
    EventFileError
        The file cannot be read, is empty, or a row is bad (`on_bad="fail"`).
    ConfigError
        There is state already, whole or half made: bootstrap never overwrites.
    """
    config = options.config
    artifacts = open_artifacts(config, clock)
    _refuse_existing(config, artifacts)
    history = ClickHistory.look_through(options, progress, clock.time())
    made = _make_topics(config, clock)
    with unfinished(config), ExitStack() as stack:
        run = Bootstrap(history, clock, progress, stack)
        run.follow()
        return run.publish(artifacts) | {"topics_made": made} | history.skipped


class Bootstrap:
    """One run: every partition's store and the trainer's loop, fed with the same clicks.

    Parameters
    ----------
    history
        The clicks.
    clock
        Of rates, stamps and flushes.
    progress
        Is told a few times a second.
    stack
        Closes what is opened here.
    """

    def __init__(
        self,
        history: ClickHistory,
        clock: Clock,
        progress: ProgressCallback,
        stack: ExitStack,
    ) -> None:
        config = self._config = history.options.config
        self._history = history
        self._total = history.events
        self._clock = clock
        self._progress = progress
        self._loop = live_loop(config)
        self._stores: list[PartitionStore] = []
        self._touched: list[dict[str, None]] = []
        for number in range(config.log.partitions):
            store = PartitionStore.open(
                config.ingest_directory / f"partition-{number}",
                number,
                config.state.shape(),
                config.events.rules(),
                clock,
            )
            stack.callback(store.close)
            # Offsets of history lie before those of the log, which begins at 0.
            store.begin_with_history(self._total)
            self._stores.append(store)
            self._touched.append({})

    def follow(self) -> None:
        """Take the whole history in, cycle by cycle."""
        timed = TimedProgress(self._progress, self._clock, self._total)
        done = 0
        for batch in self._history.batches(first_offset=-self._total):
            self._store(batch)
            self._loop.advance(batch, rank=False)
            self._loop.test()
            self._loop.learn()
            done += len(batch)
            timed.tell("learning history", done)

    def publish(self, artifacts: ArtifactStore) -> dict[str, Any]:
        """Write checkpoints, model, view, journal and sequences; return a summary."""
        loop = self._loop
        self._progress(Progress(stage="writing", done=self._total, total=self._total))
        for store in self._stores:
            store.apply(NO_CLICKS, store.watermark, 0)
        checkpoints = {
            number: artifacts.publish_checkpoint(number, 0, store.checkpoint)
            for number, store in enumerate(self._stores)
        }
        facts = {
            EVENT_NAMES: list(self._config.events.weights),
            "parent": 0,
            "clicks_learned": loop.totals.fresh,
            "bootstrapped": True,
        }
        version = artifacts.publish_snapshot(
            *encode_snapshot(loop.stream.model, loop.mirror.generations, facts)
        )
        positions = dict.fromkeys(checkpoints, 0)
        view = serving_view(loop.mirror, self._clock.time(), positions)
        artifacts.publish_view(*encode_view(view))
        standing = Standing(
            checkpoints=checkpoints,
            positions={number: store.feed_stop for number, store in enumerate(self._stores)},
            version=version,
        )
        artifacts.pin_checkpoints(JOURNAL_PIN, checkpoints)
        artifacts.save_journal(*write_journal(loop, standing))
        return {
            "events": self._total,
            "clicks": loop.totals.clicks,
            "users": len(loop.mirror.arrays.users),
            "items": len(loop.mirror.arrays.items),
            "learned": loop.totals.fresh,
            "partitions": len(self._stores),
            "model_version": version,
            "sequences": self._send_sequences(),
        }

    def _store(self, batch: ClickBatch) -> None:
        """Give each partition its clicks."""
        keys = [user_id.encode() for user_id in batch.user_ids]
        partitions = partitions_of(keys, len(self._stores))
        for number, store in enumerate(self._stores):
            rows = np.flatnonzero(partitions == number)
            if len(rows):
                part = batch.rows(rows)
                newest = max(store.watermark, float(part.times.max()))
                store.apply(part, newest, int(part.offsets[-1]) + 1)
                self._touched[number].update(dict.fromkeys(store.drain_touched()))
            if store.due_for_flush():
                store.flush()

    def _send_sequences(self) -> int:
        """Tell the publisher of every user, so that all of them get lists when it starts."""
        config, sent = self._config, 0
        log = open_log(config.log.url, self._clock, config.kafka)
        try:
            writer = log.writer(config.log.sequences)
            for number, touched in enumerate(self._touched):
                users = list(touched)
                for start in range(0, len(users), USERS_PER_APPEND):
                    some = users[start : start + USERS_PER_APPEND]
                    records = list(self._sequences(number, some))
                    writer.append(records)
                    sent += len(records)
            writer.close()
        finally:
            log.close()
        return sent

    def _sequences(self, partition: int, user_ids: list[str]) -> Iterator[Outgoing]:
        store, names = self._stores[partition], tuple(self._config.events.weights)
        for user_id in user_ids:
            known = store.user(user_id)
            if known is not None:
                items = store.item_ids(known)
                record = sequence_record(user_id, known, items, names, partition, 0)
                yield Outgoing(user_id.encode(), record.encode(), partition=partition)


def _make_topics(config: GsrConfig, clock: Clock) -> list[str]:
    """Make topics; a log that cannot be used is found before hours of learning, not behind them."""
    log = open_log(config.log.url, clock, config.kafka)
    try:
        return create_topics(log, config.log.topics())
    finally:
        log.close()


def _refuse_existing(config: GsrConfig, artifacts: ArtifactStore) -> None:
    refuse_unfinished(config)
    there = list(config.ingest_directory.glob("partition-*"))
    if there or artifacts.current_snapshot() or artifacts.newest_checkpoints():
        raise ConfigError(
            f"there is state in {config.state.directory} already, and bootstrap never overwrites: "
            "name another directory with --state, or move this one away"
        )
