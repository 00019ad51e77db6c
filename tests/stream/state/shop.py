"""A store in a directory, and shoppers whose clicks fill it."""

from pathlib import Path

from gsr.counters.config import CounterConfig
from stream.clock import ManualClock
from stream.events.clicks.rules import EventRules
from stream.state.store import PartitionStore
from stream.state.store_options import StoreOptions
from tests.stream.state.click_stories import RULES, START, Told, batch_of, watermark_after

CONFIG = CounterConfig(buffer_length=4, neighbours=4)


def open_store(
    path: Path,
    config: CounterConfig = CONFIG,
    *,
    clock: ManualClock | None = None,
    rules: EventRules = RULES,
    options: StoreOptions | None = None,
) -> PartitionStore:
    """Open the state of partition 3 in a directory."""
    return PartitionStore.open(path, 3, config, rules, clock or ManualClock(), options)


def shopping(users: int, clicks: int, start: float = START) -> list[Told]:
    """Let users click items in turn."""
    return [
        Told(i % users, (i * 7) % 50, start + i, 0, int(start) + i) for i in range(users * clicks)
    ]


def apply(store: PartitionStore, story: list[Told]) -> None:
    """Apply records at the end of what the store has read."""
    batch = batch_of(story, store.next_offset)
    watermark = max(store.watermark, watermark_after(batch, len(batch)))
    store.apply(batch, watermark, store.next_offset + len(story))
