"""Kernels that check UTF-8, exactly as strict as Python."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.id_column import unchangeable
from gsr.machine_words import load_64

_HIGH_BITS: Final = np.uint64(0x8080_8080_8080_8080)
_NO_BITS: Final = np.uint64(0)


def utf8_rows(texts: ByteColumn) -> npt.NDArray[np.int64]:
    """Return the rows, int64 [k], of a column that are there and hold UTF-8."""
    there = np.flatnonzero(texts.lengths >= 0)
    data = unchangeable(texts.data)
    good = np.empty(len(there), dtype=np.bool_)
    _judge(data, texts.starts[there], texts.lengths[there], good)
    return there[good]


@lean_kernel
def is_ascii(data: npt.NDArray[np.uint8], at: int, stop: int) -> bool:
    """Tell whether ``data[at:stop]`` holds only bytes below 128."""
    while at + 8 <= stop:
        if load_64(data, at) & _HIGH_BITS != _NO_BITS:
            return False
        at += 8
    while at < stop:
        if data[at] >= 0x80:  # noqa: PLR2004 -- here and below, the borders of RFC 3629
            return False
        at += 1
    return True


@lean_kernel
def is_utf8(data: npt.NDArray[np.uint8], at: int, stop: int) -> bool:
    """Tell whether ``data[at:stop]`` is UTF-8 (RFC 3629: no surrogates, nothing too long)."""
    while at < stop:
        first = data[at]
        if first < 0x80:  # noqa: PLR2004
            at += 1
            continue
        low, high = 0x80, 0xBF
        if 0xC2 <= first <= 0xDF:  # noqa: PLR2004
            more = 1
        elif 0xE0 <= first <= 0xEF:  # noqa: PLR2004
            more = 2
            low = 0xA0 if first == 0xE0 else 0x80  # noqa: PLR2004
            high = 0x9F if first == 0xED else 0xBF  # noqa: PLR2004
        elif 0xF0 <= first <= 0xF4:  # noqa: PLR2004
            more = 3
            low = 0x90 if first == 0xF0 else 0x80  # noqa: PLR2004
            high = 0x8F if first == 0xF4 else 0xBF  # noqa: PLR2004
        else:
            return False
        if stop - at <= more or not low <= data[at + 1] <= high:
            return False
        for i in range(at + 2, at + more + 1):
            if data[i] & 0xC0 != 0x80:  # noqa: PLR2004
                return False
        at += more + 1
    return True


@lean_kernel
def _judge(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    good: npt.NDArray[np.bool_],
) -> None:
    """Tell of each stretch whether it is UTF-8."""
    for row in range(len(starts)):
        start, stop = starts[row], starts[row] + lengths[row]
        good[row] = is_ascii(data, start, stop) or is_utf8(data, start, stop)
