"""Arrays read from safetensors bytes are those that the library wrote; anything torn is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load, save

from consumers.artifacts.array_bytes import TYPES, read_arrays

ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
    st.sampled_from(list(TYPES.values())).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
    ),
    max_size=5,
)


def _bytes(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@settings(deadline=None)
@given(ARRAYS)
def test_they_are_what_the_library_reads(arrays: dict[str, np.ndarray]) -> None:
    data = save(arrays, {"of": "a test"})
    wanted = load(data)
    for found in (read_arrays(data), read_arrays(memoryview(bytearray(data)))):
        _check_equal(found, wanted)


def test_they_lie_in_bytes_that_may_be_written() -> None:
    data = np.frombuffer(bytearray(save({"a": np.arange(5.0), "b": np.arange(3)})), np.uint8)
    assert all(np.shares_memory(one, data) for one in read_arrays(data.data).values())
    data.flags.writeable = False
    assert not any(np.shares_memory(one, data) for one in read_arrays(data.data).values())


def test_arrays_at_odd_places_are_copied() -> None:
    """Kernels are compiled for aligned ones."""
    data = save({"a": np.arange(5.0)})
    odd = memoryview(bytearray(b"\0" + data))[1:]
    (found,) = read_arrays(odd).values()
    assert found.flags.aligned
    assert found.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def _check_equal(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert found.keys() == wanted.keys()
    for name, array in found.items():
        assert array.dtype == wanted[name].dtype
        assert array.shape == wanted[name].shape
        assert array.tobytes() == wanted[name].tobytes()
        assert array.flags.writeable
        assert array.flags.c_contiguous


def test_every_cut_is_refused() -> None:
    data = save({"a": np.arange(5.0), "b": np.arange(3)})
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r"."):
            read_arrays(data[:length])
    with pytest.raises(ValueError, match="behind the last"):
        read_arrays(data + b"\0")


@pytest.mark.parametrize(
    ("entry", "data"),
    [
        ({"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}, bytes(4)),
        ({"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]}, b""),
        ({"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}, bytes(8)),
        ({"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}, bytes(4)),
        ({"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}, b""),
        ({"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}, bytes(8)),
        ({"dtype": "F32", "data_offsets": [0, 4]}, bytes(4)),
        ({"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}, bytes(4)),
        ({"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}, bytes(4)),
        ("F32", bytes(4)),
    ],
)
def test_headers_that_say_something_else_are_refused(entry: object, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"a does not|describe a|follow each other"):
        read_arrays(_bytes({"a": entry}, data))


def test_arrays_that_overlap_are_refused() -> None:
    entry = {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}
    with pytest.raises(ValueError, match="follow each other"):
        read_arrays(_bytes({"a": entry, "b": entry}, bytes(4)))


@pytest.mark.parametrize("data", [b"", b"\x02" + bytes(7) + b"[]", b"\x01" + bytes(7) + b"x"])
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_arrays(data)
