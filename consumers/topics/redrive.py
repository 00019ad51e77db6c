"""Sends dead letters back to where they came from, each once.

What went is remembered per reason, under a group of its own (`GROUP.REASON`), so that those of
another reason can follow later. Letters are appended before the position is saved: a crash in
between sends up to `CHUNK_RECORDS` of them again, never too few. A click that comes twice changes
nothing while the user's buffer holds it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from consumers.topics.dead_letter_lookup import StoredLetter, stored_letters
from consumers.topics.log_range import read_range
from consumers.topics.oversized_records import append_what_fits
from stream.clock import Clock
from stream.events.clicks.bad_record import REASONS
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.rules import EventRules
from stream.events.records.dead_letters import DAMAGED, DeadLetter, redriven
from stream.log.interface import Log, RecordBatch

GROUP: Final = "gsr-redrive"
CHUNK_RECORDS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveOptions:
    """What to send again, and how fast.

    Parameters
    ----------
    dead_letters, source
        The topics.
    reasons
        Only these.
    most_redrives
        Letters that were sent again so many times stay where they are.
    records_per_second
        The rate.
    """

    dead_letters: str
    source: str
    reasons: tuple[str, ...] = REASONS
    most_redrives: int = 3
    records_per_second: float = 1000.0


@dataclass(slots=True)
class Survey:
    """Counts of what a redrive would send.

    Parameters
    ----------
    letters
        Reason to number of letters that would be sent.
    refused_again
        Reason to number of those that would be refused again if they were sent now.
    exhausted
        Letters that were sent again too often already.
    shortened
        Letters that hold only the beginning of their record.
    damaged
        Letters that stand for records which nobody can read.
    foreign
        Records that are no dead letters of the source topic.
    """

    letters: Counter[str] = field(default_factory=Counter)
    refused_again: Counter[str] = field(default_factory=Counter)
    exhausted: int = 0
    shortened: int = 0
    damaged: int = 0
    foreign: int = 0


class Redrive:
    """Sends the dead letters that are there now and were not sent again yet.

    Parameters
    ----------
    log
        Of both topics.
    clock
        Paces, and says whether a click is too far ahead.
    options
        What to send.
    """

    def __init__(self, log: Log, clock: Clock, options: RedriveOptions) -> None:
        self._log = log
        self._clock = clock
        self._options = options
        self._partitions = len(log.end_offsets(options.source))
        # What is refused again lands behind these: one run cannot go round in circles.
        self._ends = log.end_offsets(options.dead_letters)
        starts = log.start_offsets(options.dead_letters)
        saved = {
            reason: log.saved_positions(_group(reason), options.dead_letters)
            for reason in options.reasons
        }
        self._positions = {
            reason: {p: max(start, saved[reason].get(p, 0)) for p, start in starts.items()}
            for reason in options.reasons
        }

    def survey(self, rules: EventRules) -> Survey:
        """Count what `run` would send, and try each against `rules` as they are now."""
        survey = Survey()
        codec = ClickCodec(rules)
        for chunk in self._chunks():
            chosen: list[DeadLetter] = []
            for stored in chunk:
                self._sort(stored, survey, chosen)
            survey.letters.update(letter.reason for letter in chosen)
            if chosen:
                bad = codec.decode(self._as_sent(chosen), -np.inf).bad
                survey.refused_again.update(record.reason for record in bad)
        return survey

    def run(self, sent: Callable[[int], None] = lambda _count: None) -> int:
        """Send; return how many went.

        Parameters
        ----------
        sent
            Told the number so far, after each append.
        """
        begun, count = self._clock.monotonic(), 0
        writer = self._log.writer(self._options.source)
        try:
            for chunk in self._chunks():
                chosen: list[DeadLetter] = []
                for stored in chunk:
                    self._sort(stored, Survey(), chosen)
                if chosen:
                    again = [redriven(letter) for letter in chosen]
                    count += len(append_what_fits(writer, again))
                    sent(count)
                self._save(chunk[-1].partition, chunk[-1].offset + 1)
                due = begun + count / self._options.records_per_second
                self._clock.sleep(max(0.0, due - self._clock.monotonic()))
        finally:
            writer.close()
        return count

    def _sort(self, stored: StoredLetter, survey: Survey, chosen: list[DeadLetter]) -> None:
        """Put a letter to the chosen, or count why not."""
        letter, options = stored.letter, self._options
        if (
            letter is None
            or letter.topic != options.source
            or not 0 <= letter.partition < self._partitions
        ):
            survey.foreign += 1
            return
        if letter.reason == DAMAGED:
            survey.damaged += 1
            return
        position = self._positions.get(letter.reason, {}).get(stored.partition)
        if position is None or stored.offset < position:
            return
        if letter.original is not None:
            survey.shortened += 1
        elif letter.redrives >= options.most_redrives:
            survey.exhausted += 1
        else:
            chosen.append(letter)

    def _chunks(self) -> Iterator[Sequence[StoredLetter]]:
        """Yield what may have to be sent, partition by partition, oldest first."""
        size = max(1, min(CHUNK_RECORDS, int(self._options.records_per_second)))
        for partition, end in sorted(self._ends.items()):
            start = min(positions[partition] for positions in self._positions.values())
            for batch in read_range(self._log, self._options.dead_letters, partition, start, end):
                letters = stored_letters(batch)
                for at in range(0, len(letters), size):
                    yield letters[at : at + size]

    def _save(self, partition: int, offset: int) -> None:
        for reason, positions in self._positions.items():
            if offset > positions[partition]:
                positions[partition] = offset
                self._log.save_positions(
                    _group(reason), self._options.dead_letters, {partition: offset}
                )

    def _as_sent(self, letters: Sequence[DeadLetter]) -> RecordBatch:
        now = self._clock.time()
        return RecordBatch(
            topic=self._options.source,
            partition=0,
            offsets=np.arange(len(letters), dtype=np.int64),
            append_times=np.full(len(letters), now),
            keys=[letter.key for letter in letters],
            values=[letter.value for letter in letters],
        )


def _group(reason: str) -> str:
    return f"{GROUP}.{reason}"
