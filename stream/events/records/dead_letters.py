"""Dead letters: records that are no clicks, with the reason in headers.

One that is larger than its topic takes holds only the beginning of the record, and what is needed
to recognise the record. One with the reason `DAMAGED` stands for records that nobody can read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stream.errors import RecordFormatError, RecordsDamagedError
from stream.events.clicks.bad_record import REASONS, BadRecord
from stream.log.interface import Headers, Outgoing, RecordBatch

HEADER_PREFIX: Final = "gsr.error."
REDRIVES_HEADER: Final = "gsr.redrives"
"""Header that counts how often a record was sent again; it stays with the record."""
_REDRIVES_DIGITS: Final = 9
_DETAIL_CHARACTERS: Final = 300
_NAMES: Final = ("topic", "partition", "offset", "reason", "detail", "time")
_END: Final = HEADER_PREFIX + "end_offset"
_KEY_BYTES: Final = HEADER_PREFIX + "key_bytes"
_VALUE_BYTES: Final = HEADER_PREFIX + "value_bytes"
_HEADERS_BYTES: Final = HEADER_PREFIX + "headers_bytes"
_VALUE_SHA256: Final = HEADER_PREFIX + "value_sha256"

DAMAGED: Final = "damaged"
"""The reason of a dead letter for records that nobody can read."""
LETTER_REASONS: Final = (*REASONS, DAMAGED)
"""Every reason that a dead letter may have."""

KEPT_VALUE_BYTES: Final = 16_384
KEPT_KEY_BYTES: Final = 1_024
KEPT_HEADERS_BYTES: Final = 4_096
"""Parts of a record that a shortened dead letter holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """Sizes and digest of a record of which a dead letter holds only the beginning.

    Parameters
    ----------
    key_bytes, value_bytes
        Their lengths; None: null.
    headers_bytes
        The bytes of all names and values.
    value_sha256
        Of the value, in hexadecimal; None: null.
    """

    key_bytes: int | None
    value_bytes: int | None
    headers_bytes: int
    value_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter, taken apart.

    Parameters
    ----------
    key, value, headers
        The original record, byte for byte, or its beginning: see `original`.
    topic, partition, offset
        Where it was.
    reason
        One of `LETTER_REASONS`.
    detail
        The reason in words.
    time
        When the log took the original record, seconds since the epoch; of damaged ones, when they
        were set aside.
    end_offset
        The offset behind the last of the records that are damaged; None: this is one record.
    original
        What the record was, where the letter is shortened.
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
    end_offset: int | None = None
    original: Original | None = None

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
    time = float(batch.append_times[row])
    reported = _reported(batch.topic, batch.partition, bad.offset, bad.reason, bad.detail, time)
    return Outgoing(
        key=batch.keys[row],
        value=batch.values[row],
        headers=(*_without_errors(original), *reported),
        partition=batch.partition,
    )


def damage_letter(damage: RecordsDamagedError, end_offset: int, time: float) -> Outgoing:
    """Return the dead letter of records that nobody can read: it has neither key nor value.

    Parameters
    ----------
    damage
        Where they were, and what is wrong with them.
    end_offset
        The offset behind the last of them.
    time
        Now, seconds since the epoch.
    """
    place = (damage.topic, damage.partition, damage.offset)
    detail = ascii(damage.reason)[1:-1][:_DETAIL_CHARACTERS]
    return Outgoing(
        key=None,
        value=None,
        headers=(
            *_reported(*place, DAMAGED, detail, time),
            (_END, str(end_offset).encode()),
        ),
        partition=damage.partition,
    )


def shortened(letter: Outgoing) -> Outgoing:
    """Return a dead letter with only the beginning of its record; a pure function of the letter.

    It keeps the first `KEPT_VALUE_BYTES` of the value and `KEPT_KEY_BYTES` of the key, and the
    record's own headers if they have no more than `KEPT_HEADERS_BYTES` together.
    """
    own = _without_errors(letter.headers)
    own_bytes = sum(len(name.encode()) + len(value) for name, value in own)
    told = [(_HEADERS_BYTES, str(own_bytes))]
    if letter.key is not None:
        told.append((_KEY_BYTES, str(len(letter.key))))
    if letter.value is not None:
        told.append((_VALUE_BYTES, str(len(letter.value))))
        told.append((_VALUE_SHA256, hashlib.sha256(letter.value).hexdigest()))
    return Outgoing(
        key=None if letter.key is None else letter.key[:KEPT_KEY_BYTES],
        value=None if letter.value is None else letter.value[:KEPT_VALUE_BYTES],
        headers=(
            *(own if own_bytes <= KEPT_HEADERS_BYTES else ()),
            *letter.headers[len(own) :],
            *((name, text.encode()) for name, text in told),
        ),
        partition=letter.partition,
    )


def is_shortened(letter: Outgoing) -> bool:
    """Return whether a dead letter holds only the beginning of its record."""
    return _HEADERS_BYTES in dict(letter.headers)


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
            end_offset=_number(named.get(_END)),
            original=_original(named),
        )
    except KeyError as error:
        raise RecordFormatError(f"not a dead letter: header {error} is missing") from error
    except ValueError as error:
        raise RecordFormatError(f"not a dead letter: {error}") from error


def _original(named: Mapping[str, bytes]) -> Original | None:
    headers_bytes = _number(named.get(_HEADERS_BYTES))
    if headers_bytes is None:
        return None
    digest = named.get(_VALUE_SHA256)
    return Original(
        key_bytes=_number(named.get(_KEY_BYTES)),
        value_bytes=_number(named.get(_VALUE_BYTES)),
        headers_bytes=headers_bytes,
        value_sha256=None if digest is None else digest.decode(),
    )


def _number(text: bytes | None) -> int | None:
    return None if text is None else int(text)


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


def _reported(
    topic: str, partition: int, offset: int, reason: str, detail: str, time: float
) -> Headers:
    values = (topic, str(partition), str(offset), reason, detail, repr(time))
    return tuple(
        (HEADER_PREFIX + name, value.encode()) for name, value in zip(_NAMES, values, strict=True)
    )


def _without_errors(headers: Headers) -> Headers:
    return tuple(header for header in headers if not header[0].startswith(HEADER_PREFIX))
