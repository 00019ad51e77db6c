"""A process that applies a story to a state until it is killed or done; run by `test_kill`.

Usage: python -m tests.stream.state.endless_ingest DIRECTORY SEED [STOP]

Prints the offset after each flush. At the offset STOP it closes its output and waits to be
killed; without STOP it tells the story to its end and exits.
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np

from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from stream.clock import SystemClock
from stream.state.store import PartitionStore
from stream.state.store_options import StoreOptions
from tests.stream.state.click_stories import RULES, START, Told, batch_of, part_of, watermark_after

RECORDS = 20_000
CONFIG = CounterConfig(
    buffer_length=8,
    seen_items=20,
    neighbours=4,
    half_lives=(60.0, 3600.0),
    user_ttl_seconds=4000.0,
    item_ttl_seconds=9000.0,
    max_items=300,
    feed_bytes=500_000,
)


def story() -> ClickBatch:
    """Return the same records each time."""
    rng = np.random.default_rng(7)
    return batch_of(
        [
            Told(
                user=int(400 * rng.random() ** 2),
                item=int(900 * rng.random() ** 2),
                time=START + i - 60.0 * float(rng.random() < 0.1),
                event=int(rng.integers(4)) if rng.random() < 0.2 else 0,
                hash=int(rng.integers(5000)),
                forget=rng.random() < 0.001,
            )
            for i in range(RECORDS)
        ]
    )


def main(directory: Path, seed: int, stop: int | None) -> None:
    """Apply the story up to `stop`, in portions that depend on `seed`."""
    rng = np.random.default_rng(seed)
    batch = story()
    store = PartitionStore.open(
        directory, 0, CONFIG, RULES, SystemClock(), StoreOptions(cached_users=100)
    )
    end = RECORDS if stop is None else stop
    while store.next_offset < end:
        first = store.next_offset
        last = min(end, first + int(rng.integers(1, 400)))
        store.apply(part_of(batch, first, last), watermark_after(batch, last), last)
        if rng.random() < 0.5:
            store.flush()
            print(store.durable_offset, flush=True)  # noqa: T201 -- the parent listens
    if stop is None:
        store.flush()
        store.close()
    else:
        os.close(sys.stdout.fileno())
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
