"""Feed the batch decoder and kafka-python's own decoder the same right and wrong bytes.

    python -m benchmarks.decoder_fuzz --minutes 5 [--seed 1]

Fetches are made of batches by kafka-python's builder and by hand: every compression, headers,
nulls, gaps, transactions committed and aborted, either kind of timestamp, reads that begin within
a batch. Most are then damaged: cut, bytes flipped before and after the compression, with the
checksum wrong or made right again, batches doubled, dropped and put in another order. Both
decoders must give the same records and the same position, or the same refusal; `compare` says what
that means exactly, and `RULES` and `FAULTS` name the known differences. Exits with 1 at the first
other difference, and prints the number of its input: `--seed S --only N` makes it again.

With NUMBA_BOUNDSCHECK=1 and a NUMBA_CACHE_DIR of its own, any access outside of an array ends it.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatch

from benchmarks.decoder_inputs import Fetch, random_fetch
from stream.errors import RecordsDamagedError
from stream.log.kafka.decoding.record_batches import BatchDecoder
from tests.stream.log.kafka.batches import HEADER

MAX_BATCH_BYTES: Final = 8 * 1024 * 1024
EVERYTHING: Final = 1_000_000

Row = tuple[int, int, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]

RULES: Final = {
    "offsets do not grow": "Records of a batch whose offsets do not grow, or that lie outside of "
    "what the batch says: kafka-python hands them out.",
    "before the end of the batch before it": "The same between batches.",
    "its offsets begin at": "Negative offsets, or a last offset before the first: the same.",
    "attributes that the format does not know": "Kafka-python reads the attributes byte as a "
    "number of several bytes where its highest bit is set.",
    "its message format is": "Kafka-python takes formats after 2 for 2.",
    "a timestamp is no 64-bit number": "Kafka-python computes with numbers of any size.",
    "a number has more than 64 bits": "The same.",
    "it says that it has -": "A negative number of records, in a batch without bytes.",
    "a snappy block says": "Kafka-python takes what there is of a block that is cut short.",
    "unknown header flags set": "Python's gzip reader does not look at these flags, zlib does.",
    "header crc mismatch": "Nor at the checksum of a gzip member's header.",
    "it decompresses to more than": "Kafka-python unpacks whatever the memory holds.",
    "a control batch is compressed": "Kafka-python reads it as if it were not.",
    "a control record has version": "Kafka-python does not look at a marker's version.",
}
"""Reasons for which the decoder refuses what kafka-python may accept, and why."""

FAULTS: Final = {
    "an empty batch": "Kafka-python fails at a control batch that compaction has emptied, and "
    "decompresses the nothing that there is in an empty batch with a compression.",
    "UnicodeDecodeError('utf-8'": "Kafka-python refuses a header's name that is no UTF-8, "
    "the Java client replaces what is not.",
    "unpack requires a buffer of 4 bytes": "Kafka-python refuses markers with longer keys, which "
    "the protocol allows.",
}
"""Errors of kafka-python in what the Java client reads, and why."""


@dataclass(slots=True)
class Outcome:
    """The outcome of decoding a fetch.

    Parameters
    ----------
    rows
        The records.
    position
        The offset to read next.
    refusal
        Why it stopped early, if it did.
    begun
        How many records had been handed out when the last batch that it looked at began.
    empty
        Whether that one is a header without anything behind it.
    stepped_at
        How many records had been handed out when a damaged batch was stepped over that does not
        hold the wanted offset; None: there was none.
    """

    rows: list[Row] = field(default_factory=list)
    position: int = 0
    refusal: str | None = None
    begun: int = 0
    empty: bool = False
    stepped_at: int | None = None


class _WatchedDecoder(BatchDecoder):
    """Notes how many records were read when it first stepped over damage."""

    outcome: Outcome

    def _pass_over(self, reason: str) -> None:
        super()._pass_over(reason)
        if self.outcome.stepped_at is None:
            self.outcome.stepped_at = len(self.outcome.rows)


def ours(fetch: Fetch) -> Outcome:
    """Decode with the batch decoder, in pieces of the fetch's `limit`."""
    outcome = Outcome()
    decoder = _WatchedDecoder(
        fetch.data,
        topic="t",
        partition=0,
        fetch_offset=fetch.offset,
        aborted=fetch.aborted if fetch.read_committed else None,
        max_batch_bytes=MAX_BATCH_BYTES,
    )
    decoder.outcome = outcome
    try:
        while (columns := decoder.take(fetch.limit)) is not None:
            headers = columns.headers or [()] * len(columns)
            outcome.rows += zip(
                columns.offsets.tolist(),
                columns.times.tolist(),
                columns.keys,
                columns.values,
                headers,
                strict=True,
            )
    except RecordsDamagedError as error:
        outcome.refusal = error.reason
    outcome.position = decoder.next_offset
    return outcome


class _WatchedRecords(MemoryRecords):  # type: ignore[misc]  # kafka-python is untyped
    """Notes how many records were read when each batch began."""

    def __init__(self, data: bytes, outcome: Outcome) -> None:
        self._outcome = outcome
        super().__init__(data)

    def next_batch(self, *arguments: Any) -> DefaultRecordBatch | None:
        self._outcome.begun = len(self._outcome.rows)
        batch = super().next_batch(*arguments)
        self._outcome.empty = batch is not None and batch.size_in_bytes == HEADER.size
        return batch


def theirs(fetch: Fetch) -> Outcome:
    """Decode with kafka-python's fetcher."""
    outcome = Outcome()
    try:
        records = Fetcher.PartitionRecords(
            fetch.offset,
            TopicPartition("t", 0),
            _WatchedRecords(fetch.data, outcome),
            isolation_level=IsolationLevel.READ_COMMITTED
            if fetch.read_committed
            else IsolationLevel.READ_UNCOMMITTED,
            aborted_transactions=[_Aborted(*each) for each in fetch.aborted],
        )
        outcome.position = fetch.offset
        while records:
            for each in records.take(1):
                headers = tuple((name, value or b"") for name, value in each.headers)
                outcome.rows.append((each.offset, each.timestamp, each.key, each.value, headers))
        outcome.position = max(records.next_fetch_offset, fetch.offset)
    except Exception as error:  # noqa: BLE001  # whatever it raises is its refusal
        what = "an empty batch: " if outcome.empty else ""
        outcome.refusal = f"{what}{type(error).__name__}: {error}"
    return outcome


@dataclass(frozen=True, slots=True)
class _Aborted:
    producer_id: int
    first_offset: int


def compare(mine: Outcome, other: Outcome) -> str | None:
    """Return what is different between the two outcomes; None where nothing is.

    Equivalent are:

    - the same records and the same position;
    - a refusal of the same batch by both: the same records of every batch before it, and of the
      refused batch, as far as both have handed any out (kafka-python reads it record by record,
      we decompress and check its length first);
    - our refusal by one of the `RULES`, or theirs by one of the `FAULTS`, with the same records as
      far as both went;
    - where we stepped over a damaged batch that does not hold the wanted offset: the same records
      before it.
    """
    if mine.stepped_at is not None:
        return _before(mine.stepped_at, mine, other)
    shared = min(len(mine.rows), len(other.rows))
    if mine.rows[:shared] != other.rows[:shared]:
        return "other records"
    more = len(mine.rows) - len(other.rows)
    wrong: str | None = None
    if mine.refusal is None and other.refusal is None:
        if more:
            wrong = "more or fewer records"
        elif mine.position != other.position:
            wrong = "another position"
    elif (_named(mine.refusal, RULES) and more <= 0) or (
        _named(other.refusal, FAULTS) and more >= 0
    ):
        wrong = None
    elif mine.refusal is None or other.refusal is None:
        wrong = "only one refuses"
    elif more > 0 or len(mine.rows) < other.begun:
        wrong = "another batch refused"
    return wrong


def _before(rows: int, mine: Outcome, other: Outcome) -> str | None:
    """Compare the first `rows` records, or as many as kafka-python has handed out."""
    shared = min(rows, len(other.rows))
    return None if mine.rows[:shared] == other.rows[:shared] else "other records"


def _named(refusal: str | None, known: dict[str, str]) -> str | None:
    return next((name for name in known if refusal is not None and name in refusal), None)


def run(seed: int, inputs: Sequence[int] | None, seconds: float) -> Counter[str]:
    """Try inputs until `seconds` are over, or those given.

    Raises
    ------
    AssertionError
        The decoders differ.
    """
    outcomes: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    numbers = iter(inputs) if inputs is not None else iter(range(sys.maxsize))
    for number in numbers:
        fetch = random_fetch(random.Random(f"{seed}/{number}"))  # noqa: S311  # no secret
        mine, other = ours(fetch), theirs(fetch)
        difference = compare(mine, other)
        if difference is not None:
            raise AssertionError(
                f"input {number} of seed {seed}: {difference}; ours {len(mine.rows)} records to "
                f"{mine.position} ({mine.refusal}), theirs {len(other.rows)} records from batch at "
                f"{other.begun} to {other.position} ({other.refusal})"
            )
        outcomes["inputs"] += 1
        outcomes["records"] += len(mine.rows)
        outcomes[_kind(mine, other)] += 1
        if inputs is None and time.monotonic() > deadline:
            break
    return outcomes


def _kind(mine: Outcome, other: Outcome) -> str:
    if mine.refusal is None and other.refusal is None:
        return "both read"
    if mine.refusal is not None and other.refusal is not None:
        return "both refused"
    if mine.stepped_at is not None:
        return "ours stepped over damage"
    known = _named(mine.refusal, RULES) or _named(other.refusal, FAULTS)
    return f"only {'ours' if mine.refusal else 'theirs'} refused: {known}"


def main() -> None:
    """Fuzz for some minutes and print what was tried."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="make this input again")
    arguments = parser.parse_args()
    only = None if arguments.only is None else [arguments.only]
    try:
        outcomes = run(arguments.seed, only, 60.0 * arguments.minutes)
    except AssertionError as difference:
        print(f"DIFFERENT: {difference}")
        raise SystemExit(1) from difference
    print(json.dumps(dict(outcomes.most_common()), indent=1))
    print(f"{outcomes['inputs']} inputs, 0 differences, 0 crashes")


if __name__ == "__main__":
    main()
