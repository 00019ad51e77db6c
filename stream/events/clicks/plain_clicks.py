"""A kernel that reads clicks with plain JSON straight from the buffer of their records.

A row is *plain* where everything that `fields.read_click` asks of a record is plainly so:
a flat object of the known fields and of others that are text, numbers or literals; text without
escapes; a number without exponent, or an ISO-8601 time. Every other row, good or bad, is left to
`read_click`, which alone defines what a click is.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.id_column import MAX_ID_BYTES, unchangeable
from stream.events.clicks.number_kernel import read_count, read_number, read_time
from stream.events.clicks.rules import MAX_LIST_POSITION, MAX_RECORD_BYTES
from stream.events.clicks.utf8_kernel import is_ascii, is_utf8

_QUOTE: Final = 34
_COMMA: Final = 44
_COLON: Final = 58
_BACKSLASH: Final = 92
_OPEN: Final = 123
_CLOSE: Final = 125
_SPACE: Final = 32
_TAB: Final = 9
_NEWLINE: Final = 10
_RETURN: Final = 13
_ZERO: Final = 48
_NINE: Final = 57

_FIELDS: Final = (
    *(b"user_id", b"item_id", b"timestamp"),
    *(b"event", b"event_id", b"list_id", b"list_position"),
)
_USER, _ITEM, _TIME, _EVENT, _EVENT_ID, _LIST_ID, _LIST_POSITION = range(len(_FIELDS))
_OTHER: Final = len(_FIELDS)
_REQUIRED: Final = 1 << _USER | 1 << _ITEM | 1 << _TIME
_LITERALS: Final = (b"null", b"true", b"false")
_NULL: Final = 0
_BAD: Final = -1


class Words(NamedTuple):
    """Byte strings to compare with.

    Parameters
    ----------
    data
        uint8 [m].
    starts
        int64 [n + 1], where each begins; the last entry is the end.
    """

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]


class Vocabulary(NamedTuple):
    """The words that records are compared with.

    Parameters
    ----------
    fields, literals
        JSON's, in the order of `_FIELDS` and `_LITERALS`.
    names
        Of the events.
    codes
        uint8 [names].
    """

    fields: Words
    literals: Words
    names: Words
    codes: npt.NDArray[np.uint8]


class Key(NamedTuple):
    """A record's key: `length` bytes of `data` from `start` on."""

    data: npt.NDArray[np.uint8]
    start: int
    length: int


class PlainClicks(NamedTuple):
    """Fields of n records as the kernel read them; meaningless where a row is not plain.

    Parameters
    ----------
    plain
        bool [n].
    item_starts, item_lengths
        int64 [n], the item id in the values' buffer.
    times
        float64 [n].
    codes
        uint8 [n].
    event_id_starts, event_id_lengths, list_id_starts, list_id_lengths
        int64 [n]; the length is -1 where there is none.
    list_positions
        int32 [n]; 0 where there is none.
    """

    plain: npt.NDArray[np.bool_]
    item_starts: npt.NDArray[np.int64]
    item_lengths: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    codes: npt.NDArray[np.uint8]
    event_id_starts: npt.NDArray[np.int64]
    event_id_lengths: npt.NDArray[np.int64]
    list_id_starts: npt.NDArray[np.int64]
    list_id_lengths: npt.NDArray[np.int64]
    list_positions: npt.NDArray[np.int32]


class PlainClickReader:
    """Reads the plain rows of batches.

    Parameters
    ----------
    codes
        Event name to code; None to the default event's code.
    """

    def __init__(self, codes: Mapping[str | None, int]) -> None:
        names = [name for name in codes if name is not None]
        self._words = Vocabulary(
            fields=_words(_FIELDS),
            literals=_words(_LITERALS),
            names=_words([name.encode() for name in names]),
            codes=np.array([codes[name] for name in names], dtype=np.uint8),
        )
        self._default = codes[None]

    def read(self, keys: ByteColumn, values: ByteColumn) -> PlainClicks:
        """Read n records."""
        n = len(values)
        found = PlainClicks(
            plain=np.zeros(n, dtype=np.bool_),
            item_starts=np.zeros(n, dtype=np.int64),
            item_lengths=np.zeros(n, dtype=np.int64),
            times=np.zeros(n, dtype=np.float64),
            codes=np.full(n, self._default, dtype=np.uint8),
            event_id_starts=np.zeros(n, dtype=np.int64),
            event_id_lengths=np.full(n, -1, dtype=np.int64),
            list_id_starts=np.zeros(n, dtype=np.int64),
            list_id_lengths=np.full(n, -1, dtype=np.int64),
            list_positions=np.zeros(n, dtype=np.int32),
        )
        _read(
            unchangeable(keys.data),
            np.ascontiguousarray(keys.starts),
            np.ascontiguousarray(keys.lengths),
            unchangeable(values.data),
            np.ascontiguousarray(values.starts),
            np.ascontiguousarray(values.lengths),
            self._words,
            found,
        )
        return found


def _words(words: Sequence[bytes]) -> Words:
    lengths = np.array([len(word) for word in words], dtype=np.int64)
    data = np.frombuffer(b"".join(words), dtype=np.uint8)
    return Words(data, np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)]))


@lean_kernel
def _same(
    left: npt.NDArray[np.uint8], at: int, right: npt.NDArray[np.uint8], other: int, length: int
) -> bool:
    """Tell whether two stretches of `length` bytes are equal."""
    i = 0
    while i < length and left[at + i] == right[other + i]:
        i += 1
    return i == length


@lean_kernel
def _which(words: Words, data: npt.NDArray[np.uint8], at: int, length: int) -> int:
    """Return which of `words` stands there, their number where none does."""
    count = len(words.starts) - 1
    for word in range(count):
        start = words.starts[word]
        if words.starts[word + 1] - start == length and _same(words.data, start, data, at, length):
            return word
    return count


@lean_kernel
def _skip_blanks(data: npt.NDArray[np.uint8], at: int, stop: int) -> int:
    """Return where something other than JSON's blanks stands next."""
    while at < stop and data[at] <= _SPACE:
        if data[at] not in (_SPACE, _TAB, _NEWLINE, _RETURN):
            break
        at += 1
    return at


@lean_kernel
def _text_end(data: npt.NDArray[np.uint8], at: int, stop: int) -> int:
    """Return where the quote stands that ends a text without escapes, else -1."""
    while at < stop:
        byte = data[at]
        if byte == _QUOTE:
            return at
        if byte < _SPACE or byte == _BACKSLASH:
            return _BAD
        at += 1
    return _BAD


@lean_kernel
def _literal(literals: Words, data: npt.NDArray[np.uint8], at: int, stop: int) -> tuple[int, int]:
    """Return which of null, true and false stands there, and where it ends, else -1."""
    for word in range(len(literals.starts) - 1):
        start = literals.starts[word]
        length = literals.starts[word + 1] - start
        if stop - at >= length and _same(literals.data, start, data, at, length):
            return word, at + length
    return _BAD, _BAD


@inner_kernel
def _read_name(
    words: Vocabulary, data: npt.NDArray[np.uint8], at: int, stop: int
) -> tuple[int, int]:
    """Return which field begins at `at`, and where its value does, or -1 where none does."""
    at = _skip_blanks(data, at, stop)
    if at >= stop or data[at] != _QUOTE:
        return _OTHER, _BAD
    end = _text_end(data, at + 1, stop)
    if end < 0:
        return _OTHER, _BAD
    field = _which(words.fields, data, at + 1, end - at - 1)
    at = _skip_blanks(data, end + 1, stop)
    if at >= stop or data[at] != _COLON:
        return field, _BAD
    at = _skip_blanks(data, at + 1, stop)
    return field, at if at < stop else _BAD


@inner_kernel
def _take_text(
    key: Key,
    data: npt.NDArray[np.uint8],
    at: int,
    end: int,
    field: int,
    words: Vocabulary,
    row: int,
    found: PlainClicks,
) -> bool:
    """Take the text of a field; False where it is not plainly good."""
    length = end - at
    good = 1 <= length <= MAX_ID_BYTES
    if field == _USER:
        good = length == key.length and _same(key.data, key.start, data, at, length)
        good = good and 1 <= length <= MAX_ID_BYTES
    elif field == _ITEM:
        found.item_starts[row] = at
        found.item_lengths[row] = length
    elif field == _EVENT_ID:
        found.event_id_starts[row] = at
        found.event_id_lengths[row] = length
    elif field == _LIST_ID:
        found.list_id_starts[row] = at
        found.list_id_lengths[row] = length
    elif field == _TIME:
        found.times[row] = read_time(data, at, end)
        good = found.times[row] >= 0.0
    elif field == _EVENT:
        name = _which(words.names, data, at, length)
        good = name < len(words.codes)
        if good:
            found.codes[row] = words.codes[name]
    else:
        good = field == _OTHER
    return good


@inner_kernel
def _take_value(
    key: Key,
    data: npt.NDArray[np.uint8],
    at: int,
    stop: int,
    field: int,
    words: Vocabulary,
    row: int,
    found: PlainClicks,
) -> int:
    """Take the value of a field; return where it ends, -1 where it is not plainly good."""
    if data[at] == _QUOTE:
        end = _text_end(data, at + 1, stop)
        if end >= 0 and _take_text(key, data, at + 1, end, field, words, row, found):
            return end + 1
        return _BAD
    if _ZERO <= data[at] <= _NINE and field in (_TIME, _OTHER):
        number, end = read_number(data, at, stop)
        if field == _TIME:
            found.times[row] = number
        return end
    if field == _LIST_POSITION and _ZERO <= data[at] <= _NINE:
        position, end = read_count(data, at, stop, MAX_LIST_POSITION)
        found.list_positions[row] = position
        return end
    if field in (_EVENT, _EVENT_ID, _LIST_ID, _LIST_POSITION, _OTHER):
        literal, end = _literal(words.literals, data, at, stop)
        return end if literal == _NULL or field == _OTHER else _BAD
    return _BAD


@inner_kernel
def _read_row(
    key: Key,
    data: npt.NDArray[np.uint8],
    at: int,
    stop: int,
    words: Vocabulary,
    row: int,
    found: PlainClicks,
) -> bool:
    """Read one record; False where it is not plain."""
    at = _skip_blanks(data, at, stop)
    if at >= stop or data[at] != _OPEN:
        return False
    seen = 0
    ended = False
    while not ended:
        field, at = _read_name(words, data, at + 1, stop)
        if at < 0 or (field != _OTHER and seen >> field & 1):
            return False
        seen |= 1 << field
        at = _take_value(key, data, at, stop, field, words, row, found)
        if at < 0:
            return False
        at = _skip_blanks(data, at, stop)
        if at >= stop or (data[at] != _COMMA and data[at] != _CLOSE):
            return False
        ended = data[at] == _CLOSE
    return seen & _REQUIRED == _REQUIRED and _skip_blanks(data, at + 1, stop) == stop


@lean_kernel
def _read(
    keys: npt.NDArray[np.uint8],
    key_starts: npt.NDArray[np.int64],
    key_lengths: npt.NDArray[np.int64],
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    words: Vocabulary,
    found: PlainClicks,
) -> None:
    """Read every record."""
    for row in range(len(starts)):
        if not 0 < lengths[row] <= MAX_RECORD_BYTES:
            continue
        start, stop = starts[row], starts[row] + lengths[row]
        key = Key(keys, key_starts[row], key_lengths[row])
        plain = _read_row(key, data, start, stop, words, row, found)
        if plain and not is_ascii(data, start, stop):
            plain = is_utf8(data, start, stop)
        found.plain[row] = plain
