"""Arrays out of safetensors bytes, while other threads go on.

The library's own reader copies everything at once and holds the interpreter meanwhile: for a large
view, hundreds of milliseconds in which nobody is answered. Here nothing is copied where the bytes
may be written, and elsewhere without holding it.
"""

import json
import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

TYPES: Final = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
}
"""What the format calls types, of those that numpy has."""
_PREFIX_BYTES: Final = 8
_METADATA: Final = "__metadata__"


def read_arrays(data: bytes | memoryview) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays by name; they may be written.

    They lie in `data` where that may be written, and are copies where it may not.

    Parameters
    ----------
    data
        An 8-byte length, a JSON header of that length, and the arrays' bytes without gaps; see
        https://huggingface.co/docs/safetensors.

    Raises
    ------
    ValueError
        They are no whole safetensors.
    """
    header_end = _PREFIX_BYTES + int.from_bytes(data[:_PREFIX_BYTES], "little")
    if len(data) < _PREFIX_BYTES or header_end > len(data):
        raise ValueError("the header is cut off")
    header = json.loads(bytes(data[_PREFIX_BYTES:header_end]))
    if not isinstance(header, dict):
        raise ValueError("the header is no object")  # noqa: TRY004  # of the data, not of a caller
    header.pop(_METADATA, None)
    arrays, spans = {}, []
    for name, entry in header.items():
        dtype, shape, (begin, end) = _entry(name, entry)
        if (end - begin) != math.prod(shape) * dtype.itemsize or end > len(data) - header_end:
            raise ValueError(f"{name} does not have as many bytes as its shape says")
        spans.append((begin, end))
        stored = np.frombuffer(data, dtype, math.prod(shape), header_end + begin)
        in_place = stored.flags.writeable and stored.flags.aligned
        arrays[name] = (stored if in_place else stored.copy()).reshape(shape)
    _check_spans(sorted(spans), len(data) - header_end)
    return arrays


def _entry(name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], tuple[int, int]]:
    try:
        dtype, shape = TYPES[entry["dtype"]], tuple(entry["shape"])
        begin, end = entry["data_offsets"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the header does not describe {name} ({error!r})") from None
    numbers = (*shape, begin, end)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError(f"the header does not describe {name}: {numbers}")
    return dtype, shape, (begin, end)


def _check_spans(spans: list[tuple[int, int]], total: int) -> None:
    """Refuse arrays that overlap, and bytes that belong to none."""
    place = 0
    for begin, end in spans:
        if begin != place:
            raise ValueError("the arrays do not follow each other")
        place = end
    if place != total:
        raise ValueError("there are bytes behind the last array")
