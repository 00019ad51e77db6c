"""Dead letters: records that are no clicks, with the reason beside them."""

from dataclasses import dataclass
from typing import Final

from stream.errors import RecordFormatError
from stream.events.codec import BadRecord
from stream.log.interface import Headers, Outgoing, RecordBatch

HEADER_PREFIX: Final = "gsr.error."
REDRIVES_HEADER: Final = "gsr.redrives"
"""How many times a record was sent again; it stays with the record."""
_REDRIVES_DIGITS: Final = 9
_NAMES: Final = ("topic", "partition", "offset", "reason", "detail", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter, taken apart.

    Parameters
    ----------
    key, value, headers
        The original record, byte for byte.
    topic, partition, offset
        Where it was.
    reason
        One of `stream.events.codec.REASONS`.
    detail
        The reason in words.
    time
        When the log took the original record, seconds since the epoch.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    time: float

    @property
    def redrives(self) -> int:
        """How many times the record was sent again already; 0 where that cannot be read."""
        text = dict(self.headers).get(REDRIVES_HEADER, b"0")
        return int(text) if text.isdigit() and len(text) <= _REDRIVES_DIGITS else 0


def dead_letter(batch: RecordBatch, bad: BadRecord) -> Outgoing:
    """Return the dead letter of a bad record: the original bytes and why they are bad.

    It goes to the source's partition number. It is a pure function of the record, so that reading
    the record again after a crash makes the same bytes. Error headers of an earlier failure (a
    record that was sent again and is still bad) are replaced.

    Parameters
    ----------
    batch
        The batch that holds the record.
    bad
        What the codec said of it.
    """
    row = bad.index
    original = batch.headers[row] if batch.headers else ()
    values = (
        batch.topic,
        str(batch.partition),
        str(bad.offset),
        bad.reason,
        bad.detail,
        repr(float(batch.append_times[row])),
    )
    reported = tuple(
        (HEADER_PREFIX + name, value.encode()) for name, value in zip(_NAMES, values, strict=True)
    )
    return Outgoing(
        key=batch.keys[row],
        value=batch.values[row],
        headers=(*_without_errors(original), *reported),
        partition=batch.partition,
    )


def parse_dead_letter(key: bytes | None, value: bytes | None, headers: Headers) -> DeadLetter:
    """Take a dead letter apart.

    Raises
    ------
    RecordFormatError
        A header of a dead letter is missing or unreadable.
    """
    named = dict(headers)
    try:
        topic, partition, offset, reason, detail, time = (
            named[HEADER_PREFIX + name].decode() for name in _NAMES
        )
        return DeadLetter(
            key=key,
            value=value,
            headers=_without_errors(headers),
            topic=topic,
            partition=int(partition),
            offset=int(offset),
            reason=reason,
            detail=detail,
            time=float(time),
        )
    except KeyError as error:
        raise RecordFormatError(f"not a dead letter: header {error} is missing") from error
    except ValueError as error:
        raise RecordFormatError(f"not a dead letter: {error}") from error


def redriven(letter: DeadLetter) -> Outgoing:
    """Return the original record, to go back to its partition: its bytes, and one header more.

    Parameters
    ----------
    letter
        Whose `redrives` is counted up in the header `REDRIVES_HEADER`.
    """
    kept = tuple(header for header in letter.headers if header[0] != REDRIVES_HEADER)
    return Outgoing(
        key=letter.key,
        value=letter.value,
        headers=(*kept, (REDRIVES_HEADER, str(letter.redrives + 1).encode())),
        partition=letter.partition,
    )


def _without_errors(headers: Headers) -> Headers:
    return tuple(header for header in headers if not header[0].startswith(HEADER_PREFIX))
