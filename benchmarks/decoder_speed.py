"""Records per CPU second: the batch decoder and kafka-python's own, without a broker.

    python -m benchmarks.decoder_speed

Batches of about 16 KiB as producers send them by default, of clicks of about 90 bytes, checksums
compared, from fetched bytes to what a poll returns. The best of `--rounds` rounds counts.
"""

import argparse
import time
from collections.abc import Callable
from typing import Final

from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.record import MemoryRecords

from stream.log.kafka.decoding.record_batches import BatchDecoder
from tests.stream.log.kafka.batches import COMPRESSORS, batch, record

RECORDS: Final = 200_000
RECORDS_IN_BATCH: Final = 160
POLL: Final = 10_000


def click(number: int) -> bytes:
    """Return the JSON of a click."""
    return b'{"user_id":"u%06d","item_id":"i%07d","event":"view","timestamp":%d}' % (
        number * 31 % 99_991,
        number * 7919 % 9_999_991,
        1_700_000_000_000 + number,
    )


def fetched(compression: str) -> bytes:
    """Return the batches of all records."""
    return b"".join(
        batch(
            [
                record(i, b"u%06d" % ((start + i) * 31 % 99_991), click(start + i))
                for i in range(RECORDS_IN_BATCH)
            ],
            start,
            compression=compression,
        )
        for start in range(0, RECORDS, RECORDS_IN_BATCH)
    )


def by_batch(data: bytes) -> int:
    """Return how many records the batch decoder reads."""
    decoder = BatchDecoder(data, topic="clicks", partition=0, fetch_offset=0)
    read = 0
    while (columns := decoder.take(POLL)) is not None:
        read += len(columns)
    return read


def by_record(data: bytes) -> int:
    """Return how many records kafka-python reads."""
    records = Fetcher.PartitionRecords(0, TopicPartition("clicks", 0), MemoryRecords(data))
    read = 0
    while records:
        read += len(records.take(POLL))
    return read


def per_second(read: Callable[[bytes], int], data: bytes, rounds: int) -> float:
    """Return records per CPU second, the best of `rounds`."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        if read(data) != RECORDS:
            raise SystemExit("not all records were read")
        seconds.append(time.process_time() - start)
    return RECORDS / min(seconds)


def main() -> None:
    """Print a line for each compression."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    by_batch(fetched("none"))  # compiles the kernels
    print(f"{'':10} {'MB':>6} {'by batch':>12} {'by record':>12} {'ratio':>6}")
    for compression in COMPRESSORS:
        data = fetched(compression)
        ours = per_second(by_batch, data, rounds)
        theirs = per_second(by_record, data, 1)
        line = f"{len(data) / 1e6:6.1f} {ours:10,.0f}/s {theirs:10,.0f}/s {ours / theirs:6.0f}"
        print(f"{compression:10} {line}")


if __name__ == "__main__":
    main()
